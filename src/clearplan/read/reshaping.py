"""Shapes as a table can use them: parts of collections, closed lines as areas, flat and valid; each change listed."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import reprojected
from clearplan.geo.shape_faults import CROSSING, repaired
from clearplan.geo.shapes import Geometries
from clearplan.read.files import Raw
from clearplan.settings.sources import SourceSettings
from clearplan.tables.check import Fault, fault
from clearplan.tables.inputs import INPUTS

TURNED = "line that ends where it begins is read as an area (closed_lines = 'area')"
_LEFT_OUT = "collection of shapes: its {} are taken, what else it holds is left out"
#: GEOS' types of simple shapes, the ones that say most of the ground first, and how several become one.
_SIMPLE = {
    "polygon": (3, shapely.multipolygons),
    "line": (1, shapely.multilinestrings),
    "point": (0, shapely.multipoints),
}


def reshaped(
    frame: pd.DataFrame, name: str, entered: Geometries, raw: Raw, source: SourceSettings
) -> tuple[Geometries, list[Fault]]:
    """Shapes of a table from those that were entered, which stay as they are, and what was changed.

    Of a collection the polygons are taken where the table takes polygons, else the lines, else the points; one that
    holds none stays a collection, which is a fault. Closed lines become areas where the source's settings say so.
    """
    geometry = entered.copy()
    faults = _of_collections(frame, name, geometry, raw)
    if source.closed_lines == "area":
        for k in closed_lines(frame, name, geometry):
            geometry[k] = shapely.Polygon(shapely.get_coordinates(_only_part(geometry[k])))
            remedy = "none needed; draw it as a polygon"
            faults.append(fault(raw.file, raw.rows[k], "geometry", "", TURNED, "repaired", remedy))
    return geometry, faults


def closed_lines(frame: pd.DataFrame, name: str, geometry: Geometries) -> list[int]:
    """Rows of a table of lines and areas whose line ends where it begins, as a perimeter walked with a GPS does."""
    if not {"line", "polygon"} <= set(INPUTS[name].shapes):
        return []
    parts = np.array([_only_part(shape) for shape in geometry], dtype=object)
    ring = shapely.is_closed(parts) & (shapely.get_type_id(parts) == 1) & (shapely.get_num_coordinates(parts) > 3)
    return [int(k) for k in np.flatnonzero(ring & ~_is_contact_line(frame))]


def _only_part(shape: Any) -> Any:
    parts = shapely.get_parts(shape) if shape is not None and shape.geom_type == "MultiLineString" else [shape]
    return parts[0] if len(parts) == 1 else shape


def _is_contact_line(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if "kind" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame["kind"] == "contact-line", dtype=bool)


def _of_collections(frame: pd.DataFrame, name: str, geometry: Geometries, raw: Raw) -> list[Fault]:
    """Put the usable parts of each collection in its place."""
    faults, contact = [], _is_contact_line(frame)
    for k in np.flatnonzero(shapely.get_type_id(geometry) == 7).tolist():
        parts = _simple_parts(geometry[k])
        kinds = {kind: parts[shapely.get_type_id(parts) == code] for kind, (code, _) in _SIMPLE.items()}
        takes = ("line",) if contact[k] else INPUTS[name].shapes
        kind = next(kind for kind in _SIMPLE if kind in takes)
        if not len(kinds[kind]):
            continue
        geometry[k] = _joined(kinds[kind], kind)
        left = [f"{len(of_kind)} {other}s" for other, of_kind in kinds.items() if other != kind and len(of_kind)]
        value, rule = f"left out: {', '.join(left)}", _LEFT_OUT.format(f"{kind}s")
        level, remedy = "repairable", f"draw the row as {kind}s alone, or read with lenient = true"
        if not left:
            value, rule = geometry[k].geom_type, f"collection of {kind}s alone: they are taken"
            level, remedy = "warning", "none needed"
        faults.append(fault(raw.file, raw.rows[k], "geometry", value, rule, level, remedy))
    return faults


def _simple_parts(shape: shapely.Geometry) -> np.ndarray[Any, Any]:
    """Points, lines and polygons of a collection, however deep they lie in others."""
    parts = np.array([shape], dtype=object)
    while (shapely.get_type_id(parts) > 3).any():
        parts = shapely.get_parts(parts)
    return np.asarray(parts[~shapely.is_empty(parts)], dtype=object)


def _joined(parts: np.ndarray[Any, Any], kind: str) -> shapely.Geometry:
    """Parts of one kind as one shape; polygons that overlap cover their ground once."""
    if len(parts) == 1:
        return parts[0]
    whole = _SIMPLE[kind][1](parts)
    overlaps = kind == "polygon" and not whole.is_valid and bool(shapely.is_valid(parts).all())
    return shapely.union_all(parts) if overlaps else whole


def made_valid(geometry: Geometries, table: pd.DataFrame) -> Geometries:
    """Flat, valid shapes; a deferred row has none. 'structure' keeps both lobes of a crossing and every overlap."""
    shapes = geometry.copy()
    shapes[table["deferred"].notna().to_numpy()] = None
    shapes = shapely.force_2d(shapes)
    broken = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    shapes[broken] = repaired(shapes[broken])
    return np.asarray(shapes, dtype=object)


def with_areas(faults: pd.DataFrame, geometry: Geometries, moved: gpd.GeoDataFrame, crs: CRS, raw: Raw) -> pd.DataFrame:
    """Repairs of polygons, and lines that became areas, with the area before and after [m2]."""
    number: dict[Hashable, int] = {row: k for k, row in enumerate(raw.rows)}
    assert moved.crs is not None
    for at in faults.index[faults["rule"].isin([CROSSING, TURNED]) & (faults["level"] == "repaired")]:
        k = number[int(str(faults.at[at, "row"]))]
        after = moved.geometry.iloc[k]
        if after is None:
            continue
        if faults.at[at, "rule"] == TURNED:
            faults.at[at, "value"] = f"no area as entered, {after.area:.0f} m2 as an area"
        else:
            *loss, _ = str(faults.at[at, "value"]).split("; ")
            areas = both_areas(reprojected(geometry[k], crs, moved.crs), after)
            faults.at[at, "value"] = "; ".join([areas, *loss])
    return faults


def both_areas(before: shapely.Geometry, after: shapely.Geometry) -> str:
    """Area of a shape before and after it was repaired, in words."""
    return f"area {before.area:.0f} m2 before, {after.area:.0f} m2 after"
