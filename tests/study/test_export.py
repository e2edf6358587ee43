"""One file out of a finished run: every format, read by others' programs; what is refused; nothing half-written."""

import contextlib
import itertools
import json
import re
import shutil
import zipfile

import geopandas as gpd
import gpxpy
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pypdf
import pytest
from PIL import Image
from typer.testing import CliRunner

import clearplan as cp
from clearplan.cli.app import app
from clearplan.core.errors import ClearplanError, MissingFileError, OutputError, ReadError, SettingsError, TableError
from clearplan.core.imprint import NOT_FOR_ENTRY
from clearplan.read.finished_run import read_run
from clearplan.read.readers import read_ranked
from clearplan.study import export
from clearplan.study.compare import compare_runs
from clearplan.study.export import FORMATS, export_run
from tests.sheets_of_paper import IMPRINT


@pytest.fixture
def run(small_runs):
    return small_runs / "restricted"


def ids_of(run):
    """Tasks as the CSV has them, read without clearplan; its second row holds hashtags."""
    return pd.read_csv(run / "tasks.csv", skiprows=[1])["task_id"].tolist()


def notice_of(run):
    return json.loads((run / "run.json").read_text(encoding="utf-8"))["notice"]


# --- every format, once


@pytest.mark.parametrize("suffix", [".geojson", ".fgb", ".gpkg", ".parquet", ".csv"])
def test_layers_read_back(run, tmp_path, suffix):
    file = tmp_path / f"new/tasks{suffix}"
    export_run(run, file, layers=["tasks"])
    if suffix == ".parquet":
        table, notices = gpd.read_parquet(file), [pq.read_schema(file).metadata[b"notice"].decode()]
    elif suffix == ".csv":
        table = pd.read_csv(file, skiprows=[1])
        notices = table["notice"].unique().tolist()
        table = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries.from_wkt(table["wkt"]), crs=table["crs"].iloc[0])
    else:
        table = pyogrio.read_dataframe(file, layer="tasks")
        notices = table["notice"].unique().tolist()
    assert sorted(table["task_id"]) == sorted(ids_of(run))
    assert notices == [notice_of(run)]
    ours = cp.read_run(run)["tasks"]
    # GeoJSON has seven digits of a degree: up to 1 cm on each metre of border.
    assert table.to_crs(ours.crs).area.sum() == pytest.approx(ours["area_m2"].sum(), rel=1e-5)


def test_files_of_many_layers(run, tmp_path):
    export_run(run, tmp_path / "all.gpkg")
    export_run(run, tmp_path / "all.zip")
    layers = {"hazards", "areas", "tasks", "zones", "accidents"}
    assert layers <= {name for name, _ in pyogrio.list_layers(tmp_path / "all.gpkg")}
    with zipfile.ZipFile(tmp_path / "all.zip") as file:
        assert file.testzip() is None
        shapes = sorted(name for name in file.namelist() if name.endswith(".shp"))
    assert len(pyogrio.read_dataframe(f"/vsizip/{tmp_path}/all.zip/tasks.shp")) == len(ids_of(run))
    assert {"tasks.shp", "zones.shp"} <= set(shapes)


def test_some_layers_and_some_tasks(run, tmp_path):
    first, second = ids_of(run)[:2]
    export_run(run, tmp_path / "two.gpkg", layers=["zones", "hazards"])
    assert {name for name, _ in pyogrio.list_layers(tmp_path / "two.gpkg")} - {"layer_styles"} == {"zones", "hazards"}
    export_run(run, tmp_path / "one.gpkg", tasks=[first])
    assert pyogrio.read_dataframe(tmp_path / "one.gpkg", layer="tasks")["task_id"].tolist() == [first]
    export_run(run, tmp_path / "both.geojson", tasks=[second, first, first])
    assert pyogrio.read_dataframe(tmp_path / "both.geojson")["task_id"].tolist() == [first, second]


def test_import_sheets(run, tmp_path):
    task = ids_of(run)[0]
    export_run(run, tmp_path / "hazards.xlsx")
    export_run(run, tmp_path / "task.xlsx", tasks=[task])
    assert "hazards" in openpyxl.load_workbook(tmp_path / "hazards.xlsx").sheetnames
    book = openpyxl.load_workbook(tmp_path / "task.xlsx")
    assert [name for name in book.sheetnames if name.startswith("hazards")] == []
    heads, *rows = list(book["tasks polygons"].iter_rows(values_only=True))[-1000:]
    points = [row for row in rows if row[0] == task]
    assert len(points) >= 3
    assert not [row for row in rows if row[0] not in (task, heads[0], "PolyID") and row[0] in ids_of(run)]


