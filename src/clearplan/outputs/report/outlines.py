"""Our own charts as SVG (``svg.to_svg``) read back as painted outlines, for writers of other formats.

What matplotlib's SVG is made of and no more: paths of absolute M, L, H, V, Q, C and Z, groups, uses, clips, hatches.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from xml.etree import ElementTree

from clearplan.core.errors import TableError

#: Six numbers a, b, c, d, e, f of an affine map: x' = a x + c y + e, y' = b x + d y + f.
Matrix = tuple[float, float, float, float, float, float]
#: A step of an outline: M, L (x, y), C (x1, y1, x2, y2, x, y) or Z ().
Step = tuple[str, tuple[float, ...]]
Colour = tuple[float, float, float]

_SAME: Matrix = (1, 0, 0, 1, 0, 0)
_LINK = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_STEP = re.compile(r"([A-Za-z])([^A-Za-z]*(?:[eE][-+]?\d[^A-Za-z]*)*)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "C": 6, "Z": 0}
_PAINT = (
    "fill",
    "stroke",
    "stroke-width",
    "stroke-linejoin",
    "stroke-linecap",
    "stroke-dasharray",
    "stroke-dashoffset",
    "fill-opacity",
    "stroke-opacity",
)
_CAPS, _JOINS = {"butt": 0, "round": 1, "square": 2}, {"miter": 0, "round": 1, "bevel": 2}


@dataclass(frozen=True)
class Outline:
    """Steps in their own units, the map from there to the drawing, how they are painted, and inside what.

    ``key``: names an outline that is used again and again, such as a letter. ``clips``: outlines in the drawing's
    units; only what lies in all of them shows.
    """

    steps: tuple[Step, ...]
    matrix: Matrix = _SAME
    fill: Colour | None = (0, 0, 0)
    stroke: Colour | None = None
    width: float = 1
    cap: int = 0
    join: int = 0
    dash: tuple[float, ...] = ()
    dash_from: float = 0
    fill_opacity: float = 1
    stroke_opacity: float = 1
    clips: tuple[tuple[Step, ...], ...] = ()
    key: str = ""


@dataclass(frozen=True)
class Drawing:
    """Width and height [points], what is said of it, and its outlines from the lowest to the highest."""

    width: float
    height: float
    title: str
    description: str
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class _State:
    """What an element inherits."""

    matrix: Matrix = _SAME
    style: Mapping[str, str] = field(default_factory=dict)
    opacity: float = 1
    clips: tuple[tuple[Step, ...], ...] = ()


def read_drawing(svg: str) -> Drawing:
    """A chart as its outlines.

    Raises
    ------
    TableError
        The text is no chart of ours.

    >>> told = read_drawing('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 5"><title>t</title>'
    ...                     '<path d="M 1 2 L 3 4 z" style="fill: #ff0000"/></svg>')
    >>> told.width, told.title, told.outlines[0].steps[:2], told.outlines[0].fill
    (9.0, 't', (('M', (1.0, 2.0)), ('L', (3.0, 4.0))), (1.0, 0.0, 0.0))
    """
    try:
        root = ElementTree.fromstring(svg)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise TableError(f"chart: can't be read as SVG ({error}); give what to_svg returned") from None
    named = {element.attrib["id"]: element for element in root.iter() if "id" in element.attrib}
    start = _State(style={"stroke-linejoin": "round", "stroke-linecap": "butt"})  # as matplotlib's own style sheet says
    outlines = tuple(out for child in root for out in _outlines(child, start, named))
    told = {name: "".join(one.itertext()) for one in root if (name := _tag(one)) in ("title", "desc")}
    return Drawing(width, height, told.get("title", ""), told.get("desc", ""), outlines)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _outlines(element: Any, above: _State, named: Mapping[str, Any]) -> Iterator[Outline]:
    """Outlines of an element and all in it."""
    tag = _tag(element)
    if tag in ("defs", "title", "desc", "style", "clipPath", "pattern"):
        return
    state = _inside(element, above, named)
    if tag == "g":
        for child in element:
            yield from _outlines(child, state, named)
    elif tag == "use":
        link = element.attrib[_LINK].removeprefix("#")
        moved = _joined(state.matrix, (1, 0, 0, 1, _at(element, "x"), _at(element, "y")))
        used = _inside(named[link], replace(state, matrix=moved), named)
        yield from _painted(_steps(named[link]), used, named, key=link)
    elif tag in ("path", "rect"):
        yield from _painted(_steps(element), state, named)
    else:
        raise TableError(f"chart: draws with <{tag}>, which no chart of ours does; give what to_svg returned")


def _at(element: Any, name: str) -> float:
    return float(element.attrib.get(name, 0))


def _inside(element: Any, above: _State, named: Mapping[str, Any]) -> _State:
    """The state with what an element says of itself."""
    own = dict(re.findall(r"([\w-]+):\s*([^;]+)", element.attrib.get("style", "")))
    own |= {name: element.attrib[name] for name in _PAINT if name in element.attrib}
    matrix = _joined(above.matrix, _map(element.attrib.get("transform", "")))
    clips = above.clips
    if "clip-path" in element.attrib:
        clip = named[element.attrib["clip-path"][5:-1]]
        clips = (*clips, *(_mapped(_steps(shape), matrix) for shape in clip))
    style = dict(above.style) | {name: own[name].strip() for name in _PAINT if name in own}
    return _State(matrix, style, above.opacity * float(own.get("opacity", 1)), clips)


def _joined(outer: Matrix, inner: Matrix) -> Matrix:
    """The inner map, then the outer."""
    a, b, c, d, e, f = outer
    p, q, r, s, t, u = inner
    return (a * p + c * q, b * p + d * q, a * r + c * s, b * r + d * s, a * t + c * u + e, b * t + d * u + f)


def _map(text: str) -> Matrix:
    """A ``transform``.

    >>> _map("translate(5 6) scale(2 -2)")
    (2.0, 0.0, 0.0, -2.0, 5.0, 6.0)
    """
    matrix = _SAME
    for name, inner in re.findall(r"(\w+)\(([^)]*)\)", text):
        v = [float(number) for number in _NUMBER.findall(inner)]
        if name == "translate":
            own: Matrix = (1, 0, 0, 1, v[0], v[1] if len(v) > 1 else 0)
        elif name == "scale":
            own = (v[0], 0, 0, v[-1], 0, 0)
        elif name == "rotate" and len(v) == 1:
            cos, sin = math.cos(math.radians(v[0])), math.sin(math.radians(v[0]))
            own = (cos, sin, -sin, cos, 0, 0)
        elif name == "matrix":
            own = (v[0], v[1], v[2], v[3], v[4], v[5])
        else:
            raise TableError(f"chart: {name}({inner}) is no map of our charts; give what to_svg returned")
        matrix = _joined(matrix, own)
    return matrix


def _mapped(steps: tuple[Step, ...], matrix: Matrix) -> tuple[Step, ...]:
    a, b, c, d, e, f = matrix

    def moved(v: tuple[float, ...]) -> tuple[float, ...]:
        pairs = zip(v[::2], v[1::2], strict=True)
        return tuple(number for x, y in pairs for number in (a * x + c * y + e, b * x + d * y + f))

    return tuple((name, moved(values)) for name, values in steps)


def _steps(element: Any) -> tuple[Step, ...]:
    """Steps of a path or a rectangle."""
    if _tag(element) == "rect":
        x, y, w, h = (_at(element, name) for name in ("x", "y", "width", "height"))
        return (("M", (x, y)), ("L", (x + w, y)), ("L", (x + w, y + h)), ("L", (x, y + h)), ("Z", ()))
    return tuple(_path(element.attrib.get("d", "")))


def _path(text: str) -> Iterator[Step]:
    """Steps of a path's text; quadratic curves as the cubic ones that they are."""
    x = y = 0.0
    for name, rest in _STEP.findall(text):
        kind = name.upper()
        if kind not in _TAKES or (name != kind and kind != "Z"):
            raise TableError(f"chart: a path has a step {name!r}, which no chart of ours has")
        values = [float(number) for number in _NUMBER.findall(rest)]
        if kind == "Z":
            yield "Z", ()
            continue
        for k in range(0, len(values), _TAKES[kind]):
            v = values[k : k + _TAKES[kind]]
            if kind in ("H", "V"):
                v, step = ([v[0], y] if kind == "H" else [x, v[0]]), "L"
            elif kind == "Q":
                v, step = _cubic(x, y, *v), "C"
            else:
                step = "L" if kind == "M" and k else kind
            x, y = v[-2:]
            yield step, tuple(v)


