"""When places open: handover after the last work, by hand, by brute force, and apart from the planner."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import judge_work
from clearplan.planning.replay import replay_work
from clearplan.planning.search.sooner import sooner
from clearplan.settings.planning import Uncertainty
from clearplan.treaty.milestones import planned_release
from tests.conftest import FULL
from tests.worlds import CHA, blockers, changed, planned, settings, teams, world

#: A kind of ordnance with a method of its own.
AV = CHA | {"ordnance": ["AV"]}
SURVEY = {"steps": [{"name": "survey", "kinds": ["NTS"]}]}


def handed_over(case, general, of_av=None):
    """The case with months of handover of clearance and place surveys, and of clearance of anti-vehicle mines."""
    methods = [AV | {"handover_months": general if of_av is None else of_av}, CHA | {"handover_months": general}]
    changes = {"methods": methods}
    if case.settings.place_survey is not None:
        changes["place_survey"] = SURVEY | {"handover_months": general}
    return replace(case, settings=settings(**case.settings.model_dump() | changes))


# Handover, by hand.


def test_a_place_opens_after_the_longest_handover_of_its_blockers():
    # A square metre a day and two days a quarter: T0 is cleared in the first quarter, T1 in the second. Clearance is
    # handed over in 2 months, that of anti-vehicle mines in 4.
    case = world([2, 2], [(10, [0]), (5, [0, 1])], days=2 / 3, periods=4, period_months=3, counted_months=24)
    case = replace(case, tasks=case.tasks.assign(ordnance=["AV", "AP"]))
    plan, judged = planned(handed_over(case, 2, of_av=4))
    assert judged.zones["finished_in"].tolist() == [1, 2]
    assert judged.zones["opens_on"].tolist() == [pd.Timestamp("2026-07-31"), pd.Timestamp("2026-10-31")]
    assert judged.zones["opens_in"].tolist() == [3, 4]  # quarters by whose end they are open
    assert judged.zones["person_months"].tolist() == [10 * (24 - 3 - 4), 5 * (24 - 6 - 4)]
    assert plan.value == pytest.approx(170 + 70)
    assert judged.home["people"].tolist() == [0, 0, 0, 10, 15, 15, 15]
    assert judged.home["on"].iloc[-1] == pd.Timestamp("2027-06-30")  # within it ends the last handover that may be
    assert judged.totals["people_home"] == 15


def test_a_place_may_open_after_the_last_period_by_its_handover_alone_and_never_beyond_what_is_counted():
    case = world([1, 1], [(10, [0, 1])], days=1, periods=2, counted_months=4)
    for months, opens in ((0, "2026-02-28"), (2, "2026-04-30"), (3, None)):
        plan, judged = planned(handed_over(case, months))
        assert judged.zones["opens_on"].tolist() == [pd.NaT if opens is None else pd.Timestamp(opens)]
        assert judged.totals["person_months"] == 10 * (0 if opens is None else 2 - months)
        assert plan.value == pytest.approx(judged.totals["objective"])
        assert judged.totals["zones_open"] == judged.home["zones"].iloc[-1] == (opens is not None)


def test_a_deadline_counts_the_handover():
    # One day a month: Z0 waits for T0, Z1 for T1. Z1 must be open by the end of March; with a month of handover it is
    # cleared by the end of February, with three it can't be.
    case = world([1, 1], [(10, [0]), (1, [1])], days=1, periods=4, counted_months=8, hard_deadlines=["Z1"])
    case = replace(case, zones=case.zones.assign(planned_return=[None, pd.Timestamp("2026-03-31")]))
    plan, judged = planned(handed_over(case, 2))
    assert judged.zones["opens_on"].tolist() == [pd.Timestamp("2026-04-30"), pd.Timestamp("2026-03-31")]
    assert not len(judged.breaches)
    plan, judged = planned(handed_over(case, 3))
    assert judged.breaches["limit"].tolist() == ["deadline"]
    assert any("zone Z1 gives way, to 2026-04-30" in str(note) for note in plan.notes)


def test_an_optional_lifeline_counts_after_one_handover_of_both():
    # The school T1 is finished after the place; its own method takes 4 months, the place's 2.
    case = world([1, 1], [(10, [0])], days=1, periods=2, counted_months=12, optional_share=0.5)
    school = blockers([("Z0", "T0", "home", "yes"), ("Z0", "T1", "S", "no")])
    case = replace(case, tasks=case.tasks.assign(ordnance=["AP", "AV"]), blockers=school)
    plan, judged = planned(handed_over(case, 2, of_av=4))
    assert judged.totals["person_months"] == 10 * (12 - 1 - 2)
    assert judged.totals["optional_value"] == pytest.approx(0.5 * 10 * (12 - 2 - 4))
    assert plan.value == pytest.approx(judged.totals["objective"])


def test_what_would_open_a_place_sooner_names_the_day_after_its_handover():
    case = handed_over(world([1, 1], [(10, [0]), (5, [1])], days=1, periods=3, counted_months=9), 2)
    _, judged = planned(case)
    reasons = sooner(case, judged)
    assert judged.zones["opens_on"].tolist() == [pd.Timestamp("2026-03-31"), pd.Timestamp("2026-04-30")]
    assert "To open it by 2026-03-31" in str(reasons["Z1"])


def test_treaty_tables_release_ground_when_it_is_handed_over():
    case = world([1], [(10, [0])], days=1, start="2026-12-01", counted_months=9)
    for months, year in ((0, 2026), (1, 2027)):
        dated = handed_over(case, months)
        table = planned_release(planned(dated)[0].work, dated.tasks, dated.settings)
        assert table[["year", "planned_m2"]].to_numpy().tolist() == [[year, 1.0]]


# Handover as a law: the same work, the same draws, so many months later or nothing.


def test_every_opening_is_exactly_its_handover_later_or_worth_nothing():
    rng, beyond = np.random.default_rng(5), 0
    for _ in range(60 if FULL else 15):
        case = tiny(rng).case
        case = changed(case, uncertainty=Uncertainty(draws=20, seed=1, task_spread=0.5))
        months = int(rng.integers(1, 9))
        at_once, later = handed_over(case, 0), handed_over(case, months)
        work = planned(at_once)[0].work
        if not len(work):
            continue
        start, counted = pd.Timestamp(case.settings.start), case.settings.counted_months
        first, then = judge_work(work, at_once).zones, judge_work(work, later).zones
        drawn, drawn_later = (replay_work(work, one) for one in (at_once, later))
        for k in first.index[first["opens_in"].notna()]:
            left = first["person_months"][k] / max(first["people"][k], 1e-9) - months
            if first["opens_in"][k] == 0:  # it waits for nothing
                assert then["opens_on"][k] == first["opens_on"][k] == start
                continue
            if left < 0:
                beyond += 1
                assert pd.isna(then["opens_on"][k])
                assert then["person_months"][k] == 0
                continue
            assert then["opens_on"][k] == after(first["opens_on"][k], months)
            assert then["person_months"][k] == pytest.approx(first["people"][k] * left)
            assert drawn.zones["probability"][k] == drawn_later.zones["probability"][k]
            half = drawn.zones["p50_on"][k]
            if pd.notna(drawn_later.zones["p50_on"][k]):
                assert drawn_later.zones["p50_on"][k] == after(half, months)
            elif pd.notna(half):
                assert after(half, months) > after(start - pd.Timedelta(days=1), counted)
        planned_in_draws = drawn_later.totals.set_index("figure")["planned"]
        assert planned_in_draws["person_months"] == pytest.approx(then["person_months"].sum())
    assert beyond > 0


def after(day, months):
    """The last day of so many months after a last day of a month."""
    return day + pd.Timedelta(days=1) + pd.DateOffset(months=months) - pd.Timedelta(days=1)


# Brute force.


@dataclass(frozen=True)
class Tiny:
    """A world small enough for brute force: its case, and what brute force needs of it apart from the planner."""

    case: PlanningCase
    effort: dict[str, float]  # team-days of each task and place survey
    crew: dict[str, str]  # which of the teams does it
    handover: dict[str, int]  # of its method [months]
    days: dict[str, float]  # of each team in each period

    def value(self) -> float:
        """Best person-months: every choice of a period, or none, in which each zone is finished.

        Work is fluid and of one step, so a choice is possible if for each team what must be done by the end of each
        period fits into its days up to then.
        """
        periods, best = self.case.settings.periods, 0.0
        waits = {zone: rows["task_id"].tolist() for zone, rows in self.case.blockers.groupby("zone_id", sort=False)}
        zones, people = self.case.zones["zone_id"].tolist(), self.case.zones["people"].tolist()
        for ends in itertools.product(range(periods + 1), repeat=len(zones)):
            due: dict[str, int] = {}
            worth = 0.0
            for zone, number, end in zip(zones, people, ends, strict=True):
                pieces = waits.get(zone, [])
                if end < periods:
                    due |= {piece: min(end, due.get(piece, end)) for piece in pieces}
                    worth += number * self.months(end + 1 if pieces else 0, pieces)
            if worth > best and self.possible(due):
                best = worth
        return best

    def months(self, finished: int, pieces: list[str]) -> float:
        handover = max((self.handover[piece] for piece in pieces), default=0)
        plan = self.case.settings
        return max(plan.counted_months - finished * plan.period_months - handover, 0)

    def possible(self, due: dict[str, int]) -> bool:
        for team, days in self.days.items():
            for period in range(self.case.settings.periods):
                work = sum(self.effort[one] for one, end in due.items() if self.crew[one] == team and end <= period)
                if work > days * (period + 1) + 1e-9:
                    return False
        return True


def tiny(rng, tasks=6, zones=3):
    """A random world: place surveys by team N for most zones, clearance by team A, and handovers."""
    names, places = [f"T{k}" for k in range(tasks)], [f"Z{k}" for k in range(zones)]
    effort = {name: float(rng.integers(1, 9)) for name in names}
    ordnance = dict(zip(names, rng.choice(["AP", "AV"], tasks).tolist(), strict=True))
    rows, surveys = [], []
    for zone in places:
        held = rng.choice(tasks, int(rng.integers(0, 4)), replace=False)
        rows += [(zone, names[k], "home", "yes") for k in sorted(held.tolist())]
        if rng.random() < 0.7:
            surveys.append(zone)
            effort[f"survey:{zone}"] = float(rng.integers(1, 5))
            rows.append((zone, f"survey:{zone}", "survey", "yes"))
    months = {"AP": int(rng.integers(0, 4)), "AV": int(rng.integers(0, 4)), "survey": int(rng.integers(0, 3))}
    days = {"A": float(rng.integers(2, 9)), "N": float(rng.integers(1, 4))}
    length = int(rng.integers(1, 3))
    asked = settings(
        periods=3, period_months=length, counted_months=3 * length + int(rng.integers(1, 5)), working_days_a_month=1,
        methods=[AV | {"handover_months": months["AV"]}, CHA | {"handover_months": months["AP"]}],
        place_survey=SURVEY | {"handover_months": months["survey"]},
    )  # fmt: skip
    plain = {"district": None, "gates": None, "gates_end_on": pd.NaT, "deferred": None}
    case = PlanningCase(
        tasks=pd.DataFrame({"task_id": names, "land_class": "CHA", "district": "D", "ordnance": list(ordnance.values()),
                            "area_m2": [effort[name] for name in names]}),
        zones=pd.DataFrame({"zone_id": places, "people": rng.integers(1, 50, zones).astype(float), "deferred": None}),
        teams=teams({"number": days["A"] / length, "team_id": "A"},
                    {"team_id": "N", "kind": "NTS", "number": days["N"] / length}),
        blockers=blockers(rows),
        settings=asked,
        surveys=pd.DataFrame([plain | {"survey_id": f"survey:{zone}", "zone_id": zone,
                                       "area_m2": effort[f"survey:{zone}"]} for zone in surveys],
                             columns=["survey_id", "zone_id", "area_m2", *plain]),
    )  # fmt: skip
    pieces = list(effort)
    return Tiny(
        case,
        effort,
        crew={piece: "A" if piece in ordnance else "N" for piece in pieces},
        handover={piece: months[ordnance.get(piece, "survey")] for piece in pieces},
        days=days,
    )


def test_the_best_plan_of_tiny_worlds_is_that_of_brute_force():
    rng = np.random.default_rng(20261201)
    for k in range(150 if FULL else 18):
        small = tiny(rng, *((8, 4) if k % 3 == 0 else (6, 3)))
        plan, judged = planned(small.case)
        assert judged.totals["person_months"] == pytest.approx(small.value(), rel=1e-6, abs=1e-6)
        assert plan.value == pytest.approx(judged.totals["objective"], rel=1e-6, abs=1e-6)
        assert not len(judged.breaches)


def test_a_place_whose_only_obstacle_is_a_missing_survey_never_opens_on_the_first_day():
    rng = np.random.default_rng(3)
    for _ in range(40 if FULL else 6):
        case = tiny(rng).case
        for work in planned(case)[0].strategies.values():
            opens = judge_work(work, case).zones.set_index("zone_id")["opens_in"]
            assert (opens[case.surveys["zone_id"]].fillna(1) > 0).all()
