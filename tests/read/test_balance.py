"""Rows balance at every door: what a file claims is read, what is read is used or deferred, or it is said."""

import io
import json
import re
import sqlite3
import struct
import zipfile
from contextlib import closing

import geopandas as gpd
import openpyxl
import pypdf
import pytest
import shapely

import clearplan as cp
from clearplan.core.errors import FaultsError
from clearplan.geo import shape_faults
from clearplan.outputs.report.elements import read_page
from clearplan.outputs.report.pdf import print_page
from clearplan.outputs.report.run import draw_report
from clearplan.read.readers import checked_file
from clearplan.study.outputs import imprint_of
from clearplan.study.publish import publish_study
from tests.conftest import clearplan
from tests.pdf import texts_of_pages
from tests.read.test_doors import REGION, SQUARE, collection, cut_rows, hazards, judged, shapefile
from tests.study.test_run import make_project

BOXES = [shapely.box(46.93 + k / 50, 39.99, 46.94 + k / 50, 40.0) for k in range(3)]
SHORT = {"columns": {"position_error_m": "err"}}


def three(name):
    return hazards(*BOXES, hazard_id=[f"{name}-{k}" for k in range(3)])


def wrong_table(folder, count):
    path = shapefile(folder, f"dbf{count}.shp", hazard_id=[f"dbf{count}-{k}" for k in range(3)])
    cut_rows(path, count)
    return path, SHORT


def zipped(folder):
    wrong_table(folder, 1)
    with zipfile.ZipFile(folder / "z.zip", "w") as bundle:
        for part in folder.glob("dbf1.*"):
            bundle.write(part, part.name.replace("dbf1", "z"))
            part.unlink()
    return folder / "z.zip", SHORT


def stated(folder, name, **members):
    content = json.loads(three(name).to_json()) | members
    (folder / f"{name}.geojson").write_text(json.dumps(content))
    return folder / f"{name}.geojson", {}


def counted(folder, count):
    path = folder / f"count{count}.gpkg"
    three(path.stem).to_file(path)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = ?", (count,))
    return path, {}


def flatgeobuf(folder, count):
    path = folder / f"fgb{count}.fgb"
    three(path.stem).to_file(path, SPATIAL_INDEX="NO")
    content = bytearray(path.read_bytes())
    (size,) = struct.unpack_from("<I", content, 8)
    (at,) = [k for k in range(12, 12 + size - 7) if struct.unpack_from("<Q", content, k) == (3,)]
    struct.pack_into("<Q", content, at, count)
    path.write_bytes(bytes(content))
    return path, {}


def copied(folder):
    """A copy of a layer of which the server counted more rows than came."""
    table = three("copy")
    table.attrs["server_rows"] = 5
    table.to_parquet(folder / "copy.parquet", index=False)
    return folder / "copy.parquet", {}


#: (file, claimed, read) of files of three rows each.
WRONG = [
    (lambda folder: wrong_table(folder, 2), 3, 2),
    (lambda folder: wrong_table(folder, 4), 4, 3),
    (zipped, 3, 1),
    (lambda folder: stated(folder, "matched", numberMatched=9), 9, 3),
    (lambda folder: stated(folder, "returned", numberReturned=5), 5, 3),
    (lambda folder: stated(folder, "fewer", totalFeatures=2, numberReturned=3), 2, 3),
    (lambda folder: stated(folder, "null", features=[*json.loads(three("null").to_json())["features"], None]), 4, 3),
    (lambda folder: counted(folder, 2), 2, 3),  # GDAL takes the count for the truth: the third hazard was lost
    (lambda folder: counted(folder, 5), 5, 3),
    (lambda folder: counted(folder, 0), 0, 3),
    (lambda folder: flatgeobuf(folder, 2), 3, 2),
    (lambda folder: flatgeobuf(folder, 5), 5, 3),
    (copied, 5, 3),
]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """Files whose own count is wrong, the faults for which a run refuses them, and a lenient run of all of them."""
    folder = tmp_path_factory.mktemp("wrong")
    files = [(*make(folder), claimed, read) for make, claimed, read in WRONG]
    project = make_project(folder)
    sources = [{"path": str(path), "lenient": True} | source for path, source, _, _ in files]
    strict = [source | {"lenient": False} for source in sources]
    with pytest.raises(FaultsError) as refused:
        cp.run_study(project / "plan.toml", change={"hazards": strict})
    return files, refused.value.faults, cp.run_study(project / "plan.toml", change={"hazards": sources})


