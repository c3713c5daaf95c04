# Reunite. Needs Python 3.11 to 3.13 and make; `make` alone lists the commands.

.DEFAULT_GOAL := help
SHELL := /bin/sh
# Named by whoever has several: make run PYTHON=/path/to/python3.12
export PYTHON
# Where `make run` keeps its data; `make clean` leaves it alone.
REUNITE_DATA ?= $(CURDIR)/var

PYTEST := .venv/bin/python -m pytest
# Each worker loads the face models; two suit a small machine.
WORKERS ?= 2

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

.PHONY: environment-run
environment-run:
	@./tools/with_python tools/environment.py run

.PHONY: environment-full
environment-full:
	@./tools/with_python tools/environment.py full

.PHONY: run
run: environment-run ## Start Reunite with demonstration content, on a loopback port
	@REUNITE_DATA="$(REUNITE_DATA)" exec .venv/bin/reunite run

.PHONY: setup
setup: environment-full ## Make .venv with everything, developers' tools included

.PHONY: test
test: environment-full ## Check the code and run every test
	@$(MAKE) --no-print-directory check
	$(PYTEST) --numprocesses=$(WORKERS) --dist=worksteal

.PHONY: check
check: environment-full ## Check style, types and the directions of imports
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .
	.venv/bin/python -m mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/python -m deptry .

.PHONY: format
format: environment-full ## Format the code and mend what can be mended
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

.PHONY: browser
browser: environment-full ## Run the tests that drive a real browser
	$(PYTEST) -m browser

.PHONY: bench
bench: environment-full ## Measure speed and recall
	$(PYTEST) benchmarks -m benchmark -p no:randomly

.PHONY: lock
lock: environment-full ## Pin the newest packages that pyproject.toml allows (needs uv)
	@command -v uv >/dev/null || { echo "Install uv first: pip install uv" >&2; exit 1; }
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header \
		pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-annotate --no-header \
		pyproject.toml --group dev -c requirements.lock -o requirements-dev.lock

.PHONY: clean
clean: ## Remove .venv and caches; your data stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* htmlcov
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
