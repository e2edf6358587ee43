"""The key figures of a run as a table: figure, value, unit, meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from clearplan.core.imprint import Imprint
from clearplan.outputs.facts import INDICATION, Facts, Rows
from clearplan.outputs.people_facts import People
from clearplan.outputs.plan_facts import PlanFacts
from clearplan.planning.planned import BEST, RANKED
from clearplan.tables.codes import CLASSES, CODE_LISTS, RELEASED

Figures = Iterator[tuple[str, Any, str, str]]


def summary_table(imprint: Imprint, facts: Facts) -> pd.DataFrame:
    """Key figures of a run: figure, value, unit, meaning."""
    rows = [
        *_of_run(imprint),
        *_of_ground(facts),
        *_of_people(facts.people),
        *_of_tasks(facts),
        *_of_rows(facts.rows),
    ]
    if facts.plan is not None:
        rows += [*_of_plan(facts.plan, BEST), *_of_plan(facts.plan, RANKED)]
    return pd.DataFrame(rows, columns=["figure", "value", "unit", "meaning"]).astype({"value": object})


def _of_run(imprint: Imprint) -> Figures:
    yield "As at", imprint.as_at, "date", "day for which everything is worked out"
    yield (
        "Fingerprint",
        imprint.fingerprint,
        "",
        "short for all that decided the figures: files, settings, versions, datum operations; another fingerprint, "
        "another run",
    )
    yield "Coordinates", imprint.crs, "", "system in which all areas and distances are measured"


def _of_ground(facts: Facts) -> Figures:
    for name in CLASSES:
        which = "planning ground, to be surveyed" if name == INDICATION else "reported ground"
        meaning = f"{CODE_LISTS['land_class'][name]}; {which}, net of overlap, the strongest class counts"
        yield f"Remaining {name}", round(facts.counted_m2(name)), "m2", meaning
    for ground in facts.ground:
        meaning = "grown by position errors and margins, or drawn round lines and points; net of overlap"
        yield f"Planning ground of {ground.land_class}", round(ground.planning_m2), "m2", meaning
    for name in RELEASED if facts.released is not None else ():
        meaning = f"{CODE_LISTS['action'][name]}; as decided, outside every known hazard too"
        yield f"Ground {name}", round(getattr(facts.released, f"{name}_m2")), "m2", meaning


def _of_people(people: People) -> Figures:
    for who, count in (("already home", people.already_home), ("who wait", people.waiting)):
        made_up = f", in {count.illustrative} of them illustrative" if count.illustrative else ""
        meaning = f"of {count.places} places whose number is known{made_up}; each person counts once"
        yield f"People {who}", count.known if count.places else None, "people", meaning
        meaning = "their people stand in no figure above; unknown is not 0"
        yield f"Places with an unknown number of people {who}", count.unknown, "places", meaning
        if count.not_placed:
            meaning = "they stand in no figure above, and in no rank"
            yield f"People {who} of places that could not be placed", count.not_placed, "people", meaning
    for target in people.targets:
        yield f"Target of {target.programme}", target.people, "people", f"{target.short}; in no sum here"


def _of_tasks(facts: Facts) -> Figures:
    queues = {queue.queue: queue for queue in facts.queues}
    for name, meaning in CODE_LISTS["queue"].items():
        yield f"Tasks to {'survey' if name == 'survey' else 'clear'}", queues[name].tasks, "tasks", meaning
        if queues[name].gated:
            yield (
                "of them without a rank",
                queues[name].gated,
                "tasks",
                "a gate holds them back: a decision, a dispute, a permission that is not given; they are hazards like "
                "the others",
            )


def _of_rows(rows: Rows) -> Figures:
    yield (
        "Rows that could not be used",
        rows.deferred,
        "rows",
        "deferred, each with its reason on the sheet Data quality; they are hazards, places and decisions all the same",
    )
    meaning = "each stands on the sheet Data quality"
    yield "Repairs made while reading", rows.repaired, "faults", meaning
    yield "Warnings given while reading", rows.warnings, "faults", meaning


#: Figures of a strategy in words, with unit and meaning; the unit of money is the plan's currency.
_OF_STRATEGY = (
    ("people_home", "people home when the plan ends", "people", "who waited, and whose place is open by then"),
    ("zones_open", "places open when the plan ends", "places", "all that stands in their way is finished"),
    (
        "person_months",
        "person-months at home",
        "person-months",
        "each person counts for every month from the opening of the place",
    ),
    (
        "people_near_released",
        "people already home, all near ground released",
        "people",
        "who live near hazard now, and all of whose near ground is released when the plan ends; none of those who wait",
    ),
    ("m2_finished", "ground finished", "m2", "of tasks whose work is all done"),
    ("days", "work", "team-days", "of all teams together"),
    ("cost", "cost", "", "days by the cost of each team a day"),
)


def _of_plan(plan: PlanFacts, name: str) -> Figures:
    strategy = next((strategy for strategy in plan.strategies if strategy.name == name), None)
    if strategy is None:
        return
    for figure, words, unit, meaning in _OF_STRATEGY:
        value = getattr(strategy, figure)
        shown = round(value) if abs(value) >= 100 or value.is_integer() else value
        yield f"By the {name}: {words}", shown, unit or plan.currency or "currency", meaning
    if strategy.gap is not None:
        yield (
            f"By the {name}: proven within",
            100 * strategy.gap,
            "%",
            "gap: how far, at most, the best plan that there can be is better in the plan's objective",
        )
