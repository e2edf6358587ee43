"""Figures round a shape that lies elsewhere, by hand and by measuring one shift after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, Point, affinity, box

from clearplan.geo.shifts import counts_within, directions


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
    likely, least, most, rises = counts_within(ground, points, 8.0, error)
    for k, shape in enumerate(ground):
        turns, parts = np.radians(np.arange(16) * 22.5), (0, error[k] / 2, error[k])
        moved = [affinity.translate(shape, part * np.sin(t), part * np.cos(t)) for part in parts for t in turns]
        counts = [sum(own.distance(point) <= 8.0 for point in points) for own in moved]
        assert (likely[k], least[k], most[k]) == (counts[0], min(counts), max(counts))
        assert np.isnan(rises[k]) == (min(counts) == max(counts))


def test_a_shape_is_drawn_to_the_side_where_most_points_lie():
    points = np.array([Point(30 + x, 0) for x in range(6)] + [Point(-30, 0)])
    *counts, rises = counts_within(np.array([Point(0, 0)]), points, 10.0, np.array([30.0]))
    assert [found.tolist() for found in counts] == [[0], [0], [6]]
    assert rises.tolist() == pytest.approx([90])


def test_no_points_and_no_shapes():
    none = np.array([], dtype=object)
    assert [found.tolist() for found in counts_within(np.array([Point(0, 0)]), none, 5.0, np.array([9.0]))][:3] == [
        [0]
    ] * 3
    assert all(not len(found) for found in counts_within(none, np.array([Point(0, 0)]), 5.0, np.array([])))
