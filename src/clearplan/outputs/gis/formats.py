"""Tables to a file whose name says the format: GeoPackage, GeoParquet, GeoJSON, FlatGeobuf, shapefiles, CSV."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import parse_crs, require_metres, to_working
from clearplan.core.errors import OutputError, SettingsError
from clearplan.core.imprint import Imprint
from clearplan.core.writing import refuse_taken, whole
from clearplan.outputs.gis.geopackage import told_of, write_arrow, write_gpkg, write_table
from clearplan.outputs.gis.shapefiles import write_shapefiles
from clearplan.tables.arrow import free_names, kinds_of, plain_text, to_arrow

Tables = Mapping[str, pd.DataFrame]
Writer = Callable[[Tables, Path, Imprint], list[str]]
#: Digits behind the point of degrees (RFC 7946, section 11.2, advises no more than needed): 1 cm on the ground.
_DIGITS = 7


def write_layers(
    tables: Tables, path: str | Path, imprint: Imprint, *, layers: Sequence[str] | None = None
) -> list[str]:
    """Tables as a file of the format that its suffix names; whole or not at all, the same bytes at every run.

    Parameters
    ----------
    tables : mapping of layer name to GeoDataFrame or DataFrame
        Such as :func:`read_run` gives.
    path : path
        A new .gpkg, .parquet, .geojson, .fgb, .zip or .shp.zip (shapefiles), or .csv. The GeoPackage and the ZIP
        hold any number of layers, the others one.
    imprint : Imprint
        Its day stands in the file instead of the clock; its notice is a column of every layer (shapefile: in the
        read-me of the ZIP).
    layers : sequence of str, optional
        Names of the tables to write, in this order; all when left out.

    Returns
    -------
    list of str
        What the format could not hold as it was, in sentences to be shown; empty: nothing was lost.

    Raises
    ------
    OutputError
        The file exists, its format is not known, or it can't be written.
    SettingsError
        A layer is not there, or several are asked for where the format holds one.
    CrsError
        Tables are not in metres.
    """
    path = Path(path)
    writer, one = _writer(path)
    chosen = _chosen(tables, path, layers, one=one)
    refuse_taken(path)
    shaped = [table for table in chosen.values() if isinstance(table, gpd.GeoDataFrame)]
    if shaped:
        require_metres(*shaped)
    with whole(path) as fresh, told_of(path):
        return writer(chosen, fresh, imprint)


def _writer(path: Path) -> tuple[Writer, bool]:
    """Function that writes a suffix, and whether its format holds one layer only."""
    known: dict[str, tuple[Writer, bool]] = {
        ".gpkg": (_gpkg, False),
        ".zip": (_shapefiles, False),
        ".parquet": (_parquet, True),
        ".geojson": (_geojson, True),
        ".fgb": (_flatgeobuf, True),
        ".csv": (_csv, True),
    }
    suffix = path.suffix.lower()
    if suffix not in known:
        raise OutputError(f"{path}: format {suffix or '(none)'} is not written; give one of {' '.join(known)}")
    return known[suffix]


def _chosen(tables: Tables, path: Path, layers: Sequence[str] | None, *, one: bool) -> Tables:
    names = list(tables) if layers is None else list(layers)
    there = ", ".join(tables) or "none"
    for name in names:
        if name not in tables:
            raise SettingsError(f"{path}: there is no layer {name!r}; there is {there}")
    if one and len(names) != 1:
        raise SettingsError(f"{path}: {path.suffix} holds one layer; name one of {there}")
    return {name: tables[name] for name in names}


def _gpkg(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    write_gpkg(tables, path, imprint)
    return [limit for layer, table in tables.items() for limit in [*_renamed(layer, table), *_controls(layer, table)]]


def _shapefiles(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    own = [limit for layer, table in tables.items() for limit in [*_renamed(layer, table), *_controls(layer, table)]]
    return [*own, *write_shapefiles(tables, path, imprint)]


def _renamed(layer: str, table: pd.DataFrame) -> list[str]:
    """Columns that a file of any format can't hold under their own name."""
    names = free_names([name for name in table.columns if name not in ("geometry", "notice")])
    other = [f"{name} as {told}" for name, told in names.items() if name != told]
    return [f"{layer}: columns renamed, because the format keeps their names for itself: {', '.join(other)}"] * bool(
        other
    )


def _controls(layer: str, table: pd.DataFrame) -> list[str]:
    """Texts with characters that no file of text can hold."""
    count = 0
    for name in table.columns.drop("geometry", errors="ignore"):
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            count += sum(isinstance(v, str) and plain_text(v) != v for v in table[name])
    return [f"{layer}: {count} texts hold control characters (NUL ...); each is shown by its picture"] * bool(count)


def _single(tables: Tables) -> tuple[str, pd.DataFrame]:
    return next(iter(tables.items()))


# --- GeoJSON and FlatGeobuf


