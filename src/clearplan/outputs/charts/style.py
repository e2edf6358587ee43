"""What all charts share: style and colours, words at the foot, and the way from a drawing to SVG text or a PNG.

Colours are Paul Tol's (https://personal.sron.nl/~pault/), which readers can tell apart in grey and colour-blind.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import OutputError, TableError
from clearplan.core.writing import whole, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, SOFT, GRID = "#222222", "#6b6b6b", "#e4e4e4"
#: Paul Tol's muted scheme, and a grey.
MUTED = (
    "#332288",
    "#88ccee",
    "#cc6677",
    "#ddcc77",
    "#117733",
    "#882255",
    "#44aa99",
    "#999933",
    "#aa4499",
    "#777777",
)
#: Letters are drawn, so that no font of the reader's is needed; a dollar sign in a name is no formula.
STYLE = {
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "xtick.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "text.parse_math": False,
}
Array = NDArray[Any]

#: Dots an inch of a saved picture: sharp on a slide of 13 inches.
_DPI = 200


@dataclass(frozen=True)
class _Chart:
    """All that makes a chart, before it is text or dots."""

    name: str
    size: tuple[float, float]
    title: str
    description: str
    draw: Callable[[Figure], None]


#: Where ``save_chart`` collects what a drawing function is about to make.
_ASKED: ContextVar[list[_Chart] | None] = ContextVar("asked", default=None)


def to_svg(name: str, size: tuple[float, float], title: str, description: str, draw: Callable[[Figure], None]) -> str:
    """A chart as SVG text: title and description inside, ids that no other chart has, nothing of the clock.

    Parameters
    ----------
    name : str
        Put before all ids.
    size : (width, height)
        [inches]
    title, description : str
        Plain text; read out to those who can't see the chart.
    draw : function of a Figure
        Draws all but the title.
    """
    chart = _Chart(name, size, title, description, draw)
    if (asked := _ASKED.get()) is not None:
        asked.append(chart)
        return ""
    metadata = {"Date": None, "Creator": None, "Type": None, "Format": None}
    text = _print(chart, "svg", metadata).decode()
    text = re.sub(r"<metadata>.*?</metadata>\s*", "", text[text.index("<svg") :], flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*" ?', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*" ?', r"<svg \1", text, count=1)
    said = f'role="img" aria-labelledby="{name}-title {name}-desc" style="width:100%;max-width:{size[0] * 72:.0f}pt" '
    told = f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(description)}</desc>\n'
    head, rest = text.split(">", 1)
    return f"{head.replace('<svg ', f'<svg {said}', 1)}>\n {told}{rest.lstrip()}"


def save_chart(draw: Callable[..., str], path: str | Path, *tables: object, **options: object) -> None:
    """What a ``draw_`` function shows, as a file: PNG for slides at 200 dots an inch, or SVG.

    ``save_chart(draw_home, "home.png", home, waiting=12_000)`` saves what ``draw_home(home, waiting=12_000)`` draws.
    The same tables make the same bytes; a file of that name is replaced.

    Parameters
    ----------
    draw : function
        Any that returns one chart as SVG text.
    path : path
        Ends with .png or .svg.
    tables, options
        What ``draw`` takes.

    Raises
    ------
    OutputError
        The name ends otherwise, or the file can't be written.
    TableError
        ``draw`` can't draw the tables, or draws no chart.
    """
    path = Path(path)
    if path.suffix.lower() not in (".png", ".svg"):
        raise OutputError(f"{path}: does not end with .png or .svg; name a .png file")
    if path.suffix.lower() == ".svg":
        write_whole(path, draw(*tables, **options))
        return
    charts: list[_Chart] = []
    before = _ASKED.set(charts)
    try:
        draw(*tables, **options)
    finally:
        _ASKED.reset(before)
    if len(charts) != 1:
        raise TableError(f"{path}: {len(charts)} charts are drawn where one is wanted; give a function that draws one")
    told = {"Software": "clearplan", "Title": charts[0].title, "Description": charts[0].description}
    with whole(path) as fresh:
        fresh.write_bytes(_print(charts[0], "png", told))


def _print(chart: _Chart, kind: str, metadata: dict[str, Any]) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    with rc_context(STYLE | {"svg.hashsalt": f"clearplan {chart.name}"}):  # type: ignore[arg-type]
        figure = Figure(figsize=chart.size, layout="constrained")
        canvas = FigureCanvasSVG(figure) if kind == "svg" else FigureCanvasAgg(figure)
        chart.draw(figure)
        figure.suptitle(chart.title, x=0.01, ha="left", fontsize=12.5, fontweight="bold")
        out = io.BytesIO()
        canvas.print_figure(out, dpi=_DPI if kind == "png" else None, format=kind, metadata=metadata)
    return out.getvalue()


def font_files() -> dict[str, Path]:
    """Files of the font of all charts, DejaVu Sans, which comes with matplotlib: Latin, Cyrillic, Armenian, Georgian.

    >>> sorted(font_files()), all(file.exists() for file in font_files().values())
    (['bold', 'bold-italic', 'italic', 'normal'], True)
    """
    from matplotlib import get_data_path

    folder = Path(get_data_path(), "fonts", "ttf")
    names = {"normal": "", "bold": "-Bold", "italic": "-Oblique", "bold-italic": "-BoldOblique"}
    return {kind: folder / f"DejaVuSans{name}.ttf" for kind, name in names.items()}


def need(table: pd.DataFrame, *columns: str) -> None:
    """A table that can be drawn: with these columns, and rows.

    Raises
    ------
    TableError
        A column is missing, or the table is empty.
    """
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise TableError(f"chart: no column {', '.join(missing)}; give the table as the docstring says")
    if not len(table):
        raise TableError("chart: the table is empty; there is nothing to draw")


def note(figure: Figure, words: str) -> None:
    """Small words at a chart's foot."""
    figure.supxlabel(words, x=0.01, ha="left", fontsize=9, color=SOFT)


def spread(wanted: Array, room: float, low: float, high: float) -> Array:
    """Places for labels: in the order of what was wanted, at least ``room`` apart, together as near to it as can be.

    Where they can't all have that room between ``low`` and ``high``, they share what there is.

    >>> spread(np.array([1.0, 1.0, 5.0]), 1.0, 0.0, 10.0).tolist()
    [0.5, 1.5, 5.0]
    >>> spread(np.array([9.0, 9.0, 9.0]), 2.0, 0.0, 3.0).tolist()
    [0.0, 1.5, 3.0]
    """
    count = len(wanted)
    room = min(room, (high - low) / max(count - 1, 1))
    blocks: list[list[float]] = []  # mean and size of labels that touch
    for value in wanted - room * np.arange(count):
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, size = blocks.pop()
            before = blocks[-1]
            before[0] = (before[0] * before[1] + mean * size) / (before[1] + size)
            before[1] += size
    flat = np.concatenate([np.full(int(size), mean) for mean, size in blocks]) if blocks else np.zeros(0)
    told: Array = np.clip(flat, low, max(high - room * (count - 1), low)) + room * np.arange(count)
    return told
