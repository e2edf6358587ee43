"""Damaged, oversized and deeply nested files end in one line and exit 1."""

import gzip
import struct
import time
import zipfile
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from openpyxl.styles import Font

from clearplan.core.errors import ReadError
from clearplan.read import archives
from clearplan.read.files import read_raw
from clearplan.settings.limits import LimitSettings
from tests.conftest import clearplan
from tests.study.test_run import make_project

FIELDS = gpd.GeoDataFrame(
    {"hazard_id": ["A", "B"], "kind": ["minefield"] * 2},
    geometry=[shapely.box(46.9, 40, 46.91, 40.01), shapely.box(46.8, 40, 46.81, 40.01)],
    crs=4326,
)


def one_line(path: Path, *words: str) -> None:
    """`check` and `run` refuse a file in one line that names it."""
    done = clearplan("check", path, "--as", "hazards")
    assert done.returncode == 1, done.stdout + done.stderr
    text = " ".join(done.stderr.split())
    assert "bug in" not in text
    assert "Traceback" not in text
    for word in words:
        assert word in text
    project = make_project(path.parent)
    for part in path.parent.glob(f"{path.stem}.*"):
        part.rename(project / part.name)
    plan = project / "plan.toml"
    plan.write_text(plan.read_text().replace("fields.geojson", path.name))
    done = clearplan("run", plan, "--out", path.parent / "out")
    assert done.returncode == 1, done.stderr
    assert path.name in done.stderr
    assert "bug in" not in done.stderr
    assert not (path.parent / "out").exists()


def zipped(folder: Path) -> Path:
    FIELDS.to_file(folder / "a.shp")
    path = folder / "z.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for part in sorted(folder.glob("a.*")):
            bundle.write(part, part.name)
    return path


@pytest.mark.parametrize("spoil", ["cut", "name", "method", "crc"])
def test_broken_archives(tmp_path, spoil):
    path = zipped(tmp_path)
    content = bytearray(path.read_bytes())
    if spoil == "cut":
        content = content[: len(content) // 2]
    if spoil == "name":
        content[content.index(b"a.dbf") + 0] = ord("}")
    if spoil == "method":
        central = content.index(b"PK\x01\x02")
        content[central + 10] = content[8] = 97
    if spoil == "crc":
        central = content.index(b"PK\x01\x02")
        content[central + 16] ^= 0xFF
    path.write_bytes(bytes(content))
    one_line(path)


@pytest.mark.parametrize(("at", "value"), [(8, 0xFFFF), (10, 1), (4, 0xFFFFFFFF)])
def test_broken_dbf(tmp_path, at, value):
    FIELDS.assign(name="ж").to_file(tmp_path / "a.shp", encoding="utf-8")
    path = tmp_path / "a.dbf"
    content = bytearray(path.read_bytes())
    struct.pack_into("<I" if at == 4 else "<H", content, at, value)
    path.write_bytes(bytes(content))
    path.with_suffix(".cpg").unlink(missing_ok=True)
    one_line(tmp_path / "a.shp", *(["max_rows"] if at == 4 else []))


@pytest.mark.parametrize(
    "deep", ['{"a":' * 100_000, "[" * 100_000, '{"type":"FeatureCollection","features":' + "[" * 99_999]
)
def test_deep_json(tmp_path, deep):
    (tmp_path / "a.geojson").write_text(deep)
    one_line(tmp_path / "a.geojson")


@pytest.mark.parametrize("codec", ["klingon", "hex", "utf-8\x00", "idna", "../etc/passwd"])
def test_unknown_codecs(tmp_path, codec):
    (tmp_path / "a.csv").write_text("hazard_id,wkt\nж,POINT (46.9 40)\n", encoding="utf-8")
    FIELDS.assign(name="ж").to_file(tmp_path / "a.shp", encoding="utf-8")
    for name in ("a.csv", "a.shp"):
        with pytest.raises(ReadError, match=r"encoding|damaged|can't be read"):
            read_raw(tmp_path / name, encoding=codec)


@pytest.mark.parametrize("codec", ["klingon", "hex", "idna"])
def test_unknown_codecs_of_a_plan_end_in_one_line(tmp_path, codec):
    project = make_project(tmp_path)
    path, plan = project / "zones.csv", project / "plan.toml"
    path.write_text(path.read_text().replace("North", "Ж"), encoding="cp1251")
    plan.write_text(plan.read_text().replace('path = "zones.csv"', f'path = "zones.csv"\nencoding = "{codec}"'))
    for words in (("check", path, "--as", "zones", "--plan", plan), ("run", plan, "--out", tmp_path / "out")):
        done = clearplan(*words)
        assert done.returncode == 1, done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert path.name in done.stderr
        assert codec in done.stderr


@pytest.mark.parametrize(
    ("name", "encoding", "words"),
    [
        ("a.kml", "windows-1251", "states an XML encoding that is not read; save it as UTF-8"),
        ("a.kml", "klingon", "states an XML encoding that is not read; save it as UTF-8"),
        ("a.gpx", "koi8-r", "states an XML encoding that is not read; save it as UTF-8"),
        ("a.kml", "utf-16", "is not in the XML encoding that it states; save it as UTF-8"),
    ],
)
def test_xml_in_an_encoding_that_can_not_be_read(tmp_path, name, encoding, words):
    kml = "<Placemark><name>Ж</name><Point><coordinates>46.9,40</coordinates></Point></Placemark>"
    body = f"<kml><Document>{kml}</Document></kml>"
    if name == "a.gpx":
        body = '<gpx version="1.1"><wpt lat="40" lon="46.9"><name>Ж</name></wpt></gpx>'
    text = f'<?xml version="1.0" encoding="{encoding}"?>{body}'
    (tmp_path / name).write_bytes(text.encode("koi8-r" if encoding == "koi8-r" else "cp1251"))
    one_line(tmp_path / name, f"{name}: {words}")


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".fgb", ".xlsx", ".kml"])
def test_truncated_files(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    if suffix == ".xlsx":
        FIELDS.drop(columns="geometry").to_excel(path)
    elif suffix == ".parquet":
        FIELDS.to_parquet(path)
    else:
        FIELDS.to_file(path, driver="KML" if suffix == ".kml" else None)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 5])
    one_line(path)


