"""Tables to file of a plan: milestones, what it means to release, and what came of it, by hand."""

import re

import pandas as pd
import pytest

from clearplan.core.errors import ClearplanError, TableError
from clearplan.settings.planning import Method
from clearplan.treaty.filed import UNKNOWN_TASK
from clearplan.treaty.milestones import milestones, plan_vs_achieved, planned_release
from tests.treaty.books import PREPARED, SURVEYED, TASKS, TEAMS, WORK, flows, piece, planning


def test_milestones_share_a_period_between_years():
    work = pd.DataFrame(
        [
            piece("T1", 3, "manual", "M", 1, 8000.0, 80.0),  # October to March: half of it in each year
            piece("T2", 3, "manual", "M", 2, 1000.0, 10.0),
            piece("T3", 2, "TS", "S", 1, 4000.0, 40.0),  # works November to February: half in each year
            piece("T3", 2, "TS", "S", 3, 400.0, 4.0),
        ]
    )
    table = milestones(work, TEAMS, planning())
    assert table[["year", "kind", "tasks"]].values.tolist() == [
        [2025, "TS", 1], [2025, "manual", 1], [2026, "TS", 1], [2026, "manual", 2], [2027, "TS", 1],
    ]  # fmt: skip
    told = table.set_index(["year", "kind"])
    manual = told.loc[(2026, "manual")]
    assert (manual["m2"], manual["days"]) == pytest.approx((5000, 50))
    # 5,000 m2 at 200, 100 and 50 m2 a day: 25, 50 and 100 days, of 20 to a month, at 10 a day.
    assert list(manual[["team_months_low", "team_months", "team_months_high"]]) == pytest.approx([1.25, 2.5, 5])
    assert list(manual[["cost_low", "cost", "cost_high"]]) == pytest.approx([250, 500, 1000])
    assert list(told.loc[[(2025, "TS"), (2026, "TS"), (2027, "TS")], "m2"]) == pytest.approx([2000, 2200, 200])
    assert table["m2"].sum() == pytest.approx(work["m2"].sum())
    assert not len(milestones(work.iloc[:0], TEAMS, planning()))


def test_the_season_decides_the_year_of_the_work():
    # Of October to March the team works in November, December and January.
    work = pd.DataFrame([piece("T1", 1, "manual", "M", 1, 300.0)])
    table = milestones(work, TEAMS.iloc[:1].assign(season="11-1"), planning())
    assert table["m2"].tolist() == pytest.approx([200, 100])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"team_id": "X"}, "names the team X"),
        ({"period": 4}, "period 4 of 3"),
        ({"m2": "many"}, "m2 'many' is no number"),
    ],
)
def test_work_of_another_plan_is_refused(change, rule):
    work = pd.DataFrame([piece("T1", 3, "manual", "M", 1, 8000.0) | change])
    with pytest.raises(TableError, match=re.escape(rule)) as error:
        milestones(work, TEAMS, planning())
    assert "\n" not in str(error.value)


def test_a_plan_releases_what_no_further_step_works_on():
    table = planned_release(WORK, TASKS, planning())
    assert table.values.tolist()[:5] == [
        # Half of the suspected ground is cancelled, 0.3 of the whole is reduced, 0.2 is cleared.
        [2026, "CHA", "cleared", 1, pytest.approx(70)],
        [2026, "SHA", "cancelled", 1, pytest.approx(500)],
        [2026, "SHA", "reduced", 1, pytest.approx(300)],
        [2026, "SHA", "cleared", 1, pytest.approx(200)],
        [2026, UNKNOWN_TASK, "cleared", 2, pytest.approx(float("nan"), nan_ok=True)],
    ]
    assert table.values.tolist()[5:] == [[2027, "CHA", "cleared", 1, pytest.approx(30)]]


def test_a_task_of_unknown_ordnance_has_no_method_for_some_kind_alone():
    # As in the plan of work: nobody knows that it holds anti-vehicle mines alone.
    methods = (Method(land_class="SHA", ordnance=("AV",), steps=PREPARED), Method(land_class="SHA", steps=SURVEYED))
    work = pd.DataFrame([piece("suspected", 1, "NTS", "N", 2, 1000.0)])
    table = planned_release(work, TASKS.assign(ordnance=None), planning(methods=methods))
    assert table.values.tolist() == [[2026, "SHA", "cancelled", 1, pytest.approx(500)]]


def test_plan_and_achieved_for_the_years_that_both_tell_of(tmp_path):
    bridges = {
        2024: pd.DataFrame([flows(cleared_m2=5.0)]),
        2025: pd.DataFrame([flows(cleared_m2=40.0)]),
        2026: pd.DataFrame([flows(cancelled_m2=250.0), flows(district="East", cancelled_m2=125.0),
                            flows(land_class="CHA", ordnance="AV", cleared_m2=70.0)]),
    }  # fmt: skip
    WORK.to_csv(tmp_path / "work.csv", index=False)
    again = pd.read_csv(tmp_path / "work.csv")  # a plan in force is read back from its file
    table = plan_vs_achieved(again, TASKS, bridges, planning(), as_at="2026-09-30")
    told = table.set_index(["year", "land_class", "method"])
    assert set(table["year"]) == {2025, 2026}
    assert told.loc[(2026, "SHA", "cancelled"), ["planned_m2", "released_m2", "achieved"]].tolist() == pytest.approx(
        [500, 375, 0.75]
    )
    assert told.loc[(2026, "SHA", "reduced"), "achieved"] == 0
    assert told.loc[(2026, "CHA", "cleared"), "achieved"] == pytest.approx(1)  # what is due in 2027 is left out
    assert told.loc[(2025, "SHA", "cleared"), "released_m2"] == 40
    assert pd.isna(told.loc[(2025, "SHA", "cleared"), "achieved"])
    assert told.loc[(2025, "SHA", "cleared"), "note"] == "the plan begins on 2025-10-01"
    assert told.loc[(2026, "CHA", "cleared"), "note"] == "both up to 2026-09-30"
    assert told.loc[(2026, UNKNOWN_TASK, "cleared"), "tasks"] == 2
    assert pd.isna(told.loc[(2026, UNKNOWN_TASK, "cleared"), "planned_m2"])
    assert not len(plan_vs_achieved(again, TASKS, {2024: bridges[2024]}, planning(), as_at="2024-12-31"))
    assert not len(plan_vs_achieved(again.iloc[:0], TASKS, bridges, planning(), as_at="2026-09-30"))
    broken = again.assign(ends_on="end of March")
    with pytest.raises(ClearplanError, match="ends_on 'end of March' is no day"):
        plan_vs_achieved(broken, TASKS, bridges, planning(), as_at="2026-09-30")
