"""What can be wrong with entered shapes, dates and numbers: every fault at once, with rule and remedy.

A fault's level says what becomes of the row: ``error`` refuses it (lenient reading defers it), ``repairable``
refuses it too, but lenient reading applies the stated repair and the level turns to ``repaired``; ``warning``
is listed only.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from clearplan.core.crs import operation
from clearplan.core.errors import CrsError, TableError

#: Longest distance between neighbouring vertices of a hazard polygon [m]; GICHD's geocheck uses the same.
MAX_GAP_M = 5000.0
TWICE = "polygon is entered twice"
MIXED = "file mixes geometry types"

Geometries = np.ndarray[Any, Any]
Region = tuple[float, float, float, float]


@dataclass(frozen=True)
class Finding:
    """A fault of one row, before file and row number are known."""

    row: int
    column: str
    value: object
    rule: str
    level: str
    remedy: str


def check_shapes(geometry: Geometries, allowed: tuple[str, ...]) -> list[Finding]:
    """Faults that need no CRS: missing, empty, too few vertices, self-crossing, types, Z and M, duplicates."""
    found: list[Finding] = []

    def add(mask: Any, rule: str, level: str, remedy: str, value: Callable[[Any], object] = lambda g: "") -> None:
        for k in np.flatnonzero(mask):
            found.append(Finding(int(k), "geometry", value(geometry[k]), rule, level, remedy))

    missing = shapely.is_missing(geometry)
    empty = shapely.is_empty(geometry) & ~missing
    collection = shapely.get_type_id(geometry) == 7
    polygon = np.isin(shapely.get_type_id(geometry), (3, 6)) & ~empty
    thin = np.array([_distinct_vertices(g) < 3 for g in geometry]) & polygon
    valid = shapely.is_valid(geometry)
    wrong = ~missing & ~empty & ~collection & ~np.array([_kind(g) in allowed for g in geometry])
    finite = np.array([bool(np.isfinite(shapely.get_coordinates(g)).all()) for g in geometry])

    add(missing, "shape is missing", "error", "give the row a shape or coordinates")
    add(empty, "shape is empty", "error", "draw the shape again")
    add(~finite, "a coordinate is not a number", "error", "mend the coordinate")
    add(
        thin,
        "polygon has fewer than 3 distinct vertices",
        "error",
        "add the missing vertices, or enter a point",
    )
    line = np.isin(shapely.get_type_id(geometry), (1, 5)) & ~empty
    short = line & (shapely.length(geometry) == 0)
    add(short, "line has fewer than 2 distinct vertices", "error", "draw the line again")
    add(
        polygon & ~thin & ~valid & finite,
        "polygon crosses itself",
        "repairable",
        "redraw its border in order, or read with lenient = true (the repair is listed with both areas)",
        lambda g: shapely.is_valid_reason(g),
    )
    add(
        collection,
        "shape mixes geometry types",
        "error",
        "split it into rows of one type",
        lambda g: g.geom_type,
    )
    add(
        wrong,
        f"shape must be {' or '.join(allowed)}",
        "error",
        "draw it as one of these",
        lambda g: g.geom_type,
    )
    add(shapely.has_z(geometry), "Z values", "warning", "none needed: heights are not used")
    add(shapely.has_m(geometry), "M values", "warning", "none needed: measures are not used")
    return found + _duplicates(geometry, polygon) + _mixed(geometry)


def _kind(geometry: Any) -> str:
    return "" if geometry is None else str(geometry.geom_type).removeprefix("Multi").removesuffix("String").lower()


def _distinct_vertices(geometry: Any) -> int:
    """Distinct vertices of the thinnest part."""
    if geometry is None or geometry.is_empty:
        return 0
    rings = shapely.get_exterior_ring(shapely.get_parts(geometry))
    counts = [len(np.unique(shapely.get_coordinates(r), axis=0)) for r in rings if r is not None]
    return min(counts, default=0)


def _duplicates(geometry: Geometries, polygon: Any) -> list[Finding]:
    """Polygons entered twice, from whichever vertex and in whichever direction."""
    seen: dict[bytes, int] = {}
    found = []
    for k in np.flatnonzero(polygon):
        key = shapely.to_wkb(shapely.normalize(shapely.force_2d(geometry[k])))
        if key in seen:
            found.append(
                Finding(
                    int(k),
                    "geometry",
                    "",
                    TWICE,
                    "repairable",
                    "remove one row, or read with lenient = true (both rows stay; area counts once)",
                )
            )
        seen.setdefault(key, int(k))
    return found


def _mixed(geometry: Geometries) -> list[Finding]:
    kinds = {_kind(g): k for k, g in reversed(list(enumerate(geometry))) if g is not None and not g.is_empty}
    if len(kinds) < 2:
        return []
    row = sorted(kinds.values())[1]
    names = ", ".join(sorted(kinds))
    return [Finding(row, "geometry", names, MIXED, "warning", "none needed if that is meant")]


def check_gaps(metric: Geometries) -> list[Finding]:
    """Neighbouring vertices of a polygon further apart than 5,000 m, which is how a lost digit looks."""
    found = []
    for k, shape in enumerate(metric):
        if _kind(shape) != "polygon" or shape.is_empty:
            continue
        xy, ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(shape)), return_index=True)
        steps = np.hypot(*np.diff(xy, axis=0).T)
        steps[np.diff(ring) != 0] = 0
        if len(steps) and steps.max() > MAX_GAP_M:
            found.append(
                Finding(
                    k,
                    "geometry",
                    f"{steps.max():.0f} m",
                    f"vertices are more than {MAX_GAP_M:,.0f} m apart",
                    "repairable",
                    "mend the vertex, or read with lenient = true to keep it as it is",
                )
            )
    return found


def check_crs(geometry: Geometries, crs: CRS) -> list[Finding]:
    """Coordinates that can't be what their CRS says."""
    box = shapely.bounds(geometry)
    known = np.isfinite(box).all(axis=1)
    extreme = np.abs(box).max(axis=1, initial=0, where=known[:, None])
    if crs.is_geographic:
        wrong = known & ((np.abs(box[:, [0, 2]]).max(axis=1) > 180) | (np.abs(box[:, [1, 3]]).max(axis=1) > 90))
        rule = f"coordinates are not degrees, but the CRS is {crs.name}"
    else:
        wrong = known & (extreme <= 180)
        rule = f"coordinates look like degrees, but the CRS is {crs.name}"
    return [
        Finding(int(k), "geometry", _corner(geometry[k]), rule, "error", "declare the CRS that was used")
        for k in np.flatnonzero(wrong)
    ]


