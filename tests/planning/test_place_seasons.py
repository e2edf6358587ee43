"""Places where nobody works in some months: planned, judged, and waited for in the draws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from clearplan.planning.judge import judge_work
from clearplan.planning.place_seasons import closed_periods
from clearplan.planning.replay import replay_work
from clearplan.planning.search.schedule import schedule
from clearplan.settings.planning import PlaceSeason, Uncertainty
from tests.conftest import FULL
from tests.worlds import CHA, QUARTERS, changed, planned, random_case, settings, world


def snow(months, *districts):
    return PlaceSeason(districts=districts or ("D",), months=months, source="test")


def test_a_period_is_closed_as_soon_as_one_of_its_months_is():
    works = pd.DataFrame({"district": ["High", "Low", None]})
    quarters = settings(**QUARTERS | {"periods": 5, "place_seasons": [snow("4-12", "High")]})
    assert closed_periods(works, quarters).tolist() == [[True, False, False, False, True], [False] * 5, [False] * 5]
    # November to March: no other quarter than the first lies within.
    winter = settings(**QUARTERS | {"place_seasons": [snow("11-3", "High")]})
    assert closed_periods(works, winter)[0].tolist() == [False, True, True, True]
    both = settings(**QUARTERS | {"place_seasons": [snow("4-12", "High"), snow("1-9", "High", "Low")]})
    assert closed_periods(works, both)[:2].tolist() == [[True, False, False, True], [False, False, False, True]]


@pytest.mark.parametrize("least", [0, 1], ids=["parts", "whole lines"])
def test_work_waits_for_the_snow_to_go(least):
    case = world([1, 1], [(4, [0]), (9, [1])], days=2, periods=3, counted_months=4, min_team_days=least)
    case = replace(case, tasks=case.tasks.assign(district=["D", "E"]))
    assert planned(case)[1].zones["opens_in"].tolist() == [1, 1]
    plan, judged = planned(changed(case, place_seasons=(snow("2-12"),)))
    assert judged.zones["opens_in"].tolist() == [2, 1]
    assert judged.breaches.empty
    assert plan.value == pytest.approx(4 * 2 + 9 * 3)
    assert plan.bound == pytest.approx(plan.value, rel=1e-6)


def test_a_stay_that_snow_ends_is_set_up_again():
    # 2 days of work, half a day to set up: 1.5 in January, snow in February, half a day in March after another set-up.
    methods = [CHA | {"steps": [CHA["steps"][0] | {"set_up_days": 0.5}]}]
    case = world([2], [(4, [0])], days=2, periods=3, counted_months=4, methods=methods, place_seasons=[snow("3-1")])
    plan, judged = planned(case)
    assert plan.work["period"].tolist() == [1, 3]
    assert plan.work["days"].tolist() == pytest.approx([2, 1])
    assert judged.zones["opens_in"].tolist() == [3]
    assert judged.breaches.empty


def test_the_judge_finds_work_in_the_snow():
    case = world([1], [(4, [0])], days=1)
    work = schedule(case).work
    (words,) = judge_work(work, changed(case, place_seasons=(snow("2-12"),))).breaches["words"].map(str)
    assert words == "1.0 team-days on task T0 in period 1 (2026-01-01 to 2026-01-31), when nobody works in D"


def test_work_that_slips_into_the_snow_waits_in_the_draws():
    # Planned for January with a day of work there; the team has but half a day a month.
    case = world([1], [(4, [0])], days=1, periods=4, counted_months=5)
    work = schedule(case).work
    slow = changed(case, working_days_a_month=0.5, uncertainty=Uncertainty(draws=20, seed=1, task_spread=0.0))
    days = [replay_work(work, changed(slow, place_seasons=own)).zones["p50_on"].iloc[0] for own in ((), (snow("3-1"),))]
    assert [str(day.date()) for day in days] == ["2026-02-28", "2026-03-31"]


def test_a_place_that_is_always_closed_never_opens_and_a_wrong_name_is_said():
    case = world([1], [(4, [0])], days=1, periods=2, counted_months=3, place_seasons=[snow("7-9", "D", "Dee")])
    plan, judged = planned(case)
    assert not len(plan.work)
    assert judged.zones["opens_in"].isna().all()
    assert "A season is stated for Dee, where no work lies" in [str(note) for note in plan.notes]


@pytest.mark.parametrize("months", ["", "13-2", "April"])
def test_months_that_can_not_be_read_are_refused(months):
    with pytest.raises(ValidationError, match="first and last month"):
        snow(months)


@pytest.mark.parametrize("seed", range(6 if FULL else 2))
def test_random_worlds_keep_the_seasons_of_places(seed):
    rng = np.random.default_rng([7, seed])
    kept = 0
    for _ in range(20 if FULL else 8):
        case = random_case(rng)
        districts = [name for name in case.tasks["district"].dropna().unique() if rng.random() < 0.6]
        first = int(rng.integers(1, 13))
        months = f"{first}-{(first + int(rng.integers(3, 11)) - 1) % 12 + 1}"
        seasons = (snow(months, *districts),) if districts else ()
        limited = changed(case, place_seasons=seasons, min_team_days=float(rng.choice([0, 0.5])))
        plan = schedule(limited)
        for name, work in plan.strategies.items():
            judged = judge_work(work, limited)
            assert (judged.breaches["unit"] == "periods").all(), (name, judged.breaches["words"].map(str).tolist())
            if judged.breaches.empty:
                assert judged.totals["objective"] <= plan.bound * (1 + 1e-6) + 1e-6, name
            kept += len(work) > 0
    assert kept > 10
