"""Files as other software writes them: rows that are lost, shapes that a repair would lose, ids, lines, services."""

import datetime as dt
import gzip
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS

import clearplan as cp
from clearplan.core.errors import FaultsError, ReadError, SettingsError
from clearplan.read.files import read_raw
from clearplan.read.readers import read_source
from clearplan.read.row_counts import claimed_rows
from clearplan.settings.sources import SourceSettings
from clearplan.tables.codes import look_alike
from tests.study.test_run import make_project

REGION = (46.5, 39.5, 47.5, 40.5)
FIELD = {
    "kind": "minefield",
    "land_class": "CHA",
    "status": "open",
    "ordnance": "AP",
    "position_error_m": 10,
    "source": "made up",
}
SQUARE = shapely.box(46.93, 39.99, 46.94, 40.0)


def hazards(*shapes, **columns):
    ids = {} if "hazard_id" in columns else {"hazard_id": [f"H{k}" for k in range(1, len(shapes) + 1)]}
    return gpd.GeoDataFrame(FIELD | ids | columns, geometry=list(shapes), crs=4326, index=range(len(shapes)))


def judged(path, **source):
    """Faults of the check of a file of hazards; a run of a small project with that file must name the same."""
    faults = cp.check_file(path, "hazards", region=REGION, **source)
    project = make_project(path.parent) if not (path.parent / "project").exists() else path.parent / "project"
    try:
        study = cp.run_study(project / "plan.toml", change={"hazards": [{"path": str(path)} | source]})
        in_run = study.faults[study.faults["file"] == path.name]
    except FaultsError as error:
        in_run, study = error.faults, None
    assert in_run["rule"].tolist() == faults["rule"].tolist()
    return faults, study


# --- shapefiles: rows, numbers, names, encodings


def shapefile(folder, name="h.shp", **columns):
    frame = hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0), shapely.box(46.97, 39.99, 46.98, 40.0), **columns)
    path = folder / name
    frame.rename(columns={"position_error_m": "err"}).to_file(path)
    return path


COLUMNS = {"columns": {"position_error_m": "err"}}


def cut_rows(path, count):
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    dbf[4:8] = count.to_bytes(4, "little")
    path.with_suffix(".dbf").write_bytes(bytes(dbf))


@pytest.mark.parametrize("count", [2, 1, 4])
def test_rows_that_do_not_match_the_shapes_are_refused(tmp_path, count):
    path = shapefile(tmp_path)
    cut_rows(path, count)
    faults, study = judged(path, **COLUMNS)
    assert study is None
    assert f"h.dbf has {count} rows for 3 shapes" in faults["rule"].tolist()


@pytest.mark.parametrize("lost", [40, 300])
def test_a_table_that_is_cut_off_is_refused(tmp_path, lost):
    path = shapefile(tmp_path)
    dbf = path.with_suffix(".dbf").read_bytes()
    path.with_suffix(".dbf").write_bytes(dbf[:-lost])
    with pytest.raises((FaultsError, ReadError), match=r"h\.dbf is cut: its header counts 3 rows|can't be read"):
        cp.read_hazards(path, region=REGION, **COLUMNS)


@pytest.mark.parametrize("row", [0, 2])
def test_a_number_too_wide_for_its_field_is_said(tmp_path, row):
    path = shapefile(tmp_path)
    dbf = bytearray(path.with_suffix(".dbf").read_bytes())
    header, length = int.from_bytes(dbf[8:10], "little"), int.from_bytes(dbf[10:12], "little")
    at, width = 1, 0
    for k in range(32, header - 1, 32):
        width = dbf[k + 16]
        if dbf[k : k + 11].split(b"\0")[0] == b"err":
            break
        at += width
    start = header + row * length + at
    dbf[start : start + width] = b"*" * width
    path.with_suffix(".dbf").write_bytes(bytes(dbf))
    faults, study = judged(path, **COLUMNS)
    assert study is None
    assert (row + 1, "err") in list(zip(faults["row"], faults["column"], strict=True))


def test_parts_in_upper_case_are_found(tmp_path):
    shapefile(tmp_path)
    for part in list(tmp_path.glob("h.*")):
        part.rename(part.with_name(part.name.upper()))
    faults, study = judged(tmp_path / "H.SHP", **COLUMNS)
    assert faults.empty
    assert len(study.hazards) == 3


