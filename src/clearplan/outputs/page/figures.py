"""What a donor asks of the map page first: the facts of a run as plain values for its head and its charts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import shapely

from clearplan.outputs.facts import BRIDGE_TERMS, Bridge, Facts
from clearplan.outputs.people_facts import Headcount
from clearplan.outputs.plan_facts import Million, Opening, PlanFacts
from clearplan.planning.planned import BEST
from clearplan.tables.codes import CLASSES, OUTSIDE
from clearplan.tables.texts import ids_in

#: Terms of the bridge that are shown even where nothing moved; the others only where something did.
_ALWAYS = ("newly_found_m2", "reopened_m2", "cancelled_m2", "reduced_m2", "cleared_m2")


def plain_figures(facts: Facts) -> dict[str, Any]:
    """The facts as JSON can carry them; areas [m2], people [people], money in the plan's currency."""
    people = facts.people
    plain: dict[str, Any] = {
        "outside": OUTSIDE,
        "area": [[row.land_class, row.district, number(row.counted_m2)] for row in facts.districts],
        "no_area": {ground.land_class: ground.no_area for ground in facts.ground},
        "people": {"waiting": _headcount(people.waiting), "home": _headcount(people.already_home)},
        "targets": [
            {"programme": one.programme, "people": one.people, "where": one.where, "by": one.by.isoformat()}
            | {"source": one.source}
            for one in people.targets
        ],
    }
    if facts.bridge is not None:
        plain["bridge"] = _bridge(facts.bridge)
    released = facts.released if facts.bridge is None else facts.bridge.released
    if released is not None:
        plain["released_m2"] = number(released.total_m2)
    if facts.plan is not None:
        plain |= _of_plan(facts.plan)
    return plain


def _headcount(count: Headcount) -> dict[str, int]:
    return {
        "known": count.known,
        "places": count.places,
        "unknown": count.unknown,
        "illustrative": count.illustrative,
    }


def _bridge(bridge: Bridge) -> dict[str, Any]:
    """The bridge by district and class; terms in which nothing moved are left out, but for some."""
    terms = [name for name in BRIDGE_TERMS if name in _ALWAYS or any(row.terms[name] for row in bridge.rows)]
    return {
        "days": None if bridge.days is None else [day.isoformat() for day in bridge.days],
        "terms": [[name, BRIDGE_TERMS[name]] for name in terms],
        "rows": [
            [
                row.land_class,
                row.district,
                number(row.opening_m2),
                *(number(row.terms[name]) for name in terms),
                number(row.closing_m2),
            ]
            for row in bridge.rows
        ],
    }


def _of_plan(plan: PlanFacts) -> dict[str, Any]:
    """People at home, one list for each strategy; what budgets buy; what opens next."""
    longest = max(plan.home, key=lambda line: len(line.on))
    plain: dict[str, Any] = {
        "home": {
            "days": [day.isoformat() for day in longest.on],
            "waiting": number(plan.waiting),
            "near": _near(plan),
            "lines": [
                [line.strategy, *([number(value) for value in values] for values in (line.people, line.low, line.high))]
                for line in plan.home
            ],
        },
        "opening": None if plan.opening is None else _opening(plan.opening),
    }
    if plan.budgets is not None:
        plain["budgets"] = {
            "own": number(plan.budget),
            "currency": plan.currency,
            "rows": [
                [
                    *map(number, (step.budget, step.people_home, step.person_months, step.per_million)),
                    step.too_close,
                ]
                for step in plan.budgets
            ],
            "next": None if plan.next_million is None else _million(plan.next_million),
        }
    return plain


def _near(plan: PlanFacts) -> list[float | None] | None:
    """People already home near hazard, and those of them all of whose near ground the best plan found releases."""
    best = next((way for way in plan.strategies if way.name == BEST), None)
    if best is None or not best.people_near_hazard:
        return None
    return [number(best.people_near_hazard), number(best.people_near_released)]


def _opening(opening: Opening) -> dict[str, Any]:
    return {
        "by": opening.by.isoformat(),
        "places": opening.places,
        "people": opening.people,
        "unknown": opening.unknown,
    }


def _million(million: Million) -> dict[str, Any]:
    return {
        "from": number(million.budget_from),
        "to": number(million.budget_to),
        "months": number(million.person_months),
        "close": million.too_close,
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
