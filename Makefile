# The two commands a newcomer needs: `make demo` and `make test`. Each sets up what it needs first.
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
ARGS ?=

.PHONY: help setup browser engine pictures demo test corpus faults crashes fuzz guard lint run audit clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.venv/run: requirements.txt
	@test -n "$(PYTHON)" || { echo "Deployer needs Python 3.11, 3.12 or 3.13; none was found. Install one, or name it: make demo PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/dev: .venv/run requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.env: ## your settings, with a SECRET_KEY and a STUDENT_SECRET made for you
	@$(PYTHON) -c 'import pathlib, re, secrets; t = pathlib.Path(".env.example").read_text(); t = re.sub(r"(?m)^#? ?(SECRET_KEY|STUDENT_SECRET)=.*$$", lambda m: m[1] + "=" + secrets.token_urlsafe(40), t); pathlib.Path(".env").write_text(t); pathlib.Path(".env").chmod(0o600)'
	@echo "Wrote .env: look through it, your STUDENT_SECRET is in there."

browser: ## a Chromium that judges pages and bubblewrap that runs programs, from the system's packages where they can be installed
	@for name in chromium-headless-shell chromium chromium-browser google-chrome; do command -v $$name >/dev/null && found=1; done; \
	if [ -n "$$found" ] && command -v bwrap >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$([ -n "$$found" ] || echo chromium-headless-shell) bubblewrap >/dev/null; \
	else \
	  echo "Chromium (which runs a page's checks) or bubblewrap (which runs programs) was not found, so what needs them is skipped."; \
	  echo "Install both: apt install chromium-headless-shell bubblewrap. CHROMIUM_PATH names a Chromium of your own."; \
	fi

engine: ## a Docker engine from the system's packages: the tests of RUNNER=docker start one of their own with it
	@command -v dockerd >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends docker.io >/dev/null; }

pictures: .venv/dev browser ## the README's pictures of the agents' room
	$(BIN)/python docs/pictures.py

setup: .venv/run .env browser ## virtual environment, packages, .env and the database
	$(BIN)/python manage.py migrate --verbosity 0

demo: .venv/run .env browser ## the whole flow without keys; ARGS=--once stops afterwards
	$(BIN)/python manage.py demo $(ARGS)

run: setup ## web and worker with the settings of .env
	@# honcho gives every process a PORT of its own, so the address of the web process is settled before
	export PUBLIC_URL="$$($(BIN)/python -c 'from deployer.settings import PUBLIC_URL; print(PUBLIC_URL)')" && \
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/honcho start web worker

test: .venv/dev browser ## all tests; ARGS is passed to pytest
	$(BIN)/python -m pytest $(ARGS)

corpus: .venv/dev browser ## plays the task corpus in Chromium and prints the figures
	CORPUS=all $(BIN)/python -m pytest tests/acceptance/test_corpus.py -q -n 4

faults: .venv/dev ## what every peer can do wrong, at every place: plays the grid and prints it
	FAULTS=table $(BIN)/python -m pytest tests/faults -q -n auto $(ARGS)

guard: .venv/dev ## the address guard's vectors, with their count
	$(BIN)/python -m pytest tests/security/test_guard_vectors.py -q $(ARGS)

crashes: .venv/dev browser ## kills, stops and cuts off everything at every point of a round, and prints the recovery
	CRASHES=all $(BIN)/python -m pytest tests/crashes -q -n 2 --dist loadgroup $(ARGS)

fuzz: .venv/dev ## CASES (5000) new requests and stories against every promise; prints the figures
	FUZZ=$(or $(CASES),5000) $(BIN)/python -m pytest tests/fuzz -q -n 2 --dist loadfile

lint: .venv/dev ## ruff, mypy, bandit, migrations, deployment checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy deployer tasks
	$(BIN)/bandit -q -r deployer tasks -c pyproject.toml 2> >(grep -v 'nosec encountered' >&2) # said of every other line of a statement
	$(BIN)/python manage.py makemigrations --check --dry-run --settings tests.settings
	$(BIN)/python manage.py check --deploy --fail-level WARNING --settings tests.production

audit: .venv/dev ## asks an advisory service about every pinned package; fails where it cannot be asked
	$(BIN)/python .ci/audit $(ARGS)

clean: ## remove the virtual environment and the data folder
	rm -rf .venv data staticfiles
