"""Text to coordinates: degrees, Gauss-Krueger, UTM and MGRS as people write them; ambiguity is asked, never guessed.

``readings`` gives every way in which a text can be read; ``read_position`` the one that fits the declared region, map
sheet or grid, and an error with all readings where there is none or more than one.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyproj import CRS

from clearplan.core.crs import operation, parse_crs
from clearplan.core.errors import CrsError
from clearplan.geo.angles import read_angles
from clearplan.geo.soviet_sheets import Sheet, neighbours

Region = tuple[float, float, float, float]

#: Geographic CRS of each datum that records may name.
GEOGRAPHIC = {"SK-42": "EPSG:4284", "WGS 84": "EPSG:4326"}
#: Errors spread evenly over a cell of width w have the standard error w / sqrt(12).
_PER_CELL = 1 / math.sqrt(12)
_METRES_PER_DEGREE = 111_200.0
_THREE_DEGREES = "Gauss-Krueger, 3-degree zone"
#: How far beyond its own half width a zone is still used: half a degree for one of six degrees.
_OVERLAP = 1 / 6


@dataclass(frozen=True)
class Reading:
    """One way to read a position: x is easting or longitude, y northing or latitude, in ``crs``.

    ``sigma_m`` is the standard error per axis that the last digit leaves [m].
    """

    notation: str
    crs: str
    x: float
    y: float
    sigma_m: float


@lru_cache(maxsize=1)
def _converter() -> Any:
    import mgrs

    return mgrs.MGRS()


def last_digit_m(decimals: int, *, degrees: bool) -> float:
    """Standard error per axis that the last digit of a written coordinate leaves [m]: its worth / sqrt(12).

    >>> round(last_digit_m(5, degrees=True), 2), round(last_digit_m(0, degrees=False), 2)
    (0.32, 0.29)
    """
    return 10.0**-decimals * (_METRES_PER_DEGREE if degrees else 1.0) * _PER_CELL


def mgrs_square(lon: float, lat: float, digits: int = 2) -> str:
    """MGRS square that holds a WGS 84 point; 2 digits is 1 km, 5 is 1 m.

    >>> mgrs_square(46.93, 39.99)
    '38SPK6428'
    """
    return str(_converter().toMGRS(lat, lon, MGRSPrecision=digits))


def read_position(
    text: str, *, datum: str, region: Region | None = None, sheet: Sheet | None = None, grid: str | None = None
) -> Reading:
    """The one position that a text gives.

    Where neither region, sheet nor grid is given, a zone of one digit before a Gauss-Krueger easting is one of six
    degrees: y=8664842 lies in zone 8, EPSG:28408. A zone of two digits can be one of six or of three degrees, and is
    asked. A region or a sheet decides between both, and a grid names it.

    Parameters
    ----------
    text : str
        39.99N 46.93E; 39°59'24"N 46°55'48"E; 39°59.4'N 46°55.8'E; N39d59m24s E46d55m48s; 39°59'24" с.ш. 46°55'48" в.д.;
        39°59',4 с.ш. 46°55',8 в.д.; +39.99+046.93; x=4430282 y=8664842 (Soviet x is northing); 38S PK 6428 2828;
        38N 664321 4428123. Decimal points or commas.
    datum : 'SK-42' or 'WGS 84'
    region : (west, south, east, north), WGS 84 [degrees]
        Readings outside are dropped.
    sheet : Sheet
        Readings off this map sheet are dropped.
    grid : str
        EPSG code by which the planner answers which grid was used.

    Raises
    ------
    ValueError
        "rule|remedy": the text can't be read, lies outside the sheet or region, or can be read in several ways.

    >>> read_position("x=4430282 y=8664842", datum="SK-42").crs
    'EPSG:28408'
    >>> read_position("N39d59m24s E46d55m48s", datum="WGS 84").y
    39.99
    >>> read_position("39.99 40.01", datum="WGS 84")
    Traceback (most recent call last):
    ValueError: coordinates can be read as 39.99000 N 40.01000 E (decimal degrees, latitude first) or 40.01000 N
    39.99000 E (decimal degrees, longitude first)|write N and E, or declare the grid or the map sheet
    """
    found = readings(text, datum=datum, region=region)
    if grid is not None:
        found = _in_grid(found, grid)
    elif region is None and sheet is None:
        found = tuple(r for r in found if not (r.notation.startswith(_THREE_DEGREES) and r.x < 10_000_000))
    fitting = _within(found, region, sheet)
    if len(fitting) > 1 or (grid is None and sheet is None and _zone_unclear(fitting, region)):
        every = " or ".join(_words(reading) for reading in fitting)
        unclear = "can be read as" if len(fitting) > 1 else "lack their zone, and two zones meet in the region; read as"
        labels = "x= and y=" if fitting[0].notation.startswith("Gauss") else "N and E"
        raise ValueError(f"coordinates {unclear} {every}|write {labels}, or declare the grid or the map sheet")
    return fitting[0]


def _in_grid(found: tuple[Reading, ...], grid: str) -> tuple[Reading, ...]:
    try:
        wanted = parse_crs(grid)
    except CrsError:
        told = str(grid)[:40].replace("|", "/")
        raise ValueError(f"CRS {told!r} is not known|name the grid as EPSG:28408 or another code") from None
    own = tuple(reading for reading in found if parse_crs(reading.crs) == wanted)
    if not own:
        raise ValueError(f"coordinates can't be read in {wanted.name}|correct them, or the grid")
    return own


def placed_within(reading: Reading, *, region: Region | None = None, sheet: Sheet | None = None) -> Reading:
    """The reading itself, where it lies in the region and on the sheet.

    Raises
    ------
    ValueError
        It lies outside.
    """
    return _within((reading,), region, sheet)[0]


def readings(text: str, *, datum: str, region: Region | None = None) -> tuple[Reading, ...]:
    """Every way in which a text can be read; the region only limits the zones of grids without one.

    Raises
    ------
    ValueError
        "rule|remedy": there is none.
    """
    if datum not in GEOGRAPHIC:
        raise ValueError(f"datum {datum!r} is not known|write one of {', '.join(GEOGRAPHIC)}")
    plain = _plain(text)
    if not re.search(r"\d", plain):
        raise ValueError("coordinates hold no number|write both, as in 39°59'24\"N 46°55'48\"E")
    if re.search(r"\d\s*[OoОо]|[OoОо]\s*\d", plain):
        raise ValueError("coordinates hold the letter O where a zero belongs|write the digit 0")
    for form in (_mgrs, _utm, _gauss_krueger):
        found = form(plain, region)
        if found is None:
            continue
        own = "SK-42" if form is _gauss_krueger else "WGS 84"
        if datum != own:
            raise ValueError(f"{found[0].notation} is a grid of {own}, but the datum is {datum}|correct one of them")
        return tuple(found)
    per_digit = _METRES_PER_DEGREE * _PER_CELL
    crs = GEOGRAPHIC[datum]
    return tuple(Reading(words, crs, lon, lat, worth * per_digit) for lon, lat, worth, words in read_angles(plain))


def _plain(text: object) -> str:
    """One mark for each of the many ways to write degrees, minutes, seconds, dashes and blanks."""
    plain = re.sub(r"[\s\u00a0\u2007\u202f]+", " ", str(text)).strip()
    plain = re.sub(r"[′’‘´`ʹ]", "'", plain)
    plain = re.sub(r"''|[″”“„]", '"', plain)
    plain = re.sub(r"[º˚]", "°", plain)
    return re.sub(r"[\u2010-\u2015\u2212]", "-", plain)


# --- which reading fits ------------------------------------------------------------------------------------------


def _lonlat(reading: Reading, target: int) -> tuple[float, float]:
    source = parse_crs(reading.crs)
    if source.to_epsg() == target:
        return reading.x, reading.y
    lon, lat = operation(source, CRS.from_epsg(target))[0].transform(reading.x, reading.y)
    return float(lon), float(lat)


def _within(found: Iterable[Reading], region: Region | None, sheet: Sheet | None) -> list[Reading]:
    found = list(found)
    fitting = [r for r in found if _fits(r, region, sheet)]
    if fitting:
        return fitting
    places = "; ".join(_words(reading) for reading in found)
    if sheet is None:
        raise ValueError(f"coordinates are outside the declared region: {places}|correct them, or widen region")
    beside = [n.name for n in neighbours(sheet) for r in found if _fits(r, region, n)]
    hint = f"; it lies on the sheet beside it, {beside[0]}" if beside else ""
    raise ValueError(f"coordinates are off the declared sheet {sheet.name}: {places}{hint}|correct them, or the sheet")


def _fits(reading: Reading, region: Region | None, sheet: Sheet | None) -> bool:
    margin = 3 * reading.sigma_m + 1
    if region is not None:
        lon, lat = _lonlat(reading, 4326)
        west, south, east, north = region
        dy = margin / _METRES_PER_DEGREE
        dx = dy / max(math.cos(math.radians(lat)), 0.1) if abs(lat) < 90 else dy
        if not (west - dx <= lon <= east + dx and south - dy <= lat <= north + dy):
            return False
    if sheet is not None:
        lon, lat = _lonlat(reading, 4284)
        return sheet.holds(lon, lat, margin)
    return True


def _zone_unclear(fitting: list[Reading], region: Region | None) -> bool:
    """A grid position without its zone, in a region where two 3-degree zones meet."""
    if region is None or not fitting or "without zone" not in fitting[0].notation:
        return False
    west, _, east, _ = region
    return math.floor((west - 1.5) / 3) != math.floor((east - 1.5) / 3)


def _words(reading: Reading) -> str:
    lon, lat = _lonlat(reading, 4326)
    place = f"{abs(lat):.5f} {'N' if lat >= 0 else 'S'} {abs(lon):.5f} {'E' if lon >= 0 else 'W'}"
    if reading.crs in GEOGRAPHIC.values():
        place = (
            f"{abs(reading.y):.5f} {'N' if reading.y >= 0 else 'S'} "
            f"{abs(reading.x):.5f} {'E' if reading.x >= 0 else 'W'}"
        )
        return f"{place} ({reading.notation})"
    return f"{place} ({reading.notation}, {reading.crs})"


# --- grids -------------------------------------------------------------------------------------------------------

_MGRS = re.compile(r"^(\d{1,2})\s?([C-HJ-NP-X])\s?([A-HJ-NP-Z])([A-HJ-NP-V])((?:\s?\d+)*)$", re.IGNORECASE)
_FIGURE = r"\d{5,8}(?:[.,]\d+)?"
_ZONE = r"^(?:zone\s?)?(\d{1,2})\s?"
_UTM_LABELLED = re.compile(
    rf"{_ZONE}([A-Z])?[\s,;:]+E\s?[=:]?\s?({_FIGURE})[\s,;]+N\s?[=:]?\s?({_FIGURE})$", re.IGNORECASE
)
_UTM = re.compile(rf"{_ZONE}([A-Z])?[\s,;:]+({_FIGURE})\s?(?:m?E)?[\s,;]+({_FIGURE})\s?(?:m?N)?$", re.IGNORECASE)
_METRES = r"(?:\s?[mм]\.?)?"
_LABEL = rf"([xyху])\s?[=:]?\s?([\d .,]+?){_METRES}"
_LABELLED = re.compile(rf"^{_LABEL}[\s,;]*{_LABEL}[\s,;.]*$", re.IGNORECASE)
_GROUPED = r"(?:\d{1,2} \d{3} \d{3}|\d{3} \d{3}|\d{5,8})(?:[.,]\d+)?"
_BARE = re.compile(rf"^({_GROUPED}){_METRES}[\s,;]+({_GROUPED}){_METRES}[\s,;.]*$", re.IGNORECASE)


def _mgrs(text: str, _: Region | None) -> list[Reading] | None:
    found = _MGRS.match(text)
    if not found:
        return None
    digits = found[5].replace(" ", "")
    parts = found[5].split()
    if len(digits) % 2 or len(digits) > 10 or (len(parts) == 2 and len(parts[0]) != len(parts[1])) or len(parts) > 2:
        raise ValueError("MGRS needs as many digits for the easting as for the northing|write it as 38S PK 6428 2828")
    zone, cell = int(found[1]), 10 ** (5 - len(digits) // 2)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the middle of a large square may lie in the next band
            lat, lon = _converter().toLatLon(f"{zone:02d}{found[2]}{found[3]}{found[4]}{digits}".upper())
    except Exception:
        raise ValueError("MGRS square does not exist|check zone, band and the two letters") from None
    # Corner or middle, as versions of the package have it: the cell's own lines are whole multiples of its size.
    code = f"EPSG:{(32600 if found[2].upper() >= 'N' else 32700) + zone}"
    xy = operation(CRS.from_epsg(4326), parse_crs(code))[0].transform(lon, lat)
    east, north = (math.floor((value + 0.1) / cell) * cell + cell / 2 for value in xy)
    size = f"{cell // 1000} km" if cell >= 1000 else f"{cell} m"
    return [Reading(f"MGRS, square of {size}", code, float(east), float(north), cell * _PER_CELL)]


def _utm(text: str, _: Region | None) -> list[Reading] | None:
    found = _UTM_LABELLED.match(text) or _UTM.match(text)
    if not found:
        return None
    zone, band = int(found[1]), (found[2] or "").upper()
    (x, sigma), (y, other) = _figure(found[3]), _figure(found[4])
    if not 1 <= zone <= 60 or band in ("I", "O", "A", "B", "Y", "Z"):
        raise ValueError("UTM zone must be 1 to 60 with N or S, or a band from C to X|write it as 38N 664321 4428123")
    if not (100_000 <= x <= 900_000 and 0 <= y <= 10_000_000):
        raise ValueError("UTM easting must be 100,000 to 900,000 m, northing up to 10,000,000 m|correct the figures")
    southern = {"": (False, True), "N": (False,), "S": (False, True)}.get(band, (band < "N",))
    sides = []
    for south in southern:
        code = f"EPSG:{(32700 if south else 32600) + zone}"
        sides.append(Reading(f"UTM zone {zone} {'south' if south else 'north'}", code, x, y, max(sigma, other)))
    return [side for side in sides if band in ("", "N", "S") or _in_band(side, band)] or _refuse_band(band)


def _in_band(reading: Reading, band: str) -> bool:
    """Whether a position lies in its band of 8 degrees (X has 12)."""
    lat = _lonlat(reading, 4326)[1]
    south = -80 + 8 * "CDEFGHJKLMNPQRSTUVWX".index(band)
    return south - 0.1 <= lat <= south + (12 if band == "X" else 8) + 0.1


def _refuse_band(band: str) -> list[Reading]:
    raise ValueError(f"UTM northing does not lie in band {band}|correct the band, or write N or S for the hemisphere")


def _gauss_krueger(text: str, region: Region | None) -> list[Reading] | None:
    if labelled := _LABELLED.match(text):
        names = ["x" if name in "xхXХ" else "y" for name in (labelled[1], labelled[3])]
        if names[0] == names[1]:
            raise ValueError(f"coordinate {names[0]} stands twice|write x (northing) and y (easting)")
        figures = dict(zip(names, (labelled[2], labelled[4]), strict=True))
        pairs = [(_figure(figures["x"]), _figure(figures["y"]))]
    elif bare := _BARE.match(text):
        if re.search(r"\d,\d{1,2} \d{3} \d{3}", text):
            raise ValueError(
                "a comma can be a decimal mark or stand between numbers|write x= and y= before the figures"
            )
        one, other = _figure(bare[1]), _figure(bare[2])
        pairs = [(one, other), (other, one)]
    else:
        return None
    found = []
    for (north, sigma), (east, other_sigma) in pairs:
        if 1_000_000 <= north < 9_400_000:
            found += [
                Reading(words, code, x, north, max(sigma, other_sigma))
                for words, code, x in _zones(east, north, region)
            ]
    if not found:
        raise ValueError(
            "grid coordinates need x (northing) of 7 digits and y (easting) of 6, or with the zone in front 7 or 8|"
            "write them in full, as in x=4430282 y=8664842"
        )
    return found


def _zones(east: float, north: float, region: Region | None) -> list[tuple[str, str, float]]:
    """Gauss-Krueger grids in which an easting can lie: words, code, x."""
    zone, rest = divmod(east, 1_000_000)
    zone = int(zone)
    found = []
    if zone:
        if 4 <= zone <= 32 and _in_zone(rest, north, 3):
            found.append((f"Gauss-Krueger, 6-degree zone {zone}", f"EPSG:{28400 + zone}", east))
        if 7 <= zone <= 64 and _in_zone(rest, north, 1.5):
            found.append((f"{_THREE_DEGREES} {zone}", f"EPSG:{_three_degree_code(zone)}", east))
        return found
    west, span_to = (region[0], region[2]) if region else (40.5, 49.5)
    for middle in range(21, 180, 3):
        six = middle % 6 == 3
        reach = 3 if six else 1.5
        far = reach * (1 + _OVERLAP)
        if middle + far < west or middle - far > span_to:
            continue
        if _in_zone(east, north, reach):
            code = 2494 + (middle - 21) // 6 if six else 2582 + (middle - 21) // 3 + (middle >= 75)
            found.append((f"Gauss-Krueger without zone, middle {middle} E", f"EPSG:{code}", east))
    return found


def _three_degree_code(zone: int) -> int:
    """EPSG code of a 3-degree zone; 2550 is a grid of Borneo, and 2577 lacks the 500 km of zone 60."""
    return 3389 if zone == 60 else 2516 + zone + (zone >= 34)


def _in_zone(east: float, north: float, half_width_deg: float) -> bool:
    lat = north / _METRES_PER_DEGREE
    return abs(east - 500_000) <= half_width_deg * (1 + _OVERLAP) * _METRES_PER_DEGREE * math.cos(math.radians(lat))


def _figure(text: str) -> tuple[float, float]:
    """A figure in metres and the standard error of its last digit [m]."""
    plain = text.replace(" ", "").replace(",", ".").strip(".")
    if not re.fullmatch(r"\d+(?:\.\d+)?", plain):
        raise ValueError(f"{text.strip()[:30]!r} is no figure in metres|write digits with one decimal mark at most")
    digits = len(plain.partition(".")[2])
    return float(plain), 10.0**-digits * _PER_CELL
