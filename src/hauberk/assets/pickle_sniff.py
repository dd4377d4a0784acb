"""Whether bytes are the start of a pickle stream."""

from hauberk.core import Content


def looks_like_pickle(content: Content, head: bytes) -> bool:
    """Cheap check of the first opcodes."""
    del content
    return len(head) > 1 and head[0] == 0x80 and head[1] <= 5
