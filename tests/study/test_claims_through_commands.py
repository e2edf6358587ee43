"""Files whose own count is not what arrives, as a user meets them: `clearplan check` and `clearplan run`."""

import json
import re
import sqlite3
import struct
from contextlib import closing
from zipfile import ZipFile

import geopandas as gpd
import pytest
import shapely

from tests.conftest import FULL, clearplan
from tests.study.test_run import make_project

HAZARD = {
    "kind": "minefield",
    "land_class": "CHA",
    "status": "open",
    "ordnance": "AP",
    "position_m": 10,  # ten characters at most: a shapefile cuts the rest
    "source": "made up",
}
SHAPES = [shapely.box(46.93 + k / 50, 39.99, 46.94 + k / 50, 40.0) for k in range(3)]
COLUMNS = 'columns = { position_error_m = "position_m" }'


def hazards():
    return gpd.GeoDataFrame({"hazard_id": ["H1", "H2", "H3"]} | HAZARD, geometry=SHAPES, crs=4326)


def shapefile(folder, count):
    hazards().to_file(folder / "h.shp")
    table = bytearray((folder / "h.dbf").read_bytes())
    table[4:8] = count.to_bytes(4, "little")
    (folder / "h.dbf").write_bytes(bytes(table))
    return folder / "h.shp"


def zipped(folder, count):
    shapefile(folder, count)
    with ZipFile(folder / "h.zip", "w") as archive:
        for path in sorted(folder.glob("h.*")):
            if path.suffix != ".zip":
                archive.write(path, path.name)
    return folder / "h.zip"


def geopackage(folder, count):
    hazards().to_file(folder / "h.gpkg")
    with closing(sqlite3.connect(folder / "h.gpkg")) as database, database:
        database.execute("UPDATE gpkg_ogr_contents SET feature_count = ?", (count,))
    return folder / "h.gpkg"


def flatgeobuf(folder, count):
    hazards().to_file(folder / "h.fgb", SPATIAL_INDEX="NO")
    content = bytearray((folder / "h.fgb").read_bytes())
    (size,) = struct.unpack_from("<I", content, 8)
    (at,) = [k for k in range(12, 12 + size - 7) if struct.unpack_from("<Q", content, k) == (3,)]
    struct.pack_into("<Q", content, at, count)
    (folder / "h.fgb").write_bytes(bytes(content))
    return folder / "h.fgb"


def geojson(folder, member, count):
    (folder / "h.geojson").write_text(json.dumps(json.loads(hazards().to_json()) | {member: count}))
    return folder / "h.geojson"


def parquet(folder, count):
    table = hazards()
    table.attrs["server_rows"] = count
    table.to_parquet(folder / "h.parquet", index=False)
    return folder / "h.parquet"


def mapinfo(folder, added):
    hazards().to_file(folder / "h.mif", driver="MapInfo File", FORMAT="MIF")
    columns = folder / "h.mid"
    row = columns.read_text().splitlines()[0].replace("made up", "made\nup")
    columns.write_text(columns.read_text() + f"{row}\n" * added)
    return folder / "h.mif"


def text(folder, first, end):
    """Rows of points, of which two stray quotes, before one word and after another, make one."""
    rows = [f"H{k},minefield,CHA,open,AP,10,from{k},46.9{k},39.99,note{k}" for k in (1, 2, 3, 4)]
    content = "hazard_id,kind,land_class,status,ordnance,position_m,source,lon,lat,note\n" + "\n".join(rows) + "\n"
    (folder / "h.csv").write_text(content.replace(first, f'"{first}').replace(end, f'{end}"'))
    return folder / "h.csv"


