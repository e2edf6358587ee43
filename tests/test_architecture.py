"""The house: light import, public names, and the words that must never be printed."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import clearplan
from tests.conftest import ROOT
from tests.test_law import MODULES, imported

SRC = ROOT / "src" / "clearplan"


def run_python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_import_does_no_work():
    heavy = [
        "folium",
        "rasterio",
        "scipy",
        "sklearn",
        "matplotlib",
        "highspy",
        "pandas",
        "geopandas",
        "pandera",
        "pyogrio",
        "shapely",
    ]
    code = f"import sys, clearplan; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_every_library_that_is_imported_is_declared():
    """But for those of an extra: scikit-learn and what comes with it are asked for by name where they are needed."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    needed = {re.split(r"[<>=]", words)[0] for words in [*declared, "scikit-learn", "threadpoolctl"]}
    homes = packages_distributions()
    names = {name.split(".")[0] for path in MODULES for name in imported(path)}
    for name in sorted(names - set(sys.stdlib_module_names) - {"clearplan"}):
        assert {home.lower().replace("_", "-") for home in homes[name]} & needed, name


def test_every_public_name_is_there_and_stays():
    """A submodule of the same name would take its place at its first import, which any later name may cause."""
    code = (
        "import clearplan as cp; first = {n: getattr(cp, n) for n in cp.__all__}; "
        "print([n for n in dir(cp) if n not in first or getattr(cp, n) is not first[n]])"
    )
    assert run_python(code) == "[]"
    packages = {path.name.removesuffix(".py") for path in SRC.iterdir()}
    assert not packages & set(clearplan.__all__)


def test_the_forbidden_word_is_nowhere_in_what_we_print():
    word = re.compile(r"\b" + "sa" + r"fe(?:ly|ty|r|st)?\b", re.IGNORECASE)
    files = [
        *SRC.rglob("*.py"),
        *(path for path in SRC.rglob("*") if path.suffix in {".js", ".css", ".html", ".csv", ".toml"}),
        *(ROOT / "sample_data").rglob("*.toml"),
        *(ROOT / "notebooks").glob("*.ipynb"),
    ]
    for path in files:
        # Nothing in the product says it, not even to deny it: a reader may see only the one word.
        found = word.findall(path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found}"


def test_the_number_of_the_surface_is_a_share_of_ground():
    """A probability that a cell holds ordnance depends on the cell's size; the share sums over cells of any size."""
    wrong = re.compile(
        r"probabilit(?:y|ies) (?:that (?:a|the) cell|of (?:a cell|explosive|contamination)|surface)"
        r"|surface's\W+probabilit",
        re.IGNORECASE,
    )
    files = [
        *(path for path in SRC.rglob("*") if path.suffix in {".py", ".js", ".html", ".csv", ".toml"}),
        *(ROOT / "sample_data").rglob("*.toml"),
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "docs/glossary.md")),
    ]
    for path in files:
        found = wrong.findall(path.read_text(encoding="utf-8"))
        assert not found, f"{path.name}: {found}"


def test_no_machine_path_or_host_is_committed():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = Path(ROOT, name)
        if not path.exists():
            continue
        texts = [path.read_bytes()]
        if path.suffix == ".xlsx":  # A workbook is a ZIP of texts.
            with zipfile.ZipFile(path) as parts:
                texts = [parts.read(part) for part in parts.namelist()]
        for text in texts:
            assert (os.sep + "work" + os.sep).encode() not in text, name
            assert ("/ro" + "ot/").encode() not in text, name


def test_the_glossary_is_current():
    from clearplan.tables.check import glossary

    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary()
