"""What an API's answer says, by its description, whole or event by event."""

from typing import Any

import msgspec

from hauberk.assets.chat import ToolCall
from hauberk.probe.targets.dialect import BadAnswer, Broken
from hauberk.probe.targets.http_schema import HttpApi, path_at
from hauberk.probe.targets.json_path import JsonPath, as_text
from hauberk.probe.targets.lines import one_line
from hauberk.probe.targets.sse import Event
from hauberk.probe.targets.target import Reply, Step, Usage

MOST_STEPS = 1000


class AnswerPaths:
    """The paths of a description, read once."""

    def __init__(self, api: HttpApi, file: str) -> None:
        """Raises TargetError (SETUP)."""
        answer = api.answer
        self.api = api
        self.text = path_at(answer.text, "answer.text", file)
        self.finish = _optional(answer.finish, "answer.finish", file)
        self.prompt_tokens = _optional(answer.prompt_tokens, "answer.prompt-tokens", file)
        self.completion_tokens = _optional(answer.completion_tokens, "answer.completion-tokens", file)
        self.session = _optional(api.session.path, "session.path", file)
        self.reason = _optional(api.blocked.reason, "blocked.reason", file)
        conditions = enumerate(api.blocked.when)
        self._when = [(when, path_at(when.path, f"blocked.when[{place}].path", file)) for place, when in conditions]
        steps, self._each, self._step = api.steps, None, list[JsonPath]()
        if steps is not None:
            self._each = path_at(steps.each, "steps.each", file)
            named = (("name", steps.name), ("arguments", steps.arguments), ("result", steps.result))
            self._step = [path_at(text, f"steps.{key}", file) for key, text in named]

    def blocked(self, value: Any) -> str:
        """Why the exchange was stopped, as far as this value says so."""
        for when, path in self._when:
            for found in path.find(value):
                if (when.equals is not msgspec.UNSET and found == when.equals) or (
                    when.contains and when.contains in as_text(found)
                ):
                    return self.words(value) or one_line(f"{path.text} is {as_text(found)}")
        return ""

    def words(self, value: Any) -> str:
        """The API's words for a block."""
        return one_line(self.reason.text_in(value) or "") if self.reason else ""

    def steps(self, value: Any) -> list[Step]:
        """The tools that the agent called."""
        found = self._each.find(value)[:MOST_STEPS] if self._each else []
        return [_step(self._step, each) for each in found]


class Reading:
    """Reads one answer: `whole` once, or `take` for each event."""

    def __init__(self, paths: AnswerPaths) -> None:
        self._paths = paths
        self._texts: list[str] = []
        self._steps: list[Step] = []
        self._finish = self._blocked = ""
        self._counts = [0, 0]
        self._any = self._ended = False
        self.session: object = None  # the conversation's id, where the answer gives it

    def take(self, event: Event) -> bool:
        """Takes one event, or one line; True when it was the last. Raises BadAnswer."""
        answer = self._paths.api.answer
        data = event.data.decode("utf-8", "replace")
        if (answer.done and data.strip() == answer.done) or (answer.done_event and event.name == answer.done_event):
            self._ended = True
            return True
        if self._paths.text.text:
            try:
                value = msgspec.json.decode(event.data)
            except (msgspec.DecodeError, RecursionError):
                raise BadAnswer(f"an event of the stream is no JSON ({one_line(data, 60)})") from None
        else:
            value = data
        if self._look(value):
            return True
        if not answer.event or event.name == answer.event:
            self._say(value, repeats=answer.pieces == "whole")
        return False

    def whole(self, body: bytes) -> None:
        """Takes a whole answer. Raises BadAnswer."""
        try:
            value = msgspec.json.decode(body) if self._paths.text.text else body.decode("utf-8", "replace")
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"the answer is no JSON ({error})") from None
        if not self._look(value):
            self._say(value, repeats=False)
        self._ended = True

    def reply(self, *, cut: bool) -> Reply:
        """The answer. Raises Broken when the stream has not ended, BadAnswer when no text came at all."""
        answer = self._paths.api.answer
        if not (self._any or self._blocked or cut):
            raise BadAnswer(f"the answer has no `{self._paths.text.text}`; has the API changed?")
        if (answer.done or answer.done_event) and answer.stream != "none" and not (self._ended or self._blocked or cut):
            raise Broken("the stream broke off in the middle of the answer")
        usage = Usage(self._counts[0], self._counts[1])
        text, steps = "".join(self._texts), tuple(self._steps)
        return Reply(text, steps=steps, finish=self._finish, blocked=self._blocked, usage=usage, cut=cut)

    def _look(self, value: Any) -> bool:
        """Everything but the text; whether the exchange was stopped."""
        paths = self._paths
        self._blocked = paths.blocked(value)
        self._steps.extend(paths.steps(value)[: MOST_STEPS - len(self._steps)])
        self._finish = (paths.finish.text_in(value) if paths.finish else None) or self._finish
        if paths.session is not None and self.session is None:
            self.session = paths.session.first(value)
        for place, path in enumerate((paths.prompt_tokens, paths.completion_tokens)):
            count = path.first(value) if path else None
            if type(count) is int and count >= 0:
                self._counts[place] = count
        return bool(self._blocked)

    def _say(self, value: Any, *, repeats: bool) -> None:
        text = self._paths.text.text_in(value)
        if text is None:
            return
        self._any = True
        if repeats:
            self._texts.clear()
        self._texts.append(text)


def _step(paths: list[JsonPath], value: Any) -> Step:
    name, arguments, result = (path.text_in(value) or "" for path in paths)
    return Step(ToolCall(name, arguments), result)


def _optional(text: str, key: str, file: str) -> JsonPath | None:
    return path_at(text, key, file) if text else None
