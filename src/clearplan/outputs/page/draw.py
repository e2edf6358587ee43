"""Tables to one self-contained HTML map that opens without a network.

Each table becomes plain values that the page's script draws; ``page`` lays the page round them.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import parse_crs, require_metres, to_working
from clearplan.core.errors import TableError
from clearplan.core.imprint import BOUNDARIES, ILLUSTRATIVE, NOT_FOR_ENTRY, Imprint
from clearplan.outputs.facts import Facts
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.encode import DRAWN_TO_M, Fixed, columns_of, furthest_m, outlines, rough_outlines
from clearplan.outputs.page.figures import number as _number
from clearplan.outputs.page.figures import plain_figures, zone_links
from clearplan.outputs.page.html import MapPage, make_page
from clearplan.outputs.page.placenames import search_index
from clearplan.outputs.page.tiles import hazard_picture
from clearplan.priority.rank import criteria_of, meaning_of
from clearplan.read.background import Context
from clearplan.read.readers import empty_table
from clearplan.records.minefields import RecordReading
from clearplan.surface.probability import COLOURS, Surface
from clearplan.tables.check import remaining
from clearplan.tables.texts import ids_in

#: More tasks and hazard areas than this, together, are drawn as a picture; then the first so many tasks of each queue,
#: and so many that the plan begins first, with the hazards of them all, are outlines above it.
MOST_OUTLINES, FIRST_OUTLINES = 8_000, 250
_MICRO = 1e6  # coordinates travel as whole millionths of a degree, 0.1 m
#: Figures of tasks travel to more digits than the page shows: rank by steps, score [points], area [ha, m2], figures.
_FIXED = {
    "rank": Fixed(1.0, steps=True),
    "score": Fixed(1e-4, steps=True),
    "ha": Fixed(1e-4),
    "expected": Fixed(1.0),
    "raw": Fixed(1e-2),
    "value": Fixed(1e-5),
}
#: Columns of a task's expected area.
EXPECTED = ("expected_m2", "low_m2", "high_m2", "unknown_m2")
#: Columns by which ``robust`` and gates tell how sure a rank is.
HOW_SURE = (
    "gates", "priority_class", "class_share", "first_share", "rank_low", "rank_high", "tied_with", "change",
)  # fmt: skip
#: Without these columns there is no plan of work to show; its others are shown where they are there.
_PLANNED = {"TASKS": ("teams", "start_on", "finish_on"), "ZONES": ("opens_in",)}


#: Columns that published tables leave out, and what stands in their place.
_TASKS = {"zone_ids": None, "hazard_ids": None, "position_error_m": None, "people_assumed": None, "zones_unknown": 0}
_ZONES = {"source": None, "position_error_m": None}


def _with_blanks(table: gpd.GeoDataFrame, blanks: Mapping[str, Any]) -> gpd.GeoDataFrame:
    return table.assign(**{name: blank for name, blank in blanks.items() if name not in table.columns})


def draw_map(
    layers: Layers,
    imprint: Imprint | None = None,
    *,
    facts: Facts | None = None,
    notes: Sequence[str] = (),
    first: int | None = None,
    periods: Sequence[tuple[str, dt.date]] = (),
    most_outlines: int = MOST_OUTLINES,
) -> MapPage:
    """The map page: tasks by priority over hazards, with legend, explanation on click and disclaimers.

    With a plan of work, a slider shows what is planned to be open by the end of each period; the page opens without.

    Parameters
    ----------
    layers : Layers
        ``tasks`` are TASKS as ranked by ``rank``, coloured by class where ``robust`` told how sure each rank is.
    imprint : Imprint, optional
        Title, day, CRS, fingerprint; told from the tables when left out.
    facts : Facts, optional
        Figures of the head line and of the charts, by which the page can be filtered. Left out, it has neither head
        line nor charts nor filters. Those of a plan need ``periods``.
    notes : list of text, optional
        What must be read first.
    first : int, optional
        How many tasks ``first_share`` counts as the first (``settings.robustness.first``).
    periods : (label, date), optional
        Stops of the slider: the plan's first day, then the last day of each period. TASKS then carry ``teams``,
        ``start_on``, ``finish_on`` and maybe ``finished_part``; ZONES ``opens_in`` (the number of a period; 0 is the
        start) and maybe ``probability``, ``p50_on``, ``p80_on``, ``waits_for``, ``why``, ``sooner``. Left out, the page
        tells nothing of a plan.
    most_outlines : int
        More tasks and areas than this are drawn as a picture, with outlines of what comes first; the page tells how
        many are drawn how, and a click on the picture which tasks touch the cell.

    Raises
    ------
    CrsError
        Tables are not in metres, or not in the same CRS.
    TableError
        The tasks are not ranked, or the plan's columns and periods don't belong together.
    """
    if "score" not in layers.tasks.columns:
        raise TableError("tasks are not ranked; call rank() before draw_map()")
    areas, accidents, context = layers.areas, layers.accidents, layers.context
    tasks, zones = _with_blanks(layers.tasks, _TASKS), _with_blanks(_zones_of(layers), _ZONES)
    require_metres(tasks, zones, *(layer for layer in (areas, accidents, layers.contact_lines) if layer is not None))
    stops = _stops(tasks, zones, periods)
    left = None if areas is None else remaining(areas)
    lines = _outlined(tasks, left, most_outlines, bool(stops))
    data: dict[str, Any] = {
        "criteria": _criteria(tasks),
        "tasks": columns_of(_tasks(tasks, zones, stops, lines), _FIXED),
        "zones": _zones(zones, stops),
        "areas": columns_of(_areas(left, lines)),
        "drawn": _drawn(tasks, left, lines),
        "accidents": _accidents(accidents),
        "records": [row for reading in layers.records for row in _records(reading)],
        "lines": _shapes(layers.contact_lines),
        "surface": _surface(layers.surface),
        "context": _context(context),
        "search": _search(tasks, zones, context),
    }
    if first is not None:
        data["first"] = first
    if areas is not None and (areas["kind"] == "generalised").any():
        data["generalised"] = True  # cells stand for hazards, and the page must not call them hazardous as a whole
    if stops:
        data["plan"] = _plan(zones, periods)
    if facts is not None:
        _add_figures(data, facts, tasks, zones, context)
    if imprint is None:
        data["about"] = _words_of_tables(data, tasks, zones, areas, accidents) | {"notes": notes}
    else:
        data["about"] = _words(imprint, layers, facts, notes)
    return make_page(data)


def _zones_of(layers: Layers) -> gpd.GeoDataFrame:
    """ZONES; an empty table where none were given."""
    return empty_table("zones", layers.tasks.crs) if layers.zones is None else layers.zones


def _add_figures(data: dict[str, Any], facts: Facts, tasks: Any, zones: Any, context: Context) -> None:
    """Numbers of the head and of the charts, and what the map's rows lack to be filtered by them."""
    if facts.plan is not None and "plan" not in data:
        raise TableError("figures of a plan are given, but no periods; give both or neither")
    layer = context.districts
    data["figures"] = plain_figures(facts)
    if layer is not None:
        names = zip(_coordinates(layer), layer[context.district_name], strict=True)
        data["figures"]["districts"] = [str(name) for shape, name in names if shape]
    links = zone_links(tasks, zones, layer, context.district_name)
    there = [bool(shape) for shape in _coordinates(zones)]
    placed = [link for link, here in zip(links, there, strict=True) if here]
    lost = [link for link, here in zip(links, there, strict=True) if not here]
    for rows, own in ((data["zones"], placed), (data["plan"]["unplaced"] if "plan" in data else [], lost)):
        for row, link in zip(rows, own, strict=False):
            row.update(link)


