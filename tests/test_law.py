"""The import law: packages stand in the order of the data's road; a package imports itself and those above it."""

import ast
import functools
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.conftest import ROOT

SRC = ROOT / "src" / "clearplan"
#: The road of the data, from the ground up.
ROAD = (
    "core", "tables", "settings", "geo", "read", "records", "land", "surface", "priority", "planning",
    "planning/search", "treaty", "publishing", "outputs", "outputs/charts", "outputs/gis", "outputs/page",
    "outputs/report", "outputs/workbooks", "outputs/paper", "outputs/field", "study", "cli",
)  # fmt: skip
#: Stages meet in their tables alone; what each may import of the other stages all the same.
STAGES = {
    "land": (),
    "surface": (),
    "priority": (),
    "planning": (),
    "planning/search": ("planning",),
    "treaty": ("planning",),
}
#: Heavy libraries have one home, and so have those that reach a network.
HOMES = {
    "typer": {"cli"}, "rich": {"cli"}, "rasterio": {"geo"}, "mgrs": {"geo"}, "ppigrf": {"core"}, "pandera": {"tables"},
    "pydantic": {"settings"}, "pyogrio": {"read", "outputs/gis"}, "openpyxl": {"read"}, "pg8000": {"read"},
    "urllib.request": {"read"}, "requests": set(), "httpx": set(), "aiohttp": set(), "http": {"read"}, "socket": set(),
    "sklearn": {"surface"}, "highspy": {"planning/search"}, "folium": {"outputs/page"}, "branca": {"outputs/page"},
    "xstatic": {"outputs/page"}, "reportlab": {"outputs/report"}, "xlsxwriter": {"outputs/workbooks"},
    "babel": {"read"}, "scipy": {"geo", "surface", "priority"},
    "matplotlib": {"outputs/charts", "outputs/paper", "outputs/field"},
}  # fmt: skip


def test_planning_reads_no_clock_but_for_its_stop():
    clocks, readers = {"time", "timeit", "resource", "signal"}, set()
    for path in (SRC / "planning").rglob("*.py"):
        if clocks & {name.split(".")[0] for name in imported(path)}:
            readers.add(path.relative_to(SRC).as_posix())
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
        assert not attributes & {"now", "today", "utcnow", "running_time", "getRunTime"}, path
    assert readers == {"planning/search/allowance.py"}


def package_of(path: Path) -> str:
    return path.relative_to(SRC).parent.as_posix()


MODULES = sorted(path for path in SRC.rglob("*.py") if path.parent != SRC)


@functools.cache
def imported(path: Path) -> set[str]:
    """Full names that a module imports, at its top, inside functions or for types alone."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@functools.cache
def own_modules(path: Path) -> set[Path]:
    """The modules of clearplan that a module imports."""
    found = set()
    for name in imported(path):
        if name.startswith("clearplan"):
            parts = name.split(".")[1:]
            tries = (SRC.joinpath(*parts).with_suffix(".py"), SRC.joinpath(*parts[:-1]).with_suffix(".py"))
            module = next((one for one in tries if parts and one.exists()), None)
            assert module is not None, f"{path}: {name} is no module, or a name of the root package"
            found.add(module)
    return found


def test_every_package_has_its_place():
    assert {package_of(path) for path in MODULES} == set(ROAD)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_a_module_imports_only_what_stands_above_it(path):
    own = package_of(path)
    for other in map(package_of, own_modules(path)):
        assert ROAD.index(other) <= ROAD.index(own), f"{path.name} of {own} imports {other}, which stands below it"
        if own in STAGES and other in STAGES:
            assert other == own or other in STAGES[own], f"stage {own} imports stage {other}; they meet in their tables"
    for library, homes in HOMES.items():
        if any(name == library or name.startswith(f"{library}.") for name in imported(path)):
            assert own in homes, f"{path.name} of {own} imports {library}, which lives in {homes or 'no package'}"


@pytest.mark.parametrize("package", ROAD)
def test_no_circles_inside_a_package(package):
    inside = [path for path in MODULES if package_of(path) == package]
    graph = {path: own_modules(path) & set(inside) for path in inside}
    TopologicalSorter(graph).prepare()
