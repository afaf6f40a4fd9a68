# remitstats: two targets do everything, `make report` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.installed

.PHONY: help report circle test test-slow lint coverage audit docs api format data sensitivity bench wheel browser clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml constraints.txt scripts/make-venv
	@scripts/make-venv $(VENV)
	@touch $@

report: $(STAMP)  ## Fit the reliance model on all of Mexico and write reports/index.html
	@$(VENV)/bin/remitstats run --out reports --fits fits

circle: $(STAMP)  ## Fit the circle with its specification curve too, and draw the report again
	@$(VENV)/bin/remitstats fit circle --out reports --fits fits
	@$(VENV)/bin/remitstats report --out reports

# Tests run side by side: linear algebra on several threads would only contend with them.
test test-slow coverage: export OPENBLAS_NUM_THREADS = 1

test: $(STAMP) browser  ## Run the tests (the slow ones aside)
	@$(PYTHON) -m pytest -n auto --dist loadfile

test-slow: $(STAMP) browser  ## Run the slow tests
	@$(PYTHON) -m pytest -m slow

lint: $(STAMP)  ## Check style and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

coverage: $(STAMP) browser  ## Run the tests and say which lines they ran (htmlcov/index.html)
	@$(PYTHON) -m pip install --quiet --constraint constraints.txt --editable ".[care]"
	@$(PYTHON) -m pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered --cov-report=html

audit: $(STAMP)  ## Look for known vulnerabilities of the packages used (asks the network)
	@scripts/audit $(PYTHON)

docs: $(STAMP)  ## Build the documentation, offline (docs/_build/html)
	@$(PYTHON) docs/notebooks/make_ipynb.py docs/_build/notebooks
	@$(PYTHON) -m sphinx --quiet --fail-on-warning --keep-going -b html docs docs/_build/html
	@echo "Written: docs/_build/html/index.html, docs/_build/notebooks"

api: $(STAMP)  ## List what users may rely on (docs/public-api.json)
	@$(PYTHON) tests/package/public_api.py

format: $(STAMP)  ## Put the code in its form
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

data: $(STAMP)  ## Build the shipped panel from the official files: make data RAW=folder
	@$(VENV)/bin/remitstats data build --raw "$(RAW)" --out data/mexico.parquet
	@$(PYTHON) -m remitstats.panel.dictionary

sensitivity: $(STAMP)  ## Fit again under other assumptions about the census sample and priors
	@$(PYTHON) models/sensitivity_reliance.py

bench: $(STAMP)  ## Compare with other samplers, hours: make bench BENCH=--quick for a trial
	@benchmarks/make-venv .venv-bench $(PYTHON)
	@$(PYTHON) -m benchmarks $(BENCH)

wheel: $(STAMP)  ## Build the wheel into dist/
	@$(PYTHON) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

browser:
	@scripts/find-chromium

clean:  ## Remove what was generated, the environment too
	rm -rf $(VENV) build dist docs/_build reports/*/ reports/*.html reports/results.json