@pytest.mark.parametrize("stated", ["OEM", "SYSTEM", "ANSI", "ansi"])
def test_a_code_page_that_names_none_is_as_none(tmp_path, stated):
    path = tmp_path / "h.shp"
    hazards(SQUARE, source="Агдам").rename(columns={"position_error_m": "err"}).to_file(path, encoding="cp1251")
    path.with_suffix(".cpg").write_text(stated)
    with pytest.raises(ReadError, match="names no encoding; declare one: encoding = 'cp1251'"):
        read_raw(path)


# --- services, sequences, epochs


def collection(folder, **members):
    content = json.loads(hazards(SQUARE).to_json()) | members
    path = folder / "h.geojson"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "members",
    [
        {"exceededTransferLimit": True},
        {"properties": {"exceededTransferLimit": True}},
        {"numberMatched": 9, "numberReturned": 1},
    ],
)
def test_a_service_that_sent_not_all_of_its_rows_is_refused(tmp_path, members):
    faults, study = judged(collection(tmp_path, **members))
    assert study is None
    assert "the service had" in faults["rule"].iloc[0]


def test_one_feature_a_line_is_named_and_read_under_its_own_ending(tmp_path):
    features = json.loads(hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0)).to_json())["features"]
    text = "\n".join(json.dumps(feature) for feature in features)
    (tmp_path / "h.geojson").write_text(text)
    with pytest.raises(ReadError, match=r"one feature per line; give its name the ending \.geojsonl"):
        read_raw(tmp_path / "h.geojson")
    (tmp_path / "h.geojsonl").write_text(text)
    assert len(judged(tmp_path / "h.geojsonl")[1].hazards) == 2


# --- ids


@pytest.mark.parametrize(("suffix", "ids"), [("gpkg", ["1", "2"]), ("geojson", ["0", "1"]), ("fgb", ["0", "1"])])
def test_ids_of_the_format_can_be_named(tmp_path, suffix, ids):
    frame = hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0)).drop(columns="hazard_id")
    frame.to_file(tmp_path / f"h.{suffix}")
    _, study = judged(tmp_path / f"h.{suffix}", columns={"hazard_id": "@fid"})
    assert sorted(study.hazards["hazard_id"]) == ids


def test_rows_and_digests_can_be_ids_and_digests_follow_shape_and_source(tmp_path):
    frame = hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0)).drop(columns="hazard_id")
    frame.to_file(tmp_path / "a.gpkg")
    frame.iloc[::-1].to_file(tmp_path / "b.geojson")
    rows, digests = ({"columns": {"hazard_id": way}} for way in ("@row", "@hash"))
    assert judged(tmp_path / "a.gpkg", **rows)[1].hazards["hazard_id"].tolist() == ["1", "2"]
    one, other = (judged(tmp_path / name, **digests)[1].hazards["hazard_id"] for name in ("a.gpkg", "b.geojson"))
    assert set(one) == set(other)
    assert len(set(one)) == 2
    frame.assign(source="another").to_file(tmp_path / "c.gpkg")
    assert not set(one) & set(judged(tmp_path / "c.gpkg", **digests)[1].hazards["hazard_id"])


def test_only_an_id_can_be_made_and_a_table_has_no_fid(tmp_path):
    hazards(SQUARE).to_file(tmp_path / "h.gpkg")
    with pytest.raises(SettingsError, match="only hazard_id can be made so"):
        cp.read_hazards(tmp_path / "h.gpkg", columns={"source": "@fid"}, region=REGION)
    (tmp_path / "z.csv").write_text("name,people,position_error_m,source,lon,lat\nA,5,5,s,46.9,40\n")
    with pytest.raises(SettingsError, match="gives no ids to rows; use '@row'"):
        cp.read_zones(tmp_path / "z.csv", columns={"zone_id": "@fid"}, crs="EPSG:4326", region=REGION)


@pytest.mark.parametrize("ids", [["F", "F", "G"], ["F", None, "f "], [None, None, None]])
def test_ids_that_repeat_can_be_numbered_and_it_is_said(tmp_path, ids):
    boxes = [shapely.box(46.93 + 0.01 * k, 39.99, 46.935 + 0.01 * k, 39.995) for k in range(3)]
    hazards(*boxes, hazard_id=ids).to_file(tmp_path / "h.gpkg")
    refused, nothing = judged(tmp_path / "h.gpkg")
    assert nothing is None
    assert len(refused)
    faults, study = judged(tmp_path / "h.gpkg", ids="number")
    assert study.hazards["hazard_id"].is_unique
    assert len(study.hazards) == 3
    assert faults["level"].tolist() == ["warning"]
    assert "got a number" in faults["rule"].iloc[0]


