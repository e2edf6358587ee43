"""The house: floors, homes of libraries, light import, and the words that must never be printed."""

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import ROOT

SRC = ROOT / "src" / "clearplan"
FLOORS = {
    "cli": 5, "__main__": 5,
    "study": 4, "outputs": 4, "handouts": 4, "export": 4, "__init__": 4, "inputs": 4, "provenance": 4, "compare": 4,
    "ranking": 4, "planning": 4, "planfiles": 4, "replanned": 4, "dossier": 4, "runbook": 4, "published": 4,
    "maps": 3, "page": 3, "drawn": 3, "picture": 3, "charts": 3, "report": 3, "order": 3, "exchange": 3, "quality": 3,
    "workbook": 3, "project": 3, "formats": 3, "shapefiles": 3, "imsma": 3, "workplan": 3, "plan_charts": 3,
    "planbook": 3, "treaty_tables": 3, "treaty_book": 3, "runsheets": 3, "pdf_report": 3, "pdf_charts": 3, "gpx": 3,
    "kml": 3, "paper": 3, "papermaps": 3, "tasksheets": 3, "briefs": 3, "layers": 3, "symbols": 3, "publish": 3,
    "readers": 2, "runs": 2, "rows": 2, "hazards": 2, "tasks": 2, "priority": 2, "figures": 2, "robustness": 2,
    "sensitivity": 2, "survey": 2, "crosscheck": 2, "blockers": 2, "blocks": 2, "plan": 2, "model": 2, "unlocking": 2,
    "judge": 2, "limits": 2, "replay": 2, "orders": 2, "pieces": 2, "budgets": 2, "deadlines": 2, "treaty": 2,
    "filing": 2, "evidence": 2, "contact": 2, "surface": 2, "headline": 2, "release": 2, "balance": 2, "audit": 2,
    "samples": 2, "fit": 2, "evaluation": 2, "fetch": 2, "records": 2, "vertices": 2, "forms": 2, "scans": 2,
    "borders": 2,
    "styles": 1, "meanings": 1, "columns": 1, "sidetables": 1, "shapes": 1, "rasters": 1, "grids": 1, "distances": 1,
    "coordinates": 1, "sheets": 1, "files": 1, "spreadsheets": 1, "postgis": 1, "feature_service": 1, "elements": 1,
    "outlines": 1, "likelihood": 1, "weights": 1, "ranks": 1, "periods": 1, "methods": 1, "solver": 1, "svg": 1,
    "scores": 1, "words": 1, "markup": 1, "checks": 1, "folders": 1, "traverse": 1, "bearings": 1, "angles": 1,
    "placenames": 1, "xmltext": 1, "lettering": 1, "squares": 1, "suppress": 1,
    "schema": 0, "tables": 0, "settings": 0, "settings_priority": 0, "settings_planning": 0, "settings_base": 0,
    "crs": 0, "errors": 0, "hxl": 0, "tiers": 0,
}  # fmt: skip
ALSO_ALLOWED = {
    ("__main__", "cli"),
    ("columns", "meanings"),
    ("files", "sidetables"),
    ("formats", "exchange"),
    ("formats", "shapefiles"),
    ("shapefiles", "exchange"),
    ("study", "inputs"),
    ("maps", "page"),
    ("page", "words"),
    ("maps", "drawn"),
    ("maps", "picture"),
    ("picture", "drawn"),
    ("report", "charts"),
    ("report", "order"),
    ("order", "charts"),
    ("workplan", "plan_charts"),
    ("imsma", "workbook"),
    ("planbook", "workbook"),
    ("treaty_book", "workbook"),
    ("runsheets", "workbook"),
    ("pdf_report", "pdf_charts"),
    ("runbook", "dossier"),
    ("runbook", "planning"),
    ("markup", "folders"),
    ("svg", "folders"),
    ("study", "outputs"),
    ("study", "provenance"),
    ("study", "published"),
    ("outputs", "dossier"),
    ("outputs", "handouts"),
    ("outputs", "runbook"),
    ("outputs", "planfiles"),
    ("outputs", "planning"),
    ("outputs", "provenance"),
    ("outputs", "ranking"),
    ("study", "ranking"),
    ("ranking", "inputs"),
    ("planning", "inputs"),
    ("planfiles", "planning"),
    ("compare", "replanned"),
    ("study", "planning"),
    ("study", "dossier"),
    ("dossier", "inputs"),
    ("dossier", "planning"),
    ("provenance", "inputs"),
    ("readers", "rows"),
    ("balance", "release"),
    ("audit", "release"),
    ("replay", "blockers"),
    ("treaty", "filing"),
    ("records", "forms"),
    ("records", "vertices"),
    ("records", "scans"),
    ("records", "rows"),
    ("vertices", "forms"),
    ("forms", "rows"),
    ("priority", "figures"),
    ("robustness", "priority"),
    ("sensitivity", "priority"),
    ("crosscheck", "priority"),
    ("judge", "blockers"),
    ("judge", "limits"),
    ("blocks", "blockers"),
    ("blocks", "unlocking"),
    ("model", "unlocking"),
    ("plan", "blocks"),
    ("plan", "deadlines"),
    ("deadlines", "model"),
    ("deadlines", "unlocking"),
    ("budgets", "blocks"),
    ("budgets", "deadlines"),
    ("budgets", "judge"),
    ("budgets", "model"),
    ("budgets", "plan"),
    ("budgets", "unlocking"),
    ("plan", "model"),
    ("plan", "unlocking"),
    ("plan", "orders"),
    ("plan", "pieces"),
    ("orders", "unlocking"),
    ("pieces", "unlocking"),
    ("pieces", "model"),
    ("ranks", "shapes"),
    ("surface", "evidence"),
    ("evidence", "contact"),
    ("distances", "grids"),
    ("samples", "evidence"),
    ("samples", "surface"),
    ("fit", "evidence"),
    ("fit", "samples"),
    ("evaluation", "evidence"),
    ("evaluation", "fit"),
    ("evaluation", "samples"),
    ("files", "spreadsheets"),
    ("postgis", "spreadsheets"),
    ("feature_service", "files"),
    ("feature_service", "postgis"),
    ("fetch", "readers"),
    ("rasters", "grids"),
    ("bearings", "checks"),
    ("coordinates", "sheets"),
    ("coordinates", "angles"),
    ("schema", "tables"),
    ("tables", "errors"),
    ("settings", "errors"),
    ("settings", "settings_base"),
    ("settings", "settings_priority"),
    ("settings", "settings_planning"),
    ("settings_planning", "settings_base"),
    ("settings_priority", "settings_base"),
    ("settings_base", "errors"),
    ("crs", "errors"),
    ("layers", "maps"),
    ("layers", "paper"),
    ("layers", "symbols"),
    ("symbols", "paper"),
    ("papermaps", "layers"),
    ("papermaps", "paper"),
    ("papermaps", "symbols"),
    ("tasksheets", "briefs"),
    ("tasksheets", "gpx"),
    ("tasksheets", "layers"),
    ("tasksheets", "symbols"),
    ("kml", "gpx"),
    ("tasksheets", "paper"),
    ("tasksheets", "papermaps"),
    ("outputs", "published"),
    ("published", "dossier"),
    ("published", "planning"),
    ("published", "provenance"),
    ("published", "ranking"),
    ("squares", "coordinates"),
    ("squares", "shapes"),
    ("settings", "tiers"),
    ("tables", "tiers"),
    ("tiers", "errors"),
}
ONLY_HOME = {
    "typer": {"cli"}, "rich": {"cli"}, "folium": {"page"}, "branca": {"page"}, "xstatic": {"page"},
    "rasterio": {"grids", "rasters"}, "mgrs": {"coordinates"}, "pandera": {"schema"},
    "pydantic": {"settings", "settings_base", "settings_planning", "settings_priority"},
    "pyogrio": {"exchange", "files"}, "openpyxl": {"spreadsheets"}, "ppigrf": {"crs"},
    "scipy": {"distances", "evaluation", "fit", "likelihood", "scores", "surface", "weights"},
    "xlsxwriter": {"workbook"}, "sklearn": {"likelihood"},
    "matplotlib": {"charts", "layers", "lettering", "paper", "plan_charts", "svg", "symbols", "tasksheets"},
    "highspy": {"solver"}, "reportlab": {"pdf_charts", "pdf_report"}, "pg8000": {"postgis"},
    "urllib": {"feature_service", "fetch", "postgis", "settings_base"}, "pymcdm": {"crosscheck"},
}  # fmt: skip
ROOMS = sorted(path.stem for path in SRC.glob("*.py"))


