"""Scripts: shell idioms wherever they stand, start-up lines of `.pth` files, scripts inside HTML.

Patterns of single languages are rules.
"""

import re
from collections.abc import Iterator

from hauberk.assets.budget import Budget
from hauberk.assets.content import BytesContent
from hauberk.assets.errors import ReadError
from hauberk.assets.quoting import quote
from hauberk.assets.source.shell_idioms import IDIOMS, unbroken
from hauberk.assets.text.textual import decoded
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_PLACES = 50  # of one idiom in one script
MAX_SCRIPTS = 200  # script elements of one page
_COMMENT = re.compile(r"[ \t]*(?:#(?!!)|//|::|@?rem\s)", re.IGNORECASE)
_ELEMENT = re.compile(r"<script\b[^>]{0,1000}>(.*?)</script", re.IGNORECASE | re.DOTALL)
# Start-up lines that installers write: editable installs, namespace packages, virtual environments.
_INSTALLERS = re.compile(
    r"import (?:_virtualenv|_distutils_hack|distutils-precedence|__editable__\w*|_editable\w*|a1_coverage"
    r"|coverage; coverage\.process_startup\(\)"
    r"|sys, types, os;\s*has_mfs\b.*|sys, types, os;p = .*|os; var = 'SETUPTOOLS_USE_DISTUTILS'.*|site; site\.addsitedir\([^()]*\)"
    r"|sys; sys\.__plen = len\(sys\.path\).*|matplotlib)[\w.; ()]*\s*$"
)


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts of the script in `asset`."""
    text = _text(asset, budget)
    if asset.name.lower().endswith(".pth"):
        yield from _path_file(asset, text)
        return
    yield from idioms(text, budget)


def read_html(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Its scripts, as assets."""
    text = _text(asset, budget)
    for number, found in enumerate(_ELEMENT.finditer(text)):
        budget.tick(16)
        if number >= MAX_SCRIPTS:
            yield Gap(asset.uri, GapReason.TOO_LARGE, f"more than {MAX_SCRIPTS} scripts in one page")
            return
        if found[1].strip():
            content = BytesContent(found[1].encode("utf-8", "surrogatepass"))
            yield asset.child(f"script {number + 1}", content, format="script")


def _text(asset: Asset, budget: Budget) -> str:
    assert asset.content is not None
    if asset.content.size > budget.limits.text:
        raise ReadError(GapReason.TOO_LARGE, f"a script of {asset.content.size} bytes was searched and not followed")
    return decoded(asset.content.read())


def idioms(text: str, budget: Budget) -> Iterator[Fact]:
    """Every hostile idiom in a shell script or in lines of shell."""
    whole = unbroken(text)
    for name, what, pattern in IDIOMS:
        budget.check_time()
        for number, found in enumerate(pattern.finditer(whole)):
            if number >= MAX_PLACES:
                break
            start = whole.rfind("\n", 0, found.start()) + 1
            if _COMMENT.match(whole, start):
                continue
            piece = quote(re.sub(r"\s{2,}", " ", found[0].strip()))
            offset = len(text[: found.start()].encode("utf-8", "surrogatepass"))
            where = f"line {text.count(chr(10), 0, found.start()) + 1}"
            yield Fact("script.idiom", what, offset=offset, where=where, quote=piece, attrs={"idiom": name})


def _path_file(asset: Asset, text: str) -> Iterator[Fact | Asset]:
    run: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        starts = line.startswith(("import ", "import\t"))  # what `site` gives to exec
        run.append(line if starts else "")
        if starts:
            known = _INSTALLERS.match(line) is not None
            note = "Python runs this line each time it starts"
            yield Fact("script.path-file", note, where=f"line {number}", quote=quote(line), attrs={"known": known})
    if any(run):
        yield asset.child("start-up lines", BytesContent("\n".join(run).encode("utf-8", "surrogatepass")), format="python")
