"""No place opens before it is surveyed, and none that a gate without an end holds."""

import datetime as dt
import math
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, Point, box

from clearplan.planning.case import make_case
from clearplan.planning.judge import judge_work
from clearplan.planning.place_surveys import gates_of_zones, place_surveys, surveyed
from clearplan.planning.planned import surveys_with_plan, with_plan
from clearplan.study.planning import plan_work
from clearplan.tables.row_rules import stated_surveys
from tests.worlds import planned, settings, teams

CRS = "EPSG:32638"
NTS = {"team_id": "N", "kind": "NTS", "rate_low": 1e5, "rate_likely": 1e5, "rate_high": 1e5}
ALONE = {"steps": [{"name": "survey of the place", "kinds": ["NTS"]}]}
DISTRICTS = gpd.GeoDataFrame({"name": ["West", "East"]}, geometry=[box(-1e4, -1e4, 500, 1e4), box(500, -1e4, 1e4, 1e4)],
                             crs=CRS)  # fmt: skip


def zones(**columns):
    """Place P at the origin, known to within 20 m, and Q 1 km east of it."""
    plain = {"zone_id": ["P", "Q"], "name": ["P", "Q"], "people": [10, 20], "position_error_m": [20.0, 0.0],
             "deferred": [None, None]}  # fmt: skip
    return gpd.GeoDataFrame(plain | columns, geometry=[Point(0, 0), Point(1000, 0)], crs=CRS)


def no_tasks():
    empty = {"task_id": [], "land_class": [], "district": [], "area_m2": [], "lifeline_ids": []}
    return gpd.GeoDataFrame(pd.DataFrame(empty, dtype=object), geometry=gpd.GeoSeries([], crs=CRS))


def gates(**cells):
    plain = {"gate_id": "G", "kind": "dispute", "zone_id": "P", "hazard_id": None, "district": None,
             "reason": "claimed by two", "until": "the court decides", "lifted_on": None, "ends_on": None,
             "deferred": None}  # fmt: skip
    return pd.DataFrame([plain | cells])


def case_of(places, *, held=None, as_at=None, **changes):
    """A case of no tasks: 20 working days a month of one team that surveys 10 ha a day."""
    asked = settings(**{"periods": 3, "counted_months": 6, "working_days_a_month": 20, "home_m": 100,
                        "place_survey": ALONE} | changes)  # fmt: skip
    surveys = place_surveys(places, asked, gates=held, as_at=as_at)
    return make_case(no_tasks(), places, teams(NTS), asked, surveys=surveys,
                     gates_of_zones=gates_of_zones(places, held, as_at=as_at))  # fmt: skip


# The ground.


def test_a_survey_covers_home_ground_with_the_position_error_and_essential_lifelines():
    lines = gpd.GeoDataFrame(
        {"lifeline_id": ["R", "S"], "zone_id": ["P", "P"], "essential": ["yes", "no"], "position_error_m": [0.0, 0.0]},
        geometry=[LineString([(0, 0), (1000, 0)]), LineString([(0, 0), (0, 5000)])], crs=CRS,
    )  # fmt: skip
    asked = settings(home_m=100, place_survey=ALONE)
    surveys = place_surveys(zones(), asked, lifelines=lines, lifelines_within_m=10, districts=DISTRICTS)
    assert surveys["survey_id"].tolist() == ["survey:P", "survey:Q"]
    assert surveys["district"].tolist() == ["West", "East"]
    # Home ground: a circle of 100 m + 20 m. The road, in a corridor of 20 m, leaves it at sqrt(120^2 - 10^2) m and ends
    # in a half circle; the sliver between the circle's chord and arc is less than 6 m2.
    expected = math.pi * 120**2 + (1000 - math.sqrt(120**2 - 10**2)) * 20 + math.pi * 10**2 / 2
    assert surveys["area_m2"].iloc[0] == pytest.approx(expected, rel=3e-3)
    assert surveys["area_m2"].iloc[1] == pytest.approx(math.pi * 100**2, rel=3e-3)
    assert surveys.geometry.iloc[0].covers(Point(0, 119.9))
    assert not surveys.geometry.iloc[0].covers(Point(0, 200))  # the optional lifeline is not surveyed


@given(st.lists(st.tuples(st.floats(-500, 500), st.floats(-500, 500)), min_size=3, max_size=6, unique=True),
       st.floats(1, 300), st.floats(0, 200))  # fmt: skip
def test_home_ground_of_an_outline_reaches_home_m_and_error_beyond_it(corners, home, error):
    outline = gpd.GeoSeries([Point(*corner) for corner in corners]).union_all().convex_hull.buffer(1)
    places = zones(position_error_m=[error, 0.0]).set_geometry([outline, Point(9e3, 0)], crs=CRS)
    ground = place_surveys(places, settings(home_m=home, place_survey=ALONE)).geometry.iloc[0]
    assert ground.boundary.distance(outline) >= home + error - 1e-6
    assert ground.covers(outline)


def test_a_place_without_a_position_stays_as_a_deferred_row():
    places = zones(deferred=[None, "no coordinates"]).set_geometry([Point(0, 0), None], crs=CRS)
    surveys = place_surveys(places, settings(place_survey=ALONE))
    assert surveys["deferred"].isna().tolist() == [True, False]
    assert math.isnan(surveys["area_m2"].iloc[1])


