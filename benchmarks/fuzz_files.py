"""Small files of every format that a user hands over, broken in seeded ways, and how many rows each still states."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import shutil
import sqlite3
import struct
import warnings
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

ROWS = 12
PLAN = """
[study]
title = "Small"
region = [46.5, 39.5, 47.5, 40.5]
as_at = 2026-01-01
illustrative = true
HAZARDS
[[zones]]
path = "zones.csv"
crs = "EPSG:4326"
[footprints]
strike_radius_m = 300
[footprints.margin_m]
AP = 20
AV = 30
mixed = 30
[tasks]
influence_m = 2000
min_task_m2 = 500
join_within_m = 50
[tasks.max_task_ha]
survey = 110
clearance = 26
[priority]
set_by = "test"
set_on = 2026-01-01
unknown_people = 50
accidents_radius_m = 500
accidents_since = 2020-11-10
class_values = { CHA = 1.0, SHA = 0.5, indication = 0.1 }
[[priority.criteria]]
name = "accidents"
weight = 1
zero_at = 0
one_at = 10
source = "test"
[map]
title = "Small map"
"""


def fields() -> gpd.GeoDataFrame:
    """Twelve hazards, with a number, a day, a large whole number and texts of three alphabets."""
    shapes = [shapely.box(46.8 + k / 100, 39.9, 46.805 + k / 100, 39.9 + (k + 1) / 500) for k in range(ROWS)]
    columns = {
        "hazard_id": [f"MF-{k:04d}" for k in range(ROWS)],
        "kind": "minefield",
        "land_class": ["CHA", "SHA"] * (ROWS // 2),
        "status": "open",
        "ordnance": ["AP", "AV", "mixed"] * (ROWS // 3),
        "error_m": [10.0 + k for k in range(ROWS)],
        "source": ["Ağdam", "Агдам", "Aghdam, 'north'"] * (ROWS // 3),
        "day": [dt.date(2021, 1, 1) + dt.timedelta(days=40 * k) for k in range(ROWS)],
        "big": [9_007_199_254_740_993 + k for k in range(ROWS)],
    }
    table = gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)
    return table.assign(day=pd.to_datetime(table["day"]).astype("datetime64[ms]"))


def plain_table() -> pd.DataFrame:
    table = fields()
    cells = pd.DataFrame(table.drop(columns="geometry")).rename(columns=OURS)
    return cells.assign(recorded_on=table["day"].dt.date, wkt=table.geometry.to_wkt())


#: Names that fit the ten letters of a shapefile, and ours.
OURS = {"error_m": "position_error_m", "day": "recorded_on"}


def make_seeds(folder: Path) -> dict[str, Path]:
    """One file of each kind: {kind: the path that a user names}; its parts stand beside it in a folder of their own."""
    made: dict[str, Path] = {}
    for kind, (name, _, _) in KINDS.items():
        home = folder / kind.replace(" ", "_")
        home.mkdir(parents=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _write_seed(kind, home / name)
        if kind != "plan.toml":
            (folder / f"{home.name}.toml").write_text(PLAN.replace("HAZARDS", _section(kind, f"{home.name}/{name}")))
        made[kind] = home / name
    return made


def _section(kind: str, path: str) -> str:
    """The section of plan.toml that names a kind's file, with the names that its format can hold."""
    if kind.startswith("records"):
        return f'[[records]]\npath = "{path}"\n{_RECORDS}'
    tables = {".csv", ".tsv", ".txt", ".xlsx"}
    stated = 'crs = "EPSG:4326"\n' if tables & set(Path(path).suffixes) else ""
    head = f'[[hazards]]\npath = "{path}"\n{stated}'
    if kind == "GPX":
        return head + _TRACKS
    if kind in ("shapefile", "zipped shapefile", "MapInfo TAB", "MapInfo MIF"):
        return f'{head}[hazards.columns]\nposition_error_m = "error_m"\nrecorded_on = "day"\n'
    return head


