"""Labels of generated content (GB 45438-2025), on and off."""

import json

import pytest
from guard_process import Guard
from scripted_model import Model

LABEL = "本内容由人工智能生成"


def test_answers_are_labelled_in_words_and_metadata(strict: Guard, strict_key: str, model: Model) -> None:
    reply = strict.chat(key=strict_key)
    assert reply.text == f"good day\n\n{LABEL}"
    label = json.loads(reply.headers["x-aigc-metadata"])["AIGC"]
    assert (label["Label"], label["ContentProducer"]) == ("1", "example")
    assert label["ProduceID"].startswith("gen-")
    model.says("你好", "，世界")
    stream = strict.chat(key=strict_key, stream=True)
    assert stream.streamed() == f"你好，世界\n\n{LABEL}"
    assert "x-aigc-metadata" in stream.headers
    assert stream.events()[-1].get("usage") or stream.events()[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/messages", {"messages": [{"role": "user", "content": "hello there"}], "max_tokens": 9}),
        ("/v1/responses", {"input": "hello there"}),
        ("/v1/completions", {"prompt": "hello there"}),
    ],
)
def test_every_dialect_is_labelled_once(strict: Guard, strict_key: str, model: Model, path: str, body: dict[str, object]) -> None:
    for stream in (False, True):
        model.says("good ", "day")
        headers = {"authorization": f"Bearer {strict_key}"}
        reply = strict.post(path, {"model": "m", "stream": stream, **body}, **headers)
        assert reply.status == 200
        assert "x-aigc-metadata" in reply.headers
        shown = reply.body.decode() if not stream else "".join(_deltas(event) for event in reply.events())
        assert json.dumps(LABEL)[1:-1] in shown or shown.count(LABEL) == 1


def _deltas(event: dict) -> str:
    if event.get("type") == "response.output_text.delta":
        return event["delta"]
    if event.get("type") == "content_block_delta":
        return event["delta"].get("text", "")
    return "".join(choice.get("text", "") for choice in event.get("choices", ()))


def test_an_answer_that_has_the_label_is_left_as_it_is(strict: Guard, strict_key: str, model: Model) -> None:
    model.says("good day\n\n", LABEL)
    for stream in (False, True):
        reply = strict.chat(key=strict_key, stream=stream)
        assert (reply.streamed() if stream else reply.text) == f"good day\n\n{LABEL}"


def test_nothing_is_labelled_where_labels_are_off(plain: Guard, model: Model) -> None:
    model.says("good ", "day")
    for stream in (False, True):
        reply = plain.chat(stream=stream)
        assert LABEL.encode() not in reply.body
        assert "x-aigc-metadata" not in reply.headers
