"""Layers of an ArcGIS feature service, from a server of our own on loopback that answers as Esri documents it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import parse_qs

import pandas as pd
import pytest
from shapely import LineString, Point, box

import clearplan as cp
from clearplan.core.errors import ReadError
from clearplan.read import arcgis
from clearplan.read.arcgis import read_service
from clearplan.read.servers import fetch, fetch_sources
from clearplan.settings.sources import SourceSettings

TOKEN = "tok-3f9a-secret"
UTM = {"wkid": 32638, "latestWkid": 32638}


def ring(shape, clockwise):
    """A ring as Esri writes it: an outer one runs clockwise, a hole the other way."""
    points = [list(p) for p in shape.exterior.coords]
    signed = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(points))
    return points[::-1] if (signed > 0) == clockwise else points


OUTER, HOLE, ISLAND = box(0, 0, 100, 100), box(40, 40, 60, 60), box(45, 45, 55, 55)
POLYGONS = {
    "name": "Hazardous areas", "geometryType": "esriGeometryPolygon", "objectIdField": "OBJECTID", "maxRecordCount": 2,
    "extent": {"spatialReference": UTM},
    "fields": [
        {"name": "OBJECTID", "type": "esriFieldTypeOID"}, {"name": "code", "type": "esriFieldTypeString"},
        {"name": "mines", "type": "esriFieldTypeInteger"}, {"name": "depth", "type": "esriFieldTypeDouble"},
        {"name": "found", "type": "esriFieldTypeDate"}, {"name": "guid", "type": "esriFieldTypeGlobalID"},
    ],
}  # fmt: skip
FEATURES = [
    {"attributes": {"OBJECTID": 11, "code": "00123", "mines": 0, "depth": 0.15, "found": 1583366400000, "guid": "{A}"},
     "geometry": {"rings": [ring(OUTER, True), ring(HOLE, False), ring(ISLAND, True)]}},
    {"attributes": {"OBJECTID": 3, "code": "=1+1", "mines": None, "depth": None, "found": None, "guid": None},
     "geometry": {"rings": [ring(box(200, 0, 300, 50), True)]}},
    {"attributes": {"OBJECTID": 7, "code": "Ağdam Աղդամ", "mines": 12, "depth": 1, "found": -86400000, "guid": "{C}"}},
    *({"attributes": {"OBJECTID": 20 + k, "code": f"P{k}", "mines": k, "depth": None, "found": None, "guid": None},
       "geometry": {"rings": [ring(box(k, 0, k + 1, 1), True)]}} for k in range(4)),
]  # fmt: skip


class Office(BaseHTTPRequestHandler):
    """Answers of a feature service; ``behaviour`` of the server says what is wrong with it."""

    def do_POST(self):
        asked = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        self.server.asked.append((self.path, asked, dict(self.headers)))
        self.answer(asked)

    def do_GET(self):
        raise AssertionError("a question must not stand in the address")

    def answer(self, asked):
        own, behaviour = self.server, self.server.behaviour
        if behaviour == "busy" and len(own.asked) == 1:
            return self.tell({}, 503)
        if behaviour.startswith("broken") and len(own.asked) <= int(behaviour[-1]):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b'{"fields": [')
            return None
        if behaviour == "escapes":
            return self.tell({"error": {"code": 400, "message": "\x1b[2J\x1b]0;owned\x07no \u202esuch layer"}})
        if behaviour == "redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()
            return None
        if behaviour == "html":
            return self.tell("<html>Sign in</html>")
        if behaviour == "token" and self.headers.get("X-Esri-Authorization") != f"Bearer {TOKEN}":
            return self.tell({"error": {"code": 499, "message": f"Token Required {TOKEN}"}})
        if not self.path.endswith("/query"):
            return self.tell(own.layer)
        if "returnIdsOnly" in asked:
            ids = [f["attributes"]["OBJECTID"] for f in own.features]
            return self.tell({"objectIdFieldName": "OBJECTID", "objectIds": ids or None})
        wanted = set(map(int, asked["objectIds"].split(",")))
        found = [f for f in own.features if f["attributes"]["OBJECTID"] in wanted]
        assert len(wanted) <= own.layer["maxRecordCount"]
        if behaviour == "short":
            return self.tell({"features": found[:1], "exceededTransferLimit": True})
        if behaviour == "lost":
            found = [f for f in found if f["attributes"]["OBJECTID"] != 7]
        return self.tell({"features": found})

    def tell(self, answer, status=200):
        self.send_response(status)
        self.end_headers()
        self.wfile.write((answer if isinstance(answer, str) else json.dumps(answer)).encode())

    def log_message(self, *args):
        pass


@pytest.fixture
def office(monkeypatch):
    monkeypatch.delenv("CLEARPLAN_ARCGIS_TOKEN", raising=False)
    own = ThreadingHTTPServer(("127.0.0.1", 0), Office)
    own.behaviour, own.asked, own.layer, own.features = "", [], POLYGONS, FEATURES
    own.url = f"http://127.0.0.1:{own.server_address[1]}/arcgis/rest/services/imsma/FeatureServer/0"
    thread = threading.Thread(target=own.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield own
    own.shutdown()
    thread.join()
    own.server_close()


def test_all_pages_come_in_the_order_of_their_ids(office):
    table = read_service(office.url)
    assert table["OBJECTID"].tolist() == [3, 7, 11, 20, 21, 22, 23]
    assert [len(asked["objectIds"].split(",")) for _, asked, _ in office.asked if "objectIds" in asked] == [2, 2, 2, 1]
    assert table["code"].tolist()[:3] == ["=1+1", "Ağdam Աղդամ", "00123"]
    assert table["mines"].tolist()[:3] == [pd.NA, 12, 0]
    assert table["depth"].tolist()[:3] == [pd.NA, 1.0, 0.15]
    assert table["found"].tolist()[:3] == [pd.NaT, pd.Timestamp("1969-12-31"), pd.Timestamp("2020-03-05")]
    assert table.crs.to_epsg() == 32638
    assert table.geometry.iloc[2].equals(OUTER.difference(HOLE).union(ISLAND))
    assert table.geometry.iloc[1] is None
    assert table.geometry.iloc[0].equals(box(200, 0, 300, 50))


@pytest.mark.parametrize("behaviour", ["short", "busy"])
def test_a_server_that_cuts_its_answers_short_or_is_busy_hides_nothing(office, behaviour):
    office.behaviour = behaviour
    assert read_service(office.url)["OBJECTID"].tolist() == [3, 7, 11, 20, 21, 22, 23]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("lost", r"rows \[7\] were counted and did not come"),
        ("redirect", "sends on to another address"),
        ("html", "does not answer in JSON"),
        ("token", "a token is needed; set a valid one as CLEARPLAN_ARCGIS_TOKEN"),
    ],
)
def test_refusals_are_told_in_a_line(office, behaviour, words):
    office.behaviour = behaviour
    with pytest.raises(ReadError, match=words) as refused:
        read_service(office.url)
    assert "\n" not in str(refused.value)


def test_nobody_at_home():
    with pytest.raises(ReadError, match="can't be reached"):
        read_service("http://127.0.0.1:1/FeatureServer/0")


def test_the_token_travels_in_a_header_and_stands_in_no_message(office, monkeypatch, tmp_path):
    office.behaviour = "token"
    monkeypatch.setenv("CLEARPLAN_ARCGIS_TOKEN", TOKEN)
    assert len(read_service(office.url)) == 7
    assert all(TOKEN not in path + json.dumps(asked) for path, asked, _ in office.asked)
    monkeypatch.setenv("CLEARPLAN_ARCGIS_TOKEN", "wrong-secret")
    with pytest.raises(ReadError, match="a token was refused") as refused:
        read_service(office.url)
    assert "wrong-secret" not in str(refused.value)
    assert TOKEN not in str(refused.value)
    with pytest.raises(ReadError, match="must not travel in the open"):
        read_service("http://maps.example.org/FeatureServer/0")


def test_points_lines_tables_and_nothing(office):
    point = POLYGONS | {"geometryType": "esriGeometryPoint"}
    office.layer = point
    office.features = [{"attributes": {"OBJECTID": 1, "code": "a"}, "geometry": {"x": 1.5, "y": 2.5}}]
    assert read_service(office.url).geometry.iloc[0].equals(Point(1.5, 2.5))
    office.layer = POLYGONS | {"geometryType": "esriGeometryPolyline"}
    office.features = [{"attributes": {"OBJECTID": 1}, "geometry": {"paths": [[[0, 0], [1, 1]]]}}]
    assert read_service(office.url).geometry.iloc[0].equals(LineString([(0, 0), (1, 1)]))
    office.features = []
    empty = read_service(office.url)
    assert len(empty) == 0
    assert empty.crs.to_epsg() == 32638
    office.layer = {k: v for k, v in POLYGONS.items() if k != "geometryType"}
    office.features = [{"attributes": {"OBJECTID": 5, "code": "t"}}]
    assert read_service(office.url)["code"].tolist() == ["t"]
    office.layer = {"layers": []}
    with pytest.raises(ReadError, match="is no layer"):
        read_service(office.url)


def test_a_copy_is_read_by_our_own_door(office, tmp_path):
    places = [{"attributes": {"OBJECTID": k, "code": f"Z{k}", "mines": 10 * k},
               "geometry": {"x": 650_000 + k, "y": 4_420_000}} for k in (2, 1)]  # fmt: skip
    office.layer, office.features = POLYGONS | {"geometryType": "esriGeometryPoint"}, places
    source = SourceSettings(path=tmp_path / "zones.parquet", url=office.url)
    assert len(fetch(source)) == 2

    fetch_sources(SimpleNamespace(contact_line=(), files_of=lambda section: (source,) if section == "zones" else ()))
    zones = cp.read_zones(
        source.path, columns={"zone_id": "code", "people": "mines"},
        set={"position_error_m": 10, "source": "office", "name": "a place"},
    )  # fmt: skip
    assert zones["zone_id"].tolist() == ["Z1", "Z2"]
    assert zones["people"].tolist() == [10, 20]
    assert zones.crs.to_epsg() == 32638


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_line_that_breaks_is_tried_three_times(office, monkeypatch, times):
    monkeypatch.setattr(arcgis, "PAUSE_S", 0)
    office.behaviour = f"broken{times}"
    if times < 3:
        assert len(arcgis.read_service(office.url)) == len(FEATURES)
        return
    with pytest.raises(ReadError, match="can't be reached"):
        arcgis.read_service(office.url)
    assert len(office.asked) == 3


def test_words_of_a_server_steer_no_terminal(office):
    office.behaviour = "escapes"
    with pytest.raises(ReadError) as refusal:
        arcgis.read_service(office.url)
    assert str(refusal.value).isprintable()
    assert "no such layer" in str(refusal.value)


def test_answers_and_layers_are_bounded(office, monkeypatch):
    monkeypatch.setattr(arcgis, "_LARGEST_BYTES", 100)
    with pytest.raises(ReadError, match="MB at once"):
        arcgis.read_service(office.url)
    monkeypatch.undo()
    monkeypatch.setattr(arcgis, "_MOST_ROWS", len(FEATURES) - 1)
    with pytest.raises(ReadError, match="rows; more than"):
        arcgis.read_service(office.url)


@pytest.mark.parametrize("last", [253_402_300_800_000, 9_223_372_036_854_775, -(10**17)])
def test_days_beyond_the_calendar_stay_to_become_faults(last):
    assert arcgis._days([0, None, last]).tolist() == ["0", None, str(last)]
    assert arcgis._days([0, None]).tolist() == [pd.Timestamp("1970-01-01"), pd.NaT]
