"""Tables to Arrow and back: each column in the type that it means, its unit and meaning beside it, nothing guessed.

Arrow is what GDAL and Parquet both take: unknown stays null in every type, a day is a day, a count is a whole number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from clearplan.tables.check import placed
from clearplan.tables.columns import Column, with_unit
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import TABLES, columns_of
from clearplan.tables.reasons import in_words
from clearplan.tables.record_sheets import RECORDS

if TYPE_CHECKING:
    import geopandas as gpd
    import pyarrow as pa

#: Names that a GeoPackage takes for its own.
TAKEN = ("fid", "geom", "ogc_fid", "notice")
#: Characters that neither a file's text nor XML can hold; each is shown by its picture, U+2400 and up.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_KINDS = {"Point": "point", "LineString": "line", "LinearRing": "line", "Polygon": "area"}


def plain_text(value: Any) -> str | None:
    """Text that every file can hold; None stays None, control characters become their pictures.

    >>> plain_text("a\\x00b"), plain_text(None), plain_text(4)
    ('a␀b', None, '4')
    """
    if value is None or (not isinstance(value, (str, list, tuple, dict, np.ndarray)) and pd.isna(value)):
        return None
    if isinstance(value, (list, tuple, dict, np.ndarray)):
        value = json.dumps(value.tolist() if isinstance(value, np.ndarray) else value, ensure_ascii=False, default=str)
    shown = _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])), str(value))
    return shown.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def free_names(names: list[Any]) -> dict[Any, str]:
    """Names under which columns can stand in any file: unlike those that a GeoPackage needs, and unlike in upper case.

    >>> free_names(["fid", "Name", "name"])
    {'fid': 'own_fid', 'Name': 'Name', 'name': 'own_name'}
    """
    taken, free = set(TAKEN), {}
    for name in names:
        written = plain_text(name) or "blank"
        while written.casefold() in taken:
            written = f"own_{written}"
        taken.add(written.casefold())
        free[name] = written
    return free


def aliases_of(layer: str, names: Iterable[Any]) -> dict[str, str]:
    """Name and unit of each column of a layer ('' where the name says all), by the name under which it is in a file.

    >>> aliases_of("zones", ["people", "position_error_m"])
    {'people': '', 'position_error_m': 'position_error_m [m]'}
    """
    plain = [name for name in names if name != "geometry"]
    declared, stored = columns_of(layer, plain), free_names(plain)
    return {stored[name]: _alias(stored[name], declared[str(name)]) for name in plain}


def _alias(name: str, column: Column) -> str:
    alias = with_unit(name, column.unit)
    return alias if alias != name else ""


def kinds_of(table: gpd.GeoDataFrame) -> set[str]:
    """What the shapes of a table are: 'point', 'line', 'area'; a collection is each of its parts.

    >>> import geopandas
    >>> sorted(kinds_of(geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0), None])))
    ['point']
    """
    shapes = placed(table)["geometry"].to_numpy(object)
    return {_KINDS[part.geom_type] for part in shapely.get_parts(shapely.get_parts(shapes))}


def to_arrow(layer: str, table: pd.DataFrame, *, notice: str | None = None) -> pa.Table:
    """A table with its columns typed, their units and meanings as metadata; shapes as WKB in the column geometry.

    Parameters
    ----------
    layer : str
        Name under which its columns are declared.
    table : DataFrame or GeoDataFrame
    notice : str, optional
        Disclaimer and fingerprint, as a last column.
    """
    import pyarrow as pa

    plain = in_words(table.drop(columns="geometry", errors="ignore"))
    if notice is not None:
        plain = plain.drop(columns="notice", errors="ignore").assign(notice=notice)
    declared, names = columns_of(layer, plain.columns), free_names(list(plain.columns))
    if notice is not None:
        names["notice"] = "notice"
    arrays, fields = [], []
    for name in plain.columns:
        array = _array(plain[name], declared[str(name)])
        arrays.append(array)
        fields.append(pa.field(names[name], array.type, metadata=_metadata(names[name], declared[str(name)])))
    if "geometry" in table.columns:
        wkb = shapely.to_wkb(_promoted(table["geometry"].to_numpy(object)), output_dimension=4, flavor="iso")
        arrays.append(pa.array(wkb, pa.binary()))
        fields.append(pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "ogc.wkb"}))
    return pa.table(arrays, schema=pa.schema(fields))


def _metadata(name: str, column: Column) -> dict[str, str]:
    """Metadata for GDAL (alias and comment, which QGIS shows) and for other readers of Arrow (unit, meaning)."""
    metadata = {"unit": column.unit, "meaning": column.meaning, "GDAL:OGR:comment": comment(column)}
    alias = _alias(name, column)
    return metadata | {"GDAL:OGR:alternative_name": alias} if alias else metadata


def comment(column: Column) -> str:
    """Meaning, unit and codes of a column in one line.

    >>> comment(Column("people", "integer", "people living there", "people"))
    'people living there [people]'
    """
    codes = f" (codes: list {column.codes})" if column.codes else ""
    return f"{with_unit(column.meaning, column.unit)}{codes}"


#: Types of shapes by their number in GEOS: those that make up multiparts, and what a lone one becomes.
_MANY = {3: (6, shapely.multipolygons), 1: (5, shapely.multilinestrings), 0: (4, shapely.multipoints)}
_EMPTY = {0: "POINT", 1: "LINESTRING", 3: "POLYGON", 4: "MULTIPOINT", 5: "MULTILINESTRING", 6: "MULTIPOLYGON"}


def _promoted(shapes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Shapes of one type where they are of one kind: lone polygons, and what stands beside multiparts, as multiparts.

    A layer's shapes are of one type in most programs, empty ones too.
    """
    types, out = shapely.get_type_id(shapes), shapes.copy()
    empty = shapely.is_empty(shapes) & ~shapely.is_missing(shapes)
    there = ~(shapely.is_missing(shapes) | empty)
    found = set(types[there].tolist())
    for single, (many, make) in _MANY.items():
        # Lone polygons too: the next run may well hold a multipart.
        if found and found <= {single, many} and (many in found or single == 3):
            for k in np.flatnonzero(there & (types == single)):
                out[k] = make([shapes[k]])
            found = {many}
    if len(found) == 1 and (name := _EMPTY.get(*found)) is not None:
        out[empty] = shapely.from_wkt(f"{name} EMPTY")
    return out


