"""What Hauberk says of the evasions that generate.py made: block or hold for every one, or it is a miss.

    python evals/evasion/run.py OUT_DIR [--family memo] [--differential]

`--differential` also follows every pickle opcode by opcode, and reports streams where passing over runs saw less.
"""

import argparse
import collections
import importlib.util
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

_SLOW = 5.0  # seconds of CPU


def _scanner() -> Any:
    place = Path(__file__).parents[1] / "models" / "run.py"
    spec = importlib.util.spec_from_file_location("models_run", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scan(path: str) -> dict[str, Any]:
    """The verdict of the reference policy on one file."""
    return _scanner().scan(path)


def called(data: bytes, *, step: bool) -> set[str]:
    """What the machine says is called, with runs passed over or stepped through."""
    from hauberk.assets.budget import Budget
    from hauberk.assets.content import BytesContent
    from hauberk.assets.pickle.machine import Halt
    from hauberk.assets.pickle.opcodes import Machine
    from hauberk.core import Asset, Fact

    machine = Machine(Asset(uri="x", content=BytesContent(data)), Budget())
    if step:
        machine.bulk_after = len(data) + 1
    try:
        while machine.run_some():
            pass
    except Halt:
        pass
    calls = [item for item in machine.out if isinstance(item, Fact) and item.check in {"pickle.call", "pickle.global-computed"}]
    return {f"{fact.attrs.get('module')}.{fact.attrs.get('name')}" for fact in calls}


def differs(path: str) -> str:
    """What stepping sees called and passing over does not."""
    data = Path(path).read_bytes()
    stepped = called(data, step=True) if data[:1] == b"\x80" else set[str]()
    passed = called(data, step=False) if stepped else set[str]()
    missing = stepped - passed
    # A name that cannot be told is held; a wrong name is not.
    return ", ".join(sorted(missing)) if missing and "None.None" not in passed else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--family", action="append", default=[])
    parser.add_argument("--differential", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    entries = json.loads((options.out / "manifest.json").read_text())
    entries = [entry for entry in entries if not options.family or entry["family"] in options.family]
    paths = [str(options.out / entry["path"]) for entry in entries]
    table: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    wrong = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(scan, paths, chunksize=8))
        unlike = list(pool.map(differs, paths, chunksize=8)) if options.differential else [""] * len(paths)
    for entry, outcome, difference in zip(entries, outcomes, unlike, strict=True):
        table[entry["family"]][outcome["verdict"]] += 1
        slow = outcome["seconds"] > _SLOW
        if outcome["verdict"] in {"admit", "crash"} or difference or slow:
            wrong += 1
            print(f"{outcome['verdict']:6} {outcome['seconds']:5.1f}s {entry['path']} {difference}")
            for finding in outcome["findings"][:3]:
                print("       ", *finding)
            for gap in outcome["gaps"][:3]:
                print("       ", *gap)
    for family, counts in table.items():
        print(f"{family:12} block {counts['block']:4} hold {counts['hold']:4} admit {counts['admit']:4} crash {counts['crash']:4}")
    print(f"{len(entries)} variants, {wrong} missed, slow or seen otherwise in bulk")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
