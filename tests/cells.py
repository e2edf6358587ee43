"""An oracle for land release that knows no geometry: layers of whole grid cells, counted cell by cell."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from functools import partial

import geopandas as gpd
import pandas as pd
from hypothesis import strategies as st
from shapely import box

from tests.conftest import E0, N0, UTM

CELL, SIDE = 50, 9  # metres, cells
START = dt.date(2024, 1, 1)
ORDER = ["CHA", "SHA", "indication"]
ORDNANCE = ["AP", "AV", "mixed", "CMR", "unknown"]
STANDS = ["cancelled", "reduced", "cleared", "re-opened"]

days = st.integers(0, 8)
spans = st.integers(0, SIDE - 1).flatmap(lambda begin: st.tuples(st.just(begin), st.integers(begin + 1, SIDE)))
boxes = st.tuples(spans, spans)
hazards = st.fixed_dictionaries(
    {
        "box": boxes,
        "land_class": st.sampled_from(ORDER),
        "ordnance": st.sampled_from(ORDNANCE),
        "status": st.sampled_from(["open", "open", "worked-on", "closed"]),
        "day": st.none() | days,
    }
)
events = st.fixed_dictionaries({"box": boxes, "action": st.sampled_from(STANDS), "day": days})
changes = st.fixed_dictionaries(
    {
        "hazard": st.integers(0, 6),
        "day": days,
        "status": st.sampled_from([None, "open", "closed"]),
        "land_class": st.sampled_from([None, *ORDER]),
    }
)
layers = st.tuples(
    st.lists(hazards, min_size=1, max_size=7), st.lists(events, max_size=7), st.lists(changes, max_size=5)
)


def day(k: int | None) -> pd.Timestamp | None:
    return None if k is None else pd.Timestamp(START + dt.timedelta(days=k))


def shape(cells):
    (x0, x1), (y0, y1) = cells
    return box(E0 + x0 * CELL, N0 + y0 * CELL, E0 + x1 * CELL, N0 + y1 * CELL)


def area_table(rows: list[dict]) -> gpd.GeoDataFrame:
    shapes = [row["geometry"] if "geometry" in row else shape(row["box"]) for row in rows]
    columns = {
        "area_id": [f"H{k}" for k in range(len(rows))],
        "hazard_id": [f"H{k}" for k in range(len(rows))],
        "kind": "minefield",
        "land_class": [row.get("land_class", "SHA") for row in rows],
        "status": [row.get("status", "open") for row in rows],
        "ordnance": [row.get("ordnance", "AP") for row in rows],
        "band": "whole",
        "grown_m": 0.0,
        "planning_m2": [0.0 if g is None else g.area for g in shapes],
        "stated_m2": [row.get("stated_m2", float("nan")) for row in rows],
        "position_error_m": 0.0,
        "source": "made up",
        "recorded_on": pd.to_datetime(pd.Series([day(row.get("day", 0)) for row in rows], dtype=object)),
        "deferred": [None if g is not None and not g.is_empty else "shape is missing" for g in shapes],
        "reported": gpd.GeoSeries([row.get("reported", g) for row, g in zip(rows, shapes, strict=True)], crs=UTM),
    }
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=UTM), crs=UTM)


def release_table(rows: list[dict]) -> gpd.GeoDataFrame:
    columns = {
        "release_id": [row.get("release_id", f"R{k}") for k, row in enumerate(rows)],
        "action": [row["action"] for row in rows],
        "decided_on": pd.to_datetime(pd.Series([day(row["day"]) for row in rows], dtype=object)),
        "decided_by": "made up",
        "reason": "made up",
        "depth_m": [row.get("depth_m", 0.2) for row in rows],
        "items": [row.get("items") for row in rows],
        "hazard_id": [row.get("hazard_id") for row in rows],
        "district": [row.get("district") for row in rows],
        "position_error_m": [row.get("position_error_m", 0.0) for row in rows],
        "source": "made up",
        "deferred": None,
    }
    shapes = [row["geometry"] if "geometry" in row else shape(row["box"]) for row in rows]
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries(shapes, crs=UTM), crs=UTM)


def history_table(rows: list[dict]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "history_id": [f"C{k}" for k in range(len(rows))],
            "hazard_id": pd.Series([f"H{row['hazard']}" for row in rows], dtype=object),
            "changed_on": pd.to_datetime(pd.Series([day(row["day"]) for row in rows], dtype=object)),
            "changed_by": "made up",
            "reason": "made up",
            "status": pd.Series([row.get("status") for row in rows], dtype=object),
            "land_class": pd.Series([row.get("land_class") for row in rows], dtype=object),
            "source": "made up",
        }
    )


#: Two districts of which the second overlaps the first by a column of cells; the rest lies outside.
DISTRICTS = {"West": ((0, 4), (0, SIDE)), "East": ((3, 7), (2, SIDE))}


def district_table() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"district": list(DISTRICTS)}, geometry=[shape(cells) for cells in DISTRICTS.values()], crs=UTM
    )


def district_at(x: int, y: int) -> str:
    for name, cells in DISTRICTS.items():
        if holds(cells, x, y):
            return name
    return "outside every district"


def holds(cells, x: int, y: int) -> bool:
    (x0, x1), (y0, y1) = cells
    return x0 <= x < x1 and y0 <= y < y1


def every_cell():
    return [(x, y) for x in range(SIDE) for y in range(SIDE)]


def known_at(world, until: int) -> list[tuple[int, dict]]:
    """Hazards reported up to a day, with the status and class of that day."""
    rows, _, history = world
    found = []
    for k, row in enumerate(rows):
        if row["day"] is not None and row["day"] > until:
            continue
        now = dict(row)
        for _, change in sorted(enumerate(history), key=lambda one: (one[1]["day"], one[0])):
            if change["hazard"] == k and change["day"] <= until:
                now["status"] = change["status"] or now["status"]
                now["land_class"] = change["land_class"] or now["land_class"]
        found.append((k, now))
    return found


def state_of(hazard: dict, releases: list[dict], x: int, y: int, until: int) -> str:
    """State of one cell of one hazard: that of the last event that counts for it, else of its status."""
    counting = [
        event
        for event in releases
        if holds(event["box"], x, y)
        and event["day"] <= until
        and (hazard["day"] is None or event["day"] >= hazard["day"])
    ]
    counting.sort(key=lambda event: (event["day"], STANDS.index(event["action"])))
    if counting and counting[-1]["action"] != "re-opened":
        return counting[-1]["action"]
    return "closed" if hazard["status"] == "closed" and not counting else "remaining"


def cell_at(world, x: int, y: int, until: int):
    """(state, land class, ordnance, day of the report) of a cell; None where no hazard is known."""
    standing = [
        (state_of(hazard, world[1], x, y, until), hazard)
        for _, hazard in known_at(world, until)
        if holds(hazard["box"], x, y)
    ]
    for wanted in (("remaining",), ("cancelled", "reduced", "cleared"), ("closed",)):
        found = [(state, hazard) for state, hazard in standing if state in wanted]
        if found:
            break
    else:
        return None
    return [(state, h["land_class"], h["ordnance"], h["day"]) for state, h in found]


def ledger_by_hand(world, until: int) -> dict:
    """(land class, district) -> state -> cells."""
    counted = defaultdict(lambda: defaultdict(int))
    for x, y in every_cell():
        cell = cell_at(world, x, y, until)
        if cell is not None:
            state, land_class, *_ = min(cell, key=lambda one: ORDER.index(one[1]))
            counted[land_class, district_at(x, y)][state] += 1
            continue
        over = [e for e in world[1] if holds(e["box"], x, y) and e["day"] <= until]
        if over:
            action = max(over, key=lambda e: (e["day"], STANDS.index(e["action"])))["action"]
            state = "remaining" if action == "re-opened" else action
            counted["outside every known hazard", district_at(x, y)][state] += 1
    return {key: dict(states) for key, states in counted.items()}


def bridge_by_hand(world, opening: int, closing: int) -> dict:
    """(district, land class, ordnance) -> term -> cells."""
    counted = defaultdict(lambda: defaultdict(int))

    def strongest(cell):
        def rank(one):
            fresh = one[3] is not None and one[3] > opening
            return ORDER.index(one[1]), ORDNANCE.index(one[2]), fresh

        return min(cell, key=rank)

    def count(place, term, one):
        counted[place, one[1], one[2]][term] += 1

    for x, y in every_cell():
        before, after = cell_at(world, x, y, opening), cell_at(world, x, y, closing)
        was = before and strongest(before)
        add = partial(count, district_at(x, y))
        now = after and strongest(after)

        if was and was[0] == "remaining":
            add("opening", was)
        if now and now[0] == "remaining":
            add("closing", now)
        match (was and was[0], now and now[0]):
            case "remaining", "remaining":
                if was[1:3] != now[1:3]:
                    add("changed_out", was)
                    add("changed_in", now)
            case "remaining", state:  # it leaves as what the ledger calls it; what it was before has changed
                if was[1:3] != now[1:3]:
                    add("changed_out", was)
                    add("changed_in", now)
                add(state, now)
            case None, "remaining":
                add("newly_found", now)
            case None, None:
                pass
            case None, state:
                add("newly_found", now)
                add(state, now)
            case _, "remaining":
                fresh = now[3] is not None and now[3] > opening
                add("newly_found" if fresh else "reopened", now)
    return {key: dict(terms) for key, terms in counted.items()}
