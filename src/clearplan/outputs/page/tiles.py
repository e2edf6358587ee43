"""Hazards beyond what outlines can show: a picture in Web Mercator whose cells carry classes, drawn on the page.

A cell is coloured where any hazard shares ground with it, and the strongest class counts. Coarser levels are made of
finer ones by the strongest of four cells, so that no zoom loses a hazard. Cells are pixels of the map at a zoom: the
script paints them in colour and hatching at whatever zoom is looked at.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import parse_crs, reprojected
from clearplan.geo.grids import cover
from clearplan.outputs.page.encode import cut_edges

#: Classes in the order of their strength; the number of each in the picture is 1 + its place here.
CLASSES = ("outer", "inner", "other", "SHA", "CHA")
#: Longer side of the finest level [cells]; and the zoom that it never goes beyond, cells of 1.8 m at 40 degrees.
LARGEST, DEEPEST = 8192, 16
#: Side of the pictures of which a level is made [cells]; a multiple of the script's tiles of 256.
SIDE = 512
_EDGE_M = math.pi * 6378137.0  # of the map's square, from the middle (EPSG:3857)


@dataclass(frozen=True)
class Level:
    """Classes of the cells at one zoom; ``column`` and ``row`` are those of the first cell, from the map's corner."""

    zoom: int
    column: int
    row: int
    codes: NDArray[np.uint8]


def codes_of(areas: gpd.GeoDataFrame) -> NDArray[np.uint8]:
    """The number of each hazard's class (n): CHA over SHA over other indications over the belt's bands."""
    land_class = areas["land_class"].to_numpy(object)
    belt = (areas["kind"] == "contact-line").to_numpy() if "kind" in areas.columns else np.zeros(len(areas), dtype=bool)
    band = areas["band"].to_numpy(object) if "band" in areas.columns else np.full(len(areas), "")
    name = np.where(np.isin(land_class, ("SHA", "CHA")), land_class, "other")
    name[belt] = np.where(band[belt] == "outer", "outer", "inner")
    return np.array([1 + CLASSES.index(own) for own in name], dtype=np.uint8)


def levels_of(areas: gpd.GeoDataFrame, largest: int = LARGEST) -> list[Level]:
    """All levels of the picture, finest first; none where no area has ground.

    Parameters
    ----------
    areas : GeoDataFrame
        Polygons in metres, with ``land_class`` and maybe ``kind`` and ``band``.
    largest : int
        Longer side of the finest level [cells].
    """
    shapes = areas.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not there.any():
        return []
    mercator = reprojected(cut_edges(shapes[there]), areas.crs, parse_crs("EPSG:3857"))
    west, south, east, north = shapely.total_bounds(mercator)
    zoom = min(math.floor(math.log2(largest * 2 * _EDGE_M / 256 / max(east - west, north - south))), DEEPEST)
    side = cell_side(zoom)
    column, row = math.floor((west + _EDGE_M) / side), math.floor((_EDGE_M - north) / side)
    columns, rows = math.floor((east + _EDGE_M) / side) + 1 - column, math.floor((_EDGE_M - south) / side) + 1 - row
    corner = np.array([column * side - _EDGE_M, _EDGE_M - row * side])
    cells = shapely.transform(mercator, lambda xy: (xy - corner) / side)
    levels = [Level(zoom, column, row, cover(cells, codes_of(areas[there]), rows, columns))]
    while max(levels[-1].codes.shape) > 32 and levels[-1].zoom:
        levels.append(_coarser(levels[-1]))
    return levels


def cell_side(zoom: int) -> float:
    """Side of a cell at a zoom in the map's plane [m of EPSG:3857]; on the ground it is that times cos(latitude)."""
    return 2 * _EDGE_M / 256 / 2.0**zoom


def _coarser(fine: Level) -> Level:
    """The strongest of each four cells, which are those under one cell of the zoom before."""
    top, left = fine.row % 2, fine.column % 2
    rows, columns = fine.codes.shape
    even = np.pad(fine.codes, ((top, (rows + top) % 2), (left, (columns + left) % 2)))
    strongest = np.maximum(even[:, ::2], even[:, 1::2])
    return Level(fine.zoom - 1, fine.column // 2, fine.row // 2, np.maximum(strongest[::2], strongest[1::2]))


def _blocks(level: Level) -> Iterator[tuple[int, int, NDArray[np.uint8]]]:
    """Squares of a level that hold a hazard, by their place among all such squares of the map."""
    rows, columns = level.codes.shape
    for down in range(level.row // SIDE, (level.row + rows - 1) // SIDE + 1):
        for right in range(level.column // SIDE, (level.column + columns - 1) // SIDE + 1):
            top, left = down * SIDE - level.row, right * SIDE - level.column
            own = level.codes[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE]
            if own.any():
                block = np.zeros((SIDE, SIDE), dtype=np.uint8)
                block[max(-top, 0) :, max(-left, 0) :][: own.shape[0], : own.shape[1]] = own
                yield right, down, block


def hazard_picture(areas: gpd.GeoDataFrame, largest: int = LARGEST) -> dict[str, Any] | None:
    """The picture as the page's script takes it: squares of each level as PNG in data URIs, and what a cell is.

    ``cell_m`` is the side of a finest cell on the ground in the middle of the picture [m].
    """
    from clearplan.geo.rasters import codes_png

    levels = levels_of(areas, largest)
    if not levels:
        return None
    finest = levels[0]
    middle = _EDGE_M - (finest.row + finest.codes.shape[0] / 2) * cell_side(finest.zoom)
    return {
        "classes": list(CLASSES),
        "side": SIDE,
        "zoom": finest.zoom,
        "cell_m": float(f"{cell_side(finest.zoom) / math.cosh(middle / 6378137.0):.2g}"),
        "frame": [finest.column, finest.row, *finest.codes.shape[::-1]],
        "found": [CLASSES[code - 1] for code in np.unique(finest.codes) if code],
        "levels": {
            str(level.zoom): {
                f"{right} {down}": "data:image/png;base64," + base64.b64encode(codes_png(block)).decode()
                for right, down, block in _blocks(level)
            }
            for level in levels
        },
    }
