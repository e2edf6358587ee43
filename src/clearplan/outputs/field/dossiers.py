"""Task dossiers: one A4 page a task, to be printed, pinned up, signed and filed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import declination_deg
from clearplan.core.errors import CrsError, OutputError
from clearplan.core.imprint import Imprint
from clearplan.outputs.charts.style import INK, SOFT
from clearplan.outputs.field.borders import Border, approaches, border_of, grid_reference, lonlat_of
from clearplan.outputs.field.briefs import Known, Section, access_of, facts_of, hazards_of, method_of, warnings_of
from clearplan.outputs.field.gpx import SHORT_NOTICE, first_tasks
from clearplan.outputs.layers import Layers
from clearplan.outputs.paper.layers import NUMBER, draw_layers, stroke
from clearplan.outputs.paper.lettering import line_mm, printable, put_text, width_mm, wrapped
from clearplan.outputs.paper.sheet import (
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
from clearplan.outputs.paper.symbols import LINES, Entry, draw_legend
from clearplan.tables.check import placed

_PAGE = paper_size("A4", "portrait")
_EDGE = 9.0
_MAP = (_EDGE + 4.5, 142.0, 124.0, 108.0)
_SIDE_X = _EDGE + 4.5 + 124.0 + 7.0
_SIZES = (7.4, 6.9, 6.3)  # points; the largest in which all of a column has room, else the smallest and lists are cut
_COLUMNS_TOP, _COLUMNS_FOOT, _GAP = 133.0, 38.0, 6.0
#: Scales of a dossier's map; a larger one would show nothing of the surroundings.
_SCALES = (2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000)
_ALARM = "#B00000"


def write_dossiers(
    path: str | Path,
    layers: Layers,
    imprint: Imprint,
    *,
    known: Known | None = None,
    chosen: Sequence[str] | None = None,
    first: int = 10,
    corners: int = 24,
) -> int:
    """One page a task: map with numbered turning points, references, hazards, access, method, warnings; its pages.

    Parameters
    ----------
    path : path
        One .pdf for all, or a folder that gets a PDF a task, named by its id.
    layers : Layers
        What the maps show; ``layers.tasks`` are TASKS, ranked unless ``chosen`` names some.
    imprint : Imprint
    known : Known, optional
        Hazards, accidents, releases, WORK and teams, for the words; what is left out is shown as not known.
    chosen : ids, optional
        Tasks; else the ``first`` ones of each queue by rank.
    corners : int
        Turning points of a task at most; they lie on the border or outside of it.

    Raises
    ------
    OutputError
        The file can't be written, or no chosen task has a place.
    TableError, CrsError
        A task is unknown; tables are not in metres or not in one CRS.

    Notes
    -----
    Lists that are longer than their room end with how many more there are and where they stand.
    """
    path = Path(path)
    if path.suffix.lower() not in (".pdf", ""):
        raise OutputError(f"{path}: does not end with .pdf; name a .pdf file, or a folder")
    known = known or Known(accidents=layers.accidents)
    own = placed(first_tasks(layers.tasks, chosen, first))
    if not len(own):
        raise OutputError(f"{path}: none of the tasks has a place; there is no page to write")
    layers.crs  # noqa: B018 - raises where tables don't agree
    finds = known.finds()
    rows = own.to_dict("records")
    with print_style():
        notice, day = imprint.notice, imprint.as_at
        if path.suffix:
            pages = (_page(task, layers, imprint, known, finds, corners) for task in rows)
            return save_pages(path, pages, title=imprint.title, notice=notice, as_at=day)
        for task, name in zip(rows, _file_names([str(task["task_id"]) for task in rows]), strict=True):
            figure = _page(task, layers, imprint, known, finds, corners)
            save_pages(path / name, [figure], title=f"{imprint.title}: {task['task_id']}", notice=notice, as_at=day)
    return len(rows)


def _file_names(ids: Sequence[str]) -> list[str]:
    """A name a task that every disk takes.

    >>> _file_names(["38SPK-1", "a/b", "a?b"])
    ['38SPK-1.pdf', 'a-b.pdf', 'a-b-2.pdf']
    """
    taken: set[str] = set()
    names = []
    for task_id in ids:
        plain = re.sub(r"[^\w.-]+", "-", task_id).strip("-.")[:80] or "task"
        name, k = plain, 1
        while name.casefold() in taken:
            k += 1
            name = f"{plain}-{k}"
        taken.add(name.casefold())
        names.append(f"{name}.pdf")
    return names


def _page(
    task: dict[Any, Any], layers: Layers, imprint: Imprint, known: Known, finds: pd.DataFrame, corners: int
) -> Any:
    border = border_of(task["geometry"], corners, task.get("position_error_m"))
    figure, page = new_page(*_PAGE)
    frame = _frame(border, layers)
    _head(page, task, imprint, frame)
    _facts(page, task, layers)
    entries = _map(figure, page, frame, task, border, layers)
    _beside(figure, page, frame, entries, imprint, layers, task)
    _columns(page, task, border, layers, known, finds, imprint)
    _signatures(page)
    put_text(page, _EDGE, 19.5, [imprint.foot], _PAGE[0] - 2 * _EDGE, 5.8)
    return figure


def _frame(border: Border, layers: Layers) -> Frame:
    west, south, east, north = border.outline.bounds
    scale = fitting_scale((east - west) * 1.15, (north - south) * 1.15, _MAP[2:], _SCALES)
    return Frame(layers.crs, ((west + east) / 2, (south + north) / 2), scale, _MAP)


def _head(page: Any, task: dict[Any, Any], imprint: Imprint, frame: Frame) -> None:
    from matplotlib.patches import Rectangle

    width, height = _PAGE
    top = height - _EDGE
    page.add_patch(Rectangle((_EDGE, top - 9.5), width - 2 * _EDGE, 10.5, fc="#EDEDED", ec="none"))
    right = f"{str(task['queue']).upper()}  {scale_words(frame.scale)}"
    page.text(width - _EDGE - 2, top - 4.3, right, fontsize=12, fontweight="bold", ha="right", va="center")
    room = width - 2 * _EDGE - width_mm(right, 12, bold=True) - 9
    name = wrapped(f"Task {task['task_id']}", room, 15, most=1, bold=True)[0]
    page.text(_EDGE + 2, top - 4.3, name, fontsize=15, fontweight="bold", va="center")
    left = f"{printable(imprint.title)} · As at {imprint.as_at} · Fingerprint {printable(imprint.fingerprint)}"
    page.text(_EDGE + 2, top - 11.2, wrapped(left, 118, 6.8, most=1)[0], fontsize=6.8, color=SOFT, va="top")
    words = imprint.warning or f"{SHORT_NOTICE}."
    page.text(
        width - _EDGE - 2,
        top - 11.2,
        wrapped(words, 70, 6.8, most=1)[0],
        fontsize=6.8,
        color=_ALARM,
        va="top",
        ha="right",
        fontweight="bold",
    )


def _facts(page: Any, task: dict[Any, Any], layers: Layers) -> None:
    """Two rows of four figures under the head."""
    ranked = layers.tasks[layers.tasks["queue"] == task["queue"]]
    size = int(ranked["rank"].notna().sum()) if "rank" in ranked.columns else 0
    room = (_PAGE[0] - 2 * _EDGE) / 4
    for k, (label, figure) in enumerate(facts_of(task, size)):
        x, y = _EDGE + 2 + k % 4 * room, 271.5 - k // 4 * 7.4
        page.text(x, y, label, fontsize=5.8, color=SOFT, va="top")
        page.text(
            x, y - 2.5, wrapped(figure, room - 3, 7.6, most=1, bold=True)[0], fontsize=7.6, fontweight="bold", va="top"
        )


def _map(figure: Any, page: Any, frame: Frame, task: dict[Any, Any], border: Border, layers: Layers) -> list[Entry]:
    """The map with the task's border heavy and its turning points numbered."""
    axes = map_axes(figure, frame)
    entries, labels = draw_layers(axes, frame, layers, focus=task["task_id"])
    draw_grid(axes, page, frame)
    shape = np.array([task["geometry"]], dtype=object)
    stroke(axes, frame, shape, {"color": "white", "lw": 3.2, "ls": "-"}, 5.4)
    stroke(axes, frame, shape, {"color": INK, "lw": 1.6, "ls": "-"}, 5.5)
    lines = np.array([shapely.LineString([*ring, ring[0]]) for ring in border.rings], dtype=object)
    stroke(axes, frame, lines, LINES["border"], 5.5)
    points = border.corners
    axes.plot(
        points[:, 0],
        points[:, 1],
        ls="none",
        marker="o",
        ms=3.2,
        mfc="white",
        mec=INK,
        mew=0.8,
        zorder=5.6,
        gid="turning-point",
    )
    middle = np.array(border.outline.centroid.coords[0])
    for number, (x, y) in enumerate(points, 1):
        labels.put(x, y, str(number), NUMBER, away_from=(float(middle[0]), float(middle[1])))
    told = [
        Entry("This task", "line", "clearance, first", 1),
        Entry("Border through its turning points", "line", "border", len(points)),
        *entries,
    ]
    if labels.lacking:
        told.append(Entry("Names and numbers with no room", "none", "", labels.lacking))
    return told


