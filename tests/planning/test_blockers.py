"""What has to be released before a zone can open."""

import geopandas as gpd
import pytest
from shapely.geometry import LineString, Point, box

from clearplan.core.errors import TableError
from clearplan.planning.blockers import find_blockers, waits_for, without_place
from tests.worlds import settings

CRS = "EPSG:32638"


def tasks(**columns):
    shapes = [box(0, 0, 10, 10), box(100, 0, 110, 10), box(1000, 0, 1010, 10)]
    return gpd.GeoDataFrame({"task_id": ["A", "B", "C"], **columns}, geometry=shapes, crs=CRS)


def zones(after=(None, None), error=(0.0, 0.0)):
    return gpd.GeoDataFrame(
        {"zone_id": ["Y", "Z"], "name": ["Yard", None], "people": [1, 2], "position_error_m": error,
         "deferred": [None, None], "after": after}, geometry=[Point(20, 5), Point(990, 5)], crs=CRS,
    )  # fmt: skip


def test_ground_within_home_and_the_position_error_blocks():
    near = settings(home_m=10)
    assert waits_for(find_blockers(tasks(), zones(), near)) == {"Y": ["A"], "Z": ["C"]}
    # B begins 80 m from Y: 10 m and an error of 70 m reach it, one of 69 m does not
    assert waits_for(find_blockers(tasks(), zones(error=(70.0, 0.0)), near))["Y"] == ["A", "B"]
    assert waits_for(find_blockers(tasks(), zones(error=(69.0, 0.0)), near))["Y"] == ["A"]


def test_essential_lifelines_block_and_others_do_not():
    lines = gpd.GeoDataFrame(
        {"lifeline_id": ["R", "S"], "zone_id": ["Y", "Y"], "kind": ["road", "school"], "essential": ["yes", "no"],
         "deferred": [None, None]}, geometry=[LineString([(0, 5), (900, 5)])] * 2, crs=CRS,
    )  # fmt: skip
    found = find_blockers(tasks(lifeline_ids=["R", "R; S", None]), zones(), settings(home_m=10), lifelines=lines)
    assert waits_for(found)["Y"] == ["A", "B"]
    assert found.loc[found["part"] == "S", ["task_id", "essential"]].to_numpy().tolist() == [["B", "no"]]
    with pytest.raises(TableError, match="lifeline R serves zone 'X', which ZONES lacks"):
        find_blockers(tasks(lifeline_ids=["R", None, None]), zones(), settings(home_m=10),
                      lifelines=lines.assign(zone_id="X"))  # fmt: skip
    with pytest.raises(TableError, match=r"state priority\.lifelines_within_m"):
        find_blockers(tasks(), zones(), settings(home_m=10), lifelines=lines)


def test_lifelines_of_a_zone_without_a_place_or_not_handed_over_block_nothing():
    # Z is not on the map; of lifeline Q, which serves a zone that nobody knows, only the tasks still speak.
    lost = zones()
    lost.geometry = [Point(20, 5), None]
    lines = gpd.GeoDataFrame(
        {"lifeline_id": ["R", "S"], "zone_id": ["Y", "Z"], "kind": ["road", "road"], "essential": ["yes", "yes"],
         "deferred": [None, None]}, geometry=[LineString([(0, 5), (900, 5)])] * 2, crs=CRS,
    )  # fmt: skip
    near = tasks(lifeline_ids=["S", "R; S", "Q"])
    found = find_blockers(near, lost.assign(deferred=[None, "no coordinates"]), settings(home_m=10), lifelines=lines)
    assert waits_for(found) == {"Y": ["A", "B"]}


def test_a_zone_that_opens_after_another_waits_for_all_of_it():
    found = find_blockers(tasks(), zones(after=(None, "Y")), settings(home_m=10))
    assert waits_for(found) == {"Y": ["A"], "Z": ["C", "A"]}
    assert found.loc[found["part"] == "after Y", "why"].map(str).tolist() == ["Yard first"]


def test_zones_in_a_circle_or_after_one_that_is_not_there_are_refused():
    with pytest.raises(TableError, match=r"in a circle: (Y after Z after Y|Z after Y after Z)"):
        find_blockers(tasks(), zones(after=("Z", "Y")), settings(home_m=10))
    with pytest.raises(TableError, match="zone Z opens after 'X', which ZONES lacks"):
        find_blockers(tasks(), zones(after=(None, "X")), settings(home_m=10))


def test_a_zone_after_one_without_a_place_has_no_known_blockers_either():
    lost = zones(after=(None, "Y")).assign(deferred=["no coordinates", None])
    assert str(without_place(lost, None)["Z"]) == "opens after Y, which has no place on the map: no coordinates"