# --- shapes


LANE = [(46.9, 39.9), (46.91, 39.9), (46.91, 39.91), (46.9, 39.91), (46.9, 39.905), (46.85, 39.905), (46.9, 39.905)]


@pytest.mark.parametrize(
    "ring",
    [
        [(46.9, 39.9), (46.91, 39.91), (46.92, 39.92)],
        LANE,
        [(46.9, 39.9), (46.95, 39.9), (46.9, 39.9000001), (46.95, 39.9)],
    ],
)
def test_a_repair_that_loses_ground_is_none(tmp_path, ring):
    hazards(shapely.Polygon(ring)).to_file(tmp_path / "h.gpkg")
    faults, study = judged(tmp_path / "h.gpkg")
    assert study is None
    assert faults["level"].tolist()[0] == "error"
    _, study = judged(tmp_path / "h.gpkg", lenient=True)
    assert study.hazards["deferred"].notna().all()  # counted as not placed, never as ground of no area


def test_a_crossing_of_two_lobes_is_repaired_whole(tmp_path):
    bow = shapely.Polygon([(46.9, 39.9), (46.91, 39.91), (46.91, 39.9), (46.9, 39.91)])
    hazards(bow).to_file(tmp_path / "h.gpkg")
    faults, study = judged(tmp_path / "h.gpkg", lenient=True)
    assert faults["level"].tolist() == ["repaired"]
    assert study.hazards["deferred"].isna().all()
    # Two triangles of half the height each.
    whole = gpd.GeoSeries([shapely.box(46.9, 39.9, 46.91, 39.91)], crs=4326).to_crs(study.hazards.crs).area[0]
    assert study.hazards.area.iloc[0] == pytest.approx(whole / 2, rel=1e-3)


@pytest.mark.parametrize("wrap", [lambda line: line, lambda line: shapely.MultiLineString([line])])
def test_a_closed_line_is_asked_about(tmp_path, wrap):
    line = wrap(shapely.LineString([*shapely.box(46.93, 39.99, 46.94, 40.0).exterior.coords]))
    hazards(line).to_file(tmp_path / "h.gpkg")
    faults, study = judged(tmp_path / "h.gpkg")
    assert study is None
    assert "closed_lines = 'area' or 'line'" in faults["remedy"].iloc[0]
    _, area = judged(tmp_path / "h.gpkg", closed_lines="area")
    _, thin = judged(tmp_path / "h.gpkg", closed_lines="line")
    assert area.hazards.geom_type.tolist() == ["Polygon"]
    assert "Line" in thin.hazards.geom_type.iloc[0]


LINE = {
    "hazard_id": "LINE-1",
    "scale": "1:50 000",
    "source": "made up",
    "position_error_m": 50,
    "depth_min_m": 500,
    "depth_max_m": 1000,
    "measure": "each-side",
    "caps": "flat",
}
SOUTH, MIDDLE, NORTH = (46.93, 39.98), (46.93, 40.0), (46.93, 40.02)


def with_line(folder, shapes, sides):
    gpd.GeoDataFrame(geometry=shapes, crs=4326).to_file(folder / "line.geojson")
    project = folder / "project"
    plan = project if project.exists() else make_project(folder)
    return cp.run_study(
        plan / "plan.toml", change={"contact_line": [LINE | {"path": str(folder / "line.geojson"), "sides": sides}]}
    )


@pytest.mark.parametrize("sides", ["left", "right"])
@pytest.mark.parametrize(
    "ways", [[(SOUTH, MIDDLE), (NORTH, MIDDLE)], [(MIDDLE, SOUTH), (MIDDLE, NORTH)], [(NORTH, MIDDLE), (SOUTH, MIDDLE)]]
)
@pytest.mark.parametrize("parts", [False, True])
def test_parts_of_a_line_that_run_against_each_other_are_refused_with_both_named(tmp_path, sides, ways, parts):
    lines = [shapely.LineString(way) for way in ways]
    shapes = [shapely.MultiLineString(lines)] if parts else lines
    with pytest.raises(FaultsError) as error:
        with_line(tmp_path, shapes, sides)
    (rule,) = [rule for rule in error.value.faults["rule"] if "run against each other" in rule]
    assert ("two parts of row 1" in rule) if parts else ("rows 1 and 2" in rule)


