# The commands to learn: make demo, make test, make lint, make bundles.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
DEMO_DIR ?= demo_output

bin := $(abspath $(VENV))/bin
ready := $(VENV)/.ready
bundle := bundles/cardiac_aorta_wgan_gp
demo_dir := $(abspath $(DEMO_DIR))
data_dir := $(demo_dir)/phantoms
# headless figures, and one thread for each of the two cores that a small machine has
run = cd $(bundle) && $(bin)/python -W ignore -m monai.bundle run \
	--dataset_dir "$(data_dir)" --output_dir "$(demo_dir)"
configs = --config_file "['configs/common.json','configs/$(1).json','configs/$(DEMO).json']"

.PHONY: demo test lint bundles install clean

install: $(ready)

# torch first and alone: with a CPU build at hand (README, "Installing") nothing later replaces it
$(ready): constraints.txt setup.cfg pyproject.toml
	test -x $(bin)/python || $(PYTHON) -m venv $(VENV)
	$(bin)/python -m pip install --quiet --constraint constraints.txt torch
	$(bin)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

# DEMO=smoke is the smallest size, DEMO=demo the usual one
demo: $(ready)
	rm -rf "$(demo_dir)"
	$(run) $(call configs,phantoms)
	$(run) $(call configs,prepare)
	$(run) $(call configs,train)
	$(run) $(call configs,generate)
	$(run) $(call configs,inference)
	@echo
	@echo "report:  $(demo_dir)/report/report.html"
	@echo "figures: $(demo_dir)/report/*.png"
	@echo "numbers: $(demo_dir)/report/results.json"

test: $(ready)
	$(bin)/python -m pytest

lint: $(ready)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

bundles: $(ready)
	$(bin)/python -m pytest tests/bundles

clean:
	rm -rf $(VENV) "$(demo_dir)" build *.egg-info
