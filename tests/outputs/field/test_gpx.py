"""GPX for handhelds, read back by gpxpy and by GDAL."""

import datetime as dt
import re
import warnings
from xml.etree import ElementTree

import geopandas as gpd
import gpxpy
import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer

from clearplan.core.errors import CrsError, OutputError, TableError
from clearplan.core.imprint import Imprint
from clearplan.outputs.field.gpx import write_gpx
from clearplan.outputs.layers import Layers
from tests.conftest import E0, N0, UTM, zone_table

IMPRINT = Imprint("Tasks", dt.date(2026, 1, 1), "Not for navigation or entry. As at X.", "abc123")
#: Children of each element in the order of the GPX 1.1 schema (https://www.topografix.com/GPX/1/1/gpx.xsd).
ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
    "wpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "fix", "sat",
            "hdop", "vdop", "pdop", "ageofdgpsdata", "dgpsid", "extensions"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
    "trkpt": [], "name": [], "desc": [], "time": [], "keywords": [], "bounds": [], "cmt": [], "sym": [], "type": [],
}  # fmt: skip
HOSTILE = "<b>x</b>&amp;\x00]]>{{7*7}}$a$"


def task_table(shapes, **columns):
    count = len(shapes)
    base = {
        "task_id": [f"38SPK{4614 + k}-CHA-1" for k in range(count)], "queue": "clearance", "land_class": "CHA",
        "district": "D", "area_m2": [s.area if s is not None else 0.0 for s in shapes], "zone_ids": "Z0",
        "hazard_ids": "H0", "mgrs_km": "38SPK4614", "position_error_m": 20.0, "source": "made up",
        "rank": [float(k + 1) for k in range(count)],
    }  # fmt: skip
    return gpd.GeoDataFrame(base | columns, geometry=list(shapes), crs=UTM)


@pytest.fixture
def tasks():
    blob = shapely.Point(E0 + 3_000, N0).buffer(400).difference(shapely.Point(E0 + 3_000, N0).buffer(50))
    return task_table([shapely.box(E0, N0, E0 + 500, N0 + 500), blob])


def written(tmp_path, tasks, zones=None, **more):
    path = tmp_path / "t.gpx"
    write_gpx(path, Layers(tasks, zones=zones), IMPRINT, **more)
    return path


def test_elements_stand_in_the_order_of_the_schema(tmp_path, tasks):
    root = ElementTree.parse(written(tmp_path, tasks, zones=zone_table([{"geometry": shapely.Point(E0, N0 - 99)}])))
    for element in root.iter():
        own = element.tag.removeprefix("{http://www.topografix.com/GPX/1/1}")
        places = [ORDER[own].index(child.tag.partition("}")[2]) for child in element]
        assert places == sorted(places), own
        once = [p for p in places if ORDER[own][p] not in ("wpt", "trk", "trkseg", "trkpt")]
        assert len(set(once)) == len(once)
        for name in ("lat", "lon"):
            if own in ("wpt", "trkpt"):
                assert re.fullmatch(r"-?\d+\.\d{7}", element.attrib[name])
    assert root.getroot().attrib == {"version": "1.1", "creator": "clearplan"}


def test_gpxpy_reads_numbered_corners_closed_tracks_and_the_notice(tmp_path, tasks):
    told = gpxpy.parse(written(tmp_path, tasks, operations=["A to B (accuracy 4.5 m)"]).read_text(encoding="utf-8"))
    assert "Inputs: A to B (accuracy 4.5 m)." in told.description
    assert told.time.date() == dt.date(2026, 1, 1)
    assert "Not for navigation or entry." in told.description
    assert "2 of 2 tasks" in told.description
    names = [point.name for point in told.waypoints]
    assert names[:4] == ["PK4614C1-01", "PK4614C1-02", "PK4614C1-03", "PK4614C1-04"]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 14
    for point in told.waypoints:
        assert point.description.startswith("Not for navigation or entry. As at 2026-01-01. Fingerprint abc123.")
        assert point.comment.startswith("Not for navigation or entry. 38SPK46")
        assert "Position error of the task: 20 m (95 %)." in point.description
    back = Transformer.from_crs(4326, UTM, always_xy=True)
    for track, task in zip(told.tracks, tasks.geometry, strict=True):
        (segment,) = track.segments
        xy = np.array([back.transform(p.longitude, p.latitude) for p in segment.points])
        assert (xy[0] == xy[-1]).all()
        outline = shapely.Polygon(xy)
        assert outline.covers(shapely.Polygon(task.exterior))
        stated = float(re.search(r"up to (\d+) m outside it, never inside", track.description)[1])
        along = shapely.points(shapely.get_coordinates(shapely.segmentize(outline.exterior, 0.5)))
        assert shapely.distance(along, task).max() <= stated + 0.01
    assert "Enclaves without corners of their own: 1." in told.tracks[1].description
    assert not told.routes


