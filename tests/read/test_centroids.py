"""Accidents at centroids: what finds them, what their position error becomes, and what stays as it was."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from clearplan.read.centroids import at_centroids, centroid_faults, places_of, with_place_errors

UTM = 32638
X0, Y0 = 500_123.0, 4_400_457.0


def accidents_of(points, days=None, error=50.0, entered=None, crs="EPSG:4326"):
    """ACCIDENTS at (east, north) from an origin off every grid [m], labelled with file and row."""
    days = days or [f"2024-01-{k + 1:02}" for k in range(len(points))]
    table = gpd.GeoDataFrame(
        {"accident_id": [f"A{k}" for k in range(len(points))], "occurred_on": pd.to_datetime(days),
         "position_error_m": error},
        geometry=[None if p is None else shapely.Point(X0 + p[0], Y0 + p[1]) for p in points], crs=UTM,
    )  # fmt: skip
    if entered is not None:
        table["entered_crs"] = crs
        table["entered_geometry"] = [f"POINT ({x} {y})" for x, y in entered]
    return table.set_axis(pd.MultiIndex.from_product([["a.csv"], range(2, len(points) + 2)]), axis="index")


def villages(*points):
    return gpd.GeoDataFrame(geometry=[shapely.Point(X0 + x, Y0 + y) for x, y in points], crs=UTM)


def test_three_accidents_of_two_days_at_one_coordinate_are_found_and_two_or_one_day_are_not():
    three = [(0, 0), (0, 0), (0.5, 0.5), (9000, 0)]
    assert at_centroids(accidents_of(three))["why"].to_dict() == {0: "shared", 1: "shared", 2: "shared"}
    assert not len(at_centroids(accidents_of(three, ["2024-01-01"] * 4)))
    assert not len(at_centroids(accidents_of([(0, 0), (0, 0), (5, 0)])))
    # Undated ones may be of any day.
    assert len(at_centroids(accidents_of([(0, 0)] * 3, [None] * 3))) == 3


def test_the_error_of_a_village_is_half_of_the_way_to_the_next():
    layer = villages((0, 0), (0, 0), (3000, 4000), (3000, 5000))
    assert places_of("settlements", layer).error_m.tolist() == [2500, 2500, 500, 500]
    assert np.isnan(places_of("settlements", villages((0, 0))).error_m).all()
    found = at_centroids(accidents_of([(6, -7), (3000, 4000), (11, 0), None]), [places_of("settlements", layer)])
    assert found["why"].to_dict() == {0: "settlements", 1: "settlements"}  # 9.2 m away, and at it; 11 m is too far
    assert found["error_m"].tolist() == [2500, 500]


def test_half_of_the_way_by_brute_force():
    points = np.random.default_rng(7).uniform(0, 50_000, (60, 2))
    away = np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    np.fill_diagonal(away, np.inf)
    found = places_of("settlements", villages(*points)).error_m
    assert found == pytest.approx(away.min(axis=1) / 2)


def test_an_accident_at_the_middle_of_a_district_may_have_been_at_its_farthest_corner():
    district = gpd.GeoDataFrame(geometry=[shapely.box(X0 - 3000, Y0 - 4000, X0 + 3000, Y0 + 4000)], crs=UTM)
    found = at_centroids(accidents_of([(0, 0)]), [places_of("districts", district)])
    assert found["error_m"].tolist() == [5000]
    stated = places_of("zones", pd.concat([district, district, villages((0, 0))]), np.array([50.0, 6000, 70]))
    assert stated.error_m.tolist() == [5000, 6000, 70]


def test_thousands_of_rows_at_one_coordinate_take_no_pairs():
    """30,000 rows would be 900 million pairs: 14 GB."""
    found = at_centroids(accidents_of([(0, 0)] * 30_000, ["2024-01-01", None] * 15_000))
    assert len(found) == 30_000


@pytest.mark.parametrize(
    ("entered", "step"),
    [
        ((46.93, 39.95), 0.01),
        ((46.9, 39.9), 0.1),
        ((47.0, 40.0), 1.0),
        ((46.9333, 39.9833), 1 / 60),  # 46°56', 39°59'
        ((46.933333, 39.983333), 1 / 60),
    ],
)
def test_rounded_coordinates_may_be_off_by_half_of_their_cells_diagonal(entered, step):
    found = at_centroids(accidents_of([(0, 0)], entered=[entered]))
    assert found["why"].tolist() == ["rounded"]
    # Published lengths of a degree at 40 N: 111.04 km of latitude, 85.39 km of longitude. Never less, at most 1 % more.
    half = 1000 * step * np.hypot(111.04, 85.39) / 2
    assert half <= found["error_m"].iloc[0] <= min(1.01 * half, 100_000)


def test_measured_coordinates_are_not_rounded():
    measured = [(46.93, 39.9512), (46.9312, 39.95), (46.931, 39.951), (46.248793, 40.243254)]
    assert not len(at_centroids(accidents_of([(900 * k, 0) for k in range(4)], entered=measured)))
    table = accidents_of([(0, 0), (5000, 0)], entered=[(501_000, 4_403_000), (501_120, 4_403_000)], crs="EPSG:32638")
    found = at_centroids(table)
    assert found["error_m"].to_dict() == pytest.approx({0: 1000 / np.sqrt(2)})


def test_an_error_is_never_lowered_and_the_written_one_stays_in_sight():
    table = accidents_of([(0, 0)] * 4, error=[50.0, 9000.0, np.nan, 1000.0])
    before = table.copy()
    found = at_centroids(table, [places_of("settlements", villages((0, 0), (6000, 0)))])
    wider = with_place_errors(table, found)
    assert wider["position_error_m"].tolist() == [3000, 9000, 3000, 3000]
    assert wider["entered_error_m"].fillna(-1).tolist() == [50, -1, -1, 1000]
    assert wider["error_from"].tolist() == ["settlements", None, "settlements", "settlements"]
    pd.testing.assert_frame_equal(table, before)
    (warning,) = centroid_faults(table, found).to_dict("records")
    assert warning["file"] == "a.csv"
    assert "4 (rows 2-5)" in warning["rule"]
    assert "3 of them raised from 50 to 1,000 m or unknown to 3,000 m" in warning["rule"]
    assert warning["value"] == "50 to 9,000 m or unknown"


def test_a_shared_coordinate_far_from_all_places_keeps_its_error_until_the_project_states_one():
    table = accidents_of([(0, 0)] * 3)
    found = at_centroids(table, [places_of("settlements", villages((5000, 0), (9000, 0)))])
    assert with_place_errors(table, found) is table
    assert "3 kept as written" in centroid_faults(table, found)["rule"].iloc[0]
    stated = at_centroids(table, error_m=4000.0)
    assert with_place_errors(table, stated)["position_error_m"].tolist() == [4000] * 3


def test_no_accidents_and_no_points_are_no_faults():
    table = accidents_of([(0, 0), (900, 0)])
    empty = places_of("zones", villages())
    assert not len(at_centroids(table, [empty]))
    assert not len(at_centroids(table.iloc[:0], [empty]))
    assert not len(centroid_faults(table, at_centroids(table)))
