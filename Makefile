# From a fresh clone: `make run` serves the demo company, `make test` runs the whole suite.
# Everything is installed below .venv; stamps in .venv/.stamps make the second run quick.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install run test soak fuzz check format lock messages system-run system-test check-lint check-format check-types \
  check-contracts check-words check-rules

BIN := .venv/bin
STAMPS := .venv/.stamps
UV := $(BIN)/uv
FRONTEND := app/web/frontend
FRONTEND_SOURCES := $(shell find $(FRONTEND) -type f -not -path '*/node_modules/*' 2>/dev/null)
CATALOGS := $(shell find app/locale -name '*.po' 2>/dev/null)
PYTEST_ARGS ?= -n 2 --dist worksteal
CHECKING_TESTS := $(foreach name,architecture architecture_bites contracts migrations catalogs,tests/test_$(name).py)

# Another environment of the user's must not leak into ours.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME
# Sessions start in a second instead of five when the libraries are compiled once.
export UV_COMPILE_BYTECODE := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
ifeq ($(strip $(HOME)),)
export HOME := $(CURDIR)/.venv/home
endif

help:
	@echo "make run       install what is missing, then serve the demo company on http://127.0.0.1:8000"
	@echo "make install   install what is missing and build the front end, no more"
	@echo "make test      install what is missing, then run the whole test suite"
	@echo "make soak      10,000 mails, workers killed 200 times, both databases: nothing lost, nothing doubled (an hour)"
	@echo "make fuzz      the mail reader under atheris for two minutes (FUZZ_SECONDS)"
	@echo "make check     lint, types, import contracts, architecture, migrations, translations"
	@echo "make format    format the Python sources"
	@echo "make lock      resolve the dependencies anew into requirements/*.txt"
	@echo "make messages  collect the words of the interface and update the translations' files"

install: $(STAMPS)/run $(STAMPS)/frontend $(STAMPS)/catalogs

run: install
	@$(BIN)/amiable migrate
	@$(BIN)/amiable demo --if-empty
	@exec $(BIN)/amiable serve

test: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/catalogs
	$(BIN)/pytest $(PYTEST_ARGS)

soak: $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/catalogs
	AMIABLE_SOAK_MAILS=10000 AMIABLE_SOAK_KILLS=200 $(BIN)/pytest -v tests/workflows/test_s1.py

FUZZ_SECONDS ?= 120
FOUND := $(or $(TMPDIR),/tmp)/amiable-fuzz
fuzz: $(STAMPS)/dev
	$(UV) pip install --python $(BIN)/python --require-hashes --quiet -r requirements/fuzz.txt
	@mkdir -p $(FOUND)
	$(BIN)/python -m tests.fuzz.mail -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -artifact_prefix=$(FOUND)/ $(FOUND)

# Each part is a target of its own: `make -k check` tells everything that is wrong at once.
CHECKS := check-lint check-format check-types check-contracts check-words check-rules
check: $(CHECKS)

$(CHECKS): $(STAMPS)/dev $(STAMPS)/frontend $(STAMPS)/catalogs
check-lint:
	$(BIN)/ruff check
check-format:
	$(BIN)/ruff format --check
check-types:
	$(BIN)/mypy
check-contracts:
	$(BIN)/lint-imports
check-words:
	$(BIN)/python scripts/check_catalogs.py
check-rules:
	$(BIN)/pytest -q $(CHECKING_TESTS)

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

LOCK := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet

lock: $(STAMPS)/uv
	$(LOCK) requirements/uv.in -o requirements/uv.txt
	$(LOCK) requirements/fuzz.in -o requirements/fuzz.txt
	$(LOCK) pyproject.toml --group test --group build -o requirements/dev.txt
	$(LOCK) pyproject.toml --group build -c requirements/dev.txt -o requirements/run.txt

messages: $(STAMPS)/dev
	$(BIN)/pybabel extract -F babel.cfg -k _l -k N_ --no-location --sort-output --omit-header -o app/locale/messages.pot .
	$(BIN)/pybabel update -i app/locale/messages.pot -d app/locale -D messages --no-fuzzy-matching --ignore-pot-creation-date

system-run system-test: system-%:
	@scripts/system-packages $*

$(STAMPS)/uv: requirements/uv.txt scripts/make-venv | system-run
	@scripts/make-venv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/run: requirements/run.txt pyproject.toml $(STAMPS)/uv scripts/install
	@scripts/install requirements/run.txt
	@touch $@

$(STAMPS)/dev: requirements/dev.txt pyproject.toml $(STAMPS)/uv scripts/install | system-test
	@scripts/install requirements/dev.txt
	@touch $(STAMPS)/run $@

# Whichever of run.txt and dev.txt was installed, Node.js is there: either stamp will do.
$(STAMPS)/frontend: $(FRONTEND_SOURCES) scripts/build-frontend | $(STAMPS)/uv
	@scripts/build-frontend
	@touch $@

$(STAMPS)/catalogs: $(CATALOGS) | $(STAMPS)/uv
	$(BIN)/pybabel --quiet compile -d app/locale -D messages
	@touch $@
