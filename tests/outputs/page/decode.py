"""What the page's script makes of the outlines, numbers and columns that it is given."""

import numpy as np
import shapely

from clearplan.outputs.page.encode import DIGITS, UNIT


def numbers_in(text, unit):
    """Numbers that were written as digits, in units of ``unit``; multiples of 1/unit come out exact."""
    numbers = []
    value = place = 0
    for digit in text:
        if digit == "~":
            numbers.append(None)
            continue
        code = DIGITS.index(digit)
        value |= (code & 31) << place
        place += 5
        if code < 32:
            whole = -(value >> 1) - 1 if value & 1 else value >> 1
            numbers.append(whole if unit == 1 else whole / round(1 / unit))
            value = place = 0
    return numbers


def unpacked(text):
    """The polygon that a string draws, in longitude and latitude."""
    unit = 10 * UNIT if text[0] == "~" else UNIT
    polygons = []
    for part in text.lstrip("~").split(":"):
        border, *holes = (_corners(ring, unit) for ring in part.split("."))
        polygons.append(shapely.Polygon(border, holes))
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def _corners(text, unit):
    steps = np.array(numbers_in(text, 1.0), dtype=float).reshape(-1, 2)
    return np.cumsum(steps, axis=0) / round(1 / unit)


def rows_of(columns):
    """Rows of columns again."""
    rows = [{} for _ in range(columns["count"])]
    for name, column in columns.items():
        if name == "count":
            continue
        at = column["rows"] if isinstance(column, dict) and "rows" in column else range(len(rows))
        for k, value in zip(at, _values(column), strict=True):
            rows[k][name] = value
    return rows


def _values(column):
    if isinstance(column, list):
        return column
    if "digits" not in column:
        return column.get("values") or [column["kinds"][k] for k in numbers_in(column.get("at", ""), 1.0)]
    if not column["steps"]:
        numbers = numbers_in(column["digits"], column["unit"])
        width = column["width"]
        return [numbers[k : k + width] for k in range(0, len(numbers), width)] if width else numbers
    sums, last, many = [], 0, round(1 / column["unit"])
    for step in numbers_in(column["digits"], 1.0):
        last += int(step or 0)
        sums.append(None if step is None else last if many == 1 else last / many)
    return sums
