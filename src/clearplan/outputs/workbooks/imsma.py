"""Tables to IMSMA-style import sheets: one row an object, and one row a turning point with PolyID, PointNo, PointID.

Heads of the point sheets are those of IMSMA's import of points from a spreadsheet (IMSMA wiki, "Import Geospatial Data
from Excel"), so that clearplan's own door for such lists reads them too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import require_metres
from clearplan.core.errors import TableError
from clearplan.core.imprint import Imprint
from clearplan.outputs.workbooks.writer import LETTERS, Sheet, write_book
from clearplan.tables.arrow import to_arrow
from clearplan.tables.books import TURNING_POINTS
from clearplan.tables.columns import Kind
from clearplan.tables.lookup import TABLES, id_column

#: Heads of a sheet of points: IMSMA's own, then what tells the object and its parts apart.
_HEADS = [column.name for column in TURNING_POINTS]
#: Sheets of points by kind of shape; rings inside an area stand apart, or IMSMA would import them as hazards.
_SHEETS = {"area": "polygons", "line": "lines", "point": "points", "hole": "holes"}
_WORDS = (
    "One sheet a kind of object, one row an object: id, class, status, dates, sources; its shape as WKT, cut into "
    "several columns (wkt, wkt_2 ...) where a cell can't hold it.",
    "Sheets of points: one row a turning point, PolyID an object's part (id, id/2, id/3 ...), ProjName the projection.",
    "Areas inside an area that are not part of it stand on a sheet of holes. Import the polygons alone and the holes "
    "are counted as hazard: more ground, never less.",
    "The last point of a line is a row-end: IMSMA has no word for it, and an End Point would close the border.",
    "Objects without a place have no points; the sheet of objects says why, under deferred.",
)


def write_imsma(tables: Mapping[str, pd.DataFrame], path: str | Path, imprint: Imprint) -> list[str]:
    """Import sheets as XLSX; the same tables make the same bytes, and no text becomes a formula.

    Parameters
    ----------
    tables : mapping of table name to GeoDataFrame
        Declared tables with shapes: hazards, areas, tasks, zones, accidents, lifelines, releases.
    path : path
        New .xlsx file.
    imprint : Imprint
        Its title and notice stand on the first sheet.

    Returns
    -------
    list of str
        What a sheet could not hold, in sentences; empty: nothing was lost.

    Raises
    ------
    TableError
        A table is not declared, or has no id.
    CrsError
        The tables are not in metres or not in one CRS.
    OutputError
        The file exists or can't be written.
    """
    path = Path(path)
    sheets: dict[str, Sheet] = {}
    frames: dict[str, pd.DataFrame] = {}
    limits: list[str] = []
    for name, table in tables.items():
        _refuse(name, table)
        frames[name], sheets[name] = _objects(name, table, limits)
        points = pd.DataFrame(_points(name, table), columns=[*_HEADS, "kind"])
        for kind, words in _SHEETS.items():
            of_kind = points[points["kind"] == kind]
            if len(of_kind):
                sheet = f"{name} {words}"
                about = f"turning points of {name}: {words}"
                frames[sheet], sheets[sheet] = of_kind, Sheet(sheet, about, "turning_points", _HEADS, fixed=3)
    if not tables:
        raise TableError(f"{path.name}: no table to write; hand over HAZARDS, ACCIDENTS ...")
    require_metres(*(table for table in tables.values()))
    write_book(path, title=imprint.title, words=[imprint.notice, *_WORDS, *limits], tables=frames, sheets=sheets)
    return limits


def _refuse(name: str, table: pd.DataFrame) -> None:
    if name not in TABLES or not isinstance(table, gpd.GeoDataFrame):
        raise TableError(f"{name}: no declared table with shapes; hand over hazards, zones, accidents, releases ...")
    if id_column(name) not in table.columns:
        raise TableError(f"{name}: has no column {id_column(name)}; give each row an id")


# --- objects


def _objects(name: str, table: gpd.GeoDataFrame, limits: list[str]) -> tuple[pd.DataFrame, Sheet]:
    """Rows of a table with their shapes as WKT, and the sheet that holds them under the columns' own names."""
    import pyarrow as pa

    arrow = to_arrow(name, pd.DataFrame(table.drop(columns="geometry")))
    frame = pd.DataFrame(index=range(len(table)))
    kinds: dict[str, Kind] = {}
    for field in arrow.schema:
        values = arrow.column(field.name).to_pylist()
        kinds[field.name] = "text"
        if pa.types.is_integer(field.type) or pa.types.is_floating(field.type):
            kinds[field.name] = "exact"
        elif pa.types.is_date(field.type) and all(v is None or v.year >= 1900 for v in values):
            kinds[field.name] = "day"
        frame[field.name] = pd.Series(values, dtype=object)
        cut = sum(isinstance(v, str) and len(v) > LETTERS for v in values)
        if cut:
            limits.append(
                f"{name}: {cut} texts of {field.name} are longer than a cell ({LETTERS:,} letters) and are cut"
            )
    if any(column in frame.columns for column in ("wkt", "crs")):
        raise TableError(f"{name}: has a column wkt or crs of its own, which the sheet needs; rename it")
    texts = _cut(table)
    frame["crs"] = _projection(table)
    for k in range(max(map(len, texts), default=1)):
        column = "wkt" if k == 0 else f"wkt_{k + 1}"
        frame[column] = pd.Series([text[k] if k < len(text) else None for text in texts], dtype=object)
    about, columns = f"{len(frame):,} {name}, one row each", list(frame.columns)
    heads = {column: column for column in columns}
    return frame, Sheet(name, about, name, columns, fixed=2, heads=heads, kinds=kinds, tagged=False)