# --- tables to plain values ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outlined:
    """Which tasks and areas stand on the map as outlines; the picture that shows all, where some do not."""

    tasks: np.ndarray
    areas: np.ndarray
    picture: dict[str, Any] | None = None


def _outlined(tasks: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, most: int, planned: bool) -> _Outlined:
    count = 0 if areas is None else len(areas)
    everything = _Outlined(np.ones(len(tasks), dtype=bool), np.ones(count, dtype=bool))
    if len(tasks) + count <= most:
        return everything
    hazards = tasks if areas is None else areas
    picture = hazard_picture(hazards)
    if picture is None:
        return everything
    rank = tasks["rank"].to_numpy(dtype=float, na_value=np.nan)
    first = rank <= FIRST_OUTLINES
    gated = np.flatnonzero(np.isnan(rank))
    first[gated[np.argsort(tasks["task_id"].to_numpy(str)[gated], kind="stable")[:FIRST_OUTLINES]]] = True
    if planned:
        first[tasks["start_on"].reset_index(drop=True).dropna().sort_values(kind="stable").index[:FIRST_OUTLINES]] = (
            True
        )
    theirs = {hazard for own in tasks["hazard_ids"].to_numpy()[first] for hazard in ids_in(own)}
    near = np.zeros(0, dtype=bool) if areas is None else areas["hazard_id"].isin(theirs).to_numpy()
    return _Outlined(first, near, picture)


