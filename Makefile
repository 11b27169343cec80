# One door for people and for CI. `make help` lists what there is; every target makes the .venv it needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help install install-all run test check bench soak docs lock shots fmt clean python

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet
# Stamps carry the hash of the requirement files, so that a changed pin installs again and a touched file does not.
PINS := $(shell cat requirements.txt 2>/dev/null | cksum | tr ' ' -)
DEV_PINS := $(shell cat requirements.txt requirements-dev.txt 2>/dev/null | cksum | tr ' ' -)
RUN_STAMP := $(VENV)/.installed-$(PINS)
DEV_STAMP := $(VENV)/.installed-dev-$(DEV_PINS)

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

python:
	@for p in python3.13 python3.12 python3.11 python3; do \
	  command -v $$p >/dev/null 2>&1 || continue; \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; exit 0; }; \
	done; \
	found=$$(python3 -c 'import platform; print(platform.python_version())' 2>/dev/null || echo none); \
	echo "Python 3.11 or newer is needed; found: $$found. On Debian or Ubuntu: apt install python3.11 python3.11-venv" >&2; \
	exit 1

$(PY):
	@p=$$($(MAKE) --silent --no-print-directory python) || exit 1; \
	$$p -c 'import ensurepip, venv' 2>/dev/null || { \
	  v=$$($$p -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])'); \
	  echo "$$p has no venv module. On Debian or Ubuntu: apt install $$v" >&2; exit 1; }; \
	echo "making $(VENV) with $$p" >&2; \
	$$p -m venv $(VENV)

$(RUN_STAMP): | $(PY)
	@echo "installing requirements.txt" >&2
	@$(PIP) install -r requirements.txt
	@rm -f $(VENV)/.installed-[0-9]*; touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo "installing requirements-dev.txt" >&2
	@$(PIP) install -r requirements-dev.txt
	@rm -f $(VENV)/.installed-dev-*; touch $@

install: $(RUN_STAMP) ## .venv with the pinned requirements

install-all: $(DEV_STAMP) ## .venv with what tests and checks need as well

# The recipe below is one plain command, so that make itself is the demo's parent and takes it along when it dies.
run: export EMERGENCY_WITH_PARENT = 1
run: $(RUN_STAMP) ## the whole system playing a past episode; ARGS="--no-browser --port 8000 --episode NAME --speed N"
	@$(PY) -m emergency demo $(ARGS)

# three at a time on two cores: the longest tests mostly wait
test: $(DEV_STAMP) ## every test, on the embedded default or on EMERGENCY_TEST_DATABASE_URL and EMERGENCY_TEST_BROKER_URL
	@$(PY) -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(DEV_STAMP) ## ruff, mypy, import contracts, house rules
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy
	@PYTHONPATH=. $(VENV)/bin/lint-imports
	@if [ -f tests/test_house_rules.py ]; then $(PY) -m pytest -n 0 tests/test_house_rules.py; fi

bench: $(DEV_STAMP) ## the benchmarks, each beside its floor; ARGS="--json --only GROUP --size N"
	@if [ -f benchmarks/__main__.py ]; then $(PY) -m benchmarks $(ARGS); \
	else echo "there are no benchmarks to run yet" >&2; exit 1; fi

soak: $(DEV_STAMP) ## random deaths of worker, beat, pages and broker, counted; ARGS="--kills 500 --seconds N --seed N"
	@$(PY) -m tests.crash.soak $(ARGS)

lock: $(PY) ## pin requirements.in and requirements-dev.in anew for every supported Python, with uv in a venv of its own
	@rm -rf var/lock && mkdir -p var && $(PY) -m venv var/lock && var/lock/bin/python -m pip --quiet install uv
	@for name in requirements requirements-dev; do \
	  var/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --upgrade \
	    $$name.in -o var/lock/$$name.txt && \
	  { echo "# What $$name.in pins (make lock writes this file)."; cat var/lock/$$name.txt; } > $$name.txt || exit 1; \
	done; rm -rf var/lock

shots: $(DEV_STAMP) ## a picture of every page, into var/shots
	@if [ -f tests/browser/shots.py ]; then $(PY) -m tests.browser.shots $(ARGS); \
	else echo "tests/browser/shots.py is not written yet: no pictures were taken" >&2; exit 1; fi

fmt: $(DEV_STAMP) ## sort imports and mend what ruff can mend safely
	@$(VENV)/bin/ruff check --fix .

clean: ## remove .venv, caches and the demo's data
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis var/demo-* var/lock
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