#: (file, member) -> maker, rows claimed and read, the rule by which both are named, and the remedy.
AGAIN = "export it again"
CASES = {
    ("shp", 2): (lambda folder: shapefile(folder, 2), 3, 2, "h.dbf has 2 rows for 3 shapes", ""),
    ("shp", 1): (lambda folder: shapefile(folder, 1), 3, 1, "h.dbf has 1 rows for 3 shapes", ""),
    ("shp", 4): (lambda folder: shapefile(folder, 4), 4, 3, "h.dbf has 4 rows for 3 shapes", ""),
    ("zip", 2): (lambda folder: zipped(folder, 2), 3, 2, "h.dbf has 2 rows for 3 shapes", ""),
    ("zip", 1): (lambda folder: zipped(folder, 1), 3, 1, "h.dbf has 1 rows for 3 shapes", ""),
    ("zip", 4): (lambda folder: zipped(folder, 4), 4, 3, "h.dbf has 4 rows for 3 shapes", ""),
    ("fgb", 2): (lambda folder: flatgeobuf(folder, 2), 3, 2, "", AGAIN),
    ("fgb", 5): (lambda folder: flatgeobuf(folder, 5), 5, 3, "", AGAIN),
    ("fgb", 1): (lambda folder: flatgeobuf(folder, 1), 3, 1, "", AGAIN),
    ("gpkg", 2): (lambda folder: geopackage(folder, 2), 2, 3, "", AGAIN),
    ("gpkg", 5): (lambda folder: geopackage(folder, 5), 5, 3, "", AGAIN),
    ("gpkg", 0): (lambda folder: geopackage(folder, 0), 0, 3, "", AGAIN),
    ("geojson", "matched"): (
        lambda folder: geojson(folder, "numberMatched", 9), 9, 3,
        "the service had 9 rows and sent 3 (numberMatched)", "export all rows",
    ),
    ("geojson", "returned"): (
        lambda folder: geojson(folder, "numberReturned", 5), 5, 3,
        "the service had 5 rows and sent 3 (numberReturned)", "export all rows",
    ),
    ("geojson", "total"): (lambda folder: geojson(folder, "totalFeatures", 2), 2, 3, "", AGAIN),
    ("parquet", 5): (lambda folder: parquet(folder, 5), 5, 3, "", AGAIN),
    ("parquet", 4): (lambda folder: parquet(folder, 4), 4, 3, "", AGAIN),
    ("parquet", 2): (lambda folder: parquet(folder, 2), 2, 3, "", AGAIN),
    ("csv", "last"): (lambda folder: text(folder, "note1", "note2"), 4, 3, "", AGAIN),
    ("csv", "middle"): (lambda folder: text(folder, "from2", "from3"), 4, 3, "", AGAIN),
    ("csv", "several"): (lambda folder: text(folder, "note1", "note3"), 4, 2, "", AGAIN),
    ("mif", 1): (lambda folder: mapinfo(folder, 1), 4, 3, "", AGAIN),
    ("mif", 2): (lambda folder: mapinfo(folder, 2), 5, 3, "", AGAIN),
    ("mif", 3): (lambda folder: mapinfo(folder, 3), 6, 3, "", AGAIN),
}  # fmt: skip
#: A lenient run of one file that claims more, one that claims less and one text; of all in `make test-full`.
RUNS = [case for k, case in enumerate(CASES) if FULL or k % 8 == 0]


def project_with(folder, path, *lines):
    """The small project with this file as its hazards."""
    plan = make_project(folder) / "plan.toml"
    crs = ['crs = "EPSG:4326"'] if path.suffix == ".csv" else []
    text = plan.read_text().replace('path = "fields.geojson"', "\n".join([f'path = "{path}"', COLUMNS, *crs, *lines]))
    plan.write_text(text.replace('[hazards.set]\nkind = "minefield"\n', ""))
    return plan


def balance_in(text, table):
    return [line.split() for line in text.splitlines() if line.split()[:1] == [table]]