def test_handheld(run, tmp_path):
    tables = cp.read_run(run)
    export_run(run, tmp_path / "first.gpx", first=1)
    export_run(run, tmp_path / "one.gpx", tasks=[ids_of(run)[1]])
    first, one = (gpxpy.parse((tmp_path / name).read_text(encoding="utf-8")) for name in ("first.gpx", "one.gpx"))
    assert len(first.tracks) == tables["tasks"]["queue"].nunique() == 2
    assert len(one.tracks) == 1
    # Whole ground of the task lies within the border.
    shape = tables["tasks"].set_index("task_id").loc[[ids_of(run)[1]], "geometry"].to_crs(4326).iloc[0]
    west, south, east, north = shape.bounds
    there = one.get_bounds()
    assert there.min_longitude <= west + 1e-6
    assert there.max_longitude >= east - 1e-6
    assert there.min_latitude <= south + 1e-6
    assert there.max_latitude >= north - 1e-6


@pytest.mark.parametrize("suffix", [".kml", ".kmz"])
def test_globe(run, tmp_path, suffix):
    export_run(run, tmp_path / f"map{suffix}", tasks=ids_of(run)[:1])
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / f"map{suffix}")}
    assert any("ask" in name for name in layers), layers
    if suffix == ".kmz":
        with zipfile.ZipFile(tmp_path / "map.kmz") as file:
            assert file.namelist()[0] == "doc.kml"
            assert not [name for name in file.namelist() if name.startswith(("/", "..")) or "\\" in name]


def mm(page):
    return [round(float(side) / 72 * 25.4) for side in (page.mediabox.width, page.mediabox.height)]


def test_paper(run, tmp_path):
    tasks = ids_of(run)
    export_run(run, tmp_path / "map.pdf")
    export_run(run, tmp_path / "round.pdf", tasks=tasks[:1], scale=25_000, paper="A3", orientation="landscape")
    export_run(run, tmp_path / "atlas.pdf", atlas=True)
    export_run(run, tmp_path / "one.pdf", dossiers=True, tasks=[tasks[0], tasks[2]])
    export_run(run, tmp_path / "first.pdf", dossiers=True, first=2)
    export_run(run, tmp_path / "map.png", orientation="landscape")
    read = {file.stem: pypdf.PdfReader(file) for file in tmp_path.glob("*.pdf")}
    assert mm(read["map"].pages[0]) == [210, 297]
    assert mm(read["round"].pages[0]) == [420, 297]
    assert "1:25 000" in read["round"].pages[0].extract_text()
    assert len(read["one"].pages) == 2
    assert f"Task {tasks[0]}" in read["one"].pages[0].extract_text()
    assert f"Task {tasks[2]}" in read["one"].pages[1].extract_text()
    assert len(read["first"].pages) == 4  # two of each queue
    for name, pdf in read.items():
        assert re.sub(r"\s+", " ", NOT_FOR_ENTRY) in re.sub(r"\s+", " ", pdf.pages[0].extract_text()), name
    with Image.open(tmp_path / "map.png") as picture:
        assert picture.size == pytest.approx((297 / 25.4 * 200, 210 / 25.4 * 200), abs=1)


def test_a_dossier_is_that_of_the_run(sample, tmp_path):
    """Team, days and rates of the plan of work stand in it too, though it is drawn from files."""
    _, folder = sample
    ours = pypdf.PdfReader(folder / "field" / "dossiers.pdf")
    page = ours.pages[0].extract_text()
    task = re.search(r"38[ST][A-Z]{2}\d{4}-(SHA|CHA|IND)-\d+", page)[0]
    export_run(folder, tmp_path / "one.pdf", dossiers=True, tasks=[task])
    (own,) = pypdf.PdfReader(tmp_path / "one.pdf").pages
    for part in ("Warnings", "Hazards and their sources", "Method, team, dates"):
        assert part in own.extract_text()
    lost = set(re.split(r"\s*\n\s*", page)) - set(re.split(r"\s*\n\s*", own.extract_text()))
    # Outlines of districts are no layer of the run; all that is told in words is.
    assert {words for words in lost if "istrict" not in words} == set()


# --- what is refused


