"""Tables to zipped shapefiles: ten letters a name and 254 bytes a text, and side tables for all that doesn't fit."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.errors import OutputError
from clearplan.core.imprint import Imprint
from clearplan.outputs.gis.geopackage import geometry_type, write_arrow
from clearplan.read.files import read_raw
from clearplan.tables.arrow import kinds_of, to_arrow
from clearplan.tables.check import placed
from clearplan.tables.sidetables import COLUMNS, REST, cut_text, short_names, table_text

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = (1980, 1, 1, 0, 0, 0)
_MOST_FIELDS = 255
#: From these on a dBASE number loses digits that count, or turns into another number.
_LARGEST, _LARGEST_WHOLE = 1e15, 10**17
_KIND_OF = {0: "point", 4: "point", 1: "line", 2: "line", 5: "line", 3: "area", 6: "area"}
_READ_ME = """{notice}

As at {as_at}. Text is UTF-8. A shapefile has names of ten letters and texts of 254 bytes, and knows no empty text:
NAME_columns.csv gives each column's full name, unit and meaning; NAME_rest.csv, where it is there, holds each cell
that does not fit (row counts from 1 in the order of the shapefile). clearplan reads them back by itself.
{limits}
"""


def write_shapefiles(tables: Mapping[str, pd.DataFrame], path: Path, imprint: Imprint) -> list[str]:
    """A ZIP with a shapefile for each table and kind of shape, side tables, and a read-me with the notice.

    Parameters
    ----------
    tables : mapping of layer name to GeoDataFrame
        A table of points, lines and areas makes three shapefiles, with the kind behind the name.
    path : path
        New .zip file, whole or not at all; the same tables make the same bytes.
    imprint : Imprint

    Returns
    -------
    list of str
        What the format could not hold in its own files, in sentences.

    Raises
    ------
    OutputError
        A table has no shapes or more than 255 columns.
    """
    limits: list[str] = []
    as_at = imprint.as_at.isoformat()
    with TemporaryDirectory() as beside:
        folder = Path(beside)
        texts: dict[str, str] = {}
        for layer, table in tables.items():
            _refuse(path, layer, table)
            for name, part in _parts(layer, table):
                texts |= _write(folder, layer, name, part, as_at, limits)
        texts["README.txt"] = _READ_ME.format(notice=imprint.notice, as_at=as_at, limits="\n".join(["", *limits]))
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        with zipfile.ZipFile(path, "w") as bundle:
            for file in sorted(folder.iterdir()):
                entry = zipfile.ZipInfo(file.name, _DAY)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                bundle.writestr(entry, file.read_bytes())
    return limits


def _refuse(path: Path, layer: str, table: pd.DataFrame) -> None:
    if not isinstance(table, gpd.GeoDataFrame):
        raise OutputError(f"{path}: {layer} has no shapes, which a shapefile needs; write it as .csv or .gpkg")
    if len(table.columns) > _MOST_FIELDS:
        raise OutputError(f"{path}: {layer} has {len(table.columns)} columns, a shapefile holds 255; write a .gpkg")


def _parts(layer: str, table: gpd.GeoDataFrame) -> Iterator[tuple[str, gpd.GeoDataFrame]]:
    """A table by kind of shape; rows without a place stand with the first, and no row is left out."""
    kinds = sorted(kinds_of(table)) or ["area"]
    if len(kinds) == 1 and not _collections(table):
        yield layer, table
        return
    shapes = table.geometry.to_numpy()
    own = {kind: np.array([_only(shape, kind) for shape in shapes], dtype=object) for kind in kinds}
    lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    for kind in kinds:
        rows = ~shapely.is_missing(own[kind]) | (lost & (kind == kinds[0]))
        yield f"{layer}_{kind}s", table.set_geometry(gpd.GeoSeries(own[kind], table.index, crs=table.crs))[rows]


def _collections(table: gpd.GeoDataFrame) -> bool:
    return bool((placed(table).geometry.geom_type == "GeometryCollection").any())


def _only(shape: Any, kind: str) -> Any:
    """Parts of a shape that are of one kind; None where there are none."""
    if shape is None or shape.is_empty:
        return None
    parts = shapely.get_parts(shapely.get_parts(shape))
    own = [part for part in parts if _KIND_OF[int(shapely.get_type_id(part))] == kind]
    if not own:
        return None
    make = {"point": shapely.MultiPoint, "line": shapely.MultiLineString, "area": shapely.MultiPolygon}[kind]
    return own[0] if len(own) == 1 else make(own)


# --- one shapefile


def _write(
    folder: Path, layer: str, name: str, table: gpd.GeoDataFrame, as_at: str, limits: list[str]
) -> dict[str, str]:
    """One shapefile; the texts of its side tables by their names."""
    table, deep = _flat(table)
    arrow = to_arrow(layer, table)
    columns = [field for field in arrow.schema if field.name != "geometry"]
    short = short_names(field.name for field in columns)
    kind = geometry_type(table)
    path = folder / f"{name}.shp"
    with warnings.catch_warnings():
        # What GDAL says of cells that don't fit is shown by the side tables, cell by cell.
        warnings.simplefilter("ignore")
        write_arrow(
            _fitting(arrow, short),
            path,
            name,
            table,
            "ESRI Shapefile",
            encoding="UTF-8",
            geometry_type="Polygon" if kind == "Unknown" else kind.replace("MultiPolygon", "Polygon"),
            layer_options={"DBF_DATE_LAST_UPDATE": as_at},
        )
    rest = [*_changed(arrow, read_raw(path, encoding="UTF-8").frame, short), *deep]
    texts = {f"{name}_columns.csv": table_text(COLUMNS, (_told(field, short[field.name]) for field in columns))}
    if rest:
        limits.append(f"{name}: {len(rest)} cells do not fit a shapefile; they are whole in {name}_rest.csv")
        texts[f"{name}_rest.csv"] = table_text(REST, rest)
    shortened = sum(full != own for full, own in short.items())
    if shortened:
        limits.append(f"{name}: {shortened} column names are shortened; {name}_columns.csv has them in full")
    return texts


def _flat(table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[tuple[int, str, str]]]:
    """Shapes all with heights or all without: where only some have them, the heights go to the side table as WKT."""
    shapes = table.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    deep = shapely.has_z(shapes)
    bare = table.set_geometry(gpd.GeoSeries(np.where(there, shapes, None), table.index, crs=table.crs))
    if not deep.any() or deep[there].all():
        return bare, []
    texts = shapely.to_wkt(shapes, rounding_precision=-1, output_dimension=3)
    rows = [(int(k) + 1, "geometry", str(texts[k])) for k in np.flatnonzero(deep)]
    return bare.set_geometry(
        gpd.GeoSeries(shapely.force_2d(np.where(there, shapes, None)), bare.index, crs=table.crs)
    ), rows


def _fitting(arrow: pa.Table, short: Mapping[str, str]) -> pa.Table:
    """The table under short names, cells cut or blank where they don't fit."""
    import pyarrow as pa

    arrays, fields = [], []
    for field in arrow.schema:
        values = arrow.column(field.name)
        if pa.types.is_string(field.type):
            values = pa.array([None if v is None else cut_text(v) for v in values.to_pylist()], pa.string())
        elif pa.types.is_timestamp(field.type):
            values = pa.array([None if v is None else v.isoformat() for v in values.to_pylist()], pa.string())
        elif pa.types.is_floating(field.type) or pa.types.is_integer(field.type):
            most = _LARGEST if pa.types.is_floating(field.type) else _LARGEST_WHOLE
            kept = [None if v is None or not abs(v) < most else v for v in values.to_pylist()]
            values = pa.array(kept, field.type)
        arrays.append(values)
        fields.append(pa.field(short.get(field.name, field.name), values.type, metadata=field.metadata))
    return pa.table(arrays, schema=pa.schema(fields))