def check_region(geometry: Geometries, crs: CRS, region: Region) -> list[Finding]:
    """Coordinates outside the declared region, told apart: swapped, one sign flipped, or elsewhere."""
    first, second = ("longitude", "latitude") if crs.is_geographic else ("easting", "northing")
    slips: tuple[tuple[str, Callable[[Any], Any]], ...] = (
        (f"{first} and {second} are swapped", lambda xy: xy[:, ::-1]),
        (f"sign of {first} is flipped", lambda xy: xy * [-1, 1]),
        (f"sign of {second} is flipped", lambda xy: xy * [1, -1]),
    )
    found = []
    for k in np.flatnonzero(~_inside(geometry, crs, region)):
        shape = geometry[k]
        if shape is None or shape.is_empty:
            continue
        xy = shapely.get_coordinates(shape)
        rule, remedy = (
            "coordinates are outside the declared region",
            "mend them, or widen region in plan.toml",
        )
        for words, slip in slips:
            if _inside(np.array([shapely.MultiPoint(slip(xy))]), crs, region)[0]:
                rule, remedy = words, "mend the row; it is not turned round without you"
                break
        found.append(Finding(int(k), "geometry", _corner(shape), rule, "error", remedy))
    return found


def _inside(geometry: Geometries, crs: CRS, region: Region) -> Any:
    west, south, east, north = region
    box = shapely.bounds(geometry)
    corners = np.vstack([box[:, [0, 1]], box[:, [0, 3]], box[:, [2, 1]], box[:, [2, 3]]])
    if crs.is_geographic:
        lon, lat = corners.T
    else:
        try:
            lon, lat = operation(crs, CRS.from_epsg(4326))[0].transform(*corners.T)
        except CrsError:
            return np.ones(len(geometry), dtype=bool)
    ok = (np.asarray(lon) >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return np.asarray(ok).reshape(4, -1).all(axis=0)


def _corner(shape: Any) -> str:
    x, y = shapely.get_coordinates(shape)[0]
    return f"{x:.10g} {y:.10g}"


_ISO = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?$|^(\d{4})/(\d{1,2})/(\d{1,2})(?: .*)?$")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
#: Days since 1899-12-30, as spreadsheets store dates: 1927 to 2064.
_SERIAL = re.compile(r"^[1-5]\d{4}(?:\.\d+)?$")
#: 1992, 1992-06, 06.1992, ??.06.1992, June 1992; a day or month of 0 is one that isn't known.
_NO_MONTH = re.compile(r"^(?:19|20)\d{2}(?:\.0)?(?:[-/]00?[-/]00?)?(?:\s?г\.?)?$|^00?[./]00?[./](?:19|20)\d{2}$")
_NO_DAY = re.compile(
    r"^(?:19|20)\d{2}[-/.]\d{1,2}(?:[-/]00?)?$|^(?:(?:00?|[-?_xх]{1,2})[./])?\d{1,2}[./-](?:19|20)\d{2}$"
    r"|^[^\W\d_]+\.?,?\s(?:19|20)\d{2}(?:\s?г\.?)?$",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"^(\d{1,2})[/-](\d{1,2})[/-](\d{4})$")


def parse_date(value: object, style: str | None) -> dt.date:
    """A date from 2020-10-03, 03.10.2020 (day first) or 03/10/2020.

    Raises
    ------
    ValueError
        It is none of these, has no day, or it can be read in two ways and no style says which.

    >>> parse_date("3.10.2020", None)
    datetime.date(2020, 10, 3)
    >>> parse_date("1992-06", None)
    Traceback (most recent call last):
    ValueError: date has no day|leave the cell blank where the day is not known; where a record's magnetic bearings need
    it, state declination_deg instead
    >>> parse_date("03/10/2020", None)
    Traceback (most recent call last):
    ValueError: date can be 3 October or 10 March 2020|set dates = 'dmy' or dates = 'mdy'
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if hasattr(value, "item"):  # numpy datetime64
        return parse_date(value.item(), style)
    text = str(value).strip()
    if (no_month := _NO_MONTH.match(text)) or _NO_DAY.match(text):
        raise ValueError(
            f"date has no {'month and day' if no_month else 'day'}|leave the cell blank where the day is not known; "
            "where a record's magnetic bearings need it, state declination_deg instead"
        )
    try:
        if match := _ISO.match(text):
            year, month, day = (int(part) for part in match.groups() if part)
        elif style != "mdy" and (match := _DOTTED.match(text)):
            day, month, year = map(int, match.groups())
        elif match := (_SLASHED.match(text) or _DOTTED.match(text)):
            first, second, year = map(int, match.groups())
            day, month, year = _slashed(first, second, year, style)
        elif _SERIAL.match(text):
            raise ValueError("is a spreadsheet's day number, not a date|format the column as a date, save it again")
        else:
            raise ValueError("must be a date|write 2020-11-10")
        if year < 1900:
            raise ValueError("date lies before 1900|mend the year")
        return dt.date(year, month, day)
    except ValueError as error:
        if "|" in str(error):
            raise
        raise ValueError("is no day of the calendar|mend the date, or set dates = 'dmy' or 'mdy'") from None


def _slashed(first: int, second: int, year: int, style: str | None) -> tuple[int, int, int]:
    if style == "mdy":
        return second, first, year
    if style == "dmy" or first > 12:
        return first, second, year
    if second > 12:
        return second, first, year
    if first == second:
        return first, second, year
    months = calendar.month_name
    raise ValueError(
        f"date can be {first} {months[second]} or {second} {months[first]} {year}|set dates = 'dmy' or dates = 'mdy'"
    )


def parse_number(value: object, decimal: str) -> float:
    """A number; a comma is accepted only where the file's decimal mark is declared to be one.

    Raises
    ------
    ValueError
        It is no number, or holds a comma that nobody declared.

    >>> parse_number("12,5", ",")
    12.5
    >>> parse_number("12,5", ".")
    Traceback (most recent call last):
    ValueError: number holds a comma|set decimal = ',' if it is the decimal mark, else remove it
    """
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
        return float(value)
    text = str(value).strip().replace("\u00a0", "").replace(" ", "")
    if decimal == ",":
        if "." in text:
            raise ValueError("number holds a point where the decimal mark is a comma|write one mark only")
        text = text.replace(",", ".")
    elif "," in text:
        raise ValueError("number holds a comma|set decimal = ',' if it is the decimal mark, else remove it")
    try:
        if "_" in text:  # Python reads 1_200 as a number; people don't write it
            raise ValueError
        number = float(text)
    except ValueError:
        raise ValueError("must be a number|write digits only; leave the cell blank where it is unknown") from None
    if not np.isfinite(number):
        raise ValueError("must be a finite number|leave the cell blank where it is unknown")
    return number


def months_of(season: Any) -> frozenset[int]:
    """Months of a season as written; all twelve where it is blank.

    Raises
    ------
    TableError
        It is not of the form first-last, or a month is none.

    >>> sorted(months_of("11-2")), len(months_of(None))
    ([1, 2, 11, 12], 12)
    """
    if not isinstance(season, str) or not season.strip():
        return frozenset(range(1, 13))
    found = re.fullmatch(r"\s*([0-9]{1,2})\s*-\s*([0-9]{1,2})\s*", season)
    first, last = (int(part) for part in found.groups()) if found else (0, 0)
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise TableError(f"season {season!r} can't be read; write its first and last month, such as 4-10")
    return frozenset((first - 1 + k) % 12 + 1 for k in range((last - first) % 12 + 1))
