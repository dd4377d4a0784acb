import datetime as dt
import html.parser
import json
import re
import unicodedata

import msgspec
import pytest
import report_material as material
import report_schemas as schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hauberk.assets.configs.model_card import Dependency, ModelCard
from hauberk.core import (
    Admission,
    AssetRecord,
    Confidence,
    Evidence,
    Finding,
    Gap,
    GapReason,
    Kind,
    Run,
    Severity,
    Stage,
    Versions,
)
from hauberk.core.wellformed import well_formed
from hauberk.policy import DEFAULT_POLICY
from hauberk.policy.compare import compare
from hauberk.policy.verdicts import concluded
from hauberk.report import cyclonedx, diff, md, plain, sarif, summary
from hauberk.report import html as html_report
from hauberk.report import json as json_report
from hauberk.report.licences import SPDX, licence_choices

RUN = material.small_run()
FORMATS = (plain, summary, json_report, sarif, html_report, md, cyclonedx)

# Surrogates and control characters included: file names on POSIX are bytes.
names = st.text(st.characters(exclude_categories=()), max_size=12)
uris = st.one_of(names, st.sampled_from(["m/a", "m/a!/b", "m/b", "https://h/<x>?q=1#f", "//h/p", "C:\\x", ""]))
offsets = st.one_of(st.none(), st.integers(0, 2**63 - 1))
evidence = st.builds(Evidence, offset=offsets, length=offsets, where=st.one_of(names, st.just("line 3")), quote=names, note=names)
findings = st.builds(
    Finding,
    rule=st.one_of(names, st.sampled_from(["pickle-call", "trailing-bytes"])),
    asset=uris,
    severity=st.sampled_from(Severity),
    confidence=st.sampled_from(Confidence),
    risk=st.one_of(names, st.just("code-execution-on-load")),
    stage=st.sampled_from(Stage),
    kind=st.sampled_from(Kind),
    message=names,
    evidence=st.lists(evidence, max_size=6).map(tuple),
    root=uris,
)
gaps = st.builds(Gap, asset=uris, reason=st.sampled_from(GapReason), note=names, kind=names, rule=names, offset=offsets, root=uris)
records = st.builds(
    AssetRecord,
    uri=uris,
    kind=st.sampled_from(Kind),
    verdict=st.sampled_from(Admission),
    format=names,
    digest=st.one_of(names, st.just("sha256:" + "ab" * 32)),
    size=st.integers(0, 2**62),
    members=st.integers(0, 9),
    merkle=names,
    parent=uris,
)
moments = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2099, 1, 1)).map(  # noqa: DTZ001 - made aware below
    lambda moment: moment.replace(tzinfo=dt.UTC).isoformat(timespec="milliseconds")
)
runs = st.builds(
    Run,
    id=names,
    command=st.just("scan"),
    targets=st.lists(uris, max_size=3).map(tuple),
    versions=st.builds(Versions, tool=names, rules=names, feeds=st.dictionaries(names, names, max_size=2)),
    started=moments,
    ended=st.one_of(moments, st.just("")),
    complete=st.booleans(),
    assets=st.lists(records, max_size=4).map(tuple),
    findings=st.lists(findings, max_size=5).map(tuple),
    gaps=st.lists(gaps, max_size=4).map(tuple),
    notices=st.lists(names, max_size=2).map(tuple),
)
cards = st.builds(
    ModelCard,
    asset=uris,
    name=names,
    licences=st.lists(st.one_of(names, st.sampled_from(["mit", "MIT OR Apache-2.0"])), max_size=3).map(tuple),
    datasets=st.lists(names, max_size=3).map(tuple),
    base_models=st.lists(names, max_size=2).map(tuple),
    architecture=names,
    family=names,
    task=names,
    dependencies=st.lists(st.builds(Dependency, names, names, names), max_size=3).map(tuple),
)
slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(run=runs, language=st.sampled_from(["en", "zh"]), conclude=st.booleans())
def test_any_run_renders_in_every_format(run: Run, language: str, *, conclude: bool) -> None:
    run = concluded(run, DEFAULT_POLICY) if conclude else run
    for module in FORMATS:
        assert module.render(run, material.PACK, language)
    assert schema.errors(schema.SARIF, sarif.render(run, material.PACK, language)) == []


@slow
@given(runs)
def test_json_makes_the_same_run_again(run: Run) -> None:
    run = concluded(run, DEFAULT_POLICY)
    assert json_report.read(json_report.render(run, material.PACK, "en")) == run


@slow
@given(runs)
def test_fingerprints_survive_names_that_are_no_text(run: Run) -> None:
    assert [f.fingerprint for f in run.findings] == [f.fingerprint for f in well_formed(run).findings]
    assert [g.fingerprint for g in run.gaps] == [g.fingerprint for g in well_formed(run).gaps]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(runs, st.lists(cards, max_size=2))
def test_any_bill_of_materials_is_valid(run: Run, its_cards: list[ModelCard]) -> None:
    made = cyclonedx.render(run, material.PACK, "en", cards=its_cards)
    assert schema.errors(schema.CYCLONEDX, made) == []


@slow
@given(runs, runs)
def test_any_two_runs_compare(before: Run, after: Run) -> None:
    comparison = compare(before, after)
    for name in diff.FORMATS:
        assert diff.render(comparison, material.PACK, "zh", name=name)


@slow
@given(runs)
def test_the_terminal_gets_no_control_characters(run: Run) -> None:
    for made in (
        plain.render(run, material.PACK, "en"),
        md.render(run, material.PACK, "zh"),
        summary.render(run, material.PACK, "en"),
    ):
        text = made.decode("utf-8")
        assert {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}} <= {"\n"}


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes.extend(attrs)