def _geojson(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    """RFC 7946: WGS 84, seven digits; units and meanings as a foreign member."""
    layer, table = _shaped(tables, path)
    limits = [f"{layer}: moved to WGS 84 and rounded to {_DIGITS} digits (1 cm), as RFC 7946 wants it"]
    lonlat, _ = to_working(_placed_or_none(table), parse_crs("EPSG:4326"))
    arrow, endless = _finite(to_arrow(layer, lonlat, notice=imprint.notice))
    if endless:
        limits.append(f"{layer}: {endless} endless numbers are blank; JSON has no word for them")
    options = {"RFC7946": "YES", "COORDINATE_PRECISION": str(_DIGITS), "WRITE_NAME": "YES", "SIGNIFICANT_FIGURES": "17"}
    write_arrow(arrow, path, layer, lonlat, "GeoJSON", layer_options=options)
    told = {
        field.name: {key: (field.metadata or {}).get(key.encode(), b"").decode() for key in ("unit", "meaning")}
        for field in arrow.schema
        if field.name != "geometry"
    }
    member = json.dumps(
        {"as_at": imprint.as_at.isoformat(), "notice": plain_text(imprint.notice), "columns": told}, ensure_ascii=False
    )
    text = path.read_text(encoding="utf-8")
    head = '"type": "FeatureCollection",'
    path.write_text(text.replace(head, f'{head}\n"clearplan": {member},', 1), encoding="utf-8", newline="\n")
    return [*limits, *_renamed(layer, table), *_controls(layer, table)]


def _flatgeobuf(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    """FlatGeobuf without its index: that would sort the rows anew and leave out those without a place."""
    layer, table = _shaped(tables, path)
    table, limits = _of_one_depth(layer, _placed_or_none(table))
    options = {"SPATIAL_INDEX": "NO", "TITLE": layer, "DESCRIPTION": plain_text(imprint.notice) or ""}
    write_arrow(to_arrow(layer, table, notice=imprint.notice), path, layer, table, "FlatGeobuf", layer_options=options)
    return [*limits, *_renamed(layer, table), *_controls(layer, table)]


def _shaped(tables: Tables, path: Path) -> tuple[str, gpd.GeoDataFrame]:
    layer, table = _single(tables)
    if not isinstance(table, gpd.GeoDataFrame):
        raise OutputError(f"{path}: {layer} has no shapes, which {path.suffix} needs; write it as .csv or .parquet")
    return layer, table


def _placed_or_none(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """An empty shape is no place: these formats tell it as none."""
    shapes = table.geometry.to_numpy()
    return table.set_geometry(
        gpd.GeoSeries(np.where(shapely.is_empty(shapes), None, shapes), table.index, crs=table.crs)
    )


def _of_one_depth(layer: str, table: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list[str]]:
    """Shapes all with heights or all without: a height that is not known is no 0.

    FlatGeobuf says once for all shapes whether they have heights, and can't say it of shapes of several kinds.
    """
    shapes = table.geometry.to_numpy()
    deep = shapely.has_z(shapes)
    if not deep.any() or (deep[~shapely.is_missing(shapes)].all() and len(kinds_of(table)) == 1):
        return table, []
    limit = f"{layer}: {deep.sum()} shapes have heights, which FlatGeobuf can't hold here; they are left out"
    return table.set_geometry(gpd.GeoSeries(shapely.force_2d(shapes), table.index, crs=table.crs)), [limit]


def _finite(arrow: Any) -> tuple[Any, int]:
    """Endless numbers blank, and how many there were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = 0
    for k, field in enumerate(arrow.schema):
        if pa.types.is_floating(field.type):
            endless = pc.is_inf(arrow.column(k))
            found = int(pc.sum(endless).as_py() or 0)
            if found:
                count += found
                arrow = arrow.set_column(k, field, pc.if_else(endless, pa.scalar(None, field.type), arrow.column(k)))
    return arrow, count


# --- GeoParquet and CSV


def _parquet(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    """GeoParquet 1.1 with a bbox column; units and meanings in the metadata of columns, as Arrow keeps them."""
    import pyarrow.parquet as pq

    layer, table = _single(tables)
    arrow = to_arrow(layer, table, notice=imprint.notice)
    told = {"notice": plain_text(imprint.notice) or "", "as_at": imprint.as_at.isoformat(), "layer": layer}
    if isinstance(table, gpd.GeoDataFrame):
        bare = gpd.GeoDataFrame(geometry=table.geometry.to_numpy(), crs=table.crs)
        covered = "bbox" not in arrow.column_names and bool((~bare.geometry.isna() & ~bare.geometry.is_empty).any())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the bbox of rows without a place
            bare.to_parquet(path, index=False, write_covering_bbox=covered, schema_version="1.1.0")
        # No threads: where memory is full, Arrow waits for ever for those that could not be started.
        with pq.ParquetFile(path) as bare_file:
            shapes = bare_file.read(use_threads=False)
        arrow = arrow.drop_columns(["geometry"])
        for name in shapes.column_names:
            arrow = arrow.append_column(shapes.schema.field(name), shapes.column(name))
        told["geo"] = shapes.schema.metadata[b"geo"].decode()
    pq.write_table(arrow.replace_schema_metadata(told), path, compression="zstd")
    return _renamed(layer, table)


def _csv(tables: Tables, path: Path, imprint: Imprint) -> list[str]:
    """CSV with shapes as WKT in the working CRS, which a column names."""
    layer, table = _single(tables)
    plain = to_arrow(layer, table.drop(columns="geometry", errors="ignore")).to_pandas(types_mapper=_nullable)
    if isinstance(table, gpd.GeoDataFrame):
        assert table.crs is not None
        shapes = table.geometry.to_numpy()
        plain["crs"] = ":".join(table.crs.to_authority() or ()) or table.crs.to_wkt()
        plain["wkt"] = shapely.to_wkt(shapes, rounding_precision=-1, output_dimension=3)
    write_table(plain, path, notice=imprint.notice, name=layer, digits=17)
    return [
        f"{layer}: blank cells are unknown or empty text, a CSV can't tell; texts that a spreadsheet would run have an "
        "apostrophe in front; the column crs names the CRS, which a reader must be told",
        *_renamed(layer, table),
        *_controls(layer, table),
    ]


def _nullable(kind: Any) -> Any:
    """Whole numbers stay whole beside blanks, and days are written as days."""
    import pyarrow as pa

    return pd.Int64Dtype() if pa.types.is_integer(kind) else pd.BooleanDtype() if pa.types.is_boolean(kind) else None
