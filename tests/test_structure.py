"""Rules about the shape of the packages that no linter checks."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent for room in ("stance", "training") for path in (ROOT / room).rglob("__init__.py"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_package_gives_a_name_that_one_of_its_modules_has(package):
    """What such a name means depends on what was imported first: the module, or the function that hides it."""
    modules = {path.stem for path in package.iterdir()} - {"__init__"}
    given = set()
    for node in ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            given |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            given.add(node.name)
    assert not given & modules
