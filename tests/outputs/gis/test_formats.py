"""Every format gives back every row, column, id and CRS, and unknown stays unknown; what it can't hold is told."""

import csv
import datetime as dt
import json
import sqlite3
import zipfile
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import GeometryCollection, LineString, Point, box

import clearplan as cp
from clearplan.core.errors import MissingFileError, OutputError, ReadError, SettingsError
from clearplan.outputs.gis.formats import write_layers
from clearplan.read.files import read_raw
from clearplan.read.finished_run import read_run
from clearplan.tables.arrow import from_arrow, to_arrow
from clearplan.tables.lookup import OWN, column_of
from clearplan.tables.sidetables import NAME_LENGTH, TEXT_BYTES, cut_text, read_table, short_names
from tests.conftest import E0, N0, UTM, hazard_table, zone_table
from tests.nasty import NOTICE, TEXTS, nasty_zones, same, with_heights
from tests.sheets_of_paper import IMPRINT

WAYS = {".gpkg": 0.0, ".parquet": 0.0, ".geojson": 1e-15, ".fgb": 0.0, ".zip": 1e-12}


def written(tmp_path, suffix, tables=None, name="out"):
    path = tmp_path / f"{name}{suffix}"
    limits = write_layers({"zones": nasty_zones()} if tables is None else tables, path, replace(IMPRINT, notice=NOTICE))
    return path, limits


def named(table):
    """Columns under the names that files give them."""
    return table.rename(columns={"fid": "own_fid"})


@pytest.mark.parametrize(("suffix", "digits"), WAYS.items())
def test_own_door_gives_every_cell_back(tmp_path, suffix, digits):
    path, _ = written(tmp_path, suffix)
    raw = read_raw(path, layer="zones" if suffix == ".gpkg" else None)
    before = named(nasty_zones())
    assert len(raw.frame) == len(before)
    assert set(before.columns) - {"geometry"} <= set(raw.frame.columns)
    for name in before.columns.drop("geometry"):
        for row, (value, found) in enumerate(zip(before[name], raw.frame[name], strict=True)):
            assert same(value, found, digits), (name, row, value, found)
    if suffix != ".zip":
        assert set(raw.frame["notice"]) == {NOTICE}


@pytest.mark.parametrize("suffix", WAYS)
def test_crs_and_places_stay_and_a_row_without_a_place_is_still_there(tmp_path, suffix):
    path, _ = written(tmp_path, suffix)
    raw, before = read_raw(path, layer="zones" if suffix == ".gpkg" else None), nasty_zones()
    there = ~(shapely.is_missing(before.geometry) | shapely.is_empty(before.geometry))
    lost = shapely.is_missing(raw.geometry) | shapely.is_empty(raw.geometry)
    assert (lost == ~there).all()
    xy = shapely.get_coordinates(before.geometry.to_numpy())
    if suffix == ".geojson":
        assert raw.crs.to_epsg() == 4326
        move = Transformer.from_crs(UTM, "EPSG:4326", always_xy=True)
        xy = np.column_stack(move.transform(*xy.T))
        assert np.abs(shapely.get_coordinates(raw.geometry) - xy).max() <= 0.51e-7
    else:
        assert raw.crs == before.crs
        assert np.array_equal(shapely.get_coordinates(raw.geometry), xy)


@pytest.mark.parametrize("suffix", WAYS)
def test_another_reader_sees_the_same(tmp_path, suffix):
    path, _ = written(tmp_path, suffix)
    other = gpd.read_parquet(path) if suffix == ".parquet" else pyogrio.read_dataframe(
        f"/vsizip/{path}" if suffix == ".zip" else path, layer="zones")  # fmt: skip
    before = named(nasty_zones())
    assert len(other) == len(before)
    short = short_names(before.columns) if suffix == ".zip" else {}
    for name in ("zone_id", "people", "planned_return", "opens_in", "position_error_m"):
        for value, found in zip(before[name], other[short.get(name, name)], strict=True):
            assert same(value, found, 1e-12), (name, value, found)
    assert other.crs == ("EPSG:4326" if suffix == ".geojson" else before.crs)
    # Nobody knows is never 0, and 0 is never blank.
    assert other["people"].isna().sum() == before["people"].isna().sum()
    assert (other["people"] == 0).sum() == (before["people"] == 0).sum() > 0


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet"])
def test_heights_and_several_points_stay(tmp_path, suffix):
    path, _ = written(tmp_path, suffix, {"zones": with_heights(nasty_zones())})
    raw = read_raw(path, layer="zones" if suffix == ".gpkg" else None)
    heights = shapely.get_coordinates(raw.geometry, include_z=True)[:, 2]
    assert np.nanmax(heights) == 1234.5
    assert max(len(shapely.get_coordinates(shape)) for shape in raw.geometry) == 2


