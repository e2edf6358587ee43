"""Degrees as people write them: decimal, with minutes, with seconds; Latin and Cyrillic hemispheres; both ways."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_LATIN = {"N": (1, "lat"), "S": (-1, "lat"), "E": (1, "lon"), "W": (-1, "lon")}
_CYRILLIC = {"С": (1, "lat"), "Ю": (-1, "lat"), "В": (1, "lon"), "З": (-1, "lon")}
_MARKED = re.compile(r"(\d+(?:[.,]\d+)?) ?d(?: ?(\d+(?:[.,]\d+)?) ?m(?: ?(\d+(?:[.,]\d+)?) ?s)?)?")
#: Decimals behind their mark (59',4 and 59'.4 are 59.4') or before it (59,'4), but not the next number: 59',46°55'.
_MARK_WITHIN = re.compile(r"(?<![\d.])(\d+)(?:(?P<behind>[°'\"])[.,]|,(?P<before>[°'\"]))(\d+)(?!\d|[.,]\d| ?[°'\"])")
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)|(?P<mark>[°'\"])|(?P<cyrillic>[СЮВЗ] ?(?:\. ?)?(?:[ШД]\.?)?)|(?P<latin>[A-Z])"
    r"|(?P<sign>\+(?=\d)|(?<![\d°'\"])-(?=\d))|(?P<gap>[:;, ]+|-)",
    re.IGNORECASE,
)
_MARKS = {"°": 0, "'": 1, '"': 2}


class _Token(NamedTuple):
    kind: str
    value: str
    gap: str  # what stands between it and the token before it


@dataclass
class _Number:
    digits: str
    gap: str
    mark: str = ""


@dataclass
class _Angle:
    numbers: list[_Number] = field(default_factory=list)
    sign: str = ""
    side: str = ""


def read_angles(text: str) -> list[tuple[float, float, float, str]]:
    """(longitude, latitude, worth of the last digit [degrees], words) of a text; both orders where no letter tells.

    A comma is a decimal mark or stands between the two coordinates, never within one of them, but where both numbers
    beside it have their marks. Decimals may stand behind the mark, as on Soviet maps: 59',4 is 59.4 minutes.

    Raises
    ------
    ValueError
        "rule|remedy": it can't be read, or in more than one way.

    >>> read_angles("N39d59m24s E46d55m48s")[0][:2]
    (46.93, 39.99)
    >>> read_angles("39°59',4 с.ш. 46°55',8 в.д.")[0][:2]
    (46.93, 39.99)
    >>> read_angles("+39.99-046.93")[0][:2]
    (-46.93, 39.99)
    """
    text = _MARKED.sub(
        lambda m: "".join(f"{part}{mark}" for part, mark in zip(m.groups(), "°'\"", strict=True) if part), text
    )
    tokens = _tokens(_with_decimals_before_marks(_with_decimal_points(text)))
    parts = _with_sides(tokens) if any(t.kind in ("latin", "cyrillic") for t in tokens) else _without_sides(tokens)
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
        raise ValueError("latitude must be within 90 and longitude within 180 degrees|correct the figures")
    return found if len(found) < 2 or found[0][0] != found[1][0] else found[:1]


def _with_decimal_points(text: str) -> str:
    """Decimal commas as points; a comma between digits is a decimal mark only where no point is one."""
    if re.search(r"\d\.\d", text):
        return text
    if re.search(r"\d,\d+,\d|[°'\"],?\d+,\d+ ?°", text):
        raise ValueError("a comma can be a decimal mark or stand between numbers|write decimal points")
    return re.sub(r"(?<=\d),(?=\d)", ".", text)


def _with_decimals_before_marks(text: str) -> str:
    """59',4 and 59'.4 as 59.4'."""
    found = _MARK_WITHIN.search(text)
    if found and "°" not in text and not re.search(r"[^\W\d]", text):
        whole, mark = found[1], found["behind"] or found["before"]
        raise ValueError(
            f"{found[0]} can be {whole}.{found[4]}{mark} or {whole}{mark} and {found[4]}|"
            "write decimal points, and the degree mark with both coordinates"
        )
    text = _MARK_WITHIN.sub(lambda m: f"{m[1]}.{m[4]}{m['behind'] or m['before']}", text)
    if found := re.search(r"(\d+)([°'])(\d)(?!\d|[.,]\d| ?[°'\"])", text):
        (whole, mark, last), finer = found.groups(), "'" if found[2] == "°" else '"'
        raise ValueError(
            f"{found[0]} can be {whole}{mark}0{last}{finer} or {whole}.{last}{mark}|write the mark behind the {last}"
        )
    return text


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at, gap = 0, ""
    while at < len(text):
        found = _TOKEN.match(text, at)
        if not found:
            part = text[at : at + 10].replace("|", "/")
            raise ValueError(f"{part!r} is no part of coordinates|write them as 39°59'24\"N 46°55'48\"E")
        at = found.end()
        if found.lastgroup == "gap":
            gap += found[0]
            continue
        token = _Token(str(found.lastgroup), _value(str(found.lastgroup), found[0].upper()), gap)
        if "-" in gap and (not tokens or token.kind == "sign"):
            raise ValueError("a hyphen stands apart from its number, and can be a minus|write N or S, and E or W")
        tokens.append(token)
        gap = ""
    if "-" in gap:
        raise ValueError("a hyphen stands at the end, and can be a minus|write N or S, and E or W")
    return tokens


