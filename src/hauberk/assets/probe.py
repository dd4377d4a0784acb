"""What recognisers look at: the name, the first 4 KiB, and on demand the tail and the text."""

import re
from functools import cached_property

from hauberk.core import Content

_CONTROL = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f]")


class Probe:
    """What recognisers look at: the name, the first 4 KiB, and on demand the tail and the text."""

    def __init__(self, content: Content, name: str, head: bytes) -> None:
        self.content = content
        self.name = name
        self.head = head
        self.size = content.size

    @cached_property
    def suffix(self) -> str:
        """Lower-case extension with its dot, "" if none."""
        base = self.name.rsplit("/", 1)[-1]
        dot = base.rfind(".")
        return base[dot:].lower() if dot > 0 else ""

    @cached_property
    def tail(self) -> bytes:
        """The last 66,000 bytes: as far as a zip's end record may lie from the end of the file."""
        return self.head if self.size <= len(self.head) else self.content.read(max(0, self.size - 66_000), 66_000)

    @cached_property
    def is_text(self) -> bool:
        """Whether the head reads as UTF-8 (or UTF-16 with its mark) without control characters."""
        head = self.head
        if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            return True
        if b"\x00" in head or _CONTROL.search(head):
            return False
        try:
            head.decode("utf-8")
        except UnicodeDecodeError as error:
            return error.start >= len(head) - 3 and self.size > len(head)
        return True

    @cached_property
    def stripped(self) -> bytes:
        """The head without byte-order mark and leading white space."""
        return self.head.removeprefix(b"\xef\xbb\xbf").lstrip()
