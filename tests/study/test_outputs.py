"""What a run leaves for teams and for other systems on request, tier by tier; what fails; odd text in all of it."""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from unittest import mock

import geopandas as gpd
import gpxpy
import openpyxl
import pandas as pd
import pyogrio
import pypdf
import pytest
import shapely

from clearplan.core.errors import OutputError
from clearplan.study import outputs
from clearplan.study.export import export_run
from clearplan.study.run import run_study, write_study
from tests.conftest import FULL, made_once
from tests.pdf import texts_of_pages
from tests.study.test_run import depend, make_project, project  # noqa: F401

FORMATS = ["areas.parquet", "imsma.xlsx", "layers.shp.zip", "limits.txt", "tasks.parquet", "zones.parquet"]
ASKED = {"outputs": {"field": True, "formats": True}}
FORMATS_ASKED = {"outputs": {"formats": True}}
FIELD = ["dossiers.pdf", "map.kmz", "map.pdf", "map.png", "tasks.gpx"]


@pytest.fixture(scope="module", autouse=True)
def few_dossiers():
    """One page of each queue: what is looked at here is whether files are there and what their words are."""
    with mock.patch.object(outputs, "_DOSSIERS", outputs._DOSSIERS if FULL else 1):
        yield


@pytest.fixture(scope="module")
def small_study(tmp_path_factory):
    """The small project, worked out once, with both folders asked for."""
    return run_study(make_project(tmp_path_factory.mktemp("small")) / "plan.toml", change=ASKED)


