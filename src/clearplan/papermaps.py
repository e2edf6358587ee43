"""Tables to maps on paper at a stated scale: PNG and PDF with grid, scale bar, norths, legend and disclaimers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from .crs import require_metres
from .errors import OutputError, SettingsError
from .maps import Context
from .paper import (
    PAPER,
    SCALES,
    Frame,
    draw_grid,
    draw_norths,
    draw_scale_bar,
    fitting_scale,
    line_mm,
    map_axes,
    new_page,
    paper_size,
    print_style,
    printable,
    put_text,
    save_pages,
    scale_words,
    width_mm,
    wrapped,
)
from .schema import placed, remaining
from .shapes import simplify_outward
from .svg import INK, SOFT
from .tables import BOUNDARIES, NOT_FOR_ENTRY

#: Outlines on paper are drawn to this [mm]; simplified only outward.
_DRAWN_MM = 0.06
#: Tasks that are smaller than this on paper are not drawn one by one, but for the first [mm]; relief whose cells are
#: larger than this is none [mm]; from this scale on marks are small, so that they don't hide one another.
_TASK_MM, _CELL_MM, _SMALL = 3.0, 10.0, 400_000
_MARGIN, _GRID_ROOM, _HEAD, _FOOT = 8.0, 5.0, 12.0, 12.0
_SIDE, _BELOW = 62.0, 50.0
#: How each class of ground is drawn: fill, hatch with its colour, outline with its width and dashes. Fills are those of
#: IMSMA (TNMA 07.11/01); lines and hatches tell the classes apart where colours are not seen.
GROUND: dict[str, dict[str, Any]] = {
    "indication, outer band": {"fc": (0.557, 0.486, 0.765, 0.10), "hatch": "\\", "hc": "#5E4B8B", "ec": "#5E4B8B",
                               "lw": 0.6, "ls": (0, (1, 2))},
    "indication": {"fc": (0.557, 0.486, 0.765, 0.18), "hatch": "\\\\", "hc": "#5E4B8B", "ec": "#5E4B8B", "lw": 0.7,
                   "ls": "-"},
    "SHA": {"fc": (0.957, 0.655, 0.094, 0.5), "hatch": "//", "hc": "#8A5A00", "ec": "#8A5A00", "lw": 0.9,
            "ls": (0, (4, 1.6))},
    "CHA": {"fc": (1.0, 0.0, 0.0, 0.5), "hatch": None, "hc": None, "ec": "#7A0000", "lw": 0.9, "ls": "-"},
}  # fmt: skip
#: Ground that was released, by action; the pattern tells how.
RELEASED_GROUND: dict[str, dict[str, Any]] = {
    "cancelled": {"fc": "none", "hatch": None, "hc": None, "ec": "#00695C", "lw": 0.7, "ls": (0, (2, 1.5))},
    "reduced": {"fc": "none", "hatch": "..", "hc": "#00695C", "ec": "#00695C", "lw": 0.7, "ls": "-"},
    "cleared": {"fc": (0.0, 0.412, 0.361, 0.25), "hatch": None, "hc": None, "ec": "#00695C", "lw": 0.7, "ls": "-"},
}
_GROUND_WORDS = {
    "indication, outer band": "Indication, outer band of the belt",
    "indication": "Indication: reason to survey",
    "SHA": "Suspected hazardous area (SHA)",
    "CHA": "Confirmed hazardous area (CHA)",
    "cancelled": "Released by non-technical survey",
    "reduced": "Released by technical survey",
    "cleared": "Released by clearance",
}
LINES: dict[str, dict[str, Any]] = {
    "survey": {"color": "#444444", "lw": 0.35, "ls": "-"},
    "clearance": {"color": "#7A0000", "lw": 0.5, "ls": "-"},
    "survey, first": {"color": INK, "lw": 1.5, "ls": (0, (3, 1.2))},
    "clearance, first": {"color": INK, "lw": 1.7, "ls": "-"},
    "border": {"color": INK, "lw": 0.6, "ls": (0, (3, 1.5))},
    "districts": {"color": "#555555", "lw": 0.7, "ls": (0, (6, 2.5))},
    "rivers": {"color": "#6FA8CC", "lw": 0.6, "ls": "-"},
    "roads": {"color": "#8A6D4A", "lw": 0.9, "ls": "-"},
    "contact line": {"color": "#5E4B8B", "lw": 1.1, "ls": (0, (1, 1))},
    "lifeline": {"color": "#00695C", "lw": 1.3, "ls": (0, (5, 1.2, 1, 1.2))},
}
MARKS: dict[str, dict[str, Any]] = {
    "zone": {"marker": "s", "ms": 5.0, "mfc": "#73A2C6", "mec": "#00429D", "mew": 1.3},
    "accident": {"marker": "x", "ms": 4.2, "mec": INK, "mew": 1.1},
    "lifeline": {"marker": "^", "ms": 4.6, "mfc": "#7FBFB5", "mec": "#00695C", "mew": 1.0},
}


@dataclass(frozen=True)
class Layers:
    """What a sheet can show, all in one metric CRS; what is left out is not on the map, and the map says so.

    ``first``: how many tasks of each queue are drawn bold with their rank.
    """

    tasks: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame | None = None
    zones: gpd.GeoDataFrame | None = None
    accidents: gpd.GeoDataFrame | None = None
    lifelines: gpd.GeoDataFrame | None = None
    releases: gpd.GeoDataFrame | None = None
    contact_lines: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    context: Context = field(default_factory=Context)
    first: int = 10

    @property
    def crs(self) -> CRS:
        """The one CRS of all layers.

        Raises
        ------
        CrsError
            They are not in metres, or not in one CRS.
        """
        own = (
            self.tasks,
            self.areas,
            self.zones,
            self.accidents,
            self.lifelines,
            self.releases,
            self.contact_lines,
            self.roads,
        )
        below = (self.context.districts, self.context.countries, self.context.rivers, self.context.lakes)
        return require_metres(*(layer for layer in (*own, *below) if layer is not None))


@dataclass(frozen=True)
class Imprint:
    """What every sheet says of itself: title, day, disclaimers, the run's fingerprint, the CRS in words."""

    title: str
    as_at: dt.date
    notice: str
    fingerprint: str
    crs: str = ""
    illustrative: str = ""


