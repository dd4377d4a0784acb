# Everything a developer runs. `just` lists it.
set shell := ["bash", "-euo", "pipefail", "-c"]

_default:
    @just --list --unsorted

# Everything CI holds a change to
check: lint types contracts docs test

# Style and common mistakes
lint:
    uv run ruff format --check .
    uv run ruff check .

# Strict types
types:
    uv run pyright

# Who may import whom
contracts:
    uv run lint-imports

# Generated parts of README and docs are what the code says today
docs:
    uv run python docs/generate.py --check

# The whole test command
test *ARGS:
    uv run pytest -n 2 {{ARGS}}

# The property tests with new random examples; put what they find into a test of its own
explore *ARGS:
    uv run pytest -n 2 --hypothesis-profile=default --hypothesis-seed=$RANDOM {{ARGS}}

# Rewrite the generated parts of README and docs
generate:
    uv run python docs/generate.py

# A wheel with its rules packed and sealed
build:
    uv run python -m hauberk.rules.pack
    uv build --wheel
    rm -f src/hauberk/rules/sealed.msgpack

# Fuzz every reader for SECONDS each with coverage feedback (Linux)
fuzz SECONDS="20":
    uv run --with atheris python evals/fuzz/run.py --seconds {{SECONDS}}

# Detection on a model corpus (see evals/models/README.md)
eval-models CORPUS:
    uv run python evals/models/run.py {{CORPUS}}

# Speed and memory, with sha256sum, genops and the peers in the same run
bench *ARGS:
    uv run python bench/scan.py {{ARGS}}

# The guard's detectors on evaluation sets (see evals/guard/README.md)
eval-guard *ARGS:
    uv run python evals/guard/run.py {{ARGS}}

# A small local LLM for the end-to-end tests, into .cache/llm
llm:
    evals/guard/llm/fetch.sh

# What the gateway costs, beside a bare aiohttp proxy (see the script)
bench-gateway *ARGS:
    uv run python bench/gateway.py {{ARGS}}
