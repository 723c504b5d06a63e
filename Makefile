# Everything happens inside the checkout: environments in .venv, other by-products in .cache.
# Needs Python 3.10 or newer with its venv module, make and git. `make help` lists the targets.

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

# Which Python makes the environment: the newest that starts and can make one. A pyenv shim without a version behind it
# does not start, and Debian's Python without python3-venv cannot make one.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3.10 python3.14 python3; do \
	"$$name" -c 'import sys, ensurepip, venv; sys.version_info < (3, 10) and sys.exit(1); print(sys._base_executable)' 2>/dev/null && break; \
	done)
# Relative to the checkout. `make matrix` has one environment for each ansible-core.
VENV ?= .venv
# ansible-lint refuses 2.17. 2.22 and later are not known yet.
ANSIBLE_CORE ?= ansible-core>=2.16,!=2.17.*,<2.22
# For example: make unit PYTEST_ARGS='-k paging -x'
PYTEST_ARGS ?=
# How many playbooks run at once in the tests.
JOBS ?= 2
# For example: make matrix CORES='2.16 2.21'
CORES ?=

BIN := $(VENV)/bin
RUN_TIME := $(VENV)/.run-time
TEST_TOOLS := $(VENV)/.test-tools
LINT_TOOLS := $(VENV)/.lint-tools
# A tree as Ansible and Python want it, with a link back to the checkout, whatever the name of its folder.
COLLECTIONS := .cache/collections
LINK := $(COLLECTIONS)/ansible_collections/zerotrust/m365
IN_COPY := $(BIN)/python scripts/collection_copy.py
PIP_INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check

# What may be set where make was called, and would change what the tools do: the user's Ansible settings,
# credentials of a real tenant, Python's and git's switches.
unexport $(filter ANSIBLE_% AZURE_% M365_% MYPY% PYTEST_%,$(.VARIABLES))
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONOPTIMIZE PYTHONPATH PYTHONSAFEPATH PYTHONSTARTUP PYTHONWARNINGS
unexport PIP_PREFIX PIP_TARGET PIP_USER VIRTUAL_ENV GIT_DIR GIT_INDEX_FILE GIT_WORK_TREE LANGUAGE

export PATH := $(CURDIR)/$(BIN):$(PATH)
export LC_ALL := C.UTF-8
export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(COLLECTIONS)
export ANSIBLE_CONFIG := $(CURDIR)/.cache/ansible.cfg
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_NOCOWS := 1
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
# The simulator listens on loopback, which is no business of a proxy.
comma := ,
export NO_PROXY := localhost,127.0.0.1$(addprefix $(comma),$(or $(no_proxy),$(NO_PROXY)))
export no_proxy := $(NO_PROXY)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: $(RUN_TIME) $(LINK) ## Harden a simulated tenant: before, dry run, apply, apply again, after
	@$(BIN)/python scripts/demo.py

.PHONY: test
test: venv ## Every test: lint, sanity, docs-lint, unit, integration
	@MAKE='$(MAKE)' $(BIN)/python scripts/run_stages.py --beside sanity lint docs-lint unit integration

.PHONY: test-deep
test-deep: venv ## Every test, the long ones too, the built collection, and mutation (hours)
	@MAKE='$(MAKE)' $(BIN)/python scripts/run_stages.py --beside sanity lint docs-lint build unit integration deep mutation

.PHONY: matrix
matrix: venv ## The core of the tests on ansible-core 2.16 to 2.21, with the Pythons present
	@MAKE='$(MAKE)' $(BIN)/python scripts/matrix.py $(CORES)

.PHONY: lint
lint: $(LINT_TOOLS) $(LINK) ## ruff, mypy, ansible-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	cd scripts && "$(CURDIR)/$(BIN)/mypy" --config-file ../pyproject.toml --cache-dir ../.cache/mypy/scripts .
	cd simulator && "$(CURDIR)/$(BIN)/mypy" --config-file ../pyproject.toml --cache-dir ../.cache/mypy/simulator .
	cd $(COLLECTIONS) && MYPYPATH=../../simulator "$(CURDIR)/$(BIN)/mypy" --config-file ../../pyproject.toml --cache-dir ../mypy/collection \
		$(addprefix ansible_collections/zerotrust/m365/,plugins tests)
	$(IN_COPY) ansible-lint --nocolor --offline --strict --profile production

.PHONY: format
format: $(LINT_TOOLS) ## Format the code, and mend what ruff can mend
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: sanity
sanity: $(TEST_TOOLS) ## ansible-test sanity, with no ignore file
	$(BIN)/python scripts/sanity.py

.PHONY: docs-lint
docs-lint: $(LINT_TOOLS) ## Documentation of plugins and roles, guides, changelog
	$(IN_COPY) antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self --check-extra-docs-refs .
	$(IN_COPY) antsibull-changelog lint
	$(IN_COPY) antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml

.PHONY: unit
unit: $(TEST_TOOLS) $(LINK) ## Unit tests, the scenarios of Microsoft Graph, and the contract with Microsoft's schema
	$(BIN)/python -m pytest tests/unit tests/scenarios tests/contract -m "not deep and not endurance" -n $(JOBS) --dist loadfile $(PYTEST_ARGS)

