# Each target does its own set-up in a fresh clone; it needs Python 3.11 or newer with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lint bench docs clean

help:
	@echo "make demo    a recorded stream of a real guest through every step, with a word on each"
	@echo "make test    the tests (those that need QEMU or asn1c say so where it is missing)"
	@echo "make lint    ruff, mypy --strict, and whether generated/ is what the specs say"
	@echo "make bench   how fast things are, as ratios to others measured in the same run"
	@echo "make docs    the reference pages of the device specs, in site/"
	@echo "make clean   removes what these leave behind"

$(READY): pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed (make PYTHON=...)")'
	@echo "Setting up $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@# as pip does for what it installs: else a Python that is told to write no bytecode compiles at every start
	@$(BIN)/python -m compileall -q vmsgen generated
	@touch $@

demo: $(READY)
	@$(BIN)/python examples/demo.py

test: $(READY)
	$(BIN)/python -m pytest -q -n auto --dist loadgroup $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/vmsgen build --check
	$(BIN)/vmsgen lint
	$(BIN)/vmsgen fmt --check

bench: $(READY)
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

docs: $(READY)
	$(BIN)/vmsgen docs --out site

clean:
	rm -rf $(VENV) site demo-output build dist .vmsgen-cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
