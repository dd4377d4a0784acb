"""Tokenizers: ids that collide, words that are rewritten, tables and patterns that harm a loader."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hauberk.assets.budget import Budget
from hauberk.assets.configs.regex_shape import explodes
from hauberk.assets.configs.tokenizer import facts, is_tokenizer
from hauberk.core import Asset, Fact

VOCAB = {"the": 0, "cat": 1, "sat": 2, "exec": 3, "eval": 4}


def checks(**parts: object) -> set[str]:
    obj = {"version": "1.0", "added_tokens": [], "model": {"type": "WordLevel", "vocab": VOCAB}, **parts}
    assert is_tokenizer(obj)
    return {item.check for item in facts(Asset(uri="t"), obj, Budget()) if isinstance(item, Fact)}


def replace(old: str, new: str, kind: str = "String") -> dict[str, object]:
    return {"type": "Replace", "pattern": {kind: old}, "content": new}


def test_ordinary_tokenizer_says_nothing() -> None:
    assert (
        checks(
            added_tokens=[{"id": 0, "content": "the", "special": False}, {"id": 5, "content": "<|im_end|>", "special": True}],
            normalizer={
                "type": "Sequence",
                "normalizers": [{"type": "NFC"}, replace(" ", "▁"), replace("\\s+", " ", "Regex"), replace("``", '"')],
            },
            pre_tokenizer={"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\s+(?!\\S)"}},
            decoder={"type": "Sequence", "decoders": [replace("▁", " "), {"type": "ByteFallback"}]},
            padding={"strategy": {"Fixed": 512}},
            truncation={"max_length": 512, "stride": 0},
        )
        == set()
    )


@pytest.mark.parametrize(
    ("parts", "check"),
    [
        ({"model": {"vocab": {"safe": 0, "unsafe": 0, "a": 1}}}, "tokenizer.shared-id"),
        ({"added_tokens": [{"id": 1, "content": "<end>"}]}, "tokenizer.shared-id"),
        ({"added_tokens": [{"id": 9, "content": "<a>"}, {"id": 9, "content": "<b>"}]}, "tokenizer.shared-id"),
        ({"added_tokens": [{"id": 9, "content": "cat"}]}, "tokenizer.two-ids"),
        ({"added_tokens": [{"id": 1 << 40, "content": "x"}]}, "tokenizer.absurd-id"),
        ({"added_tokens": [{"id": -1, "content": "x"}]}, "tokenizer.absurd-id"),
        ({"added_tokens_decoder": {"x": {"content": "y"}}}, "tokenizer.absurd-id"),
        ({"model": {"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 7}}, "tokenizer.absurd-id"),
        ({"normalizer": replace("https://bank.example", "https://evil.example")}, "tokenizer.rewrites"),
        ({"normalizer": {"type": "Sequence", "normalizers": [replace(" not ", " ")]}}, "tokenizer.rewrites"),
        ({"normalizer": replace("\\bnever\\b", "always", "Regex")}, "tokenizer.rewrites"),
        ({"decoder": {"type": "Sequence", "decoders": [replace("refuse", "agree")]}}, "tokenizer.rewrites"),
        ({"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$"}}}, "tokenizer.slow-pattern"),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "/////w=="}}, "tokenizer.charsmap"),
        ({"normalizer": {"type": "Precompiled", "precompiled_charsmap": "not base64!"}}, "tokenizer.charsmap"),
        ({"padding": {"strategy": {"Fixed": 10**12}}}, "tokenizer.absurd-length"),
        ({"truncation": {"max_length": 4, "stride": 4}}, "tokenizer.absurd-length"),
        ({"eos_token": "however"}, "tokenizer.special-is-word"),
        (
            {"added_tokens": [{"id": 9, "content": "<s>", "special": True}, {"id": 8, "content": "good<s>"}]},
            "tokenizer.hidden-special",
        ),
        ({"added_tokens": [{"id": 9, "content": "\U000e0041"}]}, "tokenizer.hidden-text"),
    ],
)
def test_tampering(parts: dict[str, object], check: str) -> None:
    assert check in checks(**parts)


def test_vocabulary_alone() -> None:
    vocab = {f"t{n}": n for n in range(30)}
    assert is_tokenizer(vocab)
    assert list(facts(Asset(uri="v"), vocab, Budget())) == []
    (found,) = facts(Asset(uri="v"), {**vocab, "unsafe": 3}, Budget())
    assert isinstance(found, Fact)
    assert found.check == "tokenizer.shared-id"


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a*)*", "(?:\\w+\\s?)+", "([a-z]+)*!", "(x|x)*y", "(.|a)+", "(\\s*a+)*", "(?:a{1,})+", "((a+))+"]
)
def test_patterns_that_explode(pattern: str) -> None:
    assert explodes(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?i:'s|'t|'re|'ll)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{M}]*[\\p{Ll}\\p{M}]+(?i:'s|'t)?|\\p{N}{1,3}",
        "\\p{N}(?=(\\d{3})+(?!\\d))",
        "(?>a+)+",
        "(a++)+",
        "(ab+c)*",
        "(?:foo|bar)+",
        "[一-龥぀-ゟ]+",
        "\\(a+\\)+",
        "",
    ],
)
def test_patterns_that_do_not(pattern: str) -> None:
    assert explodes(pattern) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=True),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "content",
                    "special",
                    "vocab",
                    "unk_id",
                    "pattern",
                    "Regex",
                    "String",
                    "type",
                    "strategy",
                    "Fixed",
                    "precompiled_charsmap",
                    "0",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "model",
                "added_tokens",
                "added_tokens_decoder",
                "normalizer",
                "decoder",
                "pre_tokenizer",
                "padding",
                "truncation",
                "eos_token",
            ]
        ),
        JSON,
    )
)
def test_any_shape(obj: dict[str, object]) -> None:
    is_tokenizer(obj)
    assert len(list(facts(Asset(uri="t"), obj, Budget()))) < 1000


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="ab()[]*+?{}|\\^$.,1pL:<!=>", max_size=60))
def test_any_pattern(pattern: str) -> None:
    assert isinstance(explodes(pattern), str)
