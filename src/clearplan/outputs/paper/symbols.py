"""How ground, lines and marks are drawn on paper, and the legend that tells what is on a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from clearplan.outputs.charts.style import INK, SOFT
from clearplan.outputs.gis.qgis_styles import CHA, INDICATION, SHA
from clearplan.outputs.paper.lettering import line_mm, wrapped
from clearplan.outputs.paper.sheet import PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: How each class of ground is drawn: fill, hatch with its colour, outline with its width and dashes. Fills are those of
#: IMSMA (TNMA 07.11/01); lines and hatches tell the classes apart where colours are not seen.
Style: TypeAlias = dict[str, Any]  # properties of a patch, a line or a mark, as matplotlib names them

GROUND: dict[str, Style] = {
    "indication, outer band": {
        "fc": (INDICATION[0], 0.10),
        "hatch": "\\",
        "hc": INDICATION[1],
        "ec": INDICATION[1],
        "lw": 0.6,
        "ls": (0, (1, 2)),
    },
    "indication": {
        "fc": (INDICATION[0], 0.18),
        "hatch": "\\\\",
        "hc": INDICATION[1],
        "ec": INDICATION[1],
        "lw": 0.7,
        "ls": "-",
    },
    "SHA": {"fc": (SHA[0], 0.5), "hatch": "//", "hc": SHA[1], "ec": SHA[1], "lw": 0.9, "ls": (0, (4, 1.6))},
    "CHA": {"fc": (CHA[0], 0.5), "hatch": None, "hc": None, "ec": CHA[1], "lw": 0.9, "ls": "-"},
}
#: Ground that was released, by action; the pattern tells how.
RELEASED_GROUND: dict[str, Style] = {
    "cancelled": {"fc": "none", "hatch": None, "hc": None, "ec": "#00695C", "lw": 0.7, "ls": (0, (2, 1.5))},
    "reduced": {"fc": "none", "hatch": "..", "hc": "#00695C", "ec": "#00695C", "lw": 0.7, "ls": "-"},
    "cleared": {"fc": (0.0, 0.412, 0.361, 0.25), "hatch": None, "hc": None, "ec": "#00695C", "lw": 0.7, "ls": "-"},
}
GROUND_WORDS = {
    "indication, outer band": "Indication, outer band of the belt",
    "indication": "Indication: reason to survey",
    "SHA": "Suspected hazardous area (SHA)",
    "CHA": "Confirmed hazardous area (CHA)",
    "cancelled": "Released by non-technical survey",
    "reduced": "Released by technical survey",
    "cleared": "Released by clearance",
}
LINES: dict[str, Style] = {
    "survey": {"color": "#444444", "lw": 0.35, "ls": "-"},
    "clearance": {"color": CHA[1], "lw": 0.5, "ls": "-"},
    "survey, first": {"color": INK, "lw": 1.5, "ls": (0, (3, 1.2))},
    "clearance, first": {"color": INK, "lw": 1.7, "ls": "-"},
    "border": {"color": INK, "lw": 0.6, "ls": (0, (3, 1.5))},
    "districts": {"color": "#555555", "lw": 0.7, "ls": (0, (6, 2.5))},
    "rivers": {"color": "#6FA8CC", "lw": 0.6, "ls": "-"},
    "roads": {"color": "#8A6D4A", "lw": 0.9, "ls": "-"},
    "contact line": {"color": INDICATION[1], "lw": 1.1, "ls": (0, (1, 1))},
    "lifeline": {"color": "#00695C", "lw": 1.3, "ls": (0, (5, 1.2, 1, 1.2))},
}
MARKS: dict[str, Style] = {
    "zone": {"marker": "s", "ms": 5.0, "mfc": "#73A2C6", "mec": "#00429D", "mew": 1.3},
    "accident": {"marker": "x", "ms": 4.2, "mec": INK, "mew": 1.1},
    "lifeline": {"marker": "^", "ms": 4.6, "mfc": "#7FBFB5", "mec": "#00695C", "mew": 1.0},
}


@dataclass(frozen=True)
class Entry:
    """A line of a legend: what is drawn, how (a key of GROUND, LINES or MARKS), and how many are on the map."""

    words: str
    how: str
    key: str
    count: int


def draw_legend(
    page: Axes, entries: Sequence[Entry], x: float, y: float, width: float, *, columns: int = 1, size: float = 6.8
) -> float:
    """What is on the map and how many of it, from an upper left corner down [mm]; the height used [mm]."""
    page.text(x, y, "On this map", fontsize=size + 0.7, fontweight="bold", va="top")
    top = y - line_mm(size + 0.7) - 1
    row = max(4.6, line_mm(size) + 1)
    room = width / columns
    rows = -(-len(entries) // columns)
    for k, entry in enumerate(entries):
        left, middle = x + k // rows * room, top - (k % rows + 0.5) * row
        _swatch(page, entry, left, middle)
        count = f" ({entry.count:,})" if entry.how != "paper" else ""
        words = wrapped(f"{entry.words}{count}", room - 12, size, most=1)[0]
        page.text(left + 10.5, middle, words, fontsize=size, va="center")
    if not entries:
        page.text(x, top - 3, "nothing that is known; unmarked land is unknown land", fontsize=size, va="center")
    return line_mm(size + 0.7) + 1 + max(rows, 1) * row


def _swatch(page: Axes, entry: Entry, x: float, y: float) -> None:
    from matplotlib.patches import Rectangle

    corner = (x, y - 1.6)
    if entry.how == "ground":
        style = (GROUND | RELEASED_GROUND)[entry.key]
        page.add_patch(Rectangle(corner, 9, 3.2, fc=style["fc"], ec="none", lw=0))
        if style["hatch"]:
            page.add_patch(Rectangle(corner, 9, 3.2, fc="none", ec=style["hc"], hatch=style["hatch"], lw=0))
        page.add_patch(Rectangle(corner, 9, 3.2, fc="none", ec=style["ec"], lw=style["lw"], ls=style["ls"]))
    elif entry.how == "paper":
        page.add_patch(Rectangle(corner, 9, 3.2, fc=PAPER, ec=SOFT, lw=0.4))
    elif entry.how == "lake":
        page.add_patch(Rectangle(corner, 9, 3.2, fc="#D6E6F2", ec="#6FA8CC", lw=0.5))
    elif entry.how == "line":
        style = LINES[entry.key]
        page.plot([x, x + 9], [y, y], color=style["color"], lw=style["lw"], ls=style["ls"], scalex=False, scaley=False)
    elif entry.how == "mark":
        page.plot([x + 4.5], [y], ls="none", scalex=False, scaley=False, **MARKS[entry.key])
