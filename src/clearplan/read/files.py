"""Files to raw rows: formats, layers, encodings, the CRS that a file states. Nothing is mapped or judged yet.

Vector files go through GDAL (pyogrio), GeoParquet through geopandas, CSV and XLSX through ``spreadsheets``.
"""

from __future__ import annotations

import json
import os
import struct
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import parse_crs
from clearplan.core.errors import ClearplanError, MissingFileError, ReadError
from clearplan.read.archives import unpack_gzip, zip_names
from clearplan.read.dbase import lost_rows, refuse_unstated_encoding, siblings, table_faults, tables_of
from clearplan.read.json_files import Statement, json_statement
from clearplan.read.row_counts import check_rows, counts_itself
from clearplan.read.seal import check_seal
from clearplan.read.spreadsheets import check_codec, drop_tags, first_line, read_csv, read_xlsx
from clearplan.read.worker import apart, is_large
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
    ".geojsonl",
    ".geojsonseq",
    ".kml",
    ".kmz",
    ".gpx",
    ".fgb",
    ".gdb",
    ".tab",
    ".mif",
}
PARQUET = {".parquet", ".geoparquet"}
#: Formats of one text that are read packed by gzip, as .geojson.gz and .csv.gz.
GZIPPED = {".csv", ".tsv", ".txt", ".geojson", ".json", ".geojsonl", ".geojsonseq"}
_LIMITS = LimitSettings()


@dataclass
class Raw:
    """Rows of a file as they stand: ``rows`` are the numbers its owner sees, ``geometry`` is None in a plain table.

    ``fids``: ids that the format itself gives its features; none in a plain table.
    ``claimed``: rows that the file says it holds, None where it says nothing.
    ``lost``: faults that say that rows are missing, or more than claimed; lenient reading only warns of them.
    """

    file: str
    frame: pd.DataFrame
    rows: list[int]
    geometry: np.ndarray[Any, Any] | None
    crs: CRS | None
    faults: list[Fault] = field(default_factory=list)
    fids: list[str] = field(default_factory=list)
    claimed: int | None = None
    lost: list[Fault] = field(default_factory=list)


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
    suffix = path.suffix.lower()
    _refuse_unreadable(path, suffix)
    if suffix == ".gz":
        return _read_gzipped(path, layer, encoding, limits)
    try:
        check_seal(path, limits)
        claimed = check_rows(path, limits, layer)
        if is_large(path):
            raw = apart(__name__, _opened.__name__, path, suffix, layer, encoding, limits=limits)
            assert isinstance(raw, Raw)
        else:
            raw = _opened(path, suffix, layer, encoding)
        return _held_to_claim(raw, claimed)
    except _DAMAGE as error:
        words = first_line(error) or type(error).__name__
        raise ReadError(f"{path}: is damaged ({words}); copy it again, or save it again") from None


def _refuse_unreadable(path: Path, suffix: str) -> None:
    """Refuse what isn't there, isn't whole, or is of no format that is read."""
    if not path.exists():
        raise MissingFileError(f"{path}: no such file; correct the path")
    if not os.access(path, os.R_OK):
        raise ReadError(f"{path}: may not be read; ask for the right to read it")
    if path.is_dir() and suffix != ".gdb":
        raise ReadError(f"{path}: is a folder; name a file")
    if suffix == ".shp":
        _refuse_incomplete(path)
    inner = Path(path.stem).suffix.lower()
    if suffix not in TABLES | VECTORS | PARQUET and not (suffix == ".gz" and inner in GZIPPED):
        known = " ".join([*sorted(TABLES | VECTORS | PARQUET), *(f"{name}.gz" for name in sorted(GZIPPED))])
        unknown = f"{inner}.gz" if suffix == ".gz" else suffix or "(none)"
        raise ReadError(f"{path}: format {unknown} is not known; give one of {known}")


def _refuse_incomplete(path: Path) -> None:
    """Refuse a shapefile that lacks a part, or has one whose name is spelt otherwise: GDAL would read without it."""
    parts = siblings(path)
    there = {part.suffix.lower() for part in parts}
    absent = [part for part in (".shx", ".dbf") if part not in there]
    if absent:
        raise ReadError(f"{path}: its {' and '.join(absent)} is missing; copy every part of the shapefile")
    apart_from_it = [part.name for part in parts if not path.with_suffix(part.suffix).exists()]
    if apart_from_it:
        raise ReadError(f"{path}: its part {apart_from_it[0]} has other capitals; give all parts the name {path.stem}")


