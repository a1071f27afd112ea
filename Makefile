# Everything a person or a CI job types. Needs Python 3.11, make and git; all else is set up under the checkout
# (.tools, .venv, .meltano, .sandbox) and in uv's package cache. Nothing needs root.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV_VERSION := 0.13.9
DATA ?= ../shared/data/devon
PYTEST_ARGS ?=
# One more than cores: most tests wait for a server most of the time.
PYTEST_WORKERS ?= 3
SEEDS ?= 2000
JOBS ?= 2

UV := .tools/uv/bin/uv
MELTANO := .tools/meltano/bin/meltano
SANDBOX := .tools/sandbox/bin/stampli-infor-sandbox
ROOMS := tap-stampli-sftp transforms target-infor-cloudsuite sandbox
PACKAGES := tap-stampli-sftp/tap_stampli_sftp transforms/stampli_infor_transforms \
  target-infor-cloudsuite/target_infor_cloudsuite sandbox/stampli_infor_sandbox
PROJECTS := $(ROOMS:%=%/pyproject.toml)
PLUGIN_NAMES := tap-stampli-sftp target-infor-cloudsuite stampli-infor-mapper cloudsuite-ap
PLUGINS := .meltano/.installed

# A venv that the caller has activated is none of our business.
export VIRTUAL_ENV :=
export PYTHONPATH :=

export UV_NO_PROGRESS := 1
# Once, here: else each process compiles all of it anew wherever it may not write beside what is installed.
export UV_COMPILE_BYTECODE := 1
export MELTANO_PROJECT_ROOT := $(CURDIR)
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false

.DEFAULT_GOAL := help
.PHONY: help demo demo-real test proof lint format sandbox setup setup-plugins setup-dev setup-airflow hub docs lock clean

help: ## what can be typed
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
	  printf '  %-16s %s\n' "$$target" "$$text"; done

demo: setup ## the whole pipeline against the sandbox, twice
	@$(SANDBOX) demo

demo-real: setup ## the same on real public spend files: make demo-real DATA=<folder>
	@$(SANDBOX) demo --real "$(DATA)"

test: setup setup-dev setup-airflow lint ## lint, types and every test
	@.ci/servers
	.venv/bin/pytest --numprocesses=$(PYTEST_WORKERS) --dist=loadscope $(PYTEST_ARGS)

proof: setup-dev ## exactly once, longer than CI may take, figures into docs/exactly-once.md: make proof SEEDS=2000
	@.ci/servers
	PYTHONPATH=tests/support nice -n 10 .venv/bin/python -m proof.prove --seeds $(SEEDS) --jobs $(JOBS)

lint: setup-dev ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	@# One room at a time: each has a tests folder of its own, and mypy knows a module by its name.
	for package in $(PACKAGES); do .venv/bin/mypy $$package $$(dirname $$package)/tests || exit 1; done
	.venv/bin/mypy conftest.py tests

format: setup-dev ## put the code in ruff's form
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

sandbox: setup ## a Stampli SFTP server and an M3 on loopback, until Ctrl-C
	@mkdir -p .sandbox/run
	@echo "In another terminal, once it says ready:"
	@echo "  $(MELTANO) --env-file=.sandbox/run/sandbox.env --environment=sandbox run tap-stampli-sftp target-infor-cloudsuite"
	@echo "  $(MELTANO) --env-file=.sandbox/run/sandbox.env --environment=sandbox invoke target-infor-cloudsuite:status"
	@echo "  $(SANDBOX) ledger --home .sandbox/run"
	@exec $(SANDBOX) serve --home .sandbox/run

setup: setup-plugins .tools/sandbox/.installed ## Meltano, its plugins and the sandbox
	@:

setup-plugins: $(PLUGINS) ## Meltano and its plugins, all that production needs
	@:

setup-dev: .venv/.installed ## the development environment
	@:

setup-airflow: .tools/airflow/.installed ## Airflow, for the test of its DAG
	@:

.tools/uv/.installed: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; $(PYTHON) is " + sys.version.split()[0] + ". Say which: make PYTHON=/path/to/python3.11")'
	@echo "> uv $(UV_VERSION) into .tools/uv"
	@test -x $(UV) && $(UV) --version | grep -q " $(UV_VERSION)" || { rm -rf .tools/uv && $(PYTHON) -m venv .tools/uv \
	  && .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION); }
	@touch $@

# Meltano and the Singer SDK never share an environment: each wants its own versions of the same libraries.
.tools/meltano/.installed: requirements/meltano.lock .tools/uv/.installed
	@echo "> Meltano into .tools/meltano"
	@test -x .tools/meltano/bin/python || $(UV) venv --quiet --python $(PYTHON) .tools/meltano
	@$(UV) pip sync --quiet --python .tools/meltano/bin/python --require-hashes requirements/meltano.lock
	@touch $@

# The versions are uv's own resolution, locked with hashes: Airflow's constraint files are on no package index.
.tools/airflow/.installed: requirements/airflow.lock .tools/uv/.installed
	@echo "> Airflow into .tools/airflow"
	@test -x .tools/airflow/bin/python || $(UV) venv --quiet --python $(PYTHON) .tools/airflow
	@$(UV) pip sync --quiet --python .tools/airflow/bin/python --require-hashes requirements/airflow.lock
	@touch $@

.tools/sandbox/.installed: sandbox/pyproject.toml requirements/dev.lock .tools/uv/.installed
	@echo "> the sandbox into .tools/sandbox"
	@test -x .tools/sandbox/bin/python || $(UV) venv --quiet --python $(PYTHON) .tools/sandbox
	@$(UV) pip install --quiet --python .tools/sandbox/bin/python --constraints requirements/dev.lock --editable ./sandbox
	@touch $@

# The plugins are editable installs: a change of code needs no new install, a change of dependencies does.
$(PLUGINS): $(PROJECTS) meltano.yml requirements/dev.lock .tools/meltano/.installed
	@echo "> Meltano's plugins into .meltano, each in its own environment"
	@$(MELTANO) --no-environment --log-level=warning install $(PLUGIN_NAMES)
	@touch $@

.venv/.installed: requirements/dev.lock $(PROJECTS) .tools/uv/.installed
	@echo "> the development environment into .venv"
	@test -x .venv/bin/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements/dev.lock
	@$(UV) pip install --quiet --python .venv/bin/python --no-deps $(ROOMS:%=--editable ./%)
	@touch $@

hub: setup-dev ## write the plugins' definitions for Meltano Hub
	.venv/bin/python hub/generate.py

docs: setup-dev ## the docs site, into .site
	.venv/bin/mkdocs build --strict

lock: .tools/uv/.installed ## resolve the locks anew from the rooms' pyproject files and requirements/*.in
	$(UV) pip compile --quiet --custom-compile-command "make lock" --no-emit-index-url --python-version 3.11 \
	  --generate-hashes --extra postgres --no-emit-package stampli-infor-transforms $(PROJECTS) requirements/dev.in \
	  --output-file requirements/dev.lock
	$(UV) pip compile --quiet --custom-compile-command "make lock" --no-emit-index-url --python-version 3.11 \
	  --generate-hashes requirements/meltano.in --output-file requirements/meltano.lock
	$(UV) pip compile --quiet --custom-compile-command "make lock" --no-emit-index-url --python-version 3.11 \
	  --generate-hashes requirements/airflow.in --output-file requirements/airflow.lock

clean: ## remove everything that was set up here; ledgers and output of prod stay
	rm -rf .tools .venv .meltano .sandbox .site .mypy_cache .ruff_cache .pytest_cache