_RECORDS = """
[records.errors]
sigma_reference_m = 25
sigma_bearing_deg = 1
sigma_shared_bearing_deg = 1
sigma_distance_m = 3
sigma_scale = 0.03
[records.set]
datum = "WGS 84"
ordnance = "AP"
reliability = 0.5
source = "made up"
"""
_TRACKS = """
closed_lines = "area"
[hazards.columns]
hazard_id = "name"
source = "src"
[hazards.set]
kind = "minefield"
land_class = "SHA"
status = "open"
ordnance = "AP"
position_error_m = 20
"""


def _write_seed(kind: str, path: Path) -> None:
    table, suffix = fields(), path.suffix
    if kind == "plan.toml":
        plain_table().to_csv(path.with_name("a.csv"), index=False)
        zones = "zone_id,name,people,position_error_m,source,lon,lat\nZ1,North,120,50,s,46.945,40.005\n"
        path.with_name("zones.csv").write_text(zones)
        path.write_text(PLAN.replace("HAZARDS", _section("CSV", "a.csv")))
    elif kind.startswith("records"):
        _write_records(path)
    elif kind.startswith("raster"):
        _write_raster(path)
    elif suffix == ".gz":
        plain = path.with_suffix("")
        _write_seed(kind, plain)
        path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        plain.unlink()
    elif suffix in (".csv", ".tsv", ".txt"):
        marks = {".csv": ",", ".tsv": "\t", ".txt": ";"}
        plain_table().to_csv(path, index=False, sep=marks[suffix])
    elif suffix == ".xlsx":
        plain_table().to_excel(path, index=False)
    elif suffix == ".parquet":
        table.rename(columns=OURS).to_parquet(path)
    elif suffix == ".zip":
        table.to_file(path.with_name("a.shp"), encoding="utf-8")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
            for part in sorted(path.parent.glob("a.*")):
                if part.suffix != ".zip":
                    bundle.write(part, part.name)
                    part.unlink()
    elif kind == "Esri JSON":
        path.write_text(json.dumps(esri_of(table)))
    elif suffix == ".gpx":
        lines = gpd.GeoDataFrame(
            {"name": table["hazard_id"], "src": table["source"]}, geometry=table.boundary, crs=4326
        )
        lines.to_file(path, driver="GPX", layer="tracks", FORCE_GPX_TRACK="YES")
    elif suffix in (".kml", ".kmz"):
        table.rename(columns=OURS).to_file(path, driver="LIBKML", layer="fields")
    else:
        drivers = {".tab": "MapInfo File", ".mif": "MapInfo File", ".geojsonl": "GeoJSONSeq", ".gdb": "OpenFileGDB"}
        options = {"FORMAT": "MIF"} if suffix == ".mif" else {}
        names = {} if suffix in (".shp", ".tab", ".mif") else OURS
        numbers = {"big": table["big"].astype(str)} if suffix in (".tab", ".mif", ".gdb") else {}
        table.assign(**numbers).rename(columns=names).to_file(path, driver=drivers.get(suffix), **options)


def esri_of(table: gpd.GeoDataFrame) -> dict[str, object]:
    rows = json.loads(pd.DataFrame(table.drop(columns="geometry")).rename(columns=OURS).to_json(orient="records"))
    rings = [[list(map(list, shape.reverse().exterior.coords))] for shape in table.geometry]
    features = [{"attributes": row, "geometry": {"rings": ring}} for row, ring in zip(rows, rings, strict=True)]
    kinds = {"big": "esriFieldTypeBigInteger", "recorded_on": "esriFieldTypeDate"}
    kinds |= {"position_error_m": "esriFieldTypeDouble"}
    described = [{"name": name, "type": kinds.get(name, "esriFieldTypeString")} for name in rows[0]]
    return {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4326},
        "fields": described,
        "features": features,
    }


