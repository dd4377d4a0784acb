"""The sets that are never trained on, whatever their licence or their folder."""

DENIED_PREFIXES: tuple[str, ...] = (
    "agentdojo", "injecagent", "bipia", "notinject", "wildguard", "promptshield", "dolly", "seval", "s_eval", "s-eval",
    "jailbreakbench", "jbb", "harmbench", "xstest", "toxicchat", "toxic_chat", "deepset",
)  # fmt: skip
"""Published benchmarks that stay for measuring only; a source may also carry them behind a ``tr_`` or ``eval_`` prefix."""

DENIED_REPOSITORIES: tuple[str, ...] = (
    "agentdojo", "injecagent", "bipia", "piguard", "notinject", "wildguard", "promptshield", "s-eval", "jailbreakbench",
    "harmbench", "exaggerated-safety", "toxicchat", "llm-security-prompt-injection",
)  # fmt: skip
"""The same by the repository a set was taken from (``src`` in ``meta.json``)."""


def is_denied(name: str, repository: str = "") -> bool:
    """Says whether a set may never be trained on.

    Args:
        name: The set's name, as in ``meta.json`` and as the file's stem.
        repository: The repository it comes from, if known.
    """
    stem = name.casefold().removeprefix("tr_").removeprefix("eval_")
    return stem.startswith(DENIED_PREFIXES) or any(part in repository.casefold() for part in DENIED_REPOSITORIES)
