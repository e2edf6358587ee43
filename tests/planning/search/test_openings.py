"""When places open: handover, gates that end; by hand, by brute force, and in the judge, who knows no planner."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import judge_work
from clearplan.planning.planned import with_plan
from clearplan.planning.replay import replay_work
from clearplan.planning.search.sooner import sooner
from clearplan.settings.planning import Uncertainty
from clearplan.study.planning import plan_work
from clearplan.treaty.milestones import planned_release
from tests.conftest import FULL
from tests.tiny_worlds import GATE, SURVEY, columns, gates, handed_over, tiny
from tests.worlds import blockers, changed, planned, settings, teams, world

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


def test_the_best_plan_of_tiny_worlds_is_that_of_brute_force():
    rng = np.random.default_rng(20261201)
    for k in range(150 if FULL else 18):
        small = tiny(rng, *((8, 4) if k % 3 == 0 else (6, 3)), gated=k % 2 == 1)
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


# Gates that end.


def one_place(end, *, surveyed=True, **changes):
    """A place of 10 people behind a gate: nothing blocks it, or its survey of a day by a team of a day a month."""
    asked = settings(**{"periods": 4, "counted_months": 9, "place_survey": SURVEY} | changes)
    held = {"gates": GATE, "gates_end_on": end}
    surveys = pd.DataFrame(
        [{"survey_id": "survey:P", "zone_id": "P", "district": None, "area_m2": 1.0, "deferred": None}]
    )
    return PlanningCase(
        tasks=pd.DataFrame({"task_id": ["T"], "land_class": "CHA", "district": "D", "area_m2": [1.0], "gates": None,
                            "gates_end_on": pd.NaT}),
        zones=pd.DataFrame({"zone_id": ["P"], "people": [10.0], "deferred": None, "survey_status": "surveyed"}),
        teams=teams({}, {"team_id": "N", "kind": "NTS"}),
        blockers=blockers([] if surveyed else [("P", "survey:P", "survey", "yes")]),
        settings=asked,
        surveys=surveys.iloc[:0] if surveyed else surveys.assign(**held),
        gates_of_zones={"P": (GATE, None if end is None else end.date())},
    )  # fmt: skip


@pytest.mark.parametrize(("end", "opens"), [("2025-12-31", "2026-01-01"), ("2026-01-30", "2026-01-31"),
                                            ("2026-01-31", "2026-02-28"), ("2026-04-29", "2026-04-30"),
                                            ("2026-04-30", None)])  # fmt: skip
def test_a_surveyed_place_behind_a_gate_opens_with_the_first_period_that_ends_after_it(end, opens):
    case = one_place(pd.Timestamp(end))
    plan, judged = planned(case)
    assert judged.zones["opens_on"].tolist() == [pd.NaT if opens is None else pd.Timestamp(opens)]
    assert plan.value == pytest.approx(judged.totals["objective"])
    assert ("P" in plan.shut) == (opens is None)


@pytest.mark.parametrize(
    ("end", "period", "opens"),
    [
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-02-01", 3, "2026-04-30"),
        ("2026-03-31", 4, "2026-05-31"),
        ("2026-04-01", None, None),
    ],
)
def test_a_survey_behind_a_gate_is_begun_in_the_first_period_after_it_and_handed_over_then(end, period, opens):
    case = one_place(pd.Timestamp(end), surveyed=False, place_survey=SURVEY | {"handover_months": 1})
    plan, judged = planned(case)
    assert plan.work["period"].tolist() == ([] if period is None else [period])
    assert judged.zones["opens_on"].tolist() == [pd.NaT if opens is None else pd.Timestamp(opens)]
    assert plan.value == pytest.approx(judged.totals["objective"])
    assert not len(judged.breaches)
    if period is not None:
        early = plan.work.assign(period=period - 1)
        assert "gate" in set(judge_work(early, case).breaches["limit"])


def test_reasons_say_until_when_a_gate_holds_a_place():
    case = one_place(pd.Timestamp("2026-02-01"), surveyed=False)
    work = plan_work(case)
    (why,), (later,) = with_plan(case.tasks, case.zones, work)[1]["why"], work.sooner.values()
    assert str(why).endswith("A gate holds it until 2026-02-01: a gate.")
    assert str(later) == "Nothing: a gate holds it until 2026-02-01: a gate."


def test_draws_work_on_nothing_behind_a_gate_and_open_nothing_before_it_ends():
    rng = np.random.default_rng(11)
    for _ in range(40 if FULL else 10):
        small = tiny(rng, gated=True)
        case = changed(small.case, uncertainty=Uncertainty(draws=40, seed=1, task_spread=1.0))
        plan, judged = planned(case)
        if not len(plan.work):
            continue
        drawn = replay_work(plan.work, case)
        assert drawn.zones["opens_in"].equals(judged.zones["opens_in"])
        assert drawn.totals.set_index("figure")["planned"]["person_months"] == pytest.approx(
            judged.totals["person_months"]
        )
        for k, zone in enumerate(case.zones["zone_id"]):
            if zone in small.ends and pd.notna(drawn.zones["p50_on"][k]):
                assert drawn.zones["p50_on"][k] > small.ends[zone]
        finish = drawn.tasks.set_index("task_id")["finish_p50_on"].dropna()
        for task in finish.index.intersection(list(small.ends)):
            assert finish[task] > small.ends[task]


def test_no_way_of_planning_opens_a_place_behind_a_gate_without_an_end():
    rng, seen = np.random.default_rng(17), 0
    shares = {"cancelled": 0.3, "reduced": 0.2, "cleared": 0.5, "concentration": 3, "source": "test"}
    fewer = {"CHA": shares | {"cancelled": 0.8, "reduced": 0, "cleared": 0.2}}
    for _ in range(20 if FULL else 4):
        small = tiny(rng, gated=True)
        endless = [zone for zone in small.case.zones["zone_id"] if pd.isna(small.ends.get(zone, 0))]
        seen += len(endless)
        asked = small.case.settings.model_dump() | {
            "budgets": [5, 500], "outcomes": {"CHA": shares}, "return_by": "2026-12-31",
            "uncertainty": {"draws": 20, "seed": 1, "task_spread": 0.3},
            "what_if": [{"name": "less", "outcomes": fewer}],
        }  # fmt: skip
        case = replace(small.case, settings=settings(**asked))
        bare = replace(case, zones=case.zones.assign(people=np.where(case.zones["zone_id"].isin(endless), 1e6, 0.0)))
        work = plan_work(bare)  # only people behind a gate without an end: no way of planning brings any of them home
        for schedule_of_way in work.schedule.strategies.values():
            opens = judge_work(schedule_of_way, bare).zones.set_index("zone_id")["opens_in"]
            assert opens[endless].isna().all()
        assert work.replayed is None or work.replayed.zones.set_index("zone_id")["probability"][endless].isna().all()
        assert work.replayed is None or (work.replayed.home["people_p90"] == 0).all()
        assert (work.budgets["people_home"] == 0).all()
        assert (work.what_if["people_home"] == 0).all()
        assert work.programme is None or work.programme.judgement.totals["people_home"] == 0
    assert seen


def test_a_large_plan_keeps_gates_and_handovers_in_moves_and_pieces():
    # Beyond what HiGHS gets at once: moves of an order and pieces planned again know the gates too.
    rng = np.random.default_rng(6)
    zones = [(int(rng.integers(1, 99)), sorted(rng.choice(90, 3, replace=False).tolist())) for _ in range(50)]
    case = world(rng.lognormal(1, 1, 90), zones, days=6, periods=8, counted_months=12, crew=[{}, {"team_id": "B"}],
                 search_work=1, gap=0.001)  # fmt: skip
    names, places = (case.tasks["task_id"].tolist(), case.zones["zone_id"].tolist())
    ends = gates(rng, names, places, case.settings)
    gated = {zone: (GATE, None if pd.isna(ends[zone]) else ends[zone].date()) for zone in places if zone in ends}
    case = handed_over(replace(case, tasks=case.tasks.assign(**columns(names, ends)), gates_of_zones=gated), 1)
    plan, judged = planned(case)
    assert not len(judged.breaches)
    assert plan.value == pytest.approx(judged.totals["objective"], rel=1e-6)
    assert judged.totals["zones_open"] > 5
    for zone, day in zip(judged.zones["zone_id"], judged.zones["opens_on"], strict=True):
        assert pd.isna(day) or zone not in ends or day > ends[zone]