@dataclass(frozen=True)
class Entry:
    """A line of a legend: what is drawn, how (a key of GROUND, LINES or MARKS), and how many are on the map."""

    words: str
    how: str
    key: str
    count: int


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
        f"scale = {fitting_scale(width, height, box[2:])}, a smaller extent, or draw_atlas"
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
    used = put_text(page, right, at, [f"Grid: {grid}.", imprint.crs and f"CRS: {imprint.crs}."],
                    width - _MARGIN - right, 6, color=SOFT)  # fmt: skip
    if orientation == "landscape":
        draw_legend(page, entries, right, at - used - 3, width - _MARGIN - right, columns=1)
    put_text(page, _MARGIN, _MARGIN + _FOOT - 2.5, [foot_words(imprint)], width - 2 * _MARGIN, 6, color=INK)
    return figure


def foot_words(imprint: Imprint) -> str:
    """Disclaimers of a sheet: those of the run, and never without the ones that all outputs carry."""
    lacking = [words for words in (NOT_FOR_ENTRY, BOUNDARIES) if words not in imprint.notice]
    if imprint.fingerprint not in imprint.notice:
        lacking.append(f"As at {imprint.as_at}. Fingerprint {imprint.fingerprint}.")
    return " ".join([imprint.notice, *lacking]).strip()


def _head(page: Any, imprint: Imprint, frame: Frame, width: float, height: float, title: str) -> None:
    top = height - _MARGIN
    right = f"{scale_words(frame.scale)}"
    page.text(width - _MARGIN, top, right, fontsize=15, fontweight="bold", ha="right", va="top")
    room = width - 2 * _MARGIN - width_mm(right, 15, bold=True) - 6
    line = wrapped(title, room, 14, most=1, bold=True)[0]
    page.text(_MARGIN, top, line, fontsize=14, fontweight="bold", va="top")
    page.text(_MARGIN, top - 7, f"As at {imprint.as_at}   Fingerprint {printable(imprint.fingerprint)}", fontsize=7.5,
              color=SOFT, va="top")  # fmt: skip
    words = imprint.illustrative or "Not for navigation or entry"
    page.text(width - _MARGIN, top - 7.4, printable(words), fontsize=7.5, color="#B00000", fontweight="bold", va="top",
              ha="right")  # fmt: skip


