# make demo    installs into .venv and runs the whole pipeline on synthetic patients
# make serve   installs into .venv and starts the web page, with a synthetic study in build/study
# make test    installs into .venv and runs the tests
# make test-integration   the tests with Chromium, Ray and a running server
# make check   style, types, import order
# make dist    builds wheel and sdist into dist/, installs the wheel in a new environment and tests it
# make docs    builds the documentation as a web site into build/site; warnings are errors
PYTHON ?= python3
VENV ?= .venv
# PIP_ARGS="--extra-index-url https://download.pytorch.org/whl/cpu": the smaller CPU build of PyTorch.
PIP_ARGS ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q -c constraints.txt $(PIP_ARGS)

.PHONY: demo serve install install-dev test test-integration test-slow check format docs dist

demo: install
	$(BIN)/gliomask demo --out demo

serve: $(VENV)/installed-serve
	test -d build/study || $(BIN)/gliomask phantom build/study --patients 1
	@echo "to try it: drop the folder $(CURDIR)/build/study on the page"
	$(BIN)/gliomask serve --data build/serve

test: install-dev
	$(BIN)/python -m pytest -n auto

test-integration: install-dev
	$(BIN)/python -m pytest -n auto -m "(browser or ray or server) and not slow"

test-slow: install-dev
	$(BIN)/python -m pytest -n auto -m slow

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	.ci/check-javascript

format: install-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: export NO_MKDOCS_2_WARNING = 1
docs: $(VENV)/installed-docs
	$(BIN)/mkdocs build --strict

dist: install-dev
	rm -rf dist build/lib build/bdist.* build/trial
	$(BIN)/python -m build --outdir dist
	PYTHON=$(PYTHON) PIP_ARGS="$(PIP_ARGS)" sh container/install.sh . build/trial "" dist/*.whl

install: $(VENV)/installed
install-dev: $(VENV)/installed-dev

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || (echo "python's venv is missing: on Debian, apt-get install python3-venv"; exit 1)

# torch goes first and pinned: another package asking for it would take the newest, with CUDA.
$(VENV)/installed: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) torch
	$(PIP) -e ".[train]"
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) -e ".[dev]"
	touch $@

$(VENV)/installed-serve: $(VENV)/installed
	$(PIP) -e ".[serve]"
	touch $@

$(VENV)/installed-docs: $(VENV)/installed
	$(PIP) -e ".[docs]"
	touch $@
