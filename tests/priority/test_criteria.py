"""Raw figures of tasks, gates and the value of survey, by hand."""

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio import Affine
from shapely import LineString, Point, box

import clearplan as cp
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo.rasters import mean_slope
from clearplan.priority.criteria import layer_means
from clearplan.priority.rank import gated
from clearplan.priority.survey_value import survey_words, value_of_survey
from clearplan.settings.base import check_settings
from clearplan.settings.priority import PrioritySettings, Rate, SurveyFirst
from tests.conftest import E0, N0, UTM, accident_table, zone_table

DAY = dt.date(2026, 1, 1)


def tasks_of(rows):
    """TASKS of 100 m squares; each row gives the east of its corner [m] and what differs."""
    table = pd.DataFrame([
        {"task_id": f"T{k}", "queue": "survey", "land_class": "SHA", "district": "D", "area_m2": 10_000.0,
         "zone_ids": "", "hazard_ids": "", "mgrs_km": "", "position_error_m": 0.0, "source": "-"} | row
        for k, row in enumerate(rows)
    ])  # fmt: skip
    ground = [box(E0 + x, N0, E0 + x + 100, N0 + 100) for x in table.pop("x")]
    return gpd.GeoDataFrame(table, geometry=ground, crs=UTM)


def zones_of(rows):
    return zone_table([{"geometry": Point(E0, N0), "people": None} | row for row in rows])


def plan_of(*criteria, **changes):
    base = {"set_by": "test", "set_on": DAY, "unknown_people": 200, "accidents_radius_m": 500,
            "accidents_since": "2020-01-01", "class_values": {"CHA": 1, "SHA": 0.5, "indication": 0}}  # fmt: skip
    rows = [{"weight": 1, "zero_at": 0, "one_at": 100, "source": "test"} | c for c in criteria]
    return check_settings(PrioritySettings, base | {"criteria": rows} | changes, where="test")


def figure_of(tasks, zones, name, plan=None, **around):
    plan = plan or plan_of({"name": name})
    return cp.rank(tasks, zones, plan, **around).filter(regex=f"^c_{name}_(raw|low|high)$")


def test_people_and_families_with_what_nobody_knows():
    zones = zones_of([{"people": 300.0, "families": 60.0}, {"people": 90.0}, {}])
    tasks = tasks_of([{"x": 0, "zone_ids": "Z0; Z1"}, {"x": 200, "zone_ids": "Z1; Z2"}, {"x": 400}])
    plan = plan_of({"name": "people"}, unknown_people_range=[50, 800])
    found = figure_of(tasks, zones, "people", plan)
    assert found["c_people_raw"].tolist() == [390, 290, 0]
    assert found["c_people_low"].tolist() == [390, 140, 0]
    assert found["c_people_high"].tolist() == [390, 890, 0]
    plan = plan_of({"name": "families"}, unknown_people_range=[50, 800], people_per_family=5)
    found = figure_of(tasks, zones, "families", plan)
    # 60 stated + 90 / 5; 18 + 200 / 5, from 18 + 50 / 5 to 18 + 800 / 5.
    assert found["c_families_raw"].tolist() == [78, 58, 0]
    assert found[["c_families_low", "c_families_high"]].iloc[1].tolist() == [28, 178]
    with pytest.raises(TableError, match=r"zone Z1 states none; state priority\.people_per_family"):
        figure_of(tasks, zones, "families")


def test_people_already_home_are_a_figure_of_their_own():
    zones = zones_of([{"already_home": 300.0, "people": 7.0}, {"already_home": 90.0}, {"people": 5.0}])
    tasks = tasks_of([{"x": 0, "zone_ids": "Z0; Z1"}, {"x": 200, "zone_ids": "Z1; Z2"}, {"x": 400}])
    found = figure_of(
        tasks, zones, "already_home", plan_of({"name": "already_home"}, unknown_already_home=[0, 20, 800])
    )
    assert found["c_already_home_raw"].tolist() == [390, 110, 0]
    assert found["c_already_home_low"].tolist() == [390, 90, 0]
    assert found["c_already_home_high"].tolist() == [390, 890, 0]
    assert figure_of(tasks, zones, "people")["c_people_raw"].tolist() == [7 + 200, 200 + 5, 0]
    with pytest.raises(TableError, match=r"how many are home in zone Z2; state priority\.unknown_already_home"):
        figure_of(tasks, zones, "already_home")
    with pytest.raises(SettingsError, match="least, likely, most"):
        plan_of({"name": "already_home"}, unknown_already_home=[20, 0, 800])


