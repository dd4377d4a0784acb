"""Takes out characters that nobody sees, where they stand inside words; joiners of emoji and of other scripts stay."""

import re

from hauberk.detect.normalise.trace import Decoded, Weave

# Zero-width marks, fillers, soft hyphens, bidirectional controls, tags, variation selectors, controls that print nothing.
UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\U0001d173-\U0001d17a\U000e0000-\U000e01ef\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
)
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_READ = "0-9A-Za-z\u0100-\u024f\u0370-\u052f\u4e00-\u9fff"
_INSIDE = re.compile(f"(?<=[{_READ}])[{UNSEEN}{_MARKS}]+(?=[{_READ}])|(?<=[{_READ}])[{_MARKS}]+|[{UNSEEN}]{{3,}}|[{_MARKS}]{{3,}}")
_ANYWHERE = re.compile(f"(?<=[ -~\u2010-\u2027\u3000-\u303f\uff00-\uff60{_READ}])[{UNSEEN}{_MARKS}]+|[{UNSEEN}{_MARKS}]{{3,}}")
_NONE = re.compile(f"[{UNSEEN}{_MARKS}]")


def strip_invisible(text: str) -> Decoded | None:
    """`text` without unseen characters and combining marks; None when it has none that matter."""
    if _NONE.search(text) is None:
        return None
    spans = [found.span() for found in _INSIDE.finditer(text)]
    if len(spans) > 1:  # strewn on purpose: those beside spaces and signs are of the same kind
        spans = [found.span() for found in _ANYWHERE.finditer(text)]
    weave = Weave(text)
    for start, end in spans:
        weave.put("", start, end)
    return weave.done("invisible")
