# Every target works on a fresh clone: ./run makes the environment it needs.

RUN := ./run
DEV := RUN_REQUIREMENTS=dev ./run
JOB := $(RUN) job-runner
FILE ?= jobs.example.yaml
# Targets that run side by side keep their lines together where this make can do that.
SYNC := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
# Two at a time, unless the caller said how many: a second -j would only be warned about.
TWO = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j2)

# One process more than a small machine has cores: many tests wait for programs that they started. Neighbours
# stay in one of them, which keeps what they share (servers, a built wheel), until another has nothing left to do.
SPREAD := --numprocesses 3 --dist worksteal
# Bytecode goes below .venv, so that warm tests compile nothing also where people want none of it in the tree.
COMPILED = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(call quoted,$(CURDIR)/.venv/bytecode)

# The longest one first.
STATIC := check-types check-lint check-format check-imports

.DEFAULT_GOAL := help
.PHONY: help check check-static check-format check-lint check-types check-imports check-unit test test-qwen test-verify test-orchestrator soak format lock bench \
	environment install-systemd jobs-plan jobs-enqueue jobs-status jobs-history jobs-result jobs-report \
	jobs-retry jobs-flush jobs-dashboard jobs-logs

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check: environment ## Format, lint, types, imports and unit tests; half a minute when warm
	@$(MAKE) --no-print-directory $(TWO) $(SYNC) check-unit $(STATIC)

check-static: environment ## The same without the unit tests, which `make test` has too
	@$(MAKE) --no-print-directory $(TWO) $(SYNC) $(STATIC)

test: ## All tests but the long proofs; ARGS goes to pytest
	@$(COMPILED) $(DEV) pytest -q -m "not soak" $(SPREAD) $(ARGS)

# The proofs that need a recogniser are passed over where it cannot be installed: pytest's last lines say so.
soak: ## The long proofs, with their full numbers; some take an hour
	@RUN_REQUIREMENTS=verify $(RUN) true || echo "no recogniser: its proofs are passed over" >&2
	@JOB_RUNNER_SOAK=1 $(DEV) pytest -q -s -m soak --timeout 3600 $(ARGS)

# Not in `test`: the recogniser and its model are 270 MB that `dev` does not have.
test-verify: ## What a real recogniser hears, with its model for English; a minute
	@RUN_REQUIREMENTS=verify $(RUN) true
	@$(DEV) pytest -q -m "not soak" tests/integration/synth/test_recognizer.py $(ARGS)

# The real package on tiny models of random weights. QWEN_PYTHON names a Python that has the packages already, a
# smaller build of torch for the CPU say; QWEN_TEST_DEVICE=cuda:0 runs it on a GPU, with its kernels. The rehearsal
# on rented machines needs what a watcher that rents has, too: without it, it is passed over.
QWEN_SUITE := pytest -q --confcutdir tests/contract/engines --override-ini addopts= --override-ini \
	filterwarnings=default --timeout 900 --durations 5 tests/contract/engines
test-qwen: ## The engines' suite with Qwen3-TTS, in its own environment (some gigabytes); minutes
	@$(if $(QWEN_PYTHON),,RUN_REQUIREMENTS=qwen $(RUN) job-watcher rehearse --help >/dev/null)
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} \
		$(if $(QWEN_PYTHON),$(call quoted,$(QWEN_PYTHON)) -m,RUN_REQUIREMENTS=qwen $(RUN)) $(QWEN_SUITE) $(ARGS)

# Alone in a new folder, with an embedded server and SQLite: no setting of the caller's is in force.
test-orchestrator: ## The pipeline `video` offline with real processes, its gates decided and its trail checked
	@$(DEV) python -m tests.orchestrator

format: ## Write the code in its one format
	@$(DEV) ruff format --quiet .
	@$(DEV) ruff check --quiet --fix .

lock: ## Pin and hash the requirements anew; ARGS=--upgrade takes newer versions
	@requirements/lock $(ARGS)

bench: ## Every measurement behind docs/reference/performance.md
	@for script in bench/*.py; do echo "$$script" >&2; $(DEV) python "$$script" $(ARGS) || exit $$?; done

# The environment is made now, because the services see the clone as a file system to read only.
install-systemd: ## Install the systemd units of this clone; DESTDIR and PREFIX; starts nothing
	@RUN_REQUIREMENTS=watcher $(RUN) true
	@DESTDIR=$(call quoted,$(DESTDIR)) PREFIX=$(call quoted,$(PREFIX)) deploy/systemd/install

jobs-plan: ## Check FILE and show what it would make
	@$(JOB) plan $(call quoted,$(FILE)) $(ARGS)

jobs-enqueue: ## Put the jobs of FILE on the queue
	@$(JOB) enqueue $(call quoted,$(FILE)) $(ARGS)

jobs-status: ## Is it healthy? ARGS=--json for scripts
	@$(JOB) status $(ARGS)

jobs-history: ## Finished jobs, latest first; ARGS="--limit 5 --status failed"
	@$(JOB) history $(ARGS)

jobs-result: ## Where the audio of job ID is, or why it failed
	@$(call needs,ID)
	@$(JOB) result $(call quoted,$(ID)) $(ARGS)

jobs-report: ## Every job of FILE against the queue
	@$(JOB) report $(call quoted,$(FILE)) $(ARGS)

jobs-retry: ## Put the failed or canceled job ID back on the queue
	@$(call needs,ID)
	@$(JOB) retry $(call quoted,$(ID)) $(ARGS)

jobs-flush: ## Delete the queue's transient keys; ARGS="--hard --yes" deletes all
	@$(JOB) flush $(ARGS)

jobs-dashboard: ## Status and recent history; WATCH=1 keeps it up to date
	@$(JOB) dashboard $(if $(filter-out 0 no,$(WATCH)),--watch) $(ARGS)

jobs-logs: ## The record of the latest local execution, as JSON
	@$(JOB) logs --json $(ARGS)

check-format:
	@$(DEV) ruff format --quiet --check . || { echo 'run "make format"' >&2; exit 1; }

check-lint:
	@$(DEV) ruff check --quiet .

check-types:
	@$(DEV) mypy --no-error-summary

check-imports:
	@$(DEV) lint-imports --no-logo

# On every core, but on no more than four: each process imports everything once. Neighbours stay in one
# process, which keeps what they share, until another has nothing left to do.
check-unit:
	@$(COMPILED) $(DEV) pytest -q -m "not soak" --numprocesses auto --maxprocesses 4 --dist worksteal tests/unit $(ARGS)

# One process makes the environment before several use it.
environment:
	@$(DEV) true

# One word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
needs = test -n $(call quoted,$($(1))) || { echo "make $@ needs $(1)=..., for example: make $@ $(1)=topic:beat-001" >&2; exit 2; }
