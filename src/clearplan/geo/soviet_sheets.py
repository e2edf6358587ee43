"""Soviet map sheets, 1:1 million to 1:10 000: name to bounds in SK-42 and back.

Letter = belt of 4 degrees from the equator (A is 0), number = column of 6 degrees (31 begins at Greenwich). A sheet is
cut row-wise from its north-west corner: 1:500 000 in 2 x 2 (А-Г), 1:200 000 in 6 x 6 (I-XXXVI), 1:100 000 in 12 x 12
(1-144); that in 2 x 2 to 1:50 000 (А-Г), again to 1:25 000 (а-г) and to 1:10 000 (1-4).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

#: Height and width of a sheet of each scale [seconds of arc].
SIZES = {
    1_000_000: (14_400, 21_600),
    500_000: (7_200, 10_800),
    200_000: (2_400, 3_600),
    100_000: (1_200, 1_800),
    50_000: (600, 900),
    25_000: (300, 450),
    10_000: (150, 225),
}
_BELTS = "ABCDEFGHIJKLMNOPQRSTUV"
#: Cyrillic letters that look like a Latin belt letter. В is not among them: it looks like B and sounds like V.
_LOOKS = dict(zip("АЕКМНОРСТ", "AEKMHOPCT", strict=True))
_QUADRANTS = "АБВГ"
_LATIN_QUADRANTS = "ABCD"
#: North of here two sheets are printed as one [degrees].
_PAIRED_FROM = 60


@dataclass(frozen=True)
class Sheet:
    """A map sheet; bounds in degrees, SK-42."""

    name: str
    scale: int
    west: float
    south: float
    east: float
    north: float

    def holds(self, lon: float, lat: float, margin_m: float = 0.0) -> bool:
        """Whether a point (SK-42 [degrees]) lies on the sheet, or within a margin [m] of it."""
        dy = margin_m / 111_000
        dx = dy / max(math.cos(math.radians(lat)), 0.1)
        return self.west - dx <= lon <= self.east + dx and self.south - dy <= lat <= self.north + dy


def parse_sheet(text: str, *, script: str | None = None) -> Sheet:
    """A sheet by its name, as in J-38, J-38-Г, J-38-V, J-38-010, J-38-010-Б, J-38-010-Б-а, J-38-010-Б-а-1.

    Parameters
    ----------
    text : str
        Hyphens or spaces between the parts; zeros in front of the number may be left out. Quadrants by letters А Б В Г
        or A, C, D: Latin A is А and Latin D is Г in both ways of writing; Latin C is the third.
    script : 'latin' or 'cyrillic', optional
        In which alphabet quadrants were written. Without it a Latin B is asked about: it is the second quadrant where
        A B C D were used, and the third where somebody typed it for the Cyrillic В.

    Raises
    ------
    ValueError
        "rule|remedy": not a sheet's name, ambiguous, or north of 60 degrees.

    >>> sheet = parse_sheet("J-38-010-Б")
    >>> sheet.west, round(sheet.south, 4), sheet.east, sheet.north
    (46.75, 39.8333, 47.0, 40.0)
    """
    parts = [part for part in re.split(r"[\s\-\u2010-\u2015,.]+", str(text).strip()) if part]
    if parts and (joined := re.fullmatch(r"([^\W\d_])(\d{1,2})", parts[0])):
        parts[:1] = joined.groups()
    if len(parts) < 2 or not re.fullmatch(r"\d{1,2}", parts[1]) or len(parts) > 6:
        raise ValueError(f"{_short(text)} is no map sheet|write it as J-38-010-Б")
    belt, column = _belt(parts[0]), int(parts[1])
    if not 1 <= column <= 60:
        raise ValueError(f"column {column} of a map sheet must be 1 to 60|correct the second part of the name")
    if 4 * (belt + 1) > _PAIRED_FROM:
        raise ValueError("sheets north of 60 degrees are printed in pairs and not known here|give coordinates instead")
    south, west = belt * 14_400, (column - 31) * 21_600
    return _divided(f"{_BELTS[belt]}-{column:02d}", 1_000_000, south, west, parts[2:], script)


def _belt(letter: str) -> int:
    upper = letter.upper()
    if upper == "В":
        raise ValueError("belt letter В is Cyrillic: it can be read as B or as V|write the belt in Latin letters")
    upper = _LOOKS.get(upper, upper)
    if len(upper) != 1 or upper not in _BELTS:
        raise ValueError(f"{_short(letter)} is no belt of map sheets|write a Latin letter, as in J-38")
    return _BELTS.index(upper)


def _divided(name: str, scale: int, south: int, west: int, parts: list[str], script: str | None) -> Sheet:
    """The sheet that the further parts of a name point at."""
    if not parts:
        height, width = SIZES[scale]
        bounds = (west / 3600, south / 3600, (west + width) / 3600, (south + height) / 3600)
        return Sheet(name, scale, *bounds)
    _refuse_mixed(parts)
    finer, across, number, written = _step(scale, parts[0], script, name)
    height, width = SIZES[finer]
    row, column = divmod(number, across)
    top = south + SIZES[scale][0]
    return _divided(f"{name}-{written}", finer, top - (row + 1) * height, west + column * width, parts[1:], script)


def _step(scale: int, part: str, script: str | None, name: str) -> tuple[int, int, int, str]:
    """(finer scale, sheets across, number from the north-west, part as written) of one part of a name."""
    if scale == 1_000_000:
        if re.fullmatch(r"\d{1,3}", part):
            number = _within(int(part), 144, part)
            return 100_000, 12, number - 1, f"{number:03d}"
        roman = part.upper().replace("Х", "X").replace("І", "I")
        if re.fullmatch(r"[IVX]+", roman):
            number = _within(_from_roman(roman), 36, part)
            return 200_000, 6, number - 1, roman
        quadrant = _quadrant(part, script, name)
        return 500_000, 2, quadrant, _QUADRANTS[quadrant]
    if scale == 100_000:
        quadrant = _quadrant(part, script, name)
        return 50_000, 2, quadrant, _QUADRANTS[quadrant]
    if scale == 50_000:
        quadrant = _quadrant(part, script, name)
        return 25_000, 2, quadrant, _QUADRANTS[quadrant].lower()
    if scale == 25_000 and re.fullmatch(r"\d", part):
        return 10_000, 2, _within(int(part), 4, part) - 1, part
    raise ValueError(f"{_short(part)} does not divide sheet {name}|write the name as J-38-010-Б-а-1")


def _within(number: int, most: int, part: str) -> int:
    if not 1 <= number <= most:
        raise ValueError(f"{_short(part)} must be 1 to {most}|correct that part of the sheet's name")
    return number


def _quadrant(part: str, script: str | None, name: str) -> int:
    letter = part.upper()
    if letter in ("A", "А"):
        return 0
    if letter == "B":
        if script == "latin":
            return 1
        if script == "cyrillic":
            return 2
        raise ValueError(
            f"Latin {part} after {name} can be the second quadrant (Б) or the third (a Cyrillic В)|write Б or В in "
            "Cyrillic"
        )
    if letter == "С":
        raise ValueError(f"Cyrillic {part} after {name} is no quadrant; it looks like the Latin C, the third|write В")
    for letters in (_QUADRANTS, _LATIN_QUADRANTS):
        if len(letter) == 1 and letter in letters:
            return letters.index(letter)
    raise ValueError(f"{_short(part)} is no quadrant of {name}|write А, Б, В or Г")


def _refuse_mixed(parts: list[str]) -> None:
    """Letters of both alphabets in one name: one of them was mistyped, and B is not В."""
    letters = [part.upper() for part in parts if len(part) == 1 and part.isalpha()]
    cyrillic = [x for x in letters if x in _QUADRANTS[1:]]
    latin = [x for x in letters if x in _LATIN_QUADRANTS[1:]]
    if cyrillic and latin:
        raise ValueError(
            f"quadrants {cyrillic[0]} (Cyrillic) and {latin[0]} (Latin) stand in one name|write both in Cyrillic: "
            "А, Б, В, Г"
        )


def _from_roman(text: str) -> int:
    for number in range(1, 37):
        if _roman(number) == text:
            return number
    raise ValueError(f"{text} is no number from I to XXXVI|correct that part of the sheet's name")


def _roman(number: int) -> str:
    tens, ones = divmod(number, 10)
    return "X" * tens + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]


def sheet_at(lon: float, lat: float, scale: int) -> Sheet:
    """The sheet of a scale on which a point lies (SK-42 [degrees]); its south and west edges belong to it.

    Raises
    ------
    ValueError
        The scale is none of these, or the point lies south of the equator or north of 60 degrees.

    >>> sheet_at(46.93, 39.99, 50_000).name, sheet_at(46.93, 39.99, 200_000).name
    ('J-38-010-Б', 'J-38-V')
    """
    if scale not in SIZES:
        raise ValueError(f"1:{scale} is no scale of these sheets|choose one of {', '.join(map(str, SIZES))}")
    if not (0 <= lat < _PAIRED_FROM and -180 <= lon < 180):
        raise ValueError("point lies off the sheets known here|give one between the equator and 60 degrees north")
    y, x = lat * 3600, lon * 3600
    belt, column = int(y // 14_400), int(x // 21_600) + 31
    south, west = belt * 14_400, (column - 31) * 21_600
    name, at = f"{_BELTS[belt]}-{column:02d}", 1_000_000
    for finer, across, letters in _road(scale):
        height, width = SIZES[finer]
        # Rounding must not carry a point over the edge of the sheet that it was found on.
        from_south = min(int((y - south) // height), across - 1)
        from_west = min(int((x - west) // width), across - 1)
        number = (across - 1 - from_south) * across + from_west
        name += f"-{_written(number, letters)}"
        south, west, at = south + from_south * height, west + from_west * width, finer
    return _divided(name, at, south, west, [], None)


def _road(scale: int) -> list[tuple[int, int, str]]:
    """Steps from 1:1 million down to a scale: (finer scale, sheets across, how they are numbered)."""
    if scale == 500_000:
        return [(500_000, 2, "upper")]
    if scale == 200_000:
        return [(200_000, 6, "roman")]
    steps = [(100_000, 12, "number"), (50_000, 2, "upper"), (25_000, 2, "lower"), (10_000, 2, "digit")]
    return [step for step in steps if step[0] >= scale] if scale < 1_000_000 else []


def _written(number: int, letters: str) -> str:
    if letters in ("upper", "lower"):
        return _QUADRANTS[number] if letters == "upper" else _QUADRANTS[number].lower()
    return {"roman": _roman(number + 1), "number": f"{number + 1:03d}", "digit": str(number + 1)}[letters]


def neighbours(sheet: Sheet) -> tuple[Sheet, ...]:
    """Sheets of the same scale around one, as far as there are any."""
    height, width = (side / 3600 for side in SIZES[sheet.scale])
    lon, lat = (sheet.west + sheet.east) / 2, (sheet.south + sheet.north) / 2
    around = [(lon + i * width, lat + j * height) for j in (1, 0, -1) for i in (-1, 0, 1) if (i, j) != (0, 0)]
    return tuple(sheet_at(x, y, sheet.scale) for x, y in around if 0 <= y < _PAIRED_FROM and -180 <= x < 180)


def _short(text: object) -> str:
    return repr(str(text)[:40].replace("|", "/"))
