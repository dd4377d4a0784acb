"""One request's way: read, admit, judge, ask a model, judge the answer, settle, record."""

import asyncio
import logging
from collections.abc import Awaitable, Mapping

from hauberk.guard.dialects.dialect import BadUpstream, EventStream, Refusal
from hauberk.guard.exchange import BadRequest, Exchange
from hauberk.guard.gateway.call import Call, Refused
from hauberk.guard.gateway.hooks import Decision, Inspector
from hauberk.guard.gateway.intake import ClientGone, read_body
from hauberk.guard.gateway.passage import pass_on
from hauberk.guard.gateway.refusals import (
    bad_request,
    blocked,
    internal,
    not_served,
    shutting_down,
    unjudged,
    unrecorded,
    upstream_failed,
)
from hauberk.guard.gateway.responses import Receive, Send, begin_events, headers_of, retry_headers, send_body, send_events
from hauberk.guard.gateway.standing import Standing
from hauberk.guard.gateway.stream_guard import Halted, StreamGuard
from hauberk.guard.gateway.upstream.attempts import first_answer
from hauberk.guard.gateway.upstream.directory import Candidate
from hauberk.guard.gateway.upstream.errors import Broken, UpstreamError
from hauberk.guard.gateway.upstream.upstream import Reply
from hauberk.guard.gateway.upstream_errors import said_by
from hauberk.guard.settings import Fail

log = logging.getLogger("hauberk.guard")

FORWARDED = (b"anthropic-version", b"anthropic-beta", b"openai-beta", b"traceparent", b"tracestate")
"""Request headers that upstreams may have; the client's credential is not among them."""

CLIENT_GONE = 499  # as nginx writes it; nobody receives it


