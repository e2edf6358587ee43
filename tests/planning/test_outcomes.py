"""What survey leaves of each task: shares of a class, by ordnance, and by what the surface says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearplan.planning.outcomes import beyond_stated, contaminated_share, outcome_shares, stated_outcomes
from clearplan.planning.replay import replay_work
from clearplan.planning.search.budgets import what_if
from clearplan.planning.search.schedule import schedule
from tests.worlds import planned, settings, world

SHA = {"cancelled": 0.3, "reduced": 0.3, "cleared": 0.4, "concentration": 3, "source": "made up"}
OF_AV = SHA | {"land_class": "SHA", "ordnance": ["AV"], "cancelled": 0.6, "reduced": 0.2, "cleared": 0.2}
SURVEYED = {
    "land_class": "SHA",
    "steps": [{"name": "survey", "kinds": ["NTS"]}, {"name": "clearance", "kinds": ["manual"], "ground": "to-clear"}],
}


def plan(**changes):
    return settings(**{"outcomes": {"SHA": SHA}, "methods": [SURVEYED]} | changes)


def tasks(area, expected=None, *, known=None, land_class="SHA", ordnance=None):
    table = {"task_id": [f"T{k}" for k in range(len(area))], "land_class": land_class, "area_m2": area}
    if expected is not None:
        table |= {"expected_m2": expected, "known_m2": area if known is None else known}
    return pd.DataFrame(table if ordnance is None else table | {"ordnance": ordnance})


def test_without_a_surface_each_task_has_the_shares_of_its_class():
    shares = outcome_shares(tasks([10.0, 20.0]), plan(survey_sensitivity=0.9))
    assert shares.cleared.tolist() == [0.4, 0.4]
    assert shares.cancelled.tolist() == [0.3, 0.3]
    assert np.isnan(shares.specificity).all()


def test_shares_by_hand():
    """Halves of 100 m2 that hold 10 % and 50 %: on average 30 %. Survey keeps 0.9 of what holds ordnance, 0.27 of all
    ground; 0.4 is to be cleared, so it keeps 0.13 of the 0.7 that hold none. Cleared: 0.09 + 0.9 x 0.13 / 0.7 and
    0.45 + 0.5 x 0.13 / 0.7. What it releases is cancelled and reduced alike."""
    shares = outcome_shares(tasks([100.0, 100.0], [10.0, 50.0]), plan(survey_sensitivity=0.9))
    low, high = 0.09 + 0.9 * 0.13 / 0.7, 0.45 + 0.5 * 0.13 / 0.7
    assert shares.cleared == pytest.approx([low, high])
    assert shares.cancelled == pytest.approx([(1 - low) / 2, (1 - high) / 2])
    assert shares.specificity == pytest.approx([1 - 0.13 / 0.7] * 2)
    assert shares.part("not-cancelled") == pytest.approx([(1 + low) / 2, (1 + high) / 2])
    assert shares.drawn_about(0) == pytest.approx([(1 - low) / 2, (1 - low) / 2, low])


@given(
    st.lists(st.tuples(st.floats(1, 1e6), st.floats(0, 0.4)), min_size=1, max_size=30),
    st.floats(0.5, 1),
)
def test_ground_of_a_class_keeps_its_shares_and_more_ordnance_is_never_cleared_less(rows, sensitivity):
    area, p = (np.array(column) for column in zip(*rows, strict=True))
    table = tasks(area, area * p)
    shares, held = outcome_shares(table, plan(survey_sensitivity=sensitivity)), contaminated_share(table)
    assert np.average(shares.cleared, weights=area) == pytest.approx(0.4)
    assert np.average(shares.cancelled, weights=area) == pytest.approx(0.3)
    assert ((shares.cleared >= 0) & (shares.cleared <= 1) & (shares.cancelled >= 0)).all()
    if (shares.specificity[0] + sensitivity) > 1:  # a survey that tells ground apart
        assert (np.diff(shares.cleared[np.argsort(held, kind="stable")]) >= -1e-9).all()


def test_known_ordnance_has_shares_of_its_own_and_unknown_ordnance_those_of_the_class():
    asked = plan(ordnance_outcomes=[OF_AV])
    table = tasks([1.0] * 4, ordnance=["AV", "AP", "AP; AV", None])
    assert [one.cleared for one in stated_outcomes(table, asked)] == [0.2, 0.4, 0.4, 0.4]
    assert outcome_shares(table, asked).cleared.tolist() == [0.2, 0.4, 0.4, 0.4]


def test_classes_with_the_same_shares_are_not_averaged_together():
    asked = plan(outcomes={"SHA": SHA, "indication": SHA}, survey_sensitivity=1.0)
    table = tasks([100.0] * 2, [40.0, 0.0], land_class=["SHA", "indication"])
    assert outcome_shares(table, asked).cleared == pytest.approx([0.4, 0.4])


def test_a_surface_that_expects_more_than_the_shares_clear_counts_and_is_named():
    table, asked = tasks([100.0, 100.0], [50.0, 70.0]), plan(survey_sensitivity=0.9)
    assert outcome_shares(table, asked).cleared == pytest.approx([0.45, 0.63])
    assert beyond_stated(table, asked) == [("SHA", pytest.approx(0.54), 0.4)]
    assert beyond_stated(tasks([100.0], [10.0]), asked) == []


def test_the_plan_says_where_the_surface_expects_more():
    notes = schedule(case_of([0.6, 0.8])).notes
    assert any("70 % of SHA ground" in str(note) and "40 %" in str(note) for note in notes)
    assert not any("SHA ground" in str(note) for note in schedule(case_of([0.0, 0.4])).notes)


def test_ground_that_nobody_knows_keeps_the_shares_of_its_class():
    table = tasks([100.0, 100.0], [60.0, 0.0], known=[100.0, 0.0])
    assert outcome_shares(table, plan(survey_sensitivity=1.0)).cleared[1] == 0.4


def case_of(p, **changes):
    """Two SHA of 100 m2 that hold so much; survey 1,000 m2 a day, clearance 1 m2 a day, 25 days a month."""
    teams = ({"team_id": "N", "kind": "NTS", "rate_low": 1e3, "rate_likely": 1e3, "rate_high": 1e3}, {"team_id": "M"})
    asked = {"outcomes": {"SHA": SHA}, "methods": [SURVEYED], "survey_sensitivity": 1.0, "periods": 6,
             "counted_months": 12, "wait_periods": 0} | changes  # fmt: skip
    case = world([100.0, 100.0], [(10, [0]), (20, [1])], days=25.0, crew=teams, **asked)
    case.tasks["land_class"] = "SHA"
    case.tasks["expected_m2"], case.tasks["known_m2"] = np.array(p) * 100.0, 100.0
    return case


def test_the_plan_clears_more_where_the_surface_says_more_and_its_judge_agrees():
    """On average they hold 0.2 and 0.4 is to be cleared: survey keeps 0.2 / 0.8 = 0.25 of what holds none."""
    case = case_of([0.0, 0.4])
    best, judged = planned(case)
    cleared = best.work[best.work["step"] == 2].groupby("task_id")["m2"].sum()
    assert cleared.to_dict() == pytest.approx({"T0": 25.0, "T1": 40.0 + 60.0 * 0.25})
    assert not len(judged.breaches)
    assert judged.tasks["finished_part"].tolist() == pytest.approx([1.0, 1.0])


def test_draws_are_about_the_shares_of_each_task():
    """With hardly any spread each task takes its own share: 25 and 55 team-days of clearance, 80 in all at 1 USD a day,
    and 0.2 days of survey."""
    sure = {"draws": 20, "seed": 1, "task_spread": 0}
    case = case_of([0.0, 0.4], uncertainty=sure,
                   outcomes={"SHA": SHA | {"concentration": 10_000}})  # fmt: skip
    totals = replay_work(schedule(case).work, case).totals.set_index("figure")
    assert totals.loc["cost", "mean"] == pytest.approx(80.2, rel=0.02)


def test_what_if_of_a_class_takes_its_ordnance_along():
    other = {"name": "all is cancelled", "outcomes": {"SHA": SHA | {"cancelled": 1.0, "reduced": 0.0, "cleared": 0.0}}}
    case = case_of([0.0, 0.0], ordnance_outcomes=[OF_AV], what_if=[other], survey_sensitivity=None)
    case.tasks["ordnance"] = "AV"
    rows = what_if(case, planned(case)[1]).set_index("name")
    assert rows.loc["all is cancelled", "person_months"] > rows.loc["the plan", "person_months"]