def _drawn(tasks: gpd.GeoDataFrame, areas: gpd.GeoDataFrame | None, lines: _Outlined) -> dict[str, Any]:
    """How many shapes are drawn how, and how far outside the true ones their outlines can lie [m]."""
    told: dict[str, Any] = {
        "tasks": len(tasks),
        "outlined_tasks": int(lines.tasks.sum()),
        "areas": 0 if areas is None else len(areas),
        "outlined_areas": int(lines.areas.sum()),
        "furthest_m": math.ceil(furthest_m(DRAWN_TO_M)),
    }
    if lines.picture is not None:
        told["picture"] = lines.picture
    return told


def _task_outlines(tasks: gpd.GeoDataFrame, lines: _Outlined) -> list[str | None]:
    """All tasks have an outline; under the picture a rough one, by which a click finds them: half a cell is enough."""
    shapes = tasks.geometry.to_numpy()
    if lines.picture is None:
        return outlines(shapes, tasks.crs, DRAWN_TO_M)
    told = np.full(len(tasks), None, dtype=object)
    told[lines.tasks] = outlines(shapes[lines.tasks], tasks.crs, DRAWN_TO_M)
    told[~lines.tasks] = rough_outlines(shapes[~lines.tasks], tasks.crs, lines.picture["cell_m"] / 2)
    return list(told)


