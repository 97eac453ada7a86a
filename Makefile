# Meterproof: every target a developer, CI or a plant needs. `make demo` and `make test` are the two to know.
SHELL := /bin/bash
.DELETE_ON_ERROR:
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev
SEEDS ?= 100

.PHONY: help setup setup-dev demo test check lint types imports fast services integration campaign bench simulate-seeds wheels requirements clean

help:  ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Set PYTHON=/path/to/python3.11."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Creating a virtual environment failed. On Debian: apt-get install python3-venv"; exit 1; }

$(STAMP): requirements/runtime.txt pyproject.toml | $(VENV)/pyvenv.cfg
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/runtime.txt -r requirements/build.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_STAMP): requirements/dev.txt $(STAMP)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

setup: $(STAMP)  ## Create .venv and install what running needs
setup-dev: $(DEV_STAMP)  ## ... and what building and testing needs

demo: $(STAMP)  ## A simulated cement works, 35 days of history, then live; shows its address
	$(BIN)/meterproof demo

lint: $(DEV_STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV_STAMP)
	$(BIN)/mypy

imports: $(DEV_STAMP)
	$(BIN)/lint-imports

fast: $(DEV_STAMP)
	$(BIN)/pytest -q -m "not integration and not browser and not campaign"

check: lint types imports fast  ## Lint, types, import arrows, fast tests

services: ## Mosquitto, InfluxDB 1.6.7, mbpoll, Chromium, gcc: installs what is missing (the only target that uses apt)
	@bash tests/install_services.sh

integration: $(DEV_STAMP) services
	$(BIN)/pytest -q -m "(integration or browser) and not campaign"

test: lint types imports services  ## Everything: static checks, fast tests, real servers, browser, shares of the campaigns
	$(BIN)/pytest -q

campaign: $(DEV_STAMP) services  ## The long runs (seeds, kills, mutations, fuzz) at full length
	METERPROOF_CAMPAIGN=full $(BIN)/pytest -q -m campaign --timeout 7200

simulate-seeds: $(DEV_STAMP)  ## N seeded years of the simulated world: make simulate-seeds N=1000
	METERPROOF_SEEDS=$(or $(N),$(SEEDS)) $(BIN)/pytest -q -m campaign -k seeds --timeout 7200

bench: $(DEV_STAMP) services  ## Every benchmark, as ratios measured in one run, beside its target
	$(BIN)/python -m benchmarks

wheels: $(DEV_STAMP)  ## Fill wheels/ so that a plant installs without network
	rm -rf wheels && mkdir wheels
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation -w wheels .
	$(BIN)/python -m pip download --quiet --require-hashes --no-deps -d wheels -r requirements/runtime.txt
	cp requirements/runtime.txt wheels/
	@echo "On the plant's machine: python3 -m venv env && env/bin/pip install --no-index --find-links wheels meterproof"

requirements: $(DEV_STAMP)  ## Pin and hash again from requirements/*.in
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --upgrade requirements/runtime.in -o requirements/runtime.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements/runtime.txt requirements/build.in -o requirements/build.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header -c requirements/runtime.txt requirements/dev.in -o requirements/dev.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache wheels
