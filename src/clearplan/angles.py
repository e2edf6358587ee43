"""Degrees as people write them: decimal, with minutes, with seconds; Latin and Cyrillic hemispheres; both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LATIN = {"N": (1, "lat"), "S": (-1, "lat"), "E": (1, "lon"), "W": (-1, "lon")}
_CYRILLIC = {"С": (1, "lat"), "Ю": (-1, "lat"), "В": (1, "lon"), "З": (-1, "lon")}
_MARKED = re.compile(r"(\d+(?:[.,]\d+)?) ?d ?(?:(\d+(?:[.,]\d+)?) ?m ?(?:(\d+(?:[.,]\d+)?) ?s)?)?")
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)|(?P<mark>[°'\"])|(?P<cyrillic>[СЮВЗ] ?(?:\. ?)?(?:[ШД]\.?)?)|(?P<latin>[A-Z])"
    r"|(?P<sign>(?<![\d°'\"])[-+](?=\d))|(?P<gap>[:;, ]+|-)",
    re.IGNORECASE,
)
_MARKS = {"°": 0, "'": 1, '"': 2}


@dataclass
class _Angle:
    numbers: list[tuple[str, str]]  # digits and the mark behind them
    sign: str = ""
    side: str = ""


def read_angles(text: str) -> list[tuple[float, float, float, str]]:
    """(longitude, latitude, worth of the last digit [degrees], words) of a text; both orders where no letter tells.

    Raises
    ------
    ValueError
        "rule|remedy": it can't be read.

    >>> read_angles("N39d59m24s E46d55m48s")[0][:2]
    (46.93, 39.99)
    """
    text = _MARKED.sub(
        lambda m: "".join(f"{part}{mark}" for part, mark in zip(m.groups(), "°'\"", strict=True) if part), text
    )
    tokens = _tokens(_with_decimal_points(text))
    parts = _with_sides(tokens) if any(kind in ("latin", "cyrillic") for kind, _ in tokens) else _without_sides(tokens)
    (one, fine_one), (other, fine_other) = (_degrees(part) for part in parts)
    words = ("decimal degrees", "degrees and minutes", "degrees, minutes and seconds")[
        max(len(part.numbers) for part in parts) - 1
    ]
    if parts[0].side:
        sides = [_CYRILLIC.get(part.side) or _LATIN[part.side] for part in parts]
        if sides[0][1] == sides[1][1]:
            raise ValueError("both coordinates are on the same axis|write one with N or S and one with E or W")
        values = {axis: sign * value for (sign, axis), value in zip(sides, (one, other), strict=True)}
        pairs = [(values["lon"], values["lat"], words)]
    else:
        pairs = [(other, one, f"{words}, latitude first"), (one, other, f"{words}, longitude first")]
    worth = max(fine_one, fine_other)
    found = [(lon, lat, worth, told) for lon, lat, told in pairs if abs(lat) <= 90 and abs(lon) <= 180]
    if not found:
        raise ValueError("latitude must be within 90 and longitude within 180 degrees|mend the figures")
    return found if len(found) < 2 or found[0][0] != found[1][0] else found[:1]


def _with_decimal_points(text: str) -> str:
    """Decimal commas as points; a comma is a decimal mark only where no point is one."""
    if re.search(r"\d\.\d", text):
        return text
    if re.search(r"\d,\d+,\d", text):
        raise ValueError("a comma can be a decimal mark or stand between numbers|write decimal points")
    return re.sub(r"(?<=\d),(?=\d)", ".", text)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, at = [], 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            part = text[at : at + 10].replace("|", "/")
            raise ValueError(f"{part!r} is no part of coordinates|write them as 39°59'24\"N 46°55'48\"E")
        kind = str(found.lastgroup)
        value = found[0].upper()
        at = found.end()
        if kind == "latin" and value not in _LATIN:
            raise ValueError(f"letter {value} is no hemisphere|write N S E W, or С.Ш. and В.Д. in Cyrillic")
        if kind == "cyrillic":
            letters = re.sub(r"[^\w]", "", value)
            if len(letters) == 2 and (letters[1] == "Ш") != (letters[0] in "СЮ"):
                raise ValueError(f"{letters} is no hemisphere|write С.Ш., Ю.Ш., В.Д. or З.Д.")
            value = letters[0]
        if kind != "gap":
            tokens.append((kind, value))
    return tokens


def _with_sides(tokens: list[tuple[str, str]]) -> list[_Angle]:
    """Two angles, each with its hemisphere before or behind it."""
    kinds = [kind for kind, _ in tokens if kind in ("latin", "cyrillic")]
    if len(set(kinds)) > 1:
        raise ValueError("hemispheres are written in two alphabets; C, B look alike in both|write N and E, or С and В")
    if len(kinds) != 2:
        raise ValueError("one hemisphere letter for each of the two coordinates is needed|write N or S, and E or W")
    if any(kind == "sign" for kind, _ in tokens):
        raise ValueError("a coordinate has a sign and a hemisphere letter|write one of them")
    before = tokens[0][0] in ("latin", "cyrillic")
    angles: list[_Angle] = []
    if not before:
        angles.append(_Angle([]))
    for kind, value in tokens:
        if kind in ("latin", "cyrillic"):
            if before:
                angles.append(_Angle([], side=value))
            else:
                angles[-1].side = value
                angles.append(_Angle([]))
        else:
            _append(angles[-1], kind, value)
    angles = [angle for angle in angles if angle.numbers or angle.side]
    if len(angles) != 2 or not all(angle.numbers and angle.side for angle in angles):
        raise ValueError("hemisphere letters don't stand with both coordinates|write 39°59'24\"N 46°55'48\"E")
    return angles


def _without_sides(tokens: list[tuple[str, str]]) -> list[_Angle]:
    """Two angles without letters: cut at the second degree mark, at a sign, or in equal halves."""
    numbers = [k for k, (kind, _) in enumerate(tokens) if kind == "number"]
    degrees = [k for k in numbers if tokens[k + 1 : k + 2] == [("mark", "°")]]
    if degrees and len(degrees) != 2:
        raise ValueError("the degree mark must stand with both coordinates or with none|write 39°59'24\" 46°55'48\"")
    if not degrees and len(numbers) not in (2, 4, 6):
        raise ValueError("two coordinates of one to three numbers each are needed|write 39°59'24\"N 46°55'48\"E")
    cut = degrees[1] if degrees else numbers[len(numbers) // 2]
    if tokens[cut - 1][0] == "sign":
        cut -= 1
    angles = [_Angle([]), _Angle([])]
    for k, (kind, value) in enumerate(tokens):
        _append(angles[k >= cut], kind, value)
    if not all(angle.numbers for angle in angles):
        raise ValueError("two coordinates are needed|write 39°59'24\"N 46°55'48\"E")
    return angles


def _append(angle: _Angle, kind: str, value: str) -> None:
    if kind == "number":
        angle.numbers.append((value, ""))
    elif kind == "sign":
        if angle.numbers or angle.sign:
            raise ValueError("a sign stands within a coordinate|write it in front, once")
        angle.sign = value
    elif not angle.numbers or angle.numbers[-1][1]:
        raise ValueError("a mark stands without its number|write 39°59'24\"N 46°55'48\"E")
    else:
        angle.numbers[-1] = (angle.numbers[-1][0], value)


def _degrees(angle: _Angle) -> tuple[float, float]:
    """Value [degrees] and the worth of its last digit [degrees]."""
    if len(angle.numbers) > 3:
        raise ValueError("a coordinate has more than degrees, minutes and seconds|write 39°59'24\"N 46°55'48\"E")
    value, worth = 0.0, 1.0
    for place, (digits, mark) in enumerate(angle.numbers):
        if mark and _MARKS[mark] != place:
            raise ValueError("marks are not in the order degrees, minutes, seconds|write 39°59'24\"N")
        whole, _, decimals = digits.partition(".")
        if decimals and place < len(angle.numbers) - 1:
            raise ValueError("only the last part of a coordinate may have decimals|mend the others")
        if place and (float(digits) >= 60 or len(whole) > 2):
            raise ValueError("minutes or seconds are 60 or more|mend the coordinate")
        value += float(digits) / 60**place
        worth = 10.0 ** -len(decimals) / 60**place
    return (-value if angle.sign == "-" else value), worth


def write_position(lon: float, lat: float, *, parts: int = 3, decimals: int = 1) -> str:
    """A position in degrees (1), degrees and minutes (2), or degrees, minutes and seconds (3).

    >>> write_position(46.93, 39.99), write_position(46.93, -39.99, parts=2, decimals=2)
    ('39°59\\'24.0"N 46°55\\'48.0"E', "39°59.40'S 46°55.80'E")
    """
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{_written(lat, parts, decimals)}{north} {_written(lon, parts, decimals)}{east}"


def _written(value: float, parts: int, decimals: int) -> str:
    # Rounded as a whole first, so that 59.99 seconds never become 60.
    units = round(abs(value) * 60 ** (parts - 1) * 10**decimals)
    figure, texts = units, []
    for place in range(parts - 1, -1, -1):
        base = 60 * 10**decimals if place == parts - 1 else 60
        figure, own = divmod(figure, base) if place else (0, figure)
        last = place == parts - 1 and decimals
        width = (3 + decimals if last else 2) if place else 1
        texts.append(f"{own / 10**decimals:0{width}.{decimals}f}" if last else f"{own:0{width}d}")
    return "".join(f"{text}{mark}" for text, mark in zip(reversed(texts), "°'\"", strict=False))
