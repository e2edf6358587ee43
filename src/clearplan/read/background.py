"""Layers beneath the hazards, of which none is a hazard: districts, borders, water, relief, places and roads."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS

from clearplan.core.crs import reprojected, to_working
from clearplan.core.errors import CrsError, ReadError
from clearplan.geo.shape_faults import repair_loss
from clearplan.read.balance import Balance, balance_of
from clearplan.read.files import read_gazetteer, read_raw
from clearplan.read.readers import Reading
from clearplan.read.reshaping import both_areas
from clearplan.settings.limits import LimitSettings
from clearplan.tables.check import fault, fault_table

_LIMITS = LimitSettings()


@dataclass(frozen=True)
class Context:
    """Layers beneath the hazards; none is a hazard. Tables in the working CRS, elevation as a path.

    ``places`` are settlements that the page's search finds by any of their names (``name``, ``alternatenames``);
    ``attribution`` names the sources of the layers.
    """

    districts: gpd.GeoDataFrame | None = None
    district_name: str = "name"
    countries: gpd.GeoDataFrame | None = None
    rivers: gpd.GeoDataFrame | None = None
    lakes: gpd.GeoDataFrame | None = None
    elevation: Path | None = None
    places: gpd.GeoDataFrame | None = None
    attribution: str = ""


def read_context(path: Path | None, crs: CRS, limits: LimitSettings = _LIMITS) -> gpd.GeoDataFrame | None:
    """A background layer (districts, rivers ...) in the working CRS; a border that is repaired is warned of."""
    return None if path is None else _warned(path, read_background(path, crs, limits))


def read_places(path: Path | None, crs: CRS, limits: LimitSettings = _LIMITS) -> gpd.GeoDataFrame | None:
    """Places or ways in the working CRS: any vector file, or a CSV with name, longitude, latitude (WGS 84)."""
    return None if path is None else _warned(path, read_place_layer(path, crs, limits))


def _warned(path: Path, reading: Reading) -> gpd.GeoDataFrame:
    """The layer of a reading; what was repaired or is missing is warned of."""
    repaired = int((reading.faults["level"] == "repaired").sum())
    if repaired:
        warnings.warn(f"{path.name}: {repaired} borders cross themselves and were repaired", stacklevel=3)
    for rule in reading.faults.loc[reading.faults["level"] == "warning", "rule"]:
        warnings.warn(f"{path.name}: {rule}", stacklevel=3)
    return reading.table


def read_place_layer(path: Path, crs: CRS, limits: LimitSettings = _LIMITS) -> Reading:
    """Places or ways as :func:`read_places` reads them, with what the file claims and what was repaired."""
    if not path.name.lower().endswith((".csv", ".csv.gz")):
        return read_background(path, crs, limits)
    table = read_gazetteer(path, limits)
    assert table is not None
    lon, lat = table["longitude"], table["latitude"]
    wrong = ~(lon.between(-180, 180) & lat.between(-90, 90))
    if wrong.any() or not len(table):
        where = f", row {int(table.index[wrong][0]) + 2}" if wrong.any() else ""
        raise ReadError(f"{path}{where}: no place on Earth; give longitude within 180 and latitude within 90 degrees")
    points = gpd.points_from_xy(table["longitude"], table["latitude"], crs="EPSG:4326")
    layer, words = to_working(gpd.GeoDataFrame(table, geometry=points), crs)
    return Reading(layer, fault_table([]), words, path.name, len(table))


def balance_of_layer(name: str, reading: Reading) -> Balance:
    """What became of the rows of a layer; one without a shape takes part in nothing."""
    shapes = reading.table.geometry
    deferred = (shapes.isna() | shapes.is_empty).map({True: "no shape", False: None})
    return balance_of(name, reading.file, reading.claimed, deferred, reading.faults)


def _loss(shape: shapely.Geometry) -> float:
    return repair_loss(shape) if shape.geom_type.endswith("Polygon") else 0.0


def read_background(path: Path, crs: CRS, limits: LimitSettings = _LIMITS) -> Reading:
    """A background layer in the working CRS; borders that cross themselves are repaired and, like lost rows, listed."""
    raw = read_raw(path, limits=limits)
    if raw.crs is None or raw.geometry is None:
        raise CrsError(f"{raw.file}: states no CRS; save it with one")
    flat = shapely.force_2d(raw.geometry)
    table, words = to_working(gpd.GeoDataFrame(raw.frame, geometry=shapely.make_valid(flat), crs=raw.crs), crs)
    crossing = np.flatnonzero(~shapely.is_valid(flat) & ~shapely.is_missing(flat))
    rule, remedy = "border crosses itself", "redraw it in order; it was repaired for this run"
    faults = [
        fault(
            raw.file,
            raw.rows[k],
            "geometry",
            both_areas(reprojected(flat[k], raw.crs, crs), table.geometry.iloc[k]),
            rule,
            "repaired",
            remedy,
            _loss(flat[k]),
        )
        for k in crossing
    ]
    faults += [found | {"level": "warning"} for found in raw.lost]
    return Reading(table, fault_table(faults), words, raw.file, raw.claimed)
