"""Licence words of model cards as SPDX ids. A word that is no SPDX id stays a name."""

import re
from typing import Any

from hauberk.report.printable import printable

# Those that model and dataset cards name; a test holds them against the SPDX list of the CycloneDX schema.
SPDX = (
    "0BSD", "AFL-3.0", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-Clear", "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-2.0", "CC-BY-NC-3.0",
    "CC-BY-NC-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0",
    "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC0-1.0", "CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "ECL-2.0",
    "EPL-1.0", "EPL-2.0", "EUPL-1.1", "EUPL-1.2", "GFDL-1.3-only", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-only",
    "GPL-3.0-or-later", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "LPPL-1.3c", "MIT",
    "MPL-2.0", "MS-PL", "MulanPSL-2.0", "NCSA", "ODbL-1.0", "ODC-By-1.0", "OFL-1.1", "OSL-3.0", "PDDL-1.0", "PostgreSQL",
    "Unlicense", "WTFPL", "Zlib",
)  # fmt: skip
# Tags of the Hugging Face Hub that are not spelt as SPDX spells them.
_OTHER_WORDS = {
    "agpl-3.0": "AGPL-3.0-only",
    "gfdl": "GFDL-1.3-only",
    "gpl-2.0": "GPL-2.0-only",
    "gpl-3.0": "GPL-3.0-only",
    "lgpl-2.1": "LGPL-2.1-only",
    "lgpl-3.0": "LGPL-3.0-only",
    "odbl": "ODbL-1.0",
    "odc-by": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    "cc0": "CC0-1.0",
    "apache 2.0": "Apache-2.0",
}
_BY_WORD = {name.lower(): name for name in SPDX} | _OTHER_WORDS


def licence_choices(words: tuple[str, ...]) -> list[dict[str, Any]]:
    """The words as CycloneDX `licenses`: one expression, or ids and names."""
    if len(words) == 1 and (expression := _expression(words[0])):
        return [{"expression": expression, "acknowledgement": "declared"}]
    choices: list[dict[str, Any]] = []
    for word in words:
        spdx = _BY_WORD.get(word.strip().lower())
        named = {"id": spdx} if spdx else {"name": printable(word)}
        choices.append({"license": {**named, "acknowledgement": "declared"}})
    return choices


def _expression(word: str) -> str:
    """An SPDX expression of known ids, or ""."""
    parts = re.split(r"(\s+(?:AND|OR)\s+)", word)
    if len(parts) == 1:
        return ""
    ids = [_BY_WORD.get(part.strip(" ()").lower(), "") for part in parts[::2]]
    if not all(ids) or "(" in word:
        return ""
    return "".join(part for pair in zip(ids, [*parts[1::2], ""], strict=True) for part in pair)
