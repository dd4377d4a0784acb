"""Reader of native programs and libraries: what kind, for which machine. They are named, not judged byte by byte."""

from collections.abc import Callable, Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.native.mismatch import expects_data
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Content, Fact, Gap, GapReason

_ELF_MACHINES = {
    3: "x86",
    40: "ARM",
    62: "x86-64",
    183: "AArch64",
    243: "RISC-V",
    190: "CUDA",
    224: "AMD GPU",
    8: "MIPS",
    21: "PowerPC64",
}
_ELF_TYPES = {1: "object", 2: "program", 3: "library or program", 4: "core"}
_PE_MACHINES = {0x14C: "x86", 0x8664: "x86-64", 0xAA64: "AArch64", 0x1C0: "ARM"}
_LAUNCHERS = (b"MZqFpD=", b"jartsr='", b"APEDBG='")  # programs that are shell scripts and run on every system
_GPU = {"CUDA", "AMD GPU"}


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Gap]:
    """Yields one fact that says what the program is, and a Gap, since its code is not analysed."""
    del budget
    assert asset.content is not None
    head = asset.content.read(0, 4096)
    describe = _DESCRIBERS.get(asset.format, _other)
    sort, machine = describe(asset.content, head)
    launcher = head.startswith(_LAUNCHERS)
    base = asset.name.rsplit("/", 1)[-1]
    suffix = base.rpartition(".")[2].lower() if "." in base else ""
    llamafile = launcher or suffix == "llamafile"
    honest = not expects_data(suffix)
    if not sort or (sort == "fragment" and honest and not llamafile):
        yield Gap(asset.uri, GapReason.UNRECOGNISED, "begins like a program but is none")
        return
    what = "self-running model (llamafile)" if llamafile else f"{asset.format} {sort}"
    attrs: dict[str, str | int | float | bool] = {
        "format": asset.format,
        "machine": machine,
        "honest": honest,
        "llamafile": llamafile,
        "gpu": machine in _GPU,
    }
    yield Fact(
        "native.program", f"{what} for {machine or 'any machine'}", offset=0, where="header", quote=quote(base, 80), attrs=attrs
    )
    yield Gap(asset.uri, GapReason.UNSUPPORTED, "the machine code of programs is named, not analysed")


def _elf(content: Content, head: bytes) -> tuple[str, str]:
    del content
    order = "big" if head[5:6] == b"\x02" else "little"
    machine = int.from_bytes(head[18:20], order)
    if len(head) < 52 or not machine or head[4] not in {1, 2}:
        return "fragment", ""  # no system would start it
    return _ELF_TYPES.get(int.from_bytes(head[16:18], order), "file"), _ELF_MACHINES.get(machine, f"machine {machine}")


def _pe(content: Content, head: bytes) -> tuple[str, str]:
    if head.startswith(_LAUNCHERS):
        return "portable executable", "several machines"
    at = int.from_bytes(head[60:64], "little")
    new_header = content.read(at, 24)
    if len(head) >= 64 and new_header.startswith(b"PE\0\0"):
        machine = int.from_bytes(new_header[4:6], "little")
        library = int.from_bytes(new_header[22:24], "little") & 0x2000
        return ("library" if library else "program"), _PE_MACHINES.get(machine, f"machine {machine}")
    is_stub = head[2:4] in {b"\x90\x00", b"\x50\x00", b"\x80\x00"} or b"This program cannot be run" in head
    return ("program", "DOS") if is_stub and len(head) >= 64 else ("", "")


def _macho(content: Content, head: bytes) -> tuple[str, str]:
    del content
    order = "little" if head[:1] in {b"\xcf", b"\xce"} else "big"
    machine = int.from_bytes(head[4:8], order)
    names = {7: "x86", 0x01000007: "x86-64", 12: "ARM", 0x0100000C: "AArch64"}
    sorts = {1: "object", 2: "program", 6: "library", 8: "bundle"}
    return sorts.get(int.from_bytes(head[12:16], order), "file"), names.get(machine, f"machine {machine}")


def _other(content: Content, head: bytes) -> tuple[str, str]:
    del content, head
    return "module", ""


_DESCRIBERS: dict[str, Callable[[Content, bytes], tuple[str, str]]] = {"elf": _elf, "pe": _pe, "macho": _macho}