def test_parts_that_follow_each_other_and_belts_on_both_sides_need_no_turning(tmp_path):
    chain = [shapely.LineString([SOUTH, MIDDLE]), shapely.LineString([MIDDLE, NORTH])]
    belts = with_line(tmp_path, chain, "left").areas
    belts = belts[belts["band"] != "whole"]
    # To the left of a line that runs north lies the west.
    line = gpd.GeoSeries([shapely.LineString([SOUTH, NORTH])], crs=4326).to_crs(belts.crs).iloc[0]
    assert (belts.geometry.centroid.x < line.centroid.x).all()
    against = [shapely.LineString([SOUTH, MIDDLE]), shapely.LineString([NORTH, MIDDLE])]
    assert with_line(tmp_path, [shapely.MultiLineString(against)], "both").areas["deferred"].isna().all()


@pytest.mark.parametrize("code", ["EPSG:3857", "EPSG:3395", "ESRI:54030"])
def test_a_metric_crs_that_is_not_true_to_area_measures_nothing(tmp_path, code):
    hazards(SQUARE).to_crs(code).to_file(tmp_path / "h.gpkg")
    table = cp.read_hazards(tmp_path / "h.gpkg")
    true = gpd.GeoSeries([SQUARE], crs=4326).to_crs(CRS.from_proj4("+proj=laea +lat_0=40 +lon_0=46.9")).area[0]
    assert table.area.iloc[0] == pytest.approx(true, rel=2e-3)


@pytest.mark.parametrize("srs", [0, -1])
def test_an_undefined_crs_is_the_one_that_is_declared(tmp_path, srs):
    import sqlite3

    hazards(SQUARE).to_file(tmp_path / "h.gpkg", layer="h")
    with sqlite3.connect(tmp_path / "h.gpkg") as database:
        database.execute("update gpkg_contents set srs_id = ?", (srs,))
        database.execute("update gpkg_geometry_columns set srs_id = ?", (srs,))
    with pytest.raises(cp.ClearplanError, match="states no CRS"):
        cp.check_file(tmp_path / "h.gpkg", "hazards", region=REGION)
    assert judged(tmp_path / "h.gpkg", crs="EPSG:4326")[0].empty


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("39.9 46.9 350 4.5", "Point"),
        ("39.9 46.9 0 0; 39.91 46.9 0 0; 39.91 46.91 0 0; 39.9 46.9 0 0", "Polygon"),
        ("39.9 46.9;39.91 46.9", "LineString"),
    ],
)
def test_shapes_of_survey_forms_are_read(tmp_path, text, kind):
    cells = {"hazard_id": "H1"} | FIELD | {"answer": text}
    pd.DataFrame([cells]).to_csv(tmp_path / "h.csv", index=False)
    source = SourceSettings(path=tmp_path / "h.csv", crs="EPSG:4326", columns={"geoshape": "answer"})
    table = read_source("hazards", source, region=REGION).table
    assert shapely.from_wkt(table["entered_geometry"].iloc[0]).geom_type == kind
    assert table["deferred"].isna().all()


def test_null_island_is_warned_of(tmp_path):
    text = "zone_id,name,people,position_error_m,source,lon,lat\nA,a,1,5,s,0,0\n"
    (tmp_path / "z.csv").write_text(text)
    assert "point lies at 0, 0" in cp.check_file(tmp_path / "z.csv", "zones", crs="EPSG:4326")["rule"].tolist()


POINT = '<trkpt lat="39.9{}" lon="46.9"/>'


@pytest.mark.parametrize(
    ("segments", "left", "words"),
    [
        ([1, 2], 1, "a segment of a single point"),
        ([2, 1, 3], 2, "a segment of a single point"),
        ([1, 1, 4], 1, "2 segments of a single point"),
    ],
)
def test_a_track_keeps_all_but_its_single_points(tmp_path, segments, left, words):
    text = "".join(f"<trkseg>{''.join(POINT.format(k) for k in range(count))}</trkseg>" for count in segments)
    head = '<gpx version="1.1" creator="G" xmlns="http://www.topografix.com/GPX/1/1">'
    (tmp_path / "t.gpx").write_text(f"{head}<trk>{text}</trk></gpx>")
    source = {"columns": {"hazard_id": "@row"}, "set": FIELD}
    faults, study = judged(tmp_path / "t.gpx", **source)
    assert study is None
    assert words in faults["rule"].iloc[0]
    _, study = judged(tmp_path / "t.gpx", lenient=True, **source)
    assert study.hazards["deferred"].isna().all()
    assert len(shapely.get_parts(study.hazards.geometry.iloc[0])) == left


