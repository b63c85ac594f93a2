# The single door: people, hooks and CI all come in here. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
LOCK := -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.11
UV_VERSION := 0.13.8
# A uv on the PATH will do whatever its version (the locks say what is installed); else this one is fetched.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# What a caller of make set for another project must not leak in here.
unexport VIRTUAL_ENV PYTHONPATH

.PHONY: help demo test check fix bench lab docs lock clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/demo.stamp ## run the whole way on an embedded PostgreSQL with an invented clinic
	@.venv/bin/ojeon demo $(ARGS)

test: check ## everything that must hold: lint, types, import contracts, doctests, tests
	.venv/bin/pytest -n auto --dist loadgroup --cov --cov-report=term $(ARGS)

check: .venv/dev.stamp ## lint, format, types and import contracts only
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

fix: .venv/dev.stamp ## let ruff mend what it can
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

bench: .venv/dev.stamp .venv/bench.stamp ## ratios measured in one run (see benchmarks/)
	.venv/bin/python -m benchmarks $(ARGS)

lab: .venv/lab.stamp ## JupyterLab with the project installed
	.venv/bin/jupyter lab --config notebooks/jupyter_server_config.py --notebook-dir notebooks

docs: .venv/dev.stamp ## write docs/cli.md again from the commands' help
	.venv/bin/typer pipeline.cli utils docs --name ojeon --output docs/cli.md

lock: | $(UV) ## resolve the dependencies again and write requirements/*.txt
	$(UV) pip compile $(LOCK) pyproject.toml -o requirements/base.txt
	$(UV) pip compile $(LOCK) --extra demo pyproject.toml -c requirements/base.txt -o requirements/demo.txt
	$(UV) pip compile $(LOCK) --extra demo --extra dev pyproject.toml -o requirements/dev.txt
	$(UV) pip compile $(LOCK) --extra demo --extra lab pyproject.toml -o requirements/lab.txt
	$(UV) pip compile $(LOCK) --group bench -o requirements/bench.txt

clean: ## remove the environment and every cache (runs in reports/ stay)
	rm -rf .venv .tools .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage*



# One environment; each set of requirements leaves a stamp when it has been installed. `dev` contains `demo`.
.venv/bin/python: | $(UV)
	$(UV) venv -q --no-project --python '>=3.11' .venv

.venv/%.stamp: requirements/%.txt pyproject.toml | .venv/bin/python $(UV)
	@echo "installing requirements/$*.txt into .venv" >&2
	@$(UV) pip install -q --compile-bytecode --python .venv/bin/python --require-hashes -r requirements/$*.txt
	@$(UV) pip install -q --python .venv/bin/python --no-deps --build-constraints requirements/dev.txt -e .
	@touch $@

# The benchmark's peers pin what the project does not; they live in an environment of their own.
.venv/bench.stamp: requirements/bench.txt | .venv/bin/python $(UV)
	@echo "installing requirements/bench.txt into .venv/peers" >&2
	@$(UV) venv -q --no-project --clear --python .venv/bin/python .venv/peers
	@$(UV) pip install -q --python .venv/peers/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

# uv itself, where the machine has none: into a private folder, from the package index, by hash.
.tools/bin/uv: requirements/uv.txt
	@echo "getting uv $(UV_VERSION) into .tools" >&2
	@rm -rf .tools && python3 -m venv .tools
	@.tools/bin/pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@
