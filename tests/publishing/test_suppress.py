"""Small counts stay small secrets: no withheld count follows from what is shown."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from clearplan.core.errors import SettingsError
from clearplan.publishing.suppress import with_totals, withheld


def shown(counts: np.ndarray, below: int) -> tuple[np.ndarray, np.ndarray]:
    return with_totals(counts), withheld(counts, below)


def equations(shape: tuple[int, int], hidden: np.ndarray) -> np.ndarray:
    """Sums of rows and of columns of a table with totals, for the cells that are withheld."""
    n, m = shape
    number = {tuple(cell): k for k, cell in enumerate(np.argwhere(hidden))}
    rows = []
    for i in range(n):
        rows.append({(i, j): -1 if j == m - 1 else 1 for j in range(m)})
    for j in range(m):
        rows.append({(i, j): -1 if i == n - 1 else 1 for i in range(n)})
    out = np.zeros((len(rows), len(number)), dtype=int)
    for k, row in enumerate(rows):
        for cell, sign in row.items():
            if cell in number:
                out[k, number[cell]] = sign
    return out


def determined(matrix: np.ndarray) -> list[int]:
    """Unknowns that linear equations fix: those whose unit vector lies in the row space, by exact elimination."""
    rows = [[Fraction(int(v)) for v in row] for row in matrix]
    pivots, k = [], 0
    for column in range(matrix.shape[1]):
        own = next((i for i in range(k, len(rows)) if rows[i][column] != 0), None)
        if own is None:
            continue
        rows[k], rows[own] = rows[own], rows[k]
        rows[k] = [v / rows[k][column] for v in rows[k]]
        for i in range(len(rows)):
            if i != k and rows[i][column] != 0:
                factor = rows[i][column]
                rows[i] = [a - factor * b for a, b in zip(rows[i], rows[k], strict=True)]
        pivots.append(column)
        k += 1
    return [c for k, c in enumerate(pivots) if sum(v != 0 for v in rows[k]) == 1]


@pytest.mark.parametrize("seed", range(150))
def test_no_withheld_count_follows_from_the_sums(seed):
    draw = np.random.default_rng(seed)
    counts = draw.poisson(draw.choice([1, 3, 8]), (draw.integers(1, 6), draw.integers(1, 6)))
    table, hidden = shown(counts, 5)
    assert hidden[(table > 0) & (table < 5)].all()
    assert not hidden[table == 0].any()
    assert determined(equations(table.shape, hidden)) == []


@pytest.mark.parametrize("seed", range(60))
def test_every_withheld_count_has_two_values_for_a_reader_who_knows_all_the_rules(seed):
    """Exhaustive: all whole tables from 1 on, in the withheld cells, that agree with what is shown."""
    draw = np.random.default_rng(1000 + seed)
    counts = draw.poisson(1.2, (2, draw.integers(2, 4)))
    table, hidden = shown(counts, 3)
    inner = np.argwhere(hidden[:-1, :-1])
    if not len(np.argwhere(hidden)):
        return
    values: dict[tuple[int, int], set[int]] = {tuple(cell): set() for cell in np.argwhere(hidden)}
    for guess in itertools.product(range(1, 6), repeat=len(inner)):
        tried = counts.copy()
        tried[tuple(inner.T)] = guess
        whole = with_totals(tried)
        if (whole[~hidden] == table[~hidden]).all() and (whole[hidden] >= 1).all():
            for cell, found in values.items():
                found.add(int(whole[cell]))
    assert all(len(found) > 1 for found in values.values()), (table, hidden, values)


def test_one_small_count_in_a_row_takes_others_with_it_in_row_and_column():
    _, hidden = shown(np.array([[2, 9, 30], [8, 7, 20], [50, 60, 70]]), 5)
    assert np.argwhere(hidden).tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert not hidden[:, -1].any()
    assert not hidden[-1].any()


def test_a_lone_small_count_among_zeros_takes_the_totals_with_it():
    # Beside it stand only zeros, which are shown: the way back leads over totals alone.
    table, hidden = shown(np.array([[3, 0], [0, 0]]), 5)
    assert table[hidden].tolist() == [3, 3, 3, 3]
    assert not hidden[table == 0].any()


def test_a_table_without_small_counts_is_told_whole():
    assert not withheld(np.array([[0, 5], [6, 0]]), 5).any()
    assert not withheld(np.zeros((0, 0), dtype=int), 5).any()


def test_counts_that_are_none_and_thresholds_that_protect_nobody_are_refused():
    with pytest.raises(SettingsError, match="at least 2"):
        withheld(np.array([[1]]), 1)
    with pytest.raises(SettingsError, match="whole numbers"):
        withheld(np.array([[-1]]), 5)