def _beside(
    figure: Any, page: Any, frame: Frame, entries: list[Entry], imprint: Imprint, layers: Layers, task: dict[Any, Any]
) -> None:
    """Norths, scale bar, legend and where the task lies, right of the map."""
    width = _PAGE[0] - _EDGE - _SIDE_X
    top = _MAP[1] + _MAP[3]
    used = draw_norths(page, frame, imprint.as_at, _SIDE_X, top + 2, width)
    draw_scale_bar(page, frame, _SIDE_X + 1, top - used - 6, width - 8)
    at = top - used - 13
    at -= draw_legend(page, entries, _SIDE_X, at, width, size=6.0) + 2
    room = at - _MAP[1]
    if room > 18:
        _locator(figure, page, layers, task, (_SIDE_X, _MAP[1], width, min(room, 42.0)))


def _locator(figure: Any, page: Any, layers: Layers, task: dict[Any, Any], box: Any) -> None:
    """Where the task lies among all tasks and districts."""
    own = placed(layers.tasks)
    west, south, east, north = own.total_bounds
    frame = Frame(
        layers.crs,
        ((west + east) / 2, (south + north) / 2),
        1050 * max((east - west) / box[2], (north - south) / box[3], 1.0),
        box,
    )
    axes = map_axes(figure, frame)
    for table, style in (
        (layers.context.districts, {"color": "#777777", "lw": 0.4, "ls": "-"}),
        (layers.contact_lines, {"color": "#5E4B8B", "lw": 0.7, "ls": "-"}),
    ):
        if table is not None and len(placed(table)):
            stroke(axes, frame, placed(table).geometry.to_numpy(), style, 2)
    xy = shapely.get_coordinates(shapely.point_on_surface(own.geometry.to_numpy()))
    axes.plot(xy[:, 0], xy[:, 1], ls="none", marker=".", ms=0.8, color="#B0A080", zorder=3)
    x, y = shapely.get_coordinates(shapely.point_on_surface(task["geometry"]))[0]
    axes.plot([x], [y], ls="none", marker="o", ms=6, mfc="none", mec=_ALARM, mew=1.4, zorder=5)
    if layers.zones is not None:
        spots = shapely.get_coordinates(shapely.point_on_surface(placed(layers.zones).geometry.to_numpy()))
        axes.plot(spots[:, 0], spots[:, 1], ls="none", marker="s", ms=1.8, color="#00429D", zorder=4)
    page.text(
        box[0] + 1,
        box[1] + box[3] - 1,
        "Where it lies",
        fontsize=5.6,
        va="top",
        color=SOFT,
        bbox={"fc": (1, 1, 1, 0.8), "ec": "none", "pad": 0.6},
    )


