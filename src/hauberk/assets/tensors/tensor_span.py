"""A tensor's place in its file, the one thing every tensor format has in common."""

import msgspec


class TensorSpan(msgspec.Struct, frozen=True):
    """A tensor and the bytes `[start, end)` that hold it. `dtype` is the format's own spelling; "" when it is not known."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.end - self.start
