"""Tables to files of other programs: GeoPackage with QGIS styles, CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from .crs import operation, parse_crs
from .folders import refuse_taken, unwritable, whole
from .schema import placed

#: Cells that a spreadsheet would run as a formula start with one of these.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_gpkg(tables: Mapping[str, gpd.GeoDataFrame], path: Path, *, as_at: str, notice: str) -> None:
    """A GeoPackage with one layer a table and a QGIS style for each layer that has one; whole or not at all.

    Parameters
    ----------
    tables : mapping of layer name to GeoDataFrame
    path : Path
        Must not exist yet.
    as_at : str
        ISO date; stands in the file instead of the clock, so that the same tables make the same bytes.
    notice : str
        Disclaimer and fingerprint; a column of every layer.

    Raises
    ------
    OutputError
        The file exists or can't be written.
    """
    refuse_taken(path)
    with whole(path) as fresh, _told_of(path), _fixed_date(as_at):
        for layer, table in tables.items():
            single = set(placed(table).geometry.geom_type.str.removeprefix("Multi")) == {"Polygon"}
            pyogrio.write_dataframe(
                _plain(table).assign(notice=notice),
                fresh,
                layer=layer,
                driver="GPKG",
                promote_to_multi=single,
                geometry_type=None if len(placed(table)) else "Unknown",
                dataset_metadata={"NOTICE": notice},
                append=False,
            )
        pyogrio.write_dataframe(
            _styles([name for name in tables if name in STYLES], as_at),
            fresh,
            layer="layer_styles",
            driver="GPKG",
            layer_options={"FID": "id"},
        )


def gdal_version() -> str:
    """Version of the GDAL that reads and writes."""
    return ".".join(map(str, pyogrio.__gdal_version__))


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
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


def _plain(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns in types that GDAL writes: mixed ones as text, days as text so that no clock time appears."""
    plain = table.rename(columns=_field_names(table))
    for name in plain.columns.drop("geometry"):
        column = plain[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            plain[name] = column.dt.strftime("%Y-%m-%d").astype(object).where(column.notna(), None)
        elif column.dtype == object or isinstance(column.dtype, pd.StringDtype):
            plain[name] = column.map(lambda v: v if v is None or isinstance(v, str) else _text(v)).astype(object)
    return plain


def _field_names(table: gpd.GeoDataFrame) -> dict[str, str]:
    """New names for a user's columns that a GeoPackage takes for its own, or for another in upper case."""
    taken, names = {"fid", "geom", "ogc_fid", "notice"}, {}
    for name in map(str, table.columns):
        free = name
        while free.casefold() in taken:
            free += "_entered"
        taken.add(free.casefold())
        names[name] = free
    return names


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)


def write_csv(tasks: gpd.GeoDataFrame, path: Path, *, notice: str) -> None:
    """TASKS as CSV in UTF-8, best rank first, with the WGS 84 position of an inner point and the notice."""
    assert tasks.crs is not None
    inner = shapely.point_on_surface(tasks.geometry.to_numpy())
    lon, lat = operation(tasks.crs, parse_crs("EPSG:4326"))[0].transform(shapely.get_x(inner), shapely.get_y(inner))
    plain = pd.DataFrame(_plain(tasks).drop(columns=["geometry", "deferred"], errors="ignore"))
    plain.insert(1, "rank", plain.pop("rank"))
    plain.insert(2, "score", plain.pop("score"))
    table = plain.assign(lon=pd.Series(lon).round(6), lat=pd.Series(lat).round(6))
    write_table(table.sort_values(["queue", "rank", "task_id"], kind="stable"), path, notice=notice)