# --- layers --------------------------------------------------------------------------------------------------------


def draw_layers(axes: Any, frame: Frame, layers: Layers, *, focus: Any = None) -> tuple[list[Entry], Labels]:
    """All layers within a frame, and what a legend must say; with a task in ``focus`` all others stay thin."""
    ground = shapely.box(*frame.extent)
    context = layers.context
    _relief(axes, frame, context.elevation)
    below = _lines(axes, frame, context.districts, "districts", "Outline of a district")
    below += _lines(axes, frame, context.rivers, "rivers", "River") + _fill_under(axes, frame, context.lakes, "Lake")
    entries = _areas(axes, frame, layers.areas)
    below = _released(axes, frame, layers.releases) + below
    entries += _lines(axes, frame, layers.contact_lines, "contact line", "Former contact line, as drawn")
    entries += _tasks(axes, frame, layers, focus)
    labels = Labels(axes, frame)
    entries += _zones(axes, frame, layers.zones, labels)
    entries += _points(axes, frame, layers.accidents, "accident", "Accident")
    entries += _lifelines(axes, frame, layers.lifelines)
    entries += _lines(axes, frame, layers.roads, "roads", "Road")
    if focus is None:
        _ranks(frame, layers, ground, labels)
    _district_names(frame, layers, ground, labels, alone=focus is None)
    entries.append(Entry("No colour: unknown, not without hazard", "paper", "", 0))
    return entries + below, labels


def _path(shapes: Any, frame: Frame) -> Any:
    """Polygons cut a little beyond the frame as one path; None where there are none."""
    from matplotlib.path import Path as Drawn

    room = 3 * frame.metres_per_mm
    west, south, east, north = frame.extent
    cut = shapely.clip_by_rect(shapes, west - room, south - room, east + room, north + room)
    parts = [p for p in shapely.get_parts(cut) if p.geom_type == "Polygon" and not p.is_empty]
    parts = list(shapely.get_parts([p for q in parts for p in ([q] if q.geom_type == "Polygon" else [])]))
    if not parts:
        return None
    points, codes = [], []
    for part in shapely.orient_polygons(np.array(parts, dtype=object)):
        for ring in (part.exterior, *part.interiors):
            xy = shapely.get_coordinates(ring)
            points.append(xy)
            codes.append([Drawn.MOVETO, *[Drawn.LINETO] * (len(xy) - 2), Drawn.CLOSEPOLY])
    return Drawn(np.concatenate(points), np.concatenate(codes))


def _drawn(table: gpd.GeoDataFrame | None, frame: Frame) -> Any:
    """Rows that the frame shows."""
    if table is None:
        return None
    own = placed(table)
    return own[shapely.intersects(own.geometry.to_numpy(), shapely.box(*frame.extent))]


def _areas(axes: Any, frame: Frame, areas: gpd.GeoDataFrame | None) -> list[Entry]:
    own = _drawn(None if areas is None else remaining(areas), frame)
    if own is None or not len(own):
        return []
    west, south, east, north = frame.extent
    room = 5 * frame.metres_per_mm
    band = own["band"] if "band" in own.columns else pd.Series("whole", index=own.index)
    outer = (own["land_class"] == "indication") & (band == "outer")
    kinds = own["land_class"].where(~outer, "indication, outer band")
    entries = []
    for k, (key, style) in enumerate(GROUND.items()):
        part = own[kinds == key].geometry.to_numpy()
        cut = shapely.clip_by_rect(part, west - room, south - room, east + room, north + room)
        shapes = simplify_outward(cut, _DRAWN_MM * frame.metres_per_mm)
        if len(part) and _patches(axes, frame, shapes, style, 2 + k * 0.1, f"ground {key}"):
            entries.append(Entry(_GROUND_WORDS[key], "ground", key, len(part)))
    return entries[::-1]


