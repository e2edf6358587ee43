"""Tables to files of other programs: GeoPackage with QGIS styles, CSV; the one place where GDAL writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from clearplan.core.crs import inner_lonlat
from clearplan.core.imprint import Imprint
from clearplan.core.writing import refuse_taken, unwritable, whole
from clearplan.outputs.gis.qgis_styles import aliases, qml, style_parts
from clearplan.read.spreadsheets import as_text
from clearplan.tables.arrow import aliases_of, kinds_of, plain_text, to_arrow
from clearplan.tables.check import placed
from clearplan.tables.hxl import tag_row
from clearplan.tables.reasons import in_words

if TYPE_CHECKING:
    import pyarrow as pa

#: Version of the format: QGIS before 3.34 warns of later ones.
_GPKG = {"VERSION": "1.3"}


def write_gpkg(tables: Mapping[str, pd.DataFrame], path: Path, imprint: Imprint) -> None:
    """A GeoPackage with one layer a table and a QGIS style for each layer that has one; whole or not at all.

    Columns carry their unit and meaning (QGIS shows them as alias and comment).

    Parameters
    ----------
    tables : mapping of layer name to GeoDataFrame
        A table without shapes becomes a layer without.
    path : Path
        Must not exist yet.
    imprint : Imprint
        Its day stands in the file instead of the clock, so that the same tables make the same bytes; its notice is a
        column of every layer.

    Raises
    ------
    OutputError
        The file exists or can't be written.
    """
    refuse_taken(path)
    as_at, notice = imprint.as_at.isoformat(), imprint.notice
    with whole(path) as fresh, told_of(path), _fixed_date(as_at):
        for layer, table in tables.items():
            write_arrow(
                to_arrow(layer, table, notice=notice),
                fresh,
                layer,
                table,
                "GPKG",
                layer_metadata={"NOTICE": plain_text(notice)},
                dataset_options=_GPKG,
            )
        pyogrio.write_dataframe(
            _styles(styles_of(tables), as_at),
            fresh,
            layer="layer_styles",
            driver="GPKG",
            layer_options={"FID": "id"},
        )


def write_arrow(arrow: pa.Table, path: Path, layer: str, table: pd.DataFrame, driver: str, **options: object) -> None:
    """A table of Arrow columns as a layer of a file that GDAL writes; ``table`` says CRS and kind of its shapes.

    ``options`` are pyogrio's.
    """
    if isinstance(table, gpd.GeoDataFrame):
        place = {"geometry_name": "geometry", "geometry_type": geometry_type(table), "crs": _wkt(table)}
        options = place | options
    pyogrio.write_arrow(arrow, path, layer=layer, driver=driver, append=False, **options)


def _wkt(table: gpd.GeoDataFrame) -> str | None:
    return None if table.crs is None else ":".join(table.crs.to_authority() or ()) or table.crs.to_wkt()


def geometry_type(table: gpd.GeoDataFrame) -> str:
    """Type of a layer's shapes as GDAL names it; 'Unknown' for mixed ones and for none.

    >>> geometry_type(gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1), None]))
    'MultiPolygon'
    """
    shapes = placed(table).geometry.to_numpy()
    names, deep = set(gpd.GeoSeries(shapes).geom_type), shapely.has_z(shapes)
    if not names or len({name.removeprefix("Multi") for name in names}) > 1 or deep.any() != deep.all():
        return "Unknown"
    many = next((name for name in names if name.startswith("Multi")), None)
    name = many or ("MultiPolygon" if names == {"Polygon"} else next(iter(names)))
    return f"{name} Z" if deep.all() else name


def styles_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """QGIS style of each table that has one, by layer."""
    shaped = {name: table for name, table in tables.items() if isinstance(table, gpd.GeoDataFrame)}
    parts = {name: style_parts(name, list(table.columns), kinds_of(table)) for name, table in shaped.items()}
    return {name: qml(part, aliases(aliases_of(name, tables[name].columns))) for name, part in parts.items() if part}


def gdal_version() -> str:
    """Version of the GDAL that reads and writes."""
    return ".".join(map(str, pyogrio.__gdal_version__))


@contextmanager
def told_of(path: Path) -> Iterator[None]:
    """What GDAL says of a file that it can't write, under the name that the user gave."""
    try:
        yield
    except (DataSourceError, DataLayerError) as error:
        raise unwritable(path, error) from None


@contextmanager
def _fixed_date(as_at: str) -> Iterator[None]:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{as_at}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_csv(tasks: gpd.GeoDataFrame, path: Path, *, notice: str) -> None:
    """TASKS as CSV in UTF-8, best rank first, with the WGS 84 position of an inner point and the notice."""
    lon, lat = inner_lonlat(tasks)
    plain = _days_as_text(pd.DataFrame(tasks.drop(columns=["geometry", "deferred"], errors="ignore")))
    plain.insert(1, "rank", plain.pop("rank"))
    plain.insert(2, "score", plain.pop("score"))
    table = plain.assign(lon=pd.Series(lon).round(6), lat=pd.Series(lat).round(6))
    write_table(table.sort_values(["queue", "rank", "task_id"], kind="stable"), path, notice=notice, name="tasks")


def _days_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Days without a time of the day, which no reader of a CSV could tell from midnight."""
    days = [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name])]
    return table.assign(
        **{n: table[n].dt.strftime("%Y-%m-%d").astype(object).where(table[n].notna(), None) for n in days}
    )


def write_table(table: pd.DataFrame, path: Path, *, notice: str, name: str, digits: int = 10) -> None:
    """A table without shapes as CSV in UTF-8: heads, HXL hashtags, rows; the notice in its last column.

    Text that a spreadsheet would run as a formula gets an apostrophe in front, which our own doors take off again.
    ``name``: of the declared table, whose columns have the hashtags.
    """
    told = in_words(table).assign(notice=notice)
    for column in [c for c in told.columns if not pd.api.types.is_numeric_dtype(told[c])]:
        told[column] = told[column].astype(object).map(lambda v: as_text(v) if isinstance(v, str) else v)
    heads = [as_text(str(column)) for column in told.columns]
    plain: dict[str, Any] = {"index": False, "lineterminator": "\n", "encoding": "utf-8"}
    with whole(path) as fresh, fresh.open("w", encoding="utf-8", newline="") as out:
        pd.DataFrame([tag_row(map(str, told.columns), name)], columns=heads).to_csv(out, **plain)
        told.to_csv(out, header=False, float_format=f"%.{digits}g", **plain)


def _styles(styles: Mapping[str, str], as_at: str) -> pd.DataFrame:
    """Rows of the table from which QGIS takes a layer's style when it opens a GeoPackage."""
    return pd.DataFrame(
        {
            "f_table_catalog": [""] * len(styles),
            "f_table_schema": "",
            "f_table_name": list(styles),
            "f_geometry_column": "geom",
            "styleName": "clearplan",
            "styleQML": list(styles.values()),
            "styleSLD": "",
            "useAsDefault": True,
            "description": "IMSMA symbology (TNMA 07.11/01)",
            "owner": "",
            "ui": None,
            "update_time": f"{as_at}T00:00:00.000Z",
        }
    )
