"""Layers from a real PostGIS server, started here on loopback: read-only, complete, silent about credentials."""

from __future__ import annotations

import datetime as dt
import logging
import os
import shutil
import socket
import subprocess
import time
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import pandas as pd
import pytest
from shapely import MultiPolygon, Point, Polygon, box

import clearplan as cp
from clearplan.core.errors import FaultsError, ReadError, SettingsError
from clearplan.read import postgis
from clearplan.read.postgis import read_postgis
from clearplan.read.servers import fetch_sources
from clearplan.settings.project import load_project
from clearplan.settings.sources import SourceSettings
from tests.conftest import ROOT
from tests.study.test_run import project  # noqa: F401

OWNER, USER, PASSWORD = "owner", "reader_of_imsma", "p@ss'w:rd-7391"
TABLES = """
CREATE EXTENSION postgis;
CREATE SCHEMA imsma;
CREATE TABLE imsma.hazards (
    hazard_id text PRIMARY KEY, kind text, land_class text, status text, ordnance text, source text, recorded_on date,
    position_error_m double precision, mines integer, depth numeric(6,2), surveyed boolean, changed_at timestamptz,
    remarks jsonb, geom geometry(MultiPolygon, 32638));
INSERT INTO imsma.hazards VALUES
    ('H-2', 'minefield', 'CHA', 'open', 'AP', 'survey', '2024-03-05', 5, NULL, 0.15, true, '2024-03-05 10:00+04', NULL,
     ST_Multi(ST_MakeEnvelope(650000, 4420000, 650100, 4420200, 32638))),
    ('00123', 'minefield', 'SHA', 'open', 'AP', '=1+1', NULL, 20, 12, NULL, NULL, NULL, '{"a": "Ağdam"}',
     ST_Multi(ST_Difference(ST_MakeEnvelope(651000, 4420000, 651100, 4420100, 32638),
                            ST_MakeEnvelope(651040, 4420040, 651060, 4420060, 32638)))),
    ('H-3', 'minefield', 'SHA', 'open', 'AP', 'no place known', '2022-01-01', 20, 0, 1.5, false, NULL, NULL, NULL);
CREATE TABLE imsma."odd ""name; DROP TABLE imsma.hazards; --" (id integer, geom geometry);
INSERT INTO imsma."odd ""name; DROP TABLE imsma.hazards; --" VALUES (2, ST_SetSRID(ST_MakePoint(46.7, 39.9), 4326)),
    (1, ST_SetSRID(ST_MakePoint(46.6, 39.8), 4326));
CREATE TABLE imsma.mixed (id integer, geom geometry);
INSERT INTO imsma.mixed VALUES (1, ST_SetSRID(ST_MakePoint(46.7, 39.9), 4326)),
    (2, ST_SetSRID(ST_MakePoint(650000, 4420000), 32638));
CREATE TABLE imsma.nowhere AS SELECT 1 AS id, ST_MakePoint(650000, 4420000) AS geom;
CREATE TABLE imsma.two AS SELECT 1 AS id, ST_MakePoint(1, 2) AS geom, ST_MakePoint(1, 2) AS old_geom;
CREATE TABLE imsma.curved AS SELECT 1 AS id, ST_GeomFromText('CIRCULARSTRING(0 0, 1 1, 2 0)', 32638) AS geom;
CREATE TABLE imsma.teams (team_id text, people integer);
INSERT INTO imsma.teams VALUES ('T1', 8), ('T0', NULL);
CREATE TABLE imsma.secret AS SELECT 1 AS id;
CREATE TABLE imsma.exact (id numeric PRIMARY KEY, depth numeric(6,2), count numeric(20,0), long numeric, huge numeric,
    odd numeric, seen timestamptz, noted timestamp, day date, clock time);
INSERT INTO imsma.exact VALUES
    (9007199254740993, 0.15, 9007199254740993, 0.1234567890123456789012345, 1e70, 'NaN', '2024-03-05 00:30+04',
     '2024-03-05 00:30', '2024-03-05', '00:30'),
    (7.00, 1.50, 12, 1, 1.5, 2, NULL, NULL, NULL, NULL);
CREATE TABLE imsma.places (
    zone_id numeric, name text, people numeric(20,0), families numeric, position_error_m numeric(6,2), source text,
    planned_return timestamptz, hectares numeric(8,3), seen timestamptz, geom geometry(Point, 32638));
INSERT INTO imsma.places VALUES
    (9007199254740993, 'North', 120, 30, 50.25, 's', '2027-05-01 00:00+04', 1.250, '2024-03-05 00:30+04',
     ST_SetSRID(ST_MakePoint(666000, 4430000), 32638)),
    (12.50, 'South', 40, NULL, 7.00, 's', '2027-05-01 20:30 UTC', NULL, NULL,
     ST_SetSRID(ST_MakePoint(667000, 4430000), 32638)),
    (7.00, 'East', NULL, 10, 7.00, 's', NULL, 2, NULL, ST_SetSRID(ST_MakePoint(668000, 4430000), 32638));
CREATE TABLE imsma.spoilt_number AS
    SELECT zone_id, name, 'NaN'::numeric AS people, source, position_error_m, geom FROM imsma.places;
CREATE TABLE imsma.spoilt_float AS
    SELECT zone_id, name, 'Infinity'::float8 AS people, source, position_error_m, geom FROM imsma.places;
CREATE TABLE imsma.spoilt_day AS
    SELECT zone_id, name, 5 AS people, source, position_error_m, geom,
           CASE WHEN name = 'North' THEN 'infinity'::timestamptz ELSE '2027-04-30 20:00 UTC' END AS planned_return
    FROM imsma.places;
CREATE VIEW imsma.far AS SELECT 1 AS id, geography(ST_SetSRID(ST_MakePoint(46.7, 39.9), 4326)) AS geom;
"""


