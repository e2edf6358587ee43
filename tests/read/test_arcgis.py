"""Layers of an ArcGIS feature service, from a server of our own on loopback that answers as Esri documents it."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import SimpleNamespace
from urllib.parse import parse_qs

import pandas as pd
import pytest
from shapely import LineString, Point, box

import clearplan as cp
from clearplan.core.errors import FaultsError, ReadError
from clearplan.read import arcgis
from clearplan.read.arcgis import read_service
from clearplan.read.cells import days_in
from clearplan.read.servers import fetch, fetch_sources, write_copy
from clearplan.read.time_zones import iana_name, zone_of_service
from clearplan.settings.sources import SourceSettings
from tests.conftest import clearplan
from tests.study.test_run import make_project

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
        number = "/" + self.path.removesuffix("/query").rpartition("/")[2]
        layer, features = own.layers.get(number, (own.layer, own.features))
        if not self.path.endswith("/query"):
            return self.tell(layer)
        if layer.get("datesInUnknownTimezone") and "timeReferenceUnknownClient" not in asked:
            return self.tell({"error": {"code": 400, "message": "The dates are in an unknown time zone"}})
        if "returnIdsOnly" in asked:
            ids = [f["attributes"]["OBJECTID"] for f in features]
            return self.tell({"objectIdFieldName": "OBJECTID", "objectIds": ids or None})
        if "returnCountOnly" in asked:
            return self.tell({"count": len(features) + own.more})
        wanted = set(map(int, asked["objectIds"].split(",")))
        found = [f for f in features if f["attributes"]["OBJECTID"] in wanted]
        assert len(wanted) <= layer["maxRecordCount"]
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
    own.behaviour, own.asked, own.layer, own.features, own.layers, own.more = "", [], POLYGONS, FEATURES, {}, 0
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
    days = [pd.NaT, pd.Timestamp("1969-12-31", tz="UTC"), pd.Timestamp("2020-03-05", tz="UTC")]
    assert table["found"].tolist()[:3] == days
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


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"geometry": {"x": 1, "y": 2}}, "row 2 of 2 in the answer for ids 3 to 7 has no attributes"),
        ({"attributes": None}, "row 2 of 2 in the answer for ids 3 to 7 has no attributes"),
        ("a row", "row 2 of 2 in the answer for ids 3 to 7 has no attributes"),
        ({"attributes": {"code": "A"}}, "row 2 of 2 in the answer for ids 3 to 7 has no id 'OBJECTID'"),
        ({"attributes": {"OBJECTID": None}}, "row 2 of 2 in the answer for ids 3 to 7 has no id 'OBJECTID'"),
    ],
)
@pytest.mark.parametrize("lenient", [False, True])
def test_a_row_without_attributes_or_id_is_refused_in_a_line(office, monkeypatch, row, words, lenient):
    tell = Office.tell
    monkeypatch.setattr(
        Office,
        "tell",
        lambda own, answer, status=200: tell(
            own, {"features": [answer["features"][0], row]} if "features" in answer else answer, status
        ),
    )
    with pytest.raises(ReadError) as refused:
        read_service(office.url, lenient=lenient)
    assert str(refused.value) == f"{office.url}: {words}; ask the owner of the service"


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


@pytest.mark.parametrize(
    ("more", "behaviour", "words", "claimed", "read"),
    [
        (2, "", "counts 6 rows and gives 4", 6, 4),
        (-1, "", "counts 3 rows and gives 4", 3, 4),
        (0, "lost", r"rows \[7\] were counted and did not come", 4, 3),
    ],
)
def test_rows_that_a_service_counts_and_does_not_give_are_missed(
    office, tmp_path, more, behaviour, words, claimed, read
):
    office.layer = POLYGONS | {"geometryType": "esriGeometryPoint"}
    office.features = [
        {"attributes": {"OBJECTID": k, "code": f"Z{k}", "mines": 10}, "geometry": {"x": 650_000 + k, "y": 4_420_000}}
        for k in (7, 8, 9, 10)
    ]
    office.more, office.behaviour = more, behaviour
    source = {
        "path": str(tmp_path / "zones.parquet"),
        "url": office.url,
        "columns": {"zone_id": "code", "people": "mines"},
        "set": {"position_error_m": 10, "source": "office", "name": "a place"},
    }
    plan = make_project(tmp_path) / "plan.toml"
    with pytest.raises(ReadError, match=words):
        cp.run_study(plan, change={"zones": [source]})
    assert not (tmp_path / "zones.parquet").exists()
    study = cp.run_study(plan, change={"zones": [source | {"lenient": True}]})
    balance = {row["file"]: row for row in study.run["balance"]}["zones.parquet"]
    assert (balance["claimed"], balance["read"], balance["used"]) == (claimed, read, read)
    done = clearplan("check", tmp_path / "zones.parquet", "--as", "zones")
    assert ["zones", "zones.parquet", str(claimed), str(read)] in [
        line.split()[:4] for line in done.stdout.splitlines()
    ]


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


@pytest.mark.parametrize("odd", ["many", 2.5, 10**30, [1]])
def test_a_cell_that_is_not_of_the_type_of_its_field_stays_as_text(office, odd):
    office.features = [
        {"attributes": {"OBJECTID": k, "code": "a", "mines": mines, "depth": depth, "found": None, "guid": None}}
        for k, (mines, depth) in enumerate([(odd, 1.5), (3, "deep")])
    ]
    table = read_service(office.url)
    assert table["mines"].tolist() == [str(odd), "3"]
    assert table["depth"].tolist() == ["1.5", "deep"]


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        ("broken3", "can't be reached"),
        ("escapes", "no such layer"),
        ("html", "does not answer in JSON"),
        ("redirect", "sends on to another address"),
        ("lost", "were counted and did not come"),
    ],
)
def test_what_a_server_does_wrong_ends_a_run_in_one_line(office, tmp_path, monkeypatch, behaviour, words):
    monkeypatch.setattr(arcgis, "PAUSE_S", 0)
    office.behaviour = behaviour
    plan = make_project(tmp_path) / "plan.toml"
    url = f'path = "fields.parquet"\nurl = "{office.url}"\nset.kind = "minefield"\n'
    plan.write_text(re.sub(r'path = "fields.geojson"\n\[hazards.set\]\nkind = "minefield"\n', url, plan.read_text()))
    done = clearplan("run", plan, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.strip().isprintable()
    assert words in done.stderr
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "project" / "fields.parquet").exists()


@pytest.mark.parametrize("last", [253_402_300_800_000, 9_223_372_036_854_775, -(10**17)])
def test_days_beyond_the_calendar_are_faults_in_check_and_run(office, tmp_path, last):
    folder = make_project(tmp_path)
    source = source_of("z.parquet", places_of(office, "esriFieldTypeDate", last), time_zone="Asia/Baku")
    with pytest.raises(FaultsError) as refused:
        cp.run_study(folder / "plan.toml", change={"zones": [source]})
    checked = {key: value for key, value in source.items() if key not in ("path", "url")}
    faults = cp.check_file(folder / "z.parquet", "zones", region=(46.5, 39.5, 47.5, 40.5), **checked)
    assert faults["rule"].tolist() == refused.value.faults["rule"].tolist()
    assert faults["column"].tolist() == ["planned_return"]
    assert faults["value"].tolist() == [str(last)]


@pytest.mark.parametrize("last", [253_402_300_800_000, 9_223_372_036_854_775, -(10**17), 10**20, "soon", 1.5])
def test_days_beyond_the_calendar_stay_to_become_faults(last):
    first = "1970-01-01T00:00:00+00:00"
    assert arcgis._moments([0, None, last], dt.UTC).tolist() == [first, None, str(last)]
    assert days_in([first, None])[0] == [dt.date(1970, 1, 1), None]
    assert arcgis._moments([0, None], dt.UTC).tolist() == [pd.Timestamp("1970-01-01", tz="UTC"), pd.NaT]


# --- the zone in which dates are meant

BAKU = {"timeZone": "Azerbaijan Standard Time", "respectsDaylightSaving": True}
UTC = {"timeZone": "UTC", "timeZoneIANA": "Etc/UTC", "respectsDaylightSaving": False}
#: Midnight of 1 May 2027 in Baku and Yerevan (UTC+4), and in Kabul (UTC+4:30).
BAKU_MIDNIGHT, KABUL_MIDNIGHT = 1_809_115_200_000, 1_809_113_400_000


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ({"dateFieldsTimeReference": BAKU}, "Asia/Baku"),
        ({"dateFieldsTimeReference": BAKU | {"timeZoneIANA": "Asia/Yerevan"}}, "Asia/Yerevan"),
        ({"dateFieldsTimeReference": UTC, "preferredTimeReference": BAKU}, "Asia/Baku"),
        ({"dateFieldsTimeReference": {"timeZone": "Afghanistan Standard Time"}}, "Asia/Kabul"),
        ({"dateFieldsTimeReference": {"timeZone": "Iran Standard Time", "respectsDaylightSaving": False}}, "UTC+03:30"),
        ({"dateFieldsTimeReference": {"timeZone": "FLE Standard Time", "respectsDaylightSaving": False}}, "UTC+02:00"),
        ({"dateFieldsTimeReference": UTC, "preferredTimeReference": None}, "UTC"),
        ({"dateFieldsTimeReference": {"timeZone": "Nowhere Standard Time"}}, "UTC"),
        ({}, "UTC"),
        ({"datesInUnknownTimezone": True, "dateFieldsTimeReference": BAKU}, "None"),
    ],
)
def test_the_zone_of_a_service_is_the_one_that_it_states(stated, name):
    assert str(zone_of_service(stated)) == name


def test_every_name_of_windows_leads_to_a_zone_that_can_be_read():
    from babel.core import get_global

    names = get_global("windows_zone_mapping")
    assert len(names) > 130
    assert [name for name in names if iana_name(name) is None] == []


def places_of(office, kind, moment, **stated):
    """A layer of one place with a day on which people return; its address."""
    day = {"name": "back", "type": kind}
    number = len(office.layers) + 1
    fields = [*POLYGONS["fields"], day, {"name": "edited", "type": "esriFieldTypeDate"}]
    layer = POLYGONS | {"geometryType": "esriGeometryPoint", "fields": fields} | stated
    layer["editFieldsInfo"] = {"editDateField": "edited"}
    attributes = {"OBJECTID": 1, "code": f"Z{number}", "mines": 10, "back": moment, "edited": 1_700_000_000_123}
    row = {"attributes": attributes, "geometry": {"x": 650_000 + number, "y": 4_420_000}}
    office.layers[f"/{number}"] = layer, [row]
    return office.url.removesuffix("/0") + f"/{number}"


def source_of(path, url, **settings):
    columns = {"zone_id": "code", "people": "mines", "planned_return": "back"}
    always = {"position_error_m": 10, "source": "office", "name": "a place"}
    return {"path": path, "url": url, "columns": columns, "set": always} | settings


def test_days_of_services_are_those_of_the_zones_that_they_state_in_check_and_run(office, tmp_path):
    folder = make_project(tmp_path)
    iana = {"timeZone": "Afghanistan Standard Time", "timeZoneIANA": "Asia/Kabul", "respectsDaylightSaving": False}
    shown = {"dateFieldsTimeReference": UTC, "preferredTimeReference": BAKU}
    unknown = {"datesInUnknownTimezone": True}
    date = "esriFieldTypeDate"
    layers = [
        (places_of(office, date, BAKU_MIDNIGHT, dateFieldsTimeReference=BAKU), {}),
        (places_of(office, date, KABUL_MIDNIGHT, dateFieldsTimeReference=iana), {}),
        (places_of(office, date, BAKU_MIDNIGHT, **shown), {"time_zone": "Asia/Yerevan"}),
        (places_of(office, date, BAKU_MIDNIGHT, dateFieldsTimeReference=UTC), {"time_zone": "Asia/Baku"}),
        (places_of(office, date, 1_809_129_600_000, **unknown), {}),
        (places_of(office, "esriFieldTypeDateOnly", "2027-05-01"), {}),
        (places_of(office, "esriFieldTypeTimestampOffset", "2027-05-01T00:00:00.000+04:00"), {}),
        (
            places_of(office, "esriFieldTypeTimestampOffset", "2027-04-30T21:30:00.000+01:00"),
            {"time_zone": "Asia/Baku"},
        ),
    ]
    sources = [source_of(f"z{k}.parquet", url, **more) for k, (url, more) in enumerate(layers)]
    study = cp.run_study(folder / "plan.toml", change={"zones": sources})
    assert study.zones["planned_return"].tolist() == [pd.Timestamp("2027-05-01")] * len(layers)
    for source in sources:
        settings = {key: value for key, value in source.items() if key not in ("path", "url")}
        faults = cp.check_file(folder / source["path"], "zones", region=(46.5, 39.5, 47.5, 40.5), **settings)
        assert not len(faults[faults["column"] == "planned_return"]) or source is sources[-1]
    unknown_zone = {path: asked for path, asked, _ in office.asked if "timeReferenceUnknownClient" in asked}
    assert [path[-8:] for path in unknown_zone] == ["/5/query"]


@pytest.mark.parametrize(
    ("kind", "moment", "stated", "settings", "words"),
    [
        # Midnight in Baku is still the evening before in Warsaw.
        (
            "Date",
            BAKU_MIDNIGHT,
            BAKU,
            {"time_zone": "Europe/Warsaw"},
            "2027-05-01 in Asia/Baku, .* 2027-04-30 in Europe",
        ),
        ("Date", BAKU_MIDNIGHT, UTC, {}, "is a moment in the zone UTC"),
        ("Date", BAKU_MIDNIGHT, None, {}, "is a moment in the zone UTC"),
        ("TimestampOffset", "2027-04-30T21:30:00.000+01:00", BAKU, {}, "is a moment in the zone UTC"),
        ("TimeOnly", "10:30:00", BAKU, {}, "must be a date"),
    ],
)
def test_what_no_zone_or_two_zones_decide_is_a_fault_in_check_and_run(
    office, tmp_path, kind, moment, stated, settings, words
):
    folder = make_project(tmp_path)
    url = places_of(office, f"esriFieldType{kind}", moment, dateFieldsTimeReference=stated)
    source = source_of("z.parquet", url, **settings)
    with pytest.raises(FaultsError) as refused:
        cp.run_study(folder / "plan.toml", change={"zones": [source]})
    checked = {key: value for key, value in source.items() if key not in ("path", "url")}
    faults = cp.check_file(folder / "z.parquet", "zones", region=(46.5, 39.5, 47.5, 40.5), **checked)
    assert faults["rule"].tolist() == refused.value.faults["rule"].tolist()
    assert re.search(words, faults["rule"].iloc[0])


def test_a_time_of_day_in_the_stated_zone_is_a_warning_and_two_zones_of_one_day_are_no_fault(office, tmp_path):
    # Half past nine in the morning in Baku, half past seven in Warsaw.
    url = places_of(office, "esriFieldTypeDate", BAKU_MIDNIGHT + 34_200_000, dateFieldsTimeReference=BAKU)
    source = SourceSettings(path=tmp_path / "z.parquet", url=url)
    write_copy(source, fetch(source))
    for zone in ({}, {"time_zone": "Europe/Warsaw"}):
        settings = source_of("z.parquet", url, **zone)
        checked = {key: value for key, value in settings.items() if key not in ("path", "url")}
        faults = cp.check_file(source.path, "zones", **checked)
        faults = faults[faults["column"] == "planned_return"]
        assert faults["level"].tolist() == ["warning"]
        assert "holds a time of day, read as a day in Asia/Baku" in faults["rule"].iloc[0]