def _criteria(tasks: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Label, unit and the weight in each queue that has the criterion; all tasks of a queue share it."""
    told = []
    for name in criteria_of(tasks):
        meaning = meaning_of(tasks, name)
        weights = tasks.groupby("queue")[f"c_{name}_weight"].first().dropna()
        own = {queue: _number(weight) for queue, weight in weights.items()}
        told.append({"label": meaning.label, "unit": meaning.unit, "weights": own})
    return told


def _tasks(
    tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, stops: list[dt.date], lines: _Outlined
) -> list[dict[str, Any]]:
    names = dict(zip(zones["zone_id"], zones["name"], strict=True))
    # A task behind a gate takes no place in its queue.
    queue_size = tasks["queue"].map(tasks.loc[tasks["rank"].notna(), "queue"].value_counts()).fillna(0)
    shapes = _task_outlines(tasks, lines)
    bare = tasks.drop(columns="geometry").itertuples(index=False)
    raw, value = (_floats(tasks, [f"c_{name}_{part}" for name in criteria_of(tasks)]) for part in ("raw", "value"))
    expected = _floats(tasks, EXPECTED)
    told = any(name in tasks.columns for name in HOW_SURE)
    rows = []
    for k, (task, shape, of) in enumerate(zip(bare, shapes, queue_size.astype(int).tolist(), strict=True)):
        row = {
            "id": task.task_id,
            "queue": task.queue,
            "class": task.land_class,
            "rank": _whole(task.rank),
            "of": of,
            "score": float(task.score),
            "ha": task.area_m2 / 1e4,
            "district": _text(task.district),
            "zones": [_text(names.get(zone)) or zone for zone in ids_in(task.zone_ids)],
            "hazards": ids_in(task.hazard_ids),
            "error_m": _number(task.position_error_m),
            "assumed": _number(task.people_assumed),
            "unknown": int(task.zones_unknown),
            "expected": expected[k],
            "raw": raw[k],
            "value": value[k],
            "shape": shape,
        }
        if lines.picture is not None:
            row["outlined"] = int(lines.tasks[k])
        rows.append(row | (_how_sure(task) if told else {}) | (_work(task, stops) if stops else {}))
    return sorted(rows, key=lambda row: (row["queue"], row["rank"] is None, row["rank"] or 0, row["id"]))


def _floats(tasks: gpd.GeoDataFrame, names: Sequence[str]) -> list[list[float]]:
    """Numbers of some columns, task by task; NaN where unknown, endless or not there."""
    columns = tasks.reindex(columns=list(names)).to_numpy(float, na_value=np.nan)
    own: list[list[float]] = np.where(np.isfinite(columns), columns, np.nan).tolist()
    return own


def _how_sure(task: Any) -> dict[str, Any]:
    """What ``robust`` and gates add to a task; only what is there, so that other pages stay as they were."""
    told = {
        "gates": _text(getattr(task, "gates", None)),
        "priority": _text(getattr(task, "priority_class", None)),
        "class_share": _number(getattr(task, "class_share", None)),
        "first_share": _number(getattr(task, "first_share", None)),
        "between": [_whole(getattr(task, name, None)) for name in ("rank_low", "rank_high")],
        "tied": _text(getattr(task, "tied_with", None)),
        "change": _text(getattr(task, "change", None)),
        "told": _text(getattr(task, "told", None)),
    }
    return {name: value for name, value in told.items() if value is not None and value != [None, None]}


def _zones(zones: gpd.GeoDataFrame, stops: list[dt.date]) -> list[dict[str, Any]]:
    return [
        {
            "id": zone.zone_id,
            "name": _text(zone.name) or zone.zone_id,
            **_people(zone),
            "return": _day(getattr(zone, "planned_return", None)),
            "source": _text(zone.source),
            "error_m": _number(zone.position_error_m),
            "shape": shape,
        }
        | (_opening(zone) if stops else {})
        for shape, zone in zip(_coordinates(zones), zones.drop(columns="geometry").itertuples(index=False), strict=True)
        if shape
    ]


def _people(zone: Any) -> dict[str, Any]:
    """People who wait and people already home; blank is unknown. ``made_up``: how many wait is illustrative."""
    return {
        "people": _number(zone.people),
        "families": _number(getattr(zone, "families", None)),
        "made_up": _text(getattr(zone, "people_basis", None)) == "illustrative",
        "home": _number(getattr(zone, "already_home", None)),
        "home_families": _number(getattr(zone, "families_home", None)),
        "home_on": _day(getattr(zone, "already_home_on", None)),
    }


def _stops(tasks: pd.DataFrame, zones: pd.DataFrame, periods: Sequence[tuple[str, dt.date]]) -> list[dt.date]:
    """Days of the slider's stops; none without periods, an error where the tables don't fit them."""
    if not periods:
        return []
    for name, table in (("TASKS", tasks), ("ZONES", zones)):
        if lacking := [column for column in _PLANNED[name] if column not in table.columns]:
            raise TableError(
                f"periods of a plan are given, but {name} lack {lacking[0]}; join the plan to them, or give none"
            )
    stops = [pd.Timestamp(day).date() for _, day in periods]
    if len(stops) < 2 or any(b <= a for a, b in pairwise(stops)):
        raise TableError("periods are not a start and later ends that rise; give each with its last day, in order")
    for zone, number in zip(zones["zone_id"], zones["opens_in"], strict=True):
        if pd.notna(number) and not 0 <= number < len(stops):
            raise TableError(f"zone {zone}: opens in period {number}, which is not one of 0 to {len(stops) - 1}")
    return stops


def _plan(zones: gpd.GeoDataFrame, periods: Sequence[tuple[str, dt.date]]) -> dict[str, Any]:
    """The slider's stops, and the zones that have no place on the map but count among those that wait."""
    lost = zones[shapely.is_missing(zones.geometry.to_numpy()) | shapely.is_empty(zones.geometry.to_numpy())]
    return {
        "stops": [[label, _day(day)] for label, day in periods],
        "unplaced": [
            {"name": _text(zone.name) or zone.zone_id} | _people(zone) | _opening(zone)
            for zone in lost.drop(columns="geometry").itertuples(index=False)
        ],
    }


def _work(task: Any, stops: list[dt.date]) -> dict[str, Any]:
    """Who works on a task and in which periods; nothing where the plan sends nobody there."""
    if pd.isna(task.start_on):
        return {}
    begins = pd.Timestamp(task.start_on).date()
    # Work begins in a period, never at the plan's first stop, which is but a day.
    start = next((k for k, day in enumerate(stops) if k and begins <= day), None)
    if start is None:
        return {}
    ends = None if pd.isna(task.finish_on) else pd.Timestamp(task.finish_on).date()
    finish = None if ends is None else next((k for k, day in enumerate(stops) if k >= start and ends <= day), None)
    own = {"teams": ids_in(task.teams), "start": start, "begins": begins.isoformat(), "finish": finish}
    part = _number(getattr(task, "finished_part", None))
    return {"plan": own if finish is not None or part is None else own | {"part": part}}


def _opening(zone: Any) -> dict[str, Any]:
    """When a zone opens by the plan, how sure that is, and what it waits for; of days drawn only what was drawn."""
    own = {
        "opens": _whole(zone.opens_in),
        "on": _day(getattr(zone, "opens_on", None)),
        "probability": _number(getattr(zone, "probability", None)),
        "waits": _whole(getattr(zone, "waits_for", None)),
        "why": _text(getattr(zone, "why", None)),
        "sooner": _text(getattr(zone, "sooner", None)),
    }
    drawn = {name: _day(getattr(zone, f"{name}_on")) for name in ("p50", "p80") if hasattr(zone, f"{name}_on")}
    return {"plan": own | drawn}


def _areas(areas: gpd.GeoDataFrame | None, lines: _Outlined) -> list[dict[str, Any]]:
    if areas is None:
        return []
    near = areas[lines.areas]
    shapes = outlines(near.geometry.to_numpy(), near.crs, DRAWN_TO_M)
    own = zip(near["kind"], near["land_class"], near["band"], shapes, strict=True)
    return [{"kind": kind, "class": land_class, "band": band, "shape": shape} for kind, land_class, band, shape in own]


def _accidents(accidents: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    if accidents is None:
        return []
    device = accidents["device"] if "device" in accidents.columns else pd.Series("unknown", index=accidents.index)
    return [
        {"day": _day(day), "device": _text(code) or "unknown", "shape": shape}
        for shape, day, code in zip(_coordinates(accidents), accidents["occurred_on"], device, strict=True)
        if shape
    ]


def _records(reading: RecordReading) -> list[dict[str, Any]]:
    """Records: newest shape, ring and leg of each point, and what a reader must know; undrawn ones have no shape."""
    versions = reading.versions[reading.versions["current"]]
    shapes = dict(zip(versions["record_id"], _coordinates(versions), strict=True))
    newest = reading.hazards[["hazard_id", "version"]].fillna({"version": 1})
    points = reading.vertices.merge(newest, left_on=["record_id", "version"], right_on=["hazard_id", "version"])
    points = points[~points["is_check"].to_numpy(bool)]
    points = points[points.geometry.notna().to_numpy()]
    lonlat, _ = to_working(points, parse_crs("EPSG:4326"))
    xy = shapely.get_coordinates(lonlat.geometry.to_numpy()).round(6)
    hazards = reading.hazards.set_index("hazard_id")
    blunders = hazards["misclosure_m"].where(hazards["blunder"], 0.0)
    own = zip(points["record_id"], points["point_no"], strict=True)
    known = dict(zip(own, zip(xy.tolist(), points["point_kind"], strict=True), strict=True))
    rings: dict[str, list[list[Any]]] = {}
    legs: dict[str, list[list[float]]] = {}
    for (lon, lat), point in zip(xy.tolist(), points.to_dict("records"), strict=True):
        record, reference = point["record_id"], point["point_kind"] == "reference"
        radius = _number(point["r95_m"])
        if radius is not None:
            # The ellipse covers errors of measurement; the blunder may lie in any leg behind the reference point.
            radius = round(radius + (0.0 if reference else float(blunders[record])))
        rings.setdefault(record, []).append([lon, lat, radius, reference])
        start, kind = known.get((record, point["leg_from"]), (None, None))
        if start is not None and kind == "reference":
            legs.setdefault(record, []).append([*start, lon, lat])
    return [
        {
            "id": row["hazard_id"],
            "number": _text(row["record_number"]),
            "sheet": _text(row["base_sheet"]),
            "class": row["land_class"],
            "reliability": _number(row["reliability"]),
            "error_m": _number(row["position_error_m"]),
            "misclosure_m": _number(row["misclosure_m"]),
            "limit_m": _number(row["misclosure_limit_m"]),
            "blunder": bool(row["blunder"]),
            "anchored": row["version"] > 1,
            "undrawn": _text(row["deferred"]),
            "source": _text(row["source"]),
            "shape": shapes.get(row["hazard_id"]) if _text(row["deferred"]) is None else None,
            "rings": rings.get(row["hazard_id"], []),
            "legs": legs.get(row["hazard_id"], []),
        }
        for row in reading.hazards.to_dict("records")
    ]


#: Evidence in words, for a reader who has not seen the settings.
EVIDENCE_WORDS = {
    "none": "no evidence nearby", "line": "distance to the contact line", "line-left": "distance to the contact line",
    "line-right": "distance to the contact line", "records": "minefield records", "cha": "confirmed hazardous areas",
    "sha": "suspected hazardous areas", "strikes": "cluster strikes", "accidents": "accidents",
    "settlements": "settlements", "roads": "roads", "searched": "survey or clearance that found nothing",
}  # fmt: skip


def _surface(surface: Surface | None) -> dict[str, Any] | None:
    if surface is None:
        return None
    from clearplan.geo.rasters import surface_png

    png, (west, south, east, north) = surface_png(surface.path, surface.evidence_path)
    return {
        "image": "data:image/png;base64," + base64.b64encode(png).decode(),
        "bounds": [[south, west], [north, east]],
        "codes": {str(code): EVIDENCE_WORDS.get(name, name) for code, name in surface.codes.items()},
        "colours": [[stop, list(colour)] for stop, colour in COLOURS],
    }


def _context(context: Context) -> dict[str, Any]:
    named = {
        "countries": context.countries,
        "districts": context.districts,
        "rivers": context.rivers,
        "lakes": context.lakes,
    }
    found: dict[str, Any] = {name: _shapes(layer) for name, layer in named.items()}
    if context.elevation is not None:
        from clearplan.geo.rasters import hillshade_png

        png, (west, south, east, north) = hillshade_png(context.elevation)
        found["relief"] = {
            "image": "data:image/png;base64," + base64.b64encode(png).decode(),
            "bounds": [[south, west], [north, east]],
        }
    return found


def _search(tasks: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, context: Context) -> dict[str, Any]:
    """Names by which the page finds zones (those drawn, in their order), districts and settlements."""
    drawn = zones[~(shapely.is_missing(zones.geometry.to_numpy()) | shapely.is_empty(zones.geometry.to_numpy()))]
    return search_index(
        context.places, drawn, context.districts, district_name=context.district_name, near=(tasks, zones)
    )


def _shapes(layer: gpd.GeoDataFrame | None) -> list[Any]:
    return [] if layer is None else [shape for shape in _coordinates(layer) if shape]


def _coordinates(table: gpd.GeoDataFrame) -> list[dict[str, Any] | None]:
    """Shapes as {"type", "parts"}: parts of rings of [lon, lat, step, step ...] in millionths of a degree."""
    lonlat, _ = to_working(table, parse_crs("EPSG:4326"))
    return [_encoded(shape) for shape in lonlat.geometry.to_numpy()]


def _encoded(shape: Any) -> dict[str, Any] | None:
    if shape is None or shape.is_empty:
        return None
    parts = shapely.get_parts(shape) if shape.geom_type.startswith(("Multi", "Geometry")) else [shape]
    kinds = {"Polygon": "area", "LineString": "line", "LinearRing": "line", "Point": "point"}
    encoded = []
    for part in parts:
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        encoded.append([_steps(shapely.get_coordinates(ring)) for ring in rings])
    return {"type": kinds[parts[0].geom_type], "parts": encoded}


def _steps(lonlat: np.ndarray) -> list[int]:
    whole = np.round(lonlat * _MICRO).astype(np.int64)
    steps: list[int] = np.diff(whole, axis=0, prepend=np.zeros((1, 2), dtype=np.int64)).ravel().tolist()
    return steps


def _text(value: Any) -> str | None:
    return None if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)


def _whole(value: Any) -> int | None:
    return None if value is None or pd.isna(value) else int(value)


def _day(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else pd.Timestamp(value).date().isoformat()


# --- what the page says about itself ---------------------------------------------------------------------------


def _words_of_tables(data: dict[str, Any], *tables: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Title and sources of tables drawn without a run; the fingerprint is that of the data drawn."""
    with_source = [table for table in tables if table is not None and "source" in table.columns]
    sources = sorted({str(s) for table in with_source for s in table["source"].dropna() if "; " not in str(s)})
    digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]
    return _about(
        title="Clearance map",
        as_at="not stated",
        crs=str(with_source[0].crs.name) if with_source else "",
        fingerprint=f"of the tables drawn, {digest}",
        illustrative=ILLUSTRATIVE if any("illustrative" in source.lower() for source in sources) else "",
        sources=sources,
    )


def _words(imprint: Imprint, layers: Layers, facts: Facts | None, notes: Sequence[str]) -> dict[str, Any]:
    """What the page of a run states about itself."""
    lines = () if facts is None else facts.contact_lines
    return _about(
        title=imprint.title,
        as_at=imprint.as_at.isoformat(),
        crs=imprint.crs,
        fingerprint=imprint.fingerprint,
        illustrative=imprint.warning,
        tier=imprint.tier,
        sources=_sources(layers),
        line_note=". ".join(line.words for line in lines),
        notes=notes,
    )


def _sources(layers: Layers) -> list[str]:
    """Attribution of the background, then the sources of hazards, lines and places, each once."""
    layered = (layers.areas, layers.contact_lines, layers.zones)
    tables = [table for table in layered if table is not None and "source" in table.columns]
    cited = sorted({source for table in tables for source in table["source"].dropna()})
    return [words.rstrip(".") for words in (layers.context.attribution, *cited) if words]


def _about(**words: Any) -> dict[str, Any]:
    """The page's words about itself, with those that stand on every page."""
    blank: dict[str, Any] = {"tier": "", "line_note": "", "notes": ()}
    return blank | words | {"not_for_entry": NOT_FOR_ENTRY, "boundaries": BOUNDARIES}
