"""Coverage-guided fuzzing of the whole pipeline with atheris, seeded with the rules' samples.

    uv run --with atheris python evals/fuzz/run.py --seconds 60 [--format gguf]

Any exception that reaches the fuzzer is a defect: readers raise only ReadError, and the inspection turns that into a Gap.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hauberk.assets"]):
    from hauberk.assets.budget import Budget, Limits
    from hauberk.assets.content import BytesContent
    from hauberk.assets.errors import ReadError
    from hauberk.assets.formats import FORMATS
    from hauberk.assets.identify import identify
    from hauberk.assets.reading import reader_of
    from hauberk.core import Asset
    from hauberk.rules import load_pack
    from hauberk.scan.sample import sample_bytes

    for name in FORMATS:
        reader_of(name)

LIMITS = Limits(members=100, expanded=4 << 20, text=1 << 20, facts=1000, seconds=5)


def one(data: bytes, only: str) -> None:
    content = BytesContent(data)
    for name in (only,) if only else identify(content, "fuzz"):
        asset = Asset(uri="fuzz", name="fuzz", format=name, kind=FORMATS[name].kind, content=content)
        try:
            for _ in reader_of(name)(asset, Budget(LIMITS)):
                pass
        except ReadError:
            pass


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--format", default="", choices=["", *FORMATS])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for rule in load_pack().rules:
            for sample in rule.samples:
                if not sample.files:
                    Path(folder, f"{rule.id}-{sample.name}".replace("/", "_")).write_bytes(sample_bytes(sample))
        arguments = [
            sys.argv[0],
            folder,
            f"-max_total_time={options.seconds}",
            "-max_len=65536",
            "-rss_limit_mb=2048",
            "-timeout=20",
        ]
        atheris.Setup(arguments, lambda data: one(data, options.format))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