def test_each_unknown_zone_of_a_task_is_assumed_by_itself():
    zones = zones_of([{}, {}, {"people": 90.0}])
    tasks = tasks_of([{"x": 0, "zone_ids": "Z0; Z1; Z2"}, {"x": 200, "zone_ids": "Z0"}])
    plan = plan_of({"name": "people"}, unknown_people_range=[50, 800])
    ranked = cp.rank(tasks, zones, plan)
    assert ranked["c_people_raw"].tolist() == [90 + 2 * 200, 200]
    assert ranked[["c_people_low", "c_people_high"]].iloc[0].tolist() == [90 + 2 * 50, 90 + 2 * 800]
    assert ranked["c_people_zones"].tolist() == ["Z0; Z1", "Z0"]
    assert ranked[["zones_unknown", "people_assumed"]].to_numpy().tolist() == [[2, 400], [1, 200]]
    # Families: 90 / 5 stated, and 2 x 200 / 5 assumed.
    families = plan_of({"name": "families"}, unknown_people_range=[50, 800], people_per_family=5)
    assert figure_of(tasks, zones, "families", families).iloc[0].tolist() == [98, 38, 338]


def test_days_to_the_earliest_return():
    zones = zones_of([{"planned_return": "2026-03-01"}, {"planned_return": "2025-12-22"}, {"planned_return": None}])
    tasks = tasks_of([{"x": 0, "zone_ids": "Z0; Z1"}, {"x": 200, "zone_ids": "Z0"}, {"x": 400, "zone_ids": "Z2"}])
    plan = plan_of({"name": "days_to_return", "zero_at": 365, "one_at": 0, "unknown": [100, 400, 2000]})
    found = figure_of(tasks, zones, "days_to_return", plan, as_at=DAY)
    assert found["c_days_to_return_raw"].tolist() == [-10, 59, 400]
    assert found[["c_days_to_return_low", "c_days_to_return_high"]].iloc[2].tolist() == [100, 2000]
    with pytest.raises(TableError, match="hand over the day"):
        figure_of(tasks, zones, "days_to_return", plan)
    with pytest.raises(TableError, match="no figure for criterion days_to_return"):
        figure_of(tasks, zones, "days_to_return", as_at=DAY)


def lifelines_of(rows):
    table = pd.DataFrame([
        {"lifeline_id": f"L{k}", "zone_id": "Z0", "kind": "road", "essential": "yes", "position_error_m": 0.0,
         "source": "-", "deferred": None} | row for k, row in enumerate(rows)
    ])  # fmt: skip
    return gpd.GeoDataFrame(table, geometry=table.pop("geometry").tolist(), crs=UTM)


def test_essential_lifelines_that_a_task_blocks():
    lines = lifelines_of([
        {"geometry": LineString([(E0 - 50, N0 + 120), (E0 + 350, N0 + 120)])},  # 20 m north of the first two
        {"geometry": Point(E0 + 130, N0 + 50), "position_error_m": 25.0},  # 30 m east of the first, within 10 + 25
        {"geometry": Point(E0 + 50, N0 + 50), "essential": "no"},
        {"geometry": None, "deferred": "no place"},
    ])  # fmt: skip
    tasks = tasks_of([{"x": 0}, {"x": 300}, {"x": 900}])
    plan = plan_of({"name": "lifelines"}, lifelines_within_m=10)
    ranked = cp.rank(tasks, zones_of([{}]), plan, lifelines=lines)
    assert ranked["c_lifelines_raw"].tolist() == [1, 0, 0]
    assert ranked["lifeline_ids"].tolist() == ["L1; L2", "", ""]
    near = plan.model_copy(update={"lifelines_within_m": 20.0})
    assert cp.rank(tasks, zones_of([{}]), near, lifelines=lines)["c_lifelines_raw"].tolist() == [2, 1, 0]
    with pytest.raises(TableError, match="needs the LIFELINES table"):
        cp.rank(tasks, zones_of([{}]), plan)
    with pytest.raises(TableError, match=r"state priority\.lifelines_within_m"):
        cp.rank(tasks, zones_of([{}]), plan_of({"name": "lifelines"}), lifelines=lines)


