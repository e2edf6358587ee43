"""Days on the road between the bases of teams and their sites: worked by hand, booked, judged, and said."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from clearplan.core.errors import SettingsError
from clearplan.planning.judge import judge_work
from clearplan.planning.planned import BEST
from clearplan.planning.replay import replay_work
from clearplan.planning.search.allowance import Clock
from clearplan.planning.search.fairness import levers
from clearplan.planning.search.schedule import schedule, travel_notes
from clearplan.planning.travel import travel_days
from clearplan.settings.planning import Fairness, Travel, Uncertainty
from clearplan.tables.row_rules import able_teams
from tests.conftest import FULL
from tests.planning.search.test_work_order import best_by_hand
from tests.worlds import CHA, changed, few_tasks, planned, teams, world

#: A degree of longitude on the equator of WGS 84, whose radius is 6,378,137 m: pi / 180 of it [km].
DEGREE = 111.3195
#: A little more, so that a way of a degree is no more than a day [km a day].
KM = 111.32
BASE = {"base_lon": 0.0, "base_lat": 0.0}


def on_the_equator(efforts, zones, longitudes, *, km_a_day, factor=1.0, crew=({},), **changes):
    """The world of ``efforts`` and ``zones`` with sites on the equator, and a base of each team at 0 degrees."""
    case = world(efforts, zones, crew=crew, **changes)
    sites = gpd.GeoDataFrame(case.tasks, geometry=shapely.points(longitudes, np.zeros(len(efforts))), crs=4326)
    crews = case.teams.assign(**BASE)
    travel = Travel(factor=factor, km_a_day=km_a_day, source="test")
    return changed(replace(case, tasks=sites, teams=crews), travel=travel)


def test_kilometres_by_hand():
    sites = gpd.GeoSeries(shapely.points([1.0, 0.0, 2.0], 0.0), crs=4326)
    crews = pd.DataFrame({"base_lon": [0.0, np.nan, 2.0], "base_lat": [0.0, np.nan, 0.0]})
    days = travel_days(sites, crews, Travel(factor=1.5, km_a_day=100, source="test"))
    road = DEGREE * 1.5 / 100
    assert days == pytest.approx(np.array([[road, 0, road], [0, 0, 2 * road], [2 * road, 0, 0]]), rel=1e-5)
    # The same in metres of a zone, from a point within the shape.
    square = gpd.GeoSeries([shapely.box(0.99, -0.01, 1.01, 0.01)], crs=4326).to_crs(32631)
    assert travel_days(square, crews, Travel(factor=1, km_a_day=DEGREE, source="test"))[0, 0] == pytest.approx(
        1, rel=0.02
    )


def test_a_team_books_its_way_there_and_back():
    # Half a day each way: 3 days of work take 4 of a month of 5.
    case = on_the_equator([3], [(4, [0])], [1.0], km_a_day=2 * DEGREE, days=5)
    plan, judged = planned(case)
    assert plan.work["days"].tolist() == pytest.approx([4], rel=1e-5)
    assert plan.work["cost"].tolist() == pytest.approx([4], rel=1e-5)
    assert judged.breaches.empty
    assert [str(note) for note in plan.notes] == [
        "Of 4.0 team-days of the plan 1.0 are on the road between bases and sites"
    ]
    # A day each way: 5 of 5 days. With more it can't be done in one month.
    assert planned(on_the_equator([3], [(4, [0])], [0.999], km_a_day=DEGREE, days=5))[1].zones["opens_in"].tolist() == [
        1
    ]
    far = on_the_equator([3], [(4, [0])], [1.2], km_a_day=DEGREE, days=5)
    assert planned(far)[1].zones["opens_in"].isna().tolist() == [True]


def test_what_is_said_of_the_road_is_of_the_plan_that_took_the_place_of_another():
    # An empty plan, and the floor's: 3 days of work and half a day each way.
    case = on_the_equator([3], [(4, [0])], [1.0], km_a_day=2 * DEGREE, days=5)
    case = changed(case, fairness=Fairness(open_within_periods=1))
    poor = schedule(case)
    nothing = poor.work.iloc[:0]
    notes = tuple(travel_notes(nothing, case))
    poor = replace(poor, work=nothing, value=0.0, parts=(), notes=notes, strategies={**poor.strategies, BEST: nothing})
    assert [str(note) for note in notes] == ["Of 0.0 team-days of the plan 0.0 are on the road between bases and sites"]
    _, best, _ = levers(case, poor, judge_work(nothing, case), clock=Clock(1e6))
    assert [str(note) for note in best.notes] == [
        "Of 4.0 team-days of the plan 1.0 are on the road between bases and sites"
    ]


def test_a_team_that_stays_travels_once():
    # 7 days of work and half a day each way: 8 of two months of 4 days, in one stay.
    case = on_the_equator([7], [(4, [0])], [0.999], km_a_day=2 * DEGREE, days=4, periods=2, counted_months=3)
    plan, judged = planned(case)
    assert judged.zones["opens_in"].tolist() == [2]
    assert plan.work["days"].sum() == pytest.approx(8, rel=2e-3)


def test_the_near_team_goes_where_both_could():
    crew = [{"team_id": "FAR"}, {"team_id": "NEAR"}]
    case = on_the_equator([3], [(4, [0])], [1.0], km_a_day=DEGREE, days=4, crew=crew)
    case = replace(case, teams=case.teams.assign(base_lon=[0.0, 1.0]))
    assert planned(case)[0].work["team_id"].tolist() == ["NEAR"]


def test_the_judge_counts_the_way_apart_from_the_planner():
    case = on_the_equator([3], [(4, [0])], [1.0], km_a_day=2 * DEGREE, days=5)
    without = schedule(changed(case, travel=None)).work
    assert without["days"].tolist() == [3]
    (words,) = judge_work(without, case).breaches["words"].map(str)
    assert "3.0" in words
    assert "4.0" in words


def test_draws_keep_the_way():
    case = on_the_equator([3], [(4, [0])], [0.5], km_a_day=2 * DEGREE, days=4.5, periods=2, counted_months=3)
    case = changed(case, uncertainty=Uncertainty(draws=20, seed=1, task_spread=0.0))
    plan, _ = planned(case)
    assert replay_work(plan.work, case).zones["probability"].tolist() == [1.0]


def test_a_team_without_a_base_is_named_and_a_plan_without_any_is_refused():
    case = on_the_equator([3], [(4, [0])], [1.0], km_a_day=DEGREE, days=5, crew=[{}, {"team_id": "B"}])
    named = schedule(replace(case, teams=case.teams.assign(base_lon=[0.0, np.nan], base_lat=[0.0, np.nan])))
    assert "Team B has no base: its way to the sites is not counted" in [str(note) for note in named.notes]
    with pytest.raises(SettingsError, match="no row of TEAMS has base_lon and base_lat"):
        schedule(replace(case, teams=case.teams.drop(columns=["base_lon", "base_lat"])))
    with pytest.raises(SettingsError, match="needs the shapes of TASKS"):
        schedule(replace(case, tasks=pd.DataFrame(case.tasks.drop(columns="geometry"))))


def test_half_a_base_is_a_fault():
    (fault,) = able_teams(teams({"base_lon": 46.0}, base_lon=46.0, base_lat=np.nan))
    assert (fault.column, fault.rule) == ("base_lat", "half of a base")


def test_travel_never_helps_and_its_bound_holds():
    rng = np.random.default_rng(8)
    for _ in range(6):
        efforts, zones, days = few_tasks(rng)
        longitudes = rng.uniform(0, 1, len(efforts))
        case = on_the_equator(
            efforts, zones, longitudes, km_a_day=2 * DEGREE, days=days + 1, periods=3, counted_months=4
        )
        free = changed(case, travel=None)
        limited, loose = schedule(case), schedule(free)
        judged = judge_work(limited.work, case)
        assert judged.breaches.empty, judged.breaches["words"].map(str).tolist()
        assert judged.totals["objective"] == pytest.approx(limited.value)
        assert limited.value <= limited.bound * (1 + 1e-9) + 1e-6
        assert limited.value <= loose.bound * (1 + 1e-9) + 1e-6
        # No way at all is as if nothing was stated.
        here = on_the_equator(efforts, zones, longitudes * 0, km_a_day=1, days=days + 1, periods=3, counted_months=4)
        assert schedule(here).value == pytest.approx(loose.value, rel=1e-6)


@pytest.mark.parametrize("seed", range(6 if FULL else 2))
def test_brute_force_with_ways_of_half_days(seed):
    # A way of so many half days to each of three sites, a day of set-up and half to close out beside it.
    rng = np.random.default_rng([3, seed])
    beside = {"set_up_days": 1, "close_out_days": 0.5}
    for _ in range(4):
        efforts = rng.integers(1, 5, 3).astype(float)
        zones = [(int(rng.integers(1, 50)), sorted(rng.choice(3, int(rng.integers(1, 3)), replace=False).tolist()))
                 for _ in range(3)]  # fmt: skip
        ways = rng.integers(0, 3, 3) / 2
        days, least = float(rng.integers(4, 8)), float(rng.choice([0, 2]))
        case = on_the_equator(efforts, zones, ways, km_a_day=KM, days=days, periods=3, counted_months=4, search_work=5,
                              min_team_days=least, methods=[CHA | {"steps": [CHA["steps"][0] | beside]}])  # fmt: skip
        plan, judged = planned(case)
        best = best_by_hand(efforts, zones, days, 3, least=least, set_up=1 + ways, close_out=0.5 + ways)
        told = (efforts, zones, ways, days, least)
        assert judged.breaches.empty, told
        assert plan.bound >= best * (1 - 1e-9), told
        assert judged.totals["person_months"] == pytest.approx(best), told
