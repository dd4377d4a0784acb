"""Prometheus metrics. Names of what OpenTelemetry's GenAI conventions also measure follow those."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from hauberk.core import Action
from hauberk.guard.gateway.hooks import Decision, Record

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)
MOST_MODELS = 200  # label values: a client that makes names up must not fill the memory


class Metrics:
    """Counters of one process. Not shared between workers: scrape each."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self._requests = Counter(
            "hauberk_requests", "Requests by route, model and status.", ("route", "model", "status"), registry=r
        )
        self._decisions = Counter("hauberk_decisions", "Decisions by direction and action.", ("direction", "action"), registry=r)
        self._findings = Counter("hauberk_findings", "Findings by rule.", ("rule",), registry=r)
        self._gaps = Counter("hauberk_gaps", "What was not looked at, by reason.", ("reason",), registry=r)
        self._tokens = Counter("gen_ai_client_token_usage", "Tokens by model and type.", ("model", "type"), registry=r)
        self._duration = Histogram(
            "gen_ai_server_request_duration_seconds", "Whole requests.", ("route",), buckets=_SECONDS, registry=r
        )
        self._first = Histogram(
            "gen_ai_server_time_to_first_token_seconds", "To the first token.", ("route",), buckets=_SECONDS, registry=r
        )
        self._inspect = Histogram("hauberk_inspection_seconds", "Detectors.", ("direction",), buckets=_SHORT, registry=r)
        self._held = Histogram("hauberk_stream_hold_seconds", "Longest hold-back of a stream.", buckets=_SHORT, registry=r)
        self._audit = Counter("hauberk_audit_refused", "Audit entries that could not be written.", registry=r)
        self._lost = Counter("hauberk_events_lost", "Events that syslog or the webhook did not take.", registry=r)
        self.waiting = Gauge("hauberk_approvals_waiting", "Calls that wait for a person.", registry=r)
        self._models: set[str] = set()

    def record(self, record: Record) -> None:
        """Counts one finished request."""
        model = self._model(record)
        self._requests.labels(record.route, model, str(record.status)).inc()
        self._duration.labels(record.route).observe(record.seconds)
        if record.first_token is not None:
            self._first.labels(record.route).observe(record.first_token)
        if record.stream:
            self._held.observe(record.held)
        for kind, count in (("input", record.usage.input), ("output", record.usage.output)):
            if count:
                self._tokens.labels(model, kind).inc(count)
        for direction, decision in (("input", record.request), ("output", record.response)):
            if decision is not None:
                self._decision(direction, decision)

    def audit_refused(self) -> None:
        """Counts an entry that the audit log could not take."""
        self._audit.inc()

    def events_lost(self, count: int) -> None:
        """Counts events that their receiver did not take; the audit log has them."""
        self._lost.inc(count)

    def page(self) -> bytes:
        """What a scrape gets."""
        return generate_latest(self.registry)

    def _decision(self, direction: str, decision: Decision) -> None:
        self._decisions.labels(direction, Action(decision.action).name.lower()).inc()
        self._inspect.labels(direction).observe(decision.seconds)
        for finding in decision.findings:
            self._findings.labels(finding.rule).inc()
        for gap in decision.gaps:
            self._gaps.labels(gap.reason.value).inc()

    def _model(self, record: Record) -> str:
        """The label: only names that an upstream was asked for and knows, or whoever sends would use them up with made-up ones."""
        name = record.model
        if name in self._models:
            return name
        if not record.upstream or record.status == 404 or len(self._models) >= MOST_MODELS or len(name) > 200:
            return "other"
        self._models.add(name)
        return name
