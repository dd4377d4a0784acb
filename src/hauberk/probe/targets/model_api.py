"""A model behind an API: a dialect on a wire."""

from urllib.parse import SplitResult

import msgspec

from hauberk.probe.targets.address import based, checked, joined, shown
from hauberk.probe.targets.api_errors import BLOCKABLE, ApiError, fault_from, page_fault, read_error
from hauberk.probe.targets.body import encoded, expanded_headers
from hauberk.probe.targets.credentials import Credentials
from hauberk.probe.targets.dialect import BadAnswer, Broken, Dialect, Told, Wish
from hauberk.probe.targets.estimate import counted
from hauberk.probe.targets.options import TargetOptions
from hauberk.probe.targets.shape import with_system
from hauberk.probe.targets.sse import BadEvents, EventReader
from hauberk.probe.targets.target import Abilities, Fault, Reply, Request, TargetError
from hauberk.probe.targets.wire import Answer, Wire

CAN_GO = frozenset(("temperature", "seed", "max_tokens", "stream_options", "response_format"))  # parameters an API may refuse
OWN_KEYS = {"api.openai.com": "OPENAI_API_KEY", "api.anthropic.com": "ANTHROPIC_API_KEY"}  # sent to these hosts unasked
SHOWN_MODELS = 8


class _Listed(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Listed]


class ModelApi:
    """A Target: one model behind one API. Stateless: every request brings the whole conversation."""

    def __init__(self, url: str, options: TargetOptions, dialect: Dialect, credentials: Credentials | None = None) -> None:
        """Raises TargetError (SETUP)."""
        self._credentials = credentials or Credentials()
        parts = checked(self._credentials.expanded(url))
        self._base = based(parts, dialect.path, dialect.root)
        self._dialect = dialect
        self._options = options
        self._wire = Wire(self._base, options, self._credentials)
        self._url = joined(self._base, dialect.path)
        self._headers = self._all_headers(parts)
        self._model = options.model
        self._refused: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        address = shown(self._base)
        return f"{address} {self._options.model}" if self._options.model else address

    @property
    def abilities(self) -> Abilities:
        options = self._options
        return self._dialect.abilities(tools=options.tools, images=options.images, prefill=options.prefill)

    async def open(self) -> "ModelSession":
        if not self._model:
            self._model = await self._only_model()
        return ModelSession(self)

    async def close(self) -> None:
        await self._wire.close()

    async def ask(self, request: Request) -> Reply:
        """The reply to `request`. Raises TargetError."""
        request = with_system(request, self._options.system)
        for _ in range(len(CAN_GO)):
            try:
                return await self._asked(request)
            except _Unwanted as unwanted:
                self._refused |= {unwanted.param}
        return await self._asked(request)

    async def _asked(self, request: Request) -> Reply:
        wish = Wish(self._model, self._options.stream, self._refused)
        body = encoded(self._dialect.body(request, wish))
        if not wish.stream:
            answer = await self._wire.ask("POST", self._url, body, self._headers)
            reply = self._read(answer)
        else:
            reply = await self._streamed(body)
        return counted(request, reply)

    async def _streamed(self, body: bytes) -> Reply:
        events, reader = EventReader(), self._dialect.reader()

        def take(data: bytes) -> bool:
            return any(reader.take(event) for event in events.feed(data))

        try:
            answer = await self._wire.ask("POST", self._url, body, self._headers, take)
            if not answer.streamed:
                return self._read(answer)
            if not answer.cut:
                _ = any(reader.take(event) for event in events.close())
            reply = reader.reply(cut=answer.cut)
            return msgspec.structs.replace(reply, blocked=self._wire.hidden(reply.blocked), seconds=answer.seconds)
        except (BadEvents, BadAnswer, Told) as error:
            raise self._unread(error) from None

    def _read(self, answer: Answer) -> Reply:
        if answer.status != 200:
            return self._refusal(answer)
        if answer.cut:
            raise TargetError(Fault.GARBAGE, f"{self._wire.where}: the answer is over {self._options.max_bytes} bytes")
        try:
            reply = self._dialect.read(answer.body)
        except Told as told:
            if told.error.blocked:
                return msgspec.structs.replace(told.reply, blocked=self._wire.hidden(told.error.blocked), seconds=answer.seconds)
            raise self._unread(told) from None
        except BadAnswer as error:
            if answer.html:
                raise page_fault(200, answer.headers, self._wire.where) from None
            raise self._unread(error) from None
        return msgspec.structs.replace(reply, seconds=answer.seconds)

    def _refusal(self, answer: Answer) -> Reply:
        """What an error says: a block, which is a reply, or a fault, which is raised."""
        if answer.html:
            raise page_fault(answer.status, answer.headers, self._wire.where)
        error = read_error(answer.body)
        if answer.status in BLOCKABLE and error.blocked:
            return Reply("", blocked=self._wire.hidden(error.blocked), seconds=answer.seconds)
        if answer.status == 400 and (unwanted := unwanted_param(error)) and unwanted not in self._refused:
            raise _Unwanted(unwanted)
        raise self._told(error, answer.status, answer)

    def _told(self, error: ApiError, status: int, answer: Answer | None = None) -> TargetError:
        made = fault_from(error, status, answer.headers if answer else {}, self._wire.where)
        return TargetError(made.fault, self._credentials.hidden(str(made)), made.retry_after)

    def _unread(self, error: Exception) -> TargetError:
        if isinstance(error, Told):
            return self._told(error.error, 200)
        fault = Fault.CONNECT if isinstance(error, Broken) else Fault.GARBAGE
        return TargetError(fault, f"{self._wire.where}: {self._wire.hidden(str(error))}")

    async def _only_model(self) -> str:
        answer = await self._wire.ask("GET", joined(self._base, self._dialect.models), None, self._headers)
        if answer.status in {401, 403}:
            raise self._told(read_error(answer.body), answer.status, answer)
        try:
            names = [model.id for model in msgspec.json.decode(answer.body, type=_Models).data]
        except (msgspec.DecodeError, RecursionError):
            names = []
        if len(names) == 1:
            return names[0]
        known = f": one of {', '.join(names[:SHOWN_MODELS])}" if names else ""
        raise TargetError(Fault.SETUP, f"{self._wire.where}: name the model{self._wire.hidden(known)}")

    def _all_headers(self, parts: SplitResult) -> dict[str, str]:
        variable, keep = self._options.api_key_env, self._credentials
        key = keep.variable(variable) if variable else keep.optional(OWN_KEYS.get(parts.hostname or "", ""))
        made = {"content-type": "application/json", **self._dialect.headers(key)}
        return {**made, **expanded_headers(self._options.headers, keep)}


class ModelSession:
    """A conversation with a model. There is nothing to end: the API keeps no state."""

    def __init__(self, target: ModelApi) -> None:
        self._target = target

    async def send(self, request: Request) -> Reply:
        return await self._target.ask(request)

    async def close(self) -> None:
        """Nothing is held."""


class _Unwanted(Exception):
    def __init__(self, param: str) -> None:
        super().__init__(param)
        self.param = param


def unwanted_param(error: ApiError) -> str:
    """The parameter that the API does not take and that we can do without; "" when it is none."""
    if not error.codes & {"unsupported_parameter", "unsupported_value", "unknown_parameter"}:
        return ""
    return error.param if error.param in CAN_GO else ""
