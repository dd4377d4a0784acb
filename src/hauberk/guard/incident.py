"""Names for what happened, which a person can read out over the telephone."""

import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U


def new_incident() -> str:
    """`inc-` and 50 random bits."""
    return "inc-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))