@pytest.mark.parametrize("suffix", [".zip", ".kmz", ".xlsx"])
def test_archives_that_unpack_to_too_much(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle, bundle.open("a.csv", "w") as member:
        for _ in range(80):
            member.write(bytes(1 << 20))
    if suffix == ".xlsx":
        done = clearplan("check", path, "--as", "records")
        assert done.returncode == 1
        assert "max_unpack_factor" in done.stderr
    one_line(path, "times its size", "max_unpack_factor")


def test_a_text_that_is_packed_by_gzip_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "_FREE_BYTES", 1000)
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b" " * 500_000))
    one_line(path, "times its size", "max_unpack_factor")


def test_a_packed_text_is_held_to_the_limits_of_its_plan(tmp_path):
    project = make_project(tmp_path)
    (project / "zones.csv.gz").write_bytes(gzip.compress((project / "zones.csv").read_bytes() + b" " * 2_000_000))
    plan = project / "plan.toml"
    plan.write_text(plan.read_text().replace("zones.csv", "zones.csv.gz") + "\n[limits]\nmax_file_mb = 1\n")
    for words in (("run", plan), ("check", project / "zones.csv.gz", "--as", "zones", "--plan", plan)):
        done = clearplan(*words)
        assert done.returncode == 1
        assert "zones.csv.gz: unpacks to more than 1 MB" in " ".join(done.stderr.split())


