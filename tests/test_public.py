import subprocess
import sys

import pytest

import stance


def test_public_names_are_pinned_and_sorted():
    assert stance.__all__ == [
        "Article",
        "Scorer",
        "Speaker",
        "StanceError",
        "StanceRow",
        "StanceRows",
        "Statement",
        "Target",
        "bias_report",
        "default_targets",
        "extract_statements",
        "load",
        "load_targets",
        "read_articles",
        "resolve_targets",
    ]
    assert stance.__all__ == sorted(stance.__all__)
    assert all(getattr(stance, name).__name__ == name for name in stance.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stance.nothing


@pytest.mark.parametrize("code", ["import stance", "import stance.cli; stance.cli._parser().format_help()"])
def test_neither_import_nor_help_loads_heavy_packages(code):
    heavy = {"torch", "transformers", "pyarrow", "trafilatura", "numpy", "rich"}
    script = f"import sys; {code}; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
