"""Any HTTP API that a TOML file describes, as a target."""

import base64
import uuid
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import msgspec

from hauberk.probe.targets.address import checked, shown
from hauberk.probe.targets.api_errors import BLOCKABLE, fault_from, page_fault, read_error
from hauberk.probe.targets.body import encoded, expanded_headers
from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.dialect import BadAnswer, Broken
from hauberk.probe.targets.estimate import counted
from hauberk.probe.targets.http_answer import AnswerPaths, Reading
from hauberk.probe.targets.http_schema import Auth, HttpApi, read_description
from hauberk.probe.targets.http_template import Template
from hauberk.probe.targets.json_path import as_text
from hauberk.probe.targets.line_reader import LineReader
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.shape import with_system
from hauberk.probe.targets.sse import BadEvents, EventReader
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, TargetError
from hauberk.probe.targets.wire import Answer, Wire


class HttpApiTarget:
    """A Target: what the file describes."""

    def __init__(self, file: str, options: TargetOptions) -> None:
        """Raises TargetError (SETUP), naming the file and the key."""
        self.api: HttpApi = read_description(file)
        self.template = Template(self.api, file)
        self.paths = AnswerPaths(self.api, file)
        self.options = options
        self.credentials = Credentials()
        self._parts = checked(self.api.url.replace("{{session}}", "session").replace("{{ session }}", "session"))
        self.headers = self._headers()
        self._name = self.api.name or f"{shown(urlsplit(self.api.url))} ({Path(file).stem})"
        self._shared = Wire(self._parts, options, self.credentials)

    @property
    def name(self) -> str:
        return f"{self._name} {self.options.model}" if "model" in self.template.used and self.options.model else self._name

    @property
    def abilities(self) -> Abilities:
        used, keeps = self.template.used, self.api.session.kind != "none"
        return Abilities(
            system=bool(used & {"messages", "system"}),
            turns=bool(used & {"messages", "history"}) or keeps,
            images="images" in used,
            stateful=keeps and not used & {"messages", "history"},
        )

    async def open(self) -> "HttpSession":
        own = self.api.session.kind == "cookie"
        return HttpSession(self, Wire(self._parts, self.options, self.credentials, cookies=True) if own else self._shared, own=own)

    async def close(self) -> None:
        await self._shared.close()

    def _headers(self) -> dict[str, str]:
        form = self.api.encoding == "form"
        made = {"content-type": "application/x-www-form-urlencoded" if form else "application/json"}
        if self.api.method == "GET":
            made = {}
        keep, auth = self.credentials, self.api.auth
        if auth is None and self.options.api_key_env:
            auth = Auth(env=self.options.api_key_env)
        if auth is not None:
            made.update(_authorised(auth, keep))
        return {**made, **expanded_headers({**self.api.headers, **self.options.headers}, keep)}


class HttpSession:
    """One conversation. Its id is ours, the API's, or in a cookie."""

    def __init__(self, target: HttpApiTarget, wire: Wire, *, own: bool) -> None:
        self._target = target
        self._wire = wire
        self._own = own
        session = target.api.session
        self._id: object = session.first if session.kind == "answer" else str(uuid.uuid4())

    async def send(self, request: Request) -> Reply:
        target = self._target
        request = with_system(request, target.options.system)
        values = target.template.values(request, self._id, target.options.model)
        reading = Reading(target.paths)
        answer = await self._asked(values, reading)
        reply = self._read(answer, reading)
        if target.api.session.kind == "answer" and reading.session is not None:
            self._id = reading.session
        return counted(request, msgspec.structs.replace(reply, seconds=answer.seconds))

    async def close(self) -> None:
        if self._own:
            await self._wire.close()

    async def _asked(self, values: dict[str, object], reading: Reading) -> Answer:
        target, api = self._target, self._target.api
        url = target.template.url(values)
        query = target.template.query(values)
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query, errors="backslashreplace")
        body = None if api.body is None else _body(target.template.body(values), form=api.encoding == "form")
        if api.answer.stream == "none":
            return await self._wire.ask(api.method, url, body, target.headers)
        events = EventReader() if api.answer.stream == "sse" else LineReader()
        try:
            take, lines = _taking(events, reading), api.answer.stream == "lines"
            answer = await self._wire.ask(api.method, url, body, target.headers, take, lines=lines)
            if answer.streamed and not answer.cut:
                _ = any(reading.take(event) for event in events.close())
        except (BadEvents, BadAnswer) as error:
            raise self._fault(error) from None
        return answer

    def _read(self, answer: Answer, reading: Reading) -> Reply:
        api = self._target.api
        if answer.status in api.blocked.status:
            return Reply("", blocked=self._reason(answer))
        if answer.status in api.retry_status:
            raise TargetError(Fault.SERVER, f"{self._wire.where}: status {answer.status}")
        if not 200 <= answer.status < 300:
            return self._refusal(answer)
        if answer.cut and not answer.streamed:
            raise TargetError(Fault.GARBAGE, f"{self._wire.where}: the answer is over {self._target.options.max_bytes} bytes")
        try:
            if not answer.streamed:
                reading.whole(answer.body)
            reply = reading.reply(cut=answer.cut)
        except BadAnswer as error:
            if answer.html:
                raise page_fault(200, answer.headers, self._wire.where) from None
            raise self._fault(error) from None
        return msgspec.structs.replace(reply, blocked=self._wire.hidden(reply.blocked)) if reply.blocked else reply

    def _refusal(self, answer: Answer) -> Reply:
        reason = self._target.paths.blocked(_value(answer.body))
        if not reason and answer.html:
            raise page_fault(answer.status, answer.headers, self._wire.where)
        error = read_error(answer.body)
        if not reason and answer.status in BLOCKABLE:
            reason = error.blocked
        if reason:
            return Reply("", blocked=self._wire.hidden(reason))
        made = fault_from(error, answer.status, answer.headers, self._wire.where)
        raise TargetError(made.fault, self._target.credentials.hidden(str(made)), made.retry_after)

    def _reason(self, answer: Answer) -> str:
        said = self._target.paths.words(_value(answer.body))
        return self._wire.hidden(said or f"status {answer.status}")

    def _fault(self, error: Exception) -> TargetError:
        fault = Fault.CONNECT if isinstance(error, Broken) else Fault.GARBAGE
        return TargetError(fault, f"{self._wire.where}: {self._wire.hidden(str(error))}")


def _taking(events: EventReader | LineReader, reading: Reading) -> Callable[[bytes], bool]:
    def take(data: bytes) -> bool:
        return any(reading.take(event) for event in events.feed(data))

    return take


def _value(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return body[:4096].decode("utf-8", "replace")


def _body(value: object, *, form: bool) -> bytes:
    if form and isinstance(value, dict):
        fields = {str(key): as_text(inner) for key, inner in msgspec.convert(value, dict[str, object]).items()}
        return urlencode(fields, errors="backslashreplace").encode("ascii")
    return encoded(value)


def _authorised(auth: Auth, keep: Credentials) -> dict[str, str]:
    secret = keep.variable(auth.env)
    if auth.kind == "header":
        return {auth.header.lower(): secret}
    if auth.kind == "bearer":
        return {"authorization": f"Bearer {secret}"}
    coded = base64.b64encode(f"{keep.variable(auth.user_env)}:{secret}".encode()).decode("ascii")
    keep.remember(coded)
    return {"authorization": f"Basic {coded}"}
