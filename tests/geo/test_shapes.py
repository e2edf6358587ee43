"""Conservative geometry and exact bookkeeping of area."""

import json
import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, Polygon, box

from clearplan.geo import shapes
from tests.conftest import SAMPLE

coordinate = st.floats(-5000, 5000, allow_nan=False).map(lambda v: round(v, 3))
vertices = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=12, unique=True)


@st.composite
def reported(draw):
    """A point, a line or a (possibly multipart, possibly holed) polygon."""
    corners = draw(vertices)
    kind = draw(st.sampled_from(["point", "line", "polygon", "holed"]))
    if kind == "point":
        return Point(corners[0])
    if kind == "line":
        return LineString(corners)
    shape = shapely.make_valid(Polygon(corners))
    if kind == "holed" and shape.area > 1e4:
        shape = shape.difference(shape.representative_point().buffer(20))
    return shape


@settings(max_examples=150, deadline=None)
@given(shape=reported(), distance=st.floats(0.5, 7000))
def test_buffer_holds_the_true_one(shape, distance):
    grown = shapes.conservative_buffer(np.array([shape]), distance)[0]
    assert grown.boundary.distance(shape) >= distance * (1 - 1e-9)
    assert shapely.covers(grown, shape)


def test_buffer_is_not_much_larger_than_the_true_one():
    disc = shapes.conservative_buffer(np.array([Point(0, 0)]), 1000.0)[0]
    assert math.pi * 1e6 <= disc.area <= math.pi * 1e6 * 1.002


def test_buffer_of_a_polygon_by_zero_changes_nothing():
    square = box(0, 0, 10, 10)
    assert shapes.conservative_buffer(np.array([square]), 0.0)[0].equals_exact(square, 0)


@pytest.fixture(scope="module")
def line():
    layer = gpd.read_file(SAMPLE / "line_of_contact" / "line_of_contact_1994_2020.geojson")
    return layer.to_crs(32638).geometry.iloc[0]


@pytest.mark.parametrize(
    ("depth", "caps", "figure"),
    [
        (3000, "round", "buffer_3km_km2"),
        (3000, "flat", "buffer_3km_flat_caps_km2"),
        (7000, "round", "buffer_7km_km2"),
        (7000, "flat", "buffer_7km_flat_caps_km2"),
    ],
)
def test_belt_of_the_shipped_line_has_the_reference_area(line, depth, caps, figure):
    known = json.loads((SAMPLE / "line_of_contact" / "reference_figures.json").read_text())[figure]
    belt = shapes.belt(line, [(0, depth)], sides="both", caps=caps)
    # The reference is a plain buffer; ours is larger by the growth that makes it hold the true one.
    assert known <= belt.area / 1e6 <= known * 1.0011


@pytest.mark.parametrize("caps", ["round", "flat"])
@pytest.mark.parametrize("depth", [3000, 7000])
def test_left_and_right_make_the_whole_belt(line, depth, caps):
    both, left, right = (shapes.belt(line, [(0, depth)], sides=side, caps=caps) for side in ("both", "left", "right"))
    assert left.area + right.area == pytest.approx(both.area, rel=1e-9)
    assert left.intersection(right).area == pytest.approx(0, abs=1)


def test_left_is_left_of_the_direction():
    road = LineString([(0, 0), (1000, 0)])
    left = shapes.belt(road, [(0, 100)], sides="left", caps="flat")
    assert left.bounds[1] == pytest.approx(0, abs=1e-6)
    assert left.bounds[3] >= 100
    right = shapes.belt(shapely.reverse(road), [(0, 100)], sides="right", caps="round")
    assert right.bounds[1] == pytest.approx(0, abs=1e-6)


def test_tapered_belt_has_the_area_of_a_cone():
    # Depth 100 m at one end and 300 m at the other of 1 km: the tangents of the end discs enclose
    # L/cos(a) * mean width, and the discs add sectors: computed by hand for a = asin(200/1000).
    road = LineString([(0, 0), (1000, 0)])
    belt = shapes.belt(road, [(0, 100), (1000, 300)], sides="both", caps="round")
    a = math.asin(0.2)
    tangents = math.sqrt(1000**2 - 200**2) * (100 + 300)
    sectors = 100**2 * (math.pi / 2 - a) + 300**2 * (math.pi / 2 + a)
    assert belt.area == pytest.approx(tangents + sectors, rel=2e-3)
    assert belt.area >= tangents + sectors


def test_tapered_belt_with_equal_depths_is_the_plain_belt(line):
    plain = shapes.belt(line, [(0, 3000)], sides="both", caps="round")
    tapered = shapes.belt(line, [(0, 3000), (100_000, 3000.0001)], sides="both", caps="round")
    assert tapered.area == pytest.approx(plain.area, rel=1e-3)


def test_tapered_belt_holds_the_depth_at_every_point(line):
    profile = [(0, 1000), (50_000, 4000), (150_000, 2000)]
    belt = shapes.belt(line, profile, sides="both", caps="round")
    for at in np.linspace(0, line.length, 60):
        depth = np.interp(at, [p[0] for p in profile], [p[1] for p in profile])
        assert belt.boundary.distance(line.interpolate(at)) >= depth * (1 - 1e-6)


