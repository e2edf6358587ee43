"""Which piece a sliver joins, one preference at a time: worlds of a few boxes that the eye can check."""

import numpy as np
import pandas as pd
from shapely import box

from clearplan.priority.slivers import join_slivers
from clearplan.settings.tasks import TaskSettings

SETTINGS = TaskSettings(influence_m=0, max_task_ha={"survey": 1, "clearance": 1}, min_task_m2=100, join_within_m=10)
ONE_HAZARD = (box(-100, -100, 100, 100),)
SLIVER = box(0, 0, 4, 10)
EAST, WEST = box(4, 0, 34, 10), box(-30, 0, 0, 10)  # 300 m2 each, a border of 10 m with the sliver


def joined(*pieces, hazards=ONE_HAZARD, largest_m2=10_000):
    """Group of each piece: (shape, homes, corridors, influences, district), what is left out is none of it."""
    none = ((), (), (), 0)
    whole = [piece if isinstance(piece, tuple) else (piece,) for piece in pieces]
    rows = [(*piece, *none[len(piece) - 1 :]) for piece in whole]
    table = pd.DataFrame(
        {
            "geometry": [row[0] for row in rows],
            "grounds": [tuple(frozenset(level) for level in row[1:4]) for row in rows],
            "district_no": [row[4] for row in rows],
        }
    )
    group, small = join_slivers(table, np.array(hazards, dtype=object), SETTINGS, largest_m2)
    return group.tolist(), small.tolist()


def chosen(*pieces, **given):
    """The piece that the first one joined."""
    group, _ = joined(*pieces, **given)
    return next(k for k in range(1, len(group)) if group[k] == group[0])


def test_only_one_of_the_same_district_is_joined():
    assert chosen(SLIVER, (EAST, (), (), (), 1), WEST) == 2
    group, small = joined(SLIVER, (EAST, (), (), (), 1))
    assert group == [0, 1]
    assert small == [True, False]


def test_ground_that_blocks_no_more_than_before_comes_first():
    # East blocks a home and a road, as the sliver does a road; west agrees on homes and blocks nothing yet.
    assert chosen((SLIVER, (), {7}), (WEST, (), ()), (EAST, {3}, {7})) == 2
    assert chosen((SLIVER, {3}, ()), (WEST, (), ()), (EAST, {3}, {7})) == 2
    # Where all would block more, the smaller one does.
    assert chosen((SLIVER, {3}), box(4, 0, 134, 10), WEST) == 2


def test_then_the_same_homes_then_the_same_roads_then_the_same_influence():
    assert chosen((SLIVER, {3}), (WEST, {3, 4}), (EAST, {3}, {7})) == 2
    assert chosen((SLIVER, {3}, {7}), (WEST, {3}, {7, 8}), (EAST, {3}, {7}, {1})) == 2
    assert chosen((SLIVER, {3}, {7}, {1}), (WEST, {3}, {7}), (EAST, {3}, {7}, {1})) == 2


def test_then_the_same_hazard_then_the_longest_border_then_the_nearest():
    two = (box(0, -50, 50, 50), box(-50, -50, 0, 50))
    tall = box(-30, -20, 0, 30)
    assert chosen(SLIVER, tall, EAST, hazards=two) == 2
    short, corner = box(-30, 0, 0, 5), box(4, 10, 34, 40)
    assert chosen(SLIVER, short, EAST) == 2
    assert chosen(SLIVER, corner, short) == 2
    assert chosen(SLIVER, box(10, 0, 40, 10), box(-35, 0, -5, 10)) == 2
    # A hazard of its own, but a longer border: the hazard comes first also where the other only lies near.
    assert chosen(SLIVER, tall, box(9, 0, 39, 10), hazards=two) == 2


def test_equal_ones_are_chosen_by_place_and_not_by_row():
    assert chosen(SLIVER, EAST, WEST) == 2
    assert chosen(SLIVER, WEST, EAST) == 1


def test_a_group_that_is_still_small_chooses_again_by_all_that_it_blocks():
    # The first sliver blocks a home and reaches the second alone. The pair takes the field that blocks the home, though
    # the second sliver has the longer border with the other.
    second = box(2, 0, 16, 5)
    home, other = box(16, -20, 46, 2), box(16, 2, 46, 40)
    group, small = joined((box(0, 0, 2, 10), {3}), second, (home, {3}), other)
    assert group == [2, 2, 2, 3]
    assert small == [False] * 4


def test_a_chain_of_slivers_grows_until_it_is_large_enough():
    strips = [box(4 * k, 0, 4 * k + 4, 10) for k in range(3)]
    group, small = joined(*strips)
    assert len(set(group)) == 1
    assert small == [False] * 3
    group, small = joined(*strips[:2])
    assert len(set(group)) == 1
    assert small == [True] * 2


def test_none_joins_beyond_the_largest_size():
    assert joined(SLIVER, EAST, largest_m2=340)[0] == [1, 1]
    assert joined(SLIVER, EAST, largest_m2=339)[0] == [0, 1]
    # What joined before counts: 300 + 40 leaves no room for another 40.
    other = box(34, 0, 38, 10)
    group, small = joined(SLIVER, EAST, other, largest_m2=379)
    assert sorted(small) == [False, False, True]
    assert len(set(group)) == 2
