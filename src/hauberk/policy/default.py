"""The admission matrix in force when hauberk.toml has none. The first entry that fits decides."""

from hauberk.core import Admission, Confidence, Entry, GapReason, Policy, Severity

DEFAULT_POLICY = Policy(
    entries=(
        Entry(admit=Admission.BLOCK, min_severity=Severity.HIGH, min_confidence=Confidence.MEDIUM),
        Entry(admit=Admission.HOLD, min_severity=Severity.HIGH, min_confidence=Confidence.LOW),
        Entry(admit=Admission.HOLD, min_severity=Severity.MEDIUM, min_confidence=Confidence.MEDIUM),
        Entry(admit=Admission.ADMIT),
        Entry(
            admit=Admission.HOLD,
            gaps=(
                GapReason.ENCRYPTED,
                GapReason.MALFORMED,
                GapReason.TRUNCATED,
                GapReason.TOO_LARGE,
                GapReason.TOO_DEEP,
                GapReason.TIMEOUT,
                GapReason.UNDECIDED,
                GapReason.DETECTOR_ERROR,
            ),
        ),
        Entry(admit=Admission.ADMIT, gaps=tuple(GapReason)),
    ),
)
