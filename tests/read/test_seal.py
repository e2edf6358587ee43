"""No file reads another file or a server, and none is opened as another format than its name says."""

import json
import shutil
import socket
import sqlite3
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

import clearplan as cp
from clearplan.core.errors import ReadError
from clearplan.geo.rasters import hillshade_png
from clearplan.read.files import VECTORS
from tests.conftest import clearplan
from tests.study.test_run import make_project

SECRET = "TOP-SECRET-PLACE"


class Listener:
    """A server on this machine that counts who calls."""

    def __init__(self) -> None:
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.calls: list[bytes] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            with caller:
                caller.settimeout(1)
                self.calls.append(caller.recv(200))


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    yield server
    server.socket.close()


def vector_vrt(source: str) -> str:
    return (
        '<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>'
        f"{source}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )


def raster_vrt(source: str) -> str:
    band = f"<SimpleSource><SourceFilename>{source}</SourceFilename></SimpleSource>"
    return (
        '<VRTDataset rasterXSize="10" rasterYSize="10"><SRS>EPSG:4326</SRS><GeoTransform>46,0.01,0,40,0,-0.01'
        f'</GeoTransform><VRTRasterBand dataType="Byte" band="1">{band}</VRTRasterBand></VRTDataset>'
    )


def point_file(**more: object) -> str:
    feature = {"type": "Feature", "properties": {"a": 1}, "geometry": {"type": "Point", "coordinates": [46.9, 40]}}
    return json.dumps({"type": "FeatureCollection", "features": [feature]} | more)


def lures(secret: Path, url: str) -> dict[str, str]:
    """Files that GDAL would follow, by their names: to a file beside them, or to a server."""
    to_file, to_server = vector_vrt(str(secret)), vector_vrt(f"/vsicurl/{url}/a.geojson")
    wfs = f"<OGRWFSDataSource><URL>{url}/wfs</URL></OGRWFSDataSource>"
    command = f"gdal vector pipeline ! read /vsicurl/{url}/x.geojson ! write --output-format stream x"
    streamed = json.dumps({"type": "gdal_streamed_alg", "command_line": command})
    linked = {"type": "link", "properties": {"href": f"{url}/crs", "type": "ogcwkt"}}
    places = {f"file{suffix}": to_file for suffix in (".gpkg", ".kml", ".gpx", ".fgb", ".tab", ".mif", ".json")}
    servers = {f"server{suffix}": to_server for suffix in (".gpkg", ".kml", ".gpx", ".geojson", ".zip", ".kmz")}
    return places | servers | {
        "wfs.kml": wfs,
        "wfs.gpkg": wfs,
        "wfs.gpx": wfs,
        "second.kml": f"<?xml version='1.0'?><kml></kml>{to_server}",
        "comment.gpx": f"<gpx><!-- {to_server} --></gpx>",
        "schema.kml": f'<kml xmlns:gml="http://www.opengis.net/gml" xsi:schemaLocation="a {url}/a.xsd"></kml>',
        "entity.kml": f'<!DOCTYPE kml [<!ENTITY a SYSTEM "{url}/a">]><kml>&a;</kml>',
        "streamed.json": streamed,
        "streamed.geojson": streamed.replace('"command', '"type": "FeatureCollection", "features": [], "command'),
        "link.geojson": point_file(crs=linked),
        "url.json": point_file(crs={"type": "URL", "properties": {"url": f"{url}/crs"}}),
        "case.geojson": point_file(Crs=linked),
        "view.tab": '!table\n!version 100\n\nOpen Table "secret" Hide\n\nCreate View v As\nSelect a\nFrom secret\n',
    }  # fmt: skip


NAMES = sorted(lures(Path("x"), "y"))


@pytest.mark.parametrize("name", NAMES)
def test_no_file_leads_out_of_itself(tmp_path, listener, name):
    secret = tmp_path / "secret.csv"
    secret.write_text(f"hazard_id,wkt\n{SECRET},POINT (46.9 40)\n")
    (tmp_path / name).write_text(lures(secret, listener.url)[name])
    done = clearplan("check", tmp_path / name, "--as", "hazards")
    words = done.stdout + done.stderr
    assert done.returncode == 1, words
    assert len(done.stderr.strip().splitlines()) <= 3
    assert "Traceback" not in words
    assert SECRET not in words
    assert not listener.calls


@pytest.mark.parametrize("name", ["server.gpkg", "link.geojson", "second.kml"])
def test_no_input_of_a_run_leads_out_of_itself(tmp_path, listener, name):
    project = make_project(tmp_path)
    (project / name).write_text(lures(tmp_path / "secret.csv", listener.url)[name])
    plan = project / "plan.toml"
    plan.write_text(plan.read_text().replace("fields.geojson", name))
    done = clearplan("run", plan, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert name in done.stderr
    assert "Traceback" not in done.stderr
    assert not listener.calls
    assert not (tmp_path / "out").exists()


def archive(path: Path, **members: str) -> Path:
    with zipfile.ZipFile(path, "w") as bundle:
        for name, text in members.items():
            bundle.writestr(name.replace("__", "."), text)
    return path


REFUSED_MEMBERS = [
    ("a__vrt", "not read in an archive"),
    ("a__gml", "not read in an archive"),
    ("a__gpkg", "not a GeoPackage"),
    ("a__kml", "not KML"),
]


@pytest.mark.parametrize(("member", "words"), REFUSED_MEMBERS)
def test_an_archive_holds_nothing_that_leads_out(tmp_path, listener, member, words):
    path = archive(tmp_path / "a.zip", **{member: vector_vrt(f"/vsicurl/{listener.url}/a"), "b__shp": "x"})
    with pytest.raises(ReadError, match=words):
        cp.read_hazards(path)
    with pytest.raises(ReadError):
        cp.read_hazards(archive(tmp_path / "a.kmz", **{member: vector_vrt(f"/vsicurl/{listener.url}/a")}))
    assert not listener.calls


def geopackage(path: Path) -> Path:
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(46.9, 40)], crs=4326).to_file(path, layer="g")
    return path


