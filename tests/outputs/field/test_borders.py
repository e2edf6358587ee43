"""Borders in few corners: what they hold, how far they lead outside, their names, references and ways in."""

import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod, Transformer

from clearplan.core.errors import TableError
from clearplan.outputs.field.borders import approaches, border_of, grid_reference, lonlat_of, short_codes
from tests.conftest import E0, N0, UTM, zone_table


def star(seed: int, corners: int, radius: float = 800.0):
    draw = np.random.default_rng(seed)
    angles = np.sort(draw.uniform(0, 2 * np.pi, corners))
    r = draw.uniform(0.2, 1.0, corners) * radius
    ring = np.column_stack([E0 + r * np.cos(angles), N0 + r * np.sin(angles)])
    return shapely.make_valid(shapely.Polygon(ring)).buffer(3.0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), corners=st.integers(5, 200), most=st.integers(8, 40))
def test_a_border_holds_its_task_in_few_corners_and_says_how_far_it_leads_outside(seed, corners, most):
    shape = star(seed, corners)
    border = border_of(shape, most)
    assert len(border.corners) <= most
    assert border.outline.covers(shape)
    # Sampled anew, and nearer together than it was measured.
    along = shapely.get_coordinates(shapely.segmentize(border.outline.boundary, 1.0))
    assert shapely.distance(shapely.points(along), shape.union(shapely.Polygon())).max() <= border.error_m + 1e-6


def test_a_border_holds_its_task_after_its_corners_are_rounded_to_seven_decimals():
    there, back = (Transformer.from_crs(a, b, always_xy=True) for a, b in ((UTM, 4326), (4326, UTM)))
    for seed in range(30):
        shape = star(seed, 30)
        border = border_of(shape, 24)
        rings = []
        for ring in border.rings:
            lon, lat = (np.round(v, 7) for v in there.transform(ring[:, 0], ring[:, 1]))
            rings.append(shapely.Polygon(np.column_stack(back.transform(lon, lat))))
        assert shapely.union_all(rings).covers(shape)


def test_a_square_keeps_its_four_corners_clockwise_from_the_north_west():
    border = border_of(shapely.box(E0, N0, E0 + 500, N0 + 300), 24)
    assert border.rings[0].round().tolist() == [[E0, N0 + 300], [E0 + 500, N0 + 300], [E0 + 500, N0], [E0, N0]]
    assert border.error_m < 1
    assert not border.holes


def test_a_task_in_parts_keeps_a_ring_each_and_enclaves_are_counted():
    ring = shapely.box(E0, N0, E0 + 900, N0 + 900).difference(shapely.box(E0 + 300, N0 + 300, E0 + 500, N0 + 500))
    far = shapely.box(E0 + 5_000, N0, E0 + 5_100, N0 + 100)
    border = border_of(shapely.union_all([ring, far]), 24)
    assert [len(r) for r in border.rings] == [4, 4]
    assert border.holes == 1
    assert border.rings[0][:, 0].max() < E0 + 1_000  # the larger part comes first


def test_too_many_parts_grow_into_one_rectangle_at_last():
    dots = shapely.union_all([shapely.Point(E0 + 5_000 * k, N0 + 7_000 * (k % 3)).buffer(20) for k in range(9)])
    border = border_of(dots, 8)
    assert len(border.corners) <= 8
    assert border.outline.covers(dots)
    assert border.error_m > 1_000


@pytest.mark.parametrize("shape", [None, shapely.Point(0, 0), shapely.Polygon(), shapely.LineString([(0, 0), (1, 1)])])
def test_what_is_no_polygon_is_refused(shape):
    with pytest.raises(TableError, match="needs a polygon"):
        border_of(shape, 24)
    with pytest.raises(TableError, match="allow 8 or more"):
        border_of(shapely.box(0, 0, 1, 1), 7)


def test_references_have_ten_digits_only_where_the_position_is_known_to_ten_metres():
    # UTM 38N of the point by pyproj: 664773.6 E 4428431.2 N; MGRS cuts, it does not round.
    assert grid_reference(46.93, 39.99, 10.0) == "38S PK 64773 28431"
    assert grid_reference(46.93, 39.99, 10.1) == "38S PK 6477 2843"
    assert grid_reference(46.93, 39.99, math.nan) == "38S PK 6477 2843"
    assert grid_reference(-9.1, 38.7, 1.0).startswith("29S MC ")


def test_short_codes_are_unique_however_alike_the_ids_are():
    ids = [f"Minenfeld Nord-West {k}" for k in range(300)] + ["38SPK6428-CHA-3", "38SPK6428-SHA-3", "Поле", "", "$"]
    codes = short_codes(ids)
    assert len(set(codes.values())) == len(ids)
    assert all(1 <= len(code) <= 10 and code.isascii() and code.isalnum() for code in codes.values())
    assert codes["38SPK6428-CHA-3"] == "PK6428C3"


def test_a_way_in_is_told_with_distance_and_true_bearing():
    task = {"zone_ids": "Z0", "lifeline_ids": None}
    border = border_of(shapely.box(E0, N0, E0 + 500, N0 + 500), 24)
    zones = zone_table([{"geometry": shapely.Point(E0 - 1_200, N0 + 250)}, {"geometry": shapely.Point(E0, N0 - 900)}])
    (way,) = approaches(task, border, CRS(UTM), zones=zones)
    assert (way.own_id, way.named, way.inside) == ("Z0", True, False)
    assert way.distance_m == pytest.approx(1_200 - 0.1, abs=0.01)
    (lon, lat), (lon2, lat2) = lonlat_of(np.array([way.start, way.end]), CRS(UTM))
    azimuth, _, _ = Geod(ellps="WGS84").inv(lon, lat, lon2, lat2)
    assert way.bearing_deg == pytest.approx(azimuth % 360, abs=0.02)
    (other,) = approaches({}, border, CRS(UTM), zones=zones)
    assert (other.own_id, other.named) == ("Z1", False)


def test_a_zone_in_the_task_has_no_way_from_outside_and_a_road_meets_the_border_where_it_crosses():
    border = border_of(shapely.box(E0, N0, E0 + 500, N0 + 500), 24)
    zones = zone_table([{"geometry": shapely.Point(E0 + 20, N0 + 250)}])
    road = gpd.GeoDataFrame(
        {"lifeline_id": ["L"], "zone_id": ["Z0"], "kind": ["road"], "name": [None], "position_error_m": [np.nan]},
        geometry=[shapely.LineString([(E0 - 900, N0 + 100), (E0 + 900, N0 + 100)])],
        crs=UTM,
    )
    task = {"zone_ids": "Z0", "lifeline_ids": "L"}
    ways = {way.kind: way for way in approaches(task, border, CRS(UTM), zones=zones, lifelines=road)}
    assert ways["zone"].inside
    assert ways["zone"].end == pytest.approx((E0 - 0.1, N0 + 250))
    assert ways["road"].start == ways["road"].end == pytest.approx((E0 - 0.1, N0 + 100))
    assert ways["road"].bearing_deg is None
    assert (ways["road"].name, ways["road"].error_m) == ("L", None)
    assert approaches(task, border, CRS(UTM)) == []