def cells_of(html, heading):
    """Cells of the first table below a heading, row by row."""
    below = read_page(html.partition(heading)[2]).first("table")
    return [[cell.text for cell in row.every("th", "td")] for row in below.every("tr")]


@pytest.mark.parametrize("k", range(len(WRONG)))
def test_a_wrong_count_is_refused_and_in_lenient_reading_said(wrong, k):
    files, refused, study = wrong
    path, source, claimed, read = files[k]
    strict, expected = checked_file(path, "hazards", region=REGION, **source)
    assert refused.loc[refused["file"] == path.name, "rule"].tolist() == strict["rule"].tolist()
    assert strict["level"].tolist() == ["error"] * len(strict)
    assert strict["row"].isna().all()
    assert (strict["remedy"] != "").all()
    assert any(str(count) in strict["rule"].iloc[0] for count in (claimed, read))
    lenient, balance = checked_file(path, "hazards", region=REGION, lenient=True, **source)
    assert lenient["level"].tolist() == ["warning"] * len(strict)
    assert balance == expected
    in_run = {row["file"]: row for row in study.run["balance"]}[path.name]
    assert in_run == vars(balance)
    assert (in_run["claimed"], in_run["read"], in_run["used"], in_run["deferred"]) == (claimed, read, read, 0)
    assert study.hazards["hazard_id"].str.startswith(f"{path.stem}-").sum() == (read if path.suffix != ".zip" else 0)


def test_what_is_missing_is_said_first_and_stands_in_the_report(wrong):
    files, _, study = wrong
    lost = sum(max(claimed - read, 0) for *_, claimed, read in files)
    more = sum(max(read - claimed, 0) for *_, claimed, read in files)
    assert study.notes[0] == f"{lost} rows that files of hazards claim could not be read and are in NO figure"
    assert study.notes[1].startswith(f"Files of hazards hold {more} rows more than they claim")
    html = draw_report(imprint_of(study), study.facts, books=study.books).html
    rows = cells_of(html, "Data: the rows of every file")
    assert rows[1:] == [[str(cell) for cell in row.values()] for row in study.run["balance"]]
    assert rows[-1] == ["zones", "zones.csv", "2", "2", "2", "0", "0"]
    text = " ".join(texts_of_pages(pypdf.PdfReader(io.BytesIO(print_page(html)))))
    assert "matched.geojson" in text
    for tier in ("partner", "public"):  # where no file is named
        narrower = publish_study(study, tier)
        assert "balance" not in narrower.run
        assert ".geojson" not in json.dumps([narrower.notes, narrower.run])
        page = draw_report(imprint_of(narrower), narrower.facts, books=narrower.books).html
        assert "Data: the rows" not in page


