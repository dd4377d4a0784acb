import json
from typing import Any

import pytest

from hauberk.assets.chat import Role
from hauberk.guard.dialects.dialect import BadUpstream
from hauberk.guard.dialects.models import read_models
from hauberk.guard.dialects.openai_completions import OpenAICompletions
from hauberk.guard.dialects.openai_embeddings import OpenAIEmbeddings
from hauberk.guard.exchange import BadRequest, Edit
from hauberk.guard.gateway.routes import dialects

COMPLETIONS, EMBEDDINGS = OpenAICompletions(), OpenAIEmbeddings()
DIALECTS = dialects()


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "m", **fields}).encode()


@pytest.mark.parametrize(
    ("prompt", "texts", "unread"),
    [
        ("one", ["one"], 0),
        (["one", "two"], ["one", "two"], 0),
        ([1, 2, 3], [], 1),
        ([[1, 2], [3]], [], 2),
        (["one", [1, 2]], ["one"], 1),
        (None, [], 0),
        ([], [], 0),
    ],
)
def test_a_prompt_in_each_of_its_forms(prompt: Any, texts: list[str], unread: int) -> None:
    exchange = COMPLETIONS.read(body(prompt=prompt))
    assert [piece.text for piece in exchange.pieces] == texts
    assert len(exchange.unread) == unread
    if prompt:
        embedded = EMBEDDINGS.read(body(input=prompt))
        assert [piece.text for piece in embedded.pieces] == texts
        assert json.loads(EMBEDDINGS.write(embedded)) == {"model": "m", "input": prompt}


@pytest.mark.parametrize("prompt", [7, {"a": 1}, [1.5], [1, "x"], [{"a": 1}], [[1, "x", None]], True])
def test_a_prompt_in_no_form_is_refused(prompt: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        COMPLETIONS.read(body(prompt=prompt))
    assert caught.value.param == "prompt"
    with pytest.raises(BadRequest):
        EMBEDDINGS.read(body(input=prompt))


def test_embeddings_need_an_input() -> None:
    with pytest.raises(BadRequest, match="input"):
        EMBEDDINGS.read(body())


def test_what_surrounds_a_prompt_is_read_too() -> None:
    exchange = COMPLETIONS.read(body(prompt="one", suffix="two", grammar="root ::= three", max_tokens=5))
    assert [(piece.text, piece.role) for piece in exchange.pieces] == [
        ("one", Role.USER),
        ("two", Role.USER),
        ("root ::= three", Role.USER),
    ]
    assert exchange.max_tokens == 5
    assert json.loads(COMPLETIONS.write(exchange, [Edit(("prompt",), "[x]")], model="up"))["prompt"] == "[x]"


def test_a_completion_with_its_texts() -> None:
    told = {"id": "c", "choices": [{"index": 0, "text": "a", "logprobs": {"tokens": ["a"]}}, {"index": 1, "text": "b"}]}
    answer = COMPLETIONS.read_answer(json.dumps(told).encode())
    assert [piece.text for piece in answer.pieces] == ["a", "b"]
    written = json.loads(COMPLETIONS.write_answer(answer, [Edit(("choices", 0, "text"), "x")]))
    assert written["choices"][0] == {"index": 0, "text": "x", "logprobs": None}


@pytest.mark.parametrize("told", [b"{}", b'{"choices":[]}', b'{"choices":[7]}', b'{"choices":[{"text":7}]}', b'{"error":{}}'])
def test_a_completion_that_is_none_is_refused(told: bytes) -> None:
    with pytest.raises(BadUpstream):
        COMPLETIONS.read_answer(told)


def test_embeddings_come_back_as_they_are() -> None:
    told = {"object": "list", "model": "up", "data": [{"embedding": [0.1, -2.5e-8]}], "usage": {"prompt_tokens": 4}}
    answer = EMBEDDINGS.read_answer(json.dumps(told).encode())
    assert answer.usage.input == 4
    assert json.loads(EMBEDDINGS.write_answer(answer, model="m")) == {**told, "model": "m"}
    with pytest.raises(BadUpstream):
        EMBEDDINGS.read_answer(b'{"data":7}')


def test_embeddings_do_not_stream() -> None:
    reader = EMBEDDINGS.stream(EMBEDDINGS.read(body(input="x")))
    with pytest.raises(BadUpstream):
        list(reader.feed(b"data: {}\n\n"))
    with pytest.raises(BadUpstream):
        list(reader.close())


def test_lists_of_models() -> None:
    assert read_models(b'{"data":[{"id":"a","created":5,"owned_by":"them"},{"id":"b"},{"id":7},{"id":""},"x"]}') == ("a", "b")
    with pytest.raises(BadUpstream):
        read_models(b'{"data":{}}')


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_every_dialect_refuses_what_is_no_json(name: str) -> None:
    for junk in (b"", b"[]", b"{", b"\xff", b'{"a":' * 100_000):
        with pytest.raises(BadRequest, match="JSON body"):
            DIALECTS[name].read(junk)
        with pytest.raises(BadUpstream):
            DIALECTS[name].read_answer(junk)