def test_rows_of_each_file_balance(tmp_path):
    lane, bow = shapely.Polygon(LANE), shapely.Polygon([(46.9, 39.9), (46.91, 39.91), (46.91, 39.9), (46.9, 39.91)])
    hazards(SQUARE, lane, bow).to_file(tmp_path / "h.gpkg")
    _, study = judged(tmp_path / "h.gpkg", lenient=True)
    counts = {row["file"]: row for row in study.run["balance"]}
    assert counts["h.gpkg"] == {
        "table": "hazards", "file": "h.gpkg", "claimed": 3, "read": 3, "used": 2, "deferred": 1, "repaired": 1
    }  # fmt: skip
    assert all(row["read"] == row["used"] + row["deferred"] for row in study.run["balance"])
    assert counts["zones.csv"]["read"] == 2


# --- tables are named, columns may have any name


def accidents(folder, **columns):
    frame = pd.DataFrame(
        {
            "accident_id": ["A1", "A2"],
            "occurred_on": ["2020-10-03", "2023-10-03"],
            "device": "AP",
            "position_error_m": 10,
            "source": "s",
            "lon": [46.93, 46.94],
            "lat": [40.0, 40.0],
        }
        | columns
    )
    frame.to_csv(folder / "accidents.csv", index=False)
    return {"accidents": [{"path": str(folder / "accidents.csv"), "crs": "EPSG:4326"}]}


@pytest.mark.parametrize("column", ["hazard_id", "zone_id", "task_id", "changed_on", "decided_on"])
def test_a_column_of_another_table_does_not_change_what_a_table_is(tmp_path, column):
    project = make_project(tmp_path)
    plain = cp.run_study(project / "plan.toml", change=accidents(tmp_path), as_at="2021-06-01")
    linked = cp.run_study(
        project / "plan.toml", change=accidents(tmp_path, **{column: ["F1", "F2"]}), as_at="2021-06-01"
    )
    assert plain.accidents["accident_id"].tolist() == linked.accidents["accident_id"].tolist() == ["A1"]
    table = cp.read_accidents(tmp_path / "accidents.csv", crs="EPSG:4326", region=REGION)
    assert cp.as_at(table, "2021-06-01")["accident_id"].tolist() == ["A1"]


@pytest.mark.parametrize(("near", "ours"), [("Planned_Return", "planned_return"), ("Recorded_On", "recorded_on")])
def test_names_that_are_nearly_ours_are_said_for_every_table(tmp_path, near, ours):
    text = f"zone_id,name,people,position_error_m,source,lon,lat,{near}\nA,a,1,5,s,46.9,40,2020-01-01\n"
    (tmp_path / "z.csv").write_text(text)
    faults = cp.check_file(tmp_path / "z.csv", "zones", crs="EPSG:4326", region=REGION)
    assert f"column is not read; did you mean {ours}?" in faults["rule"].tolist()
    assert np.all(faults["level"] == "warning")


# --- moments in the zone of their column


@pytest.mark.parametrize("zone", ["Asia/Baku", "Asia/Kabul", dt.timezone(dt.timedelta(hours=4))])
def test_a_column_that_states_its_zone_gives_the_days_of_that_zone(tmp_path, zone):
    moments = pd.to_datetime(["2020-10-03 00:00", "2020-10-03 23:30"]).tz_localize(zone)
    boxes = [shapely.box(46.9, 40, 46.905, 40.01), shapely.box(46.95, 40, 46.955, 40.01)]
    hazards(*boxes, recorded_on=moments).to_parquet(tmp_path / "h.parquet")
    for setting in ({}, {"time_zone": "Asia/Yekaterinburg" if zone == "Asia/Kabul" else "Asia/Yerevan"}):
        faults, study = judged(tmp_path / "h.parquet", **setting)
        if zone == "Asia/Kabul" and setting:  # half an hour before midnight in Kabul it is midnight in the Urals
            assert study is None
            assert (
                "is 2020-10-03 in Asia/Kabul, the zone that the source states, and 2020-10-04" in faults["rule"].iloc[0]
            )
            continue
        assert faults["level"].tolist() == ["warning"]
        stated = "UTC+04:00" if isinstance(zone, dt.timezone) else zone
        assert f"holds a time of day, read as a day in {stated}" in faults["rule"].iloc[0]
        assert study.hazards["recorded_on"].tolist() == [pd.Timestamp("2020-10-03")] * 2


