# The commands of this project; `make` alone lists them. Needs Python ≥ 3.11 and make.
PYTHON ?= python3
VENV   ?= .venv
MINUTES ?= 1
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
# As pip compiles what it installs, or each of our commands compiles it all again where
# PYTHONDONTWRITEBYTECODE is set.
COMPILE = $(BIN)/python -m compileall -q aggregator
PREFIX ?= /usr/local
PLACES  = --prefix '$(PREFIX)' --destdir '$(DESTDIR)'

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(COMPILE)
	@touch $@

setup: $(READY) ## a virtual environment with everything, in .venv

demo: $(READY) ## the whole job on recorded outlets, without the Internet
	@$(BIN)/aggregator demo --no-serve

look: $(READY) ## the same, then served to look at
	@$(BIN)/aggregator demo

run: $(READY) ## one real cycle with feeds.toml: poll, then publish to public/
	@$(BIN)/aggregator run

test: $(READY) ## every test, with coverage
	@$(COMPILE)
	@$(BIN)/python -m pytest -q -n auto --cov --cov-report=term

lint: $(READY) ## style and types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

audit: $(READY) ## known vulnerabilities of the versions in constraints.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[audit]' \
	  || echo "audit: pip-audit cannot be installed"
	@$(BIN)/python .ci/audit.py

fuzz: $(READY) ## what others may send, tried on each stage for MINUTES (1)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[fuzz]' \
	  || echo "atheris cannot be installed: nothing is guided"
	@$(BIN)/python benchmarks/fuzz.py --guided --minutes $(MINUTES)
	@$(BIN)/python benchmarks/fuzz.py --minutes $(MINUTES)

trust: $(READY) ## every proof that nothing is lost and nobody in; hours, as root for disks
	@$(BIN)/python benchmarks/trust.py

install: ## on this machine, as a service, or the upgrade (sudo); DESTDIR=FOLDER to try it
	@$(PYTHON) -u deploy/install.py install $(PLACES) --prepare '$(PREPARE)'

rollback: ## back to the program before the last upgrade (sudo)
	@$(PYTHON) -u deploy/install.py rollback $(PLACES)

uninstall: ## takes the program out and keeps the data (sudo)
	@$(PYTHON) -u deploy/install.py uninstall $(PLACES)

clean: ## removes what was set up and what demo and tests wrote
	@rm -rf $(VENV) demo-site .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

.PHONY: help setup demo look run test lint audit fuzz trust install rollback uninstall clean
