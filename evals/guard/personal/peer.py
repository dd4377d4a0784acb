"""Runs in the peer's own environment: JSON lines of texts in, JSON lines of spans and seconds out.

    python -m venv VENV && VENV/bin/pip install presidio-analyzer
    VENV/bin/python evals/guard/personal/peer.py < texts.jsonl > spans.jsonl

Presidio with every pattern recogniser that it ships, over a blank spaCy pipeline: models of names need a model hub.
"""

import inspect
import json
import logging
import sys
import time

import presidio_analyzer.predefined_recognizers as shipped
import spacy
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine

logging.disable(logging.WARNING)


class Blank(SpacyNlpEngine):
    """A tokenizer without a model."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """Nothing to load."""


def engine() -> AnalyzerEngine:
    """Presidio with its pattern recognisers, all asked to read as English."""
    registry = RecognizerRegistry(supported_languages=["en"])
    for name, kind in vars(shipped).items():
        if not (inspect.isclass(kind) and issubclass(kind, PatternRecognizer)) or kind is PatternRecognizer:
            continue
        try:
            registry.add_recognizer(kind(supported_language="en"))
        except Exception as error:
            print(name, error, file=sys.stderr)
    registry.add_recognizer(shipped.PhoneRecognizer(supported_language="en", supported_regions=("US", "UK", "DE", "IN", "CN")))
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])


def main() -> None:
    analyzer = engine()
    for line in sys.stdin:
        text = json.loads(line)["text"]
        start = time.perf_counter()
        spans = [(s.entity_type, s.start, s.end, s.score) for s in analyzer.analyze(text, "en")]
        print(json.dumps({"spans": spans, "seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
