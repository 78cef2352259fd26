# make demo    make a clip with known truth, place its sound, measure and draw the result
# make test    lint, types and tests
# make test-browser  tests of the report page, in a Chromium that is installed
# make test-train    tests of what trains the models, with torch
# make test-reaper   tests of the actions for REAPER, run by Lua against a REAPER that stands in
# make test-cluster batches on a cluster of real processes, which it kills
# make test-adm      what the EBU's renderer makes of exported objects
# make test-blender  tests of the extension in a real Blender, the module bpy
#
# make schemas write the protocol's JSON Schemas and the tables of schemas/README.md
# make test-blender-lts  the same in Blender 4.5 and 5.2 (which wants Python 3.13)
# make wheel   build the wheel, the Blender extension in it, into dist
# make bench   measure speed and memory, write docs/performance.md
# make reliability  run the test of every promise of the host, write docs/reliability.md
#
# They create .venv and install the locked requirements first; a second call skips that.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := uv==0.13.9
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-cluster test-adm test-browser test-train test-reaper test-blender test-blender-lts \
  test-blender-4.5 test-blender-5.2 wheel bench reliability schemas lint lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make /make /p' $(MAKEFILE_LIST)

demo: $(VENV)/.cpu
	@$(BIN)/foleyspace demo

test: lint
	$(BIN)/python -m pytest --ignore=tests/cluster

# needs a Chromium: apt install chromium, or FOLEYSPACE_CHROMIUM=/path/to/one; skips without
test-browser: $(VENV)/.browser
	$(BIN)/python -m pytest tests/browser

test-train: $(VENV)/.train
	$(BIN)/mypy -p training
	$(BIN)/python -m pytest tests/train

test-cluster: $(VENV)/.dev
	$(BIN)/python -m pytest tests/cluster

# ear wants an older numpy than the host, so it has an environment of its own
test-adm: $(VENV)/.dev
	@$(if $(PYTHON_311),$(MAKE) --no-print-directory $(VENV)/.ear && $(BIN)/python -m pytest tests/adm, \
	  echo 'The tests with the EBU ADM Renderer are skipped: it runs in Python 3.11, and there is none here')

# luacheck is no package of Python: apt install lua-check
test-reaper: $(VENV)/.reaper
	@if command -v luacheck >/dev/null; then luacheck --quiet --config plugins/reaper/.luacheckrc plugins/reaper; \
	  else echo 'luacheck is not there, so the Lua scripts are not linted'; fi
	$(BIN)/python -m pytest tests/plugins/reaper tests/unit/bridges/reaper

# bpy 5.0 runs in Python 3.11 alone and wants an older numpy than the host, so it has an environment of its own
BLENDER := $(VENV)/blender
PYTHON_311 = $(shell for python in $(BIN)/python python3.11; do \
  $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$python && break; done)
EXTENSION := $(shell find plugins/blender/foleyspace -type f -not -name '*.pyc' 2>/dev/null)

test-blender: $(VENV)/.dev
	@$(if $(PYTHON_311),$(MAKE) --no-print-directory $(VENV)/.extension && \
	  FOLEYSPACE_COMMAND=$(abspath $(BIN)/foleyspace) $(BLENDER)/bin/python -m pytest tests/plugins/blender, \
	  echo 'The tests in Blender are skipped: bpy 5.0 runs in Python 3.11 alone, and there is none here')