def _patches(axes: Any, frame: Frame, shapes: Any, style: dict[str, Any], above: float, name: str) -> bool:
    """Fill, hatch and outline of polygons; whether there was anything to draw."""
    from matplotlib.patches import PathPatch

    drawn = _path(shapes, frame)
    if drawn is None:
        return False
    if style["fc"] != "none":
        axes.add_patch(PathPatch(drawn, fc=style["fc"], ec="none", lw=0, zorder=above, gid=name))
    if style["hatch"]:
        axes.add_patch(PathPatch(drawn, fc="none", ec=style["hc"], hatch=style["hatch"], lw=0, zorder=above))
    axes.add_patch(PathPatch(drawn, fc="none", ec=style["ec"], lw=style["lw"], ls=style["ls"], zorder=above))
    return True


def _released(axes: Any, frame: Frame, releases: gpd.GeoDataFrame | None) -> list[Entry]:
    own = _drawn(releases, frame)
    if own is None:
        return []
    entries = []
    for key, style in RELEASED_GROUND.items():
        part = own[own["action"] == key].geometry.to_numpy()
        if len(part) and _patches(axes, frame, part, style, 1.6, f"released {key}"):
            entries.append(Entry(_GROUND_WORDS[key], "ground", key, len(part)))
    return entries


def _fill_under(axes: Any, frame: Frame, table: gpd.GeoDataFrame | None, words: str) -> list[Entry]:
    from matplotlib.patches import PathPatch

    own = _drawn(table, frame)
    drawn = _path(own.geometry.to_numpy(), frame) if own is not None and len(own) else None
    if drawn is None:
        return []
    axes.add_patch(PathPatch(drawn, fc="#D6E6F2", ec="#6FA8CC", lw=0.5, zorder=1.2))
    return [Entry(words, "lake", "lake", len(own))]


def _lines(axes: Any, frame: Frame, table: gpd.GeoDataFrame | None, key: str, words: str) -> list[Entry]:
    own = _drawn(table, frame)
    if own is None or not len(own):
        return []
    shapes = own.geometry.to_numpy()
    if key == "districts":  # an outline that two share is drawn once, else its dashes fill one another's gaps
        shapes = np.array([shapely.line_merge(shapely.union_all(shapely.boundary(shapes)))], dtype=object)
    stroke(axes, frame, shapes, LINES[key], 3.0)
    return [Entry(words, "line", key, len(own))]


def stroke(axes: Any, frame: Frame, shapes: Any, style: dict[str, Any], above: float) -> None:
    """Lines, and the outlines of polygons, cut to the frame."""
    from matplotlib.collections import LineCollection

    flat = shapely.get_dimensions(shapes) == 2
    lines = np.where(flat, shapely.boundary(shapes), shapes)
    room = 3 * frame.metres_per_mm
    west, south, east, north = frame.extent
    cut = shapely.clip_by_rect(lines, west - room, south - room, east + room, north + room)
    parts = [shapely.get_coordinates(p) for p in shapely.get_parts(cut) if p.geom_type.startswith("Line")]
    if parts:
        axes.add_collection(
            LineCollection(parts, colors=style["color"], linewidths=style["lw"], linestyles=[style["ls"]],
                           zorder=above), autolim=False
        )  # fmt: skip


def _first_of(tasks: Any, first: int) -> Any:
    """Which tasks are drawn bold: the first ones of their queue."""
    rank = pd.to_numeric(tasks["rank"]) if "rank" in tasks.columns else pd.Series(np.nan, index=tasks.index)
    return (rank <= first).to_numpy(bool)


def _tasks(axes: Any, frame: Frame, layers: Layers, focus: Any) -> list[Entry]:
    own = _drawn(layers.tasks, frame)
    bold = _first_of(own, layers.first) & (focus is None)
    side = np.sqrt(np.median(shapely.area(own.geometry.to_numpy()))) if len(own) else 0.0
    small = side < _TASK_MM * frame.metres_per_mm
    entries: list[Entry] = []
    for queue, words in (("clearance", "Task for clearance"), ("survey", "Task for survey")):
        of = (own["queue"] == queue).to_numpy(bool)
        for which, key, told in (
            (of & bold, f"{queue}, first", f"{words}, first {layers.first}: rank"),
            (of & ~bold, queue, f"Other {words.lower()}"),
        ):
            part = own[which] if focus is None else own[which & (own["task_id"] != focus).to_numpy(bool)]
            if len(part) and small and key == queue:
                entries.append(Entry(f"Other, {queue}: too small to draw", "none", key, len(part)))
            elif len(part):
                stroke(axes, frame, part.geometry.to_numpy(), LINES[key], 4.0 if key == queue else 4.5)
                entries.append(Entry(told, "line", key, len(part)))
    return entries


