"""What a map on paper shows: ground by class, tasks, places, accidents, lines, and their names where there is room."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.geo.shapes import Geometries, simplify_outward
from clearplan.outputs.charts.style import INK
from clearplan.outputs.layers import Layers
from clearplan.outputs.paper.lettering import line_mm, printable, width_mm
from clearplan.outputs.paper.sheet import Frame
from clearplan.outputs.paper.symbols import GROUND, GROUND_WORDS, LINES, MARKS, RELEASED_GROUND, Entry, Style
from clearplan.tables.check import placed, remaining
from clearplan.tables.people import people_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Outlines on paper are drawn to this [mm]; simplified only outward.
_DRAWN_MM = 0.06
#: Tasks that are smaller than this on paper are not drawn one by one, but for the first [mm]; relief whose cells are
#: larger than this is none [mm]; from this scale on marks are small, so that they don't hide one another.
_TASK_MM, _CELL_MM, _SMALL = 3.0, 10.0, 400_000


def draw_layers(
    axes: Axes, frame: Frame, layers: Layers, *, focus: shapely.Geometry | None = None
) -> tuple[list[Entry], Labels]:
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
    entries.append(Entry("Blank: unknown, maybe hazardous", "paper", "", 0))
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


def _areas(axes: Axes, frame: Frame, areas: gpd.GeoDataFrame | None) -> list[Entry]:
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
            entries.append(Entry(GROUND_WORDS[key], "ground", key, len(part)))
    return entries[::-1]


def _patches(axes: Axes, frame: Frame, shapes: Any, style: Style, above: float, name: str) -> bool:
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


def _released(axes: Axes, frame: Frame, releases: gpd.GeoDataFrame | None) -> list[Entry]:
    own = _drawn(releases, frame)
    if own is None:
        return []
    entries = []
    for key, style in RELEASED_GROUND.items():
        part = own[own["action"] == key].geometry.to_numpy()
        if len(part) and _patches(axes, frame, part, style, 1.6, f"released {key}"):
            entries.append(Entry(GROUND_WORDS[key], "ground", key, len(part)))
    return entries


def _fill_under(axes: Axes, frame: Frame, table: gpd.GeoDataFrame | None, words: str) -> list[Entry]:
    from matplotlib.patches import PathPatch

    own = _drawn(table, frame)
    drawn = _path(own.geometry.to_numpy(), frame) if own is not None and len(own) else None
    if drawn is None:
        return []
    axes.add_patch(PathPatch(drawn, fc="#D6E6F2", ec="#6FA8CC", lw=0.5, zorder=1.2))
    return [Entry(words, "lake", "lake", len(own))]


def _lines(axes: Axes, frame: Frame, table: gpd.GeoDataFrame | None, key: str, words: str) -> list[Entry]:
    own = _drawn(table, frame)
    if own is None or not len(own):
        return []
    shapes = own.geometry.to_numpy()
    if key == "districts":  # an outline that two share is drawn once, else its dashes fill one another's gaps
        shapes = np.array([shapely.line_merge(shapely.union_all(shapely.boundary(shapes)))], dtype=object)
    stroke(axes, frame, shapes, LINES[key], 3.0)
    return [Entry(words, "line", key, len(own))]


def stroke(axes: Axes, frame: Frame, shapes: Geometries, style: Style, above: float) -> None:
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
            LineCollection(
                parts, colors=style["color"], linewidths=style["lw"], linestyles=[style["ls"]], zorder=above
            ),
            autolim=False,
        )


def _first_of(tasks: Any, first: int) -> Any:
    """Which tasks are drawn bold: the first ones of their queue."""
    rank = pd.to_numeric(tasks["rank"]) if "rank" in tasks.columns else pd.Series(np.nan, index=tasks.index)
    return (rank <= first).to_numpy(bool, na_value=False)


def _tasks(axes: Axes, frame: Frame, layers: Layers, focus: Any) -> list[Entry]:
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
                entries.append(Entry(f"Other {queue}: too small", "none", key, len(part)))
            elif len(part):
                stroke(axes, frame, part.geometry.to_numpy(), LINES[key], 4.0 if key == queue else 4.5)
                entries.append(Entry(told, "line", key, len(part)))
    return entries


def _lifelines(axes: Axes, frame: Frame, table: gpd.GeoDataFrame | None) -> list[Entry]:
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


def _points(axes: Axes, frame: Frame, table: Any, key: str, words: str) -> list[Entry]:
    own = _drawn(table, frame)
    if own is None or not len(own):
        return []
    xy = shapely.get_coordinates(shapely.point_on_surface(own.geometry.to_numpy()))
    style = MARKS[key]
    if key == "accident" and frame.scale >= _SMALL:
        style = style | {"ms": 2.6, "mew": 0.7}
    axes.plot(xy[:, 0], xy[:, 1], ls="none", zorder=5.0, gid=key, **style)
    return [Entry(words, "mark", key, len(own))]


def _zones(axes: Axes, frame: Frame, zones: gpd.GeoDataFrame | None, labels: Labels) -> list[Entry]:
    own = _drawn(zones, frame)
    if own is None or not len(own):
        return []
    flat = own.geometry[shapely.get_dimensions(own.geometry.to_numpy()) == 2].to_numpy()
    if len(flat):
        stroke(axes, frame, flat, {"color": "#00429D", "lw": 1.4, "ls": "-"}, 4.8)
    made_up = "people_basis" in own.columns and (own["people_basis"] == "illustrative").any()
    entries = _points(axes, frame, own, "zone", "Place of return" + ("; *: illustrative" if made_up else ""))
    spots = shapely.get_coordinates(shapely.point_on_surface(own.geometry.to_numpy()))
    labels.taken += [shapely.Point(*frame.place(x, y)).buffer(1.4) for x, y in spots]
    for (x, y), zone in zip(spots, own.to_dict("records"), strict=True):
        name = zone.get("name")
        words = name if isinstance(name, str) and name.strip() else zone["zone_id"]
        labels.put(x, y, f"{printable(words)} ({people_words(zone)})", _PLACE)
    return entries


def _ranks(frame: Frame, layers: Layers, ground: Any, labels: Labels) -> None:
    """Rank of the first tasks of each queue at their place, C for clearance and S for survey."""
    own = _drawn(layers.tasks, frame)
    for task in own[_first_of(own, layers.first)].sort_values(["rank", "task_id"]).to_dict("records"):
        x, y = shapely.get_coordinates(shapely.point_on_surface(task["geometry"]))[0]
        if ground.contains(shapely.Point(x, y)):
            words = f"{'C' if task['queue'] == 'clearance' else 'S'}{int(task['rank'])}"
            labels.put(x, y, words, _RANK)


def _district_names(frame: Frame, layers: Layers, ground: Any, labels: Labels, *, alone: bool) -> None:
    """Names of districts in the open; of one that is alone on the map only where ``alone`` says so."""
    own = _drawn(layers.context.districts, frame)
    if own is None or layers.context.district_name not in own.columns or (len(own) < 2 and not alone):
        return
    for shape, name in zip(
        shapely.intersection(own.geometry.to_numpy(), ground), own[layers.context.district_name], strict=True
    ):
        if isinstance(name, str) and shape.area > 0.03 * ground.area:
            x, y = shapely.get_coordinates(shapely.point_on_surface(shape))[0]
            labels.put(x, y, " ".join(printable(name).upper()), _DISTRICT)


@dataclass(frozen=True)
class Lettering:
    """How words on a map look: size [points], colour, weight, a line round them.

    ``centred``: a name in the open, which belongs to no point and is left out without a count.
    """

    size: float
    color: str
    bold: bool = False
    box: bool = False
    centred: bool = False

    @property
    def words(self) -> dict[str, Any]:
        """As matplotlib's text takes it."""
        weight = "bold" if self.bold else "normal"
        backing = {"fc": (1, 1, 1, 0.78), "ec": INK if self.box else "none", "lw": 0.4, "pad": 0.7}
        return {
            "fontsize": self.size,
            "color": self.color,
            "fontweight": weight,
            "bbox": None if self.centred else backing,
        }