# --- words ---------------------------------------------------------------------------------------------------------


def _columns(
    page: Any,
    task: dict[Any, Any],
    border: Border,
    layers: Layers,
    known: Known,
    finds: pd.DataFrame,
    imprint: Imprint,
) -> None:
    """Left: turning points and access; right: warnings, hazards, method."""
    width = (_PAGE[0] - 2 * _EDGE - _GAP) / 2
    error = None if pd.isna(task.get("position_error_m")) else float(task["position_error_m"])
    points = lonlat_of(border.corners, layers.crs)
    used = _references(page, [grid_reference(lon, lat, error) for lon, lat in points], border, error, width) + 2.5
    declination = _declination(points, imprint)
    ways = approaches(task, border, layers.crs, zones=layers.zones, lifelines=layers.lifelines)
    ends = lonlat_of(np.array([way.end for way in ways]).reshape(-1, 2), layers.crs)
    access = access_of(
        ways,
        [grid_reference(lon, lat, error) for lon, lat in ends],
        declination,
        zones=layers.zones is not None,
        lifelines=layers.lifelines is not None,
        roads=layers.roads is not None,
    )
    height = _COLUMNS_TOP - _COLUMNS_FOOT
    warnings, hazards = warnings_of(task, border, layers.tasks, known, finds), hazards_of(task, known.hazards)
    method = method_of(task, known)
    # Warnings are on the right, where nothing is above them, and give up their room last.
    ways_to_lay = (((access,), (warnings, hazards, method)), ((access, method), (warnings, hazards)))
    size, (left, right) = next(
        (
            (size, sides)
            for size in _SIZES
            for sides in ways_to_lay
            if _fits(sides[0], height - used, width, size) and _fits(sides[1], height, width, size)
        ),
        (_SIZES[-1], ways_to_lay[1]),
    )
    sides = ((left, _EDGE, used), (right, _EDGE + width + _GAP, 0.0))
    for side, x, top in sides:
        _sections(page, side, x, _COLUMNS_TOP - top, width, height - top, size)


def _room(sections: Sequence[Section], height: float, size: float) -> int:
    """Lines of text for sections under their heads."""
    return int((height - len(sections) * 5.2 - (len(sections) - 1) * 2.0) / line_mm(size))