def test_heights_of_mixed_shapes_are_left_out_of_flatgeobuf_and_told(tmp_path):
    shapes = [Point(E0, N0, 9.0), box(E0, N0, E0 + 9, N0 + 9)]
    path, limits = written(tmp_path, ".fgb", {"hazards": hazard_table([{"geometry": shape} for shape in shapes])})
    assert limits == ["hazards: 1 shapes have heights, which FlatGeobuf can't hold here; they are left out"]
    assert not shapely.has_z(read_raw(path).geometry).any()
    deep = hazard_table([{"geometry": shapely.force_3d(box(E0, N0, E0 + 9, N0 + 9), z=7.5)}, {"geometry": None}])
    path, limits = written(tmp_path, ".fgb", {"hazards": deep}, name="deep")
    assert limits == []
    assert set(shapely.get_coordinates(read_raw(path).geometry, include_z=True)[:, 2]) == {7.5}


def test_run_is_read_back_in_the_types_of_the_stages(tmp_path):
    before = nasty_zones()
    path, _ = written(tmp_path, ".gpkg", name="plan")
    back = read_run(tmp_path)["zones"]
    assert back.attrs["notice"] == NOTICE
    assert {name: str(back[name].dtype) for name in ("people", "planned_return", "opens_in", "name", "is_open")} == {
        "people": "float64", "planned_return": "datetime64[ms]", "opens_in": "Int64", "name": "object",
        "is_open": "boolean",
    }  # fmt: skip
    assert back["own_fid"].tolist() == before["fid"].tolist()
    assert back["people"].equals(before["people"])
    assert [t for t in back["name"] if t is None] == [None]
    assert "" in back["name"].tolist()
    assert cp.check(back.drop(index=[0, 1, 2])).empty or set(cp.check(back)["column"]) <= {"name", "source"}
    assert read_run(path).keys() == {"zones"}


def test_run_that_is_not_there_or_not_readable(tmp_path):
    with pytest.raises(MissingFileError, match=r"plan\.gpkg: no such file"):
        read_run(tmp_path)
    (tmp_path / "plan.gpkg").write_text("no database")
    with pytest.raises(ReadError, match="can't be read"):
        read_run(tmp_path)