def _cubic(x: float, y: float, qx: float, qy: float, to_x: float, to_y: float) -> list[float]:
    """The cubic curve that a quadratic one is."""
    return [
        x + 2 / 3 * (qx - x),
        y + 2 / 3 * (qy - y),
        to_x + 2 / 3 * (qx - to_x),
        to_y + 2 / 3 * (qy - to_y),
        to_x,
        to_y,
    ]


def _colour(text: str) -> Colour | None:
    """A colour as three parts of 1.

    >>> _colour("#ff8000"), _colour("none"), _colour("#fff")
    ((1.0, 0.5019607843137255, 0.0), None, (1.0, 1.0, 1.0))
    """
    if text == "none":
        return None
    digits = {"black": "000000", "white": "ffffff"}.get(text, text.removeprefix("#"))
    digits = "".join(2 * d for d in digits) if len(digits) == 3 else digits
    red, green, blue = (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
    return red, green, blue


def _painted(steps: tuple[Step, ...], state: _State, named: Mapping[str, Any], key: str = "") -> Iterator[Outline]:
    """Steps with the paint of their state; a hatch is laid first, inside them."""
    if not steps:
        return
    style = state.style
    fill, hatch = style.get("fill", "#000000"), ""
    if fill.startswith("url("):
        fill, hatch = "none", fill[5:-1]
    if hatch:
        yield from _hatched(steps, state, named[hatch], named)
    dash = style.get("stroke-dasharray", "none")
    yield Outline(
        steps,
        state.matrix,
        _colour(fill),
        _colour(style.get("stroke", "none")),
        float(style.get("stroke-width", 1)),
        _CAPS[style.get("stroke-linecap", "butt")],
        _JOINS[style.get("stroke-linejoin", "miter")],
        () if dash == "none" else tuple(float(number) for number in _NUMBER.findall(dash)),
        float(style.get("stroke-dashoffset", 0)),
        state.opacity * float(style.get("fill-opacity", 1)),
        state.opacity * float(style.get("stroke-opacity", 1)),
        state.clips,
        key,
    )


def _hatched(steps: tuple[Step, ...], state: _State, pattern: Any, named: Mapping[str, Any]) -> Iterator[Outline]:
    """The tiles of a hatch that lie over the steps, cut at them."""
    inside = _mapped(steps, state.matrix)
    x, y, w, h = (_at(pattern, name) for name in ("x", "y", "width", "height"))
    ends = [values[-2:] for _, values in inside if values]
    columns, rows = (
        range(math.floor((min(v) - origin) / size), math.floor((max(v) - origin) / size) + 1)
        for v, origin, size in (([e[0] for e in ends], x, w), ([e[1] for e in ends], y, h))
    )
    for column in columns:
        for row in rows:
            left, top = x + column * w, y + row * h
            tile = _steps_of_box(left, top, w, h)
            place = _State((1, 0, 0, 1, left, top), {}, state.opacity, (*state.clips, inside, tile))
            for child in pattern:
                yield from _outlines(child, place, named)


def _steps_of_box(x: float, y: float, w: float, h: float) -> tuple[Step, ...]:
    return (("M", (x, y)), ("L", (x + w, y)), ("L", (x + w, y + h)), ("L", (x, y + h)), ("Z", ()))