def _write_records(path: Path) -> None:
    """Five of the sample's records, as its workbook has them, or as points by IMSMA's names."""
    sample = Path(__file__).parents[1] / "sample_data" / "karabakh" / "records.xlsx"
    records = pd.read_excel(sample, sheet_name="records", dtype=object).head(5)
    legs = pd.read_excel(sample, sheet_name="legs", dtype=object)
    legs = legs[legs["record_id"].isin(records["record_id"])]
    if path.suffix == ".xlsx":
        with pd.ExcelWriter(path) as book:
            records.to_excel(book, sheet_name="records", index=False)
            legs.to_excel(book, sheet_name="legs", index=False)
        return
    corner = [(46.9, 39.9), (46.91, 39.9), (46.91, 39.91), (46.9, 39.91)]
    rows = [
        (f"P{k}", point + 1, "Turning Point", x + k / 50, y, "WGS 84")
        for k in range(5)
        for point, (x, y) in enumerate(corner)
    ]
    pd.DataFrame(rows, columns=["PolyID", "PointNo", "PointType", "Xcoord", "Ycoord", "ProjName"]).to_csv(
        path, index=False
    )


def _write_raster(path: Path) -> None:
    import rasterio
    from rasterio.shutil import copy as copy_raster
    from rasterio.transform import from_bounds

    height_m = np.outer(np.arange(24.0), np.arange(32.0))
    drivers = {".tif": "GTiff", ".asc": "AAIGrid", ".png": "PNG"}
    frame = {"width": 32, "height": 24, "count": 1, "crs": "EPSG:4326"}
    where = (
        from_bounds(46.5, 39.5, 47.5, 40.5, 32, 32)
        if path.suffix == ".asc"
        else from_bounds(46.5, 39.5, 47.5, 40.5, 32, 24)
    )
    kind = "float32" if path.suffix != ".png" else "uint16"
    with rasterio.MemoryFile() as memory:
        with memory.open(driver="GTiff", dtype=kind, transform=where, **frame) as first:
            first.write(height_m.astype(kind), 1)
        with memory.open() as first:
            copy_raster(first, path, driver=drivers[path.suffix])


# --- how many rows a broken file states


def stated_rows(path: Path) -> set[int]:
    """Rows that a file states, each in its own way; empty where its bytes don't say so any more."""
    try:
        return _COUNTS[path.suffix](path)
    except Exception:  # whatever can't be counted states nothing
        return set()


def _in_text(path: Path) -> set[int]:
    text = path.read_bytes().decode("utf-8-sig")
    mark = next(mark for mark in (";", "\t", ",") if mark in text.split("\n", 1)[0])
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True))
    return {sum(any(cell.strip() for cell in row) for row in rows[1:])}


def _in_json(path: Path) -> set[int]:
    return {len(json.loads(path.read_text())["features"])}


def _in_lines(path: Path) -> set[int]:
    return {sum(bool(line.strip()) for line in path.read_text().splitlines())}


def _in_gpkg(path: Path) -> set[int]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        (name,) = base.execute("select table_name from gpkg_contents where data_type = 'features'").fetchone()
        return {base.execute(f'select count(*) from "{name}"').fetchone()[0]}