def _read_gzipped(path: Path, layer: str | None, encoding: str | None, limits: LimitSettings) -> Raw:
    """A text that is packed by gzip: unpacked within the limits, then read as any file; errors name the archive."""
    check_seal(path, limits)
    with TemporaryDirectory(prefix="clearplan-") as folder:
        unpacked = unpack_gzip(path, Path(folder), limits)
        try:
            raw = read_raw(unpacked, layer=layer, encoding=encoding, limits=limits)
        except ClearplanError as error:
            error.args = tuple(word.replace(str(unpacked), str(path)) for word in error.args)
            raise
    faults, lost = ([one | {"file": path.name} for one in listed] for listed in (raw.faults, raw.lost))
    return replace(raw, file=path.name, faults=faults, lost=lost)


#: What libraries raise where the bytes of a file contradict one another; no such error is a fault of ours.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    UnicodeError,
    IndexError,
    NotImplementedError,
    EOFError,
    OSError,
    MemoryError,
    OverflowError,
    RecursionError,
)


def _held_to_claim(raw: Raw, claimed: int | None) -> Raw:
    """Rows with what the file claims, by its header or by what its reader found; a difference is said once."""
    raw.claimed = claimed if raw.claimed is None else raw.claimed
    if raw.claimed is not None and raw.claimed != len(raw.rows) and not raw.lost:
        rule = f"the file claims {raw.claimed:,} rows, and {len(raw.rows):,} could be read"
        remedy = "export it again; or read with lenient = true what is there"
        raw.lost.append(fault(raw.file, None, "", "", rule, "error", remedy))
    return raw


def _opened(path: Path, suffix: str, layer: str | None, encoding: str | None) -> Raw:
    if suffix in TABLES:
        return _read_table(path, suffix, layer, encoding)
    if suffix in PARQUET:
        return _read_parquet(path)
    return _read_vector(path, suffix, layer, encoding)


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


def read_gazetteer(path: Path | None, limits: LimitSettings = _LIMITS) -> pd.DataFrame | None:
    """Named landmarks of a CSV with the columns name, longitude and latitude (WGS 84).

    Raises
    ------
    ReadError
        The file can't be read, lacks a column, or a coordinate is no number.
    """
    if path is None:
        return None
    frame = read_raw(path, limits=limits).frame
    absent = [name for name in ("name", "longitude", "latitude") if name not in frame.columns]
    if absent:
        raise ReadError(f"{path}: has no column {absent[0]!r}; a gazetteer needs name, longitude, latitude")
    try:
        return frame.astype({"longitude": float, "latitude": float})
    except (ValueError, TypeError) as error:
        raise ReadError(f"{path}: a longitude or latitude is no number ({first_line(error)}); correct it") from None


def _read_table(path: Path, suffix: str, layer: str | None, encoding: str | None) -> Raw:
    sheet = read_xlsx(path, layer) if suffix == ".xlsx" else read_csv(path, encoding)
    frame, doubtful = drop_tags(path.name, sheet.frame)
    claimed = sheet.filled - (len(sheet.frame) - len(frame))
    blank = frame.isna().all(axis=1)
    rows = [int(i) + 2 for i in frame.index[~blank]]  # row 1 is the header
    faults = [f for f in sheet.faults + doubtful if f["row"] in set(rows)]
    faults += _of_blank_rows(path.name, [f for f in sheet.faults if f["row"] not in set(rows)])
    return Raw(path.name, frame[~blank].reset_index(drop=True), rows, None, None, faults, claimed=claimed)


def _of_blank_rows(file: str, faults: list[Fault]) -> list[Fault]:
    """A warning of rows that only look blank: formulas prepared for rows to come, or whose results were never saved."""
    rows = sorted({int(str(found["row"])) for found in faults if "formula" in found["rule"]})
    if not rows:
        return []
    rule = f"{len(rows)} rows hold formulas alone, without results, and are not read; the first is row {rows[0]}"
    remedy = "none needed if they are empty rows of a form; else save the file in a spreadsheet program"
    return [fault(file, None, "", "", rule, "warning", remedy)]