def _lifelines(axes: Any, frame: Frame, table: gpd.GeoDataFrame | None) -> list[Entry]:
    own = _drawn(table, frame)
    if own is None or not len(own):
        return []
    shapes = own.geometry.to_numpy()
    point = shapely.get_dimensions(shapes) == 0
    entries = []
    if (~point).any():
        stroke(axes, frame, shapes[~point], LINES["lifeline"], 4.2)
        entries.append(Entry("Lifeline: road, water, fields ...", "line", "lifeline", int((~point).sum())))
    if point.any():
        xy = shapely.get_coordinates(shapely.point_on_surface(shapes[point]))
        axes.plot(xy[:, 0], xy[:, 1], ls="none", zorder=4.6, **MARKS["lifeline"])
        entries.append(Entry("Lifeline: school, clinic ...", "mark", "lifeline", int(point.sum())))
    return entries


def _points(axes: Any, frame: Frame, table: Any, key: str, words: str) -> list[Entry]:
    own = _drawn(table, frame)
    if own is None or not len(own):
        return []
    xy = shapely.get_coordinates(shapely.point_on_surface(own.geometry.to_numpy()))
    style = MARKS[key]
    if key == "accident" and frame.scale >= _SMALL:
        style = style | {"ms": 2.6, "mew": 0.7}
    axes.plot(xy[:, 0], xy[:, 1], ls="none", zorder=5.0, gid=key, **style)
    return [Entry(words, "mark", key, len(own))]


def _zones(axes: Any, frame: Frame, zones: gpd.GeoDataFrame | None, labels: Labels) -> list[Entry]:
    own = _drawn(zones, frame)
    if own is None or not len(own):
        return []
    flat = own.geometry[shapely.get_dimensions(own.geometry.to_numpy()) == 2].to_numpy()
    if len(flat):
        stroke(axes, frame, flat, {"color": "#00429D", "lw": 1.4, "ls": "-"}, 4.8)
    entries = _points(axes, frame, own, "zone", "Place of return")
    spots = shapely.get_coordinates(shapely.point_on_surface(own.geometry.to_numpy()))
    labels.taken += [shapely.Point(*frame.place(x, y)).buffer(1.4) for x, y in spots]
    for (x, y), zone in zip(spots, own.to_dict("records"), strict=True):
        name = zone.get("name")
        words = name if isinstance(name, str) and name.strip() else zone["zone_id"]
        people = zone.get("people")
        told = "people unknown" if people is None or pd.isna(people) else f"{int(people):,}"
        labels.put(x, y, f"{printable(words)} ({told})", size=7, color="#00306F", bold=True)
    return entries


def _ranks(frame: Frame, layers: Layers, ground: Any, labels: Labels) -> None:
    """Rank of the first tasks of each queue at their place, C for clearance and S for survey."""
    own = _drawn(layers.tasks, frame)
    for task in own[_first_of(own, layers.first)].sort_values(["rank", "task_id"]).to_dict("records"):
        x, y = shapely.get_coordinates(shapely.point_on_surface(task["geometry"]))[0]
        if ground.contains(shapely.Point(x, y)):
            words = f"{'C' if task['queue'] == 'clearance' else 'S'}{int(task['rank'])}"
            labels.put(x, y, words, size=6.5, color=INK, bold=True, box=True)


def _district_names(frame: Frame, layers: Layers, ground: Any, labels: Labels, *, alone: bool) -> None:
    """Names of districts in the open; of one that is alone on the map only where ``alone`` says so."""
    own = _drawn(layers.context.districts, frame)
    if own is None or layers.context.district_name not in own.columns or (len(own) < 2 and not alone):
        return
    for shape, name in zip(shapely.intersection(own.geometry.to_numpy(), ground), own[layers.context.district_name],
                           strict=True):  # fmt: skip
        if isinstance(name, str) and shape.area > 0.03 * ground.area:
            x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
            labels.put(x, y, " ".join(printable(name).upper()), size=6.5, color="#555555", centred=True)


