"""Deadlines that must hold, what another million buys, and what a return programme takes: computed by hand."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from clearplan.core.errors import SettingsError
from clearplan.planning.search import budgets as curves
from clearplan.planning.search.budgets import budget_curve, return_programme
from clearplan.planning.search.deadlines import Lack
from clearplan.planning.search.schedule import schedule
from clearplan.planning.search.sooner import lack_reason, sooner
from tests.worlds import changed, planned, settings
from tests.worlds import world as month

DAYS = {1: "2026-01-31", 2: "2026-02-28", 3: "2026-03-31", 4: "2026-04-30"}


def world(*args, due=None, **changes):
    """Four months. ``due``: periods on whose last days zones have their planned return, which must hold; None: none."""
    case = month(*args, **{"periods": 4, "counted_months": 4} | changes)
    if due is None:
        return case
    days = pd.to_datetime(pd.Series([None if t is None else DAYS.get(t, "2026-01-15") for t in due]))
    zones = case.zones.assign(planned_return=days)
    dated = zones.loc[days.notna().to_numpy(), "zone_id"]
    return changed(replace(case, zones=zones), hard_deadlines=tuple(dated))


def test_a_deadline_that_can_be_met_is_met_whatever_it_costs_the_others():
    # One team, one day a period: Z0 (1 person, 2 days) by period 2 pushes Z1 (100 people, 1 day) to period 3.
    plan, judged = planned(world([2, 1], [(1, [0]), (100, [1])], due=[2, None]))
    assert judged.zones["opens_in"].tolist() == [2, 3]
    assert judged.breaches.empty
    assert not plan.notes
    free, judged = planned(world([2, 1], [(1, [0]), (100, [1])]))
    assert judged.zones["opens_in"].tolist() == [3, 1]
    assert free.value > plan.value


def test_days_that_a_team_lacks_are_told_and_the_plan_opens_as_early_as_can_be():
    # 5 team-days by period 2, and 2 team-days there are: 3 are lacking; never within four periods of one day each.
    plan, judged = planned(world([5, 1], [(1, [0]), (9, [1])], due=[2, None]))
    (words,) = map(str, plan.notes)
    assert "zone Z0 open by 2026-02-28" in words
    assert "3 more team-days of A" in words
    assert "has no day in this plan" in words
    assert judged.zones["opens_in"].isna().tolist() == [True, False]
    # 3 team-days: one lacks, and it opens a period later
    plan, judged = planned(world([3, 1], [(1, [0]), (9, [1])], due=[2, None]))
    (words,) = map(str, plan.notes)
    assert "1 more team-day of A" in words
    assert "gives way, to 2026-03-31" in words
    assert judged.zones["opens_in"].tolist() == [3, 4]
    assert judged.breaches["words"].map(str).str.contains("Z0").any()  # the judge tells it all the same


def test_two_deadlines_clash_and_the_one_of_fewer_people_gives_way():
    plan, judged = planned(world([2, 2], [(1, [0]), (9, [1])], due=[2, 2]))
    (words,) = map(str, plan.notes)
    assert "zone Z0 open by 2026-02-28 and zone Z1 open by 2026-02-28" in words
    assert "2 more team-days of A" in words
    assert "zone Z0 gives way, to 2026-04-30" in words
    assert judged.zones["opens_in"].tolist() == [4, 2]


def test_money_that_lacks_is_told_and_teams_that_do_not_lack_are_not():
    # 2 team-days of 1 USD; 1.5 USD in all: half a dollar lacks, and with it the deadline holds.
    case = world([200], [(1, [0])], due=[3], crew=[{"cost_per_day": 100.0, "number": 100}])
    (words,) = map(str, schedule(changed(case, budget=15_000)).notes)
    assert "5,000 USD more" in words
    assert "team-days" not in words
    (words,) = map(str, schedule(changed(case, budget_a_period=5_000)).notes)
    assert "1,667 USD more in every period" in words


def test_time_alone_can_stand_against_a_deadline():
    plan, judged = planned(world([1], [(1, [0])], due=[0], days=9))
    (words,) = map(str, plan.notes)
    assert "before the end of the first period" in words
    assert "no number of teams does it" in words
    assert judged.zones["opens_in"].tolist() == [1]


def test_another_million_buys_what_the_hand_says_and_more_is_never_less():
    # Z0: 10 people for 2 days, Z1: 9 for 3 days, at a million a day; all could be done in the first period.
    case = month([2, 3], [(10, [0]), (9, [1])], days=9, crew=[{"cost_per_day": 1e6}])
    curve = budget_curve(changed(case, budgets=(1e6, 2e6, 4e6, 5e6, 6e6)))
    assert curve["person_months"].tolist() == [0, 10, 10, 19, 19]
    assert curve["per_million"].tolist() == [0, 10, 0, 9, 0]
    assert curve["zones_open"].tolist() == [0, 1, 1, 2, 2]
    assert (curve["gap"] <= 1e-6).all()


def test_what_a_million_more_bought_is_not_stated_below_the_proven_gaps(monkeypatch):
    # Plans of 10 and 12 person-months, each proven to be within 10 %: 1.1 and 1.3 more may be there, 2 were gained.
    case = month([2, 3], [(10, [0]), (2, [1])], days=9, crew=[{"cost_per_day": 1e6}], budgets=(2e6, 5e6))
    exact = budget_curve(case)
    assert exact["per_million"].tolist() == pytest.approx([5, 2 / 3])
    assert exact["note"].isna().all()
    monkeypatch.setattr(curves, "gap_of", lambda bound, value: 0.1)
    unsure = budget_curve(case)
    assert unsure["per_million"].iloc[0] == 5  # 10 gained, 1.1 in doubt
    assert np.isnan(unsure["per_million"].iloc[1])
    assert str(unsure["note"].iloc[1]) == "too close to call: below the proven gap"
    monkeypatch.setattr(curves, "gap_of", lambda bound, value: 0.05)  # 0.5 and 0.6 more may be there
    assert budget_curve(case)["note"].isna().all()


def test_fewest_teams_and_least_cost_of_a_return_programme():
    # Ten team-days by the end of period 1, four days a team: three teams, two more than there are; ten days of 7 USD.
    case = world([10], [(1, [0])], days=4, crew=[{"cost_per_day": 7.0}])
    made = return_programme(case, by={"Z0": DAYS[1]})
    assert made.teams[["further", "days", "cost"]].to_numpy().tolist() == [[2, pytest.approx(10), pytest.approx(70)]]
    assert made.cost == pytest.approx(70)
    assert made.judgement.breaches.empty
    # with three periods the one team is enough
    made = return_programme(case, by={"Z0": DAYS[3]})
    assert made.teams["further"].tolist() == [0]


def test_the_cheaper_of_two_kinds_is_added_and_the_cheaper_one_works():
    # A dear team (10 a day) and a cheap one (3 a day) at one rate, four days each: 20 days in one period take five
    # teams. Three more of the cheap one; it then works 16 days, the dear one the 4 that are left.
    crew = [{"team_id": "DEAR", "cost_per_day": 10.0}, {"team_id": "CHEAP", "cost_per_day": 3.0}]
    made = return_programme(month([20], [(1, [0])], days=4, crew=crew, counted_months=1), by={"Z0": DAYS[1]})
    assert made.teams.set_index("team_id")["further"].to_dict() == {"DEAR": 0, "CHEAP": 3}
    assert made.cost == pytest.approx(16 * 3 + 4 * 10)


def test_a_programme_of_a_zone_that_is_not_there_and_a_day_that_no_team_can_meet():
    case = month([1], [(1, [0])])
    with pytest.raises(SettingsError, match="there is no zone 'Z7'"):
        return_programme(case, by={"Z7": DAYS[1]})
    made = return_programme(case, by={"Z0": "2026-01-10"})
    assert "no number of teams does it" in str(made.notes[0])
    assert made.judgement.zones["opens_in"].tolist() == [1]
    assert math.isfinite(made.cost)


def test_the_curve_tells_of_the_budget_in_force_what_the_plan_tells():
    # Two villages of one task each, 10 and 6 people, 4 and 3 team-days at 1 USD; with 4 USD only one of them opens. The
    # plan in force is told as it is, here one that a person wrote: the smaller village alone, 6 people for 2 months.
    case = month([4, 3], [(10, [0]), (6, [1])], days=4, counted_months=3, budget=4.0, budgets=[3.0, 4.0, 8.0])
    best = schedule(case)
    found = budget_curve(case, best=best)
    assert found["person_months"].tolist() == [12.0, 20.0, 20.0]
    assert found["gap"].iloc[1] == best.gap
    cheap = schedule(changed(case, budget=3.0))
    worse = replace(best, work=cheap.work, parts=cheap.parts, value=12.0)
    assert budget_curve(case, best=worse)["person_months"].iloc[1] == 12.0
    none = replace(best, parts=(), value=0.0)  # less money has found more: the budget is searched again
    assert budget_curve(case, best=none)["person_months"].iloc[1] == 20.0


def test_what_lacks_is_rounded_up_so_that_it_is_enough_when_it_is_given():
    said = str(lack_reason(Lack({0: 76.2}, 1.5, 2.0000000001), month([], [])))
    assert said == (
        "it takes at least 77 more team-days of A or 2 USD more or 2 USD more in every period"
    )  # 2 and a crumb is 2: rounding of the solver
    # 2.4 team-days by period 1, of which there is 1: with 1 more it does not hold, with 2 it does.
    case = world([2.4], [(1, [0])], due=[1])
    (words,) = map(str, schedule(case).notes)
    assert "2 more team-days of A" in words
    for more, opens in ((1, 2), (2, 1)):
        _, judged = planned(replace(case, teams=case.teams.assign(number=1 + more)))
        assert judged.zones["opens_in"].tolist() == [opens]


def test_all_that_lacks_is_told_not_only_the_first_of_it():
    # 4 m2 to prepare and to clear at 1 m2 a day, by period 2: each team has 2 days for 4. Two days of one team alone
    # change nothing; two of each open Z0.
    steps = [{"name": "preparation", "kinds": ["mechanical"]}, {"name": "clearance", "kinds": ["manual"]}]
    crew = [{"team_id": "M", "kind": "mechanical"}, {"team_id": "H"}]
    methods = [{"land_class": "CHA", "steps": steps}]
    case = world([4], [(1, [0])], due=[2], crew=crew, wait_periods=0, methods=methods)
    (words,) = map(str, schedule(case).notes)
    assert "it takes at least 2 more team-days of H, and besides 2 more team-days of M" in words
    for number, opens in (([2, 1], 4), ([1, 2], 4), ([2, 2], 2)):
        _, judged = planned(replace(case, teams=case.teams.assign(number=number)))
        assert judged.zones["opens_in"].tolist() == [opens]


def test_money_that_lacks_is_that_of_the_teams_there_are():
    # 4 team-days in one period, 2 of a cheap team and 2 of a dear one: 2 x 1 + 2 x 5 = 12 USD, of which there are 3.
    crew = [{"team_id": "CHEAP", "cost_per_day": 1.0}, {"team_id": "DEAR", "cost_per_day": 5.0}]
    case = world([4], [(1, [0])], due=[1], days=2, crew=crew, budget=3)
    (words,) = map(str, schedule(case).notes)
    assert "it takes at least 9 USD more." in words
    for budget, opens in ((11, 2), (12, 1)):
        _, judged = planned(changed(case, budget=budget))
        assert judged.zones["opens_in"].tolist() == [opens]


def test_a_promise_that_nobody_can_keep_does_not_stand_against_every_place():
    # T1 was promised before the start: it gets period 1 and its 1 day. Z0's 2 days then end with period 3. By the end
    # of period 2 there are 2 days for 3: 1 lacks.
    promise = pd.DataFrame({"commitment_id": ["C"], "task_id": ["T1"], "until": [pd.Timestamp("2025-12-31")]})
    case = world([2, 1], [(9, [0])], commitments=promise)
    _, judged = planned(case)
    assert judged.zones["opens_in"].tolist() == [3]
    assert "1 more team-day of A" in str(sooner(case, judged)["Z0"])


@pytest.mark.parametrize("day", ["9999-12-31", "9999-12-01", "9991-01-01"])
def test_a_planned_return_beyond_all_calendars_is_never_late(day):
    # Counted 4 months, open at the end of period 1: 3 months for 1 person; no month is late.
    case = world([1], [(1, [0])], late_penalty=5.0)
    days = pd.Series([day], dtype="datetime64[s]")
    plan, judged = planned(replace(case, zones=case.zones.assign(planned_return=days)))
    assert plan.value == pytest.approx(3)
    assert judged.totals["objective"] == pytest.approx(3)


@pytest.mark.parametrize("name", ["start", "return_by"])
@pytest.mark.parametrize("day", ["9999-12-31", "1600-01-01"])
def test_days_that_no_plan_can_reach_are_refused(name, day):
    with pytest.raises(ValueError, match=f"{name}\n.*1900-01-01|{name}\n.*2100-12-31"):
        settings(**{name: day})


def test_days_of_a_treaty_that_no_calendar_reaches_are_refused():
    plain = {"state": "R", "convention": "APMBC", "source": "made up"}
    for days in ({"party": True, "entry_into_force": "9999-12-31"}, {"party": False, "if_acceded_on": "9999-06-01"},
                 {"party": True, "entry_into_force": "2010-01-01", "extended_to": "9999-12-31"}):  # fmt: skip
        with pytest.raises(ValueError, match="2100-12-31"):
            settings(treaty=plain | days)
