"""Score = sum of weight x value; answers by pencil."""

import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import CrsError, TableError
from clearplan.priority.rank import explain_words
from clearplan.settings.priority import PrioritySettings
from tests.conftest import E0, N0, accident_table, hazard_table, random_world, zone_table


def build(margins, task_settings):
    hazards = hazard_table(
        [
            {"geometry": box(E0, N0, E0 + 100, N0 + 100), "land_class": "CHA", "ordnance": "CMR"},
            {"geometry": box(E0 + 5000, N0, E0 + 5100, N0 + 100), "land_class": "CHA", "ordnance": "CMR"},
            {"geometry": box(E0, N0 + 300, E0 + 100, N0 + 400), "land_class": "SHA", "ordnance": "CMR"},
        ]
    )
    zones = zone_table(
        [
            {"geometry": Point(E0 - 200, N0 + 50), "people": 250.0},
            {"geometry": Point(E0 + 300, N0 + 50), "people": None},
        ]
    )
    return cp.make_tasks(cp.footprints(hazards, margins), zones, task_settings), zones


def test_by_pencil(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    accidents = accident_table(
        [(E0, N0), (E0 + 50, N0 - 400), (E0, N0 - 501), (E0, N0)],
        ["2021-05-01", None, "2021-01-01", "2019-01-01"],
    )
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accidents)
    near = ranked[(ranked["queue"] == "clearance") & (ranked["zone_ids"] == "Z0; Z1")].iloc[0]
    # people 250 known + 150 assumed of 1,000 -> 0.40 x 50; 200 m of 10,000 -> 0.98 x 30;
    # two accidents (one undated; one is too far, one too old) of 4 -> 0.5 x 20.
    assert near["c_people_points"] == pytest.approx(20.0)
    assert near["c_zone_distance_points"] == pytest.approx(29.4)
    assert near["c_accidents_points"] == pytest.approx(10.0)
    assert near["score"] == pytest.approx(59.4)
    assert (near["people_assumed"], near["zones_unknown"]) == (150, 1)
    far = ranked[ranked["zone_ids"] == ""].iloc[0]
    # Nearest zone is 4,700 m away: (10,000 - 4,700) / 10,000 x 30.
    assert far["score"] == pytest.approx(15.9)
    assert ranked.set_index("task_id")["rank"][[near["task_id"], far["task_id"]]].tolist() == [1, 2]
    assert ranked.loc[ranked["queue"] == "survey", "rank"].tolist() == [1]


def test_explanation_sums_to_the_score(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accident_table([], []))
    for task_id in ranked["task_id"]:
        table = cp.explain(ranked, task_id)
        assert table["contribution"].sum() == pytest.approx(table.attrs["score"], abs=1e-12)
        np.testing.assert_allclose(table["value"] * table["weight"], table["contribution"], atol=1e-12)
        assert table["weight"].sum() == pytest.approx(100)
        assert task_id in explain_words(table)
    near = ranked.loc[ranked["zone_ids"] == "Z0; Z1", "task_id"].iloc[0]
    assert "150 assumed for 1 zone" in cp.explain(ranked, near)["note"].str.cat()