class Pipeline:
    """Takes calls from their first byte to their record. `receive` and `send` are those of ASGI."""

    def __init__(self, inspector: Inspector) -> None:
        self._inspector = inspector
        self._standing = Standing()

    async def run(self, call: Call, headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> None:
        """Serves one call. Whatever happens, the call is closed once, and a cancellation ends here: it was said to the client."""
        try:
            await self._serve(call, headers, receive, send)
        except Refused as refused:
            await self._refuse(call, refused.refusal, send)
        except (ClientGone, ConnectionError):
            call.lost = True
        except asyncio.CancelledError:
            if not call.lost:
                call.record.error = "the key no longer stands" if call.ended else "shutdown"
                await self._refuse(call, call.ended or shutting_down(), send)
        except Exception as error:
            log.exception("request %s failed", call.caller.request_id)
            call.record.error = f"internal: {type(error).__name__}"
            await self._refuse(call, internal(), send)
        finally:
            if call.lost:
                call.record.status = CLIENT_GONE
                call.record.error = call.record.error or "the client closed the connection"
            await self._closed(call)

    async def _serve(self, call: Call, headers: Mapping[bytes, bytes], receive: Receive, send: Send) -> None:
        known = call.gate.identify(call.caller)  # before the body is read: strangers cost nothing
        if isinstance(known, Refusal):
            raise Refused(known)
        body = await read_body(receive, headers, call.generation.settings.bounds.body)
        try:
            exchange = call.dialect.read(body)
        except BadRequest as error:
            raise Refused(bad_request(error)) from None
        del body
        call.read(exchange)
        grant = await call.gate.admit(call.caller, exchange)
        if isinstance(grant, Refusal):
            raise Refused(grant)
        call.admitted(grant)
        decision = await self._judged(call, exchange) if call.route.judged else Decision()
        candidate, reply = await self._ask(call, exchange, decision, headers)
        try:
            await self._answer(call, exchange, candidate, reply, send)
        except (UpstreamError, BadUpstream) as error:
            raise self._failed(call, error) from error
        finally:
            reply.release()

    async def _judged(self, call: Call, exchange: Exchange) -> Decision:
        try:
            decision = await self._inspector.request(exchange)
        except Exception as error:
            log.exception("the guard failed on request %s", call.caller.request_id)
            decision = unjudged(error, closed=call.generation.settings.fail is Fail.CLOSED)
        call.record.request = decision
        if (refusal := blocked(decision)) is not None:
            raise Refused(refusal)
        return decision

    async def _ask(
        self, call: Call, exchange: Exchange, decision: Decision, headers: Mapping[bytes, bytes]
    ) -> tuple[Candidate, Reply]:
        candidates = call.generation.directory.candidates(exchange.model, call.route.api)
        if not candidates:
            raise Refused(not_served(exchange.model))
        lines = _lines_for_upstream(call, exchange, headers)

        async def ask(candidate: Candidate) -> Reply:
            call.record.upstream = candidate.upstream.name
            body = call.dialect.write(exchange, decision.edits, candidate.model)
            return await candidate.upstream.send("POST", call.route.path, lines, body)

        call.worked = True  # also when the client leaves or time runs out before an answer begins
        try:
            candidate, reply = await first_answer(candidates, call.generation.settings.retries, ask)
        except UpstreamError as error:
            call.worked = not error.unsent
            raise self._failed(call, error) from error
        call.worked = reply.status < 400
        return candidate, reply

    def _answer(self, call: Call, exchange: Exchange, candidate: Candidate, reply: Reply, send: Send) -> Awaitable[None]:
        """What is to be awaited for this kind of answer: no coroutine of its own, which every idle stream would hold."""
        if not 200 <= reply.status < 300:
            return self._upstream_said(call, candidate, reply, send)
        if reply.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Broken("the upstream compressed its answer although it was asked not to")
        if exchange.stream and call.route.judged:
            return self._stream(call, exchange, candidate, reply, send)
        return self._whole(call, exchange, candidate, reply, send)

    async def _whole(self, call: Call, exchange: Exchange, candidate: Candidate, reply: Reply, send: Send) -> None:
        body = await reply.whole(call.generation.settings.bounds.answer)
        reply.release()
        if not call.route.judged:
            if reply.media_type != b"application/json":
                raise Broken("the upstream's answer is not JSON")
            await self._respond(call, 200, body, reply.headers, send)
            return
        answer = call.dialect.read_answer(body)
        call.record.usage = answer.usage
        call.first_token()
        try:
            decision = await self._inspector.answer(exchange, answer)
        except Exception as error:
            log.exception("the guard failed on the answer to request %s", call.caller.request_id)
            decision = unjudged(error, closed=call.generation.settings.fail is Fail.CLOSED)
        call.record.response = decision
        if (refusal := blocked(decision)) is not None:
            raise Refused(refusal)
        if decision.edits or candidate.model != exchange.model:
            body = call.dialect.write_answer(answer, decision.edits, exchange.model)
        call.record.answer_text = "\n".join(piece.text for piece in answer.pieces)
        await self._respond(call, 200, body, reply.headers, send)

    async def _respond(self, call: Call, status: int, body: bytes, upstream: Mapping[bytes, bytes], send: Send) -> None:
        """Records, then sends: what a client has received stands in the log."""
        call.record.status = status
        call.completed = status < 300
        if not await self._closed(call):
            raise Refused(unrecorded())
        call.started = True
        await send_body(send, status, body, headers_of(call, upstream))

    async def _stream(self, call: Call, exchange: Exchange, candidate: Candidate, reply: Reply, send: Send) -> None:
        if reply.media_type != b"text/event-stream":
            raise Broken("the upstream did not answer a request for a stream with one")
        settings = call.generation.settings
        events = call.dialect.stream(exchange, "" if candidate.model == exchange.model else exchange.model)
        closed = settings.fail is Fail.CLOSED
        guard = StreamGuard(events, self._inspector.session(exchange), closed=closed, most=settings.bounds.answer)
        call.let_go(exchange)
        await begin_events(send, headers_of(call, reply.headers))
        reply.forget_head()
        call.started = True
        call.record.status = 200
        call.events = events
        self._standing.enter(call)
        try:
            bare = call.write is not None and guard.open
            last = await (pass_on(call, guard, reply, send) if bare else self._pump(call, guard, reply, send))
            call.completed = True
        except Halted as halted:
            call.record.response = halted.decision
            call.record.incident = halted.refusal.incident
            last = halted.wire + events.error(halted.refusal)
        except (UpstreamError, BadUpstream) as error:
            failed = self._failed(call, error)
            call.record.incident = failed.refusal.incident
            last = guard.judged() + events.error(failed.refusal)
        finally:
            self._standing.leave(call)
            _note(call, guard)
        await self._end_stream(call, events, last, send)
        if call.completed:
            await reply.drain(1.0)

    async def _pump(self, call: Call, guard: StreamGuard, reply: Reply, send: Send) -> bytes:
        """Passes events on until the upstream is done; what is to be sent last."""
        while True:
            if call.write is not None and guard.open:
                return await pass_on(call, guard, reply, send)
            data = await reply.read(guard.due())
            if data is None:
                wire = await guard.tick()
            elif data:
                wire = await guard.feed(data)
                if guard.begun:
                    call.first_token()
                if guard.done:
                    return wire + await guard.close()
            else:
                return await guard.close()
            if wire:
                await send_events(send, wire)

    async def _end_stream(self, call: Call, events: EventStream, last: bytes, send: Send) -> None:
        if not await self._closed(call):
            last = events.error(unrecorded())
        await send_events(send, last, more=False)

    async def _upstream_said(self, call: Call, candidate: Candidate, reply: Reply, send: Send) -> None:
        """An error of the upstream, as far as it is the client's business."""
        said = await said_by(reply, candidate.upstream)
        call.record.error = f"the upstream answered {reply.status}"
        if isinstance(said, Refusal):
            log.warning("upstream %s, request %s: %s", candidate.upstream.name, call.caller.request_id, call.record.error)
            raise Refused(said)
        await self._respond(call, reply.status, said, reply.headers, send)

    def _failed(self, call: Call, error: UpstreamError | BadUpstream) -> Refused:
        failure = error if isinstance(error, UpstreamError) else Broken(str(error))
        call.record.error = str(failure)
        refusal = upstream_failed(failure)
        log.warning("upstream %s, request %s: %s", call.record.upstream, call.caller.request_id, failure)
        return Refused(refusal)

    async def _refuse(self, call: Call, refusal: Refusal, send: Send) -> None:
        """Says the refusal in the dialect's form: as a response, or as the last event of a stream that had begun."""
        call.record.incident = call.record.incident or refusal.incident
        if call.started and call.events is None:
            return  # the response is out already
        if call.events is not None:
            await self._end_stream(call, call.events, call.events.error(refusal), send)
            return
        call.record.status = refusal.status
        if not await self._closed(call):
            refusal = unrecorded()
        call.started = True
        await send_body(send, refusal.status, call.dialect.error(refusal), headers_of(call) + retry_headers(refusal))

    async def _closed(self, call: Call) -> bool:
        """Closes the call; False when the recorder failed and the policy forbids to go on unrecorded."""
        try:
            await call.close()
        except Exception:
            log.exception("request %s could not be recorded", call.caller.request_id)
            return call.generation.settings.fail is Fail.OPEN
        return True


def _lines_for_upstream(call: Call, exchange: Exchange, headers: Mapping[bytes, bytes]) -> bytes:
    accept = b"text/event-stream" if exchange.stream else b"application/json"
    lines = [b"content-type: application/json\r\naccept: ", accept, b"\r\nx-request-id: ", call.caller.request_id.encode(), b"\r\n"]
    for name in FORWARDED:
        if name in headers:
            lines += [name, b": ", headers[name], b"\r\n"]
    return b"".join(lines)


def _note(call: Call, guard: StreamGuard) -> None:
    call.record.usage = guard.usage
    call.record.held = guard.held
    call.record.answer_text = guard.text
    if call.record.response is None:
        call.record.response = guard.noted