def _changed(arrow: pa.Table, back: pd.DataFrame, short: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    """Cells that the shapefile gives back other than they were: (row from 1, full name, value)."""
    for name, own in short.items():
        for row, (value, found) in enumerate(zip(arrow.column(name).to_pylist(), back[own], strict=True), start=1):
            if value is not None and not _same(value, found):
                yield row, name, value.isoformat() if hasattr(value, "isoformat") else str(value)


def _same(value: Any, found: Any) -> bool:
    if found is None or found is pd.NaT:
        return False
    if isinstance(value, bool):
        return bool(found) == value
    if isinstance(value, float):
        # A dBASE number has 15 digits behind the point; the side table is for cells that lose more than the last one.
        off = abs(float(found) - value)
        return bool(off <= max(1e-12 * abs(value), 1e-15) and (found != 0 or value == 0))
    if isinstance(value, int):
        return bool(int(found) == value)
    if hasattr(value, "isoformat"):
        return str(found)[: len(value.isoformat())].replace(" ", "T") == str(value.isoformat())
    return str(found) == str(value)


def _told(field: Any, short: str) -> tuple[str, ...]:
    import pyarrow as pa

    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    kinds = (
        ("number", pa.types.is_floating),
        ("integer", pa.types.is_integer),
        ("yes or no", pa.types.is_boolean),
        ("date", pa.types.is_date),
        ("time", pa.types.is_timestamp),
        ("text", lambda _: True),
    )
    kind = next(word for word, test in kinds if test(field.type))
    return short, field.name, kind, metadata.get("unit", ""), metadata.get("meaning", "")
