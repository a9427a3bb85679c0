# The commands to learn: make demo, make test, make lint, make bundles.
PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
DEMO_DIR ?= demo_output
SEED ?= 0

bin := $(abspath $(VENV))/bin
ready := $(VENV)/.ready
bundle := bundles/cardiac_aorta_wgan_gp
demo_dir := $(abspath $(DEMO_DIR))
data_dir := $(demo_dir)/phantoms
# MONAI's warning that a config is code, which for this bundle is known; all other warnings are shown
quiet := -W "ignore:parsing config_file:UserWarning"
run = cd $(bundle) && $(bin)/python $(quiet) -m monai.bundle run --dataset_dir "$(data_dir)"
comma := ,
empty :=
configs = --config_file "[$(subst $(empty) $(empty),$(comma),$(foreach name,$(1) $(DEMO),'configs/$(name).json'))]"

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
	$(run) --output_dir "$(demo_dir)" $(call configs,prepare)
	$(run) --output_dir "$(demo_dir)" $(call configs,train)
	$(run) --output_dir "$(demo_dir)" $(call configs,inference generate)
	$(run) --output_dir "$(demo_dir)" $(call configs,inference)
	$(run) --output_dir "$(demo_dir)" --datalist "$(data_dir)_reported" $(call configs,report)
	@echo
	@echo "start here, two subjects, one with a dilated aorta: $(demo_dir)/subjects/cohort.html"
	@echo "patches inpainted one by one:                       $(demo_dir)/report/report.html"
	@echo "figures:                                            $(demo_dir)/report/*.png"

# in random order, the same for the same SEED; one thread for each process, which otherwise slow each other down
test: $(ready)
	OMP_NUM_THREADS=1 $(bin)/python -m pytest --numprocesses auto --randomly-seed $(SEED)

lint: $(ready)
	$(bin)/ruff check .
	$(bin)/ruff format --check .
	$(bin)/mypy
	$(bin)/lint-imports

bundles: $(ready)
	$(bin)/python -m pytest tests/bundles

clean:
	rm -rf $(VENV) "$(demo_dir)" build *.egg-info