# --- codes in another alphabet


def test_a_code_in_another_alphabet_is_named_with_its_letters(tmp_path):
    columns = {
        "land_class": ["СНА", "SHA", "CHA"],
        "ordnance": ["AP", "АР", "AP"],
        "kind": ["minefield"] * 2 + ["mine"],
    }
    boxes = [shapely.box(46.9 + k / 100, 40, 46.905 + k / 100, 40.01) for k in range(3)]
    hazards(*boxes, **columns).to_file(tmp_path / "h.gpkg")
    faults, study = judged(tmp_path / "h.gpkg")
    assert study is None
    remedies = dict(zip(faults["column"], faults["remedy"], strict=True))
    assert remedies["land_class"] == "type CHA again in Latin letters: С, Н, А (Cyrillic) only look like them"
    assert remedies["ordnance"] == "type AP again in Latin letters: А, Р (Cyrillic) only look like them"
    assert remedies["kind"] == "map your code to one of these in plan.toml under 'codes'"
    assert faults["rule"].str.startswith("must be one of").all()


@pytest.mark.parametrize(
    ("text", "letters"), [("ΑΡ", "Α, Ρ (Greek)"), ("АP", "А (Cyrillic)"), (" АР ", "А, Р (Cyrillic)")]
)
def test_the_letters_of_a_code_are_named(text, letters):
    assert look_alike(text, ["AV", "AP"]) == ("AP", letters)
    assert look_alike(text, ["AV"]) is None
    assert look_alike("AP", ["AP"]) is None


# --- texts packed by gzip


def test_packed_texts_are_read_as_they_are_unpacked(tmp_path):
    project = make_project(tmp_path)
    plain = cp.run_study(project / "plan.toml")
    names = {"fields.geojson": "fields.geojson.gz", "zones.csv": "Zones.CSV.GZ"}
    text = (project / "plan.toml").read_text()
    for name, packed in names.items():
        (project / packed).write_bytes(gzip.compress((project / name).read_bytes()))
        text = text.replace(name, packed)
    (project / "plan.toml").write_text(text)
    study = cp.run_study(project / "plan.toml")
    for table in ("hazards", "zones"):
        before, after = getattr(plain, table), getattr(study, table)
        pd.testing.assert_frame_equal(pd.DataFrame(after), pd.DataFrame(before))
    assert set(names.values()) <= set(study.run["inputs"])
    assert [row["file"] for row in study.run["balance"]][:2] == list(names.values())


@pytest.mark.parametrize("name", ["fields.geojson.gz", "fields.geojsonl.gz", "fields.json.gz"])
def test_faults_of_packed_features_name_the_archive(tmp_path, name):
    table = hazards(shapely.box(46.9, 40, 46.91, 40.01), land_class="SHAH")
    lines = [json.dumps(feature) for feature in json.loads(table.to_json())["features"]]
    text = "\n".join(lines) if "geojsonl" in name else table.to_json()
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    faults = cp.check_file(tmp_path / name, "hazards")
    assert set(faults["file"]) == {name}
    assert "land_class" in faults["column"].tolist()
    if "geojsonl" not in name:
        cut = json.loads(text) | {"exceededTransferLimit": True}
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(cut).encode()))
        faults = cp.check_file(tmp_path / name, "hazards")
        assert set(faults["file"]) == {name}
        assert "exceededTransferLimit" in " ".join(faults["rule"])


@pytest.mark.parametrize("name", ["a.gpkg.gz", "a.gz", "a.shp.gz"])
def test_other_formats_are_not_read_from_gzip(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"x"))
    with pytest.raises(ReadError, match=r"is not known; give one of .*\.geojson\.gz"):
        cp.check_file(tmp_path / name, "hazards")


# --- found by benchmarks/fuzz.py