@pytest.fixture(autouse=True)
def lines_of_any_length(monkeypatch):
    """Whoever runs the tests may have a narrow terminal, in which lines are folded."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.mark.parametrize("case", CASES)
def test_strict_commands_refuse_the_file_in_a_line_and_write_nothing(tmp_path, case):
    make, claimed, read, rule, remedy = CASES[case]
    path = make(tmp_path)
    rule = rule or f"the file claims {claimed} rows, and {read} could be read"
    plan = project_with(tmp_path, path)
    balance = ["hazards", path.name, *map(str, (claimed, read, read, 0, 0))]
    checked = clearplan("check", path, "--as", "hazards", "--plan", plan)
    assert checked.returncode == 1
    assert balance_in(checked.stdout, "hazards") == [balance]
    before = sorted(plan.parent.iterdir())
    done = clearplan("run", plan, "--out", tmp_path / "out", "--offline")
    assert done.returncode == 1
    (refusal,) = done.stderr.splitlines()
    assert refusal.startswith(f"Error: {path.name}: {rule}; {remedy}")
    advice = re.sub(r" \(and \d more faults?\)$", "", refusal.partition(f"{rule}; ")[2])
    assert len(advice.split()) >= 3  # what to do about it
    for text in (checked.stdout, done.stdout):
        (listed,) = [line for line in text.partition(f"In {path.name}:\n")[2].splitlines() if rule in line]
        assert listed.split(maxsplit=1) == ["error", f"{rule}; {advice}"]
    assert not (tmp_path / "out").exists()
    assert sorted(plan.parent.iterdir()) == before


@pytest.mark.parametrize("case", RUNS)
def test_a_lenient_run_writes_and_says_first_what_is_missing(tmp_path, case):
    make, claimed, read, *_ = CASES[case]
    path = make(tmp_path)
    plan = project_with(tmp_path, path, "lenient = true")
    done = clearplan("run", plan, "--out", tmp_path / "out", "--offline")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    balance = {row["file"]: row for row in record["balance"]}[path.name]
    assert [balance[key] for key in ("claimed", "read", "used", "deferred")] == [claimed, read, read, 0]
    words = (
        f"{claimed - read} rows that files of hazards claim could not be read and are in NO figure"
        if claimed > read
        else f"Files of hazards hold {read - claimed} rows more than they claim"
    )
    warned = [line for line in (done.stdout + done.stderr).splitlines() if re.match("(WARNING|NOTE|LIMIT)", line)]
    assert words in warned[0]
    checked = clearplan("check", path, "--as", "hazards", "--plan", plan)
    assert checked.returncode == 0
    assert balance_in(checked.stdout, "hazards") == [["hazards", path.name, *map(str, (claimed, read, read, 0, 0))]]


def test_a_file_cut_by_its_service_is_refused_though_nobody_knows_how_many_rows_it_lacks(tmp_path):
    path = geojson(tmp_path, "exceededTransferLimit", True)
    plan = project_with(tmp_path, path)
    checked = clearplan("check", path, "--as", "hazards", "--plan", plan)
    done = clearplan("run", plan, "--out", tmp_path / "out", "--offline")
    assert (checked.returncode, done.returncode) == (1, 1)
    rule = "the service had more rows than it sent (exceededTransferLimit)"
    assert done.stderr == f"Error: h.geojson: {rule}; export the rest, or read the url\n"
    assert rule in checked.stdout
    assert not (tmp_path / "out").exists()


NESTED = {
    "track.gpx": ("trk", '<gpx version="1.1"><trk><trk><name>H1</name></trk><name>H2</name></trk></gpx>'),
    "route.gpx": ("wpt", '<gpx version="1.1"><rte><wpt lat="39.9" lon="46.9"></wpt><name>H1</name></rte></gpx>'),
    "place.kml": (
        "Placemark",
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark><Placemark><name>H1</name></Placemark>'
        "<name>H2</name></Placemark></Document></kml>",
    ),
}


@pytest.mark.parametrize("name", [*NESTED, "place.kmz"])
def test_a_row_within_a_row_is_refused_in_a_line(tmp_path, name):
    """GDAL gives the inner row and loses what stands behind it in the outer one."""
    element, content = NESTED[name.replace("kmz", "kml")]
    path = tmp_path / name
    if path.suffix == ".kmz":
        with ZipFile(path, "w") as archive:
            archive.writestr("doc.kml", content)
    else:
        path.write_text(content)
    plan = project_with(tmp_path, path)
    checked = clearplan("check", path, "--as", "hazards", "--plan", plan)
    done = clearplan("run", plan, "--out", tmp_path / "out", "--offline")
    assert (checked.returncode, done.returncode) == (1, 1)
    (line,) = done.stderr.splitlines()
    assert f"<{element}> in line 1 stands within <" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("cell", ['"from2', 'from2,"46.92', '46.92,39.99,"note2'])
def test_a_quote_without_its_end_is_refused_in_a_line(tmp_path, cell):
    path = text(tmp_path, "zero", "zero")
    plain = cell.replace('"', "")
    path.write_text(path.read_text().replace(f",{plain}", f",{cell}"))
    plan = project_with(tmp_path, path)
    checked = clearplan("check", path, "--as", "hazards", "--plan", plan)
    done = clearplan("run", plan, "--out", tmp_path / "out", "--offline")
    assert (checked.returncode, done.returncode) == (1, 1)
    assert len(done.stderr.splitlines()) == 1
    assert "h.csv" in done.stderr
    assert "quot" in done.stderr
    assert not (tmp_path / "out").exists()
