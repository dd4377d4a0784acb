"""Thresholds of the anomaly rules."""

from enum import StrEnum

import msgspec

HOUR = 3_600.0
DAY = 24 * HOUR


class Response(StrEnum):
    """What a rule does when it fires."""

    OFF = "off"
    ALERT = "alert"
    SUSPEND = "suspend"  # reversible: an admin resumes the key


class Signal(StrEnum):
    """The rules."""

    LEAKED_KEY = "leaked-key"  # a model new to the key, and far more tokens than usual
    NEW_MODEL = "new-model"
    ENUMERATION = "model-enumeration"  # many models that do not exist or are not the key's
    NEW_NETWORK = "new-network"
    MANY_SOURCES = "many-sources"
    VOLUME = "sudden-volume"
    FAILURES = "many-failures"
    REGISTRATIONS = "registration-burst"
    EXTRACTION = "model-extraction"


_RESPONSES = {
    Signal.LEAKED_KEY: Response.SUSPEND,
    Signal.NEW_MODEL: Response.ALERT,
    Signal.ENUMERATION: Response.SUSPEND,
    Signal.NEW_NETWORK: Response.ALERT,
    Signal.MANY_SOURCES: Response.SUSPEND,
    Signal.VOLUME: Response.ALERT,
    Signal.FAILURES: Response.ALERT,
    Signal.REGISTRATIONS: Response.ALERT,
    Signal.EXTRACTION: Response.ALERT,
}


class AnomalySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """When a key's traffic counts as odd. Times in seconds."""

    responses: dict[Signal, Response] = {}  # what differs from the defaults
    learn_seconds: float = 3 * DAY  # before this a key has no baseline, and only model-enumeration may suspend it
    learn_requests: int = 50
    leaked_factor: float = 4.0  # tokens in an hour, against the baseline
    volume_factor: float = 10.0
    volume_floor: int = 100_000  # tokens in an hour that are never odd
    new_model_memory: float = 7 * DAY  # how long a model counts as new
    unknown_models: int = 5  # different ones in an hour
    sources: int = 20  # different networks in an hour, and over three times the most ever seen in one
    failures: int = 50  # in an hour, and over half of the requests
    registrations: int = 20  # keys created in an hour by one admin or for one tenant
    extraction_every: int = 4  # one prompt in so many is looked at: looking costs CPU
    extraction_score: float = 0.6  # of a window of 64 prompts, 0 to 1
    quiet: float = DAY  # after an alarm, or after an admin resumed the key, the same rule waits this long

    def response(self, signal: Signal) -> Response:
        """What `signal` does."""
        return self.responses.get(signal, _RESPONSES[signal])
