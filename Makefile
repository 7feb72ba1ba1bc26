# Words of the workshop. `make demo` and `make test` set everything up on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help demo test lint format docs calibration bench notebooks executed faults nouns fuzz intervals leaks lab mutation splits lock clean

help:  ## what each word does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 13

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "billing_sim needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python -m compileall -q billing_sim
	touch $(READY)

demo: $(READY)  ## simulate scenarios/streaming.yaml and print the four views
	$(BIN)/billing-sim run scenarios/streaming.yaml

test: $(READY)  ## run the whole test suite
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(READY)  ## formatting, linting and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(READY)  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY)  ## write the generated reference pages anew
	$(BIN)/python docs/generate.py

calibration: $(READY)  ## simulate against published figures and write docs/calibration.md
	$(BIN)/python docs/calibrate.py

bench: $(READY)  ## measure speeds as ratios, in one run on this machine
	$(BIN)/python tests/bench

notebooks: $(READY)  ## open the notebooks, ready to run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-notebooks.lock
	$(BIN)/jupyter lab notebooks

executed: $(READY)  ## execute the notebooks and store what they show
	$(BIN)/python notebooks/execute.py

faults: $(READY)  ## what the lab finds of the metrics that views show, kept for reports
	$(BIN)/python -m tests.bench.known_faults

nouns: $(READY)  ## what each feature costs
	$(BIN)/python -m tests.bench.nouns

fuzz: $(READY)  ## thousands of random logs against row-by-row Python, and of random worlds in both drivers
	$(BIN)/python tests/test_metrics_naive.py 3000
	$(BIN)/python -m tests.test_random_worlds 3000

intervals: $(READY)  ## how often the 95 % intervals hold the truth, over a thousand seeds
	$(BIN)/python tests/bench/intervals.py 1000

leaks: $(READY)  ## what the log gives away of the sealed truth, in a large world
	$(BIN)/python tests/bench/leaks.py

lab: $(READY)  ## how often the lab's verdicts and intervals err
	$(BIN)/python -m tests.bench.verdict_errors
	$(BIN)/python -m tests.bench.lab_validity

mutation: $(READY)  ## which mistakes in a definition some case or test notices
	$(BIN)/python -m tests.bench.mutation

splits: $(READY)  ## p-values of thousands of A/A splits, which must be uniform
	$(BIN)/python -m tests.bench.splits 2000

lock:  ## pin every dependency anew (needs uv)
	uv pip compile --universal --python-version 3.11 --extra dev --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --extra notebooks --constraint requirements.lock --generate-hashes --no-emit-index-url --no-annotate --no-header --upgrade pyproject.toml -o requirements-notebooks.lock

clean:  ## remove the environment, caches and runs
	rm -rf .venv runs .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist *.egg-info