def _fits(sections: Sequence[Section], height: float, width: float, size: float) -> bool:
    lines = sum(len(wrapped(item, width - 3, size)) for section in sections for item in section.items)
    return lines <= _room(sections, height, size)


def _declination(points: Any, imprint: Imprint) -> float | None:
    try:
        return float(np.ravel(declination_deg(points[:1, 0], points[:1, 1], imprint.as_at))[0])
    except CrsError:
        return None


def _references(page: Any, references: list[str], border: Border, error: float | None, width: float) -> float:
    """Numbered grid references in columns; the height used [mm]."""
    ten = len(references[0].replace(" ", "")) > 13
    square = "1 m" if ten else "10 m"
    how = "unknown" if error is None else f"{np.ceil(round(error, 6)):,.0f} m"
    _title(page, _EDGE, _COLUMNS_TOP, f"Turning points, MGRS ({len(references)})", width)
    told = (
        f"Clockwise from the most northern one. A reference names a square of {square}; position error {how} (95 %). "
        f"The border through these points leads up to {np.ceil(border.error_m):.0f} m outside the task, never inside."
    )
    if border.holes:
        told += f" Enclaves within it have no points: {border.holes}."
    used = 4.6 + put_text(page, _EDGE, _COLUMNS_TOP - 4.6, [told], width, 6, color=SOFT) + 1
    columns = 3 if len(references) > 8 else 2
    rows = -(-len(references) // columns)
    for k, reference in enumerate(references):
        x, y = _EDGE + k // rows * width / columns, _COLUMNS_TOP - used - k % rows * line_mm(7)
        page.text(x + 4, y, str(k + 1), fontsize=6.8, va="top", ha="right", fontweight="bold")
        page.text(x + 5, y, reference, fontsize=6.2 if ten else 7, va="top")
    return used + rows * line_mm(7)


def _title(page: Any, x: float, y: float, words: str, width: float, colour: str = INK) -> None:
    page.text(x, y, printable(words), fontsize=7.6, fontweight="bold", va="top", color=colour)
    page.plot([x, x + width], [y - 3.6, y - 3.6], color=colour, lw=0.5, scalex=False, scaley=False)


def _sections(
    page: Any, sections: Sequence[Section], x: float, y: float, width: float, height: float, size: float
) -> None:
    """Sections one under another in the room that there is; what finds none is counted and named."""
    lines = fitted(sections, _room(sections, height, size), width - 3, size)
    for section, items in zip(sections, lines, strict=True):
        alarm = section.title == "Warnings"
        _title(page, x, y, section.title, width, _ALARM if alarm else INK)
        y -= 5.2
        for item in items:
            page.text(x, y, "•", fontsize=size, va="top", color=_ALARM if alarm else INK)
            for line in item:
                page.text(x + 2.4, y, line, fontsize=size, va="top")
                y -= line_mm(size)
        y -= 2.0


def fitted(sections: Sequence[Section], room: int, width: float, size: float) -> list[list[list[str]]]:
    """Items of each section as wrapped lines, together no more than ``room`` lines.

    Where they are more, an item takes four lines at most, then two; then the longest sections give up their last items
    and say how many and where they stand. The first section gives up last.
    """
    for most in (None, 4, 2):
        wrap = [[wrapped(item, width, size, most=most) for item in section.items] for section in sections]
        if sum(len(item) for items in wrap for item in items) <= room:
            return wrap
    kept = [len(items) for items in wrap]

    def shown(k: int) -> list[list[str]]:
        left = len(wrap[k]) - kept[k]
        more = [wrapped(f"... and {left} more, see {sections[k].rest}", width, size, most=1)] if left else []
        return wrap[k][: kept[k]] + more

    def count(k: int) -> int:
        return sum(map(len, shown(k)))

    while sum(count(k) for k in range(len(wrap))) > room and any(n > 1 for n in kept):
        order = [k for k in range(len(wrap) - 1, -1, -1) if kept[k] > 1]
        kept[max(order, key=lambda k: count(k) - (6 if k == 0 else 0))] -= 1
    return [shown(k) for k in range(len(wrap))]


def _signatures(page: Any) -> None:
    """Lines to sign on."""
    room = (_PAGE[0] - 2 * _EDGE + 4) / 3
    for k, words in enumerate(
        (
            "Team leader: name, date, signature",
            "Supervisor: name, date, signature",
            "Changes found on the ground: see back / none",
        )
    ):
        x = _EDGE + k * room
        page.plot([x, x + room - 4], [27.0, 27.0], color=INK, lw=0.6, scalex=False, scaley=False)
        page.text(x, 26.2, words, fontsize=6, color=SOFT, va="top")