# BPY: folder of a bpy or of a Blender whose builder to take, where there is no Python 3.11 to install bpy in
wheel: $(VENV)/.cpu $(VENV)/.extension
	@$(PIP) wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls -t dist/*.whl | head -n 1

$(VENV)/.extension: $(EXTENSION) requirements/blender-wheels.txt | $(VENV)/.cpu $(if $(BPY),,$(VENV)/.blender)
	@echo 'Building the Blender extension ...'
	@$(BIN)/foleyspace blender build --bpy $(or $(BPY),$(BLENDER))
	@touch $@

# the same in the last long-term versions, each in an environment of its own: 4.5 wants Python 3.11, 5.2 wants 3.13
PYTHON_313 = $(shell for python in python3.13 $(BIN)/python; do \
  $$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$python && break; done)

test-blender-lts: test-blender-4.5 test-blender-5.2

test-blender-4.5: $(VENV)/.dev
	@$(if $(PYTHON_311),$(MAKE) --no-print-directory $(VENV)/.blender-4.5 $(VENV)/.extension && \
	  FOLEYSPACE_COMMAND=$(abspath $(BIN)/foleyspace) $(BLENDER)-4.5/bin/python -m pytest tests/plugins/blender, \
	  echo 'The tests in Blender 4.5 are skipped: it runs in Python 3.11 alone, and there is none here')

test-blender-5.2: $(VENV)/.dev
	@$(if $(and $(PYTHON_311),$(PYTHON_313)),$(MAKE) --no-print-directory $(VENV)/.blender-5.2 $(VENV)/.extension && \
	  FOLEYSPACE_COMMAND=$(abspath $(BIN)/foleyspace) $(BLENDER)-5.2/bin/python -m pytest tests/plugins/blender, \
	  echo 'The tests in Blender 5.2 are skipped: it runs in Python 3.13 alone, and there is none here')

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

$(VENV)/.reaper: requirements/reaper.txt $(VENV)/.dev
	@echo 'Installing what the tests of the actions for REAPER need into $(VENV) ...'
	@$(PIP) install --quiet --require-hashes -r requirements/reaper.txt
	@touch $@

$(VENV)/.ear: requirements/ear.txt | $(BIN)/python
	@echo 'Installing the EBU ADM Renderer into $(VENV)/ear ...'
	@$(PYTHON_311) -m venv --clear $(VENV)/ear
	@$(VENV)/ear/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/ear.txt
	@touch $@

$(VENV)/.blender: requirements/blender.txt | $(BIN)/python
	@test -n '$(PYTHON_311)' || { echo 'bpy 5.0 runs in Python 3.11 alone, and there is none here'; exit 1; }
	@echo 'Installing Blender and what its tests need into $(BLENDER) ...'
	@$(PYTHON_311) -m venv --clear $(BLENDER)
	@$(BLENDER)/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/blender.txt
	@touch $@

$(VENV)/.blender-4.5: requirements/blender-4.5.txt | $(BIN)/python
	@echo 'Installing Blender 4.5 and what its tests need into $(BLENDER)-4.5 ...'
	@$(PYTHON_311) -m venv --clear $(BLENDER)-4.5
	@$(BLENDER)-4.5/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/blender-4.5.txt
	@touch $@

$(VENV)/.blender-5.2: requirements/blender-5.2.txt | $(BIN)/python
	@echo 'Installing Blender 5.2 and what its tests need into $(BLENDER)-5.2 ...'
	@$(PYTHON_313) -m venv --clear $(BLENDER)-5.2
	@$(BLENDER)-5.2/bin/python -m pip --disable-pip-version-check install --quiet --require-hashes -r requirements/blender-5.2.txt
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
	$(BIN)/uv pip compile requirements/reaper.in -c requirements/dev.txt \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/reaper.txt
	$(BIN)/uv pip compile requirements/ear.in \
	  --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/ear.txt
	$(BIN)/uv pip compile requirements/blender-wheels.in --no-deps \
	  --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/blender-wheels.txt
	$(BIN)/uv pip compile requirements/blender.in -c requirements/blender-wheels.txt \
	  --python-version 3.11 --python-platform linux --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/blender.txt
	sed 's/^bpy==.*/bpy==4.5.15/' requirements/blender.in | $(BIN)/uv pip compile - -c requirements/blender-wheels.txt \
	  --python-version 3.11 --python-platform linux --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/blender-4.5.txt
	sed 's/^bpy==.*/bpy==5.2.3/' requirements/blender.in | $(BIN)/uv pip compile - -c requirements/blender-wheels.txt \
	  --python-version 3.13 --python-platform linux --generate-hashes --no-annotate --no-header \
	  --no-emit-index-url --no-emit-find-links --quiet -o requirements/blender-5.2.txt

clean:
	rm -rf $(VENV) build dist foleyspace_host/kernels/compiled foleyspace_host/bridges/blender/assets foleyspace-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find foleyspace_host tests tools -name __pycache__ -prune -exec rm -rf {} +
