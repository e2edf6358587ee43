"""What of the hazard near people already home each task is."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st
from shapely import Point, box

from clearplan.core.errors import CrsError
from clearplan.planning.case import make_case
from clearplan.planning.near_homes import near_homes
from tests.worlds import settings, teams

CRS = "EPSG:32638"


def tasks(**columns):
    shapes = [box(0, 0, 10, 10), box(20, 0, 30, 10), box(30, 0, 40, 10), box(900, 0, 910, 10)]
    ids = {"task_id": ["A", "B", "C", "D"], "land_class": "CHA", "district": "N", "area_m2": 100.0}
    return gpd.GeoDataFrame(ids | columns, geometry=shapes, crs=CRS)


def zones(**columns):
    """Y holds half of A, all of B and half of C; Z holds B alone; nobody knows who is home in W, and nobody is in V."""
    shapes = [box(5, 0, 35, 10), box(20, 0, 30, 10), box(0, 0, 40, 10), box(0, 0, 40, 10)]
    own = {"zone_id": ["Y", "Z", "W", "V"], "people": [1, 0, 1, 1], "already_home": [100.0, 5.0, np.nan, 0.0],
           "position_error_m": 0.0, "deferred": None}  # fmt: skip
    return gpd.GeoDataFrame(own | columns, geometry=shapes, crs=CRS)


def parts(table):
    return {(row.zone_id, row.task_id): row.part for row in table.itertuples()}


def test_parts_follow_what_is_expected_and_unknown_counts_as_the_rest_does():
    # Near Y: 50 m2 of A at 0.2 are 10, 50 m2 of C at 0.6 are 30: 0.4 a square metre. So 100 m2 of B are 40, of 80.
    near = near_homes(tasks(expected_m2=[20.0, np.nan, 60.0, 99.0]), zones(), settings(home_m=0))
    assert parts(near) == pytest.approx({("Y", "A"): 0.125, ("Y", "B"): 0.5, ("Y", "C"): 0.375, ("Z", "B"): 1.0})
    assert near["near_m2"].tolist() == pytest.approx([50, 100, 50, 100])


@pytest.mark.parametrize("columns", [{}, {"expected_m2": np.nan}, {"expected_m2": 0.0}])
def test_where_nobody_expects_anything_all_near_ground_counts_by_its_area(columns):
    near = near_homes(tasks(**columns), zones(), settings(home_m=0))
    assert parts(near) == pytest.approx({("Y", "A"): 0.25, ("Y", "B"): 0.5, ("Y", "C"): 0.25, ("Z", "B"): 1.0})


def test_near_is_as_far_as_the_place_reaches_and_who_is_home_must_be_known():
    # D begins 865 m east of Y: a place of 800 m with an error of 70 m reaches it, one with an error of 60 m does not.
    def near(error):
        return parts(near_homes(tasks(), zones(position_error_m=error), settings(home_m=800)))

    assert ("Y", "D") in near(70.0)
    assert ("Y", "D") not in near(60.0)
    assert near_homes(tasks(), zones().drop(columns="already_home"), settings(home_m=0)).empty
    assert near_homes(tasks(), zones().set_geometry([None] * 4, crs=CRS), settings(home_m=0)).empty
    with pytest.raises(CrsError):
        near_homes(tasks(), zones().to_crs(4326), settings(home_m=0))


def test_a_case_knows_them():
    known = zones(survey_status="surveyed", surveyed_on="2025-01-01", surveyed_by="test", people=1)
    case = make_case(tasks(), known, teams({}), settings(home_m=0))
    assert parts(case.near_homes) == parts(near_homes(tasks(), known, settings(home_m=0)))


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from([None, 0.0, 3.0, 40.0])), min_size=1,
                max_size=8), st.integers(0, 30))  # fmt: skip
@given_settings(max_examples=25, deadline=None)
def test_the_parts_of_each_place_make_a_whole(spots, home_m):
    fields = gpd.GeoDataFrame(
        {"task_id": [f"T{k}" for k in range(len(spots))], "area_m2": 100.0,
         "expected_m2": pd.Series([expected for *_, expected in spots], dtype=float)},
        geometry=[box(x, y, x + 10, y + 10) for x, y, _ in spots], crs=CRS,
    )  # fmt: skip
    homes = gpd.GeoDataFrame(
        {"zone_id": ["P", "Q"], "already_home": [3.0, 7.0], "position_error_m": 1.0, "deferred": None},
        geometry=[Point(10, 10), Point(40, 40)], crs=CRS,
    )  # fmt: skip
    near = near_homes(fields, homes, settings(home_m=home_m))
    assert (near["part"] >= 0).all()
    assert near.groupby("zone_id")["part"].sum().to_numpy() == pytest.approx(1.0)
