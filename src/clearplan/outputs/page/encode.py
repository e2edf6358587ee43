"""Tables to what the page's script draws: outlines in few characters that never lose ground, rows as columns.

Numbers travel as digits. A whole number is written in base 32, lowest digit first, with 32 more on every digit but
its last; its sign is its lowest bit. "~" is no number. An outline is one such string: its corners stand on a grid of
``UNIT`` degrees, or of ten times that where it begins with "~"; each ring begins at a place and goes on by steps; "."
begins a hole, ":" another part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from clearplan.core.crs import parse_crs, reprojected
from clearplan.geo.shapes import Geometries, outward_reach, simplify_outward

#: Corners of outlines lie on multiples of this [degrees]: 1.1 m, two pixels at the closest zoom of the page (18).
UNIT = 1e-5
#: Those that are followed less closely than this [m] have corners on multiples of ten times that.
COARSE_M = 10.0
#: Outlines are followed to this [m]: a tenth of a millimetre on a 1:10 000 sheet.
DRAWN_TO_M = 1.0
#: A shape is compact where its convex hull has at most so many times its area.
COMPACT = 1.5
#: Straight edges are cut to this [m] before they are moved to another plane, in which they would be curves (0.02 m).
EDGE_M = 1000.0
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
_LOOK = 500  # values of a column that tell whether its values repeat


def rounding_m(tolerance_m: float) -> float:
    """How far rounding can move a corner [m]: half a unit on both axes, 111.7 km a degree at most."""
    return 0.79 if tolerance_m < COARSE_M else 7.9


def furthest_m(tolerance_m: float) -> float:
    """How far outside the true shape an outline of that tolerance can be drawn, at a sharp corner [m]."""
    return outward_reach(tolerance_m, rounding_m(tolerance_m)) + rounding_m(tolerance_m)


def outlines(geometries: Geometries, crs: CRS, tolerance_m: float) -> list[str | None]:
    """Each polygon as a string that holds at least its ground; None where there is none.

    Parameters
    ----------
    geometries : array of geometry, n
        Polygons in a CRS in metres.
    tolerance_m : float
        How closely each is followed [m]; none lies further outside than ``furthest_m``.
    """
    return _written(simplify_outward(_there(geometries), tolerance_m, rounding_m(tolerance_m)), crs, tolerance_m)


def rough_outlines(geometries: Geometries, crs: CRS, tolerance_m: float) -> list[str | None]:
    """As ``outlines``, in less than half the time and length: compact shapes by their convex hulls, further outside."""
    true, margin = _there(geometries), rounding_m(tolerance_m)
    hull = shapely.convex_hull(true)
    compact = shapely.area(hull) <= COMPACT * shapely.area(true)
    drawn = np.full(len(true), None, dtype=object)
    drawn[compact] = simplify_outward(hull[compact], tolerance_m / 10, margin)
    drawn[~compact] = simplify_outward(true[~compact], tolerance_m, margin)
    return _written(drawn, crs, tolerance_m)


def _there(geometries: Geometries) -> Geometries:
    """The same shapes, None for one that is empty."""
    own = np.array(geometries, dtype=object)
    own[shapely.is_empty(own)] = None
    return own


def _written(drawn: Geometries, crs: Any, tolerance_m: float) -> list[str | None]:
    told = np.full(len(drawn), None, dtype=object)
    at = np.flatnonzero(~shapely.is_missing(drawn))
    moved = reprojected(cut_edges(drawn[at]), crs, parse_crs("EPSG:4326"))
    told[at] = packed(moved, coarse=tolerance_m >= COARSE_M)
    return list(told)


def cut_edges(geometries: Geometries) -> Geometries:
    """Shapes in metres whose edges are no longer than ``EDGE_M``."""
    west, south, east, north = shapely.bounds(geometries).T
    long = np.flatnonzero(np.hypot(east - west, north - south) > EDGE_M)
    cut = geometries.copy()
    cut[long] = shapely.segmentize(geometries[long], EDGE_M)
    return cut


def packed(polygons: Geometries, *, coarse: bool = False) -> list[str]:
    """Polygons in longitude and latitude as strings, their corners rounded to ``UNIT``, or to ten times that.

    >>> packed(np.array([shapely.box(0, 0, 0.0001, 0.0002)]))
    ['K00e1J00d1']
    """
    if not len(polygons):
        return []
    parts, shape = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    if not len(rings):
        return [""] * len(polygons)
    lonlat, ring = shapely.get_coordinates(rings, return_index=True)
    whole = np.round(lonlat / (10 * UNIT if coarse else UNIT)).astype(np.int64)
    # A ring's last corner is its first, and one that rounding put on the corner before it tells nothing.
    starts = np.diff(ring, prepend=-1) > 0
    keep = starts | (np.diff(whole, axis=0, prepend=0) != 0).any(axis=1)
    keep &= ~np.append(starts[1:], True)
    # A hole that rounding closed is no hole.
    hole = np.diff(part, prepend=-1) == 0
    keep &= ~(hole & (np.bincount(ring, weights=keep, minlength=len(rings)) < 3))[ring]
    whole, ring, starts = whole[keep], ring[keep], starts[keep]
    steps = np.diff(whole, axis=0, prepend=0)
    steps[starts] = whole[starts]
    digits, needed = (one.reshape(len(steps), -1) for one in _digits(steps.ravel()))
    first_of_part = np.diff(part, prepend=-1) > 0
    mark = np.where(first_of_part[ring], ord(":"), ord(".")).astype(np.uint8)
    written, used = np.column_stack([mark, digits]), np.column_stack([starts, needed])
    text = written[used].tobytes().decode("ascii")
    ends = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    last = np.searchsorted(shape[part[ring]], np.arange(len(polygons)), side="right")
    cuts = np.concatenate([[0], ends[last]]).tolist()
    return [("~" if coarse else "") + text[a + 1 : b] for a, b in pairwise(cuts)]


def _digits(numbers: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Characters of numbers, a row each, and which of them are used."""
    signed = np.where(numbers < 0, -2 * numbers - 1, 2 * numbers)
    most = max(-(-int(signed.max()).bit_length() // 5), 1) if len(signed) else 1
    place = 5 * np.arange(most)
    digit = (signed[:, None] >> place) & 31
    more = (signed[:, None] >> (place + 5)) > 0
    used = np.column_stack([np.ones(len(numbers), dtype=bool), more[:, :-1]])
    return np.frombuffer(DIGITS.encode(), dtype=np.uint8)[digit + 32 * more], used


def digits_of(numbers: NDArray[np.floating], unit: float) -> str:
    """Numbers as digits, to the nearest multiple of ``unit``; NaN is "~".

    >>> digits_of(np.array([0.0, -1.0, 10.0, np.nan]), 1.0)
    '01K~'
    """
    known = np.isfinite(numbers)
    written, used = _digits(np.rint(np.where(known, numbers, 0.0) / unit).astype(np.int64))
    written[~known, 0] = ord("~")
    return written[used].tobytes().decode("ascii")


@dataclass(frozen=True)
class Fixed:
    """A column of numbers, or of equally long lists of them, that travels as digits of a unit, or as steps of them."""

    unit: float
    steps: bool = False


def columns_of(rows: Sequence[Mapping[str, Any]], fixed: Mapping[str, Fixed] | None = None) -> dict[str, Any]:
    """Rows as columns, written as short as they can be.

    A column is a list, or one of: {"digits", "unit", "width", "steps"}; {"kinds", "at"} where values repeat, ``at``
    being digits; {"rows", "values"} where few rows have one.

    >>> columns_of([{"id": "a", "queue": "survey"}, {"id": "b", "queue": "survey", "why": "x"}])
    {'count': 2, 'id': ['a', 'b'], 'queue': {'kinds': ['survey'], 'at': '00'}, 'why': {'rows': [1], 'values': ['x']}}
    """
    names = dict.fromkeys(name for own in dict.fromkeys(map(tuple, rows)) for name in own)
    return {"count": len(rows)} | {name: _column(name, rows, (fixed or {}).get(name)) for name in names}


def _column(name: str, rows: Sequence[Mapping[str, Any]], fixed: Fixed | None) -> Any:
    values = [row[name] for row in rows if name in row]
    if len(values) < len(rows):
        return {"rows": [k for k, row in enumerate(rows) if name in row], "values": values}
    if fixed:
        return _fixed(values, fixed)
    # repr tells 1 from 1.0 and from True, which are equal.
    if len(set(map(repr, values[:_LOOK]))) > min(len(values), _LOOK) / 2:
        return values
    keys = [repr(value) for value in values]
    kinds = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    if 2 * len(kinds) > len(values):
        return values
    first = dict(zip(reversed(keys), reversed(values), strict=True))
    return {"kinds": [first[key] for key in kinds], "at": digits_of(np.array([kinds[key] for key in keys], float), 1.0)}


def _fixed(values: Sequence[Any], fixed: Fixed) -> dict[str, Any]:
    numbers = np.array(values, dtype=float)
    told = {"unit": fixed.unit, "width": numbers.shape[1] if numbers.ndim > 1 else 0, "steps": fixed.steps}
    if fixed.steps:
        # Steps between rounded numbers, so that roundings don't add up; after a gap from the last one known.
        known = np.flatnonzero(np.isfinite(numbers))
        whole = np.rint(numbers[known] / fixed.unit)
        numbers = np.full(len(numbers), np.nan)
        numbers[known] = np.diff(whole, prepend=0.0)
        return {"digits": digits_of(numbers, 1.0)} | told
    return {"digits": digits_of(numbers.ravel(), fixed.unit)} | told