def imports_of(room: str) -> tuple[set[str], set[str]]:
    """(own rooms, other packages) that a room imports, at its top or inside functions."""
    own, other = set(), set()
    tree = ast.parse((SRC / f"{room}.py").read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            other |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            own |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            other.add((node.module or "").split(".")[0])
    return own - {"__version__"}, other


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_from_floors_below(room):
    assert room in FLOORS, f"{room}.py stands on no floor; add it to the table and to CONTRIBUTING.md"
    for other in imports_of(room)[0]:
        assert FLOORS[other] < FLOORS[room] or (room, other) in ALSO_ALLOWED, f"{room} imports {other}"


@pytest.mark.parametrize("room", ROOMS)
def test_libraries_have_one_home(room):
    for library in imports_of(room)[1] & set(ONLY_HOME):
        assert room in ONLY_HOME[library], f"{room} imports {library}"


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
        "pymcdm",
        "highspy",
        "pandas",
        "geopandas",
        "pandera",
        "pyogrio",
        "shapely",
    ]
    code = f"import sys, clearplan; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code) == "[]"


def test_every_public_name_is_there():
    code = "import clearplan; print(all(getattr(clearplan, n) is not None for n in clearplan.__all__))"
    assert run_python(code) == "True"


def test_only_the_doors_to_servers_that_a_user_names_open_connections():
    lines = {"requests", "http", "socket", "httpx", "aiohttp", "urllib.request", "pg8000"}
    for room in ROOMS:
        text = (SRC / f"{room}.py").read_text(encoding="utf-8")
        found = {name for name in lines if re.search(rf"^ *(import|from) {re.escape(name)}\b", text, re.MULTILINE)}
        assert found == {"postgis": {"pg8000"}, "feature_service": {"urllib.request"}}.get(room, set()), room


def test_the_forbidden_word_is_nowhere_in_what_we_print():
    word = re.compile(r"\b" + "sa" + r"fe(?:ly|ty|r|st)?\b", re.IGNORECASE)
    files = [
        *SRC.rglob("*.py"),
        *(path for path in SRC.glob("assets/**/*") if path.is_file()),
        *(ROOT / "sample_data").rglob("*.toml"),
        *(ROOT / "notebooks").glob("*.ipynb"),
    ]
    for path in files:
        # Nothing in the product says it, not even to deny it: a reader may see only the one word.
        found = word.findall(path.read_text(encoding="utf-8"))
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
    from clearplan.schema import glossary

    assert (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8") == glossary()