def write_table(table: pd.DataFrame, path: Path, *, notice: str) -> None:
    """A table without shapes as CSV in UTF-8, the notice in its last column.

    Text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    told = table.assign(notice=notice)
    for name in [c for c in told.columns if pd.api.types.is_object_dtype(told[c])]:
        told[name] = told[name].map(lambda v: f"'{v}" if isinstance(v, str) and v.startswith(_FORMULA) else v)
    with whole(path) as fresh:
        told.to_csv(fresh, index=False, lineterminator="\n", float_format="%.10g", encoding="utf-8")


# QGIS styles. Fills and lines follow IMSMA's symbology (TNMA 07.11/01): CHA #FF0000, SHA #F4A718, half
# transparent; a line or hatch of their own tells them apart where colours are not seen.


def _symbol(name: str, kind: str, layers: list[tuple[str, dict[str, str]]]) -> str:
    inner = ""
    for layer_class, options in layers:
        body = "".join(f'<Option type="QString" name="{k}" value={quoteattr(v)}/>' for k, v in options.items())
        inner += (
            f'<layer class="{layer_class}" enabled="1" locked="0" pass="0"><Option type="Map">{body}</Option></layer>'
        )
    return f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">{inner}</symbol>'


def _fill(
    color: str, line: str, width: str, style: str = "solid", line_style: str = "solid"
) -> tuple[str, dict[str, str]]:
    return "SimpleFill", {
        "color": color,
        "style": style,
        "outline_color": line,
        "outline_style": line_style,
        "outline_width": width,
        "outline_width_unit": "MM",
    }


def _marker(shape: str, color: str, line: str, size: str) -> tuple[str, dict[str, str]]:
    return "SimpleMarker", {
        "name": shape,
        "color": color,
        "outline_color": line,
        "outline_width": "0.4",
        "size": size,
        "size_unit": "MM",
    }


_INK = "27,27,27,255"


def _rules(kind: str, rules: list[tuple[str, str, list[tuple[str, dict[str, str]]]]]) -> str:
    rows = "".join(
        f'<rule key="r{k}" symbol="{k}" filter={quoteattr(condition)} label={quoteattr(label)}/>'
        for k, (condition, label, _) in enumerate(rules)
    )
    symbols = "".join(_symbol(str(k), kind, layers) for k, (_, _, layers) in enumerate(rules))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22" styleCategories="Symbology">'
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">'
        f'<rules key="root">{rows}</rules><symbols>{symbols}</symbols></renderer-v2></qgis>'
    )


_CHA = _fill("255,0,0,128", "122,0,0,255", "0.4")
_SHA = _fill("244,167,24,128", "138,90,0,255", "0.4", line_style="dash")
_INNER = _fill("94,75,139,255", "94,75,139,255", "0.3", style="f_diagonal")
_OUTER = _fill("142,124,195,255", "94,75,139,255", "0.3", style="b_diagonal", line_style="dot")

STYLES = {
    "areas": _rules(
        "fill",
        [
            ("land_class = 'indication' AND band = 'outer'", "Indication, outer band of the belt", [_OUTER]),
            ("land_class = 'indication' AND band <> 'outer'", "Indication", [_INNER]),
            ("land_class = 'SHA'", "Suspected hazardous area (SHA)", [_SHA]),
            ("land_class = 'CHA'", "Confirmed hazardous area (CHA)", [_CHA]),
        ],
    ),
    "tasks": _rules(
        "fill",
        [
            ("queue = 'survey' AND rank > 10", "Survey", [_fill("0,0,0,0", "68,68,68,255", "0.15", "no")]),
            ("queue = 'clearance' AND rank > 10", "Clearance", [_fill("0,0,0,0", "122,0,0,255", "0.25", "no")]),
            ("queue = 'survey' AND rank <= 10", "Survey, first ten", [_fill("0,0,0,0", _INK, "0.8", "no", "dash")]),
            ("queue = 'clearance' AND rank <= 10", "Clearance, first ten", [_fill("0,0,0,0", _INK, "1", "no")]),
        ],
    ),
    "zones": _rules("marker", [("", "Zone", [_marker("square", "115,162,198,200", "0,66,157,255", "3.4")])]),
    "accidents": _rules("marker", [("", "Accident", [_marker("cross2", _INK, _INK, "2.4")])]),
}  # fmt: skip


def _styles(layers: list[str], as_at: str) -> pd.DataFrame:
    """Rows of the table from which QGIS takes a layer's style when it opens a GeoPackage."""
    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": layers,
            "f_geometry_column": "geom",
            "styleName": "clearplan",
            "styleQML": [STYLES[name] for name in layers],
            "styleSLD": "",
            "useAsDefault": True,
            "description": "IMSMA symbology (TNMA 07.11/01)",
            "owner": "",
            "ui": None,
            "update_time": f"{as_at}T00:00:00.000Z",
        }
    )
