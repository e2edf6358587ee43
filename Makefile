# make demo   own .venv, install, run the sample project, say where the map lies
# make test   the same .venv with the test extras, a browser and PostGIS, then every test
# make test-full   the same tests with all their seeds and sizes, of which make test runs a share; half an hour
# make lint   formatting, lint and types;  make bench  the benchmark tables

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

.PHONY: demo test test-full pytest lint bench clean

demo: $(VENV)/.demo
	$(BIN)/clearplan demo --out out/karabakh

# Bytecode is kept whatever the shell says: the tests start some hundred processes. With more than one thread a process,
# BLAS would spend the other worker's core on waiting.
PYTEST = CLEARPLAN_CHROMIUM="$$(tools/chromium.sh)" CLEARPLAN_AXE="$$(tools/axe.sh)" OPENBLAS_NUM_THREADS=1 \
         env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n 2 --dist worksteal

# Types are looked at on one core: the tests begin meanwhile.
test: $(VENV)/.test
	tools/postgis.sh >/dev/null
	$(MAKE) --jobs=2 lint pytest

test-full: $(VENV)/.test
	tools/postgis.sh >/dev/null
	CLEARPLAN_TESTS=full $(MAKE) --jobs=2 lint pytest

pytest: $(VENV)/.test
	$(PYTEST)

lint: $(VENV)/.test
	$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check . && $(BIN)/python -m mypy

bench: $(VENV)/.test
	$(BIN)/python benchmarks/areas.py
	$(BIN)/python benchmarks/records.py
	$(BIN)/python benchmarks/surface.py
	$(BIN)/python benchmarks/robustness.py
	$(BIN)/python benchmarks/crosscheck.py
	$(BIN)/python benchmarks/plan.py
	$(BIN)/python benchmarks/country.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/fuzz.py --json
	CLEARPLAN_CHROMIUM="$$(tools/chromium.sh)" $(BIN)/python benchmarks/page.py

clean:
	rm -rf $(VENV) out test-output

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "clearplan needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --no-compile --constraint constraints.txt --editable '.[test]'
	touch $@