#: Names of places, ranks of tasks, names of districts; numbers of turning points.
_PLACE = Lettering(7, "#00306F", bold=True)
_RANK = Lettering(6.5, INK, bold=True, box=True)
_DISTRICT = Lettering(6.5, "#555555", centred=True)
NUMBER = Lettering(6, INK, bold=True)


class Labels:
    """Words on a map beside their points, none over another; ``lacking`` counts those that found no room."""

    def __init__(self, axes: Axes, frame: Frame) -> None:
        self.axes, self.frame = axes, frame
        self.taken: list[Any] = []
        self.lacking = 0

    def put(
        self, x: float, y: float, words: str, style: Lettering, *, away_from: tuple[float, float] | None = None
    ) -> None:
        """Words at a point of the ground [m] where nothing else is written.

        ``away_from``: the places on the far side come first.
        """
        at_x, at_y = self.frame.place(x, y)
        wide, tall = width_mm(words, style.size, bold=style.bold) + 1.2, line_mm(style.size)
        field = shapely.box(*self.frame.box[:2], *np.add(self.frame.box[:2], self.frame.box[2:]))
        spots = _spots(wide, tall, style.centred)
        if away_from is not None:
            out = np.array([x - away_from[0], y - away_from[1]]) / max(np.hypot(x - away_from[0], y - away_from[1]), 1)
            middles = np.add(spots, (wide / 2, tall / 2))
            spots = [spots[k] for k in np.argsort(np.hypot(*middles.T) - 0.6 * (middles @ out), kind="stable")]
        for dx, dy in spots:
            room = shapely.box(at_x + dx, at_y + dy, at_x + dx + wide, at_y + dy + tall)
            if field.contains_properly(room) and not any(room.intersects(other) for other in self.taken):
                self.taken.append(room)
                at = self._ground(room.bounds[0] + 0.6, (room.bounds[1] + room.bounds[3]) / 2)
                self.axes.text(*at, words, va="center_baseline", zorder=7, **style.words)
                return
        self.lacking += not style.centred

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


def _relief(axes: Axes, frame: Frame, elevation: Path | None) -> None:
    """Pale grey ground, where elevations are given."""
    if elevation is None:
        return
    from clearplan.geo.rasters import relief_of

    rows, columns = (max(2, round(side * 4)) for side in (frame.box[3], frame.box[2]))  # four cells a millimetre
    shade, cell_m = relief_of(elevation, frame.crs, frame.extent, (rows, columns))
    if cell_m > _CELL_MM * frame.metres_per_mm:
        return
    west, south, east, north = frame.extent
    grey = np.ma.masked_invalid(0.72 + 0.28 * shade)
    axes.imshow(
        grey,
        cmap="gray",
        vmin=0,
        vmax=1,
        extent=(west, east, south, north),
        zorder=1,
        aspect="auto",
        interpolation="nearest",
    )
    axes.set(xlim=(west, east), ylim=(south, north))
