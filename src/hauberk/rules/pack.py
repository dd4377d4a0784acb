"""`python -m hauberk.rules.pack`: writes the sealed pack that a wheel carries, so that it never parses YAML."""

import sys
from pathlib import Path

import msgspec

from hauberk.rules.load import HERE, SEALED, build_pack


def seal(target: Path = SEALED) -> str:
    """Writes every rule of this checkout to `target`; its digest. Raises RuleFileError."""
    pack = msgspec.structs.replace(build_pack(HERE), signature=[])
    target.write_bytes(msgspec.msgpack.encode(pack))
    return pack.digest


if __name__ == "__main__":
    sys.stdout.write(f"sealed {seal()}\n")
