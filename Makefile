# make demo    a whole business day, offline, in a fresh folder
# make test    the tests
# make check   everything CI asks for: format, lint, types, imports, tests, docs, wheel
# make bench   speeds, as ratios to a floor measured in the same run
# make soak    kills, bad lines, a large shop, and the rule behind each pitfall taken back (half an hour)
# make docs    write the generated reference pages anew

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WHEEL_VENV := .build/wheel-venv

export OMP_WAIT_POLICY := PASSIVE
export OMP_NUM_THREADS := 1

.PHONY: demo test check bench soak docs format lint types wheel clean

demo: $(READY)
	@rm -rf demo && $(BIN)/kpay demo demo

test: $(READY)
	$(BIN)/python -m pytest -n 2

check: lint types test wheel

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(READY)
	$(BIN)/mypy

wheel: $(READY)
	$(BIN)/python tests/wheel_check.py $(WHEEL_VENV)

bench: $(READY)
	$(BIN)/python -m pytest tests/bench -s -p no:randomly --override-ini addopts=

soak: $(READY)
	$(BIN)/python -m tests.soak.reverted_rules
	$(BIN)/python -m tests.soak.kills
	$(BIN)/python -m tests.soak.bad_lines
	$(BIN)/python -m tests.soak.books
	$(BIN)/python -m tests.soak.mail_faults

docs: $(READY)
	$(BIN)/python docs/build.py write

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .build dist demo

# The environment: the pinned dependencies with their hashes, then kpay itself from this checkout.
$(READY): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "kpay needs Python 3.11 or newer; next: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the pinned dependencies into $(VENV) (about a minute, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q kpay
	@touch $(READY)
