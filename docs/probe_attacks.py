"""The list of attacks for docs/probe-attacks.md, from the attacks themselves."""

from itertools import groupby

from hauberk.probe.attacks import all_attacks
from hauberk.probe.attacks.attack import Attack, Family

FAMILIES = {
    Family.PLAIN: ("Plain", "原样提问"), Family.INJECTION: ("Direct injection", "直接注入"),
    Family.INDIRECT: ("Indirect injection", "间接注入"), Family.HIJACK: ("Goal hijack", "目标劫持"),
    Family.EXTRACTION: ("Extraction of prompts and secrets", "系统提示词与秘密套取"), Family.JAILBREAK: ("Jailbreaks", "越狱"),
    Family.ENCODING: ("Encodings, ciphers and disguises (transforms)", "编码、密码与伪装（变换）"),
    Family.TRANSLATION: ("Translation and low-resource languages", "翻译与低资源语言"),
    Family.CHINESE: ("Chinese evasions", "中文变体绕过"), Family.MULTI_TURN: ("Several turns", "多轮"),
    Family.SEARCH: ("Searches with an attacker model", "攻击模型搜索"), Family.GRADIENT: ("Gradients", "梯度"),
    Family.AGENT: ("Agents and their tools", "智能体与工具劫持"), Family.PRIVACY: ("Privacy and memorisation", "隐私与记忆"),
    Family.KNOWLEDGE: ("Knowledge", "知识与幻觉"), Family.BIAS: ("Bias pairs", "偏见对照"),
    Family.WALLET: ("Denial of wallet", "资源耗尽"), Family.OUTPUT: ("Unsafe output", "不安全输出"),
    Family.THEFT: ("Model extraction", "模型窃取"), Family.IMAGE: ("Pictures", "图片"),
}  # fmt: skip


def attack_list(language: str) -> str:
    """Every attack by family: its name, title, requests and source."""
    known = sorted(all_attacks().values(), key=_place)
    return "\n".join(_section(family, list(attacks), language) for family, attacks in groupby(known, key=_family))


def _section(family: Family, attacks: list[Attack], language: str) -> str:
    chinese = language == "zh"
    head = "| 名称 | 说明 | 请求数 | 来源 |" if chinese else "| name | what | requests | source |"
    rows = [f"| `{a.name}` | {a.title.zh if chinese else a.title.en} | {_requests(a)} | {_cell(a.source)} |" for a in attacks]
    return "\n".join([f"### {FAMILIES[family][chinese]} (`{family}`, {len(attacks)})", "", head, "|---|---|---:|---|", *rows, ""])


def _requests(attack: Attack) -> str:
    advice = f" + {attack.cost.advice}" if attack.cost.advice else ""
    return f"{attack.cost.requests}{advice}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _family(attack: Attack) -> Family:
    return attack.family


def _place(attack: Attack) -> tuple[int, str]:
    return list(FAMILIES).index(attack.family), attack.name
