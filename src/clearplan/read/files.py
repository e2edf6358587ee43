"""Files to raw rows: formats, layers, encodings, the CRS that a file states. Nothing is mapped or judged yet.

Vector files go through GDAL (pyogrio), GeoParquet through geopandas, CSV and XLSX through ``spreadsheets``.
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import parse_crs
from clearplan.core.errors import CrsError, MissingFileError, ReadError
from clearplan.read.archives import members
from clearplan.read.seal import check_seal
from clearplan.read.spreadsheets import drop_tags, first_line, read_csv, read_xlsx, readings
from clearplan.settings.limits import LimitSettings
from clearplan.tables.check import Fault, fault
from clearplan.tables.sidetables import restored

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = {".csv", ".tsv", ".txt", ".xlsx"}
VECTORS = {
    ".gpkg",
    ".shp",
    ".zip",
    ".geojson",
    ".json",
    ".kml",
    ".kmz",
    ".gpx",
    ".fgb",
    ".gdb",
    ".tab",
    ".mif",
}
PARQUET = {".parquet", ".geoparquet"}
_LIMITS = LimitSettings()


@dataclass
class Raw:
    """Rows of a file as they stand: ``rows`` are the numbers its owner sees, ``geometry`` is None in a plain table."""

    file: str
    frame: pd.DataFrame
    rows: list[int]
    geometry: np.ndarray[Any, Any] | None
    crs: CRS | None
    faults: list[Fault] = field(default_factory=list)


def read_raw(
    path: Path, *, layer: str | None = None, encoding: str | None = None, limits: LimitSettings = _LIMITS
) -> Raw:
    """Read any supported file; a row of HXL hashtags below the header of a table is left out.

    Raises
    ------
    ReadError
        The file is missing, of an unknown format, unreadable, not what its suffix says or too large, holds several
        layers and none was named, or its text is in no stated encoding.
    """
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; correct the path")
    if not os.access(path, os.R_OK):
        raise ReadError(f"{path}: may not be read; ask for the right to read it")
    suffix = path.suffix.lower()
    if path.is_dir() and suffix != ".gdb":
        raise ReadError(f"{path}: is a folder; name a file")
    if suffix == ".shp":
        absent = [part for part in (".shx", ".dbf") if not path.with_suffix(part).exists()]
        if absent:
            raise ReadError(f"{path}: its {' and '.join(absent)} is missing; copy every part of the shapefile")
    if suffix in TABLES | VECTORS | PARQUET:
        check_seal(path, limits)
    if suffix in TABLES:
        return _read_table(path, suffix, layer, encoding)
    if suffix in PARQUET:
        return _read_parquet(path)
    if suffix in VECTORS:
        return _read_vector(path, suffix, layer, encoding)
    known = " ".join(sorted(TABLES | VECTORS | PARQUET))
    raise ReadError(f"{path}: format {suffix or '(none)'} is not known; give one of {known}")


def read_typed(path: Path) -> list[tuple[str, pa.Table, CRS | None]]:
    """Layers of a GeoPackage of ours as (name, Arrow table, CRS), each column in the type that the file states.

    Raises
    ------
    ReadError
        It can't be read.
    """
    import pyogrio

    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path) if name != "layer_styles"]
        found = []
        for name in names:
            meta, arrow = pyogrio.read_arrow(path, layer=name)
            place = meta["geometry_name"] or "wkb_geometry"
            names_now = ["geometry" if column == place else column for column in arrow.column_names]
            found.append((name, arrow.rename_columns(names_now), parse_crs(meta["crs"]) if meta["crs"] else None))
        return found
    except Exception as error:  # GDAL's own errors have no common root but this
        raise ReadError(f"{path}: can't be read ({first_line(error)}); run the plan again") from None


def read_gazetteer(path: Path | None) -> pd.DataFrame | None:
    """Named landmarks of a CSV with the columns name, longitude and latitude (WGS 84).

    Raises
    ------
    ReadError
        The file can't be read, lacks a column, or a coordinate is no number.
    """
    if path is None:
        return None
    frame = read_raw(path).frame
    absent = [name for name in ("name", "longitude", "latitude") if name not in frame.columns]
    if absent:
        raise ReadError(f"{path}: has no column {absent[0]!r}; a gazetteer needs name, longitude, latitude")
    try:
        return frame.astype({"longitude": float, "latitude": float})
    except (ValueError, TypeError) as error:
        raise ReadError(f"{path}: a longitude or latitude is no number ({first_line(error)}); correct it") from None


def _read_table(path: Path, suffix: str, layer: str | None, encoding: str | None) -> Raw:
    frame, faults = read_xlsx(path, layer) if suffix == ".xlsx" else (read_csv(path, encoding), [])
    frame, doubtful = drop_tags(path.name, frame)
    faults = faults + doubtful
    blank = frame.isna().all(axis=1)
    rows = [int(i) + 2 for i in frame.index[~blank]]  # row 1 is the header
    faults = [f for f in faults if f["row"] in set(rows)]
    return Raw(path.name, frame[~blank].reset_index(drop=True), rows, None, None, faults)


def _read_parquet(path: Path) -> Raw:
    import geopandas as gpd

    try:
        table = gpd.read_parquet(path) if _has_shapes(path) else pd.read_parquet(path)
    except Exception as error:
        raise ReadError(f"{path}: can't be read as GeoParquet ({first_line(error)}); write it again") from None
    rows = list(range(1, len(table) + 1))
    if not isinstance(table, gpd.GeoDataFrame):
        return Raw(path.name, table.reset_index(drop=True), rows, None, None)
    frame = pd.DataFrame(table.drop(columns=table.geometry.name)).reset_index(drop=True)
    return Raw(path.name, frame, rows, table.geometry.to_numpy(), table.crs)


def _has_shapes(path: Path) -> bool:
    """Whether a Parquet file is GeoParquet: its footer then has the key ``geo``."""
    from pyarrow.parquet import read_schema

    return b"geo" in (read_schema(path).metadata or {})


def _read_vector(path: Path, suffix: str, layer: str | None, encoding: str | None) -> Raw:
    import pyogrio
    import pyogrio.raw

    if suffix in (".shp", ".zip") and encoding is None:
        _refuse_unstated_encoding(path, suffix)
    faults = _legacy_crs(path) if suffix in (".geojson", ".json") else []
    opened = _inside_zip(path) if suffix == ".zip" else str(path)
    layer = layer or _only_layer(path, opened)
    with warnings.catch_warnings():
        # GDAL's warnings (unclosed rings, odd types) come back as faults with their rows.
        warnings.simplefilter("ignore")
        try:
            meta, _, wkb, columns = pyogrio.raw.read(opened, layer=layer, encoding=encoding)
        except Exception as error:
            raise ReadError(
                f"{path}: can't be read ({first_line(error)}); open it in a GIS and save it again"
            ) from None
    frame = pd.DataFrame({name: _plain(values) for name, values in zip(meta["fields"], columns, strict=True)})
    rows = list(range(1, len(columns[0]) + 1 if len(columns) else (0 if wkb is None else len(wkb)) + 1))
    geometry = _shapes(path.name, wkb, rows, faults) if wkb is not None else None
    if any(word in str(meta["geometry_type"]) for word in ("Curve", "Compound", "Circular", "Surface")):
        faults.append(
            fault(
                path.name,
                None,
                "geometry",
                meta["geometry_type"],
                "curves were replaced by straight pieces",
                "repairable",
                "save the layer with straight segments, or read with lenient = true",
            )
        )
    crs = parse_crs(meta["crs"]) if meta["crs"] else None
    if suffix == ".zip" and layer is not None:
        frame = restored(path, layer, frame)
    return Raw(path.name, frame.reindex(range(len(rows))), rows, geometry, crs, faults)


def _plain(values: Any) -> Any:
    """A GDAL column with whole numbers as whole numbers and blanks as None."""
    series = pd.Series(values)
    known = series.dropna()
    # Beyond 2 ** 53 a float skips whole numbers, and beyond 2 ** 63 none can be cast.
    if series.dtype.kind == "f" and ((known % 1 == 0) & (known.abs() <= 2.0**53)).all():
        return series.astype("Int64").astype(object).where(series.notna(), None)
    plain = series.map(lambda v: json.dumps(_listed(v), ensure_ascii=False) if isinstance(v, _NESTED) else v)
    return plain.astype(object).where(series.notna(), None)


_NESTED = (list, tuple, dict, np.ndarray)


def _listed(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def _shapes(file: str, wkb: Any, rows: list[int], faults: list[Fault]) -> np.ndarray[Any, Any]:
    geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    for k in np.flatnonzero(np.array([b is not None for b in wkb], dtype=bool) & shapely.is_missing(geometry)):
        geometry[k] = shapely.from_wkb(wkb[k], on_invalid="fix")
        faults.append(
            fault(
                file,
                rows[k],
                "geometry",
                "",
                "ring is not closed",
                "repairable",
                "end the ring at its first vertex, or read with lenient = true",
            )
        )
    return np.asarray(geometry, dtype=object)


def _inside_zip(path: Path) -> str:
    """What GDAL is to open in a ZIP: by itself it finds whatever it reads, but no shapefile in a folder."""
    names = _zip_names(path)
    if not any(Path(part).suffix.lower() in VECTORS for name in names for part in Path(name).parts):
        raise ReadError(f"{path}: holds no shapefile; zip its .shp, .shx, .dbf and .prj together")
    shapefiles = [name for name in names if name.lower().endswith(".shp")]
    if not shapefiles or any("/" not in name for name in shapefiles):
        return str(path)
    if len(shapefiles) > 1:
        raise ReadError(f"{path}: holds {', '.join(shapefiles)}; give each shapefile an archive of its own")
    return f"/vsizip/{path.resolve().as_posix()}/{shapefiles[0]}"


def _zip_names(path: Path) -> list[str]:
    return [entry.filename for entry in members(path)]


def _only_layer(path: Path, opened: str) -> str | None:
    import pyogrio

    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(opened)]
    except Exception as error:
        raise ReadError(f"{path}: can't be opened ({first_line(error)}); is it the format its name says?") from None
    layers = [name for name in layers if name != "layer_styles"]
    if path.suffix.lower() == ".gpx":
        layers = [
            name for name in layers if pyogrio.read_info(path, layer=name, force_feature_count=True)["features"] > 0
        ]
        layers = [name for name in layers if name not in ("route_points", "track_points")]
    if len(layers) > 1:
        raise ReadError(f"{path}: holds layers {', '.join(layers)}; name one with layer = '...'")
    if not layers:
        raise ReadError(f"{path}: holds no layer with data; give another file")
    return layers[0]


def _legacy_crs(path: Path) -> list[Fault]:
    """The ``crs`` member that GeoJSON dropped in 2016 (RFC 7946, section 4)."""
    linked: list[str] = []

    def whole(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        linked.extend(str(value.get("type")) for key, value in pairs if _is_linked_crs(key, value))
        return dict(pairs)

    try:
        member = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=whole).get("crs")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path}: GeoJSON must be UTF-8 ({error}); save it as UTF-8") from None
    except RecursionError:
        raise ReadError(f"{path}: brackets lie too deep in one another; save it again from a GIS") from None
    except (ValueError, AttributeError) as error:
        raise ReadError(f"{path}: not valid GeoJSON ({first_line(error)}); save it again") from None
    if linked:
        raise ReadError(
            f"{path}: its 'crs' is a {linked[0]} to another file or server; save it in WGS 84 without 'crs'"
        )
    if member is None:
        return []
    properties = member.get("properties") if isinstance(member, dict) else None
    name = str(properties.get("name", member) if isinstance(properties, dict) else member)
    try:
        plain = parse_crs(name).equals(CRS.from_epsg(4326), ignore_axis_order=True)
    except CrsError:
        plain = False
    if plain:
        return [fault(path.name, None, "crs", name, "legacy 'crs' member", "warning", "drop it: GeoJSON is WGS 84")]
    remedy = "reproject to WGS 84 and drop the member, or save as GeoPackage (RFC 7946 knows WGS 84 only)"
    return [fault(path.name, None, "crs", name, "legacy 'crs' member names another CRS", "error", remedy)]


def _is_linked_crs(key: str, value: object) -> bool:
    """Whether a member makes GDAL fetch a CRS: it takes names in any case, at any depth."""
    if key.casefold() != "crs" or not isinstance(value, dict):
        return False
    kinds = {str(one).casefold() for name, one in value.items() if name.casefold() == "type"}
    return bool(kinds & {"link", "url"})


def _refuse_unstated_encoding(path: Path, suffix: str) -> None:
    """Refuse a shapefile whose text is not ASCII and whose encoding is not stated, or stated wrongly."""
    for name, dbf, cpg in _dbf_parts(path, suffix):
        text = _first_foreign_text(dbf)
        if text is None:
            continue
        stated = (cpg or b"").decode("ascii", "ignore").strip().lower().replace("-", "")
        language_driver = dbf[29]
        if stated in ("utf8", "65001"):
            try:
                text.decode("utf-8")
                continue
            except UnicodeDecodeError:
                raise ReadError(f"{path}: {name} says UTF-8 and is not; {readings(text)}") from None
        # 0 is "not stated" and 0x57 is "whatever this computer uses": both are guesses for a reader.
        if not stated and language_driver in (0x00, 0x57):
            raise ReadError(f"{path}: {name} states no encoding; {readings(text)}")


def _dbf_parts(path: Path, suffix: str) -> list[tuple[str, bytes, bytes | None]]:
    if suffix == ".shp":
        dbf, cpg = path.with_suffix(".dbf"), path.with_suffix(".cpg")
        return [(dbf.name, dbf.read_bytes(), cpg.read_bytes() if cpg.exists() else None)] if dbf.exists() else []
    names = {name.lower(): name for name in _zip_names(path)}
    with zipfile.ZipFile(path) as bundle:
        return [
            (
                real,
                bundle.read(real),
                bundle.read(names[low[:-4] + ".cpg"]) if low[:-4] + ".cpg" in names else None,
            )
            for low, real in names.items()
            if low.endswith(".dbf")
        ]


def _first_foreign_text(dbf: bytes) -> bytes | None:
    """First text cell with a byte beyond ASCII, after the dBASE III layout of header and fields."""
    if len(dbf) < 33:
        return None
    header, length = int.from_bytes(dbf[8:10], "little"), int.from_bytes(dbf[10:12], "little")
    widths = [dbf[k + 16] for k in range(32, header - 32, 32) if dbf[k] != 0x0D]
    body = dbf[header:]
    if body.isascii() or length == 0:
        return None
    for start in range(0, len(body) - length + 1, length):
        at = start + 1
        for width in widths:
            cell = body[at : at + width].strip()
            if not cell.isascii():
                return cell
            at += width
    return None
