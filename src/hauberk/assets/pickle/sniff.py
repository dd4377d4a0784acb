"""What the first bytes of a pickle stream can be. Cheap; the trial run in `pickle_trial` decides."""

import re

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


def binary_start(head: bytes) -> bool:
    """Whether PROTO is followed by what can follow it."""
    return len(head) > 2 and (head[1] <= 5 or head[2:3] in {b"c", b"(", b"}", b"]", b"\x95", b"\x8c", b"\x8e", b"\x96"})


def opcode_follows(head: bytes) -> bool:
    """The usual first opcodes of what real picklers write, strictly."""
    if head[1] in {4, 5} and head[2] == 0x95:
        return len(head) >= 11 and head[8:11] == b"\0\0\0"
    return head[1] in {2, 3} and (
        head[2:4] in {b"}q", b"]q", b"(X", b"\x8a\n"} or re.match(rb"c[\w.]+\n[\w.]+\n", head[2:]) is not None
    )
