"""Figures round a shape that lies elsewhere, by hand and by measuring one shift after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, affinity, box

from clearplan.geo.shifts import PLACES, counts_within, directions, nearest_place


def test_directions_by_hand():
    squares = np.array([box(0, 0, 10, 10)] * 4)
    others = np.array([Point(5, 30), LineString([(40, -5), (40, 15)]), Point(-10, -10), box(4, 5, 6, 6)])
    # North, east, south-west; the last lies within, its middle half a metre above that of the square.
    assert directions(squares, others).tolist() == pytest.approx([0, 90, 225, 0])
    assert directions(squares[:0], others[:0]).tolist() == []


@given(st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_counts_are_those_of_shapes_that_are_moved_one_by_one(seed):
    random = np.random.default_rng(seed)
    ground = np.array([box(x, y, x + 3, y + 2) for x, y in random.random((5, 2)) * 50])
    points = np.array([Point(*place) for place in random.random((30, 2)) * 50])
    error = np.array([0.0, 1.0, 5.0, 20.0, 60.0])
    found = counts_within(ground, points, 8.0, error)
    for k, shape in enumerate(ground):
        moved = [shape] + [
            affinity.translate(shape, part * np.sin(turn), part * np.cos(turn))
            for part in (error[k] / 2, error[k])
            for turn in np.radians(np.arange(16) * 22.5)
        ]
        assert found[k].tolist() == [sum(own.distance(point) <= 8.0 for point in points) for own in moved]


@given(st.floats(0, 2 * np.pi), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_the_nearest_place_is_the_nearest_of_its_ring(turn, part):
    place = int(nearest_place(np.array(part * np.sin(turn)), np.array(part * np.cos(turn))))
    ring = 0.0 if part < 0.25 else 0.5 if part < 0.75 else 1.0
    assert np.hypot(*PLACES[place]) == pytest.approx(ring, abs=1e-9) or part in (0.25, 0.75)
    if ring:
        assert np.cos(turn - np.arctan2(*PLACES[place])) >= np.cos(np.pi / 16) - 1e-9


def test_no_points_and_no_shapes():
    none = np.array([], dtype=object)
    assert not counts_within(np.array([Point(0, 0)]), none, 5.0, np.array([9.0])).any()
    assert counts_within(none, np.array([Point(0, 0)]), 5.0, np.array([])).shape == (0, 33)