def _read_parquet(path: Path) -> Raw:
    import geopandas as gpd
    import pyarrow.parquet as pq

    try:
        # Whole numbers beside blanks stay whole numbers: floats would round the last digits of large ones.
        exact = {"integer_object_nulls": True}
        if _has_shapes(path):
            table = gpd.read_parquet(path, to_pandas_kwargs=exact)
        else:
            table = pq.read_table(path).to_pandas(**exact)
        shapes = table.geometry.name if isinstance(table, gpd.GeoDataFrame) else None
        frame = pd.DataFrame(table.drop(columns=[] if shapes is None else shapes)).reset_index(drop=True)
        mixed = [name for name in frame.columns if frame[name].dtype == object]
        # Texts are decoded only here, and one that is no UTF-8 can't be.
        frame = frame.astype(dict.fromkeys(frame.columns, object))
    except Exception as error:
        raise ReadError(f"{path}: can't be read as GeoParquet ({first_line(error)}); write it again") from None
    rows = list(range(1, len(table) + 1))
    frame[mixed] = frame[mixed].apply(_without_nesting)
    # One blank for all: None, NaN, NaT and pd.NA come from columns of different types.
    frame = frame.where(frame.notna(), None)
    if shapes is None:
        return Raw(path.name, frame, rows, None, None)
    return Raw(path.name, frame, rows, table.geometry.to_numpy(), table.crs)


def _has_shapes(path: Path) -> bool:
    """Whether a Parquet file is GeoParquet: its footer then has the key ``geo``."""
    from pyarrow.parquet import read_schema

    return b"geo" in (read_schema(path).metadata or {})


def _read_vector(path: Path, suffix: str, layer: str | None, encoding: str | None) -> Raw:
    import pyogrio
    import pyogrio.raw

    if encoding is not None:
        check_codec(path, encoding)
    stated = json_statement(path) if suffix in (".geojson", ".json") else Statement([], None, [])
    faults, lost = stated.faults, stated.lost
    tables = tables_of(path) if suffix in (".shp", ".zip") else []
    if tables:
        if encoding is None:
            refuse_unstated_encoding(path, tables)
        faults += table_faults(path.name, tables)
        lost += lost_rows(path.name, tables)
    opened = _inside_zip(path) if suffix == ".zip" else str(path)
    layer = layer or _only_layer(path, opened)
    with warnings.catch_warnings():
        # GDAL's warnings (unclosed rings, odd types) come back as faults with their rows.
        warnings.simplefilter("ignore")
        try:
            # Moments as text keep their zone, which arrays of them lose.
            meta, fids, wkb, columns = pyogrio.raw.read(
                opened,
                layer=layer,
                encoding=encoding,
                return_fids=True,
                datetime_as_string=True,
                # A condition that holds for every row makes GDAL count the rows themselves.
                where="1 = 1" if counts_itself(suffix, tables) else None,
            )
        except Exception as error:
            raise ReadError(
                f"{path}: can't be read ({first_line(error)}); open it in a GIS and save it again"
            ) from None
    frame = pd.DataFrame({name: _plain(values) for name, values in zip(meta["fields"], columns, strict=True)})
    for name in _rounded_integers(meta, columns):
        exact = pyogrio.read_arrow(opened, layer=layer, columns=[name], read_geometry=False)[1][name]
        frame[name] = pd.Series(exact.to_pylist(), dtype=object)
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
    crs = _crs_of(meta["crs"])
    if suffix == ".zip" and layer is not None:
        frame = restored(path, layer, frame)
    return Raw(
        path.name,
        frame.reindex(range(len(rows))),
        rows,
        geometry,
        crs,
        faults,
        [str(fid) for fid in fids],
        stated.claimed,
        lost,
    )


def _crs_of(text: str | None) -> CRS | None:
    """The CRS that a layer states; what stands for "undefined" (GeoPackage, srs_id 0 and -1) states none."""
    if not text or text.casefold().startswith(("undefined", "unknown")) or '"undefined' in text.casefold():
        return None
    return parse_crs(text)


def _rounded_integers(meta: dict[str, Any], columns: Any) -> list[str]:
    """Fields of whole numbers that became floats, because some are blank, and are too large for these."""
    rounded = []
    for name, dtype, values in zip(meta["fields"], meta["dtypes"], columns, strict=True):
        if values.dtype.kind == "f" and "int" in str(dtype) and np.nanmax(np.abs(values), initial=0) >= 2.0**53:
            rounded.append(str(name))
    return rounded


