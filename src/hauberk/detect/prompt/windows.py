"""Windows over a text: every character lies in one, neighbours overlap by half."""

import numpy as np

WIDTH = 480
"""How wide a window is; a Chinese, Japanese or Korean character counts `CJK_WIDTH`, any other one."""
CJK_WIDTH = 3


def spans(text: str) -> list[tuple[int, int]]:
    """First character and the one after the last of each window, in order; one empty window for an empty text."""
    if len(text) * CJK_WIDTH <= WIDTH or (text.isascii() and len(text) <= WIDTH):
        return [(0, len(text))]
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    reach = np.cumsum(np.where((codes >= 0x2E80) & (codes < 0xE000) | (codes >= 0x20000), CJK_WIDTH, 1))
    total = int(reach[-1])
    if total <= WIDTH:
        return [(0, len(text))]
    starts = np.arange(0, total - WIDTH // 2, WIDTH // 2)
    first = np.searchsorted(reach, starts, "right")
    after = np.minimum(np.searchsorted(reach, starts + WIDTH, "right"), len(text))
    return list(zip(first.tolist(), after.tolist(), strict=True))
