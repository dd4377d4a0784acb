"""Virtual keys and limits of a gateway that serves, changed from the command line."""

import json
import threading

import pytest
from guard_process import Guard, Reply, cli, until
from scripted_model import Model

LONG = (
    "My grandmother kept bees behind the old mill, and every summer we carried the frames down to the kitchen, where the honey "
    "ran slowly into the jars while she told us which of the hives had swarmed that year. Was it a good year for honey?"
)


def created(guard: Guard, *more: str) -> tuple[str, str]:
    """Id and token of a new key."""
    token = cli("guard", "keys", "create", "--name", "k", *more, cwd=guard.folder).strip()
    keys = json.loads(cli("guard", "keys", "list", "--json", cwd=guard.folder))
    return keys[-1]["id"], token


@pytest.mark.parametrize("key", ["", "hk-wrong", "sk-" + "x" * 40])
def test_a_stranger_is_refused_before_anything_is_read(strict: Guard, model: Model, key: str) -> None:
    reply = strict.chat(key=key)
    assert (reply.status, reply.error["code"]) == (401, "invalid_api_key")
    assert strict.get("/v1/models").status == 401
    assert model.asked == []


def test_every_way_to_send_a_key(strict: Guard, strict_key: str, model: Model) -> None:
    for headers in ({"authorization": f"Bearer {strict_key}"}, {"x-api-key": strict_key}, {"api-key": strict_key}):
        assert strict.get("/v1/models", **headers).status == 200
        assert strict.post("/v1/embeddings", {"model": "m", "input": "x"}, **headers).status == 200


def test_a_model_that_is_not_there_and_one_that_is_not_the_keys_look_alike(strict: Guard, strict_key: str, model: Model) -> None:
    _, token = created(strict, "--models", "other*")
    forbidden = strict.chat(key=token)
    unknown = strict.chat(key=strict_key, model="nothing")
    assert (forbidden.status, unknown.status) == (404, 404)
    assert forbidden.error["code"] == unknown.error["code"] == "model_not_found"
    assert strict.get("/v1/models", authorization=f"Bearer {token}").json()["data"] == []
    assert model.asked == []


def test_over_the_token_limit_a_client_is_told_when_to_come_back(strict: Guard, model: Model) -> None:
    _, token = created(strict, "--tokens", "120")
    first = strict.chat(key=token, max_tokens=60)
    assert first.status == 200
    assert first.headers["x-ratelimit-limit-tokens"] == "120"
    refused = next(reply for _ in range(10) if (reply := strict.chat(LONG, key=token, max_tokens=30)).status != 200)
    assert (refused.status, refused.error["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 61  # a window, and what is left of the slice it began in
    admitted = len(model.asked)
    assert strict.chat(LONG, key=token, max_tokens=30).status == 429
    assert len(model.asked) == admitted


def test_a_revoked_key_is_closed_while_the_gateway_serves(strict: Guard, model: Model) -> None:
    number, token = created(strict)
    assert strict.chat(key=token).status == 200
    cli("guard", "keys", "revoke", number, "--reason", "laptop stolen", cwd=strict.folder)
    until(lambda: strict.chat(key=token).status == 401, seconds=5)
    entries = [each["data"] for each in strict.log("audit/admin") if each["data"].get("key_id") == number]
    assert [each["event"] for each in entries] == ["create", "revoke"]
    assert token not in json.dumps(entries)


def test_a_key_revoked_while_its_answer_streams_ends_the_stream(strict: Guard, model: Model) -> None:
    number, token = created(strict)
    model.says("one ", "two ", "three")
    model.wait = threading.Event()
    made: list[Reply] = []
    asking = threading.Thread(target=lambda: made.append(strict.chat(key=token, stream=True)))
    asking.start()
    until(lambda: model.asked)
    cli("guard", "keys", "revoke", number, "--reason", "laptop stolen", cwd=strict.folder)
    asking.join(20)
    (reply,) = made
    assert reply.events()[-1]["error"]["code"] == "invalid_api_key"
    assert "three" not in reply.streamed()
    (entry,) = [each["data"] for each in strict.log() if each["type"] == "request" and each["data"]["key_id"] == number]
    assert entry["error"] == "the key no longer stands"


def test_a_suspended_key_opens_again(strict: Guard, model: Model) -> None:
    number, token = created(strict)
    cli("guard", "keys", "suspend", number, "--reason", "odd use", cwd=strict.folder)
    until(lambda: strict.chat(key=token).status == 401, seconds=5)
    cli("guard", "keys", "resume", number, "--reason", "explained", cwd=strict.folder)
    until(lambda: strict.chat(key=token).status == 200, seconds=5)