.PHONY: integration
integration: $(TEST_TOOLS) $(LINK) ## Playbooks against the simulator
	$(BIN)/python -m pytest tests/integration tests/chaos -m "not deep and not endurance" -n $(JOBS) $(PYTEST_ARGS)

.PHONY: deep
deep: $(TEST_TOOLS) $(LINK) ## The long tests only
	$(BIN)/python -m pytest tests -m deep -n $(JOBS) $(PYTEST_ARGS)

.PHONY: endurance
endurance: $(TEST_TOOLS) $(LINK) ## 500 nightly runs in a row, and kill -9 of each kind at every request (hours)
	$(BIN)/python -m pytest tests/integration -m endurance -n $(JOBS) $(PYTEST_ARGS)

.PHONY: coverage
coverage: $(TEST_TOOLS) $(LINK) ## Unit and integration tests, and how much of plugins/ they run: at least 95%
	@MAKE='$(MAKE)' $(BIN)/python scripts/coverage_of_plugins.py

# For example: make mutation MODULES='_policy/coverage.py _engine/plan.py'
MODULES ?=
.PHONY: mutation
mutation: $(TEST_TOOLS) $(LINK) ## Break _policy and _engine in thousands of ways: a unit test has to notice each (long)
	$(BIN)/python scripts/mutation.py $(MODULES)

.PHONY: clients
clients: $(TEST_TOOLS) $(LINK) ## Other people's Graph clients, unmodified, against the simulator (large downloads)
	$(BIN)/python tests/clients/installing.py
	$(BIN)/python tests/clients/private_names.py $(BIN)/python -m pytest tests/clients -m clients $(PYTEST_ARGS)

.PHONY: simulator-docs
simulator-docs: $(TEST_TOOLS) $(LINK) ## Write the tables of scenarios and assumptions into docs/simulator.md
	PYTHONPATH=$(COLLECTIONS) $(BIN)/python tests/scenarios/document.py

.PHONY: chaos
chaos: $(TEST_TOOLS) $(LINK) ## Playbooks on 2,000 drawn tenants while things go wrong, and 300 dry runs against the runs (long)
	$(BIN)/python tests/chaos/run.py --runs 2000 --summary .cache/chaos.json
	$(BIN)/python tests/chaos/run.py --dry-run --runs 300 --summary .cache/chaos-dry-runs.json

.PHONY: bench
bench: $(TEST_TOOLS) $(LINK) ## Benchmarks; writes docs/benchmarks.md
	$(BIN)/python tests/benchmarks/run.py

.PHONY: build
build: $(RUN_TIME) ## Build the collection's tarball into .cache/build, install it offline, verify it
	rm -rf .cache/build
	$(IN_COPY) ansible-galaxy collection build --output-path "$(CURDIR)/.cache/build"
	export ANSIBLE_COLLECTIONS_PATH="$(CURDIR)/.cache/build/collections" && \
		$(BIN)/ansible-galaxy collection install --offline .cache/build/zerotrust-m365-*.tar.gz && \
		$(BIN)/ansible-galaxy collection verify --offline zerotrust.m365

.PHONY: venv
venv: $(RUN_TIME) $(TEST_TOOLS) $(LINT_TOOLS) $(LINK) ## The environment of all of it, in .venv

.PHONY: clean
clean: ## Remove everything that make made
	rm -rf .venv .cache .ansible .mypy_cache .pytest_cache .ruff_cache tests/output
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/.created:
	@test -n '$(PYTHON)' || { echo 'No usable Python found: need Python 3.10 or newer with venv and ensurepip' \
		'(on Debian and Ubuntu: apt install python3-venv), or name one: make PYTHON=/path/to/python3' >&2; exit 1; }
	'$(PYTHON)' -m venv --clear $(VENV)
	@touch $@

# The stamps are remade when what they were made from changes.
$(RUN_TIME): $(VENV)/.created meta/ee-requirements.txt simulator/pyproject.toml
	@echo 'Installing ansible-core, the dependencies of the collection, and the simulator into $(VENV)'
	@$(PIP_INSTALL) '$(ANSIBLE_CORE)' -r meta/ee-requirements.txt --editable ./simulator
	@touch $@

$(TEST_TOOLS): $(RUN_TIME) tests/requirements.txt
	@echo 'Installing what the tests need into $(VENV)'
	@$(PIP_INSTALL) '$(ANSIBLE_CORE)' -r meta/ee-requirements.txt -r tests/requirements.txt
	@touch $@

$(LINT_TOOLS): $(TEST_TOOLS) tests/lint-requirements.txt
	@echo 'Installing what lint needs into $(VENV)'
	@$(PIP_INSTALL) '$(ANSIBLE_CORE)' -r meta/ee-requirements.txt -r tests/requirements.txt -r tests/lint-requirements.txt
	@touch $@

$(LINK):
	@mkdir -p $(@D)
	@ln -sfn ../../../.. $@
	@: > .cache/ansible.cfg