def test_the_shell_prints_the_balance_of_a_refused_file(tmp_path):
    path, _ = stated(tmp_path, "matched", numberMatched=9)
    done = clearplan("check", path, "--as", "hazards")
    assert done.returncode == 1
    assert "the service had 9 rows and sent 3 (numberMatched)" in done.stdout
    assert ["hazards", "matched.geojson", "9", "3", "3", "0", "0"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    assert "A run refuses the file" in done.stdout


def test_a_file_cut_by_its_service_claims_nothing_and_is_said(tmp_path):
    path = collection(tmp_path, exceededTransferLimit=True)
    _, study = judged(path, lenient=True)
    assert study.run["balance"][0]["claimed"] is None
    assert study.notes[0] == "1 files lack rows that their service did not send, and nobody knows how many"


def test_rows_of_layers_behind_the_map_are_missed_too(tmp_path):
    named = three("d")[["geometry"]].assign(name=["North", "Middle", "South"])
    named.to_file(tmp_path / "districts.shp")
    cut_rows(tmp_path / "districts.shp", 2)
    countries, _ = stated(tmp_path, "countries", numberMatched=9)
    rivers, _ = counted(tmp_path, 5)
    layers = {"districts": str(tmp_path / "districts.shp"), "countries": str(countries), "rivers": str(rivers)}
    study = cp.run_study(make_project(tmp_path) / "plan.toml", change={"context": layers})
    missing = study.faults[study.faults["level"] == "warning"].set_index("file")["rule"]
    assert missing["districts.shp"] == "districts.dbf has 2 rows for 3 shapes"
    assert missing["countries.geojson"].startswith("the service had 9 rows")
    assert missing["count5.gpkg"] == "the file claims 5 rows, and 3 could be read"


# --- tables: lines, sheets, records


TEXT = "zone_id,name,people,position_error_m,source,lon,lat\n{}\n"
ROW = "{},{},1,5,s,46.9,40"


@pytest.mark.parametrize(
    ("rows", "claimed"),
    [
        ([ROW.format("A", "a"), "", ROW.format("B", "b"), ",,,,,,"], 2),  # blank rows are none
        ([ROW.format("A", '"two\nlines\n\nand four"'), ROW.format("B", '"5"" pipe"')], 2),
        (["#loc+id,#loc+name,#population,#meta,#meta,#geo+lon,#geo+lat", ROW.format("A", "a")], 1),
        ([ROW.format("A", '5" pipe'), ROW.format("B", "b")], 2),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_lines_of_a_text_are_its_rows(tmp_path, rows, claimed, ends):
    (tmp_path / "zones.csv").write_bytes(TEXT.format("\n".join(rows)).replace("\n", ends).encode())
    faults, balance = checked_file(tmp_path / "zones.csv", "zones", crs="EPSG:4326", region=REGION)
    assert faults.empty, faults.to_string()
    assert (balance.claimed, balance.read, balance.used) == (claimed, claimed, claimed)


@pytest.mark.parametrize("blank", [None, " ", "\u00a0"])
def test_rows_of_a_sheet_are_those_with_text(tmp_path, blank):
    book = openpyxl.Workbook()
    for cells in (TEXT.split("\n")[0].split(","), ["A", "a", 0, 5, "s", 46.9, 40], [blank] * 7, ["B", "b"]):
        book.active.append(cells)
    book.save(tmp_path / "zones.xlsx")
    _, balance = checked_file(tmp_path / "zones.xlsx", "zones", crs="EPSG:4326", region=REGION)
    assert (balance.claimed, balance.read, balance.used, balance.deferred) == (2, 2, 1, 1)


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_rows_of_formulas_without_results_are_said(tmp_path, rows):
    book = openpyxl.Workbook()
    for cells in (TEXT.split("\n")[0].split(","), ["A", "a", 7, 5, "s", 46.9, 40], *[['="Z"&ROW()']] * rows):
        book.active.append(cells)
    book.save(tmp_path / "zones.xlsx")
    faults, balance = checked_file(tmp_path / "zones.xlsx", "zones", crs="EPSG:4326", region=REGION)
    (rule,) = faults["rule"]
    assert rule == f"{rows} rows hold formulas alone, without results, and are not read; the first is row 3"
    assert (balance.claimed, balance.read) == (1, 1)


# --- repairs by size, each loss once; collections; closed lines


def spike(length, left=46.93):
    """A square with a spike of no width; its repair loses the spike."""
    corners = [(left, 39.99), (left + 0.01, 39.99), (left + 0.01, 40.0), (left, 40.0), (left, 39.995)]
    return shapely.Polygon([*corners, (left - length, 39.995), (left, 39.995)])


def test_repairs_are_listed_by_what_is_lost_and_each_loss_is_computed_once(tmp_path, monkeypatch):
    calls, loss = [], shape_faults.repair_loss
    monkeypatch.setattr(shape_faults, "repair_loss", lambda shape: calls.append(shape) or loss(shape))
    lengths = [0.00005, 0.003, 0.00015, 0.0001]
    hazards(*(spike(length, 46.93 + k / 50) for k, length in enumerate(lengths))).to_file(tmp_path / "h.gpkg")
    faults = cp.check_file(tmp_path / "h.gpkg", "hazards", region=REGION)
    assert len(calls) == len(lengths)
    assert faults.loc[faults["level"] == "error", "row"].tolist() == [2]
    assert faults.loc[faults["level"] == "repairable", "row"].tolist() == [3, 4, 1]
    done = clearplan("check", tmp_path / "h.gpkg", "--as", "hazards")
    shares = re.findall(r"[\d.]+%(?= of its border is lost)", done.stdout)
    assert shares == ["0.37%", "0.25%", "0.12%"]  # twice the spike of a border of 0.04 degrees and twice the spike
    _, study = judged(tmp_path / "h.gpkg", lenient=True)
    repairs = study.facts.repairs
    assert [repair.row for repair in repairs] == [3, 4, 1]
    assert "m2 before" in repairs[0].change
    assert "0.37% of its border is lost" in repairs[0].change
    html = draw_report(imprint_of(study), study.facts, books=study.books).html
    assert [row[1] for row in cells_of(html, "<h3>Repairs")] == ["row", "3", "4", "1"]


LINE, POINT = shapely.LineString([(46.93, 39.99), (46.96, 39.99)]), shapely.Point(46.95, 39.99)
OVERLAP = shapely.box(46.935, 39.99, 46.945, 40.0)
DEEP = shapely.GeometryCollection([shapely.MultiPolygon([SQUARE, BOXES[2]]), LINE])
#: (parts of a collection, what is left out of it, the ground that is taken); None: nothing can be taken.
COLLECTIONS = [
    ([SQUARE, POINT, POINT], "left out: 2 points", SQUARE),
    ([LINE, SQUARE, OVERLAP], "left out: 1 lines", SQUARE.union(OVERLAP)),
    ([DEEP, POINT], "left out: 1 lines, 1 points", SQUARE.union(BOXES[2])),
    ([BOXES[1]], None, BOXES[1]),
    ([POINT], None, None),
    ([LINE], None, None),
    ([LINE, POINT], None, None),
]


def test_polygons_of_a_collection_are_taken_and_what_is_left_out_is_said(tmp_path):
    shapes = [shapely.GeometryCollection(parts) for parts, _, _ in COLLECTIONS]
    hazards(*shapes).to_file(tmp_path / "h.gpkg")
    faults = cp.check_file(tmp_path / "h.gpkg", "hazards", region=REGION)
    by_row = {row: list(zip(of_row["level"], of_row["value"], strict=True)) for row, of_row in faults.groupby("row")}
    _, study = judged(tmp_path / "h.gpkg", lenient=True)
    for k, (_, left, ground) in enumerate(COLLECTIONS):
        hazard = study.hazards.iloc[k]
        assert hazard["entered_geometry"].startswith("GEOMETRYCOLLECTION")
        if ground is None:
            assert ("error", "GeometryCollection") in by_row[k + 1]
            assert hazard["deferred"] == "geometry: shape mixes geometry types"
            continue
        assert hazard["deferred"] is None
        expected = gpd.GeoSeries([ground], crs=4326).to_crs(study.hazards.crs).area[0]
        assert hazard["geometry"].area == pytest.approx(expected, rel=1e-9)
        assert by_row[k + 1][0] == (("repairable", left) if left else ("warning", "Polygon"))
    balance = study.run["balance"][0]
    assert (balance["used"], balance["deferred"], balance["repaired"]) == (4, 3, 3)


def test_lines_of_a_collection_are_taken_for_a_line(tmp_path):
    collection = shapely.GeometryCollection([POINT, LINE, shapely.Point(46.9, 39.9)])
    gpd.GeoDataFrame({"source": ["s"]}, geometry=[collection], crs=4326).to_file(tmp_path / "line.gpkg")
    belt = {"depth_m": (100, 200), "measure": "each-side", "sides": "both", "caps": "flat", "position_error_m": 5}
    with pytest.raises(FaultsError, match="its lines are taken"):
        cp.read_contact_line(tmp_path / "line.gpkg", region=REGION, **belt)
    with pytest.warns(UserWarning, match="read leniently with 1 faults, 0 rows deferred"):
        table = cp.read_contact_line(tmp_path / "line.gpkg", region=REGION, lenient=True, **belt)
    assert table.geom_type.tolist() == ["LineString"]


def test_closed_lines_that_become_areas_stay_lines_as_entered(tmp_path):
    corners = [list(shape.exterior.coords) for shape in BOXES]
    lines = [
        shapely.LineString(corners[0]),
        shapely.LineString([(*point, 900.0) for point in corners[1]]),
        shapely.MultiLineString([corners[2]]),
    ]
    hazards(*lines, LINE).to_file(tmp_path / "h.geojson")
    faults, study = judged(tmp_path / "h.geojson", closed_lines="area")
    table = study.hazards
    changes = faults[faults["level"] == "repaired"]
    assert changes["row"].tolist() == [1, 2, 3]
    assert changes["value"].tolist() == [f"no area as entered, {area:.0f} m2 as an area" for area in table.area[:3]]
    expected = gpd.GeoSeries(BOXES, crs=4326).to_crs(table.crs).area
    assert table.area[:3].to_numpy() == pytest.approx(expected.to_numpy())
    entered = shapely.from_wkt(table["entered_geometry"].to_numpy())
    assert all(was.equals_exact(line) for was, line in zip(entered, [*lines, LINE], strict=True))
    assert study.run["balance"][0]["repaired"] == 3
