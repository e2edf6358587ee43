"""Text to bearings and distances: degrees, mils of 6000 and 6400, quadrants, metres, paces. Nothing is guessed."""

from __future__ import annotations

import re

from clearplan.core.checks import parse_number

#: Degrees of one unit; the Soviet circle has 6000 mils, NATO's 6400.
DEGREES_PER = {"degrees": 1.0, "mils-6000": 0.06, "mils-6400": 0.05625}
#: A longer leg is a slip of the pen or two legs in one [m].
MAX_LEG_M = 20_000.0

_HYPHENATED = re.compile(r"^(\d{1,2})\s*[-\u2010-\u2015]\s*(\d{2})$")
_SEXAGESIMAL = re.compile(
    r"^(\d{1,3})\s*[°ºd]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’m]\s*)?(?:(\d{1,2}(?:\.\d+)?)\s*(?:\"|″|”|''|s)\s*)?$"
)
_QUADRANT = re.compile(r"^([NS])\s*(.+?)\s*([EW])$")
_NUMBER = re.compile(r"^\d+(?:\.\d+)?$")
_LETTER_O = re.compile(r"(?:\d[\s.,°'-]*[OoОо])|(?:[OoОо][\s.,°'-]*\d)")
_UNITS = {"m": ("m", "м", "metres", "meters", "метров"), "paces": ("paces", "pace", "шагов", "шага", "ш")}
_SUFFIX = re.compile(r"^(.*?\d)\s*([^\d\s.,].*)$")


def parse_bearing(value: object, unit: str) -> float:
    """A bearing as written, in degrees from 0 up to 360.

    Parameters
    ----------
    value : text or number
        Degrees: 45.5, 45°30', 45°30'15", S56°23'38"E. Mils of 6000: 12-50 (or a number above 360). Mils of 6400:
        a number. The hyphen always means mils of 6000.
    unit : 'degrees', 'mils-6000' or 'mils-6400'

    Raises
    ------
    ValueError
        "rule|remedy": blank, outside the circle, not a bearing, or in another unit than the record says.

    >>> parse_bearing("12-50", "mils-6000"), parse_bearing("45°30'", "degrees"), parse_bearing("S45°E", "degrees")
    (75.0, 45.5, 135.0)
    >>> parse_bearing("12-5O", "mils-6000")
    Traceback (most recent call last):
    ValueError: bearing holds the letter O where a zero belongs|write the digit 0
    """
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError("bearing is blank|fill it in; without it the leg can't be drawn")
    if _LETTER_O.search(text):
        raise ValueError("bearing holds the letter O where a zero belongs|write the digit 0")
    hyphenated = _HYPHENATED.match(text)
    if hyphenated and unit != "mils-6000":
        raise ValueError(
            f"bearing is written in mils of 6000, but the record says {unit}|correct angle_unit or the cell"
        )
    if unit == "degrees":
        return _within(_degrees(text), 360, text)
    if hyphenated:
        return _within(100 * int(hyphenated[1]) + int(hyphenated[2]), 6000, text) * DEGREES_PER[unit]
    number = _plain(text)
    if unit == "mils-6000" and number <= 360:
        raise ValueError("bearing can be degrees or mils|write mils with a hyphen, as in 0-75")
    return _within(number, 6000 if unit == "mils-6000" else 6400, text) * DEGREES_PER[unit]


def _degrees(text: str) -> float:
    if quadrant := _QUADRANT.match(text.upper()):
        angle = _degrees(quadrant[2])
        if angle > 90:
            raise ValueError("bearing of a quadrant is over 90 degrees|correct the angle")
        ends = {"NE": angle, "SE": 180 - angle, "SW": 180 + angle, "NW": 360 - angle}
        return ends[quadrant[1] + quadrant[3]] % 360
    if parts := _SEXAGESIMAL.match(text.replace(",", ".")):
        degrees, minutes, seconds = (float(part or 0) for part in parts.groups())
        if minutes >= 60 or seconds >= 60:
            raise ValueError("minutes or seconds are 60 or more|correct the bearing")
        return degrees + minutes / 60 + seconds / 3600
    return _plain(text)


def _plain(text: str) -> float:
    # A bearing is below 6400: a single comma can only be a decimal mark.
    number = text.replace(",", ".")
    if not _NUMBER.match(number):
        raise ValueError("bearing is not a number|write degrees as 45.5 or 45°30', mils of 6000 as 12-50")
    return float(number)


def _within(number: float, circle: int, text: str) -> float:
    if number > circle:
        raise ValueError(f"bearing must be from 0 to {circle}|correct the bearing, or the record's angle_unit")
    return number % circle


def parse_distance(value: object, unit: str, *, pace_m: float | None = None, decimal: str = ".") -> float:
    """A distance as written [m].

    Parameters
    ----------
    value : text or number
        In the record's own unit; the unit may stand behind the number.
    unit : 'm' or 'paces'
    pace_m : float
        Length of one pace [m]; needed where the unit is paces.
    decimal : '.' or ','
        Decimal mark of numbers kept as text.

    Raises
    ------
    ValueError
        "rule|remedy": blank, not a number, not above 0, over 20 km, or in another unit than the record says.

    >>> parse_distance("120 m", "m"), parse_distance(160, "paces", pace_m=0.75)
    (120.0, 120.0)
    >>> parse_distance("400 ft", "m")
    Traceback (most recent call last):
    ValueError: distance is in 'ft', but the record says m|convert it, or correct distance_unit
    """
    text = "" if value is None else str(value).strip()
    if not text:
        raise ValueError("distance is blank|fill it in; without it the leg can't be drawn")
    if _LETTER_O.search(text):
        raise ValueError("distance holds the letter O where a zero belongs|write the digit 0")
    if suffix := _SUFFIX.match(text):
        if suffix[2].rstrip(".").casefold() not in _UNITS[unit]:
            own = suffix[2][:20].replace("|", "/")
            raise ValueError(f"distance is in {own!r}, but the record says {unit}|convert it, or correct distance_unit")
        text = suffix[1]
    number = parse_number(text, decimal)
    if unit == "paces":
        if pace_m is None:
            raise ValueError("distance is in paces of unknown length|state pace_m in the record")
        number *= pace_m
    if number <= 0:
        raise ValueError("distance must be above 0|correct the distance")
    if number > MAX_LEG_M:
        raise ValueError(f"distance is over {MAX_LEG_M:,.0f} m|correct the distance, or enter the legs one by one")
    return number
