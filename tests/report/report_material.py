"""A small fixed Run with hostile names, and a pack of two rules, for the goldens."""

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
    Rule,
    Run,
    Severity,
    Stage,
    Suppression,
    Text,
    Versions,
)
from hauberk.core.policy import Policy
from hauberk.policy.default import DEFAULT_POLICY
from hauberk.policy.verdicts import concluded
from hauberk.rules import RulePack

SCRIPT = "models/<script>alert(1)</script>.pkl"
BIDI = "models/\u202egnp.exe\u2066.bin"
ANSI = "models/\x1b[2J\x1b]0;owned\x07clean.pt"
BROKEN = "models/line\nbreak\r\udcff.onnx"
MARKUP = "models/`x` | [a](javascript:x) **b** https://e.example $(id).zip"


def rule(name: str, risk: str, severity: Severity) -> Rule:
    return Rule(
        id=name,
        title=Text(en=f"Title of {name}", zh=f"规则 {name} 的标题"),
        stage=Stage.MODEL,
        risk=risk,
        reads=(Kind.MODEL,),
        severity=severity,
        confidence=Confidence.HIGH,
        why=Text(en="An attacker runs code\nas you.", zh="攻击者以你的身份\n执行代码。"),
        fix=Text(en="Do not load it.", zh="不要加载。"),
        engine="fact",
        match={},
        samples=(),
        references=("https://example.org/why",),
    )


TAXONOMY = {
    "editions": {"owasp-llm-2025": "OWASP Top 10 for LLM Applications 2025", "cwe": "Common Weakness Enumeration"},
    "risks": {
        "code-execution-on-load": {
            "title": {"en": "Code runs on load", "zh": "加载即执行代码"},
            "owasp-llm-2025": ["LLM03"],
            "cwe": ["CWE-502", "CWE-94"],
        },
        "smuggled-payload": {"title": {"en": "Smuggled payload", "zh": "夹带载荷"}, "owasp-llm-2025": [], "cwe": ["CWE-506"]},
    },
}
PACK = RulePack(
    digest="0123456789abcdef",
    rules=(
        rule("pickle-call", "code-execution-on-load", Severity.CRITICAL),
        rule("trailing-bytes", "smuggled-payload", Severity.MEDIUM),
    ),
    taxonomy=TAXONOMY,
    capabilities={},
)


def record(uri: str, kind: str = "model", format_: str = "pickle", **more: object) -> AssetRecord:
    return AssetRecord(uri=uri, kind=kind, verdict=Admission.ADMIT, format=format_, **more)


def finding(name: str, asset: str, root: str, message: str, *evidence: Evidence) -> Finding:
    its = PACK.by_id.get(name, PACK.rules[0])
    return Finding(name, asset, its.severity, its.confidence, its.risk, its.stage, "model", message, evidence, root)


def small_run() -> Run:
    call = Evidence(offset=71, length=4, where="REDUCE", quote="os.system('\x1b[31mrm -rf /\u202e')")
    many = tuple(Evidence(offset=n, where=f"member {n}") for n in range(6))
    accepted = finding("trailing-bytes", "models/old.bin", "models/old.bin", "Title of trailing-bytes: known")
    run = Run(
        id="4f2a91c0d7e3",
        command="scan",
        targets=("models", "other/<b>"),
        versions=Versions(tool="0.1.0", rules=PACK.digest, feeds={"advisories": "2026-11-20"}),
        started="2026-11-21T08:00:00.000+00:00",
        ended="2026-11-21T08:00:03.250+00:00",
        assets=(
            AssetRecord(uri="models", kind="repository", verdict=Admission.ADMIT, format="repository", members=8),
            record(SCRIPT, digest="sha256:" + "ab" * 32, size=4096, members=3, parent="models"),
            record(BIDI, size=10, parent="models"),
            record(ANSI, size=3 << 20, parent="models"),
            record(BROKEN, format_="onnx", parent="models"),
            record(MARKUP, "archive", "zip", parent="models"),
            record("models/old.bin", parent="models"),
            record(
                "models/good.safetensors", "tensors", "safetensors", merkle="blake3:" + "cd" * 32, size=5 << 30, parent="models"
            ),
            record("other/<b>/c.json", "config", "json_text", digest="sha256:" + "ef" * 32),
        ),
        findings=(
            finding("pickle-call", f"{SCRIPT}!/data.pkl", SCRIPT, "Title of pickle-call: calls os.system", call),
            finding("trailing-bytes", ANSI, ANSI, "Title of trailing-bytes: \x1b[2J bytes behind the end", *many),
            finding("trailing-bytes", BIDI, BIDI, "Title of trailing-bytes", Evidence(where="line 12", quote="</script><script>x")),
            finding(
                "gone-rule", MARKUP, MARKUP, "A rule of an older pack: <img src=x onerror=y>", Evidence(note="a `note` | cell")
            ),
            accepted,
        ),
        gaps=(
            Gap(f"{MARKUP}!/secret", GapReason.ENCRYPTED, "AES-256 \x1b[0m", kind="archive", offset=9, root=MARKUP),
            Gap(BROKEN, GapReason.TRUNCATED, "ends in the middle of a field", kind="model", root=BROKEN),
        ),
    )
    suppressions = (
        Suppression(
            reason="Reviewed by hand", owner="security@example.org", expires="2099-12-31", fingerprint=accepted.fingerprint
        ),
        Suppression(reason="Old", owner="li", expires="2025-01-01", rule="pickle-call"),
    )
    return concluded(run, Policy(DEFAULT_POLICY.entries, suppressions))


CARDS = (
    ModelCard(
        asset="models",
        name="tiny-<i>example</i>",
        licences=("apache-2.0",),
        datasets=("example/tiny-stories", "example/\u202eother"),
        base_models=("example/base",),
        architecture="LlamaForCausalLM",
        family="llama",
        task="text-generation",
        library="transformers",
        dependencies=(Dependency("torch", "2.9.0", "requirements.txt"), Dependency("odd name", "", "uv.lock")),
    ),
)