def test_units_and_meanings_stand_in_geopackage_and_parquet(tmp_path):
    path, _ = written(tmp_path, ".gpkg")
    with sqlite3.connect(path) as database:
        rows = database.execute("SELECT column_name, name, description FROM gpkg_data_columns").fetchall()
    database.close()
    told = {name: (alias, words) for name, alias, words in rows}
    assert told["position_error_m"][0] == "position_error_m [m]"
    assert told["people"] == (
        None,
        "people who wait to return there, without those already home; blank is unknown, never 0 [people]",
    )
    assert told["seen_by_nobody"][1] == OWN
    path, _ = written(tmp_path, ".parquet")
    scheme = pq.read_schema(path)
    assert scheme.field("position_error_m").metadata[b"unit"] == b"m"
    assert b"never 0" in scheme.field("people").metadata[b"meaning"]
    assert scheme.metadata[b"notice"].decode() == NOTICE
    geo = json.loads(scheme.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["crs"]["id"] == {"authority": "EPSG", "code": 32638}
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert str(scheme.field("planned_return").type) == "date32[day]"
    assert str(scheme.field("people").type) == "int64"
    near = gpd.read_parquet(path, bbox=(E0, N0, E0 + 50, N0 + 5))
    assert 0 < len(near) < len(TEXTS)


def test_geojson_is_rfc_7946(tmp_path):
    shapes = [shapely.Polygon(box(E0, N0, E0 + 500, N0 + 500).exterior.coords, [box(E0 + 9, N0 + 9, E0 + 99, N0 + 99)
              .exterior.coords]).reverse(), None]  # fmt: skip
    path, limits = written(tmp_path, ".geojson", {"hazards": hazard_table([{"geometry": s} for s in shapes])})
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["type"] == "FeatureCollection"
    assert "crs" not in told
    assert told["clearplan"]["columns"]["position_error_m"]["unit"] == "m"
    assert told["clearplan"]["notice"] == NOTICE
    assert told["features"][1]["geometry"] is None
    (rings,) = told["features"][0]["geometry"]["coordinates"]
    outer, inner = (shapely.LinearRing(ring) for ring in rings)
    assert outer.is_ccw  # section 3.1.6: the right-hand rule
    assert not inner.is_ccw
    assert all(len(str(abs(x)).partition(".")[2]) <= 7 for x, _ in rings[0])
    assert "WGS 84" in limits[0]
    assert "7 digits" in limits[0]


def test_endless_numbers_are_blank_in_json_and_told(tmp_path):
    zones = zone_table([{"geometry": Point(E0, N0), "own": float("inf")}])
    path, limits = written(tmp_path, ".geojson", {"zones": zones})
    assert json.loads(path.read_text())["features"][0]["properties"]["own"] is None
    assert "zones: 1 endless numbers are blank" in limits[1]


def test_shapefile_loses_nothing_to_its_limits(tmp_path):
    path, limits = written(tmp_path, ".shp.zip", {"zones": with_heights(nasty_zones())})
    with zipfile.ZipFile(path) as bundle:
        names = bundle.namelist()
        columns = read_table(bundle.read("zones_columns.csv").decode())
        rest = read_table(bundle.read("zones_rest.csv").decode())
        dbf, words = bundle.read("zones.dbf"), bundle.read("README.txt").decode()
    assert {"zones.shp", "zones.shx", "zones.dbf", "zones.prj", "zones.cpg", "README.txt"} <= set(names)
    assert NOTICE in words
    short = [row["short"] for row in columns]
    assert len({name.casefold() for name in short}) == len(short)
    assert all(len(name) <= NAME_LENGTH and name.isascii() for name in short)
    assert {row["name"]: row["unit"] for row in columns}["position_error_m"] == "m"
    assert b"x" * (TEXT_BYTES + 1) not in dbf
    whole = {(row["row"], row["name"]): row["value"] for row in rest}
    assert whole["12", "name"] == "x" * 300
    assert whole["13", "name"] == "é" * 200
    assert whole["15", "name"] == ""  # a shapefile knows no empty text
    assert float(whole["6", "large"]) == 1e300
    assert whole["5", "geometry"].startswith("POINT Z")  # only one place has a height
    assert any("do not fit a shapefile" in limit for limit in limits)
    assert any("column names are shortened" in limit for limit in limits)
    # Another reader sees a blank, not a wrong number.
    other = pyogrio.read_dataframe(f"/vsizip/{path}", layer="zones")
    assert other["large"].isna().tolist() == [k == 5 for k in range(len(other))]


def test_shapefiles_of_mixed_shapes_are_told_apart_and_keep_every_row(tmp_path):
    both = GeometryCollection([Point(E0, N0), box(E0, N0, E0 + 9, N0 + 9)])
    shapes = [LineString([(E0, N0), (E0 + 1, N0)]), Point(E0, N0), box(E0, N0, E0 + 9, N0 + 9), None, both]
    path, _ = written(tmp_path, ".zip", {"hazards": hazard_table([{"geometry": shape} for shape in shapes])})
    found = {
        kind: read_raw(path, layer=f"hazards_{kind}s").frame["hazard_id"].tolist() for kind in ("area", "line", "point")
    }
    assert found == {"area": ["H2", "H3", "H4"], "line": ["H0"], "point": ["H1", "H4"]}
    with pytest.raises(ReadError, match="hazards_areas, hazards_lines, hazards_points; name one"):
        read_raw(path)


def test_side_tables_run_in_no_spreadsheet(tmp_path):
    path, _ = written(tmp_path, ".zip")
    with zipfile.ZipFile(path) as bundle:
        for name in ("zones_columns.csv", "zones_rest.csv"):
            cells = [cell for row in csv.reader(bundle.read(name).decode().splitlines()) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_csv_has_every_row_its_places_and_no_formula(tmp_path):
    path, limits = written(tmp_path, ".csv")
    zones = read_raw(path).frame
    before = named(nasty_zones())
    assert zones["zone_id"].tolist() == before["zone_id"].tolist()
    with open(path, newline="", encoding="utf-8") as text:
        cells = [cell for row in csv.reader(text) for cell in row]
    assert "'=cmd|' /C calc'!A0" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\t"))]
    assert zones["name"].tolist()[0] == "=cmd|' /C calc'!A0"  # our own door takes the apostrophe off
    assert set(zones["crs"]) == {"EPSG:32638"}
    back = [None if not isinstance(text, str) else shapely.from_wkt(text) for text in zones["wkt"]]
    assert [b == a for a, b in zip(before.geometry[3:], back[3:], strict=True)] == [True] * (len(before) - 3)
    assert zones["people"].tolist()[1] == "0"
    assert "apostrophe in front" in limits[0]


@pytest.mark.parametrize("suffix", [*WAYS, ".csv"])
def test_same_table_same_bytes_and_nothing_is_overwritten(tmp_path, suffix):
    first, _ = written(tmp_path, suffix)
    second, _ = written(tmp_path / "again", suffix)
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        written(tmp_path, suffix)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([first.name, "again"])


@pytest.mark.parametrize("suffix", [*WAYS, ".csv"])
def test_a_table_without_rows_or_places_is_written_and_read(tmp_path, suffix):
    whole = nasty_zones()
    nowhere = whole.iloc[:2]
    for k, table in enumerate((nowhere, whole.iloc[:0])):
        path, _ = written(tmp_path, suffix, {"zones": table}, name=f"t{k}")
        raw = read_raw(path, layer="zones" if suffix == ".gpkg" else None)
        assert len(raw.frame) == len(table)


def test_errors_of_a_line(tmp_path):
    zones = nasty_zones()
    tables = {"zones": zones, "hazards": hazard_table([{"geometry": Point(E0, N0)}])}
    with pytest.raises(SettingsError, match=r"\.geojson holds one layer; name one of zones, hazards"):
        written(tmp_path, ".geojson", tables)
    with pytest.raises(SettingsError, match="there is no layer 'x'; there is zones, hazards"):
        write_layers(tables, tmp_path / "a.gpkg", IMPRINT, layers=["x"])
    with pytest.raises(OutputError, match=r"format \.dwg is not written; give one of \.gpkg"):
        written(tmp_path, ".dwg")
    with pytest.raises(cp.CrsError):
        written(tmp_path, ".gpkg", {"zones": zones.to_crs(4326)})
    plain = pd.DataFrame({"gate_id": ["g"], "reason": ["=1"]})
    for suffix in (".geojson", ".fgb", ".zip"):
        with pytest.raises(OutputError, match="has no shapes"):
            written(tmp_path, suffix, {"gates": plain})
    for suffix in (".gpkg", ".parquet", ".csv"):
        written(tmp_path, suffix, {"gates": plain})
    assert read_run(tmp_path / "out.gpkg")["gates"]["reason"].tolist() == ["=1"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out.csv", "out.gpkg", "out.parquet"]


_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=300) | st.none()
_cells = st.tuples(
    _text,
    st.none() | st.integers(-(2**53), 2**53),
    st.none() | st.floats(allow_nan=False, allow_infinity=False, width=64),
    st.none() | st.dates(dt.date(1000, 1, 1), dt.date(3000, 1, 1)),
    st.none() | st.booleans(),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(_cells, min_size=1, max_size=5))
@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb", ".zip"])
def test_any_table_comes_back(tmp_path_factory, suffix, rows):
    words, whole, real, day, yes = zip(*rows, strict=True)
    table = zone_table([{"geometry": Point(E0 + k, N0)} for k in range(len(rows))]).assign(
        words=pd.Series(words, dtype=object), whole=pd.array(whole, dtype="Int64"),
        real=pd.Series(real, dtype=float), day=pd.Series(day, dtype=object), yes=pd.array(yes, dtype="boolean"),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("any") / f"t{suffix}"
    write_layers({"zones": table}, path, IMPRINT)
    frame = read_raw(path, layer="zones" if suffix == ".gpkg" else None).frame
    for name, values in (("words", words), ("whole", whole), ("real", real), ("yes", yes)):
        for value, found in zip(values, frame[name], strict=True):
            assert same(value, found, 1e-12 if suffix == ".zip" else 0) or (
                suffix == ".zip" and name == "real" and abs(value - found) <= 1e-15
            ), (name, value, found)
    for value, found in zip(day, frame["day"], strict=True):
        assert (found is None or pd.isna(found)) if value is None else str(found)[:10] == value.isoformat()


@given(names=st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=60))
def test_short_names_are_short_and_all_different(names):
    short = short_names(names)
    assert list(short) == names
    assert len({name.casefold() for name in short.values()}) == len(names)
    assert all(0 < len(name) <= NAME_LENGTH and name.isascii() for name in short.values())


@given(text=st.text(max_size=400))
def test_cut_text_fits_and_ends_in_whole_letters(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    assert len(cut_text(text).encode()) <= TEXT_BYTES


def test_arrow_and_back_keeps_types_that_nobody_declared():
    table = pd.DataFrame({
        "mixed": ["a", 1, None], "days": [dt.date(2020, 1, 2), None, dt.date(1, 1, 1)],
        "kind": pd.Categorical(["x", None, "y"]), "list": [["a"], None, {"b": 1}], "huge": [2**70, 1, 2],
        "at": pd.to_datetime(["2020-01-02 03:04:05", None, None]),
    })  # fmt: skip
    arrow = to_arrow("other", table)
    assert [str(field.type) for field in arrow.schema] == [
        "string", "date32[day]", "string", "string", "string", "timestamp[ms]"
    ]  # fmt: skip
    back = from_arrow("other", arrow)
    assert back["list"].tolist() == ['["a"]', None, '{"b": 1}']
    assert back["huge"].tolist() == [str(2**70), "1", "2"]
    assert back["at"].iloc[0] == pd.Timestamp("2020-01-02 03:04:05")


def test_every_column_of_the_sample_has_a_meaning(sample):
    _, folder = sample
    entered = {"other_names", "geonameid", "name", "class_", "length_km", "place", "struck_on"}  # the sources' own
    for layer, table in read_run(folder).items():
        blank = {name for name in table.columns.drop("geometry") if column_of(layer, name).meaning == OWN}
        assert blank <= entered, (layer, blank)


def test_sample_goes_through_every_format(sample, tmp_path):
    study, folder = sample
    tables = read_run(folder)
    for name in ("hazards", "areas", "tasks", "zones", "accidents", "lifelines", "releases"):
        # A layer holds one geometry: that of AREAS is the ground for planning, and HAZARDS have what was reported.
        before, after = getattr(study, name).drop(columns="reported", errors="ignore"), tables[name]
        assert set(before.columns) == set(after.columns)
        assert after.crs == before.crs
        for column in before.columns.drop("geometry"):
            pairs = zip(before[column], after[column], strict=True)
            assert all(same(a if not isinstance(a, float) or a == a else None, b) for a, b in pairs), (name, column)
        assert shapely.equals_identical(before.geometry.to_numpy(), after.geometry.to_numpy())[
            before.geometry.notna() & (before.geometry.geom_type != "Polygon")].all()  # fmt: skip
        for suffix in (".parquet", ".fgb"):
            write_layers(tables, tmp_path / f"{name}{suffix}", IMPRINT, layers=[name])
            raw = read_raw(tmp_path / f"{name}{suffix}")
            assert len(raw.frame) == len(before)
            assert set(before.columns) - {"geometry"} <= set(raw.frame.columns)