def test_scaling_all_weights_changes_nothing(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    plain = priority_settings.model_dump()
    for criterion in plain["criteria"]:
        criterion["weight"] *= 7.3
    scaled = PrioritySettings(**plain)
    accidents = accident_table([(E0, N0)], ["2022-01-01"])
    a = cp.rank(tasks, zones, priority_settings, accidents=accidents)
    b = cp.rank(tasks, zones, scaled, accidents=accidents)
    np.testing.assert_allclose(a["score"], b["score"], rtol=1e-12)


def test_a_criterion_of_one_queue_leaves_the_other_alone(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    plain = priority_settings.model_dump()
    plain["criteria"][2]["queues"] = ["clearance"]
    ranked = cp.rank(tasks, zones, PrioritySettings(**plain), accidents=accident_table([], []))
    survey = ranked.loc[ranked["queue"] == "survey", "task_id"].iloc[0]
    table = cp.explain(ranked, survey)
    assert len(table) == 2
    assert table["weight"].tolist() == pytest.approx([62.5, 37.5])


def test_same_rows_same_order_input_untouched(margins, task_settings, priority_settings):
    hazards, zones = random_world(2)
    tasks = cp.make_tasks(cp.footprints(hazards, margins), zones, task_settings)
    before = tasks.copy(deep=True)
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accident_table([], []))
    pd.testing.assert_frame_equal(pd.DataFrame(tasks), pd.DataFrame(before))
    pd.testing.assert_frame_equal(pd.DataFrame(ranked[tasks.columns]), pd.DataFrame(tasks))


def test_equal_scores_share_a_rank(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    twins = pd.concat([tasks, tasks.assign(task_id=tasks["task_id"] + "b")], ignore_index=True)
    ranked = cp.rank(twins, zones, priority_settings, accidents=accident_table([], []))
    assert sorted(ranked.loc[ranked["queue"] == "clearance", "rank"]) == [1, 1, 3, 3]


def test_errors_name_the_remedy(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    with pytest.raises(TableError, match="needs the ACCIDENTS table"):
        cp.rank(tasks, zones, priority_settings)
    with pytest.raises(TableError, match="which ZONES lacks"):
        cp.rank(tasks, zones.iloc[:0], priority_settings, accidents=accident_table([], []))
    with pytest.raises(CrsError):
        cp.rank(tasks.to_crs(4326), zones, priority_settings, accidents=accident_table([], []))
    with pytest.raises(TableError, match="not ranked"):
        cp.explain(tasks, "x")
    ranked = cp.rank(tasks, zones, priority_settings, accidents=accident_table([], []))
    with pytest.raises(TableError, match=r"no task '38SPK"):
        cp.explain(ranked, "38SPK0000-XYZ-1")


def with_probability(settings, name, **changes):
    criteria = [{"name": name, "weight": 1, "zero_at": 0, "one_at": 0.5, "source": "test"}]
    return PrioritySettings.model_validate(settings.model_dump() | {"criteria": criteria} | changes)


def test_probability_by_pencil_and_unknown_is_assumed_in_the_open(margins, task_settings, priority_settings):
    tasks, zones = build(margins, task_settings)
    area = tasks["area_m2"].to_numpy(float)
    known = tasks.assign(expected_m2=0.2 * area, low_m2=0.1 * area, high_m2=0.3 * area, known_m2=area, unknown_m2=0.0)
    ranked = cp.rank(known, zones, with_probability(priority_settings, "probability"))
    # 0.2 of 0.5 is 0.4 of the value, and the criterion is the only one: 40 points.
    assert ranked["score"].tolist() == pytest.approx([40.0] * len(tasks))
    ranked = cp.rank(known, zones, with_probability(priority_settings, "expected_area"))
    assert ranked["c_expected_area_raw"].tolist() == pytest.approx((0.2 * area / 1e4).tolist())
    blank = known.assign(expected_m2=np.nan, known_m2=0.0, unknown_m2=area)
    with pytest.raises(TableError, match=r"nobody knows the contaminated share of its ground; state priority\.unknown"):
        cp.rank(blank, zones, with_probability(priority_settings, "probability"))
    ranked = cp.rank(blank, zones, with_probability(priority_settings, "probability", unknown_probability=0.05))
    assert ranked["score"].tolist() == pytest.approx([10.0] * len(tasks))
    note = cp.explain(ranked, ranked["task_id"].iloc[0])["note"].iloc[0]
    assert note == "nobody knows; 5 % of the ground assumed"
    with pytest.raises(TableError, match="need a surface"):
        cp.rank(tasks, zones, with_probability(priority_settings, "probability"))
