"""Rows of a public set's file: CSV, JSON, JSON lines (also in a zip); UTF-8, or GB18030 as older Chinese sets are."""

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from hauberk.probe.seeds.errors import SeedError

LARGEST = 256 << 20
"""Bytes of a file, unpacked."""
LONGEST = 1 << 20
"""Characters of one field."""

Row = dict[str, Any]


def rows(path: Path) -> Iterator[Row]:
    """The rows of the file at `path`, each a mapping. Raises SeedError: what, where, what to do."""
    data = _unpacked(path) if path.suffix == ".zip" else _read(path)
    text = _decoded(data, path)
    if path.suffix == ".csv":
        yield from _csv(text, path)
    elif path.suffix == ".json":
        yield from _json(text, path)
    else:
        yield from _lines(text, path)


def _read(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise SeedError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    if len(data) > LARGEST:
        raise SeedError(f"{path}: larger than {LARGEST >> 20} MiB; split it")
    return data


def _unpacked(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".jsonl") and not name.startswith("__MACOSX")]
            if len(names) != 1:
                raise SeedError(f"{path}: one .jsonl file is expected inside, there are {len(names)}")
            with archive.open(names[0]) as member:
                data = member.read(LARGEST + 1)
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise SeedError(f"{path}: not a readable zip: {' '.join(str(error).split())}") from error
    if len(data) > LARGEST:
        raise SeedError(f"{path}: unpacks to more than {LARGEST >> 20} MiB")
    return data


def _decoded(data: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SeedError(f"{path}: neither UTF-8 nor GB18030; convert it to UTF-8")


def _csv(text: str, path: Path) -> Iterator[Row]:
    csv.field_size_limit(LONGEST)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        header = [name.strip() for name in next(reader, list[str]())]
        for values in reader:
            yield dict(zip(header, values, strict=False))
    except csv.Error as error:
        raise SeedError(f"{path}: line {reader.line_num}: {error}") from error


def _lines(text: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield _mapping(_decode(line, f"{path}: line {number}"), f"{path}: line {number}")


def _json(text: str, path: Path) -> Iterator[Row]:
    found = _decode(text, str(path))
    if isinstance(found, dict):
        for key, value in cast("dict[str, object]", found).items():
            yield {"id": key, **_mapping(value, f"{path}: {key!r}")}
    elif isinstance(found, list):
        for number, value in enumerate(cast("list[object]", found)):
            yield _mapping(value, f"{path}: item {number}")
    else:
        raise SeedError(f"{path}: a list or a mapping of rows is expected")


def _decode(text: str, where: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise SeedError(f"{where}: not JSON: {error}") from error


def _mapping(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise SeedError(f"{where}: a mapping is expected")
    return cast("Row", value)