def test_gdal_reads_the_same_places(tmp_path, tasks):
    path = written(tmp_path, tasks)
    own = gpxpy.parse(path.read_text(encoding="utf-8"))
    points = pyogrio.read_dataframe(path, layer="waypoints")
    assert points.crs.to_epsg() == 4326
    assert points["name"].tolist() == [p.name for p in own.waypoints]
    assert np.allclose(shapely.get_coordinates(points.geometry.to_numpy()),
                       [(p.longitude, p.latitude) for p in own.waypoints], atol=1e-9)  # fmt: skip
    assert len(pyogrio.read_dataframe(path, layer="tracks")) == 2


def test_the_numbers_of_corners_are_as_asked_and_unknown_errors_are_told(tmp_path):
    blob = shapely.union_all([shapely.Point(E0 + 90 * k, N0 + 70 * (k % 5)).buffer(60 + 9 * k) for k in range(12)])
    told = gpxpy.parse(written(tmp_path, task_table([blob], position_error_m=np.nan), corners=9).read_text())
    assert len(told.waypoints) <= 9
    assert all("Position error of the task: unknown." in p.description for p in told.waypoints)


def test_gates_and_the_border_before_them(tmp_path, tasks):
    zones = zone_table(
        [{"geometry": shapely.Point(E0 - 1_000, N0 + 100), "name": HOSTILE, "position_error_m": 1_000.0}]
    )
    told = gpxpy.parse(written(tmp_path, tasks, zones=zones, chosen=["38SPK4614-CHA-1"]).read_text(encoding="utf-8"))
    ways = {p.name: p for p in told.waypoints if "-Z" in p.name}
    assert list(ways) == ["PK4614C1-Z1A", "PK4614C1-Z1B"]
    assert "zone <b>x</b>&amp;\ufffd]]>{{7*7}}$a$ (Z0): nearest to the task." in ways["PK4614C1-Z1A"].description
    assert " 1,000 m at " in ways["PK4614C1-Z1A"].description
    assert "Position error of it: 1000 m (95 %)" in ways["PK4614C1-Z1A"].description
    assert "1 of 2 tasks" in told.description


def test_without_a_place_is_told_and_the_first_of_each_queue_are_taken(tmp_path):
    square = shapely.box(E0, N0, E0 + 90, N0 + 90)
    tasks = task_table([square, None, square], queue=["clearance", "clearance", "survey"], rank=[2.0, 1.0, 1.0])
    told = gpxpy.parse(written(tmp_path, tasks, first=1).read_text(encoding="utf-8"))
    assert "1 chosen tasks have no place and are NOT in this file." in told.description
    assert {p.name[:8] for p in told.waypoints} == {"PK4616C1"}


def test_same_bytes_and_nothing_half_written(tmp_path, tasks):
    first = written(tmp_path, tasks).read_bytes()
    assert written(tmp_path, tasks).read_bytes() == first
    with pytest.raises(TableError, match="no task 'x'"):
        written(tmp_path, tasks, chosen=["x"])
    with pytest.raises(CrsError):
        written(tmp_path, tasks.to_crs(4326))
    with pytest.raises(OutputError, match=r"\.gpx"):
        write_gpx(tmp_path / "t.kml", Layers(tasks), IMPRINT)
    with pytest.raises(TableError, match="not ranked"):
        written(tmp_path, tasks.drop(columns="rank"))
    assert [p.name for p in tmp_path.iterdir()] == ["t.gpx"]


def test_a_handheld_is_spared_what_it_cannot_hold(tmp_path):
    many = task_table([shapely.box(E0, N0 + 200 * k, E0 + 90, N0 + 200 * k + 90) for k in range(501)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = gpxpy.parse(written(tmp_path, many, first=600).read_text(encoding="utf-8"))
    assert len(told.waypoints) == 2_004
    assert "Many handhelds hold 2000 waypoints" in told.description
