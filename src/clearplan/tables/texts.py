"""Cells that hold several values in one text: ids, the depths of a belt, items found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

from clearplan.core.errors import SettingsError, TableError
from clearplan.tables.codes import CODE_LISTS


def ids_in(text: object) -> list[str]:
    """Ids of a cell that holds several with '; ' between; none where it is blank.

    >>> ids_in("Z1; Z2"), ids_in(""), ids_in(None), ids_in(float("nan"))
    (['Z1', 'Z2'], [], [], [])
    """
    return [one for one in text.split("; ") if one] if isinstance(text, str) else []


def write_profile(depth_m: Sequence[float] | Sequence[Sequence[float]]) -> str:
    """Depths as the text kept in HAZARDS: 'distance inner outer; ...' [m].

    Parameters
    ----------
    depth_m : (inner, outer), or rows of (distance along the line, inner, outer)

    Raises
    ------
    SettingsError
        An inner depth exceeds its outer one, a depth is negative, or distances do not grow.

    >>> write_profile((3_000, 7_000))
    '0 3000 7000'
    """
    flat = len(depth_m) == 2 and not isinstance(depth_m[0], (list, tuple))
    stated = [(0.0, *depth_m)] if flat else depth_m
    rows = [tuple(row) if isinstance(row, Iterable) else (row,) for row in stated]
    if not rows or any(len(row) != 3 for row in rows):
        raise SettingsError(f"depth {depth_m!r}: give (inner, outer) or rows of (distance, inner, outer) in metres")
    for at, inner, outer in rows:
        if not (at >= 0 and 0 <= inner <= outer and all(map(math.isfinite, (at, inner, outer)))):
            raise SettingsError(f"depth row {(at, inner, outer)}: needs 0 <= distance and 0 <= inner <= outer")
    if any(b[0] <= a[0] for a, b in pairwise(rows)):
        raise SettingsError(f"depth rows {rows}: distances along the line must grow from row to row")
    return "; ".join(" ".join(f"{value:.12g}" for value in row) for row in rows)


def read_profile(text: str) -> list[tuple[float, float, float]]:
    """Rows of (distance, inner, outer) [m] from the text kept in HAZARDS.

    >>> read_profile("0 3000 7000")
    [(0.0, 3000.0, 7000.0)]
    """
    try:
        rows = [tuple(float(part) for part in row.split()) for row in text.split(";")]
    except (ValueError, AttributeError):
        rows = []
    if not rows or any(len(row) != 3 for row in rows):
        raise TableError(f"depth_profile {text!r}: write 'distance inner outer; ...' in metres")
    return [(a, b, c) for a, b, c in rows]


def says_none(text: str) -> bool:
    """Whether a cell says that there is none, which is not the same as a blank one: nobody knows.

    >>> says_none(" None "), says_none("AP 3")
    (True, False)
    """
    return text.strip().casefold() == "none"


def read_items(text: str | None, devices: Mapping[str, str] | None = None) -> dict[str, int] | None:
    """Items found, by device code, from the text kept in RELEASES; None where it is unknown.

    Parameters
    ----------
    text : str
        'AP 3; AV 1', or 'none' where nothing was found.
    devices : mapping, optional
        A country's own device codes.

    Raises
    ------
    TableError
        The text is not of this form, a code is not in the list, or stands twice.

    >>> read_items("AP 3; AV 1; UXO 12")
    {'AP': 3, 'AV': 1, 'UXO': 12}
    >>> read_items("none"), read_items(None)
    ({}, None)
    """
    if text is None or (isinstance(text, float) and math.isnan(text)) or not text.strip():
        return None
    known = devices or CODE_LISTS["device"]
    items: dict[str, int] = {}
    for part in [] if says_none(text) else text.split(";"):
        code, _, number = part.strip().rpartition(" ")
        code = code.strip()
        if code not in known or not (number.isascii() and number.isdigit()) or code in items:
            raise TableError(f"items {text!r}: write 'code number; ...', each code once, of {', '.join(known)}")
        items[code] = int(number)
    return items