@pytest.mark.parametrize(
    ("name", "options", "error", "words"),
    [
        ("a.txt", {}, OutputError, "does not end with"),
        ("a", {}, OutputError, "does not end with"),
        ("a.gpx", {"tasks": ["nope"]}, TableError, "task 'nope': the run has none"),
        ("a.gpkg", {"layers": ["nope"]}, TableError, "layer 'nope': the run has none"),
        ("a.fgb", {"layers": ["tasks", "zones"]}, SettingsError, "one layer"),
        ("a.gpx", {"layers": ["tasks"]}, SettingsError, "--layer: .gpx holds no layers"),
        ("a.pdf", {"dossiers": True, "atlas": True}, SettingsError, "two books"),
        ("a.png", {"dossiers": True}, SettingsError, "name a .pdf"),
        ("a.csv", {"atlas": True}, SettingsError, "name a .pdf"),
        ("a.pdf", {"atlas": True, "tasks": ["FIRST"]}, SettingsError, "leave --task out"),
        ("a.csv", {"layers": ["zones"], "tasks": ["FIRST"]}, SettingsError, "name --layer tasks too"),
        ("a.csv", {"first": 3}, SettingsError, "--first: belongs to"),
        ("a.gpx", {"first": 3, "tasks": ["FIRST"]}, SettingsError, "--first: belongs to"),
        ("a.gpx", {"first": 0}, SettingsError, "below 1"),
        ("a.gpx", {"scale": 5000}, SettingsError, "--scale: belongs to a map"),
        ("a.pdf", {"dossiers": True, "scale": 5000}, SettingsError, "--scale: belongs to a map"),
        ("a.csv", {"paper": "A3"}, SettingsError, "--paper: belongs to a map"),
        ("a.pdf", {"dossiers": True, "orientation": "landscape"}, SettingsError, "--landscape: belongs to a map"),
        ("a.pdf", {"paper": "A0"}, SettingsError, "paper 'A0'"),
        ("a.png", {"scale": 1000}, SettingsError, "give scale = "),
    ],
)
def test_what_does_not_belong_is_refused(run, tmp_path, name, options, error, words):
    if options.get("tasks") == ["FIRST"]:
        options = options | {"tasks": ids_of(run)[:1]}
    with pytest.raises(error, match=re.escape(words)):
        export_run(run, tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_existing_file_stays(run, tmp_path, suffix):
    file = tmp_path / f"there{suffix}"
    file.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        export_run(run, file)
    assert file.read_text() == "mine"


@pytest.mark.parametrize(("name", "options"), [("a.gpx", {}), ("a.xlsx", {}), ("a.pdf", {"dossiers": True})])
def test_a_public_run_has_no_border_to_give(small_runs, tmp_path, name, options):
    with pytest.raises(SettingsError, match="tier public"):
        export_run(small_runs / "public", tmp_path / name, **options)
    assert list(tmp_path.iterdir()) == []


def test_out_of_a_public_run_comes_what_it_holds(small_runs, tmp_path):
    run = small_runs / "public"
    for name in ("map.png", "map.kmz", "all.gpkg", "tasks.csv"):
        export_run(run, tmp_path / name)
    hazards = pyogrio.read_dataframe(tmp_path / "all.gpkg", layer="hazards")
    assert len(hazards) == 0
    for file in (tmp_path / "all.gpkg", tmp_path / "tasks.csv"):
        assert b"made up" not in file.read_bytes()  # source of the fields


def test_no_file_of_a_narrower_run_goes_into_the_folder_of_a_wider_one(small_runs, tmp_path, monkeypatch):
    tiers = ("public", "partner", "restricted")
    for held, tier in itertools.product(tiers, tiers):
        folder = tmp_path / f"{held} {tier}"
        (folder / "sub").mkdir(parents=True)
        shutil.copy(small_runs / held / "run.json", folder / "run.json")
        file = folder / "sub" / "tasks.csv"
        narrower = tiers.index(tier) > tiers.index(held)
        words = rf"sub/tasks\.csv: .* holds a {held} run, and this file is {tier}; name another folder"
        with pytest.raises(OutputError, match=words) if narrower else contextlib.nullcontext():
            export_run(small_runs / tier, file)
        assert file.exists() != narrower
    folder = tmp_path / "taken"
    folder.mkdir()
    write = export.write_layers

    def taken_meanwhile(*args, **options):
        shutil.copy(small_runs / "public" / "run.json", folder / "run.json")
        return write(*args, **options)

    monkeypatch.setattr(export, "write_layers", taken_meanwhile)
    with pytest.raises(OutputError, match="holds a public run"):
        export_run(small_runs / "restricted", folder / "hazards.zip", layers=["hazards"])
    assert [path.name for path in folder.iterdir()] == ["run.json"]


def test_nothing_is_exported_between_two_results(small_runs, tmp_path):
    (tmp_path / "out").mkdir()
    shutil.copy(small_runs / "restricted" / "plan.gpkg", tmp_path / "out" / "plan.gpkg")
    (tmp_path / ".out.moves").write_text("{}")
    for read in (lambda: export_run(tmp_path / "out", tmp_path / "a.csv"), lambda: read_run(tmp_path / "out"),
                 lambda: compare_runs(tmp_path / "out", tmp_path / "out"),
                 lambda: read_ranked(tmp_path / "out" / "plan.gpkg")):  # fmt: skip
        with pytest.raises(ReadError, match="is between two results"):
            read()


def test_folders_that_are_no_run(run, tmp_path):
    with pytest.raises(MissingFileError, match="no such folder"):
        export_run(tmp_path / "nowhere", tmp_path / "a.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingFileError, match=r"run\.json: no such file"):
        export_run(tmp_path / "empty", tmp_path / "a.csv")
    shutil.copy(run / "run.json", tmp_path / "empty")
    with pytest.raises(MissingFileError, match=r"plan\.gpkg: no such file"):
        export_run(tmp_path / "empty", tmp_path / "a.csv")
    (tmp_path / "empty" / "plan.gpkg").write_bytes(b"no GeoPackage")
    with pytest.raises(ReadError, match=r"plan\.gpkg: can't be read"):
        export_run(tmp_path / "empty", tmp_path / "a.csv")
    cp.write_layers({"zones": cp.read_run(run)["zones"]}, tmp_path / "zones.gpkg", IMPRINT)
    (tmp_path / "zones.gpkg").replace(tmp_path / "empty" / "plan.gpkg")
    with pytest.raises(ReadError, match="holds no tasks"):
        export_run(tmp_path / "empty", tmp_path / "a.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def spoilt(record, path, value=None):
    """A record with something at a path of keys changed, or gone."""
    *way, last = path
    inner = record
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(record)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: "",
        lambda record: "[]",
        lambda record: '{"fingerprint": 1',
        lambda record: "\ud800".encode("utf-16", "surrogatepass"),
        lambda record: spoilt(record, ["notice"]),
        lambda record: spoilt(record, ["settings", "study", "title"]),
        lambda record: spoilt(record, ["settings", "study", "as_at"], "yesterday"),
        lambda record: spoilt(record, ["settings", "study"], 5),
        lambda record: spoilt(record, ["operations"]),
        lambda record: spoilt(record, ["crs"]),
    ],
)
def test_a_broken_record_is_told(run, tmp_path, spoil):
    folder = tmp_path / "run"
    folder.mkdir()
    shutil.copy(run / "plan.gpkg", folder)
    told = spoil(json.loads((run / "run.json").read_text(encoding="utf-8")))
    (folder / "run.json").write_bytes(told if isinstance(told, bytes) else told.encode())
    with pytest.raises(ReadError, match=r"run\.json: .*run the project again"):
        export_run(folder, tmp_path / "a.gpx")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("a.gpkg", "clearplan.outputs.gis.formats.write_gpkg"), ("a.csv", "clearplan.outputs.gis.formats.write_table"),
        ("a.zip", "clearplan.outputs.gis.formats.write_shapefiles"),
        ("a.geojson", "clearplan.outputs.gis.formats.write_arrow"),
        ("a.png", "clearplan.outputs.paper.sheet._png"),
    ],
)  # fmt: skip
def test_nothing_half_written_stays(run, tmp_path, monkeypatch, name, inside):
    def full(*args, **options):
        for place in tmp_path.rglob("*"):
            if place.is_dir():
                (place / name).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inside, full)
    with pytest.raises(OutputError, match=r"can't be written \(No space left"):
        export_run(run, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


# --- the shell


def test_help_names_every_format():
    told = CliRunner().invoke(app, ["export", "--help"])
    assert told.exit_code == 0
    assert [suffix for suffix in FORMATS if suffix not in told.output] == []


def test_command(run, tmp_path):
    shell = CliRunner()
    done = shell.invoke(app, ["export", str(run), str(tmp_path / "z.csv"), "--layer", "zones"])
    assert done.exit_code == 0, done.output
    assert "NOTE: zones: blank cells are unknown" in done.output
    assert f"Wrote {tmp_path / 'z.csv'}" in done.output.splitlines()
    again = shell.invoke(app, ["export", str(run), str(tmp_path / "z.csv"), "--layer", "zones"])
    assert isinstance(again.exception, ClearplanError)
    assert "\n" not in str(again.exception)
    assert shell.invoke(app, ["export", str(run), str(tmp_path / "m.png"), "--paper", "A0"]).exit_code == 2
    assert shell.invoke(app, ["export", str(run), str(tmp_path / "m.png"), "--scale", "1"]).exit_code == 2
    wide = shell.invoke(app, ["export", str(run), str(tmp_path / "m.pdf"), "--landscape", "--paper", "A3"])
    assert wide.exit_code == 0, wide.output
    assert mm(pypdf.PdfReader(tmp_path / "m.pdf").pages[0]) == [420, 297]
