"""Benchmarks are run by hand; here every name of clearplan that they import, also inside functions, is looked up."""

import ast
import importlib
from importlib.util import find_spec

import pytest

from tests.conftest import ROOT

SCRIPTS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_benchmark_imports_what_is_there(script):
    nodes = [node for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.ImportFrom)]
    names = [(node.module, alias.name) for node in nodes for alias in node.names if node.level == 0]
    ours = [(module, name) for module, name in names if module is not None and module.split(".")[0] == "clearplan"]
    for module, name in ours:
        home = importlib.import_module(module)
        assert hasattr(home, name) or find_spec(f"{module}.{name}") is not None, f"{module} has no {name}"