# --- values


def _array(values: pd.Series, column: Column) -> pa.Array:
    import pyarrow as pa

    found = _declared(values, column)
    if found is None:
        found = _inferred(values)
    return pa.array([plain_text(v) for v in values], pa.string()) if found is None else found


def _declared(values: pd.Series, column: Column) -> pa.Array | None:
    """The column in its declared type, where every value can be told in it."""
    import pyarrow as pa

    if pd.api.types.is_bool_dtype(values.dtype) or column.dtype not in ("number", "integer", "date"):
        return None
    if column.dtype == "date":
        days = pd.to_datetime(values, errors="coerce", format="ISO8601")
        return _days(days) if bool((days.notna() | values.isna()).all()) else None
    numbers = pd.to_numeric(values, errors="coerce")
    if not bool((numbers.notna() | values.isna()).all()):
        return None
    floats = numbers.astype(float).to_numpy(float, na_value=np.nan)
    whole = np.isnan(floats) | ((floats % 1 == 0) & (np.abs(floats) < 2.0**53))
    if column.dtype == "integer" and whole.all():
        return pa.array([None if np.isnan(v) else int(v) for v in floats], pa.int64())
    return pa.array(floats, pa.float64(), from_pandas=True)


def _days(values: pd.Series) -> pa.Array:
    """Days as days; with a time of the day to the millisecond."""
    import pyarrow as pa

    known = values.dropna()
    if getattr(known.dt, "tz", None) is None and bool((known == known.dt.normalize()).all()):
        return pa.array([None if pd.isna(v) else v.date() for v in values], pa.date32())
    return pa.array(values.dt.floor("ms"), pa.timestamp("ms", tz=None if known.dt.tz is None else "UTC"))


def _inferred(values: pd.Series) -> pa.Array | None:
    """A column of numbers, days or yes and no in that type; None: text."""
    import pyarrow as pa

    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _days(values)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return None
    inner = pd.api.types.infer_dtype(values, skipna=True)
    if not bool(values.notna().any()) and values.dtype == object:
        return None
    listed = [None if pd.isna(v) else v for v in values] if inner in ("boolean", "integer", "date") else []
    if inner == "boolean":
        return pa.array([None if v is None else bool(v) for v in listed], pa.bool_())
    if inner == "integer":
        fits = all(v is None or -(2**63) <= v < 2**63 for v in listed)
        return pa.array([None if v is None else int(v) for v in listed], pa.int64()) if fits else None
    if inner == "date":
        return pa.array(listed, pa.date32())
    if inner in ("floating", "mixed-integer-float") or pd.api.types.is_float_dtype(values.dtype):
        floats = pd.to_numeric(values, errors="coerce").astype(float).to_numpy(float, na_value=np.nan)
        return pa.array(floats, pa.float64(), from_pandas=True)
    return None


def from_arrow(layer: str, table: pa.Table) -> pd.DataFrame:
    """Columns in the types in which stages take them: text as objects, days as datetime64, declared numbers floats."""
    import pyarrow as pa

    # Doors give counts as floats, hazards carry those of their records too.
    own = INPUTS[layer].columns if layer in INPUTS else ()
    entered = (*own, *(RECORDS if layer == "hazards" else ()))
    counts = {c.name for c in entered if c.dtype in ("number", "integer")}
    # Whole numbers that stages keep beside blanks, even where there is none.
    blankable = {c.name for c in TABLES.get(layer, ()) if c.dtype == "integer" and c.nullable}
    out: dict[str, Any] = {}
    for name, field in zip(table.column_names, table.schema, strict=True):
        values = table.column(name)
        if name in counts and pa.types.is_integer(field.type):
            out[name] = values.cast(pa.float64()).to_pandas()
        elif pa.types.is_integer(field.type):
            whole = pd.Series(pd.array(values.to_pylist(), dtype="Int64"))
            out[name] = whole if values.null_count or name in blankable else whole.astype("int64")
        elif pa.types.is_boolean(field.type):
            yes = pd.Series(pd.array(values.to_pylist(), dtype="boolean"))
            out[name] = yes if values.null_count else yes.astype(bool)
        elif pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
            out[name] = pd.Series(values.to_pandas()).pipe(pd.to_datetime).astype("datetime64[ms]")
        elif pa.types.is_floating(field.type):
            out[name] = values.cast(pa.float64()).to_pandas()
        else:
            out[name] = pd.Series(values.to_pylist(), dtype=object)
    return pd.DataFrame(out)