def test_distances_and_accidents_have_the_range_of_the_position_error():
    tasks = tasks_of([{"x": 0, "position_error_m": 300.0}, {"x": 5000}])
    zones = zones_of([{"geometry": Point(E0 - 1000, N0 + 50)}])
    found = figure_of(tasks, zones, "zone_distance")
    assert found.values.tolist() == [[1000, 700, 1300], [6000, 6000, 6000]]
    roads = gpd.GeoDataFrame(geometry=[LineString([(E0 - 100, N0 - 500), (E0 - 100, N0 + 500)])], crs=UTM)
    assert figure_of(tasks, zones, "road_distance", roads=roads).iloc[0].tolist() == [100, 0, 400]
    with pytest.raises(TableError, match=r"name their file as priority\.roads"):
        figure_of(tasks, zones, "road_distance")
    # 150, 450 and 750 m away: within 500 - 300, 500 and 500 + 300 of the first lie 1, 2 and 3.
    accidents = accident_table([(E0 - d, N0 + 50) for d in (150, 450, 750)], [None] * 3)
    assert figure_of(tasks, zones, "accidents", accidents=accidents).iloc[0].tolist() == [2, 1, 3]


def test_an_accident_at_a_place_counts_by_the_position_error_of_the_place():
    # By hand, of a radius of 500 m: 450 m away but 1,000 m off, perhaps; 1,400 m away, perhaps; 1,600 m away, never;
    # 100 m away and 300 m off, surely. The last, without a place, is where it is written.
    tasks, zones = tasks_of([{"x": 0}, {"x": 9000}]), zones_of([{}])
    accidents = accident_table([(E0 - d, N0 + 50) for d in (450, 1400, 1600, 100, 400)], [None] * 5)
    accidents["position_error_m"] = [1000.0, 1000.0, 1000.0, 300.0, 1000.0]
    accidents["error_from"] = [*["settlements"] * 4, None]
    found = figure_of(tasks, zones, "accidents", accidents=accidents)
    assert found.to_numpy().tolist() == [[3, 2, 4], [0, 0, 0]]
    # A task that is 100 m off, too: the one at 1,600 m may be near enough; the one at 100 m still surely is.
    off = figure_of(tasks.assign(position_error_m=100.0), zones, "accidents", accidents=accidents.iloc[:4])
    assert off.iloc[0].tolist() == [2, 1, 4]
    without = figure_of(tasks, zones, "accidents", accidents=accidents.drop(columns="error_from"))
    assert without.to_numpy().tolist() == [[3], [0]]


def test_a_task_that_is_off_cannot_be_nearer_to_accidents_on_all_sides():
    # 700 m to the west and to the east, within 500 + 300 both: shifted to either side, one of them is near.
    tasks = tasks_of([{"x": 0, "position_error_m": 300.0}])
    accidents = accident_table([(E0 - 700, N0 + 50), (E0 + 800, N0 + 50)], [None] * 2)
    assert figure_of(tasks, zones_of([{}]), "accidents", accidents=accidents).iloc[0].tolist() == [0, 0, 1]


def test_the_direction_in_which_a_shift_raises_a_figure():
    # Away from the village and the road; of a task that holds the village, from it to its middle. Of the accident, 640
    # m to the north and counted within 500: what would be near if the task lay half or all of 300 m off.
    tasks = tasks_of([{"x": 0, "position_error_m": 300.0}, {"x": 5000, "position_error_m": 0.0}])
    plan = plan_of({"name": "zone_distance"}, {"name": "road_distance"}, {"name": "accidents"})
    roads = gpd.GeoDataFrame(geometry=[LineString([(E0 - 900, N0 + 400), (E0 + 900, N0 + 400)])], crs=UTM)
    accidents = accident_table([(E0 + 50, N0 + 740)], [None])
    west = zones_of([{"geometry": Point(E0 - 1000, N0 + 50)}])
    found = cp.rank(tasks, west, plan, accidents=accidents, roads=roads)
    assert found["c_zone_distance_rises"].tolist() == pytest.approx([90, 90])
    assert found["c_road_distance_rises"].iloc[0] == pytest.approx(180)
    assert "c_accidents_rises" not in found.columns
    near = np.zeros(33, dtype=int)
    # 150 m to the north it is 490 m away, north by north-east 640 - 139. 300 m to the north it is 340 m away, to the
    # north-east 428 m north and 162 m east of it, further east 525 m north.
    near[[1, 17, 18, 19, 31, 32]] = 1
    assert found["c_accidents_elsewhere"].tolist() == [" ".join(map(str, near)), ""]
    inside = cp.rank(tasks, zones_of([{"geometry": Point(E0 + 80, N0 + 50)}]), plan, accidents=accidents, roads=roads)
    assert inside["c_zone_distance_rises"].iloc[0] == pytest.approx(270)


