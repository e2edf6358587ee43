"""Small worlds for plans of work: settings, TEAMS, ZONES, BLOCKERS, and cases whose best plan the hand can find."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement, judge_work
from clearplan.planning.planned import Schedule
from clearplan.planning.search.schedule import schedule
from clearplan.settings.planning import Outcome, PlanningSettings

CHA = {"land_class": "CHA", "steps": [{"name": "clearance", "kinds": ["manual"]}]}
#: One month of one day, and another month that counts.
MONTH = {
    "start": "2026-01-01", "periods": 1, "period_months": 1, "counted_months": 2, "working_days_a_month": 1,
    "home_m": 0, "wait_periods": 1, "currency": "USD", "methods": [CHA], "score_weight": 0, "risk_weight": 0,
    "optional_share": 0, "search_work": 20, "gap": 0, "seed": 1,
}  # fmt: skip
#: Four quarters of 2026 with 60 working days each; people count until the end of 2027.
QUARTERS = MONTH | {
    "start": dt.date(2026, 1, 1), "periods": 4, "period_months": 3, "counted_months": 24, "working_days_a_month": 20,
    "home_m": 500, "search_work": 1, "gap": 0.01,
}  # fmt: skip
#: A team of one that clears a square metre a day.
TEAM = {
    "team_id": "A", "kind": "manual", "number": 1, "rate_low": 1.0, "rate_likely": 1.0, "rate_high": 1.0,
    "rate_source": "test", "cost_per_day": 1.0, "season": None, "districts": None, "available_from": None,
    "available_to": None, "source": "test", "recorded_on": None, "deferred": None,
}  # fmt: skip


def settings(**changes: object) -> PlanningSettings:
    """Those of ``MONTH`` but for the changes."""
    return PlanningSettings.model_validate(MONTH | changes)


def outcome(cancelled: float, reduced: float, cleared: float, concentration: float = 3.0) -> Outcome:
    return Outcome(
        cancelled=cancelled, reduced=reduced, cleared=cleared, concentration=concentration, source="illustrative"
    )


def teams(*rows: Mapping[str, object] | tuple, **columns: object) -> pd.DataFrame:
    """TEAMS of rows (id, kind, rate), (id, kind, low, likely, high) or what differs from ``TEAM``."""
    names = ("team_id", "kind", "rate_low", "rate_likely", "rate_high")
    full = []
    for row in rows:
        if isinstance(row, tuple):
            row = dict(zip(names, row if len(row) == 5 else (*row, row[2], row[2]), strict=True))
        full.append(TEAM | row)
    return pd.DataFrame(full, columns=list(TEAM)).assign(**columns)


def blockers(rows: Iterable[tuple[str, str, str, str]]) -> pd.DataFrame:
    """BLOCKERS of rows (zone, task, part, essential)."""
    table = pd.DataFrame(list(rows), columns=["zone_id", "task_id", "part", "essential"]).astype(object)
    table.insert(0, "blocker_id", [f"B{k}" for k in range(len(table))])
    return table.assign(why="in the way")


def places(
    waits: Mapping[str, Iterable[str]], people: float | Sequence[float] = 100.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """ZONES, and BLOCKERS of the tasks that each of them waits for, as letters of a word or a list."""
    zones = pd.DataFrame({"zone_id": list(waits), "people": people, "deferred": None})
    return zones, blockers((zone, task, "home", "yes") for zone, tasks in waits.items() for task in tasks)


def world(
    efforts: Sequence[float],
    zones: Sequence[tuple[float, Sequence[int]]],
    *,
    days: float = 1.0,
    crew: Sequence[Mapping[str, object]] = ({},),
    **changes: object,
) -> PlanningCase:
    """TASKS of so many team-days, ZONES as (people, its tasks), and teams of so many days a month.

    ``crew``: what differs from ``TEAM``, one for each team; ``changes``: of the settings, or of the case where it has
    such a field.
    """
    of_case = {name: changes.pop(name) for name in PlanningCase.__dataclass_fields__ if name in changes}
    tasks = pd.DataFrame(
        {
            "task_id": [f"T{k}" for k in range(len(efforts))],
            "land_class": "CHA",
            "district": "D",
            "area_m2": np.array(efforts, dtype=float),
        }
    )
    waits = {f"Z{z}": [f"T{task}" for task in own] for z, (_, own) in enumerate(zones)}
    places_of_world, in_the_way = places(waits, [float(people) for people, _ in zones])
    return PlanningCase(
        tasks, places_of_world, teams(*crew), in_the_way, settings(working_days_a_month=days, **changes), **of_case
    )


def changed(case: PlanningCase, **changes: object) -> PlanningCase:
    """The case with other settings."""
    return replace(case, settings=case.settings.model_copy(update=changes))


def planned(case: PlanningCase) -> tuple[Schedule, Judgement]:
    """The schedule of a case, and what the judge says of it."""
    plan = schedule(case)
    return plan, judge_work(plan.work, case)


# --- worlds that are searched whole


def few_tasks(
    rng: np.random.Generator, tasks: int = 6, places: int = 3
) -> tuple[np.ndarray, list[tuple[int, list[int]]], float]:
    """Efforts of so many tasks, zones as (people, its tasks), and team-days a period."""
    efforts = rng.integers(1, 9, tasks).astype(float)
    zones = [
        (int(rng.integers(1, 50)), sorted(rng.choice(tasks, int(rng.integers(1, 5)), replace=False).tolist()))
        for _ in range(places)
    ]
    return efforts, zones, float(rng.integers(2, 9))


def exhaustive(
    efforts: Sequence[float], zones: Sequence[tuple[float, Sequence[int]]], capacity: Sequence[float]
) -> float:
    """Best person-months: every choice of an opening period (or none) for each zone that the days allow.

    Work is fluid, so a choice is possible if for each period the tasks needed by then fit into the days up to then.
    """
    periods, best = len(capacity), 0.0
    for ends in itertools.product(range(1, periods + 2), repeat=len(zones)):
        need: dict[int, int] = {}
        for (_, own), end in zip(zones, ends, strict=True):
            for t in own if end <= periods else ():
                need[t] = min(need.get(t, periods), end)
        days = np.cumsum(capacity)
        if all(sum(efforts[t] for t, end in need.items() if end <= k) <= days[k - 1] + 1e-9
               for k in range(1, periods + 1)):  # fmt: skip
            best = max(best, sum(p * (periods + 1 - e) for (p, _), e in zip(zones, ends, strict=True)))
    return best


METHODS = [
    {"land_class": "CHA", "steps": [{"name": "preparation", "kinds": ["mechanical"]},
                                    {"name": "clearance", "kinds": ["manual", "dogs"]}]},
    {"land_class": "SHA", "steps": [{"name": "survey", "kinds": ["TS"]},
                                    {"name": "clearance", "kinds": ["manual", "dogs"], "ground": "to-clear"}]},
]  # fmt: skip
CREW = (
    {},
    {"team_id": "B", "kind": "mechanical", "rate_likely": 2.0, "rate_high": 3.0, "season": "3-5"},
    {"team_id": "C", "kind": "TS", "rate_likely": 1.5, "rate_high": 2.0},
    {"team_id": "E", "kind": "dogs", "districts": "D", "available_to": pd.Timestamp("2026-04-10")},
)
ENDS = pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"])


def random_case(rng: np.random.Generator) -> PlanningCase:
    """Seasons, districts, two budgets, order of steps, waits, people already home near tasks; a promise in one of
    three, a deadline in one of four."""
    case = world(
        rng.lognormal(1, 1, 6),
        [(int(rng.integers(1, 99)), sorted(rng.choice(6, int(rng.integers(1, 4)), replace=False).tolist()))
         for _ in range(3)],
        crew=CREW,
    )  # fmt: skip
    tasks = case.tasks.assign(
        land_class=rng.choice(["CHA", "SHA"], 6),
        district=rng.choice(["D", "F"], 6),
        score=rng.uniform(0, 100, 6),
        rank=np.arange(1, 7),
    )
    zones = case.zones.assign(planned_return=ENDS[rng.integers(1, 5, 3)])
    promise = {"commitment_id": "P", "task_id": f"T{rng.integers(6)}", "until": ENDS[rng.integers(1, 5)],
               "team_id": rng.choice(["A", "E"]) if rng.random() < 0.2 else None, "deferred": None}  # fmt: skip
    promises = pd.DataFrame([promise] if rng.random() < 1 / 3 else [], columns=list(promise))
    shares = {"cancelled": 0.32, "reduced": 0.24, "cleared": 0.44, "concentration": 3, "source": "test"}
    asked = settings(
        periods=5, counted_months=8, working_days_a_month=float(rng.uniform(1, 6)), methods=METHODS,
        outcomes={"SHA": shares}, wait_periods=int(rng.integers(0, 3)), score_weight=0.1,
        budget=float(rng.uniform(5, 60)), budget_a_period=float(rng.uniform(3, 20)), search_work=2,
        gap=0.2 if rng.random() < 0.75 else 0.01,  # the greedy plan is often near enough; HiGHS has its turn too
        hard_deadlines=["Z0"] if rng.random() < 1 / 4 else [],
    )  # fmt: skip
    near = pd.DataFrame([("Z0", "T0", 0.3), ("Z0", "T1", 0.7), ("Z1", f"T{rng.integers(6)}", 1.0)],
                        columns=["zone_id", "task_id", "part"])  # fmt: skip
    zones = zones.assign(already_home=[float(rng.integers(1, 99)), float(rng.integers(1, 99)), np.nan])
    asked = asked.model_copy(update={"home_risk_weight": 0.1})
    return replace(case, tasks=tasks, zones=zones, commitments=promises, settings=asked, near_homes=near)
