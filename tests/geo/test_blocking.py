"""Ground that blocks holds the true one; a common border alone reaches into nothing."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, box

from clearplan.geo.blocking import blocking_ground, reaching, sets_of


def pairs(pieces, grounds):
    return list(zip(*(index.tolist() for index in reaching(np.array(pieces), np.array(grounds))), strict=True))


@pytest.mark.parametrize("shape", [Point(0, 0), LineString([(0, 0), (300, 40)]), box(0, 0, 80, 50)])
def test_ground_holds_all_within_the_distance_and_the_error(shape):
    grown = blocking_ground(np.array([shape, shape]), 100.0, np.array([30.0, np.nan]))
    assert grown[0].boundary.distance(shape) >= 130
    assert grown[1].boundary.distance(shape) >= 100
    # Growth beyond the true ground is 0.07 %.
    assert grown[0].area < shape.buffer(130 * 1.001, quad_segs=200).area


def test_a_point_without_distance_is_blocked_by_what_it_lies_on_and_an_outline_by_its_own_ground():
    grounds = blocking_ground(np.array([Point(5, 5), box(20, 0, 30, 10)]), 0.0)
    assert pairs([box(0, 0, 10, 10), box(10, 0, 20, 10), box(29, 9, 40, 20)], grounds) == [(0, 0), (2, 1)]


def test_what_touches_or_overlaps_by_rounding_reaches_into_nothing():
    ground = box(650_000, 4_420_000, 651_000, 4_421_000)
    beside = box(651_000, 4_420_000, 652_000, 4_421_000)
    assert pairs([beside, shapely.transform(beside, lambda xy: xy - [1e-6, 0])], [ground]) == []
    assert pairs([shapely.transform(beside, lambda xy: xy - [0.01, 0])], [ground]) == [(0, 0)]
    # A tip of 5 cm that also shares a border of a kilometre is ground all the same.
    tip = shapely.union_all([beside, box(650_999.95, 4_420_500, 651_000, 4_420_500.05)])
    assert pairs([tip], [ground]) == [(0, 0)]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_pairs_are_those_whose_distance_says_so(seed):
    draw = np.random.default_rng(seed)
    corner = draw.uniform(0, 4000, (60, 2))
    pieces = shapely.box(*corner.T, *(corner + draw.uniform(1, 300, (60, 2))).T)
    places = shapely.points(draw.uniform(0, 4000, (12, 2)))
    near = reaching(pieces, blocking_ground(places, 250.0, 50.0))
    distance = shapely.distance(pieces[:, None], places[None, :])
    found = np.zeros(distance.shape, dtype=bool)
    found[near] = True
    assert found[distance < 300].all()
    assert (distance[found] < 300 * 1.001).all()


def test_sets_of_indices_without_values_are_empty():
    assert sets_of(np.array([], dtype=int), np.array([], dtype=int), 2) == [frozenset(), frozenset()]
