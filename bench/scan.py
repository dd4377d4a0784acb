"""Speed and memory of `hauberk scan` beside sha256sum, pickletools.genops and the peers, all in one run.

    python bench/scan.py [--inputs DIR] [--size-mb 2048] [--peers DIR] [--only NAME ...] [--repeat 3] [--json OUT]

Makes its inputs in DIR (about 7 GB at full size; deleted afterwards unless --keep). `--peers DIR` holds one virtual environment a
peer (DIR/picklescan, DIR/modelscan, DIR/fickling, DIR/modelaudit, DIR/veritensor); peers without one are left out and said so.
Whole processes are measured: CPU seconds (user + system, children included), wall seconds, peak memory of the largest process.
Quote ratios: absolute times belong to this machine and this moment.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pickle_inputs import large_pickle, small_pickles
from tensor_inputs import big_gguf, big_safetensors, big_torch_zip

HAUBERK = [sys.executable, "-m", "hauberk"]
BASE = [*HAUBERK, "scan", "--no-store", "--exit-zero", "--quiet", "--format", "json"]
GENOPS = "import pickletools,sys\nfor _ in pickletools.genops(open(sys.argv[1],'rb')): pass"


def _measure(command: list[str], timeout: float) -> dict[str, float | str]:
    """CPU, wall and peak memory of one whole process tree, in a child so that rusage is its alone."""
    read, write = os.pipe()
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        note = ""
        try:
            with open(os.devnull, "wb") as null:
                subprocess.run(command, stdout=null, stderr=null, timeout=timeout, check=False, cwd=tempfile.gettempdir())
        except subprocess.TimeoutExpired:
            note = f"not finished in {timeout:g} s"
        except OSError as error:
            note = str(error)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = {"cpu": used.ru_utime + used.ru_stime, "rss_mb": used.ru_maxrss / 1024, "note": note}
        os.write(write, json.dumps(result).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        result = json.loads(pipe.read())
    os.waitpid(pid, 0)
    return {**result, "wall": time.monotonic() - started}


def _peer_commands(peers: Path | None, path: Path) -> dict[str, list[str]]:
    if peers is None:
        return {}
    commands = {
        "picklescan": ["picklescan", "--path", str(path)],
        "modelscan": ["modelscan", "-p", str(path)],
        "fickling": ["fickling", "--check-safety", str(path)],
        "modelaudit": ["modelaudit", "scan", str(path)],
        "veritensor": ["veritensor", "scan", str(path)],
    }
    found = {n: [str(peers / n / "bin" / c[0]), *c[1:]] for n, c in commands.items() if (peers / n / "bin" / c[0]).exists()}
    if path.is_dir():
        found.pop("fickling", None)  # takes one file at a time
    return found


Case = tuple[Path, dict[str, list[str]]]


def _tensor(path: Path) -> Case:
    return path, {
        "hauberk --no-hash": [*BASE, "--no-hash", str(path)],
        "hauberk": [*BASE, str(path)],
        "sha256sum": ["sha256sum", str(path)],
        "cat": ["cat", str(path)],
    }


def _object_pickle(folder: Path) -> Case:
    path = folder / "objects.pkl"
    large_pickle(path)
    return path, {"hauberk": [*BASE, str(path)], "pickletools.genops": [sys.executable, "-c", GENOPS, str(path)]}


def _small_pickles(folder: Path) -> Case:
    tree = folder / "tree"
    for number, data in enumerate(small_pickles()):
        path = tree / f"{number // 100:03}" / f"{number}.pkl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tree, {"hauberk": [*BASE, str(tree)]}


def _one_file(folder: Path) -> Case:
    path = folder / "small.pkl"
    path.write_bytes(next(iter(small_pickles())))
    return path, {"hauberk": [*BASE, str(path)], "hauberk --help": [*HAUBERK, "--help"]}


def _cases(folder: Path, size_mb: int) -> dict[str, Callable[[], Case]]:
    """Name -> what makes its input, with our and the reference commands."""
    return {
        "safetensors": lambda: _tensor(big_safetensors(folder / "big.safetensors", size_mb)),
        "gguf": lambda: _tensor(big_gguf(folder / "big.gguf", size_mb)),
        "torch-zip": lambda: _tensor(big_torch_zip(folder / "big.pt", size_mb)),
        "object-pickle": lambda: _object_pickle(folder),
        "10000-small-pickles": lambda: _small_pickles(folder),
        "one-small-file": lambda: _one_file(folder),
    }


def _versions(peers: Path | None) -> None:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "?")
    print(f"# {platform.platform()}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}")
    script = "import importlib.metadata as m,sys;print(sys.argv[1],m.version(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", script, "hauberk"], check=False)
    for peer in sorted(peers.iterdir()) if peers else ():
        if (peer / "bin" / "python").exists():
            subprocess.run([str(peer / "bin" / "python"), "-c", script, peer.name], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=Path)
    parser.add_argument("--size-mb", type=int, default=2048)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=300)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = options.inputs or Path(tempfile.mkdtemp(prefix="hauberk-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    _versions(options.peers)
    sys.stdout.flush()
    results = []
    for name, make in _cases(folder, options.size_mb).items():
        if options.only and name not in options.only:
            continue
        path, commands = make()
        print(f"\n## {name}\n{'command':24} {'cpu s':>8} {'wall s':>8} {'peak MB':>8}")
        for label, command in {**commands, **_peer_commands(options.peers, path)}.items():
            repeat = 1 if label in {"modelaudit", "fickling", "veritensor"} else options.repeat
            runs = [_measure(command, options.timeout) for _ in range(repeat)]
            row = {k: statistics.median(float(r[k]) for r in runs) for k in ("cpu", "wall", "rss_mb")}
            note = runs[-1]["note"]
            print(f"{label:24} {row['cpu']:8.2f} {row['wall']:8.2f} {row['rss_mb']:8.0f} {note}", flush=True)
            results.append({"case": name, "command": label, **row, "note": note})
        if not options.keep and not options.inputs:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if options.json:
        options.json.write_text(json.dumps({"machine": platform.platform(), "rows": results}, indent=1) + "\n")
    if not options.keep and not options.inputs:
        shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
