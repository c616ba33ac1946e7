# make lab    sets everything up and opens JupyterLab on the live monitor
# make test   sets everything up and runs every check
# make bench  prints the benchmark tables
# make kernel compiles native/ into this checkout; the others do so where a compiler is
# make docs   builds the documentation site in build/docs, with the API and the executed notebooks
# make clean  removes the environment and what the tools cached
#
# Needs Python 3.11 or newer and make; everything else goes into .venv. Another Python: make test PYTHON=python3.12

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
SAY_KERNEL := $(BIN)/python -c "from aiops_nb import kernel; print('Kernel:', kernel.status())"
SETTINGS := $(VENV)/share/jupyter/lab/settings

.PHONY: help lab test lint bench kernel docs constraints clean

help:
	@sed -n '1,8s/^# \{0,1\}//p' Makefile

lab: $(VENV)/.lab $(VENV)/.kernel
	$(BIN)/aiops-nb lab

# Two processes, because many tests wait for servers and intervals. A file's tests share its servers, so they stay
# together; in the order of collection, which has the browser last (tests/conftest.py says why).
test: $(VENV)/.dev $(VENV)/.kernel lint
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev $(VENV)/.kernel
	$(BIN)/python -m benchmarks

kernel: $(VENV)/.kernel

docs: $(VENV)/.dev $(VENV)/.kernel
	$(BIN)/python docs/build.py
	@echo "open build/docs/index.html"

$(VENV)/.python:
	@test -n "$(PYTHON)" || { echo "aiops-nb: expected Python 3.11 or newer on the PATH, found none" >&2; exit 1; }
	@echo "Setting up $(VENV); the first time takes a few minutes."
	$(PYTHON) -m venv $(VENV)
	@touch $@

# This environment's own JupyterLab does not ask for news over the dashboard. A user's settings are never touched.
# Hashes first: pip cannot check them for this checkout itself, nor take them from a constraints file. The second line
# then finds every dependency installed.
$(VENV)/.lab: $(VENV)/.python pyproject.toml constraints.txt constraints-hashes.txt
	$(PIP) --require-hashes --requirement constraints-hashes.txt
	$(PIP) --editable '.[all]'
	@mkdir -p $(SETTINGS)
	@cp .ci/jupyterlab-overrides.json $(SETTINGS)/overrides.json
	@$(SAY_KERNEL)
	@touch $@ $(VENV)/.kernel

$(VENV)/.dev: $(VENV)/.lab
	$(PIP) --editable '.[dev]'
	@touch $@

# The install above compiles too. Without a compiler it succeeds, and AIOPS_NB_KERNEL=require makes that an error.
$(VENV)/.kernel: $(wildcard native/*) | $(VENV)/.lab
	$(PIP) --no-deps --editable .
	@$(SAY_KERNEL)
	@touch $@

# What a new environment gets from the package index today becomes what everybody gets.
constraints:
	$(PYTHON) -m venv build/constraints
	build/constraints/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[dev]'
	build/constraints/bin/python -m pip freeze --all --exclude pip --exclude-editable > constraints.txt
	build/constraints/bin/python -m pip --disable-pip-version-check install --quiet uv
	{ sed -n '/^#/!q;p' constraints-hashes.txt; \
	build/constraints/bin/uv pip compile --quiet pyproject.toml --extra all --universal --python-version 3.11.5 \
	--constraint constraints.txt --generate-hashes --no-header --no-annotate --no-emit-index-url; } > build/hashes.txt
	mv build/hashes.txt constraints-hashes.txt
	rm -rf build/constraints

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -f aiops_nb/kernel/_kernel.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