@settings(max_examples=60, deadline=None)
@given(corners=st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=60))
def test_tiled_union_is_the_union(corners):
    squares = np.array([box(x, y, x + 700, y + 500) for x, y in corners], dtype=object)
    assert shapes.tiled_union(squares).area == pytest.approx(shapely.union_all(squares).area, rel=1e-9)


def test_tiled_union_in_many_chunks():
    draw = np.random.default_rng(7)
    xy = draw.uniform(0, 20_000, (3000, 2))
    discs = shapely.buffer(shapely.points(xy), draw.uniform(20, 200, 3000))
    assert shapes.tiled_union(discs).area == pytest.approx(shapely.union_all(discs).area, rel=1e-9)


def test_overlaps_are_those_of_plain_intersection():
    draw = np.random.default_rng(3)
    left = shapely.buffer(shapely.points(draw.uniform(0, 1000, (60, 2))), draw.uniform(5, 150, 60))
    right = shapely.buffer(shapely.points(draw.uniform(0, 1000, (60, 2))), draw.uniform(5, 150, 60))
    i, j, area = shapes.overlaps(left, right)
    plain = np.array([[a.intersection(b).area for b in right] for a in left])
    found = np.zeros_like(plain)
    found[i, j] = area
    np.testing.assert_allclose(found, plain, rtol=1e-9, atol=1e-6)


def test_cells_tile_and_do_not_depend_on_far_land():
    shape = Point(3333, 4444).buffer(1700)
    cells = shapes.cut_to_cells(shape, 500.0)
    assert shapely.area(cells).sum() == pytest.approx(shape.area, rel=1e-12)
    assert max(shapely.area(cells)) <= 500 * 500 * (1 + 1e-12)


@given(seed=st.integers(0, 10_000), count=st.integers(1, 400), chunk=st.sampled_from([3, 16, 128]))
@settings(max_examples=25, deadline=None)
def test_union_pieces_tile_the_union(seed, count, chunk):
    draw = np.random.default_rng(seed)
    centres = shapely.points(draw.uniform(0, 5_000, (count, 2)))
    discs = shapely.buffer(centres, draw.uniform(5, 400, count))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shapes, "_CHUNK", chunk)
        pieces = shapes.union_pieces(discs)
    whole = shapely.union_all(discs)
    assert shapely.area(pieces).sum() == pytest.approx(whole.area, rel=1e-9)
    assert shapely.symmetric_difference(shapely.union_all(pieces), whole).area <= 1e-6 * whole.area


@given(seed=st.integers(0, 10_000), tolerance=st.sampled_from([1.0, 10.0, 60.0]))
@settings(max_examples=50, deadline=None)
def test_simplifying_only_grows(seed, tolerance):
    draw = np.random.default_rng(seed)
    angle = np.sort(draw.uniform(0, 2 * np.pi, 40))
    radius = draw.uniform(50, 400, 40)
    ring = shapely.make_valid(shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])))
    pierced = shapely.difference(ring, shapely.Point(0, 0).buffer(30))
    drawn = shapes.simplify_outward(np.array([ring, pierced, None], dtype=object), tolerance)
    assert drawn[0].covers(ring)
    assert drawn[1].covers(pierced)
    assert drawn[2] is None
    assert ring.buffer(shapes.outward_reach(tolerance) + 0.1, quad_segs=64).covers(drawn[0])


def test_one_shape_may_stand_in_many_rows_and_on_both_sides():
    """Threads that asked one prepared shape at once crashed: every thread has copies of its own."""
    disc = shapely.Point(0, 0).buffer(100, quad_segs=200)
    left = np.array([disc] * 600, dtype=object)
    right = np.array([disc, shapely.box(-10, -10, 10, 10), shapely.box(90, -10, 200, 10)])
    for found in (shapes.overlaps(left, right)[2], shapely.area(shapes.shared(left, right)[2])):
        assert len(found) == 1800
        assert found.sum() == pytest.approx(600 * (disc.area + 400 + disc.intersection(right[2]).area), rel=1e-9)


def test_pieces_and_overlays_conserve_area():
    draw = np.random.default_rng(3)
    x, y = draw.uniform(0, 1000, (2, 300))
    discs = shapely.buffer(shapely.points(x, y), draw.uniform(20, 90, 300), quad_segs=20)
    pieces, rank = shapes.ranked_pieces(discs, draw.integers(0, 5, 300))
    assert shapely.area(pieces).sum() == pytest.approx(shapely.union_all(discs).area, rel=1e-9)
    assert set(rank) == {0, 1, 2, 3, 4}
    other, _ = shapes.ranked_pieces(shapely.transform(discs, lambda xy: xy + 37.3), np.zeros(300, dtype=int))
    i, j, part = shapes.overlay(pieces, other)
    area = shapely.area(part)
    assert area[i >= 0].sum() == pytest.approx(shapely.area(pieces).sum(), rel=1e-9)
    assert area[j >= 0].sum() == pytest.approx(shapely.area(other).sum(), rel=1e-9)
    assert area.sum() == pytest.approx(shapely.union_all([*pieces, *other]).area, rel=1e-9)
    i, j, _ = shapes.overlay(pieces, pieces[::2])  # what is the same on both sides meets itself alone
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [
        (k, -1 if k % 2 else k // 2) for k in range(len(pieces))
    ]
