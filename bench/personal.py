"""Microseconds a message for finding personal data, by length; Presidio in the same run when its Python is given.

    .venv/bin/python bench/personal.py [--peer VENV/bin/python]

Ordinary chat holds no value; the other texts hold one or a few. The peer runs as in evals/guard/personal/peer.py.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

from hauberk.detect import Bench
from hauberk.detect.personal.find import find
from hauberk.guard.redact import finder
from hauberk.guard.stream.redactor import StreamRedactor
from hauberk.rules import load_pack

PEER = Path(__file__).parent.parent / "evals/guard/personal/peer.py"
EN = "Could you explain how the second chapter builds on the first, and which 3 ideas matter most in 2024? "
ZH = "请解释一下第二章和第一章的关系，哪3个观点在2024年最重要？如果方便的话再给一个例子，谢谢。"
VALUE = {
    "en": "My card is 4111 1111 1111 1111 and my mail anna@acme.co.uk. ",
    "zh": "我的手机是13812345678，身份证11010519491231002X。",
}
LENGTHS = (50, 200, 2000)


def texts() -> dict[str, str]:
    made: dict[str, str] = {}
    for language, prose in (("en", EN), ("zh", ZH)):
        for length in LENGTHS:
            made[f"{language} {length} ordinary"] = (prose * (length // len(prose) + 1))[:length]
            made[f"{language} {length} with values"] = (VALUE[language] + prose * (length // len(prose) + 1))[:length]
    return made


def best(call: object, rounds: int = 7, count: int = 300) -> float:
    """The least of several rounds, in microseconds a call."""
    taken: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(count):
            call()  # type: ignore[operator]
        taken.append((time.perf_counter() - start) / count * 1e6)
    return min(taken)


def peer(python: str, made: dict[str, str], rounds: int = 9) -> dict[str, float]:
    """The peer's least time for each text."""
    lines = [json.dumps({"text": text}) + "\n" for text in list(made.values()) * (rounds + 1)]
    with tempfile.TemporaryFile("w+") as given:
        given.writelines(lines)
        given.seek(0)
        out = subprocess.run([python, str(PEER)], stdin=given, capture_output=True, text=True, check=True).stdout
    seconds = [json.loads(line)["seconds"] for line in out.splitlines()]
    return {name: min(seconds[n + len(made) :: len(made)]) * 1e6 for n, name in enumerate(made)}


def stream() -> float:
    """Microseconds a token of four characters, all shipped rules for secrets and personal data."""
    wanted = ("sensitive-information", "credential-exposure")
    seek = finder(Bench(rule for rule in load_pack().rules if rule.risk in wanted and "message" in rule.reads))
    text = EN * 20
    tokens = [text[n : n + 4] for n in range(0, len(text), 4)]

    def run() -> None:
        redactor = StreamRedactor(seek)
        for token in tokens:
            redactor.feed(token)
        redactor.end()

    return best(run, rounds=5, count=3) / len(tokens)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--peer", default="")
    given = options.parse_args()
    made = texts()
    theirs = peer(given.peer, made) if given.peer else {}
    print(f"{'text':24} {'hauberk µs':>12} {'presidio µs':>12}")
    for name, text in made.items():
        mine = best(lambda text=text: find(text))
        print(f"{name:24} {mine:12.1f} {theirs.get(name, float('nan')):12.0f}")
    print(f"stream, a token: {stream():.1f} µs")


if __name__ == "__main__":
    main()