def _cut(table: gpd.GeoDataFrame) -> list[list[str]]:
    """Shapes as WKT to the last digit, in pieces that a cell holds."""
    shapes = table.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    whole = shapely.to_wkt(np.where(there, shapes, None), rounding_precision=-1, output_dimension=3)
    return [[] if text is None else [text[k : k + LETTERS] for k in range(0, len(text), LETTERS)] for text in whole]


def _projection(table: gpd.GeoDataFrame) -> str:
    """The working CRS as IMSMA names it, where it has a name for it."""
    assert table.crs is not None
    utm = re.fullmatch(r"WGS 84 / UTM zone (\d+)([NS])", table.crs.name)
    return f"UTM{utm[1]}{utm[2]}" if utm else ":".join(table.crs.to_authority() or ()) or table.crs.to_wkt()


# --- points


def _points(name: str, table: gpd.GeoDataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of the point sheets: each vertex once, the closing one of a ring left out."""
    projection = _projection(table)
    for ident, shape in zip(table[id_column(name)].astype(str), table.geometry, strict=True):
        parts = [] if shape is None or shape.is_empty else shapely.get_parts(shapely.get_parts(shape))
        for part, piece in enumerate(parts, start=1):
            poly = ident if part == 1 else f"{ident}/{part}"
            for ring, (kind, line) in enumerate(_lines(piece)):
                own = poly if ring == 0 else f"{poly}/hole {ring}"
                xy = shapely.get_coordinates(line)
                xy = xy[:-1] if kind in ("area", "hole") else xy
                for number, (x, y) in enumerate(xy.tolist(), start=1):
                    last = kind == "line" and number == len(xy)
                    word = "Start Point" if number == 1 else "row-end" if last else "Turning Point"
                    point = f"{'SP' if number == 1 else 'TP'}{number}"
                    yield own, number, point, word, x, y, projection, f"{name} {ident}", ident, part, ring, kind


def _lines(piece: Any) -> Iterator[tuple[str, Any]]:
    if piece.geom_type == "Polygon":
        yield "area", piece.exterior
        yield from (("hole", ring) for ring in piece.interiors)
    elif piece.geom_type in ("LineString", "LinearRing"):
        yield "line", piece
    else:
        yield "point", piece