@pytest.mark.parametrize(("statement", "words"), [
    ("INSERT INTO sqlite_master VALUES ('table', 'x', 'x', 0, 'CREATE VIRTUAL TABLE x USING VirtualOGR(''/a.csv'')')",
     "virtual table of VirtualOGR"),
    ("CREATE VIEW v AS SELECT gdal_get_pixel_value('/vsicurl/http://a/b', 1, 'pixel', 0, 0) AS b FROM g",
     "gdal_get_pixel_value"),
    ("CREATE VIEW v AS SELECT \"ogr_geocode\"('Agdam', 'geometry') AS b FROM g", "ogr_geocode"),
])  # fmt: skip
def test_no_table_of_a_geopackage_leads_out(tmp_path, statement, words):
    path = geopackage(tmp_path / "a.gpkg")
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA writable_schema = on")
        database.execute(statement)
    database.close()
    with pytest.raises(ReadError, match=words):
        cp.read_hazards(path, layer="g")


def test_a_geopackage_with_an_index_and_triggers_is_read(tmp_path):
    table = cp.check_file(geopackage(tmp_path / "a.gpkg"), "hazards")
    assert "VirtualOGR" not in table.to_string()
    assert len(table)


def height_raster(path: Path, **tags: str) -> Path:
    place = rasterio.Affine(0.01, 0, 46.5, 0, -0.01, 40.5)
    with rasterio.open(
        path, "w", driver="GTiff", width=100, height=100, count=1, dtype="float32", crs="EPSG:4326", transform=place
    ) as out:
        out.write(np.arange(10_000, dtype="float32").reshape(1, 100, 100))
        out.update_tags(ns="OVERVIEWS", **tags)
    return path


@pytest.mark.parametrize("kind", ["vrt", "overviews", "ovr", "aux"])
def test_no_raster_leads_out_of_itself(tmp_path, listener, kind):
    source = f"/vsicurl/{listener.url}/r.tif"
    path = height_raster(tmp_path / "e.tif", **({"OVERVIEW_FILE": source} if kind == "overviews" else {}))
    if kind == "vrt":
        path.write_text(raster_vrt(source))
    if kind == "ovr":
        path.with_name("e.tif.ovr").write_text(raster_vrt(source))
    if kind == "aux":
        item = f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{source}</MDI></Metadata>'
        path.with_name("e.tif.aux.xml").write_text(f"<PAMDataset>{item}</PAMDataset>")
    with pytest.raises(ReadError, match=r"e\.tif"):
        hillshade_png(path)
    project = make_project(tmp_path)
    for part in tmp_path.glob("e.tif*"):
        shutil.copy(part, project)
    plan = project / "plan.toml"
    plan.write_text(plan.read_text() + '\n[context]\nelevation = "e.tif"\n')
    done = clearplan("run", plan, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    assert "e.tif" in done.stderr
    assert "Traceback" not in done.stderr
    assert not listener.calls


def test_a_raster_of_heights_is_read(tmp_path):
    assert hillshade_png(height_raster(tmp_path / "e.tif"))[0].startswith(b"\x89PNG")


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.gpkg", b"<html><body>Sign in</body></html>", "a web page"),
    ("a.geojson", b"\xef\xbb\xbf<!DOCTYPE html><html>", "a web page"),
    ("a.kml", b"PK\x03\x04", "a ZIP archive"),
    ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old XLS workbook"),
    ("a.csv", b"PK\x03\x04xl", "a ZIP archive"),
    ("a.csv", b"%PDF-1.7", "a PDF"),
    ("a.shp", b"PAR1", "a Parquet file"),
    ("a.zip", b"Rar!\x1a\x07", "a RAR archive"),
    ("a.parquet", b"", "empty"),
    ("a.gpx", b"<kml></kml>", "XML with the root kml"),
    ("a.gdb", b"x", "is a file"),
])  # fmt: skip
def test_a_file_of_another_format_is_named(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    if name.endswith(".shp"):
        for part in (".shx", ".dbf"):
            path.with_suffix(part).write_bytes(b"")
    done = clearplan("check", path, "--as", "hazards")
    assert done.returncode == 1, done.stderr
    assert words in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("suffix", sorted(VECTORS - {".gdb", ".shp"}))
def test_every_suffix_that_gdal_opens_is_sealed(tmp_path, listener, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text(vector_vrt(f"/vsicurl/{listener.url}/a.geojson"))
    with pytest.raises(ReadError, match="XML with the root OGRVRTDataSource, not"):
        cp.read_hazards(path, crs="EPSG:4326")
    assert not listener.calls


@pytest.mark.parametrize("key", ["crs", "CRS", "\\u0063rs"])
def test_no_line_of_geojson_links_a_crs(tmp_path, listener, key):
    link = f'"{key}": {{"type": "link", "properties": {{"href": "{listener.url}/crs", "type": "ogcwkt"}}}}'
    geometry = f'{{"type": "Point", "coordinates": [46.9, 40], {link}}}'
    (tmp_path / "a.geojsonl").write_text(f'{{"type": "Feature", "properties": {{}}, "geometry": {geometry}}}\n' * 2)
    with pytest.raises(ReadError, match="leads out of the file"):
        cp.read_hazards(tmp_path / "a.geojsonl")
    assert not listener.calls
