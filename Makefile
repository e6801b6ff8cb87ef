# Two commands for a newcomer: `make demo` and `make test`. Both need Python 3.11+, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := out

.PHONY: setup demo test check lock clean

setup: $(VENV)/.ready

# The lock pins every package with its hash; the project itself is installed on top, nothing else is resolved.
$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

demo: setup
	@mkdir -p $(OUT)
	@rm -f $(OUT)/demo.journal
	$(BIN)/workspan claims long_chain
	$(BIN)/workspan claims wrong_start
	$(BIN)/workspan models fetch smollm2-135m-instruct
	$(BIN)/workspan compare --engine embedded --task demo --limit 40 --budget '256 work' --seed 0 \
	  --strategies 'single,grid(breadth=8,depth=32),grid(breadth=4,depth=64),budget_forcing(thinking=200,waits=8),self_revision(turns=8)' \
	  --chart --journal $(OUT)/demo.journal --report $(OUT)/demo.html

test: setup check
	$(BIN)/workspan models fetch smollm2-135m-instruct
	$(BIN)/pytest -m 'slow or not slow' --numprocesses 2 --dist loadfile

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

# Resolve again and write the lock: every extra and the tools, for every platform.
lock:
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	  --python-version 3.11 --extra all --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) $(OUT)