# Status.


def test_a_status_counts_from_its_day_on_and_needs_day_and_authority():
    stated = zones(survey_status=["surveyed", "not-surveyed"], surveyed_on=[pd.Timestamp("2025-06-01"), pd.NaT],
                   surveyed_by=["the authority", None])  # fmt: skip
    assert surveyed(stated, dt.date(2025, 6, 1)).tolist() == [True, False]
    assert surveyed(stated, dt.date(2025, 5, 31)).tolist() == [False, False]
    assert stated_surveys(stated) == []
    faults = stated_surveys(stated.assign(surveyed_on=pd.NaT, surveyed_by=None))
    assert [(fault[0], fault[1]) for fault in faults] == [(0, "surveyed_on"), (0, "surveyed_by")]


# Openings.


def test_no_place_opens_without_its_survey():
    case = case_of(zones())
    nobody = judge_work(planned(case)[0].work.iloc[:0], case)
    assert nobody.zones["opens_in"].isna().all()
    plan, judged = planned(case)
    # P: circle of 120 m, 45,239 m2; Q: 31,416 m2; the team surveys 100,000 m2 a day: both in the first period.
    assert judged.zones["opens_in"].tolist() == [1, 1]
    assert len(judged.breaches) == 0
    assert plan.work["task_id"].str.startswith("survey:").all()
    assert judged.totals["m2_finished"] == judged.totals["m2_worked"] == 0  # they count in no area total
    assert judged.totals["person_months"] == 30 * 5
    assert plan.value == pytest.approx(judged.totals["objective"])


def test_a_surveyed_place_that_nothing_blocks_is_open_on_the_first_day_and_says_so():
    stated = zones(survey_status=["released", None], surveyed_on=[pd.Timestamp("2025-06-01"), pd.NaT],
                   surveyed_by=["the authority", None])  # fmt: skip
    case = case_of(stated)
    plan = plan_work(case)
    _, opened = with_plan(no_tasks(), stated, plan)
    assert plan.judgement.zones["opens_in"].tolist() == [0, 1]
    assert opened["survey_status"].tolist() == ["released", "not-surveyed"]
    assert [str(why) for why in opened["why"]] == [
        "Recorded as released on 2025-06-01; no hazard is recorded that blocks it.",
        "Not surveyed. It waits for its survey; no hazard is recorded that blocks it.",
    ]
    surveys = surveys_with_plan(plan)
    assert surveys["finish_on"].tolist() == [pd.Timestamp("2026-01-31")]


def test_without_a_method_of_place_surveys_a_place_that_is_not_surveyed_never_opens():
    _, judged = planned(case_of(zones(), place_survey=None))
    assert judged.zones["opens_in"].isna().all()


@pytest.mark.parametrize("held", [gates(), gates(kind="do-no-harm"), gates(kind="permission")])
def test_a_gate_without_an_end_gives_its_zone_no_opening(held):
    stated = zones(survey_status="surveyed", surveyed_on="2025-06-01", surveyed_by="the authority")
    for places in (zones(), stated):
        case = case_of(places, held=held)
        plan, judged = planned(case)
        assert pd.isna(judged.zones["opens_in"].iloc[0])
        assert pd.notna(judged.zones["opens_in"].iloc[1])
        assert "claimed by two" in str(plan.shut["P"])
        assert "survey:P" not in set(plan.work["task_id"])


def test_a_gate_holds_zones_that_open_after_its_own_and_lifted_ones_hold_nothing():
    case = case_of(zones(after=[None, "P"]), held=gates())
    assert planned(case)[1].zones["opens_in"].isna().all()
    case = case_of(zones(), held=gates(lifted_on=pd.Timestamp("2025-12-31")), as_at=dt.date(2026, 1, 1))
    assert planned(case)[1].zones["opens_in"].tolist() == [1, 1]


def test_a_gate_of_a_district_holds_the_zones_in_it_and_one_of_a_hazard_holds_tasks_alone():
    held = gates_of_zones(zones(), gates(zone_id=None, district="East"), districts=DISTRICTS)
    assert list(held) == ["Q"]
    assert gates_of_zones(zones(), gates(zone_id="P", district="East"), districts=DISTRICTS) == {}
    assert gates_of_zones(zones(), gates(zone_id=None, hazard_id="H"), districts=DISTRICTS) == {}


def test_work_on_a_survey_behind_a_gate_is_a_breach():
    free = case_of(zones())
    work = planned(free)[0].work
    held = case_of(zones(), held=gates())
    assert "gate" in set(judge_work(work, held).breaches["limit"])
    assert pd.isna(judge_work(work, held).zones["opens_in"].iloc[0])


def test_teams_bound_to_districts_survey_there_alone():
    case = case_of(zones())
    bound = replace(case, surveys=case.surveys.assign(district=["West", "East"]),
                    teams=teams(NTS | {"districts": "East"}))  # fmt: skip
    _, judged = planned(bound)
    assert judged.zones["opens_in"].isna().tolist() == [True, False]
    assert len(judged.breaches) == 0
