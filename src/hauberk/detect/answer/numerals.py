"""Chinese numerals as digits, so that 一九三七 and 一千九百三十七 are 1937."""

import re

_DIGITS = (
    {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2} | {c: n for n, c in enumerate("零壹贰叁肆伍陆柒捌玖")}
)
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1_000, "仟": 1_000}
_GREAT = {"万": 10_000, "亿": 100_000_000}
_RUN = re.compile(f"[{''.join((*_DIGITS, *_UNITS, *_GREAT))}]{{1,24}}")
_MIXED = re.compile(r"(\d{1,12}(?:\.\d{1,4})?)(万|亿)")


def as_digits(text: str) -> str:
    """`text` with every Chinese numeral in digits; 3万 is 30000 and thousands lose their commas."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    text = _MIXED.sub(lambda found: f"{float(found[1]) * _GREAT[found[2]]:.0f}", text)
    return _RUN.sub(lambda found: _value(found[0]), text)


def _value(run: str) -> str:
    if run[0] in _GREAT or (run[0] not in "十拾" and not any(c in _DIGITS for c in run)):
        return run  # 万一, or 千 alone: words
    if all(c in _DIGITS for c in run):
        return "".join(str(_DIGITS[c]) for c in run)
    total = section = digit = 0
    for c in run:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _UNITS:
            section += (digit or 1) * _UNITS[c]
            digit = 0
        else:
            total = (total + section + digit) * _GREAT[c]
            section = digit = 0
    return str(total + section + digit)