def test_effort_by_the_rate_of_the_queue():
    tasks = tasks_of([{"x": 0}, {"x": 200, "queue": "clearance"}])
    rate = {"low": 100, "likely": 250, "high": 500, "source": "test"}
    plan = plan_of({"name": "effort"}, rates={"survey": rate | {"high": 1000}, "clearance": rate})
    assert figure_of(tasks, zones_of([{}]), "effort", plan).values.tolist() == [[40, 10, 100], [40, 20, 100]]
    with pytest.raises(TableError, match=r"no rate for the survey queue; state priority\.rates\.survey"):
        figure_of(tasks, zones_of([{}]), "effort")
    with pytest.raises(SettingsError, match="in that order"):
        check_settings(Rate, {"low": 3, "likely": 2, "high": 1, "source": "x"}, where="test")


def test_slope_of_a_plane(tmp_path):
    # Rises 10 m in 100 m to the east: atan 0.1 = 5.71 degrees everywhere.
    path, x = tmp_path / "plane.tif", np.arange(30) * 100.0
    heights = np.broadcast_to(x * 0.1, (20, 30)).astype("float32")
    frame = {"driver": "GTiff", "width": 30, "height": 20, "count": 1, "dtype": "float32", "crs": UTM,
             "transform": Affine(100, 0, E0 - 500, 0, -100, N0 + 1000)}  # fmt: skip
    with rasterio.open(path, "w", **frame) as out:
        out.write(heights, 1)
    tasks = tasks_of([{"x": 0}, {"x": 30}, {"x": 90_000}])
    tasks.loc[1, "geometry"] = box(E0 + 30, N0 + 30, E0 + 31, N0 + 31)  # holds no centre of a cell
    found = mean_slope(path, tasks)
    assert found[:2].tolist() == pytest.approx([5.7106, 5.7106], abs=1e-3)
    assert np.isnan(found[2])
    plan = plan_of({"name": "slope", "zero_at": 30, "one_at": 0, "unknown": 10})
    assert cp.rank(tasks, zones_of([{}]), plan, elevation=path)["c_slope_raw"].tolist()[2] == 10
    with pytest.raises(TableError, match=r"name its raster as context\.elevation"):
        figure_of(tasks, zones_of([{}]), "slope")


def test_a_layer_makes_a_column_by_area():
    tasks = tasks_of([{"x": 0}, {"x": 1000}])
    layer = gpd.GeoDataFrame({"ec": [2.0, 8.0, None]}, geometry=[
        box(E0, N0, E0 + 75, N0 + 100), box(E0 + 75, N0, E0 + 85, N0 + 100), box(E0 + 85, N0, E0 + 100, N0 + 100),
    ], crs=UTM)  # fmt: skip
    found = layer_means(tasks, layer, "ec")
    assert found[0] == pytest.approx((75 * 2 + 10 * 8) / 85)
    assert np.isnan(found[1])
    for column in (pd.Timestamp("2026-01-01"), True):
        plan = plan_of({"name": "own", "column": "own", "label": "Own", "unit": "u"})
        with pytest.raises(TableError, match=r"column 'own' of TASKS holds .*, no numbers"):
            cp.rank(tasks.assign(own=column), zones_of([{}]), plan)
    with pytest.raises(TableError, match="layer has no column 'x'; it has ec"):
        layer_means(tasks, layer, "x")


