"""Tables to GPX 1.1 for handhelds: turning points of tasks, ways in, and each border as a closed track."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import pandas as pd
from pyproj import CRS

from clearplan.core.crs import operation, parse_crs
from clearplan.core.errors import OutputError, TableError
from clearplan.core.imprint import NOT_FOR_ENTRY, Imprint
from clearplan.core.writing import whole
from clearplan.core.xml import add, xml_bytes
from clearplan.outputs.field.borders import (
    Approach,
    Border,
    approaches,
    border_of,
    grid_reference,
    lonlat_of,
    short_codes,
)
from clearplan.outputs.layers import Layers
from clearplan.tables.check import placed
from clearplan.tables.frames import Tasks

_NAMESPACE = "http://www.topografix.com/GPX/1/1"
#: Longest name of a waypoint: older handhelds cut what is longer.
LONGEST_NAME = 14
#: What stands first on every waypoint.
SHORT_NOTICE = "Not for navigation or entry"
#: Waypoints that the smaller of the handhelds in use can hold.
_HANDHELD = 2_000


def first_tasks(tasks: pd.DataFrame, chosen: Sequence[str] | None = None, first: int = 10) -> Tasks:
    """The tasks that are meant, in the order in which they were named; else the first ones of each queue by rank.

    Raises
    ------
    TableError
        A task is unknown, or the tasks are not ranked and none is named.

    >>> table = pd.DataFrame({"task_id": ["a", "b", "c"], "queue": ["survey"] * 3, "rank": [2.0, 1.0, float("nan")]})
    >>> first_tasks(table)["task_id"].tolist(), first_tasks(table, ["c"])["task_id"].tolist()
    (['b', 'a'], ['c'])
    """
    if chosen is not None:
        known = set(tasks["task_id"])
        if lost := [name for name in chosen if name not in known]:
            raise TableError(f"no task {lost[0]!r}; ids are in tasks.csv, column task_id")
        order = {name: k for k, name in enumerate(dict.fromkeys(chosen))}
        own = tasks[tasks["task_id"].isin(order)]
        return own.iloc[np.argsort([order[name] for name in own["task_id"]], kind="stable")]
    if "rank" not in tasks.columns:
        raise TableError("tasks are not ranked; call rank() first, or name the tasks")
    ranked = tasks[tasks["rank"].notna()].sort_values(["queue", "rank", "task_id"], kind="stable")
    return ranked.groupby("queue", sort=False).head(first)


def write_gpx(
    path: str | Path,
    layers: Layers,
    imprint: Imprint,
    *,
    chosen: Sequence[str] | None = None,
    first: int = 10,
    corners: int = 24,
    operations: Sequence[str] = (),
) -> None:
    """Turning points, ways in and closed borders of tasks as GPX 1.1, whole or not at all.

    Parameters
    ----------
    path : path
        Ends with .gpx; a file of that name is replaced.
    layers : Layers
        ``tasks`` are TASKS, ranked unless ``chosen`` names some. Of each of ``zones`` and ``lifelines`` that a task
        names, and of the nearest where it names none, two points are written: ``-Z1A`` or ``-L1A`` is its gate, the
        point of the zone or lifeline nearest to the task, and ``-Z1B`` or ``-L1B`` the place of the border nearest to
        it. Where both are one there is only the first.
    imprint : Imprint
    chosen : ids, optional
        Tasks to write; else the ``first`` ones of each queue by rank.
    corners : int
        Turning points of a task at most; its border then leads outside of it, and each point says by how much.
    operations : text, optional
        Datum operations by which the inputs came into the tables' CRS, with their accuracy; told in the file's head.

    Raises
    ------
    OutputError
        The name does not end with .gpx, or the file can't be written.
    TableError, CrsError
        A task is unknown or has no polygon; tables are not in metres or not in one CRS.

    Notes
    -----
    Positions are WGS 84 with seven decimals (1 cm). The border is a track, not a route: a handheld leads along routes.
    """
    path = Path(path)
    if path.suffix.lower() != ".gpx":
        raise OutputError(f"{path}: does not end with .gpx; name a .gpx file")
    crs = layers.crs
    own = first_tasks(layers.tasks, chosen, first)
    codes = short_codes([str(name) for name in own["task_id"]])
    # Elements stand in the order that the schema wants: metadata, all waypoints, all tracks.
    points: list[Element] = []
    tracks: list[Element] = []
    short = f"{SHORT_NOTICE}. As at {imprint.as_at}. Fingerprint {imprint.fingerprint}."
    for task in placed(own).to_dict("records"):
        border = border_of(task["geometry"], corners, task.get("position_error_m"))
        ways = approaches(task, border, crs, zones=layers.zones, lifelines=layers.lifelines)
        code = codes[str(task["task_id"])]
        points += _corners(task, code, border, crs, short)
        points += _ways(task, code, ways, crs, short)
        tracks.append(_track(task, code, border, crs, short))
    root = Element("gpx", {"xmlns": _NAMESPACE, "version": "1.1", "creator": "clearplan"})
    _metadata(root, imprint, _told(own, layers.tasks, points, crs, operations), points)
    root.extend([*points, *tracks])
    with whole(path) as fresh:
        fresh.write_bytes(xml_bytes(root))


def _told(own: Any, tasks: Any, points: list[Element], crs: CRS, operations: Sequence[str]) -> str:
    """What the file holds, how exact it is, and what it leaves out."""
    without = len(own) - len(placed(own))
    words = [f"{len(own) - without} of {len(tasks)} tasks, {len(points)} waypoints."]
    if without:
        words.append(f"{without} chosen tasks have no place and are NOT in this file.")
    if len(points) > _HANDHELD:
        words.append(f"Many handhelds hold {_HANDHELD} waypoints and drop the rest without a word: write fewer tasks.")
    words.append(f"Positions: WGS 84. {operation(crs, parse_crs('EPSG:4326'))[1]}.")
    words += [f"Inputs: {one}." for one in operations]
    words.append("Each point tells its own position error; a handheld adds its own.")
    words.append("Borders lead outside the tasks, never inside; each track tells by how much.")
    return " ".join(words)


def _metadata(root: Element, imprint: Imprint, told: str, points: list[Element]) -> None:
    metadata = add(root, "metadata")
    add(metadata, "name", imprint.title)
    add(metadata, "desc", f"{_with_short(imprint.notice)} {told}")
    add(metadata, "time", f"{imprint.as_at.isoformat()}T00:00:00Z")
    add(metadata, "keywords", "mine action, not for navigation or entry")
    if points:
        lat, lon = ([float(point.attrib[name]) for point in points] for name in ("lat", "lon"))
        add(
            metadata,
            "bounds",
            minlat=f"{min(lat):.7f}",
            minlon=f"{min(lon):.7f}",
            maxlat=f"{max(lat):.7f}",
            maxlon=f"{max(lon):.7f}",
        )


def _with_short(notice: str) -> str:
    return notice if SHORT_NOTICE in notice else f"{NOT_FOR_ENTRY} {notice}"


def _corners(task: dict[Any, Any], code: str, border: Border, crs: CRS, short: str) -> list[Element]:
    found, number = [], 0
    total = len(border.corners)
    parts = len(border.rings)
    for k, ring in enumerate(border.rings, 1):
        for lon, lat in lonlat_of(ring, crs).tolist():
            number += 1
            part = f", part {k} of {parts}" if parts > 1 else ""
            told = (
                f"{short} Turning point {number} of {total}{part} of task {task['task_id']} ({task['land_class']}), "
                f"clockwise. The point stands on the border of hazardous ground. {_error(task)} "
                f"Border up to {_up(border.error_m)} m outside the task."
            )
            found.append(_point("wpt", f"{code}-{number:02d}", lon, lat, task, told, "Flag, Red", "turning point"))
    return found


def _ways(task: dict[Any, Any], code: str, ways: list[Approach], crs: CRS, short: str) -> list[Element]:
    """Gate and border point of each way in, named Z or L with its number within the task."""
    found = []
    number = {"Z": 0, "L": 0}
    for way in ways:
        letter = "Z" if way.kind == "zone" else "L"
        number[letter] += 1
        name = f"{code}-{letter}{number[letter]}"
        (lon, lat), (to_lon, to_lat) = lonlat_of(np.array([way.start, way.end]), crs).tolist()
        apart = way.bearing_deg is not None
        whose = f"{way.kind} {way.name} ({way.own_id})"
        start = "lies in the task" if way.inside else "meets the border here" if not apart else "nearest to the task"
        leads = f" {way.distance_m:,.0f} m at {way.bearing_deg:.0f} degrees true to the border." if apart else ""
        error = "unknown" if way.error_m is None else f"{_up(way.error_m)} m (95 %)"
        told = (
            f"{short} {whose}: {start}. Task {task['task_id']}.{leads} Position error of it: {error}. "
            "Ground between is not known to be without hazard."
        )
        if not way.inside:
            found.append(
                _point("wpt", f"{name}A" if apart else name, lon, lat, task, told, "Flag, Blue", f"{way.kind} gate")
            )
        if apart or way.inside:
            at = f"{short} Border of task {task['task_id']} nearest to {whose}. {_error(task)}"
            found.append(_point("wpt", f"{name}B", to_lon, to_lat, task, at, "Flag, Red", "border nearest to gate"))
    return found


def _track(task: dict[Any, Any], code: str, border: Border, crs: CRS, short: str) -> Element:
    track = Element("trk")
    add(track, "name", code)
    add(track, "cmt", SHORT_NOTICE)
    holes = f" Enclaves without corners of their own: {border.holes}." if border.holes else ""
    add(
        track,
        "desc",
        f"{short} Border of task {task['task_id']} ({task['land_class']}, {task['area_m2'] / 1e4:,.1f} ha), up to "
        f"{_up(border.error_m)} m outside it, never inside. {_error(task)}{holes}",
    )
    add(track, "type", "border of hazardous ground")
    for ring in border.rings:
        segment = add(track, "trkseg")
        for lon, lat in lonlat_of(np.concatenate([ring, ring[:1]]), crs).tolist():
            add(segment, "trkpt", lat=f"{lat:.7f}", lon=f"{lon:.7f}")
    return track


def _point(
    tag: str, name: str, lon: float, lat: float, task: dict[Any, Any], told: str, symbol: str, kind: str
) -> Element:
    assert len(name) <= LONGEST_NAME, name
    point = Element(tag, {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"})
    error = task.get("position_error_m")
    reference = grid_reference(lon, lat, None if error is None or pd.isna(error) else float(error))
    add(point, "name", name)
    add(point, "cmt", f"{SHORT_NOTICE}. {task['task_id']} {reference}")
    add(point, "desc", f"{told} MGRS {reference}.")
    add(point, "sym", symbol)
    add(point, "type", kind)
    return point


def _error(task: dict[Any, Any]) -> str:
    error = task.get("position_error_m")
    if error is None or pd.isna(error):
        return "Position error of the task: unknown."
    return f"Position error of the task: {_up(float(error)):,} m (95 %)."


def _up(metres: float) -> int:
    """Metres rounded up: an error is never told too small.

    >>> _up(0.1), _up(3.0)
    (1, 3)
    """
    return math.ceil(round(metres, 6))
