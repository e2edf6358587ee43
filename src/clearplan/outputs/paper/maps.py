"""Tables to maps on paper at a stated scale: PNG and PDF with grid, scale bar, norths, legend and disclaimers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from clearplan.core.errors import OutputError, SettingsError
from clearplan.core.imprint import Imprint
from clearplan.outputs.charts.style import INK, SOFT
from clearplan.outputs.layers import Layers
from clearplan.outputs.paper.layers import draw_layers
from clearplan.outputs.paper.lettering import printable, put_text, width_mm, wrapped
from clearplan.outputs.paper.sheet import (
    SCALES,
    Frame,
    draw_grid,
    draw_norths,
    draw_scale_bar,
    fitting_scale,
    map_axes,
    new_page,
    paper_size,
    print_style,
    save_pages,
    scale_words,
)
from clearplan.outputs.paper.symbols import Entry, draw_legend
from clearplan.tables.check import placed

_MARGIN, _GRID_ROOM, _HEAD, _FOOT = 8.0, 5.0, 12.0, 12.0
_SIDE, _BELOW = 62.0, 50.0


def draw_sheet(
    path: str | Path,
    layers: Layers,
    imprint: Imprint,
    *,
    scale: int | None = None,
    centre: tuple[float, float] | None = None,
    extent: tuple[float, float, float, float] | None = None,
    paper: str = "A4",
    orientation: str = "portrait",
) -> int:
    """A map on one sheet of paper as PDF or PNG, true to its scale; the scale.

    Parameters
    ----------
    path : path
        Ends with .pdf or .png (200 dots an inch); a file of that name is replaced.
    layers : Layers
    imprint : Imprint
    scale : int, optional
        The map is drawn at 1 to so much; left out, at the first of ``paper.SCALES`` at which the extent fits.
    centre : (x, y), optional
        Middle of the map [m]; with it and ``scale`` the sheet shows what it has room for.
    extent : (west, south, east, north), optional
        Ground that must be on the map [m]; left out, all tasks.
    paper : 'A4' or 'A3'
    orientation : 'portrait' or 'landscape'

    Raises
    ------
    SettingsError
        The extent does not fit the paper at this scale, or ``centre`` stands without ``scale``.
    OutputError
        The name ends otherwise, or the file can't be written.

    Notes
    -----
    Lengths are true on the grid of the working CRS; in a UTM zone ground lengths differ by 0.04 % at its middle.
    """
    with print_style():
        frame = _frame(layers, scale, centre, extent, paper, orientation)
        figure = _sheet(layers, imprint, frame, paper, orientation)
        save_pages(path, [figure], title=imprint.title, notice=imprint.notice, as_at=imprint.as_at)
    return int(frame.scale)


def draw_atlas(
    path: str | Path,
    layers: Layers,
    imprint: Imprint,
    *,
    scale: int | None = None,
    paper: str = "A4",
    orientation: str = "portrait",
) -> int:
    """A PDF of an overview and a sheet for each district that has tasks, in the order of their names; its pages.

    Parameters
    ----------
    scale : int, optional
        Of all sheets but the overview; a district that does not fit is cut into as many sheets as it takes, and empty
        ones are left out. Left out: each district at the first scale at which it fits.

    Raises
    ------
    OutputError
        The name does not end with .pdf, or the file can't be written.
    """
    if Path(path).suffix.lower() != ".pdf":
        raise OutputError(f"{path}: does not end with .pdf; name a .pdf file")

    def pages() -> Iterator[Any]:
        whole = _frame(layers, None, None, None, paper, orientation)
        yield _sheet(layers, imprint, whole, paper, orientation)
        own = placed(layers.tasks)
        for name in sorted(own["district"].dropna().unique()):
            tasks = own[own["district"] == name]
            for k, frame in enumerate(_sheets_of(tasks, layers.crs, scale, paper, orientation), 1):
                told = f"{imprint.title}: {name}" + (f", sheet {k}" if k > 1 else "")
                yield _sheet(layers, imprint, frame, paper, orientation, title=told)

    with print_style():
        return save_pages(path, pages(), title=imprint.title, notice=imprint.notice, as_at=imprint.as_at)


def _sheets_of(tasks: Any, crs: CRS, scale: int | None, paper: str, orientation: str) -> Iterator[Frame]:
    """Frames that show all of some tasks: one at a fitting scale, or rows of them at a given one."""
    box = _map_box(paper, orientation)
    west, south, east, north = tasks.total_bounds
    if scale is None:
        scale = fitting_scale((east - west) * 1.04, (north - south) * 1.04, box[2:])
    wide, tall = (side * scale / 1000 for side in box[2:])
    columns, rows = max(1, int(np.ceil((east - west) / wide))), max(1, int(np.ceil((north - south) / tall)))
    middle = (west + east) / 2, (south + north) / 2
    for row in range(rows):
        for column in range(columns):
            x = middle[0] + (column - (columns - 1) / 2) * wide
            y = middle[1] - (row - (rows - 1) / 2) * tall
            frame = Frame(crs, (x, y), scale, box)
            if shapely.intersects(tasks.geometry.to_numpy(), shapely.box(*frame.extent)).any():
                yield frame


def _map_box(paper: str, orientation: str) -> tuple[float, float, float, float]:
    """Where the map lies on a sheet: left, bottom, width, height [mm]."""
    width, height = paper_size(paper, orientation)
    left, top = _MARGIN + _GRID_ROOM, height - _MARGIN - _HEAD - _GRID_ROOM
    below = _MARGIN + _FOOT + _GRID_ROOM + (_BELOW if orientation == "portrait" else 0.0)
    beside = _MARGIN + _GRID_ROOM + (_SIDE if orientation == "landscape" else 0.0)
    return left, below, width - left - beside, top - below


def _frame(layers: Layers, scale: int | None, centre: Any, extent: Any, paper: str, orientation: str) -> Frame:
    box = _map_box(paper, orientation)
    if centre is not None:
        if scale is None or extent is not None:
            raise SettingsError("centre: needs scale, and no extent beside it; give centre and scale, or an extent")
        return Frame(layers.crs, (float(centre[0]), float(centre[1])), scale, box)
    if extent is None:
        shapes = placed(layers.tasks)
        if not len(shapes):
            raise SettingsError("extent: no task has a place; give an extent, or centre and scale")
        west, south, east, north = shapes.total_bounds
        room = 0.02 * max(east - west, north - south)
        extent = (west - room, south - room, east + room, north + room)
    west, south, east, north = map(float, extent)
    if not (east > west and north > south):
        raise SettingsError(f"extent {extent}: give west, south, east, north in metres, the larger ones last")
    if scale is not None and fitting_scale(east - west, north - south, box[2:], (*SCALES, 10**12)) > scale:
        _refuse_scale(east - west, north - south, scale, box, paper, orientation)
    if scale is None:
        scale = fitting_scale(east - west, north - south, box[2:])
    return Frame(layers.crs, ((west + east) / 2, (south + north) / 2), scale, box)


def _refuse_scale(width: float, height: float, scale: int, box: Any, paper: str, orientation: str) -> None:
    per = scale / 1000
    if width / per <= box[2] and height / per <= box[3]:
        return  # it fits, though at no round scale
    raise SettingsError(
        f"scale: {width / 1000:,.1f} km x {height / 1000:,.1f} km are {width / per:,.0f} mm x {height / per:,.0f} mm "
        f"at {scale_words(scale)}, and {paper} {orientation} has {box[2]:.0f} mm x {box[3]:.0f} mm; give "
        f"scale = {fitting_scale(width, height, box[2:])}, a smaller extent, or an atlas"
    )


def _sheet(
    layers: Layers, imprint: Imprint, frame: Frame, paper: str, orientation: str, *, title: str | None = None
) -> Any:
    width, height = paper_size(paper, orientation)
    figure, page = new_page(width, height)
    axes = map_axes(figure, frame)
    entries, labels = draw_layers(axes, frame, layers)
    if labels.lacking:
        entries.append(Entry("Names and ranks with no room", "none", "", labels.lacking))
    grid = draw_grid(axes, page, frame)
    _head(page, imprint, frame, width, height, title or imprint.title)
    left, bottom, wide, _ = frame.box
    if orientation == "portrait":
        right = width - _MARGIN - 58
        draw_legend(page, entries, _MARGIN, bottom - _GRID_ROOM - 1, right - _MARGIN - 5, columns=2)
        used = draw_norths(page, frame, imprint.as_at, right, bottom - _GRID_ROOM, 58)
        draw_scale_bar(page, frame, right + 1, bottom - _GRID_ROOM - used - 8, 52)
        at = bottom - _GRID_ROOM - used - 13.5
    else:
        right = left + wide + _GRID_ROOM + 3
        top = height - _MARGIN - _HEAD
        used = draw_norths(page, frame, imprint.as_at, right, top, width - _MARGIN - right)
        draw_scale_bar(page, frame, right + 1, top - used - 8, width - _MARGIN - right - 6)
        at = top - used - 13.5
    told = [f"Grid: {grid}.", imprint.crs and f"CRS: {imprint.crs}."]
    if layers.lacking:
        told.append(f"Not given to this map: {', '.join(layers.lacking)}.")
    used = put_text(page, right, at, [words for words in told if words], width - _MARGIN - right, 6, color=SOFT)
    if orientation == "landscape":
        draw_legend(page, entries, right, at - used - 3, width - _MARGIN - right, columns=1)
    put_text(page, _MARGIN, _MARGIN + _FOOT - 2.5, [imprint.foot], width - 2 * _MARGIN, 6, color=INK)
    return figure


def _head(page: Any, imprint: Imprint, frame: Frame, width: float, height: float, title: str) -> None:
    top = height - _MARGIN
    right = f"{scale_words(frame.scale)}"
    page.text(width - _MARGIN, top, right, fontsize=15, fontweight="bold", ha="right", va="top")
    room = width - 2 * _MARGIN - width_mm(right, 15, bold=True) - 6
    line = wrapped(title, room, 14, most=1, bold=True)[0]
    page.text(_MARGIN, top, line, fontsize=14, fontweight="bold", va="top")
    page.text(
        _MARGIN,
        top - 7,
        f"As at {imprint.as_at}   Fingerprint {printable(imprint.fingerprint)}",
        fontsize=7.5,
        color=SOFT,
        va="top",
    )
    words = imprint.warning or "Not for navigation or entry"
    page.text(
        width - _MARGIN,
        top - 7.4,
        printable(words),
        fontsize=7.5,
        color="#B00000",
        fontweight="bold",
        va="top",
        ha="right",
    )