class Labels:
    """Words on a map beside their points, none over another; ``lacking`` counts those that found no room."""

    def __init__(self, axes: Any, frame: Frame) -> None:
        self.axes, self.frame = axes, frame
        self.taken: list[Any] = []
        self.lacking = 0

    def put(
        self, x: float, y: float, words: str, *, size: float, color: str, bold: bool = False, box: bool = False,
        centred: bool = False, away_from: tuple[float, float] | None = None,
    ) -> None:  # fmt: skip
        """Words at a point of the ground [m] where nothing else is written; names in the open (``centred``) are
        left out without a count, for they belong to no point. ``away_from``: the places on the far side come first.
        """
        at_x, at_y = self.frame.place(x, y)
        wide, tall = width_mm(words, size, bold=bold) + 1.2, line_mm(size)
        field = shapely.box(*self.frame.box[:2], *np.add(self.frame.box[:2], self.frame.box[2:]))
        spots = _spots(wide, tall, centred)
        if away_from is not None:
            out = np.array([x - away_from[0], y - away_from[1]]) / max(np.hypot(x - away_from[0], y - away_from[1]), 1)
            middles = np.add(spots, (wide / 2, tall / 2))
            spots = [spots[k] for k in np.argsort(np.hypot(*middles.T) - 0.6 * (middles @ out), kind="stable")]
        for dx, dy in spots:
            room = shapely.box(at_x + dx, at_y + dy, at_x + dx + wide, at_y + dy + tall)
            if field.contains_properly(room) and not any(room.intersects(other) for other in self.taken):
                self.taken.append(room)
                backing = {"fc": (1, 1, 1, 0.78), "ec": INK if box else "none", "lw": 0.4, "pad": 0.7}
                at = self._ground(room.bounds[0] + 0.6, (room.bounds[1] + room.bounds[3]) / 2)
                self.axes.text(*at, words, fontsize=size, color=color, va="center_baseline", zorder=7,
                               fontweight="bold" if bold else "normal", bbox=None if centred else backing)  # fmt: skip
                return
        self.lacking += not centred

    def _ground(self, x: float, y: float) -> tuple[float, float]:
        west, south, _, _ = self.frame.extent
        left, bottom, _, _ = self.frame.box
        return west + (x - left) * self.frame.metres_per_mm, south + (y - bottom) * self.frame.metres_per_mm


def _spots(wide: float, tall: float, centred: bool) -> list[tuple[float, float]]:
    """Where words of a size may stand from their point, the best first [mm]."""
    if centred:
        return [(-wide / 2, -tall / 2 + dy) for dy in (0, 6, -6, 12, -12)]
    off = 1.9
    near = [(off, -tall / 2), (-off - wide, -tall / 2), (-wide / 2, off), (-wide / 2, -off - tall)]
    return near + [
        (side * off * far if side > 0 else -off * far - wide, up * off * far / 2 - (tall if up < 0 else 0))
        for far in (1, 2.5, 4, 6)
        for side in (1, -1)
        for up in (1, -1)
    ]


def _relief(axes: Any, frame: Frame, elevation: Path | None) -> None:
    """Pale grey ground, where elevations are given."""
    if elevation is None:
        return
    from .rasters import relief_of

    rows, columns = (max(2, round(side * 4)) for side in (frame.box[3], frame.box[2]))  # four cells a millimetre
    shade, cell_m = relief_of(elevation, frame.crs, frame.extent, (rows, columns))
    if cell_m > _CELL_MM * frame.metres_per_mm:
        return
    west, south, east, north = frame.extent
    grey = np.ma.masked_invalid(0.72 + 0.28 * shade)
    axes.imshow(grey, cmap="gray", vmin=0, vmax=1, extent=(west, east, south, north), zorder=1, aspect="auto",
                interpolation="nearest")  # fmt: skip
    axes.set(xlim=(west, east), ylim=(south, north))


# --- legend --------------------------------------------------------------------------------------------------------


def draw_legend(
    page: Any, entries: Sequence[Entry], x: float, y: float, width: float, *, columns: int = 1, size: float = 6.8
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


def _swatch(page: Any, entry: Entry, x: float, y: float) -> None:
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
