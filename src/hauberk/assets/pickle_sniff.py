"""Whether bytes are the start of a pickle stream. Protocols 0 and 1 have no magic number: a bounded trial run tells."""

import re
from typing import Final

from hauberk.assets.budget import Budget
from hauberk.core import Asset, Content

_TRIAL: Final = 40  # rounds of the machine

# What the first bytes of a stream can be. Text opcodes are held to their arguments, so that prose and code fail at once.
_FIRST = re.compile(
    rb"""\x80[\x00-\x05\x06-\xff]
    | c[A-Za-z_][\w.]{0,200}\n[A-Za-z_][\w.]{0,200}\n
    | \(*[\]\(})]*c[A-Za-z_][\w.]{0,200}\n[A-Za-z_][\w.]{0,200}\n
    | \(+[ldt](?:p\d+\n|[q.]|\x94|[SVILFK(Xc)]|\.)
    | \(*(?:S'|S"|V[^\n]{0,2000}\n|I-?\d{1,30}\n|L-?\d{1,60}L?\n|F-?[\d.]+(?:e[-+]?\d+)?\n|i[A-Za-z_][\w.]{0,200}\n[A-Za-z_])
    | [(\]})N\x88\x89]*(?:[KMJGUTXCB\x8a-\x8e\x95\x96\]})N\x88\x89])
    | P[\x20-\x7e]{0,200}\n
    """,
    re.VERBOSE | re.DOTALL,
)


def may_be_pickle(head: bytes) -> bool:
    """Cheap: whether the first bytes can begin a stream at all."""
    return _FIRST.match(head) is not None


def looks_like_pickle(content: Content, head: bytes) -> bool:
    """Whether a bounded trial run of the machine reaches STOP, or a call of a plausible global."""
    if not may_be_pickle(head):
        return False
    if head[:1] == b"\x80":
        return _binary_start(head) and (_opcode_follows(head) or _trial(content, head))
    return _trial(content, head)


def begins_as_pickle(content: Content, head: bytes) -> bool:
    """As `looks_like_pickle`, and also for a stream that breaks after a few good opcodes. For whole files only."""
    return head[:1] == b"\x80" and head[1:2] in {b"\2", b"\3", b"\4", b"\5"} and _trial(content, head, broken=True)


def _binary_start(head: bytes) -> bool:
    return len(head) > 2 and (head[1] <= 5 or head[2:3] in {b"c", b"(", b"}", b"]", b"\x95", b"\x8c", b"\x8e", b"\x96"})


def _opcode_follows(head: bytes) -> bool:
    """The usual first opcodes of what real picklers write, strictly."""
    if head[1] in {4, 5} and head[2] == 0x95:
        return len(head) >= 11 and head[8:11] == b"\0\0\0"
    return head[1] in {2, 3} and (
        head[2:4] in {b"}q", b"]q", b"(X", b"\x8a\n"} or re.match(rb"c[\w.]+\n[\w.]+\n", head[2:]) is not None
    )


def _trial(content: Content, head: bytes, *, broken: bool = False) -> bool:
    from hauberk.assets.pickle_trial import follow

    return follow(Asset(uri="trial", content=content), Budget(), rounds=_TRIAL, magic=head[:1] == b"\x80", broken=broken)
