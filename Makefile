# Every habit of the project. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
SIZE ?=
SEED ?=
MONTH ?=
PORT ?=
EVERY ?=
SIZES ?=
ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME

.PHONY: help setup demo demo-clean up status down up-clean test test-fast sql lint docs pre-commit format lock bench \
	bench-clean clean

help: ## List what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

setup: ## Create .venv from the hash-locked requirements (done once, again when the lock changes)
	@sh devstack/setup.sh

demo: setup ## The whole journey through a real Airflow: SIZE=…, SEED=…, MONTH=YYYY-MM for the first, after demo-clean
	@$(PY) -m devstack.demo $(if $(SIZE),--size $(SIZE)) $(if $(SEED),--seed $(SEED)) $(if $(MONTH),--month $(MONTH))

demo-clean: ## Stop what a demo left behind and delete its databases and files
	@if [ -x $(PY) ]; then $(PY) -m devstack.clean; else echo "No .venv: nothing of the demo to delete."; fi

up: setup ## Keep an Airflow running beside a world that moves on: PORT=8080, EVERY=5 (minutes), SIZE, SEED, MONTH
	@$(PY) -m devstack.up up $(if $(PORT),--port $(PORT)) $(if $(EVERY),--every $(EVERY)) \
		$(if $(SIZE),--size $(SIZE)) $(if $(SEED),--seed $(SEED)) $(if $(MONTH),--month $(MONTH))

status: ## What of `make up` runs and is healthy, its DAGs, loads and deliveries (code 1 unless all is healthy)
	@if [ -x $(PY) ]; then $(PY) -m devstack.up status; else echo "No .venv: nothing runs."; fi

down: ## End everything that `make up` started; the data stays
	@if [ -x $(PY) ]; then $(PY) -m devstack.up down; else echo "No .venv: nothing runs."; fi

up-clean: ## End everything that `make up` started and delete its databases and files
	@if [ -x $(PY) ]; then $(PY) -m devstack.up clean; else echo "No .venv: nothing of it to delete."; fi

test: setup ## The whole suite, real PostgreSQL and a real Airflow included (≤ 15 minutes on 2 cores)
	$(PY) -m pytest -n 2 --dist loadgroup

test-fast: setup ## The suite without the tests that start a real Airflow
	$(PY) -m pytest -n 2 --dist loadgroup --ignore tests/devstack/test_airflow_real.py

sql: setup ## Write include/sql/kinds again from the specifications of the kinds
	$(PY) -m devstack.sqlgen

lint: setup ## Style, types, the direction of dependencies, SQL, contracts, the compose file, the catalogue
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m devstack.sqlgen --check
	$(PY) -m mypy --strict plugins simulator devstack dags
	.venv/bin/lint-imports
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	.venv/bin/lienthong contracts >/dev/null
	.venv/bin/sqlfluff lint --disable-progress-bar include/sql
	$(PY) -m devstack.catalogue --check

docs: setup ## Write docs/catalogue.md again from the code: DAGs, expectations, sources
	$(PY) -m devstack.catalogue

pre-commit: setup ## Check changed files before every commit (git hook; nothing is downloaded)
	.venv/bin/pre-commit install

format: setup ## Format the code and sort its imports
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: ## Resolve pyproject.toml again into requirements.lock and, for servers, requirements-server.lock (needs uv)
	@command -v uv >/dev/null || { echo "uv is not installed: see https://docs.astral.sh/uv/"; exit 1; }
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -o requirements.lock
	uv pip compile pyproject.toml --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header -o requirements-server.lock

bench: setup ## Measure loads, scores and pushes against a plain COPY: SIZES="20000 200000", ARGS="--only load --profile"
	@$(PY) -m benchmarks $(SIZES) $(ARGS)

bench-clean: ## Delete the benchmarks' server and source databases (results stay)
	@if [ -x $(PY) ]; then $(PY) -m benchmarks.clean; else echo "No .venv: nothing of the benchmarks to delete."; fi

clean: ## Delete caches and build leftovers (not .venv, not var)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find . -path ./.venv -prune -o -path ./var -prune -o -name __pycache__ -type d -print | xargs rm -rf