def tags(run: Run) -> _Tags:
    parsed = _Tags()
    parsed.feed(html_report.render(run, material.PACK, "en").decode("utf-8"))
    return parsed


def test_html_holds_no_markup_of_what_was_scanned_and_asks_nobody() -> None:
    parsed = tags(RUN)
    assert parsed.seen.count("script") == 1
    assert not {"img", "link", "iframe", "object", "base", "form", "a"} & set(parsed.seen)
    assert not {name for name, _ in parsed.attributes if name in {"src", "href", "style"} or name.startswith("on")}


def test_html_policy_allows_its_own_style_and_script_only() -> None:
    text = html_report.render(RUN, material.PACK, "en").decode("utf-8")
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text).group(1))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*)</{tag}>", text, re.DOTALL).group(1)
        assert html_report._hash(inner) in policy


@slow
@given(runs)
def test_html_of_any_run_has_one_script(run: Run) -> None:
    assert tags(run).seen.count("script") == 1


def test_sarif_is_valid() -> None:
    made = sarif.render(RUN, material.PACK, "zh")
    assert schema.errors(schema.SARIF, made) == []
    run = json.loads(made)["runs"][0]
    assert [r["ruleId"] for r in run["results"]] == [
        "pickle-call",
        "trailing-bytes",
        "trailing-bytes",
        "gone-rule",
        "trailing-bytes",
    ]
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in run["results"])
    assert all(set(r["partialFingerprints"]) == {"hauberk/v1"} for r in run["results"])
    assert [r.get("suppressions") for r in run["results"]][-1] == [{"kind": "external", "status": "accepted"}]
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 3
    assert {t["name"] for t in run["taxonomies"]} == {"cwe", "owasp-llm-2025"}
    assert "攻击者" in rules[1]["help"]["text"]
    assert "attacker" in rules[1]["help"]["text"]


def test_sarif_regions_are_byte_offsets_of_the_file_itself() -> None:
    results = json.loads(sarif.render(RUN, material.PACK, "en"))["runs"][0]["results"]
    nested, ansi, line, *_ = (result["locations"][0] for result in results)
    assert "region" not in nested["physicalLocation"]
    assert nested["properties"] == {"memberByteOffset": 71}
    assert nested["logicalLocations"][0]["name"] == "data.pkl"
    assert ansi["physicalLocation"]["region"]["byteOffset"] == 0
    assert line["physicalLocation"]["region"]["startLine"] == 12


def test_bill_of_materials() -> None:
    made = cyclonedx.render(RUN, material.PACK, "en", cards=material.CARDS)
    assert schema.errors(schema.CYCLONEDX, made) == []
    assert made == cyclonedx.render(RUN, material.PACK, "zh", cards=material.CARDS)
    bill = json.loads(made)
    model = bill["components"][0]
    assert model["type"] == "machine-learning-model"
    assert model["licenses"] == [{"license": {"id": "Apache-2.0", "acknowledgement": "declared"}}]
    assert model["modelCard"]["modelParameters"]["modelArchitecture"] == "LlamaForCausalLM"
    assert len(model["modelCard"]["modelParameters"]["datasets"]) == 2
    assert model["components"][0]["type"] == "machine-learning-model"
    assert {c["type"] for c in bill["components"]} == {"machine-learning-model", "file", "data", "library"}
    known = {bill["metadata"]["component"]["bom-ref"], *refs(bill["components"])}
    assert {ref for d in bill["dependencies"] for ref in (d["ref"], *d["dependsOn"])} <= known


def refs(components: list[dict]) -> list[str]:
    found = [component["bom-ref"] for component in components]
    return found + [ref for component in components for ref in refs(component.get("components", []))]


def test_licences_are_spdx_ids() -> None:
    listed = json.loads((schema.HERE / "spdx.SNAPSHOT.schema.json").read_text("utf-8"))["enum"]
    assert [name for name in SPDX if name not in listed] == []


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (("mit",), [{"license": {"id": "MIT", "acknowledgement": "declared"}}]),
        (("llama3",), [{"license": {"name": "llama3", "acknowledgement": "declared"}}]),
        (("gpl-3.0", "x"), [
            {"license": {"id": "GPL-3.0-only", "acknowledgement": "declared"}},
            {"license": {"name": "x", "acknowledgement": "declared"}},
        ]),
        (("mit OR apache-2.0",), [{"expression": "MIT OR Apache-2.0", "acknowledgement": "declared"}]),
        (("mit OR nonsense",), [{"license": {"name": "mit OR nonsense", "acknowledgement": "declared"}}]),
    ],
)  # fmt: skip
def test_licence_words(words: tuple[str, ...], choices: list[dict]) -> None:
    assert licence_choices(words) == choices


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"", "not a Hauberk report"), (b"{}", "not a Hauberk report"), (b"\xff", "not a Hauberk report")],
)
def test_json_that_is_no_report(data: bytes, said: str) -> None:
    with pytest.raises(json_report.ReportFormatError, match=said):
        json_report.read(data)


def test_json_of_another_schema() -> None:
    document = json.loads(json_report.render(RUN, material.PACK, "en")) | {"schema": "hauberk.run/9"}
    with pytest.raises(json_report.ReportFormatError, match=r"hauberk\.run/9"):
        json_report.read(msgspec.json.encode(document))


def test_a_difference_has_no_html() -> None:
    with pytest.raises(ValueError, match="ask for plain, json, md"):
        diff.render(compare(RUN, RUN), material.PACK, "en", name="html")
