"""A detector that raises: refused where the policy fails closed, let through and said so where it fails open."""

import sys

import pytest
from guard_process import OPEN, NewGuard, config
from scripted_model import Model

# The real command with one engine that fails, as one does that meets a text its author did not think of.
BROKEN = """
from hauberk.cli import main
from hauberk.detect.engines import phrase

whole = phrase.compile_rules

def compile_rules(rules):
    detector = whole(rules)

    def detect(asset):
        if b"xyzzy" in asset.content.data:
            raise RuntimeError("a detector failed")
        return detector(asset)

    return detect

phrase.compile_rules = compile_rules
main()
"""


@pytest.mark.parametrize("fail", ["closed", "open"])
def test_a_detector_that_raises(new_guard: NewGuard, model: Model, fail: str) -> None:
    text = config(model.url, top=f'fail = "{fail}"', more=OPEN)
    guard = new_guard(text, program=(sys.executable, "-c", BROKEN))
    good = guard.chat()
    assert (good.status, good.headers["x-hauberk-fail"], good.headers["x-hauberk-gaps"]) == (200, fail, "0")
    bad = guard.chat("say xyzzy to me")
    assert bad.status == (400 if fail == "closed" else 200)
    assert bad.headers["x-hauberk-fail"] == fail
    assert int(bad.headers["x-hauberk-gaps"]) >= 1
    assert bad.headers["x-hauberk-decision"] == ("block" if fail == "closed" else "flag")
    assert b"detector" not in bad.body
    model.says("the word ", "is xyz", "zy, you know")
    stream = guard.chat(stream=True)
    assert ("xyzzy" in stream.streamed()) == (fail == "open")
    assert ("error" in stream.events()[-1]) == (fail == "closed")
    assert guard.stop() == 0
    gaps = [gap["reason"] for entry in guard.log() if entry["type"] == "request" for gap in entry["data"]["gaps"]]
    assert gaps.count("detector-error") >= 2
