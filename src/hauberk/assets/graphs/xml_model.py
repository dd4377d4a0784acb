"""XML models: PMML and OpenVINO IR. Nothing outside the file is ever read, and no entity is expanded."""

import re
from collections.abc import Iterator
from xml.parsers import expat

from hauberk.assets.budget import Budget
from hauberk.assets.content import chunks
from hauberk.assets.errors import Malformed
from hauberk.assets.graphs.graph_text import code_facts, text_facts
from hauberk.assets.quoting import quote
from hauberk.core import Asset, Fact, Gap, GapReason

MAX_DEPTH = 256
_CHUNK = 1 << 16
_MAX_TEXT = 1 << 20
# Functions that PMML itself defines (4.4, chapter "Built-in functions").
_BUILT_IN_WORDS = (
    "+ - * / min max sum avg median product log10 ln sqrt abs exp pow threshold floor ceil round modulo rint expm1 hypot "
    "ln1p sin asin sinh cos acos cosh tan atan tanh isMissing isNotMissing isValid isNotValid equal notEqual lessThan "
    "lessOrEqual greaterThan greaterOrEqual and or not isIn isNotIn if uppercase lowercase stringLength substring "
    "trimBlanks concat replace matches formatNumber formatDatetime dateDaysSinceYear dateSecondsSinceYear "
    "dateSecondsSinceMidnight normalCDF normalPDF stdNormalCDF stdNormalPDF erf normalIDF stdNormalIDF atan2 "
)
_BUILT_IN = frozenset(_BUILT_IN_WORDS.split())
_JAVA = re.compile(
    r"(?:java|javax|jdk|sun|com\.sun|jakarta|groovy|kotlin|scala|org\.(?:apache\.commons|springframework|codehaus|mozilla|python))\."
)
_LIBRARY = re.compile(r"(?i)[\w./\\-]\.(?:so(?:\.\d+)*|dll|dylib|pyd|jar|class)$")


class _Stop(Exception):
    """Parsing need not go on."""


def read(asset: Asset, budget: Budget) -> Iterator[Fact | Asset | Gap]:
    """Facts on an XML document."""
    assert asset.content is not None
    document = _Document(budget)
    try:
        for chunk in chunks(asset.content, 0, -1, _CHUNK):
            budget.check_time()
            document.parser.Parse(chunk)
            yield from document.taken()
        document.parser.Parse(b"", True)  # noqa: FBT003 - expat takes no keyword
    except _Stop:
        yield from document.taken()
        note = "the document declares entities; nothing after the declaration was read, so that nothing is expanded"
        yield Gap(asset.uri, GapReason.UNDECIDED, note, offset=document.parser.CurrentByteIndex)
        return
    except (expat.ExpatError, ValueError, LookupError) as error:
        yield from document.taken()
        raise Malformed(
            f"no well-formed XML: {error}"[:200], offset=document.parser.ErrorByteIndex, check="xml.malformed"
        ) from error
    yield from document.taken()
    yield from document.unresolved()