def programs() -> Path:
    """Folder of PostgreSQL's server programs; without PostGIS the test is skipped, and fails under CI=true."""
    found = subprocess.run([ROOT / "tools" / "postgis.sh"], capture_output=True, text=True, check=False).stdout.strip()
    if found:
        return Path(found)
    reason = "no PostGIS found; install Debian's postgresql-postgis"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of our own on loopback, with passwords; gone when the tests are."""
    from pg8000.native import Connection, identifier, literal

    binaries, folder = programs(), Path("/tmp", f"cp-pg-{os.getpid()}")
    folder.mkdir(mode=0o755)
    own = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    if own:
        shutil.chown(folder, "postgres", "postgres")
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", OWNER, "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"],
        check=True, capture_output=True, cwd=folder, **own,
    )  # fmt: skip
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
    running = subprocess.Popen(
        [binaries / "postgres", *options], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **own
    )
    try:
        asked = {"user": OWNER, "password": PASSWORD, "host": "127.0.0.1", "port": port, "timeout": 60}
        for _ in range(200):
            try:
                first = Connection(**asked, database="postgres")
                break
            except Exception:
                time.sleep(0.1)
        first.run("CREATE DATABASE imsma")
        first.run(f"CREATE USER {identifier(USER)} PASSWORD {literal(PASSWORD)}")
        first.close()
        with Connection(**asked, database="imsma") as made:
            made.run(TABLES)
            # Every right there is but one: what keeps the server unwritten is the transaction, not the rights.
            made.run(f"GRANT ALL ON SCHEMA imsma TO {USER}; GRANT ALL ON ALL TABLES IN SCHEMA imsma TO {USER}")
            made.run(f"REVOKE ALL ON imsma.secret FROM {USER}")
            yield f"postgresql://127.0.0.1:{port}/imsma", made
    finally:
        running.terminate()
        running.wait(60)
        shutil.rmtree(folder)


@pytest.fixture
def url(server, monkeypatch):
    monkeypatch.setenv("PGUSER", USER)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    monkeypatch.delenv("PGSSLMODE", raising=False)
    return server[0]


def test_rows_come_as_they_are_in_the_order_of_the_key(url):
    table = read_postgis(url, "imsma.hazards")
    assert table["hazard_id"].tolist() == ["00123", "H-2", "H-3"]
    assert table.crs.to_epsg() == 32638
    assert table["mines"].tolist() == [12, pd.NA, 0]
    assert table["depth"].tolist() == [None, Decimal("0.15"), Decimal("1.50")]
    assert table["surveyed"].tolist() == [pd.NA, True, False]
    assert table["recorded_on"].tolist() == [None, "2024-03-05", "2022-01-01"]
    assert table["changed_at"].tolist() == [pd.NaT, pd.Timestamp("2024-03-05 06:00", tz="UTC"), pd.NaT]
    assert table["remarks"].tolist() == ['{"a": "Ağdam"}', None, None]
    assert table["source"].iloc[0] == "=1+1"
    ring = box(651000, 4420000, 651100, 4420100).difference(box(651040, 4420040, 651060, 4420060))
    assert isinstance(table.geometry.iloc[0], MultiPolygon)
    assert table.geometry.iloc[0].equals(ring)
    assert table.geometry.iloc[1].equals(box(650000, 4420000, 650100, 4420200))
    assert table.geometry.iloc[2] is None


def test_a_name_is_only_ever_a_name(url, server):
    odd = read_postgis(url, 'imsma.odd "name; DROP TABLE imsma.hazards; --')
    assert odd["id"].tolist() == [1, 2]  # no key: in the order of the rows' own text
    assert odd.crs.to_epsg() == 4326
    assert server[1].run("SELECT count(*) FROM imsma.hazards") == [[3]]


def test_the_server_is_never_written(url, server):
    server[1].run("CREATE TABLE imsma.trap (id integer)")
    server[1].run(
        "CREATE OR REPLACE FUNCTION imsma.writes() RETURNS integer AS 'INSERT INTO imsma.trap VALUES (1); SELECT 1' "
        "LANGUAGE sql VOLATILE SECURITY DEFINER"
    )
    server[1].run("CREATE OR REPLACE VIEW imsma.hostile AS SELECT imsma.writes() AS id")
    server[1].run(f"GRANT ALL ON ALL TABLES IN SCHEMA imsma TO {USER}; REVOKE ALL ON imsma.secret FROM {USER}")
    with pytest.raises(ReadError, match="read-only transaction"):
        read_postgis(url, "imsma.hostile")
    assert server[1].run("SELECT count(*) FROM imsma.trap") == [[0]]


def test_tables_without_shapes_and_geographies(url):
    teams = read_postgis(url, "imsma.teams")
    assert not isinstance(teams, gpd.GeoDataFrame)
    assert teams["team_id"].tolist() == ["T0", "T1"]
    assert teams["people"].tolist() == [pd.NA, 8]
    far = read_postgis(url, "imsma.far")
    assert far.crs.to_epsg() == 4326
    assert far.geometry.iloc[0].equals(Point(46.7, 39.9))


def test_decimals_keep_every_digit_and_moments_their_zone(url):
    table = read_postgis(url, "imsma.exact")
    assert table["id"].tolist() == [7, 9007199254740993]
    assert table["depth"].tolist() == [Decimal("1.50"), Decimal("0.15")]
    assert [str(value) for value in table["depth"]] == ["1.50", "0.15"]
    assert table["count"].tolist() == [12, 9007199254740993]
    assert table["long"].tolist() == [1, Decimal("0.1234567890123456789012345")]
    assert table["huge"].tolist() == [Decimal("1.5"), Decimal(10) ** 70]
    assert table["odd"].tolist() == ["2", "NaN"]
    assert table["seen"].tolist() == [pd.NaT, pd.Timestamp("2024-03-04 20:30", tz="UTC")]
    assert table["noted"].tolist() == [pd.NaT, pd.Timestamp("2024-03-05 00:30")]
    assert table["day"].tolist() == [None, "2024-03-05"]
    assert table["clock"].tolist() == [None, "00:30:00"]


def zones_of(url, layer, **settings):
    return {"path": f"{layer}.parquet", "url": url, "layer": f"imsma.{layer}"} | settings


def test_numbers_and_moments_are_the_same_in_check_and_run(url, project):  # noqa: F811
    source = zones_of(url, "places", time_zone="Asia/Baku", decimal=",")
    study = cp.run_study(project / "plan.toml", change={"zones": [source]})
    faults = cp.check_file(project / "places.parquet", "zones", time_zone="Asia/Baku", decimal=",")
    assert set(faults["level"]) <= {"warning"}
    assert study.zones["zone_id"].tolist() == ["12.50", "7", "9007199254740993"]
    assert study.zones["people"].tolist()[::2] == [40, 120]
    assert study.zones["position_error_m"].tolist() == [7, 7, 50.25]
    assert study.zones["planned_return"].tolist() == [pd.Timestamp("2027-05-02"), pd.NaT, pd.Timestamp("2027-05-01")]


@pytest.mark.parametrize(
    ("layer", "column", "words", "rows"),
    [
        ("spoilt_number", "people", "must be a finite number", 3),
        ("spoilt_float", "people", "must be a finite number", 3),
        ("spoilt_day", "planned_return", "must be a date", 1),
        ("places", "planned_return", "is a moment in the zone UTC", 2),
    ],
)
def test_what_is_no_number_or_no_day_is_a_fault_in_check_and_run(url, project, layer, column, words, rows):  # noqa: F811
    zone = {"time_zone": "Asia/Baku"} if layer == "spoilt_day" else {}
    with pytest.raises(FaultsError) as refused:
        cp.run_study(project / "plan.toml", change={"zones": [zones_of(url, layer, **zone)]})
    faults = cp.check_file(project / f"{layer}.parquet", "zones", region=(46.5, 39.5, 47.5, 40.5), **zone)
    assert faults["rule"].tolist() == refused.value.faults["rule"].tolist()
    broken = faults[faults["level"] == "repairable"]
    assert set(broken["column"]) == {column}
    assert broken["rule"].str.contains(words).tolist() == [True] * rows


@pytest.mark.parametrize("odd", ["infinity", "-infinity", "10000-01-01 00:00:00", "0044-03-15 00:00:00 BC"])
def test_times_beyond_the_calendar_stay_to_become_faults(odd):
    day = dt.datetime(2020, 10, 3, 12)
    assert postgis._times([day, None, odd]).tolist() == [str(day), None, odd]
    assert postgis._times([day, None]).tolist() == [pd.Timestamp(day), pd.NaT]


def test_a_server_that_is_away_is_tried_three_times(monkeypatch):
    pauses = []
    monkeypatch.setenv("PGUSER", "anybody")
    monkeypatch.setattr(postgis.time, "sleep", pauses.append)
    with pytest.raises(ReadError, match="is the server up"):
        read_postgis("postgresql://127.0.0.1:1/imsma", "hazards")
    assert pauses == [postgis.PAUSE_S] * 2


@pytest.mark.parametrize("layer", ["", " ", "\t"])
def test_a_blank_layer_is_no_layer(tmp_path, layer):
    with pytest.raises(SettingsError, match="layer is blank"):
        cp.read_hazards(tmp_path / "a.parquet", layer=layer)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("imsma.absent", "there is no such table"),
        ("imsma.secret", "may not read the table"),
        ("imsma.mixed", r"SRIDs \[4326, 32638\]"),
        ("imsma.two", "has geometries geom, old_geom"),
        ("imsma.curved", "ST_CurveToLine"),
    ],
)
def test_what_can_not_be_read_is_told_in_a_line(url, table, words):
    with pytest.raises(ReadError, match=words) as refused:
        read_postgis(url, table)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("case", ["password", "user", "database", "port", "nobody"])
def test_credentials_stand_in_no_error_and_no_log(url, monkeypatch, caplog, case):
    caplog.set_level(logging.DEBUG)
    wrong = {"database": url.replace("/imsma", "/absent"), "port": "postgresql://127.0.0.1:1/imsma"}.get(case, url)
    if case in ("password", "user"):
        monkeypatch.setenv({"password": "PGPASSWORD", "user": "PGUSER"}[case], "wrong-and-secret")
    if case == "nobody":
        monkeypatch.delenv("PGUSER")
    with pytest.raises(ReadError) as refused:
        read_postgis(wrong, "imsma.hazards")
    told = str(refused.value) + caplog.text
    for secret in (USER, PASSWORD, "wrong-and-secret", "p%40ss"):
        assert secret not in told
    # A traceback, asked for with --debug, shows no error of the driver's either.
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_server_elsewhere_must_prove_itself(monkeypatch):
    import ssl

    from clearplan.read.postgis import _proof

    monkeypatch.delenv("PGSSLMODE", raising=False)
    assert _proof("127.0.0.1") is None
    strict = _proof("db.example.org")
    assert strict.check_hostname
    assert strict.verify_mode == ssl.CERT_REQUIRED
    monkeypatch.setenv("PGSSLMODE", "require")
    assert _proof("db.example.org").verify_mode == ssl.CERT_NONE
    monkeypatch.setenv("PGSSLMODE", "prefer")
    with pytest.raises(ReadError, match="PGSSLMODE='prefer'"):
        _proof("db.example.org")


def test_a_copy_is_kept_and_read_by_our_own_door(url, server, tmp_path):
    source = SourceSettings(path=tmp_path / "hazards.parquet", url=url, layer="imsma.hazards", lenient=True)

    def project_of(*hazards):
        return SimpleNamespace(contact_line=(), files_of=lambda section: hazards if section == "hazards" else ())

    told = []
    fetch_sources(project_of(source), told.append)
    assert told == [f"3 rows from {url} into {tmp_path / 'hazards.parquet'}"]
    first = source.path.read_bytes()
    fetch_sources(project_of(source))
    assert source.path.read_bytes() == first  # the same rows, the same bytes
    assert PASSWORD.encode() not in first
    with pytest.warns(UserWarning, match="1 rows deferred"):
        hazards = cp.read_hazards(source.path, lenient=True, columns={}, crs=None)
    assert hazards["hazard_id"].tolist() == ["00123", "H-2", "H-3"]
    assert hazards["deferred"].notna().tolist() == [False, False, True]
    server[1].run("DROP TABLE IF EXISTS imsma.later")
    with pytest.raises(ReadError):
        fetch_sources(project_of(source, source.model_copy(update={"layer": "imsma.later"})))
    assert source.path.read_bytes() == first  # nothing new where one of them failed


def test_a_project_runs_from_the_server_and_tells_nobody_the_credentials(url, project, monkeypatch):  # noqa: F811
    plan = project / "plan.toml"
    own = f'path = "data/hazards.parquet"\nurl = "{url}"\nlayer = "imsma.hazards"\nlenient = true\n'
    plan.write_text(plan.read_text().replace('path = "fields.geojson"\n', own))
    study = cp.run_study(plan, project / "out")
    assert sorted(study.hazards["hazard_id"]) == ["00123", "H-2", "H-3"]
    written = [path for path in [*(project / "out").rglob("*"), project / "data/hazards.parquet"] if path.is_file()]
    assert len(written) > 5
    for path in written:
        for secret in (USER, PASSWORD):
            assert secret.encode() not in path.read_bytes(), path
    assert url in (project / "out" / "run.json").read_text(encoding="utf-8")
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.delenv("PGUSER")
    again = cp.run_study(plan, offline=True)  # from the copy, without a server
    assert again.run["fingerprint"] == study.run["fingerprint"]
    with pytest.raises(ReadError, match="PGUSER"):
        cp.run_study(plan)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "postgresql://me:secret-1@host/db"}, "must hold no user"),
        ({"url": "postgresql://host/db?password=secret-1"}, "must hold no user"),
        ({"url": "https://host/FeatureServer/0?token=secret-1"}, "must hold no user"),
        ({"url": "https://host/FeatureServer"}, "names no layer"),
        ({"url": "postgresql://host"}, "names no database"),
        ({"url": "ftp://host/secret-1"}, "must be postgresql://"),
        ({"url": "postgresql://host/db", "layer": None}, "layer is missing"),
        ({"url": "postgresql://host/db", "path": "a.gpkg"}, "must end with .parquet"),
    ],
)
def test_settings_of_a_server_are_checked_and_never_repeated(tmp_path, changed, words):
    keys = {"url": "postgresql://host/db", "layer": "public.t", "path": "a.parquet"} | changed
    body = "\n".join(f'{name} = "{value}"' for name, value in keys.items() if value is not None)
    plan = tmp_path / "plan.toml"
    plan.write_text(f"[[hazards]]\n{body}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=words) as refused:
        load_project(plan)
    assert "secret-1" not in str(refused.value)


def test_a_url_in_a_notebook_is_not_silently_left_aside(tmp_path):
    with pytest.raises(SettingsError, match="read_postgis"):
        cp.read_hazards(tmp_path / "a.parquet", url="postgresql://host/db", layer="t")


def test_the_shapes_of_the_server_are_those_of_shapely(url):
    (outer, hole) = (box(651000, 4420000, 651100, 4420100), box(651040, 4420040, 651060, 4420060))
    shape = read_postgis(url, "imsma.hazards").geometry.iloc[0]
    assert shape.area == pytest.approx(outer.area - hole.area)
    assert isinstance(shape.geoms[0], Polygon)


@pytest.mark.parametrize("count", [0, 2, 9])
def test_a_view_that_gives_other_rows_than_it_counts_is_refused(monkeypatch, count):
    answers = ([("id", "integer", True)], [[1]], None, count)
    monkeypatch.setattr(postgis, "_answers", lambda url, own, where: answers)
    with pytest.raises(ReadError, match=f"counts {count} rows and gives 1"):
        read_postgis("postgresql://127.0.0.1/imsma", "view")
    table = read_postgis("postgresql://127.0.0.1/imsma", "view", lenient=True)
    assert table.attrs == {"server_rows": count}
    assert table["id"].tolist() == [1]
