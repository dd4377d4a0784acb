"""Tells from its shape whether a backtracking engine may take exponential time on a pattern."""

import re

_TOKEN = re.compile(
    r"\\[pPxu]\{[^}]*\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\.|\[(?:\\.|\[:\w+:\]|\[[^\]]*\]|&&|[^\]\\\[])*\]"
    r"|\((?:\?(?:<?[=!]|>|[a-zA-Z\-]*:|<\w+>|P<\w+>|[a-zA-Z\-]+\)|#[^)]*\)))?|[*+?][?+]?|\{\d*(?:,\d*)?\}[?+]?|.",
    re.DOTALL,
)
_QUANTIFIER = re.compile(r"[*+?][?+]?|\{\d*(?:,\d*)?\}[?+]?")
MAX_TOKENS = 20_000
_Element = tuple[str, bool, bool]  # its text, whether it repeats without bound, whether it may be empty


class _Group:
    """A group that is being read: its alternatives, each a row of elements."""

    def __init__(self, *, atomic: bool) -> None:
        self.atomic = atomic
        self.branches: list[list[_Element]] = [[]]


def explodes(pattern: str) -> str:
    """Why `pattern` may take exponential time, "" when nothing in its shape says so."""
    stack = [_Group(atomic=False)]
    closed: _Group | None = None
    for number, match in enumerate(_TOKEN.finditer(pattern)):
        if number > MAX_TOKENS:
            return "is too long to judge"
        piece = match[0]
        if piece.startswith("(") and not piece.endswith(")"):
            stack.append(_Group(atomic=piece == "(?>"))
            closed = None
        elif piece == ")" and len(stack) > 1:
            closed = stack.pop()
            stack[-1].branches[-1].append(_summary(closed))
        elif piece == "|":
            stack[-1].branches.append([])
            closed = None
        elif _QUANTIFIER.fullmatch(piece) and stack[-1].branches[-1]:
            reason = _quantified(stack[-1].branches[-1], piece, closed)
            if reason:
                return reason
            closed = None
        else:
            stack[-1].branches[-1].append((piece, False, piece in {"^", "$", "\\b", "\\A", "\\z", "\\Z"}))
            closed = None
    return ""


def _summary(group: _Group) -> _Element:
    text = "(" + "|".join("".join(one[0] for one in branch) for branch in group.branches) + ")"
    return text[:200], not group.atomic and bool(_repeats(group)), any(all(one[2] for one in branch) for branch in group.branches)


def _quantified(row: list[_Element], token: str, closed: _Group | None) -> str:
    """Puts a quantifier on the last element of `row`; says why that explodes, if it does."""
    text, _, empty = row[-1]
    unbounded = token[0] in "*+" or (token[0] == "{" and re.match(r"\{\d*,\}", token) is not None)
    possessive = len(token) > 1 and token.endswith("+")
    reason = ""
    if unbounded and not possessive and closed is not None and not closed.atomic:
        reason = _ambiguous(closed)
    may_be_empty = empty or token[0] in "*?" or token.startswith(("{0", "{,"))
    row[-1] = (text + token, unbounded and not possessive, may_be_empty)
    return reason


def _ambiguous(group: _Group) -> str:
    """Whether a group repeated without bound can read one text in many ways."""
    reason = _repeats(group)
    if reason:
        return reason
    firsts = [branch[0][0] for branch in group.branches if branch]
    if len(firsts) > 1 and len(group.branches) > 1:
        single = [branch[0][0] for branch in group.branches if len(branch) == 1]
        if len(set(single)) < len(single) or ("." in single and len(single) > 1):
            return "repeats alternatives that overlap"
        whole = ["".join(one[0] for one in branch) for branch in group.branches]
        plain = [one for one in whole if re.fullmatch(r"\w+", one)]
        if any(a != b and b.startswith(a) and set(b) == set(a) for a in plain for b in plain[:50]):
            return "repeats alternatives that overlap"
    return ""


def _repeats(group: _Group) -> str:
    """Whether all that a branch of the group must hold is one thing that repeats without bound."""
    for branch in group.branches:
        endless = [one for one in branch if one[1]]
        if endless and sum(not one[2] for one in branch) <= (0 if all(one[2] for one in endless) else 1):
            return "repeats what already repeats"
    return ""
