# Every target works from a clean clone: .venv is made and filled on the first use.
# Another interpreter: make audit PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8000

# mkdocs-material announces its end of life at every build; the pins and the design of tools/site take care of it.
export NO_MKDOCS_2_WARNING := 1

# The site is the same byte for byte for the same commit and measurements.
export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

.DEFAULT_GOAL := help
.PHONY: help audit test docs serve lint format bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Installing the pinned dependencies into $(VENV); this takes a minute or more." >&2
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[cluster,dev,site,test]'
	@touch $@

audit: $(READY) ## build and measure every model, prove the numbers on the shipped cards
	$(BIN)/python -m tools.audit

test: $(READY) ## run the whole test suite
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

docs: $(READY) ## build the site into site/, strictly
	$(BIN)/python -m mkdocs build

serve: $(READY) ## show the site while you write, on http://127.0.0.1:$(PORT)
	$(BIN)/python -m mkdocs serve --dev-addr 127.0.0.1:$(PORT)

lint: $(READY) ## check style, types and workflows; change nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet .github/workflows action.yml

format: $(READY) ## format the code and mend what ruff can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure speed as ratios against a peer in the same run
	$(BIN)/python -m tests.benchmarks

clean: ## remove what the other targets made, measurements included
	rm -rf $(VENV) .cache site build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
