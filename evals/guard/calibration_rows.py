"""Rows of the calibration split that were written for this project, one of each family, for small evaluations."""

import random
from collections.abc import Iterable

from evals.guard.data import corpus
from evals.guard.data.row import Row

LONGEST = 1_500  # characters


def own_rows(*, label: int, count: int, seed: int, lang: str = "", roles: Iterable[str] = (), longest: int = LONGEST) -> list[Row]:
    """Up to `count` rows of task ``attack`` with this label, drawn by `seed`, languages in turn.

    Args:
        label: 1 for attacks, 0 for ordinary texts.
        count: How many at most; fewer if there are fewer families.
        seed: Of the draw.
        lang: `en` or `zh`; both when empty.
        roles: Who speaks; anybody when empty.
        longest: Characters; longer rows are left out.
    """
    wanted = set(roles)
    rows = [
        row
        for row in corpus.load("calibration")
        if row.task == "attack" and row.label == label and row.source.startswith("own") and len(row.text) <= longest
    ]
    rows = [row for row in rows if row.lang in ({lang} if lang else {"en", "zh"}) and (not wanted or row.role in wanted)]
    random.Random(seed).shuffle(rows)  # noqa: S311 - the same rows each time
    by_group = {row.group: row for row in rows}
    lines = [[row for row in by_group.values() if row.lang == one] for one in ("en", "zh")]
    taken = [line[at] for at in range(max(map(len, lines), default=0)) for line in lines if at < len(line)]
    return taken[:count]
