"""Letters on paper: how wide they are, where lines break, and which the font lacks."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINT = 25.4 / 72  # millimetres a typographic point
#: Stands for a letter that the font lacks, so that it is missed and not overlooked.
_MISSING = "\u25a1"
_LINE = 1.32  # height of a line, in sizes of its letters


@lru_cache(maxsize=2)
def _font(bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")))
    return font


@lru_cache(maxsize=8192)
def _advance(letter: str, bold: bool) -> float:
    """Width of a letter in parts of its size; 0 where the font lacks it."""
    font = _font(bold)
    if not font.get_char_index(ord(letter)):
        return 0.0
    font.set_size(100, 72)
    return float(font.load_char(ord(letter)).linearHoriAdvance) / 65536 / 100  # unhinted


def printable(text: object) -> str:
    """Text as one line of letters that the font has; others become a square.

    >>> printable("Ağdam\\nՄարտակերտ $x$ \\u65e5")
    'Ağdam Մարտակերտ $x$ □'
    """
    plain = " ".join(str(text).split())
    return "".join(
        c if unicodedata.category(c)[0] != "C" and (c == " " or _font(False).get_char_index(ord(c))) else _MISSING
        for c in plain
    )


def width_mm(text: str, size: float, *, bold: bool = False) -> float:
    """Width of printable text at a size [points] on paper [mm].

    >>> 19 < width_mm("Turning points", 8) < 22
    True
    """
    return sum(_advance(letter, bold) for letter in text) * size * _POINT


def wrapped(text: object, room: float, size: float, *, most: int | None = None, bold: bool = False) -> list[str]:
    """Text as lines no wider than ``room`` [mm] at a size [points]; where it takes more than ``most``, ' ...' ends it.

    >>> wrapped("one two three four", 16, 8), wrapped("one two three four", 16, 8, most=1)
    (['one two', 'three four'], ['one two ...'])
    """
    lines: list[str] = []
    line = ""
    for word in printable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width_mm(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while width_mm(word, size, bold=bold) > room and len(word) > 1:
            cut = next((k for k in range(len(word) - 1, 0, -1) if width_mm(word[:k], size, bold=bold) <= room), 1)
            lines.append(word[:cut])
            word = word[cut:]
        line = word
    lines.append(line)
    if most is not None and len(lines) > most:
        last = lines[most - 1]
        while last and width_mm(f"{last} ...", size, bold=bold) > room:
            last = last[:-1]
        lines = [*lines[: most - 1], f"{last} ..."]
    return lines


def put_text(
    page: Axes,
    x: float,
    y: float,
    paragraphs: Iterable[object],
    room: float,
    size: float,
    *,
    color: str | None = None,
) -> float:
    """Paragraphs from an upper left corner down, wrapped to ``room`` [mm]; the height that they take [mm]."""
    lines = [line for words in paragraphs for line in wrapped(words, room, size)]
    for k, line in enumerate(lines):
        page.text(x, y - k * size * _LINE * _POINT, line, fontsize=size, va="top", color=color)
    return len(lines) * size * _LINE * _POINT


def line_mm(size: float) -> float:
    """Height of a line of text of a size [points] on paper [mm]."""
    return size * _LINE * _POINT