def test_gates_exclude_and_say_why():
    tasks = tasks_of([
        {"x": 0, "zone_ids": "Z0; Z1", "hazard_ids": "H1"}, {"x": 200, "hazard_ids": "H1; H12"},
        {"x": 400, "hazard_ids": "H12", "district": "E"}, {"x": 600},
    ])  # fmt: skip
    columns = ["kind", "reason", "until", "zone_id", "hazard_id", "district", "deferred", "lifted_on"]
    gates = pd.DataFrame([
        ["do-no-harm", "not heard", "heard", "Z1", None, None, None, None],
        ["dispute", "two holdings", "decided", None, "H1", None, None, None],
        ["permission", "no letter", "letter", None, "H12", "E", None, None],
        ["security", "lost row", "never", "Z0", None, None, "unusable", None],
        ["security", "lifted", "then", None, None, "D", None, "2025-06-01"],
    ], columns=columns)  # fmt: skip
    told = gated(tasks, gates, as_at=DAY)
    assert [reason if reason is None else str(reason) for reason in told] == [
        "do-no-harm: not heard (until heard); dispute: two holdings (until decided)",
        "dispute: two holdings (until decided)", "permission: no letter (until letter)", None,
    ]  # fmt: skip
    assert "security: lifted" in str(gated(tasks, gates, as_at=dt.date(2025, 5, 31))[3])
    plan = plan_of({"name": "area", "zero_at": 0, "one_at": 10})
    ranked = cp.rank(tasks, zones_of([{}, {}]), plan, gates=gates, as_at=DAY)
    assert ranked["rank"].isna().tolist() == [True, True, True, False]
    assert ranked["rank"].iloc[3] == 1
    assert ranked["score"].notna().all(), "a gate is no weight: the score stays"
    words = cp.explain(ranked, "T0")
    assert words.attrs["rank"] is None


# --- value of survey: the invented case of 10 ha (clearance 2, survey .15 a m2, p .2, se .98, sp .85, harm 100 a m2)

CASE = {"survey_cost_per_m2": 0.15, "clearance_cost_per_m2": 2, "sensitivity": 0.98, "specificity": 0.85,
        "harm_per_m2": 100, "currency": "USD", "source": "test"}  # fmt: skip


def worth(p, area=100_000.0, **changes):
    table = pd.DataFrame({"queue": ["survey"], "area_m2": [area], "probability": [p]})
    return value_of_survey(table, SurveyFirst(**CASE | changes)).iloc[0]


def test_value_of_survey_by_hand():
    found = worth(0.2)
    assert found["clear_all_cost"] == 200_000
    # 15,000 + (.2 x .98 + .8 x .15) x 200,000, and apart from it .2 x .02 x 10 million (100 a m2).
    assert found["survey_first_cost"] == pytest.approx(78_200)
    assert found["survey_harm"] == pytest.approx(40_000)
    assert found["survey_first_cost"] + found["survey_harm"] == pytest.approx(118_200)
    assert found["break_even_p"] == pytest.approx(0.4235, abs=1e-4)
    at = worth(found["break_even_p"])
    assert at["survey_first_cost"] + at["survey_harm"] == pytest.approx(at["clear_all_cost"])
    alone = worth(found["break_even_p_costs"])
    assert alone["survey_first_cost"] == pytest.approx(alone["clear_all_cost"])


def test_value_of_survey_at_the_edges():
    assert worth(0.5, survey_cost_per_m2=5)["break_even_p"] == 0, "survey dearer than clearance never pays"
    assert worth(0.5, sensitivity=1, specificity=1, survey_cost_per_m2=0, harm_per_m2=0)["break_even_p"] == 1
    assert np.isnan(worth(np.nan)["survey_saves"])
    # Two halves are worth what the whole is.
    assert 2 * worth(0.2, area=50_000.0)["survey_harm"] == pytest.approx(worth(0.2)["survey_harm"])
    with pytest.raises(SettingsError, match="must be more than 1"):
        check_settings(SurveyFirst, CASE | {"sensitivity": 0.5, "specificity": 0.5}, where="test")
    table = pd.DataFrame({"queue": ["clearance"], "area_m2": [1.0], "probability": [0.2]})
    assert value_of_survey(table, SurveyFirst(**CASE)).isna().all(axis=None)
    with pytest.raises(TableError, match="needs column probability, the contaminated share of each task"):
        value_of_survey(table.drop(columns="probability"), SurveyFirst(**CASE))
    words = survey_words(worth(0.2), SurveyFirst(**CASE))
    assert "saves 121,800 USD of 200,000" in words
    assert "expected harm is 40,000 USD" in words
    # (.85 x 2 - .15) / (.83 x 2 + .02 x 100) = .4235, and without harm 1.55 / 1.66 = .934.
    assert (
        "It pays where up to 42 % of the ground is contaminated with the harm counted, up to 93 % by costs alone"
        in words
    )
    assert survey_words(worth(np.nan), SurveyFirst(**CASE)) is None
