"""Writes what was learnt: the model, its rules to read, the samples it must go on catching, and the figures."""

import os

import msgspec

from hauberk.detect.learnt.file import written
from hauberk.detect.learnt.folder import FILE
from hauberk.probe.learn.errors import LearnError
from hauberk.probe.learn.proposal import lines_of, write_whole
from hauberk.probe.learn.rules import yaml_of
from hauberk.probe.learn.sample import Sample
from hauberk.probe.learn.train import Learning

REGRESSION, CARD, RULES = "regression.jsonl", "card.json", "rules"


def keep(folder: str, learning: Learning, samples: tuple[Sample, ...]) -> None:
    """Writes all of it, the model last, so that a guard never sees half. Raises LearnError."""
    try:
        for made in (folder, os.path.join(folder, RULES)):  # the mode is the last part's only
            os.makedirs(made, mode=0o700, exist_ok=True)
        for name in os.listdir(os.path.join(folder, RULES)):
            if name.endswith(".yaml"):
                os.unlink(os.path.join(folder, RULES, name))
        for rule in learning.model.rules:
            write_whole(os.path.join(folder, RULES, f"{rule.id}.yaml"), yaml_of(rule).encode())
        write_whole(os.path.join(folder, ".gitignore"), b"*\n")
        write_whole(os.path.join(folder, REGRESSION), lines_of(samples))
        card = {"rate": learning.model.rate, "samples": len(samples), "tool": learning.model.tool, "voices": learning.figures}
        write_whole(os.path.join(folder, CARD), msgspec.json.format(msgspec.json.encode(card), indent=2) + b"\n")
        write_whole(os.path.join(folder, FILE), written(learning.model))
    except OSError as error:
        raise LearnError(f"{folder}: cannot be written: {(error.strerror or str(error)).lower()}") from error
