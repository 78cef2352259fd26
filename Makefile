# make demo    make a clip with known truth, place its sound, measure and draw the result
# make test    lint, types and tests
# make test-browser  tests of the report page, in a Chromium that is installed
# make test-train    tests of what trains the models, with torch
#
# make schemas write the protocol's JSON Schemas and the tables of schemas/README.md
# make bench   measure speed and memory, write docs/performance.md
# make reliability  run the test of every promise of the host, write docs/reliability.md
#
# They create .venv and install the locked requirements first; a second call skips that.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-browser test-train bench reliability schemas lint lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make /make /p' $(MAKEFILE_LIST)

demo: $(VENV)/.cpu
	@$(BIN)/foleyspace demo

test: lint
	$(BIN)/python -m pytest

# needs a Chromium: apt install chromium, or FOLEYSPACE_CHROMIUM=/path/to/one; skips without
test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest tests/browser

test-train: $(VENV)/.train
	$(BIN)/mypy -p training
	$(BIN)/python -m pytest tests/train

# PEERS: folder of a kit that races other renderers; PEERS_PYTHON: interpreter that has them
bench: $(VENV)/.cpu
	$(BIN)/python benchmarks/performance.py $(if $(PEERS),--peers $(PEERS)) $(if $(PEERS_PYTHON),--peers-python $(PEERS_PYTHON))

reliability: $(VENV)/.dev
	$(BIN)/python benchmarks/reliability.py

schemas: $(VENV)/.cpu
	$(BIN)/python tools/export_schemas.py

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'FoleySpace needs Python 3.11 or newer; name one with: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# the last line compiles the kernels, with a compiler from PyPI where there is none
$(VENV)/.cpu: requirements/cpu.txt pyproject.toml hatch_build.py $(wildcard foleyspace_host/kernels/c/*) | $(BIN)/python
	@echo 'Installing what FoleySpace needs into $(VENV) ...'
	@$(PIP) install --quiet --require-hashes -r requirements/cpu.txt
	@test -z "$$($(BIN)/python hatch_build.py requires)" || \
	  $(PIP) install --quiet --require-hashes -r requirements/compiler.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.cpu
	@echo 'Installing what its tests need into $(VENV) ...'
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@touch $@

$(VENV)/.browser: requirements/browser.txt $(VENV)/.dev
	@echo 'Installing what the tests in a browser need into $(VENV) ...'
	@$(PIP) install --quiet --require-hashes -r requirements/browser.txt
	@touch $@

# not by digest: which build of torch it is, for CUDA or for the processor alone, is the machine's choice
$(VENV)/.train: requirements/train.txt $(VENV)/.dev
	@echo 'Installing what training needs into $(VENV) ...'
	@$(PIP) install --quiet -r requirements/train.txt
	@touch $@

# the locks hold for every platform and Python that the project runs on
lock: | $(BIN)/python
	$(PIP) install --quiet $(UV)
	$(BIN)/uv pip compile pyproject.toml requirements/build.in --extra cpu \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/cpu.txt
	$(BIN)/uv pip compile pyproject.toml requirements/build.in --extra cpu --extra dev -c requirements/cpu.txt \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/dev.txt
	$(BIN)/uv pip compile requirements/compiler.in \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/compiler.txt
	$(BIN)/uv pip compile requirements/browser.in -c requirements/dev.txt \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/browser.txt
	$(BIN)/uv pip compile requirements/train.in -c requirements/dev.txt --no-deps \
	  --universal --python-version 3.11 --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/train.txt

clean:
	rm -rf $(VENV) build dist foleyspace_host/kernels/compiled foleyspace-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find foleyspace_host tests tools -name __pycache__ -prune -exec rm -rf {} +
