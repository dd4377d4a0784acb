"""JSON text to a value, with its depth known before anything recursive touches it."""

import json

from hauberk.assets.budget import Budget
from hauberk.assets.configs.json_depth import deeper_than
from hauberk.assets.errors import Malformed, ReadError
from hauberk.core import GapReason

MAX_DEPTH = 400


def parse_json(data: bytes, budget: Budget) -> object:
    """The value of JSON text in UTF-8, UTF-16 or UTF-32. Raises ReadError."""
    try:
        text = data.decode(json.detect_encoding(data))
    except (UnicodeDecodeError, LookupError) as error:
        raise Malformed(f"JSON in no Unicode encoding: {error}"[:200], check="json.malformed") from error
    encoded = data if text.isascii() and len(text) == len(data) else text.encode("utf-8", "surrogatepass")
    if deeper_than(encoded, MAX_DEPTH, budget):
        raise ReadError(GapReason.TOO_DEEP, f"JSON nested more than {MAX_DEPTH} deep", check="json.too-deep")
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except ValueError as error:  # malformed, or an integer of more than 4,300 digits
        raise Malformed(f"no JSON: {error}"[:200], check="json.malformed") from error
