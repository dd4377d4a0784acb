"""OpenTelemetry spans after the semantic conventions for generative AI (semconv 1.38, still incubating: names written here)."""

from typing import Any

from hauberk import __version__
from hauberk.core import Action
from hauberk.guard.gateway.hooks import Record

_OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/messages": "chat",
    "/v1/responses": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}


class Traces:
    """Makes one span of each finished request. No prompt or answer is ever put into it."""

    def __init__(self, exporter: Any, *, service: str = "hauberk-guard") -> None:
        """`exporter`: a SpanExporter of OpenTelemetry's SDK; spans go to it in batches from a thread."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": __version__}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("hauberk.guard", __version__)

    def record(self, record: Record) -> None:
        """The span of one request."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        operation = _OPERATIONS.get(record.route, "chat")
        span = self._tracer.start_span(
            f"{operation} {record.model}".strip(),
            kind=SpanKind.SERVER,
            start_time=int(record.started * 1e9),
            attributes=_attributes(record, operation),
        )
        if record.status >= 500 or record.error:
            span.set_status(Status(StatusCode.ERROR, record.error[:200]))
        span.end(int((record.started + record.seconds) * 1e9))

    def close(self) -> None:
        """Sends what waits."""
        self._provider.shutdown()


def otlp(endpoint: str) -> Any:
    """An exporter over OTLP/HTTP to `endpoint` (`http://host:4318/v1/traces`)."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=endpoint, timeout=5)


def _attributes(record: Record, operation: str) -> dict[str, str | int | float]:
    known: dict[str, str | int | float | None] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "anthropic" if record.route.startswith("/v1/messages") else "openai",
        "gen_ai.request.model": record.model,
        "gen_ai.usage.input_tokens": record.usage.input,
        "gen_ai.usage.output_tokens": record.usage.output,
        "hauberk.upstream": record.upstream or None,
        "client.address": record.address,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "error.type": record.error.partition(":")[0][:60] or None,
        "hauberk.request.id": record.request_id,
        "hauberk.incident": record.incident or None,
        "hauberk.key": record.key_id or None,
        "hauberk.stream.held_seconds": record.held if record.stream else None,
        "hauberk.first_token_seconds": record.first_token,
        "hauberk.request.action": Action(record.request.action).name.lower() if record.request else None,
        "hauberk.response.action": Action(record.response.action).name.lower() if record.response else None,
    }
    return {key: value for key, value in known.items() if value is not None}
