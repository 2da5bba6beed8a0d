# Two commands: `make demo` shows what stance does, `make test` checks it. Both set up .venv themselves.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin

.PHONY: demo test lint build-model evaluate clean

demo: .venv/.installed
	@mkdir -p out
	$(BIN)/stance score examples/articles
	$(BIN)/stance score examples/articles -o out/rows.parquet
	$(BIN)/stance extract examples/articles -o out/statements.jsonl
	$(BIN)/stance report out/rows.parquet -o out/bias.html
	$(BIN)/stance evaluate examples/corpus -o out/evaluation
	@echo "The table is in out/rows.parquet, the statements in out/statements.jsonl."
	@echo "How outlets and speakers treat each target: out/bias.html"
	@echo "How good the model is on examples/corpus: out/evaluation/report.html"

test: .venv/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: .venv/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

build-model: .venv/.installed-test
	$(BIN)/python -m training.build --ship

evaluate: .venv/.installed-test
	$(BIN)/python -m training.evaluate

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and was not found"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[report]' --constraint constraints.txt
	@touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]' --constraint constraints.txt
	@touch $@

clean:
	rm -rf .venv out runs
