"""All limits of a work order at once, up to 8 pieces of work and 4 places: the plan against an exhaustive search.

The search knows nothing of the planner. All amounts are whole days, and so are its ways to share them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from clearplan.core.reason import Reason
from clearplan.planning.case import PlanningCase
from tests.conftest import FULL
from tests.worlds import blockers, changed, planned, settings, teams

GATE = Reason("fact.gate", kind="security", reason="nobody may go there")
#: A degree of the equator of WGS 84, pi / 180 x 6,378.137 km: a way of a degree is a day.
DEGREE_KM = np.pi / 180 * 6_378.137
LAST_DAYS = pd.to_datetime([None, "2026-01-31", "2026-02-28", "2026-03-31"])


@dataclass(frozen=True)
class Piece:
    """A step of a task or place survey: its days of work, who does it, and the step before it (-1: none)."""

    task: int
    effort: int
    kind: str
    before: int
    first: int  # number of the first period in which its gate lets it be worked on


@dataclass(frozen=True)
class Order:
    """A made-up work order in whole days."""

    pieces: tuple[Piece, ...]
    classes: tuple[str, ...]  # of each task; PLACE: the survey of a zone
    held: tuple[int, ...]  # period with whose end the gate of each task ends, 0: it has none
    zones: tuple[tuple[int, tuple[int, ...]], ...]  # people, tasks
    survey_of: dict[int, int]  # task to the zone whose survey it is
    kinds: tuple[str, ...]  # of the teams
    days: int
    periods: int
    least: int
    set_up: int
    close_out: int
    on_site: int | None
    way: tuple[int, ...]  # days from the base to each task
    handover: dict[str, int]  # class to months
    budget: int | None


def made_up(rng: np.random.Generator, tasks: int, places: int, periods: int) -> Order:
    """``tasks`` tasks and place surveys together, for so many places."""
    surveyed = int(rng.integers(0, min(3, places + 1, tasks)))
    classes = [*rng.choice(["CHA", "SHA"], tasks - surveyed, p=[0.7, 0.3]).tolist(), *["PLACE"] * surveyed]
    held = rng.choice(3, tasks, p=[0.75, 0.15, 0.1])
    pieces: list[Piece] = []
    for task, land_class in enumerate(classes):
        effort, before = int(rng.integers(1, 4)), -1
        for kind in {"CHA": ["manual"], "SHA": ["NTS", "manual"], "PLACE": ["NTS"]}[land_class]:
            pieces.append(Piece(task, effort, kind, before, int(held[task]) + 1))
            before = len(pieces) - 1
    own = [set(rng.choice(tasks - surveyed, int(rng.integers(1, 3))).tolist()) for _ in range(places)]
    for zone in range(surveyed):
        own[zone].add(tasks - surveyed + zone)
    zones = tuple((int(rng.integers(1, 50)), tuple(sorted(mine))) for mine in own)
    days = int(rng.integers(5, 9))
    return Order(
        pieces=tuple(pieces),
        classes=tuple(classes),
        held=tuple(held.tolist()),
        zones=zones,
        survey_of={tasks - surveyed + zone: zone for zone in range(surveyed)},
        kinds=("manual", "NTS") if rng.random() < 0.5 else ("manual", "manual", "NTS"),
        days=days,
        periods=periods,
        least=int(rng.integers(0, 4)),
        set_up=int(rng.integers(0, 2)),
        close_out=int(rng.integers(0, 2)),
        on_site=[None, 1][int(rng.integers(2))],
        way=tuple(rng.integers(0, 2, tasks).tolist()),
        handover={name: int(rng.integers(0, 3)) for name in ("CHA", "SHA", "PLACE")},
        budget=None if rng.random() < 0.5 else int(rng.integers(days, 3 * days)),
    )


def case_of(order: Order) -> PlanningCase:
    beside = {"set_up_days": order.set_up, "close_out_days": order.close_out}
    steps = {
        "CHA": [{"name": "clearance", "kinds": ["manual"]}],
        "SHA": [{"name": "survey", "kinds": ["NTS"]}, {"name": "clearance", "kinds": ["manual"]}],
        "PLACE": [{"name": "survey of the place", "kinds": ["NTS"]}],
    }
    methods = {
        name: {"steps": [step | beside for step in of], "handover_months": order.handover[name]}
        for name, of in steps.items()
    }
    effort = {piece.task: float(piece.effort) for piece in order.pieces}
    rows = pd.DataFrame(
        {
            "task_id": [f"survey:Z{order.survey_of[k]}" if k in order.survey_of else f"T{k}" for k in effort],
            "land_class": order.classes,
            "district": "D",
            "area_m2": list(effort.values()),
            "gates": [GATE if end else None for end in order.held],
            "gates_end_on": LAST_DAYS[list(order.held)],
        }
    )
    shaped = gpd.GeoDataFrame(rows, geometry=shapely.points([float(way) for way in order.way], 0.0), crs=4326)
    of_place = shaped["land_class"] == "PLACE"
    surveys = shaped[of_place].rename(columns={"task_id": "survey_id"}).drop(columns="land_class")
    names = [f"Z{z}" for z in range(len(order.zones))]
    crew = [{"team_id": f"{kind}{k}", "kind": kind} for k, kind in enumerate(order.kinds)]
    return PlanningCase(
        tasks=shaped[~of_place].reset_index(drop=True),
        zones=pd.DataFrame({"zone_id": names, "people": [float(p) for p, _ in order.zones], "deferred": None}),
        teams=teams(*crew).assign(base_lon=0.0, base_lat=0.0),
        blockers=blockers(
            (name, rows["task_id"][task], "survey" if task in order.survey_of else "home", "yes")
            for name, (_, own) in zip(names, order.zones, strict=True)
            for task in own
        ),
        settings=settings(
            periods=order.periods, counted_months=order.periods + 2, working_days_a_month=order.days,
            methods=[{"land_class": name} | methods[name] for name in ("CHA", "SHA")], place_survey=methods["PLACE"],
            min_team_days=order.least, teams_on_site=order.on_site, budget=order.budget, search_work=20,
            travel={"factor": 1, "km_a_day": DEGREE_KM, "source": "test"},
        ),
        surveys=surveys.assign(zone_id=[f"Z{z}" for z in order.survey_of.values()], deferred=None),
    )  # fmt: skip


# --- the exhaustive search

#: What is left of each piece, (piece, team) pairs that stay over the end of the period, and money that is left.
State = tuple[tuple[int, ...], frozenset[tuple[int, int]], int]


def best_of(order: Order, *, above: float = 0.0) -> float:
    """Best person-months of all schedules in whole days; of those not above a value only that there is none better."""
    money = sum(order.days for _ in order.kinds) * order.periods if order.budget is None else order.budget
    states: dict[State, float] = {(tuple(p.effort for p in order.pieces), frozenset(), money): 0.0}
    best = 0.0
    for t in range(1, order.periods + 1):
        fresh: dict[State, float] = {}
        for state, value in states.items():
            for after in set(_months(order, state, t)):
                worth = value + _opened(order, state[0], after[0], t)
                if not after[1]:
                    best = max(best, worth)  # nobody has to come back
                if worth + _hope(order, after[0], t) > above + 1e-6:
                    fresh[after] = max(fresh.get(after, -1.0), worth)
        states = fresh
    return best


def _worth(order: Order, zone: int, t: int) -> float:
    people, own = order.zones[zone]
    return people * max(order.periods + 2 - t - max(order.handover[order.classes[task]] for task in own), 0)


def _shut(order: Order, zone: int, left: tuple[int, ...]) -> bool:
    return any(left[k] for k, piece in enumerate(order.pieces) if piece.task in order.zones[zone][1])


def _opened(order: Order, before: tuple[int, ...], left: tuple[int, ...], t: int) -> float:
    zones = range(len(order.zones))
    return sum(_worth(order, z, t) for z in zones if _shut(order, z, before) and not _shut(order, z, left))


def _hope(order: Order, left: tuple[int, ...], t: int) -> float:
    """No less than what later periods bring: each zone by itself as soon as its days and the order of steps allow."""
    hope = 0.0
    for z, (_, own) in enumerate(order.zones):
        if not _shut(order, z, left):
            continue
        soonest = t + 1
        for kind in set(order.kinds):
            todo = sum(left[k] for k, p in enumerate(order.pieces) if p.task in own and p.kind == kind)
            soonest = max(soonest, t - (-todo // (order.days * order.kinds.count(kind))))
        for k, piece in enumerate(order.pieces):
            if piece.task in own and left[k]:
                soonest = max(soonest, piece.first)
                if piece.before >= 0 and left[piece.before]:
                    soonest = max(soonest, t + 2, piece.first + 1)
        hope += _worth(order, z, soonest) if soonest <= order.periods else 0.0
    return hope


def _months(order: Order, state: State, t: int) -> Iterator[State]:
    """All that a month can make of a state."""
    left, stayed, money = state
    able = []
    for k, piece in enumerate(order.pieces):
        done = left[k] == 0 or t < piece.first
        ahead = 0 if piece.before < 0 else left[piece.before]  # as much must stay undone of this step
        able.append(0 if done else max(left[k] - ahead, 0))
    yield from _of_teams(order, 0, left, tuple(able), stayed, frozenset(), money, ())


def _of_teams(order, team, left, able, stayed, stays, money, there) -> Iterator[State]:
    if team == len(order.kinds):
        if all(left[k] for k, _ in stays):  # who stays has something to come back for
            yield left, stays, money
        return
    yield from _of_team(order, team, 0, order.days, left, able, stayed, stays, money, there)


def _of_team(order, team, k, days, left, able, stayed, stays, money, there) -> Iterator[State]:
    if k == len(order.pieces):
        yield from _of_teams(order, team + 1, left, able, stayed, stays, money, there)
        return
    piece, here = order.pieces[k], (k, team) in stayed
    if not here:
        yield from _of_team(order, team, k + 1, days, left, able, stayed, stays, money, there)
    full = order.on_site is not None and there.count(piece.task) >= order.on_site
    if piece.kind != order.kinds[team] or full:
        return
    for work in range(1, able[k] + 1):
        for stay in (False, True):
            beside = 0 if here else order.set_up + order.way[piece.task]
            beside += 0 if stay else order.close_out + order.way[piece.task]
            booked = max(work + beside, order.least)
            if booked > min(days, money):
                continue
            fewer, rest = list(left), list(able)
            fewer[k] -= work
            rest[k] -= work
            also = stays | {(k, team)} if stay else stays
            yield from _of_team(order, team, k + 1, days - booked, tuple(fewer), tuple(rest), stayed, also,
                                money - booked, (*there, piece.task))  # fmt: skip


def check(order: Order, *, whole: bool) -> float:
    """The judge finds no breach, the bound holds, and no schedule is better by more than the stated gap; its worth.

    ``whole``: the search looks at all schedules, and the plan is the best of them; else at those that could be better.
    """
    plan, judged = planned(case_of(order))
    got = judged.totals["person_months"]
    assert judged.breaches.empty, (order, judged.breaches["words"].map(str).tolist())
    assert got == pytest.approx(plan.value), order
    best = best_of(order, above=0.0 if whole else got)
    assert max(best, got) <= plan.bound * (1 + 1e-9) + 1e-6, (order, best, got, plan.bound)
    assert best <= got + 1e-6, (order, best, got)
    if whole:
        assert best == pytest.approx(got), order
    return got


def test_the_search_by_hand():
    # 2 days of work a day's way off, a day to set up: 1 + 1 + 2 + 1 = 5 days of a month of 5; one month remains of 3
    # after a handover of one. The second task waits for the end of January and takes the second month.
    order = Order(
        pieces=(Piece(0, 2, "manual", -1, 1), Piece(1, 2, "manual", -1, 2)), classes=("CHA", "CHA"), held=(0, 1),
        zones=((10, (0,)), (7, (1,))), survey_of={}, kinds=("manual",), days=5, periods=2, least=0, set_up=1,
        close_out=0, on_site=1, way=(1, 1), handover={"CHA": 1, "SHA": 0, "PLACE": 0}, budget=None,
    )  # fmt: skip
    assert best_of(order) == 10 * 2 + 7 * 1
    assert best_of(replace(order, budget=9)) == 20
    # 1 + 1 + 1 of the work in January and 1 + 1 in February; the other task would take 5 days of what is left.
    assert best_of(replace(order, days=4)) == 10 * 1
    check(order, whole=True)


@pytest.mark.parametrize("seed", range(40 if FULL else 4))
def test_small_orders_against_all_schedules(seed):
    rng = np.random.default_rng(seed)
    assert sum(check(made_up(rng, 4, 2, 3), whole=True) > 0 for _ in range(5)) > 0


@pytest.mark.parametrize("seed", range(45) if FULL else (0, 3, 12, 13, 21))
def test_orders_of_8_tasks_and_4_places_against_all_better_schedules(seed):
    check(made_up(np.random.default_rng(seed), 8, 4, 3), whole=False)


@pytest.mark.parametrize("seed", range(500, 530) if FULL else (532, 533))
def test_orders_of_four_months_against_all_better_schedules(seed):
    check(made_up(np.random.default_rng(seed), 8, 4, 4), whole=False)


def test_no_bound_comes_of_a_programme_without_a_point():
    # With ways a billionth shorter than a day HiGHS finds none in a programme for which no work at all is one.
    rng = np.random.default_rng(14)
    orders = [made_up(rng, 4, 2, 3) for _ in range(5)]
    for order in orders:
        case = case_of(order)
        travel = case.settings.travel.model_copy(update={"km_a_day": DEGREE_KM * (1 + 1e-9)})
        plan, _ = planned(changed(case, travel=travel))
        assert plan.bound >= best_of(order) * (1 - 1e-9) - 1e-6, order
