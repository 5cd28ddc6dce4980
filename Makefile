# `make help` lists what there is. Each target makes the virtual environment it needs first.
PYTHON ?= python3
PYTHONS ?=
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
BENCH ?=
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-pythons test-editors editors check format bench vscode clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make the virtual environment

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "pennyproof needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "pennyproof needs Python 3.11 or newer; set PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev --group editors --group llama
	@for group in plugins pytest-7 pytest-8; do \
		$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/for-tests/$$group --group $$group || exit; done
	@touch $@

demo: $(READY) ## a short real session on a sample project with real bugs; a model helps where there is a key
	$(BIN)/pennyproof demo

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -n auto --dist worksteal

test-all: $(READY) ## run the tests, those of rarer kinds of projects among them
	$(BIN)/python -m pytest -n auto --dist worksteal -m 'not editors'

test-pythons: $(READY) ## run what runs inside projects under each Python from 3.8 on (PYTHONS="folders with more of them")
	$(BIN)/python -m tests.pythons $(PYTHONS)

editors: $(READY) ## get the editors that test-editors drives, and what lints their clients (Debian, npm; kept in the cache)
	$(BIN)/python -m tests.editors.installing

test-editors: editors ## run the scenarios in the real editors
	$(BIN)/python -m pytest -m editors tests/editors

LINTERS ?=
check: $(READY) ## format, lint, types, layers (LINTERS=--all: fail where a client's linter is not installed)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.editors.linting $(LINTERS)

format: $(READY) ## write the format that `check` asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## print the benchmarks (DATA=folder of the recorded tasks, BENCH="verdict --quick" for some)
	$(BIN)/python -m tests.bench $(BENCH) --data $(DATA)

vscode: $(READY) ## package the extension for VS Code as editors/vscode/pennyproof.vsix (needs Node.js)
	cp LICENSE editors/vscode/LICENSE
	cd editors/vscode && npm install --no-progress --loglevel=error && PATH="$(CURDIR)/$(BIN):$$PATH" npm run --silent package

clean: ## remove what the targets made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	rm -rf editors/vscode/node_modules editors/vscode/dist editors/vscode/server editors/vscode/LICENSE editors/vscode/*.vsix