@pytest.fixture
def blank_paper(monkeypatch):
    """Paper takes most of the time, and these tests look at other files: a mark stands for it."""
    for writer in ("write_dossiers", "draw_sheet"):
        monkeypatch.setattr(outputs, writer, lambda path, *_, **__: path.write_bytes(b"paper"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def text_of(pdf):
    return re.sub(r"\s+", " ", " ".join(texts_of_pages(pypdf.PdfReader(pdf))))


@pytest.mark.parametrize(
    ("tier", "banner"), [("restricted", "RESTRICTED: exact"), ("partner", "PARTNERS ONLY: shapes")]
)
def test_folders_of_a_team_and_of_other_systems(small_runs, tier, banner):
    run = small_runs / tier
    assert names(run / "formats") == FORMATS
    assert names(run / "field") == FIELD
    gpx = gpxpy.parse((run / "field" / "tasks.gpx").read_text(encoding="utf-8"))
    with zipfile.ZipFile(run / "field" / "map.kmz") as kmz, zipfile.ZipFile(run / "formats" / "layers.shp.zip") as shp:
        told = [
            kmz.read("doc.kml").decode(),
            " ".join(shp.read(n).decode() for n in shp.namelist() if "txt" in n.lower()),
        ]
    book = openpyxl.load_workbook(run / "formats" / "imsma.xlsx")
    told.append(" ".join(str(cell.value) for row in book.worksheets[0].iter_rows() for cell in row))
    told += [text_of(run / "field" / name) for name in ("map.pdf", "dossiers.pdf")]
    told += [gpx.description, gpd.read_parquet(run / "formats" / "tasks.parquet").attrs.get("notice", banner)]
    fingerprint = json.loads((run / "run.json").read_text(encoding="utf-8"))["fingerprint"]
    assert [words[:200] for words in told if banner not in words] == []
    assert [words[:200] for words in told[:-1] if fingerprint not in words] == []


def test_layers_hold_every_row(small_runs):
    run = small_runs / "restricted"
    for name in ("areas", "tasks", "zones"):
        ours = pyogrio.read_dataframe(run / "plan.gpkg", layer=name)
        assert len(gpd.read_parquet(run / "formats" / f"{name}.parquet")) == len(ours)
        assert len(pyogrio.read_dataframe(f"/vsizip/{run}/formats/layers.shp.zip/{name}.shp")) == len(ours)


def test_limits_are_told(small_runs):
    told = (small_runs / "restricted" / "formats" / "limits.txt").read_text(encoding="utf-8")
    assert "column names are shortened" in told


def test_nothing_of_a_public_run(small_runs):
    assert not {"field", "formats"} & set(names(small_runs / "public"))


def test_what_nobody_gave_is_not_known(small_runs):
    """The small project names no accidents, no lifelines, no releases, no teams."""
    words = text_of(small_runs / "restricted" / "field" / "dossiers.pdf")
    assert "No plan of work was given" in words
    assert "Accidents: no table was given; nobody knows" in words
    assert "no table of lifelines or roads was given" in words
    sheet = text_of(small_runs / "restricted" / "field" / "map.pdf")
    assert "Not given to this map: accidents, lifelines, roads, releases" in sheet


def test_no_task_with_a_place(project):  # noqa: F811
    """All fields are cancelled: nothing is left to draw, and other systems still get their tables."""
    fields = gpd.read_file(project / "fields.geojson").assign(status="closed")
    fields.to_file(project / "fields.geojson")
    study = run_study(project / "plan.toml", project / "out", change=ASKED)
    assert len(study.tasks) == 0
    assert not (project / "out" / "field").exists()
    assert "field: left out, because no task has a place" in study.notes
    assert {"imsma.xlsx", "zones.parquet"} <= set(names(project / "out" / "formats"))


# --- on request, and what can't be written


def test_folders_are_written_on_request_and_go_when_nobody_asks(project):  # noqa: F811
    out = project / "out"
    asked = run_study(project / "plan.toml", out, change={"outputs": {"field": True}})
    assert names(out / "field") == FIELD
    assert not (out / "formats").exists()
    bare = run_study(project / "plan.toml", out)
    assert not {"field", "formats"} & set(names(out))
    assert asked.run["fingerprint"] == bare.run["fingerprint"]  # they decide no figure


def half_written(*given, **__):
    """A writer that leaves half a file and then fails."""
    path = next(value for value in given if isinstance(value, Path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("half")
    raise OutputError(f"{path}: can't be written (no room\nleft)")


@pytest.mark.parametrize(
    ("writer", "files"),
    [
        ("write_gpx", ["field/tasks.gpx"]),
        ("write_kml", ["field/map.kmz"]),
        ("write_dossiers", ["field/dossiers.pdf"]),
        ("draw_sheet", ["field/map.pdf", "field/map.png"]),
        ("write_imsma", ["formats/imsma.xlsx"]),
    ],
)
@pytest.mark.usefixtures("blank_paper")
def test_an_optional_file_that_fails_is_left_out_and_told(small_study, tmp_path, monkeypatch, writer, files):
    monkeypatch.setattr(outputs, writer, half_written)
    out = tmp_path / "out"
    study = write_study(small_study, out)
    written = {f"{folder}/{name}" for folder in ("field", "formats") for name in names(out / folder)}
    every = {f"field/{name}" for name in FIELD} | {f"formats/{name}" for name in FORMATS}
    assert written - {"field/limits.txt"} == every - set(files)
    for file in files:
        sentence = f"{file}: left out, because it could not be written ({file}: can't be written (no room left))"
        assert sentence in study.notes
        limits = (out / file).parent / "limits.txt"
        assert sentence in limits.read_text(encoding="utf-8").splitlines()
        assert sentence in json.loads((out / "run.json").read_text(encoding="utf-8"))["warnings"]
        assert file in (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "error", [ValueError("of another\nlibrary"), OSError(28, "No space left on device"), MemoryError()]
)
@pytest.mark.usefixtures("blank_paper")
def test_no_error_of_an_optional_file_ends_a_run(small_study, tmp_path, monkeypatch, error):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(outputs, "write_gpx", fails)
    study = write_study(small_study, tmp_path / "out")
    (sentence,) = [note for note in study.notes if note.startswith("field/tasks.gpx: left out")]
    assert type(error).__name__ in sentence
    assert "\n" not in sentence
    assert (tmp_path / "out" / "map.html").exists()


def test_a_map_that_nothing_can_draw_is_left_out(small_study, tmp_path, monkeypatch):
    """The writer of pages itself fails: none of the files that it would have made stays."""

    def no_pages(path, *_, **__):
        raise OutputError(f"{path}: can't be written")

    for module in ("field.dossiers", "paper.maps"):
        monkeypatch.setattr(f"clearplan.outputs.{module}.save_pages", no_pages)
    study = write_study(small_study, tmp_path / "out")
    assert names(tmp_path / "out" / "field") == ["limits.txt", "map.kmz", "tasks.gpx"]
    assert sum("left out" in note for note in study.notes) == 3


@pytest.mark.parametrize("writer", ["save_paper", "write_runbook", "write_gpkg"])
@pytest.mark.usefixtures("blank_paper")
def test_a_required_file_that_fails_ends_the_run(project, monkeypatch, writer):  # noqa: F811
    def fails(*_, **__):
        raise OutputError("it can't be written")

    monkeypatch.setattr(f"clearplan.study.outputs.{writer}", fails)
    with pytest.raises(OutputError, match="it can't be written"):
        run_study(project / "plan.toml", project / "out", change=ASKED)
    assert not (project / "out").exists()


def test_more_rows_than_a_sheet_holds_end_no_run(project, monkeypatch):  # noqa: F811
    """Hazards, their corners and tasks of a run go on on further sheets; none of their rows is lost."""
    monkeypatch.setattr("clearplan.outputs.workbooks.writer._MOST_ROWS", 1)
    study = run_study(project / "plan.toml", project / "out", change=FORMATS_ASKED)
    assert not [note for note in study.notes if "left out" in note]
    book = openpyxl.load_workbook(project / "out" / "formats" / "imsma.xlsx")
    assert [book[name]["A2"].value for name in ("hazards", "hazards 2")] == study.hazards["hazard_id"].tolist()
    corners = [name for name in book.sheetnames if name.startswith("hazards polygons")]
    assert len(corners) == shapely.get_num_coordinates(study.hazards.geometry.to_numpy()).sum() - len(study.hazards)
    book = openpyxl.load_workbook(project / "out" / "plan.xlsx")
    sheets = [name for name in book.sheetnames if name.startswith("Tasks")]
    assert sheets == ["Tasks", *(f"Tasks {k}" for k in range(2, len(study.tasks) + 1))]
    assert {book[name]["A3"].value for name in sheets} == set(study.tasks["task_id"])


def test_texts_longer_than_a_cell_end_no_run(project):  # noqa: F811
    fields = gpd.read_file(project / "fields.geojson").assign(source="long " * 8_000)
    fields.to_file(project / "fields.geojson")
    study = run_study(project / "plan.toml", project / "out", change=FORMATS_ASKED)
    assert not [note for note in study.notes if "left out" in note]
    limits = (project / "out" / "formats" / "limits.txt").read_text(encoding="utf-8")
    assert "2 texts of source are longer than a cell" in limits
    cells = [cell.value for row in openpyxl.load_workbook(project / "out" / "plan.xlsx")["Tasks"] for cell in row]
    assert max(len(value) for value in cells if isinstance(value, str)) == 32_767


# --- text from data is text

TEXTS = [
    "=1+1", "<script>alert(1)</script><b>bold</b>", r"$x_{1}^{2}$ $\frac$ $\bad{", "{{7*7}} [% 7*7 %]",
    "it's \"q\" & 'q' \\ `", "Հայերեն Ադամ", "../../../etc/x", "a/b\\c:d*?", "L" * 300, "@SUM(A1)", "-1+1",
    "]]><x/>&amp",
]  # fmt: skip


def odd(folder):
    """The small project with an odd text in every column of text; ids may not hold ';' or line breaks."""
    title = "title = '''=1+1 <b>$x$</b> {{7*7}} ../a'''"
    plan = re.sub(r'title = ".*"', lambda _: title, (folder / "plan.toml").read_text())
    plan = plan.replace("[map]", '[[accidents]]\npath = "accidents.csv"\ncrs = "EPSG:4326"\n[map]')
    (folder / "plan.toml").write_text(plan)
    every = range(len(TEXTS))
    boxes = [shapely.box(46.90 + 0.01 * k, 39.99, 46.905 + 0.01 * k, 39.993) for k in every]
    texts = pd.Series(TEXTS)
    lines = texts + "\nline;\ttab \U0001f600"
    shared = {"position_error_m": 30.0, "source": lines}
    fields = {
        "hazard_id": texts,
        "land_class": ["CHA", "SHA"] * 6,
        "status": "open",
        "ordnance": "AP",
        "my note": lines,
    }
    gpd.GeoDataFrame(fields | shared, geometry=boxes, crs=4326).to_file(folder / "fields.geojson")
    places = shared | {"lon": [46.902 + 0.01 * k for k in every], "lat": 39.995}
    zones = {"zone_id": texts, "name": texts, "people": [100 + k for k in every], "my note": lines}
    pd.DataFrame(zones | places).to_csv(folder / "zones.csv", index=False)
    accidents = {"accident_id": texts, "occurred_on": "2021-05-01", "device": "AP"}
    pd.DataFrame(accidents | places).to_csv(folder / "accidents.csv", index=False)
    quoted = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    depend(
        folder,
        [f"{own},do-no-harm,{own},,,{own},{own},{own},2024-01-01" for own in quoted[:3]],
        [f'{own},{own},road,yes,5,{own},2024-01-01,"LINESTRING({46.9 + 0.01 * k} 39.99,{46.906 + 0.01 * k} 39.996)"'
         for k, own in enumerate(quoted)],
    )  # fmt: skip


class Elements(HTMLParser):
    """Elements that only the data could have made, and handlers of events."""

    def __init__(self):
        super().__init__()
        self.tag, self.found = "", []

    def handle_starttag(self, tag, attrs):
        self.tag = tag
        self.found += [(tag, attrs)] if tag == "x" else []
        self.found += [(tag, name) for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        if (self.tag, data.strip()) in (("script", "alert(1)"), ("b", "bold"), ("b", "$x$")):
            self.found.append((self.tag, data))


@pytest.fixture(scope="module")
def odd_run(tmp_path_factory):
    def make(folder):
        odd(make_project(folder))
        run_study(folder / "project" / "plan.toml", folder / "project" / "out", change=ASKED)

    return made_once(tmp_path_factory, "odd", make)[1] / "project" / "out"


def test_odd_text_is_text_in_pages_and_books(odd_run):
    for page in odd_run.glob("*.html"):
        parser = Elements()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.found == [], page.name
    for path in odd_run.rglob("*.xlsx"):
        cells = [cell for sheet in openpyxl.load_workbook(path) for row in sheet.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f"], path.name
        assert {text for text in TEXTS if not any(text in str(cell.value) for cell in cells)} == set(), path.name
    for path in odd_run.rglob("*.csv"):
        run_by_sheets(path.name, path.read_text(encoding="utf-8-sig"))


def run_by_sheets(name, text):
    """No cell begins as a spreadsheet's formulas do, numbers apart; every row has as many cells as the head."""
    rows = list(csv.reader(io.StringIO(text)))
    assert len({len(row) for row in rows}) == 1, name
    cells = [cell for row in rows for cell in row if cell[:1] in tuple("=@+-\t\r")]
    assert [cell for cell in cells if cell and not re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", cell)] == [], name


def test_odd_text_leads_out_of_no_archive(odd_run):
    archives = [path for kind in ("*.zip", "*.kmz", "*.qgz", "*.xlsx") for path in odd_run.rglob(kind)]
    assert len(archives) == 5
    for path in archives:
        with zipfile.ZipFile(path) as file:
            for name in file.namelist():
                assert re.fullmatch(r"[\w.\[\]/-]+", name), name
                assert ".." not in name
                assert not name.startswith("/")
                if name.endswith((".kml", ".qgs", ".xml", ".rels")):
                    ElementTree.fromstring(file.read(name))
                if name.endswith(".csv"):
                    run_by_sheets(f"{path.name}/{name}", file.read(name).decode("utf-8-sig"))
    outside = set(names(odd_run.parent))
    assert outside == {"accidents.csv", "fields.geojson", "gates.csv", "lifelines.csv", "out", "plan.toml", "zones.csv"}


def test_odd_text_comes_back_as_it_was(odd_run, tmp_path):
    for layer, column in (("hazards", "hazard_id"), ("zones", "name"), ("accidents", "accident_id")):
        table = pyogrio.read_dataframe(odd_run / "plan.gpkg", layer=layer)
        assert sorted(table[column]) == sorted(TEXTS)
    assert sorted(gpd.read_parquet(odd_run / "formats" / "zones.parquet")["name"]) == sorted(TEXTS)
    gpx = gpxpy.parse((odd_run / "field" / "tasks.gpx").read_text(encoding="utf-8"))
    assert gpx.name == "=1+1 <b>$x$</b> {{7*7}} ../a"
    # Paper shows no mathematics: dollars and backslashes stand as they are.
    printed = ("=1+1", r"$x_{1}^{2}$ $\frac$ $\bad{", "{{7*7}}", "Հայերեն", "alert(1)")
    tasks = pyogrio.read_dataframe(odd_run / "plan.gpkg", layer="tasks")
    own = [tasks.loc[tasks["hazard_ids"].str.contains(text, regex=False), "task_id"].iloc[0] for text in printed]
    export_run(odd_run, tmp_path / "own.pdf", dossiers=True, tasks=own)
    words = text_of(tmp_path / "own.pdf")
    for text in printed:
        assert text in words, text
