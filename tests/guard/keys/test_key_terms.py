"""What a key may do."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hauberk.guard.keys import Key, KeyProblem, Permit, Terms
from hauberk.guard.keys.permit import Globs, glob_expression
from hauberk.guard.limits.quota import Budget, Quota


def permit(**terms: object) -> Permit:
    key = Key(id="key_1", terms=Terms(name="k", **terms), digest=b"d", hint="", created=0.0, created_by="root")
    return Permit(key, b"d")


def test_models_routes_and_tools_are_globs_and_a_denial_wins() -> None:
    it = permit(models=("gpt-4*", "qwen"), routes=("/v1/chat/*",), tools_allow=("read_*",), tools_deny=("read_secret*",))
    assert it.model("gpt-4o-mini")
    assert it.model("qwen")
    assert not it.model("qwen2")
    assert not it.model("x-gpt-4o")
    assert it.route("/v1/chat/completions")
    assert not it.route("/v1/embeddings")
    assert it.tool("read_file")
    assert not it.tool("read_secrets")
    assert not it.tool("write_file")


def test_an_empty_list_allows_nothing() -> None:
    assert not permit(models=()).model("gpt-4o")


@given(st.text(max_size=30), st.text(max_size=30))
def test_globs_take_any_text_literally_but_for_star_and_question_mark(name: str, other: str) -> None:
    literal = name.replace("*", "").replace("?", "").encode("utf-8", "replace").decode()
    assert Globs((literal, "x")).match(literal)
    other = other.encode("utf-8", "replace").decode()
    assert Globs((literal,)).match(other) == (literal == other)


def test_regression_a_hostile_name_cannot_make_a_glob_slow() -> None:
    assert not Globs(("*a*a*a*a*a*a*a*a*a*a*b",)).match("a" * 256)
    assert not Globs(("a*",)).match("a" * 100_000)  # over the length limit of a name
    assert glob_expression("a.b") == "a\\.b"


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("not an address", False),
        ("10.1.2.3.4", False),
        ("010.1.2.3", False),
    ],
)
def test_networks(address: str, *, inside: bool) -> None:
    assert permit(networks=("10.0.0.0/8", "2001:db8::/32")).source(address) is inside


def test_no_network_means_anywhere() -> None:
    assert permit().source("")


@pytest.mark.parametrize(
    "terms",
    [
        Terms(name=""),
        Terms(name="x" * 300),
        Terms(name="k", networks=("10.0.0.0/99",)),
        Terms(name="k", models=tuple("m" for _ in range(2_000))),
        Terms(name="k", quota=Quota(tokens=0)),
        Terms(name="k", quota=Quota(priority=9)),
        Terms(name="k", quota=Quota(budgets=(Budget(-1.0),))),
        Terms(name="k", quota=Quota(budgets=(Budget(float("nan")),))),
    ],
)
def test_bad_terms_are_refused_with_a_reason(terms: Terms) -> None:
    with pytest.raises(KeyProblem, match=r"\w"):
        terms.check()


def test_an_expired_key_opens_nothing() -> None:
    now = time.time()
    assert permit(expires=now + 10).live(now)
    assert not permit(expires=now).live(now)