@pytest.mark.parametrize("spoil", ["cut", "sum", "tail", "plain", "twice", "virtual"])
def test_broken_and_disguised_gzip_archives(tmp_path, spoil):
    path = tmp_path / "a.geojson.gz"
    content = gzip.compress(FIELDS.to_json().encode())
    spoilt = {
        "cut": content[: len(content) // 2],
        "sum": content[:-8] + bytes(8),
        "plain": FIELDS.to_json().encode(),
        "twice": gzip.compress(content),
        "virtual": gzip.compress(b"<OGRVRTDataSource></OGRVRTDataSource>"),
        "tail": content + b"more",
    }
    path.write_bytes(spoilt[spoil])
    words = {
        "plain": "is JSON, not a gzip archive",
        "twice": "is a gzip archive, not GeoJSON",
        "virtual": "is XML with the root OGRVRTDataSource, not GeoJSON",
    }
    one_line(path, f"{path.name}: {words.get(spoil, 'is a damaged gzip archive')}")


def test_limits_are_settings(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("hazard_id,wkt\n" + "A,POINT (46.9 40)\n" * 50)
    with pytest.raises(ReadError, match=r"holds 51 rows .*max_rows"):
        read_raw(path, limits=LimitSettings(max_rows=50))
    assert len(read_raw(path, limits=LimitSettings(max_rows=51)).frame) == 50
    for name in ("b.gpkg", "b.fgb", "b.parquet"):
        FIELDS.to_parquet(tmp_path / name) if name.endswith("t") else FIELDS.to_file(tmp_path / name)
        with pytest.raises(ReadError, match="max_rows"):
            read_raw(tmp_path / name, limits=LimitSettings(max_rows=1))
    with pytest.raises(ReadError, match="max_file_mb"):
        read_raw(
            zipped(tmp_path), limits=LimitSettings(max_file_mb=1, max_rows=1).model_copy(update={"max_file_mb": 0})
        )


def test_the_limits_of_a_plan_count(tmp_path):
    project = make_project(tmp_path)
    plan = project / "plan.toml"
    text = plan.read_text()
    plan.write_text(text + "\n[limits]\nmax_rows = 2\n")
    done = clearplan("run", plan, "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "max_rows" in done.stderr
    done = clearplan("check", project / "zones.csv", "--as", "zones", "--plan", plan)
    assert done.returncode == 1
    assert "max_rows" in done.stderr
    plan.write_text(text + "\n[limits]\nmax_rows = 3\n")
    assert clearplan("check", project / "zones.csv", "--as", "zones", "--plan", plan).returncode == 0


@pytest.mark.parametrize(("row", "column"), [(300_000, 9), (1_048_576, 9), (1_048_576, 16_384)])
def test_ghost_cells_cost_nothing(tmp_path, row, column):
    book = openpyxl.Workbook()
    page = book.active
    page.append(["zone_id", "name", "people", "position_error_m", "source", "lon", "lat"])
    page.append(["Z1", "North", 120, 50, "s", 46.945, 40.005])
    page.cell(row, column).font = Font(bold=True)
    book.create_sheet("empty").cell(row, column).font = Font(bold=True)
    book.save(tmp_path / "zones.xlsx")
    start = time.process_time()
    raw = read_raw(tmp_path / "zones.xlsx")
    assert time.process_time() - start < 2
    assert raw.frame["zone_id"].tolist() == ["Z1"]
    assert raw.rows == [2]
    project = make_project(tmp_path)
    (tmp_path / "zones.xlsx").rename(project / "zones.xlsx")
    plan = project / "plan.toml"
    plan.write_text(plan.read_text().replace("zones.csv", "zones.xlsx"))
    start = time.process_time()
    done = clearplan("check", project / "zones.xlsx", "--as", "zones", "--crs", "EPSG:4326")
    assert done.returncode == 0, done.stderr
    assert time.process_time() - start < 4


@pytest.mark.parametrize("compression", ["none", "snappy"])
@pytest.mark.parametrize("shapes", [True, False])
def test_a_text_of_parquet_that_is_no_utf_8_ends_in_one_line(tmp_path, shapes, compression):
    """Its bytes are taken as they are, and decoded only when somebody looks at the cell."""
    path = tmp_path / "a.parquet"
    table = pd.DataFrame({"hazard_id": ["MF-0001", "MF-0002"], "wkt": ["POINT (46.9 40)"] * 2})
    shaped = gpd.GeoDataFrame(table[["hazard_id"]], geometry=gpd.GeoSeries.from_wkt(table["wkt"]), crs=4326)
    options = {"compression": compression, "use_dictionary": False}
    shaped.to_parquet(path, **options) if shapes else table.to_parquet(path, **options)
    content = path.read_bytes()
    assert b"MF-0001" in content
    path.write_bytes(content.replace(b"MF-0001", b"MF-\xff001"))
    one_line(path, "a.parquet: can't be read")


@pytest.mark.parametrize("suffix", [".zip", ".kmz", ".xlsx"])
def test_a_file_without_a_name_in_an_archive_is_named(tmp_path, suffix):
    path = tmp_path / f"z{suffix}"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("doc.kml", "<kml/>")
        bundle.writestr(zipfile.ZipInfo(""), "nameless")
    one_line(path, f"z{suffix}: holds a file without a name")
