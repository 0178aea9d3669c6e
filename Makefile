# `make search` and `make test` set everything up on a fresh machine; see `make help`.
PYTHON ?= python3
ARGS ?=
TRAIN_ARGS ?=
PIP_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS)
# Stamps: the environment holds what pyproject.toml and constraints.txt asked for at that time.
CREATED := $(VENV)/.created
RUNTIME := $(VENV)/.runtime
DEV := $(VENV)/.dev
OLDEST_VENV := .venv-oldest
OLDEST := $(OLDEST_VENV)/.dev

.DEFAULT_GOAL := help
.PHONY: help search train test coverage slow exhaustive oldest lint docs bench baselines dosa leaderboard poster

help: ## list the commands
	@sed -n 's/^\([a-z]*\):[^#]*## /make \1\t/p' Makefile
	@echo "Variables: PYTHON=python3.12 (makes the environment), ARGS='...' (passed on to the command)"

search: $(RUNTIME) ## co-search ResNet-50 on Gemmini (ARGS='workload=bert ...')
	$(BIN)/python search.py $(ARGS)

train: $(RUNTIME) ## train and test a predictor on simulated schedules (ARGS='model=forest ...')
	$(BIN)/python train.py $(ARGS)

test: $(DEV) ## run the tests, on all processors
	$(BIN)/python -m pytest --numprocesses logical --dist worksteal $(ARGS)

coverage: $(DEV) ## run the same tests and measure what they cover, in twice the time
	$(BIN)/python -m pytest --cov --numprocesses logical --dist worksteal $(ARGS)

slow: $(DEV) ## run the tests that `make test` leaves out: thousands of round trips, whole searches
	$(BIN)/python -m pytest -m 'slow and not exhaustive' --numprocesses logical --dist worksteal $(ARGS)

exhaustive: $(DEV) ## cut off runs of every kind at fifty random moments, five times the examples of properties (an hour)
	$(BIN)/python -m pytest -m 'exhaustive or hypothesis' --hypothesis-profile thorough --numprocesses logical --dist worksteal $(ARGS)

oldest: $(OLDEST) ## run the tests with the oldest versions that pyproject.toml promises (Python 3.10 to 3.12)
	$(OLDEST_VENV)/bin/python -m pytest -W default::DeprecationWarning --numprocesses logical --dist worksteal $(ARGS)

lint: $(DEV) ## check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(DEV) ## build the documentation's site into site/; python -m http.server -d site shows it
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict $(ARGS)

bench: $(RUNTIME) ## measure evaluations and gradient steps per second
	$(BIN)/python benchmarks/throughput.py $(ARGS)

# What a page of docs/ states, measured again; an interrupted command goes on. Comparisons share
# processors by ARGS=spread=joblib or ray, trainings by hydra/launcher=joblib or ray (the poster's ARGS, TRAIN_ARGS
# of dosa), the leaderboard by ARGS='--jobs 2' or --ray.
baselines: $(DEV) ## measure the settings that docs/baselines.md and docs/dosa.md compare (two hours)
	for each in latin evolution cosa bayesian dosa; do $(BIN)/python compare.py experiment=baselines/$$each $(ARGS) || exit; done

dosa: $(DEV) ## measure what docs/dosa.md states (hours)
	mkdir -p outputs/dosa
	$(BIN)/tilegrad evaluate timeloop_dosa --accelerator gemmini --out outputs/dosa/timeloop.parquet --picture outputs/dosa/timeloop.png
	for each in cosearch baselines gemmini; do $(BIN)/python compare.py experiment=dosa/$$each $(ARGS) || exit; done
	$(BIN)/python train.py -m experiment=dosa/rtl $(TRAIN_ARGS)

leaderboard: $(DEV) ## write docs/leaderboard.md (an hour)
	$(BIN)/python benchmarks/leaderboard.py bert resnet50 $(ARGS)

poster: $(DEV) ## measure what docs/poster.md states (many hours)
	$(BIN)/python train.py -m experiment=poster/models,poster/hardware,poster/hardware_raw,poster/pairs,poster/pairs_raw,poster/features,poster/importances,poster/simba,poster/targets,poster/counts $(ARGS)

$(CREATED):
	@command -v $(PYTHON) >/dev/null || \
		{ echo "error: '$(PYTHON)' not found; name a Python 3.10 or newer: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "error: Python 3.10 or newer needed, $$($(PYTHON) --version 2>&1) found; name another: make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "error: $(PYTHON) lacks its venv module; install it (on Debian and Ubuntu: apt install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(RUNTIME): $(CREATED) pyproject.toml constraints.txt
	$(PIP_INSTALL) --constraint constraints.txt --editable .
	@touch $@

$(DEV): $(CREATED) pyproject.toml constraints.txt
	$(PIP_INSTALL) --constraint constraints.txt --editable '.[dev]'
	@touch $(RUNTIME) $@

$(OLDEST): pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv $(OLDEST_VENV)
	$(OLDEST_VENV)/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable '.[dev]'
	@touch $@
