"""Tables to what the page's script draws: outlines in few characters that never lose ground, rows as columns.

An outline is one string. Its corners stand on a grid of ``UNIT`` degrees; each ring begins at a place and goes on by
steps. A number is written in base 32, lowest digits first, with 32 more on every digit but its last; its sign is its
lowest bit. "." begins a hole, ":" another part.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from .crs import parse_crs, reprojected
from .shapes import Geometries, outward_reach, simplify_outward

#: Corners of outlines lie on multiples of this [degrees]: 1.1 m, two pixels at the closest zoom of the page (18).
UNIT = 1e-5
#: Rounding moves a corner by at most this [m]: half a unit on both axes, 1.113 m a unit at most.
ROUNDING_M = 0.79
#: Outlines are followed to this [m]: a tenth of a millimetre on a 1:10 000 sheet.
DRAWN_TO_M = 1.0
#: Straight edges are cut to this [m] before they are moved to another plane, in which they would be curves (0.02 m).
EDGE_M = 1000.0
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_LOOK = 500  # values of a column that tell whether its values repeat
_MOST = 6  # digits of the largest number, 2 x 180 degrees


def furthest_m(tolerance_m: float) -> float:
    """How far outside the true shape an outline of that tolerance can be drawn, at a sharp corner [m]."""
    return outward_reach(tolerance_m, ROUNDING_M) + ROUNDING_M


def outlines(geometries: Geometries, crs: Any, tolerance_m: float | NDArray[np.floating[Any]]) -> list[str | None]:
    """Each polygon as a string that holds at least its ground; None where there is none.

    Parameters
    ----------
    geometries : array of geometry, n
        Polygons in a CRS in metres.
    tolerance_m : float or array, n
        How closely each is followed [m]; none lies further outside than ``furthest_m``.
    """
    geometries = np.asarray(geometries, dtype=object)
    tolerance = np.broadcast_to(np.asarray(tolerance_m, dtype=float), geometries.shape)
    drawn = np.full(len(geometries), None, dtype=object)
    for own in np.unique(tolerance):
        at = np.flatnonzero((tolerance == own) & ~shapely.is_missing(geometries) & ~shapely.is_empty(geometries))
        drawn[at] = shapely.segmentize(simplify_outward(geometries[at], float(own), ROUNDING_M), EDGE_M)
    return packed(reprojected(drawn, crs, parse_crs("EPSG:4326")))


def packed(polygons: Geometries) -> list[str | None]:
    """Polygons in longitude and latitude as strings, their corners rounded to ``UNIT``.

    >>> packed(np.array([shapely.box(0, 0, 0.0001, 0.0002), None], dtype=object))
    ['K00e1J00d1', None]
    """
    parts, shape = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    if not len(rings):
        return [None] * len(polygons)
    lonlat, ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.round(lonlat / UNIT).astype(np.int64)
    # A ring's last corner is its first, and one that rounding put on the corner before it tells nothing.
    starts = np.diff(ring, prepend=-1) > 0
    keep = starts | (np.diff(whole, axis=0, prepend=0) != 0).any(axis=1)
    keep &= ~np.append(starts[1:], True)
    whole, ring, starts = whole[keep], ring[keep], starts[keep]
    steps = np.diff(whole, axis=0, prepend=0)
    steps[starts] = whole[starts]
    written, used = _digits(steps.ravel())
    written, used = written.reshape(len(steps), -1), used.reshape(len(steps), -1)
    first_of_part = np.diff(part, prepend=-1) > 0
    mark = np.where(first_of_part[ring], ord(":"), ord(".")).astype(np.uint8)
    written, used = np.column_stack([mark, written]), np.column_stack([starts, used])
    text = written[used].tobytes().decode("ascii")
    ends = np.cumsum(used.sum(axis=1))
    last = np.searchsorted(shape[part[ring]], np.arange(len(polygons)), side="right")
    cuts = np.concatenate([[0], np.concatenate([[0], ends])[last]]).tolist()
    return [text[a + 1 : b] if b > a else None for a, b in pairwise(cuts)]


def _digits(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Characters of numbers, a row each, and which of them are used."""
    signed = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)
    place = 5 * np.arange(_MOST)
    digit = (signed[:, None] >> place) & 31
    more = (signed[:, None] >> (place + 5)) > 0
    used = np.column_stack([np.ones(len(numbers), dtype=bool), more[:, :-1]])
    return np.frombuffer(DIGITS.encode(), dtype=np.uint8)[digit + 32 * more], used


def unpacked(text: str) -> Any:
    """The polygon that a string draws, in longitude and latitude: what the page's script makes of it.

    >>> unpacked("K00e1J00d1").bounds
    (0.0, 0.0, 0.0001, 0.0002)
    """
    parts = [[_corners(ring) for ring in part.split(".")] for part in text.split(":")]
    polygons = [shapely.Polygon(rings[0], rings[1:]) for rings in parts]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _corners(text: str) -> NDArray[np.float64]:
    numbers, value, place = [], 0, 0
    for digit in map(DIGITS.index, text):
        value |= (digit & 31) << place
        place += 5
        if digit < 32:
            numbers.append(-(value >> 1) - 1 if value & 1 else value >> 1)
            value, place = 0, 0
    corners: NDArray[np.float64] = np.cumsum(np.reshape(numbers, (-1, 2)), axis=0) * UNIT
    return corners


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows as columns: a column whose values repeat is {"kinds", "at"}; one that few rows have is {"rows", "values"}.

    >>> columns_of([{"id": "a", "queue": "survey"}, {"id": "b", "queue": "survey", "why": "x"}])
    {'count': 2, 'id': ['a', 'b'], 'queue': {'kinds': ['survey'], 'at': [0, 0]}, 'why': {'rows': [1], 'values': ['x']}}
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {"count": len(rows)} | {name: _column(name, rows) for name in names}


def _column(name: str, rows: Sequence[Mapping[str, Any]]) -> Any:
    at = [k for k, row in enumerate(rows) if name in row]
    values = [rows[k][name] for k in at]
    if len(at) < len(rows):
        return {"rows": at, "values": values}
    if len({json.dumps(value) for value in values[:_LOOK]}) > min(len(values), _LOOK) / 2:
        return values
    keys = [json.dumps(value) for value in values]
    kinds = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    if 2 * len(kinds) <= len(values):
        return {"kinds": [json.loads(key) for key in kinds], "at": [kinds[key] for key in keys]}
    return values


def rows_of(columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of columns again: what the page's script makes of them."""
    rows: list[dict[str, Any]] = [{} for _ in range(columns["count"])]
    for name, column in columns.items():
        if name == "count":
            continue
        at: Any = range(len(rows))
        values = column
        if isinstance(column, dict):
            at = column.get("rows", at)
            values = column["values"] if "values" in column else [column["kinds"][k] for k in column["at"]]
        for k, value in zip(at, values, strict=True):
            rows[k][name] = value
    return rows