def _in_shp(path: Path) -> set[int]:
    shx, dbf = path.with_suffix(".shx").read_bytes(), path.with_suffix(".dbf").read_bytes()
    header, width = struct.unpack_from("<HH", dbf, 8)
    deleted = dbf[header::width].count(b"*")
    return {(len(shx) - 100) // 8, int.from_bytes(dbf[4:8], "little") - deleted}


def _in_zip(path: Path) -> set[int]:
    place = path.with_name("unpacked")
    with zipfile.ZipFile(path) as bundle:
        bundle.extractall(place)
    rows = _in_shp(place / "a.shp")
    shutil.rmtree(place)
    return rows


def _in_fgb(path: Path) -> set[int]:
    content = path.read_bytes()
    root = 12 + struct.unpack_from("<I", content, 12)[0]
    entries = root - struct.unpack_from("<i", content, root)[0]
    (offset,) = struct.unpack_from("<H", content, entries + 4 + 2 * 8)  # features_count is the schema's ninth
    return {struct.unpack_from("<Q", content, root + offset)[0]}


def _in_parquet(path: Path) -> set[int]:
    from pyarrow.parquet import read_metadata

    return {read_metadata(path).num_rows}


def _in_xlsx(path: Path) -> set[int]:
    import openpyxl

    book = openpyxl.load_workbook(path, data_only=True)
    rows = list(book.active.iter_rows(values_only=True))[1:]
    return {sum(any(str(cell).strip() for cell in row if cell is not None) for row in rows)}


def _in_kml(path: Path) -> set[int]:
    return {sum(one.tag.endswith("}Placemark") for one in ElementTree.parse(path).iter())}


def _in_kmz(path: Path) -> set[int]:
    with zipfile.ZipFile(path) as bundle:
        trees = [ElementTree.fromstring(bundle.read(name)) for name in bundle.namelist() if name.endswith(".kml")]
    return {sum(one.tag.endswith("}Placemark") for tree in trees for one in tree.iter())}


def _in_gpx(path: Path) -> set[int]:
    return {sum(one.tag.endswith("}trk") for one in ElementTree.parse(path).getroot())}


def _in_tab(path: Path) -> set[int]:
    return {int.from_bytes(path.with_suffix(".dat").read_bytes()[4:8], "little")}


def _in_mif(path: Path) -> set[int]:
    return {sum(bool(line.strip()) for line in path.with_suffix(".mid").read_bytes().split(b"\n"))}


def _in_gdb(path: Path) -> set[int]:
    first_layer = path / "a00000009.gdbtable"  # eight tables of the format's own stand before
    return {int.from_bytes(first_layer.read_bytes()[4:8], "little")}


def _in_gz(path: Path) -> set[int]:
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    rows = stated_rows(plain)
    plain.unlink()
    return rows


_COUNTS = {
    ".gz": _in_gz,
    ".csv": _in_text,
    ".tsv": _in_text,
    ".txt": _in_text,
    ".geojson": _in_json,
    ".json": _in_json,
    ".geojsonl": _in_lines,
    ".gpkg": _in_gpkg,
    ".shp": _in_shp,
    ".zip": _in_zip,
    ".fgb": _in_fgb,
    ".parquet": _in_parquet,
    ".xlsx": _in_xlsx,
    ".kml": _in_kml,
    ".kmz": _in_kmz,
    ".gpx": _in_gpx,
    ".tab": _in_tab,
    ".mif": _in_mif,
    ".gdb": _in_gdb,
}
#: Each kind of file: its name, its structure that is changed, and how many of a hundred files are of it.
KINDS = {
    "CSV": ("a.csv", "cells", 7),
    "CSV, gzip": ("a.csv.gz", "", 1),
    "TSV": ("a.tsv", "cells", 3),
    "text": ("a.txt", "cells", 2),
    "XLSX": ("a.xlsx", "archive", 6),
    "shapefile": ("a.shp", "", 11),
    "zipped shapefile": ("a.zip", "archive", 6),
    "GeoPackage": ("a.gpkg", "sqlite", 8),
    "FlatGeobuf": ("a.fgb", "", 6),
    "GeoJSON": ("a.geojson", "json", 7),
    "GeoJSON, gzip": ("a.geojson.gz", "", 1),
    "GeoJSONSeq": ("a.geojsonl", "json", 4),
    "Esri JSON": ("a.json", "json", 5),
    "KML": ("a.kml", "xml", 5),
    "KMZ": ("a.kmz", "archive", 3),
    "GPX": ("a.gpx", "xml", 4),
    "GeoParquet": ("a.parquet", "parquet", 6),
    "MapInfo TAB": ("a.tab", "", 3),
    "MapInfo MIF": ("a.mif", "", 3),
    "File Geodatabase": ("a.gdb", "", 2),
    "raster GeoTIFF": ("a.tif", "", 1),
    "raster ASCII": ("a.asc", "", 1),
    "raster PNG": ("a.png", "", 1),
    "plan.toml": ("plan.toml", "toml", 2),
    "records workbook": ("a.xlsx", "archive", 1),
    "records IMSMA": ("a.csv", "cells", 1),
}
