"""A program to be probed: what it does is its first argument."""

import json
import os
import subprocess
import sys

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def echo() -> None:
    say(f"You said {sys.stdin.read()}")


def as_json() -> None:
    given = json.load(sys.stdin)
    text = f"{given['prompt']}|{len(given['messages'])}"
    say(json.dumps({"text": text, "steps": [{"call": {"name": "pay", "arguments": "{}"}}]}))


def lines() -> None:
    for number, line in enumerate(sys.stdin):
        given = json.loads(line)
        if given["prompt"] == "die":
            sys.exit("I am dying")
        say(json.dumps({"text": f"{number} {given['prompt']} {given['session']}"}))


def leave() -> None:
    child = subprocess.Popen(SLEEP)
    say(str(child.pid))


def fail() -> None:
    sys.exit("Traceback\n ValueError: it went\twrong " + os.environ.get("BOT_TOKEN", ""))


def flood() -> None:
    while True:
        sys.stdout.write("x" * 65536)


def noise() -> None:
    for _ in range(200):
        sys.stderr.write("y" * 65536)
    say("done")


def deaf() -> None:
    say("I do not read")


def octets() -> None:
    sys.stdout.buffer.write(b"\xff\xfe ok")


def env() -> None:
    say(f"{os.environ['BOT_MODE']} {sys.argv[2]}")


globals()[sys.argv[1]]()
