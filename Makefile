# make demo    sets up and grades a sample class, from generating the assignments to the feedback pages
# make test    sets up the same and runs every test
# make lab     opens JupyterLab with the assignments as a student has them (in .lab/, kept from run to run)
# make release makes release/ and solutions/ anew from source/, of the assignments that have changed
# make ready   before a commit: formats, checks code and prose, and does what make release does
# make accuracy   accuracy of the reference network, and of a guess from the amount of ink alone
# make bench   what grading costs beside stock nbgrader: one submission, and a class
# make clean   removes what the above made, .lab/ excepted

PYTHON ?= python3
LAB ?= .lab
LAB_OPTIONS ?=
BIN := .venv/bin
# Tests wait a good deal: for kernels that loop, for browsers, for servers.
TESTERS := $(shell n=$$(nproc 2>/dev/null || echo 2); if [ $$n -gt 4 ]; then n=4; fi; echo $$((n + 2)))
# Spaces and empty lines in notebooks, which the formatter leaves alone: it would put an array's rows into one line.
LAYOUT := check --preview --select E1,E2,E3,W source
# nbgrader calls alembic, and Jupyter its kernels, by their names.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# What Jupyter, Matplotlib and Keras would keep in the home folder stays here.
export IPYTHONDIR := $(CURDIR)/.cache/ipython
export JUPYTER_CONFIG_DIR := $(CURDIR)/.cache/jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/.cache/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/.cache/jupyter/runtime
export MPLCONFIGDIR := $(CURDIR)/.cache/matplotlib
export KERAS_HOME := $(CURDIR)/.cache/keras

.PHONY: demo test lab release ready accuracy bench clean

demo: .venv/ready
	$(BIN)/python -m grading.demo

# pytest-xdist would begin with the files of most tests, and the few tests that take longest would be waited for at the end.
test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff $(LAYOUT)
	$(BIN)/ruff format --check .
	$(BIN)/typos
	$(BIN)/pytest --numprocesses $(TESTERS) --dist loadfile --no-loadscope-reorder

lab: .venv/ready
	cd release && find . -type f | while read -r file; do \
	    [ -e "$(abspath $(LAB))/$$file" ] || \
	    { mkdir -p "$(abspath $(LAB))/$$(dirname "$$file")" && cp "$$file" "$(abspath $(LAB))/$$file"; }; done
	cd $(LAB) && $(CURDIR)/$(BIN)/jupyter lab $(LAB_OPTIONS)

release: .venv/ready
	$(BIN)/python -m grading.generate

ready: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff $(LAYOUT) --fix
	$(BIN)/ruff format .
	$(BIN)/typos
	$(BIN)/python -m grading.generate

accuracy: .venv/ready
	$(BIN)/python -m autograde_tests.reference

bench: .venv/ready
	$(BIN)/python -m benchmarks.one_submission
	$(BIN)/python -m benchmarks.many_submissions

.venv/ready: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	./install_system_packages
	mkdir -p .cache
	touch $@

clean:
	rm -rf .venv .demo .cache .pytest_cache .ruff_cache .hypothesis *.egg-info build
	find . -name __pycache__ -not -path './.lab/*' -prune -exec rm -rf {} +
