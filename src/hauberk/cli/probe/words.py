"""A plan as a person reads it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hauberk.probe.engine.estimate import Estimate, Taken
    from hauberk.probe.engine.plan import Misfit
    from hauberk.probe.engine.settings import RunSettings

MISFITS_SHOWN = 20


def nothing_to_ask(misfits: "Sequence[Misfit]") -> str:
    """Why a plan has no case."""
    why = f"; {misfits[0].attack}: {misfits[0].reason}" if misfits else "; see hauberk probe attacks and hauberk probe seeds"
    return f"nothing to ask: no seed and attack of this choice fit each other and the target{why}"


def plan_lines(
    target: str, found: "Estimate", settings: "RunSettings", misfits: "Iterable[Misfit]", language: str
) -> "Iterator[str]":
    """What a run will send, take and cost."""
    zh = language == "zh"
    yield f"{'目标' if zh else 'Target'}: {target}"
    twins = f"（含 {found.twins:,} 个无害对照）" if zh else f" ({found.twins:,} of them harmless twins)"
    yield f"{'用例' if zh else 'Cases'}: {found.cases:,}{twins if found.twins else ''}"
    yield "  " + ", ".join(f"{family} {count:,}" for family, count in sorted(found.families.items()))
    yield f"{'至多' if zh else 'At most'}: {_taken(found.most, zh=zh)}"
    yield f"{'通常' if zh else 'Usually'}: {_taken(found.usual, zh=zh)}"
    minutes = max(1, round(found.seconds / 60))
    concurrency = settings.pacing.concurrency
    if zh:
        yield f"时间: 并发 {concurrency}，按每次请求 4 秒计约 {minutes:,} 分钟"
    else:
        yield f"Time: about {minutes:,} min at concurrency {concurrency}, were each request to take 4 s"
    yield from _budget(settings, zh=zh)
    yield from _misfits(misfits, zh=zh)


def _taken(taken: "Taken", *, zh: bool) -> str:
    parts = [f"{taken.requests:,.0f} {'次请求' if zh else 'requests'}"]
    if taken.advice:
        parts.append(f"{taken.advice:,.0f} {'次攻击模型请求' if zh else 'to the attacker model'}")
    if taken.opinions:
        parts.append(f"{taken.opinions:,.0f} {'次评判模型请求' if zh else 'to the judging model'}")
    parts.append(f"{taken.prompt:,.0f} + {taken.completion:,.0f} {'个词元（输入 + 输出）' if zh else 'tokens (prompts + answers)'}")
    if taken.cost:
        parts.append(f"{'费用' if zh else 'cost'} {taken.cost:,.4f}")
    return ", ".join(parts)


def _budget(settings: "RunSettings", *, zh: bool) -> "Iterator[str]":
    limits = settings.limits
    words = (
        (limits.requests, "次请求" if zh else "requests"),
        (limits.tokens, "个词元" if zh else "tokens"),
        (limits.cost, "费用" if zh else "cost"),
        (limits.seconds, "秒" if zh else "seconds"),
    )
    told = [f"{value:,} {word}" for value, word in words if value is not None]
    if told:
        yield f"{'预算' if zh else 'Budget'}: {', '.join(told)}"


def _misfits(misfits: "Iterable[Misfit]", *, zh: bool) -> "Iterator[str]":
    rows = [f"  {one.attack}: {one.cases:,} {'例' if zh else 'cases'}: {one.reason}" for one in misfits]
    if rows:
        yield "不适用（未计划）:" if zh else "Not planned:"
        yield from rows[:MISFITS_SHOWN]
        if len(rows) > MISFITS_SHOWN:
            yield f"  … {len(rows) - MISFITS_SHOWN}"