def _value(kind: str, text: str) -> str:
    """What a token says: of hemispheres the one letter that counts."""
    if kind == "latin" and text not in _LATIN:
        raise ValueError(f"letter {text} is no hemisphere|write N S E W, or С.Ш. and В.Д. in Cyrillic")
    if kind != "cyrillic":
        return text
    letters = re.sub(r"[^\w]", "", text)
    if len(letters) == 2 and (letters[1] == "Ш") != (letters[0] in "СЮ"):
        raise ValueError(f"{letters} is no hemisphere|write С.Ш., Ю.Ш., В.Д. or З.Д.")
    return letters[0]


def _with_sides(tokens: list[_Token]) -> list[_Angle]:
    """Two angles, each with its hemisphere before or behind it."""
    kinds = [token.kind for token in tokens if token.kind in ("latin", "cyrillic")]
    if len(set(kinds)) > 1:
        raise ValueError("hemispheres are written in two alphabets; C, B look alike in both|write N and E, or С and В")
    if len(kinds) != 2:
        raise ValueError("one hemisphere letter for each of the two coordinates is needed|write N or S, and E or W")
    if any(token.kind == "sign" for token in tokens):
        raise ValueError("a coordinate has a sign and a hemisphere letter|write one of them")
    before = tokens[0].kind in ("latin", "cyrillic")
    angles: list[_Angle] = []
    if not before:
        angles.append(_Angle())
    for token in tokens:
        if token.kind in ("latin", "cyrillic"):
            if before:
                angles.append(_Angle(side=token.value))
            else:
                angles[-1].side = token.value
                angles.append(_Angle())
        else:
            _append(angles[-1], token)
    angles = [angle for angle in angles if angle.numbers or angle.side]
    if len(angles) != 2 or not all(angle.numbers and angle.side for angle in angles):
        raise ValueError("hemisphere letters don't stand with both coordinates|write 39°59'24\"N 46°55'48\"E")
    return angles


def _without_sides(tokens: list[_Token]) -> list[_Angle]:
    """Two angles without letters: cut at the second degree mark, at a sign, or in equal halves."""
    numbers = [k for k, token in enumerate(tokens) if token.kind == "number"]
    degrees = [k for k in numbers if [token[:2] for token in tokens[k + 1 : k + 2]] == [("mark", "°")]]
    if degrees and len(degrees) != 2:
        raise ValueError("the degree mark must stand with both coordinates or with none|write 39°59'24\" 46°55'48\"")
    if not degrees and len(numbers) not in (2, 4, 6):
        raise ValueError("two coordinates of one to three numbers each are needed|write 39°59'24\"N 46°55'48\"E")
    cut = degrees[1] if degrees else numbers[len(numbers) // 2]
    if tokens[cut - 1].kind == "sign":
        cut -= 1
    angles = [_Angle(), _Angle()]
    for k, token in enumerate(tokens):
        _append(angles[k >= cut], token)
    if not all(angle.numbers for angle in angles):
        raise ValueError("two coordinates are needed|write 39°59'24\"N 46°55'48\"E")
    if tokens[cut].kind == "number" and not tokens[cut].gap and tokens[cut - 1].value != '"':
        raise ValueError("the coordinates run into one another|write a blank between them, or N and E")
    if "-" in tokens[cut].gap:
        angles[1].sign = _hyphen_between(tokens, cut)
    return angles


def _hyphen_between(tokens: list[_Token], cut: int) -> str:
    """The minus that a hyphen between two coordinates is, as in +39.99-046.93: only behind a coordinate with a sign."""
    hyphens = [k for k, token in enumerate(tokens) if "-" in token.gap]
    if tokens[0].kind == "sign" and hyphens == [cut] and tokens[cut].gap == "-":
        return "-"
    raise ValueError(
        "a hyphen between the coordinates can be a minus or only part them|write N and E, or both signs, or a comma"
    )


def _append(angle: _Angle, token: _Token) -> None:
    if token.kind == "number":
        angle.numbers.append(_Number(token.value, token.gap))
    elif token.kind == "sign":
        if angle.numbers or angle.sign:
            raise ValueError("a sign stands within a coordinate|write it in front, once")
        angle.sign = token.value
    elif not angle.numbers or angle.numbers[-1].mark or token.gap.strip():
        raise ValueError("a mark stands without its number|write 39°59'24\"N 46°55'48\"E")
    else:
        angle.numbers[-1].mark = token.value


def _degrees(angle: _Angle) -> tuple[float, float]:
    """Value [degrees] and the worth of its last digit [degrees]."""
    if len(angle.numbers) > 3:
        raise ValueError("a coordinate has more than degrees, minutes and seconds|write 39°59'24\"N 46°55'48\"E")
    value, worth = 0.0, 1.0
    for place, number in enumerate(angle.numbers):
        if number.mark and _MARKS[number.mark] != place:
            raise ValueError("marks are not in the order degrees, minutes, seconds|write 39°59'24\"N")
        whole, _, decimals = number.digits.partition(".")
        if place and "," in number.gap and not (number.mark and angle.numbers[place - 1].mark):
            raise ValueError("a comma within a coordinate can be a decimal mark or part numbers|write decimal points")
        if decimals and place < len(angle.numbers) - 1:
            raise ValueError("only the last part of a coordinate may have decimals|correct the others")
        if not place and len(whole) > 3:
            raise ValueError(
                f"{number.digits[:20]} is too long for degrees: degrees, minutes and seconds need marks or blanks|"
                "write 39°59'24\"N 46°55'48\"E; grid coordinates in full, as x=4430282 y=8664842"
            )
        if place and (float(number.digits) >= 60 or len(whole) > 2):
            raise ValueError("minutes or seconds are 60 or more|correct the coordinate")
        value += float(number.digits) / 60**place
        worth = 10.0 ** -len(decimals) / 60**place
    return (-value if angle.sign == "-" else value), worth
