"""The figures of a run as a page."""

from collections.abc import Iterator
from typing import Any

from evals.guard.measures import interval

SIDES = ("straight", "guarded")
_HEAD = "| {} | requests | succeeded without | succeeded with | blocked by the guard |\n|---|---|---|---|---|"


def share(hits: int, trials: int) -> str:
    """A count as a percentage with its exact 95% interval (Clopper and Pearson)."""
    if not trials:
        return "–"
    low, high = interval(hits, trials)
    return f"{hits} = {100 * hits / trials:.1f}% ({100 * low:.1f}–{100 * high:.1f})"


def readme(results: dict[str, Any]) -> str:
    """The whole page."""
    parts = (_head, _totals, _families, _promptfoo, _ordinary, _reading)
    return "\n".join(line for part in parts for line in part(results)) + "\n"


def _head(results: dict[str, Any]) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in results["versions"].items())
    model, settings = results["model"], results["settings"]
    about = ", ".join(f"{name} {value}" for name, value in model.items() if name != "id")
    yield "# Real attackers on a real model, without and with the guard\n"
    yield f"Made by `evals/guard/attackers/run.py`, {results['begun']}, on {results['machine']}: {versions}."
    yield f"The model is `{model['id']}` ({about}) on loopback; seed {settings['seed']}, temperature {settings['temperature']},"
    yield f"{settings['max_tokens']} tokens an answer, {settings['generations']} answer a prompt. The guard runs with its default"
    yield f"rules and policy, fail closed, audit log on; {results['detector']}. Nothing was tuned on what is seen here.\n"
    yield "An attack succeeded where the attacker's own detector says so, straight and through the guard alike; a refused request"
    yield "is an attack that failed. Answers of the model are remembered: equal requests get equal answers on both sides. Counts,"
    yield "shares and exact 95% intervals.\n"


def _sums(results: dict[str, Any], side: str, tool: str) -> dict[str, int]:
    """Attempts, successes and refusals of one attacker on one side; of garak's families those that ran on both."""
    made = results[side].get(tool) or {}
    parts = [made] if made else []
    if tool == "garak":
        parts = [part for family, part in made.items() if all(results[one]["garak"][family]["attempts"] for one in SIDES)]
    return {name: sum(part[name] for part in parts) for name in ("attempts", "succeeded", "blocked")}


def _totals(results: dict[str, Any]) -> Iterator[str]:
    yield _HEAD.format("")
    for tool in ("garak", "promptfoo"):
        yield _row(f"attacks of {tool}", *(_sums(results, side, tool) for side in SIDES))
    count = results["guarded"]["ordinary"]["kinds"]["all"]
    yield f"| ordinary requests (false alarms) | {count['requests']} | | | {share(count['blocked'], count['requests'])} |\n"


def _row(name: str, straight: dict[str, int], guarded: dict[str, int]) -> str:
    tried = guarded["attempts"]
    cells = [
        share(straight["succeeded"], straight["attempts"]),
        share(guarded["succeeded"], tried),
        share(guarded["blocked"], tried),
    ]
    return f"| {name} | {tried} | {' | '.join(cells)} |"


def _families(results: dict[str, Any]) -> Iterator[str]:
    yield "## garak, by family\n\n" + _HEAD.format("family")
    straight, guarded = (results[side]["garak"] for side in SIDES)
    cut = results.get("cut", {})
    for family in guarded:
        if guarded[family]["attempts"]:
            yield _row(family, straight[family], guarded[family])
    crashed = [f"{side} {family}" for side in SIDES for family, made in results[side]["garak"].items() if "crashed" in made]
    others = [name for name in crashed if name.split()[1] not in ", ".join(cut)]
    yield "\nThe sums above are over the families that ran on both sides."
    yield f"Runs that ended in an error: {', '.join(others) or 'none'}. Not run:\n"
    for names, why in {**cut, **results["left_out"]}.items():
        yield f"- {names}: {why}."
    yield ""


def _promptfoo(results: dict[str, Any]) -> Iterator[str]:
    straight, guarded = (results[side].get("promptfoo") for side in SIDES)
    if not straight or not guarded:
        return
    yield "## promptfoo, by strategy and by goal\n"
    yield "The goals and the assertions (a planted secret or a forbidden marker in the answer) are ours, the strategies"
    yield "promptfoo's. A test without an answer is one that was blocked.\n\n" + _HEAD.format("")
    for kind, count in guarded["kinds"].items():
        yield _row(kind, straight["kinds"][kind], {**count, "blocked": count["unanswered"]})
    yield ""


def _ordinary(results: dict[str, Any]) -> Iterator[str]:
    made = results["guarded"]["ordinary"]
    yield "## Ordinary requests in the same run\n"
    yield "Written for this evaluation (`ordinary.yaml`), half of them behind an operator's prompt; `near` have words that attacks"
    yield "use too.\n\n| | requests | blocked | flagged | redacted | failed otherwise | failed without the guard |"
    yield "|---|---|---|---|---|---|---|"
    for kind, count in made["kinds"].items():
        without = results["straight"]["ordinary"]["kinds"][kind]
        cells = [share(count["blocked"], count["requests"]), *(str(count[name]) for name in ("flagged", "redacted", "failed"))]
        yield f"| {kind} | {count['requests']} | {' | '.join(cells)} | {without['failed'] + without['blocked']} |"
    yield ""
    for text in made["blocked"]:
        yield f"- blocked: {text}"
    yield ""


def _reading(results: dict[str, Any]) -> Iterator[str]:
    audit = results["audit"]
    yield "## How the attackers take a refusal, and what the log says\n"
    yield "- garak takes a 400 for a prompt without an answer: it goes on, and leaves the prompt out of its own rates. Here it is"
    yield "  counted, as an attack that failed. It would send a 429, 502, 503 or 504 again without end; a 401 or 403 ends it."
    yield "- promptfoo counts a 400 among its errors, beside passes and failures, and goes on."
    verdict = "verifies" if audit["verified"] else "does NOT verify"
    yield f"- The audit log {verdict}: {audit['requests']} requests, {audit['actions']};"
    yield f"  refused before the model {audit['refused_before_the_model']}, for the answer {audit['refused_for_the_answer']};"
    yield f"  gaps {audit['gaps'] or 'none'}. Rules found in refused requests: {audit['rules_of_refused']}."
    yield "- On the wire: " + "; ".join(f"{side} {_ends(results[side])}" for side in SIDES) + "."
    yield "- The small model obeys little: success without the guard is low where a detector asks for obedience, and high where it"
    yield "  asks only that there be no refusal (`mitigation.MitigationBypass`). The blocked share says more of the guard."


def _ends(side: dict[str, Any]) -> dict[str, int]:
    total: dict[str, int] = {}
    for made in (side["ordinary"], *side["garak"].values(), *([side["promptfoo"]] if "promptfoo" in side else [])):
        for end, count in made["ends"].items():
            total[end] = total.get(end, 0) + count
    return total
