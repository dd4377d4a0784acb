"""Payment and bank cards: Luhn, the issuer's range, and the length that goes with it."""

import re
from collections.abc import Iterator, Sequence

from hauberk.core import Confidence
from hauberk.detect.personal.checks import luhn
from hauberk.detect.personal.recogniser import LEFT, RIGHT, Recogniser, digits_of, graded, label, labelled, numbers
from hauberk.detect.personal.span import Span

_LABEL = label(
    r"卡号|银行卡|信用卡|储蓄卡|借记卡|尾号|开户|card|visa|master ?card|amex|american express|unionpay|银联|\bcc\b|\bpan\b"
)
_ACCOUNT_LABEL = label(r"银行卡|银行账[号户]|银行帐[号户]|卡号|收款账[号户]|对公账[号户]|account (?:no|number|#)|acct|bank account")
_CARD = re.compile(
    rf"{LEFT}(?:[0-9]{{13,19}}|[0-9]{{4}}([ -])[0-9]{{4}}\1[0-9]{{4}}\1[0-9]{{4}}(?:\1[0-9]{{1,3}})?"
    rf"|[0-9]{{4}}([ -])[0-9]{{6}}\2[0-9]{{4,5}}|[0-9]{{6}}([ -])[0-9]{{10,13}}){RIGHT}"
)
_ACCOUNT = re.compile(rf"{LEFT}[0-9](?:[ -]?[0-9]){{8,20}}{RIGHT}")
# First digits, from and to, with the lengths that the brand issues (ISO/IEC 7812 and the networks' own tables).
_RANGES = (
    ("34", "34", {15}), ("37", "37", {15}), ("300", "305", {14}), ("36", "36", {14}), ("38", "39", {14}),
    ("3528", "3589", {16, 17, 18, 19}), ("4", "4", {13, 16, 19}), ("51", "55", {16}), ("2221", "2720", {16}),
    ("644", "649", {16}), ("65", "65", {16}), ("62", "62", {16, 17, 18, 19}),
    ("6011", "6011", {16}),
)  # fmt: skip
# Ranges of local and private-label cards, believed only behind a label.
_RARE = (
    ("81", "81", {16, 17, 18, 19}), ("50", "50", {16, 17, 18, 19}), ("56", "58", {16, 17, 18, 19}), ("2200", "2204", {16}),
    ("9558", "9559", {19}), ("60", "60", {16, 19}), ("69", "69", {16}), ("68", "68", {16, 17, 18, 19}),
)  # fmt: skip


def card(text: str) -> Iterator[Span]:
    """Card numbers in `text`."""
    for found in numbers(_CARD, text):
        value = digits_of(found[0])
        if not luhn(value) or len(set(value)) == 1:
            continue
        if _issued(value, _RANGES):
            bare = Confidence.HIGH if len(found[0]) > len(value) else Confidence.MEDIUM
        elif _issued(value, _RARE):
            bare = Confidence.LOW
        else:
            continue
        confidence = graded(text, found.start(), _LABEL, bare)
        if confidence:
            yield Span("card", found.start(), found.end(), confidence)


def _issued(value: str, ranges: Sequence[tuple[str, str, set[int]]]) -> bool:
    return any(low <= value[: len(low)] <= high and len(value) in lengths for low, high, lengths in ranges)


def account(text: str) -> Iterator[Span]:
    """Account numbers, which have no check: only where a label says so."""
    for found in numbers(_ACCOUNT, text):
        if labelled(text, found.start(), _ACCOUNT_LABEL):
            yield Span("bank-account", found.start(), found.end(), Confidence.MEDIUM)


RECOGNISERS = (
    Recogniser(("card",), r"[0-9](?:[ -]?[0-9]){12}", card),
    Recogniser(("bank-account",), r"(?i)(?:银行卡|卡号|[账帐][号户]|account|acct)[^0-9]{0,14}[0-9](?:[ -]?[0-9]){8}", account),
)
