"""What a donor asks of the map page first: the run's tables as plain numbers for its head and its charts.

Nothing is worked out here that a table does not hold but sums of its rows: net areas never overlap, so they may be
added; people are counted once, by zone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely

from clearplan.core.checks import Day
from clearplan.core.errors import TableError
from clearplan.planning.planned import Planned
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.codes import CLASSES, OUTSIDE, RELEASED
from clearplan.tables.texts import ids_in

#: Terms of the bridge that are told even where nothing moved; the others only where something did.
_ALWAYS = ("newly_found_m2", "reopened_m2", "cancelled_m2", "reduced_m2", "cleared_m2")
#: Terms of the bridge in the order in which they are told, and their sign.
_TERMS = {
    "newly_found_m2": 1, "reopened_m2": 1, "changed_in_m2": 1, "changed_out_m2": -1, "cancelled_m2": -1,
    "reduced_m2": -1, "cleared_m2": -1, "closed_m2": -1, "withdrawn_m2": -1,
}  # fmt: skip
_NEEDED = {
    "net_area": ("land_class", "district", "net_m2"),
    "ledger": tuple(f"{name}_m2" for name in RELEASED),
    "bridge": ("district", "land_class", "opening_m2", *_TERMS, "closing_m2"),
    "home": ("strategy", "period", "on", "people", "people_low", "people_high"),
    "budgets": ("budget", "people_home", "person_months", "per_million"),
}


@dataclass(frozen=True)
class Figures:
    """Tables behind the head line and the charts of the map page.

    ``net_area``: from :func:`clearplan.net_area`; ``ledger``, ``bridge``: from :func:`clearplan.ledger` and
    :func:`clearplan.bridge`, the latter with the two days it lies between; ``planned``: the plan of work.
    """

    net_area: pd.DataFrame
    ledger: pd.DataFrame | None = None
    bridge: pd.DataFrame | None = None
    bridge_days: tuple[dt.date, dt.date] | None = None
    planned: Planned | None = None


def figures_of(
    books: Mapping[str, pd.DataFrame], planned: Planned | None = None, *, bridge_days: tuple[Day, Day] | None = None
) -> Figures:
    """The figures of a study: from its books, and from its plan of work where it has one.

    Parameters
    ----------
    books : mapping
        ``net_area``; ``ledger`` and ``bridge`` where there are such.
    planned : Planned, optional
        From :func:`clearplan.study.planning.plan_work`.
    bridge_days : (day, day), optional
        Between which the bridge lies.
    """
    days = None
    if bridge_days is not None:
        first, last = (pd.Timestamp(day).date() for day in bridge_days)
        days = (first, last)
    return Figures(books["net_area"], books.get("ledger"), books.get("bridge"), days, planned)


def plain_figures(figures: Figures, zones: pd.DataFrame) -> dict[str, Any]:
    """The figures as JSON can carry them; areas [m2], people [people], money in the plan's currency.

    Raises
    ------
    TableError
        A table lacks a column.
    """
    planned = figures.planned
    _refuse_lacking(figures)
    plain: dict[str, Any] = {
        "outside": OUTSIDE,
        "area": _net_rows(figures.net_area),
        "people": people_waiting(zones),
    }
    if figures.bridge is not None:
        plain["bridge"] = _bridge(figures.bridge, figures.bridge_days)
    released = figures.ledger if figures.bridge is None else figures.bridge
    if released is not None:
        plain["released_m2"] = number(released[[f"{name}_m2" for name in RELEASED]].to_numpy(float).sum())
    if planned is not None:
        plain["home"] = _home(planned)
    if planned is not None and planned.budgets is not None:
        plain["budgets"] = _budgets(planned.budgets, planned.case.settings)
    return plain


def _refuse_lacking(figures: Figures) -> None:
    tables = {"net_area": figures.net_area, "ledger": figures.ledger, "bridge": figures.bridge}
    if figures.planned is not None:
        tables |= {"home": figures.planned.home, "budgets": figures.planned.budgets}
    for name, table in tables.items():
        lacking = [] if table is None else [column for column in _NEEDED[name] if column not in table.columns]
        if lacking:
            raise TableError(f"figures: {name} lacks column {lacking[0]!r}; hand over the table as the run made it")


def _net_rows(net: pd.DataFrame) -> list[list[Any]]:
    """[class, district, m2] of each row: ground of the strongest class alone, so that rows may be added."""
    own = net[net["net_m2"] > 0]
    return [
        [land, str(district), number(m2)]
        for land, district, m2 in zip(own["land_class"], own["district"], own["net_m2"], strict=True)
    ]


def people_waiting(zones: pd.DataFrame) -> dict[str, int]:
    """People of the zones that could be placed, each zone once, and in how many zones the number is unknown.

    >>> zones = pd.DataFrame({"people": [650, None, 20], "deferred": [None, None, "no coordinates"]})
    >>> people_waiting(zones)
    {'known': 650, 'places': 1, 'unknown': 1}
    """
    people = pd.to_numeric(zones["people"])
    if "deferred" in zones.columns:
        people = people[zones["deferred"].isna()]
    return {"known": int(people.sum()), "places": int(people.notna().sum()), "unknown": int(people.isna().sum())}


def _bridge(bridge: pd.DataFrame, days: tuple[dt.date, dt.date] | None) -> dict[str, Any]:
    """The bridge by district and class, ordnance summed; terms in which nothing moved are left out, but for some."""
    terms = [name for name in _TERMS if name in _ALWAYS or bridge[name].to_numpy(float).any()]
    columns = ["opening_m2", *terms, "closing_m2"]
    sums = bridge.groupby(["land_class", "district"], sort=False)[columns].sum().reset_index()
    return {
        "days": None if days is None else [day.isoformat() for day in days],
        "terms": [[name, _TERMS[name]] for name in terms],
        "rows": [
            [row["land_class"], str(row["district"]), *(number(row[name]) for name in columns)]
            for row in sums.to_dict("records")
        ],
    }


def _home(planned: Planned) -> dict[str, Any]:
    """People at home after each period, one list for each strategy."""
    lines = {str(name): line.sort_values("period") for name, line in planned.home.groupby("strategy", sort=False)}
    longest = max(lines.values(), key=len)
    figures = ("people", "people_low", "people_high")
    return {
        "days": [pd.Timestamp(day).date().isoformat() for day in longest["on"]],
        "waiting": number(planned.waiting),
        "lines": [
            [name, *([number(value) for value in line[figure]] for figure in figures)] for name, line in lines.items()
        ],
    }


def _budgets(budgets: pd.DataFrame, settings: PlanningSettings) -> dict[str, Any]:
    rows = budgets.sort_values("budget")[list(_NEEDED["budgets"])].to_numpy(float).tolist()
    return {
        "own": number(settings.budget),
        "currency": settings.currency,
        "rows": [[number(value) for value in row] for row in rows],
    }


def zone_links(
    tasks: pd.DataFrame, zones: Any, districts: Any = None, district_name: str = "name"
) -> list[dict[str, Any]]:
    """For each zone the district in which it lies and the classes of the tasks that affect it, for filters.

    The district is None where the zone has no place on the map or no districts are given.
    """
    classes: dict[str, set[str]] = {}
    for ids, own in zip(tasks["zone_ids"], tasks["land_class"], strict=True):
        for zone in ids_in(ids):
            classes.setdefault(zone, set()).add(own)
    places = _districts_of(zones, districts, district_name)
    return [
        {"district": place, "classes": [name for name in CLASSES if name in classes.get(zone, ())]}
        for zone, place in zip(zones["zone_id"], places, strict=True)
    ]


def _districts_of(zones: Any, districts: Any, district_name: str) -> list[str | None]:
    """The first district that each zone's point lies in."""
    shapes = zones.geometry.to_numpy()
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if districts is None:
        return [None] * len(shapes)
    found: list[str | None] = [OUTSIDE if placed else None for placed in there]
    names = districts[district_name].astype(str).tolist()
    rows = np.flatnonzero(there)
    i, j = shapely.STRtree(districts.geometry.to_numpy()).query(
        shapely.point_on_surface(shapes[rows]), predicate="intersects"
    )
    for k, d in sorted(zip(i.tolist(), j.tolist(), strict=True), reverse=True):
        found[rows[k]] = names[d]
    return found


def number(value: float | None) -> float | None:
    """A number that JSON can carry; unknown and endless become null, which the page shows in words."""
    if value is None or pd.isna(value) or not math.isfinite(float(value)):
        return None
    return float(f"{float(value):.10g}")