@pytest.mark.parametrize("cell", [[1, 2], {"a": [1, 2]}, np.array([7, 8])])
@pytest.mark.parametrize("column", ["recorded_on", "position_error_m"])
def test_lists_in_cells_of_parquet_are_faults_of_their_rows(tmp_path, cell, column):
    table = hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0))
    path = tmp_path / "h.parquet"
    table.assign(**{column: [cell, cell]}).to_parquet(path)
    faults, study = judged(path)
    assert study is None
    assert faults.loc[faults["column"] == column, "row"].tolist()[:2] == [1, 2]


@pytest.mark.parametrize("far", [1e200, -1e308, 3e9])
def test_a_coordinate_too_large_for_any_place_is_a_fault(tmp_path, far):
    crossing = shapely.Polygon([(46.9, 39.9), (far, 39.95), (46.9, 39.95), (46.95, 39.9)])
    path = tmp_path / "h.gpkg"
    hazards(SQUARE, crossing).to_file(path)
    faults, study = judged(path)
    assert study is None
    assert (2, "a coordinate is too large for any place") in list(zip(faults["row"], faults["rule"], strict=True))


@pytest.mark.parametrize("spoilt", ["NaN", '"x"', "{}", "["])
def test_a_line_that_is_no_feature_is_a_row_that_is_missed(tmp_path, spoilt):
    """GDAL leaves out what it can't read of a sequence, and says so to nobody."""
    features = json.loads(hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0)).to_json())["features"]
    path = tmp_path / "h.geojsonl"
    path.write_text("\n".join([json.dumps(features[0]), spoilt, json.dumps(features[1])]) + "\n\n")
    faults, study = judged(path)
    assert study is None
    assert faults["rule"].str.fullmatch("the file claims 3 rows, and [12] could be read").tolist() == [True]


@pytest.mark.parametrize("way", ["row", "shape", "rows"])
def test_rows_of_mapinfo_exchange_files_are_held_to_its_columns(tmp_path, way):
    path = tmp_path / "h.mif"
    table = hazards(SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0)).rename(columns={"position_error_m": "err"})
    table.to_file(path, driver="MapInfo File", FORMAT="MIF")
    assert len(judged(path, **COLUMNS)[0]) == 0
    columns = path.with_suffix(".mid").read_text().splitlines()
    if way == "shape":
        path.write_text(path.read_text()[: path.read_text().index("Region 1", path.read_text().index("Region 1") + 1)])
    else:
        more = columns[:1] * (1 if way == "row" else 3)
        path.with_suffix(".mid").write_text("\n".join(columns + more) + "\n")
    faults, study = judged(path, **COLUMNS)
    assert study is None
    assert "the file claims" in faults["rule"].iloc[0]


#: Changes of the columns of three rows, and (claimed, read) of what comes of them; None where GDAL refuses them.
EXCHANGED = {
    "a line break in one row": (lambda text: text.replace("made up", "made\nup", 1), (3, 3)),
    "blank lines in each row": (lambda text: text.replace("made up", "made\n\n\nup"), (3, 3)),
    "doubled quotes and a line break": (lambda text: text.replace("made up", 'a ""5\n pipe""', 1), (3, 3)),
    "blank lines at the end": (lambda text: text + "\n\n", (3, 3)),
    "a row more, with line breaks": (lambda text: text + text.splitlines()[0].replace("made up", "made\nup"), (4, 3)),
    "rows joined by quotes": (lambda text: text.replace('"H1"\n', '"H1\n').replace('"H2"', 'H2"'), None),
    "a quote that never ends": (lambda text: text.replace('"H3"', '"H3'), None),
}


@pytest.mark.parametrize("change", EXCHANGED)
def test_a_text_of_several_lines_is_one_row_of_a_mapinfo_exchange_file(tmp_path, change):
    path = tmp_path / "h.mif"
    shapes = [SQUARE, shapely.box(46.95, 39.99, 46.96, 40.0), shapely.box(46.97, 39.99, 46.98, 40.0)]
    table = hazards(*shapes).rename(columns={"position_error_m": "err"})
    table.to_file(path, driver="MapInfo File", FORMAT="MIF")
    changed, counts = EXCHANGED[change]
    columns = path.with_suffix(".mid")
    columns.write_text(changed(columns.read_text()))
    assert claimed_rows(path) == (counts or (3, 0))[0]
    if counts is None:
        with pytest.raises(ReadError, match="can't be read"):
            read_raw(path)
        return
    raw = read_raw(path)
    assert (raw.claimed, len(raw.rows)) == counts
    assert bool(raw.lost) == (counts[0] != counts[1])
