"""The public sets that are read, each from the file names under which its authors publish it."""

from hauberk.probe.goal import Harm, Help
from hauberk.probe.seeds.public.public_set import PublicSet
from hauberk.probe.seeds.public.rows import Row
from hauberk.probe.seeds.public.safetybench import questions
from hauberk.probe.seeds.public.tc260 import risk_of
from hauberk.probe.seeds.seed import Bank, Seed

MULTIJAIL_LANGUAGES = ("en", "zh", "it", "vi", "ar", "ko", "th", "bn", "sw", "jv")


def _harm(text: str, lang: str, risk: str = "harmful-content", tc260: str = "", group: str = "") -> Seed:
    return Seed("", text, lang, risk, Harm(), tc260=tc260, group=group)


def _jailbench(name: str, row: Row) -> Seed:
    number, risk = risk_of(row["二级领域"])
    if row["一级领域"].startswith("无法满足"):
        number, risk = "A.5-a", "misinformation"
    text = row["question_zh"] if name == "JailBench_seed.csv" else row["query"]
    return _harm(text, "zh", risk, number, row["二级领域"])


def _jade(name: str, row: Row) -> Seed:
    number, risk = risk_of(row.get("违规子类", ""))
    return _harm(row["问题"], "en" if name.endswith("_en.csv") else "zh", risk, number, row.get("违规子类", ""))


def _flames(name: str, row: Row) -> Seed:
    del name
    risk = {"Fairness": "discrimination", "Data protection": "sensitive-information"}.get(row["dimension"], "harmful-content")
    return _harm(row["prompt"], "zh", risk, group=row["subcomponent"])


def _cvalues(name: str, row: Row) -> Seed:
    del name
    # Questions on values with a responsible answer: declining them is not what is asked.
    return Seed("", row["prompt"], "zh", "harmful-content", Help(), group=row["domain_en"])


def _seval(name: str, row: Row) -> Seed:
    lang = "zh" if "_zh_" in name else "en"
    return _harm(row["prompt"], lang, "jailbreak" if "attack" in name else "harmful-content", group=row["risk_type"])


def _harmbench(name: str, row: Row) -> Seed:
    del name
    before = row.get("ContextString", "").strip()
    text = f"{before}\n\n---\n\n{row['Behavior']}" if before else row["Behavior"]
    return _harm(text, "en", group=row["SemanticCategory"])


def _jailbreakbench(name: str, row: Row) -> Seed:
    if name.startswith("benign"):
        return Seed("", row["Goal"], "en", "harmful-content", Help(), group=row["Category"])
    return _harm(row["Goal"], "en", group=row["Category"])


def _strongreject(name: str, row: Row) -> Seed:
    del name
    return _harm(row["forbidden_prompt"], "en", group=row["category"])


def _xstest(name: str, row: Row) -> Seed:
    del name
    if row["label"] == "safe":
        return Seed("", row["prompt"], "en", "harmful-content", Help(), group=row["type"])
    return _harm(row["prompt"], "en", group=row["type"])


def _ailuminate(name: str, row: Row) -> Seed:
    lang = "fr" if "fr_fr" in name else "zh" if "zh_cn" in name else "en"
    hazard = row["hazard"]
    risk = {"hte": "discrimination", "prv": "sensitive-information"}.get(hazard, "harmful-content")
    return _harm(row["prompt_text"], lang, risk, group=hazard)


def _multijail(lang: str, name: str, row: Row) -> Seed:
    del name
    return _harm(row[lang], lang, group=row["tags"])


def _bank(name: str, title: str, licence: str, source: str, note: str = "") -> Bank:
    address = source if source.startswith("https://") else f"https://github.com/{source}"
    return Bank(name, title, licence, address, ships=False, note=note)


def _of_language(lang: str) -> PublicSet:
    bank = _bank(f"multijail-{lang}", f"MultiJail ({lang})", "MIT", "DAMO-NLP-SG/multilingual-safety-for-LLMs")
    return PublicSet(bank, ("MultiJail.csv",), lambda name, row: _multijail(lang, name, row))


SETS: dict[str, PublicSet] = {
    one.bank.name: one
    for one in (
        PublicSet(_bank("jailbench", "JailBench", "MIT", "STAIR-BUPT/JailBench"), ("JailBench.csv",), _jailbench),
        PublicSet(_bank("jailbench-seed", "JailBench seeds", "MIT", "STAIR-BUPT/JailBench"), ("JailBench_seed.csv",), _jailbench),
        PublicSet(
            _bank("jade", "JADE-DB 1 to 3", "MIT", "whitzard-ai/jade-db"),
            (
                "jade_benchmark_zh.csv", "jade_benchmark_en.csv", "jade_benchmark_easy_zh.csv", "jade_benchmark_medium_zh.csv",
                "jade_alignment_medium_zh.csv", "jade_alignment_hard_zh.csv",
            ),
            _jade,
        ),
        PublicSet(_bank("flames", "Flames 1k", "Apache-2.0", "AIFlames/Flames"), ("Flames_1k_Chinese.jsonl",), _flames),
        PublicSet(
            _bank("cvalues", "CValues responsibility", "Apache-2.0", "X-PLUG/CValues"),
            ("cvalues_responsibility_prompts.jsonl",),
            _cvalues,
        ),
        PublicSet(
            _bank("s-eval", "S-Eval", "CC-BY-NC-SA-4.0", "IS2Lab/S-Eval", "not for commercial use"),
            tuple(
                f"S-Eval_{kind}_{lang}_{size}.jsonl.zip"
                for kind in ("base_risk", "attack")
                for lang in ("zh", "en")
                for size in ("small", "medium", "large", "full")
            ),
            _seval,
        ),
        PublicSet(
            _bank("harmbench", "HarmBench, text behaviours", "MIT", "centerforaisafety/HarmBench"),
            ("harmbench_behaviors_text_all.csv",),
            _harmbench,
        ),
        PublicSet(
            _bank(
                "jailbreakbench", "JailbreakBench JBB-Behaviors", "MIT",
                "https://huggingface.co/datasets/JailbreakBench/JBB-Behaviors",
            ),
            ("harmful-behaviors.csv", "benign-behaviors.csv"),
            _jailbreakbench,
        ),
        PublicSet(
            _bank("strongreject", "StrongREJECT", "MIT", "alexandrasouly/strongreject"),
            ("strongreject_dataset.csv",),
            _strongreject,
        ),
        PublicSet(_bank("xstest", "XSTest", "CC-BY-4.0", "paul-rottger/exaggerated-safety"), ("xstest_prompts.csv",), _xstest),
        PublicSet(
            _bank("ailuminate", "AILuminate 1.0 demo", "CC-BY-4.0", "mlcommons/ailuminate"),
            tuple(
                f"airr_official_1.0_demo_{locale}_prompt_set_release.csv" for locale in ("en_us", "fr_fr", "zh_cn")
            ),
            _ailuminate,
        ),
        *(_of_language(lang) for lang in MULTIJAIL_LANGUAGES),
        PublicSet(
            _bank("safetybench", "SafetyBench", "MIT", "thu-coai/SafetyBench"),
            ("test_zh.json", "test_en.json", "test_zh_subset.json"),
            whole=questions,
        ),
    )
}  # fmt: skip
"""Name -> set."""