class _Document:
    """Collects facts while expat reads."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.facts: list[Fact] = []
        self.root = ""
        self.path: list[str] = []
        self.text: list[str] = []
        self.length = 0
        self.defined: set[str] = set()
        self.applied: dict[str, int] = {}
        self.entities = False
        self.parser = parser = expat.ParserCreate()
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self.doctype
        parser.EndDoctypeDeclHandler = self.doctype_end
        parser.EntityDeclHandler = self.entity
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.characters
        parser.ProcessingInstructionHandler = self.instruction

    def taken(self) -> list[Fact]:
        facts, self.facts = self.facts, []
        return facts

    def see(self, check: str, note: str, piece: str, **attrs: str | float | bool) -> None:
        where = "/".join(self.path[-6:])
        self.facts.append(
            Fact(check, note, offset=self.parser.CurrentByteIndex, where=quote(where, 120), quote=quote(piece), attrs=attrs)
        )

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        del internal
        if system and not _is_usual(system, public or ""):
            note = f"the document type of {quote(name, 40)} is to be fetched from {quote(system, 80)}"
            remote = re.match(r"(?i)[a-z][a-z0-9+.-]*:|/|\\|\.\.", system) is not None
            self.see("xml.external-doctype", note, system, remote=remote, root=name)

    def doctype_end(self) -> None:
        if self.entities:
            raise _Stop

    def entity(
        self,
        name: str,
        parameter: int,
        value: str | None,
        base: str | None,
        system: str | None,
        public: str | None,
        notation: str | None,
    ) -> None:
        del base, public, notation
        self.entities = True
        if system is not None:
            kind = "parameter entity" if parameter else "entity"
            self.see(
                "xml.external-entity", f"the {kind} {quote(name, 40)} is to be read from {quote(system, 80)}", system, name=name
            )
        elif value is not None and value.count("&") + value.count("%") >= 2:
            self.see("xml.nested-entity", f"the entity {quote(name, 40)} repeats others: each level multiplies", value, name=name)
        else:
            self.see("xml.entity", f"the entity {quote(name, 40)} is declared", value or "", name=name)
        if len(self.facts) > 100:
            raise _Stop

    def instruction(self, target: str, data: str) -> None:
        if target.lower() in {"xml-stylesheet", "php"}:
            self.see("xml.instruction", f"a processing instruction {quote(target, 40)}", f"{target} {data}", target=target.lower())

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.budget.tick()
        self.flush()
        name = name.rpartition(":")[2]
        if len(self.path) >= MAX_DEPTH:
            raise Malformed(
                f"elements nested more than {MAX_DEPTH} deep", offset=self.parser.CurrentByteIndex, check="xml.too-deep"
            )
        if not self.root:
            self.root = name
        self.path.append(name)
        if self.root == "PMML":
            self.pmml(name, attributes)
        elif self.root == "net":
            self.openvino(name, attributes)
        if name.lower() in {"script", "include", "import"}:
            self.script(name, attributes)
        for key, value in attributes.items():
            if len(value) >= 12:
                self.facts.extend(code_facts(value[:_MAX_TEXT], f"{name} {key}", self.parser.CurrentByteIndex))

    def end(self, name: str) -> None:
        del name
        self.flush()
        if self.path:
            self.path.pop()

    def characters(self, data: str) -> None:
        if self.length < _MAX_TEXT:
            self.text.append(data)
            self.length += len(data)

    def flush(self) -> None:
        """Judges the text gathered since the last tag."""
        if self.length >= 8:
            text = "".join(self.text)
            where = "/".join(self.path[-4:])
            self.facts.extend(text_facts(text, where, self.parser.CurrentByteIndex))
        self.text.clear()
        self.length = 0

    def pmml(self, name: str, attributes: dict[str, str]) -> None:
        if name == "DefineFunction" and len(self.defined) < 100_000:
            self.defined.add(attributes.get("name", ""))
        elif name == "Apply" and len(self.applied) < 1000:
            function = attributes.get("function", "")
            if function not in _BUILT_IN:
                self.applied.setdefault(function, self.parser.CurrentByteIndex)

    def openvino(self, name: str, attributes: dict[str, str]) -> None:
        for key, value in attributes.items():
            if _LIBRARY.search(value) or (key.lower() in {"library", "plugin", "extension_path"} and value):
                self.see("openvino.library", f"{name} {key} names the library {quote(value, 80)}", value, key=key)
            elif key in {"offset", "size"} and name == "data" and not re.fullmatch(r"\d{1,18}", value):
                self.see("openvino.bounds", f"{key} is {quote(value, 40)}, no number within bounds", value, key=key)
        if name == "layer" and not re.fullmatch(r"opset\d+|experimental|util|ie_internal_opset|", attributes.get("version", "")):
            kind, version = attributes.get("type", ""), attributes.get("version", "")
            self.see(
                "openvino.custom-layer",
                f"the layer type {quote(kind, 60)} comes from {quote(version, 40)}",
                f"{version}::{kind}",
                version=version,
                type=kind,
            )

    def script(self, name: str, attributes: dict[str, str]) -> None:
        reference = attributes.get("href") or attributes.get("src") or attributes.get("file") or attributes.get("language") or name
        self.see("xml.script", f"an element {quote(name, 20)} that brings in other text or code", reference, element=name.lower())

    def unresolved(self) -> Iterator[Fact]:
        """Functions that neither PMML nor the document defines: the evaluator looks for a class of that name."""
        for function, offset in self.applied.items():
            if function in self.defined:
                continue
            java = _JAVA.match(function) is not None
            module, _, name = function.rpartition(".")
            note = f"Apply calls {quote(function, 80)}, which PMML does not define"
            yield Fact(
                "pmml.function",
                note,
                offset=offset,
                where="Apply",
                quote=quote(function),
                attrs={"module": module, "name": name, "how": "call", "java": java, "dotted": "." in function},
            )


def _is_usual(system: str, public: str) -> bool:
    """Document types of Apple's property lists and the W3C, which everybody has and nobody fetches."""
    return (
        public.startswith(("-//Apple", "-//W3C//")) and re.match(r"https?://(?:www\.apple\.com|www\.w3\.org)/", system) is not None
    )