def _plain(values: Any) -> Any:
    """A GDAL column with whole numbers as whole numbers and blanks as None."""
    series = pd.Series(values)
    known = series.dropna()
    # Beyond 2 ** 53 a float skips whole numbers, and beyond 2 ** 63 none can be cast.
    if series.dtype.kind == "f" and ((known % 1 == 0) & (known.abs() <= 2.0**53)).all():
        return series.astype("Int64").astype(object).where(series.notna(), None)
    return _without_nesting(series).astype(object).where(series.notna(), None)


_NESTED = (list, tuple, dict, np.ndarray)


def _without_nesting(series: pd.Series) -> pd.Series:
    """Lists and records in cells as JSON; a column without any stays as it is."""
    if not any(isinstance(value, _NESTED) for value in series):
        return series
    return series.map(lambda v: json.dumps(v, ensure_ascii=False, default=_listed) if isinstance(v, _NESTED) else v)


def _listed(value: object) -> object:
    """What JSON has no type for: an array as a list, a moment as text."""
    return value.tolist() if isinstance(value, np.ndarray) else str(value)


def _shapes(file: str, wkb: Any, rows: list[int], faults: list[Fault]) -> np.ndarray[Any, Any]:
    geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    for k in np.flatnonzero(np.array([b is not None for b in wkb], dtype=bool) & shapely.is_missing(geometry)):
        rule, remedy = "ring is not closed", "end the ring at its first vertex, or read with lenient = true"
        geometry[k] = shapely.from_wkb(wkb[k], on_invalid="fix")
        if geometry[k] is None:
            geometry[k], points = _longer_parts(wkb[k])
            rule = f"{points} segments of a single point are left out" if points > 1 else _ONE_POINT
            remedy = "delete them, or read with lenient = true"
        faults.append(fault(file, rows[k], "geometry", "", rule, "repairable", remedy))
    return np.asarray(geometry, dtype=object)


_ONE_POINT = "a segment of a single point is left out"


def _longer_parts(wkb: bytes) -> tuple[Any, int]:
    """Parts of a line that have two points or more, and how many have one, as a GPS writes when it is switched on.

    Layout after OGC 06-103r4, 8.2: byte order, type and count, then the parts, each with a head of its own.
    """
    order = "<" if wkb[0] == 1 else ">"
    kind, count = struct.unpack_from(f"{order}II", wkb, 1)
    width = 8 * (2 + (kind // 1000 in (1, 2)) + 2 * (kind // 1000 == 3) + bool(kind & 0x80000000))
    if kind % 1000 % 16 != 5:
        return None, 0
    parts, single, at = [], 0, 9
    for _ in range(count):
        (points,) = struct.unpack_from(f"{order}I", wkb, at + 5)
        end = at + 9 + points * width
        if points > 1:
            parts.append(shapely.from_wkb(wkb[at:end]))
        single += points == 1
        at = end
    return (shapely.MultiLineString(parts) if parts else None), single


def _inside_zip(path: Path) -> str:
    """What GDAL is to open in a ZIP: by itself it finds whatever it reads, but no shapefile in a folder."""
    names = zip_names(path)
    if not any(Path(part).suffix.lower() in VECTORS for name in names for part in Path(name).parts):
        raise ReadError(f"{path}: holds no shapefile; zip its .shp, .shx, .dbf and .prj together")
    shapefiles = [name for name in names if name.lower().endswith(".shp")]
    if not shapefiles or any("/" not in name for name in shapefiles):
        return str(path)
    if len(shapefiles) > 1:
        raise ReadError(f"{path}: holds {', '.join(shapefiles)}; give each shapefile an archive of its own")
    return f"/vsizip/{path.resolve().as_posix()}/{shapefiles[0]}"


def _only_layer(path: Path, opened: str) -> str | None:
    import pyogrio

    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(opened)]
    except Exception as error:
        if "unknown encoding" in str(error):
            raise ReadError(f"{path}: states an XML encoding that is not read; save it as UTF-8") from None
        if "encoding specified in XML declaration is incorrect" in str(error):
            raise ReadError(f"{path}: is not in the XML encoding that it states; save it as UTF-8") from None
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
