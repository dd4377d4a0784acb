"""Tells from the first bytes whether a stretch that should hold numbers holds a program, an archive or a pickle.

Numbers are random enough to start with any two bytes, so every test here asks for at least four that fit together.
"""

import re

HEAD = 512  # bytes a caller should hand over, fewer at the end of a file

_LITERAL: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xcf\xfa\xed\xfe\x07\x00\x00\x01", "macho"),
    (b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01", "macho"),
    (b"\x00asm\x01\x00\x00\x00", "wasm"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip"),
    (b"<?php", "script"),
    (b"<script", "script"),
    (b"GGUF\x03\x00\x00\x00", "gguf"),
    (b"\x93NUMPY\x01\x00", "npy"),
    (b"%PDF-1.", "pdf"),
)
# What runs by itself. The others are files that some program must be told to open.
PROGRAMS = frozenset({"elf", "pe", "macho", "wasm", "script"})
_SCRIPT = re.compile(rb"#! ?/(?:usr/(?:local/)?)?bin/[a-z]")
_PICKLE_FRAMED = re.compile(rb"\x80[\x04\x05]\x95", re.DOTALL)
_PICKLE_BINARY = re.compile(
    rb"\x80[\x02-\x05](?:c[A-Za-z_][\w.]{1,60}\n[A-Za-z_][\w.]*\n|[})\]]q\x00|\(?[X\x8c][^\x00].{0,3}[\x20-\x7e]{3})", re.DOTALL
)
_PICKLE_TEXT = re.compile(rb"[(]?c[A-Za-z_][\w.]{1,60}\n[A-Za-z_]\w{0,60}\n")


def payload_kind(head: bytes, available: int) -> str:
    """What `head` begins, of `available` bytes in all: "elf", "pe", "zip", "pickle", "script" ... or "" for none of these."""
    for magic, kind in _LITERAL:
        if head.startswith(magic):
            return kind
    if head[:4] == b"\x7fELF" and head[4:5] in {b"\x01", b"\x02"} and head[5:6] in {b"\x01", b"\x02"}:
        return "elf"
    if _is_windows_program(head):
        return "pe"
    if _SCRIPT.match(head):
        return "script"
    return "pickle" if _is_pickle(head, available) else ""


def _is_windows_program(head: bytes) -> bool:
    if head[:2] != b"MZ" or len(head) < 64:
        return False
    new_header = int.from_bytes(head[60:64], "little")
    # Either the PE header is where the stub says, or this is the stub every linker writes and the rest was cut.
    return head[new_header : new_header + 4] == b"PE\x00\x00" or head[2:4] == b"\x90\x00" or b"This program cannot be run" in head


def _is_pickle(head: bytes, available: int) -> bool:
    if _PICKLE_FRAMED.match(head):
        return 0 < int.from_bytes(head[3:11], "little") <= available
    return bool(_PICKLE_BINARY.match(head) or _PICKLE_TEXT.match(head))
