"""Small counts withheld from a table, with what would let them be computed back from its totals.

A count below the threshold could point at a person. Withheld alone, it is the row's total less the others; so others
are withheld with it (complementary suppression). The question whether a withheld cell can be computed back is one of
graphs: rows and columns, totals among them, are nodes, each withheld cell an edge, and a cell can take another value
exactly where a cycle of withheld cells runs through it along which one unit can be moved (Gusfield 1988, "A graph
theoretic approach to statistical data security", SIAM Journal on Computing 17(3)).
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np

from clearplan.core.errors import SettingsError

Array = np.ndarray[Any, Any]


def with_totals(counts: Array) -> Array:
    """Counts with a last column and a last row of totals.

    >>> with_totals(np.array([[1, 2], [3, 4]])).tolist()
    [[1, 2, 3], [3, 4, 7], [4, 6, 10]]
    """
    rows = np.column_stack([counts, counts.sum(axis=1)])
    return np.vstack([rows, rows.sum(axis=0)])


def withheld(counts: Array, below: int) -> Array:
    """Which cells of a table with its totals are withheld (n + 1, m + 1).

    Every count from 1 to ``below`` - 1 is, and so many others that each withheld cell can still take two values at
    least, for a reader who knows all that is shown, that counts are whole numbers, and that no zero is ever withheld.
    Zeros stand: where nobody was hurt there is nobody to protect. Of the others, those are taken that tell least: the
    smallest sum.

    Parameters
    ----------
    counts : (n, m) whole numbers
        Without totals.
    below : int
        Counts below are withheld.

    Raises
    ------
    SettingsError
        The threshold is below 2, or a count is negative or no whole number.

    One small cell in its row and column: with 2 go the 9 beside it, and as many as close the way back to it.

    >>> withheld(np.array([[2, 9], [8, 7]]), 5).astype(int).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    if below < 2:
        raise SettingsError(f"suppress_below {below}: must be at least 2; below that no count is small")
    whole = np.asarray(counts)
    if (whole < 0).any() or (whole != np.floor(whole)).any():
        raise SettingsError("counts to publish must be whole numbers from 0 on; count rows, not shares")
    table = with_totals(whole.astype(np.int64))
    hidden = (table > 0) & (table < below)
    settled = np.zeros_like(hidden)
    while len(open_cells := np.argwhere(hidden & ~settled)):
        row, column = open_cells[0]
        for cell in _cycle(table, hidden, int(row), int(column)):
            hidden[cell] = settled[cell] = True
    return hidden


def _cycle(table: Array, hidden: Array, row: int, column: int) -> list[tuple[int, int]]:
    """Cells, the asked one first, along which one unit can be moved; those newly withheld have the smallest sum.

    The asked cell grows by one. From its row one leaves by a cell that falls, from a column by one that grows; totals,
    which stand on the other side of their sums, the other way round. A cell that falls must not become 0, for zeros are
    shown. There always is a way: over the totals of row and column, which grow with the cell.
    """
    n, m = table.shape
    start, goal = ("row", row), ("column", column)
    best: dict[tuple[str, int], float] = {start: 0.0}
    came: dict[tuple[str, int], tuple[tuple[str, int], tuple[int, int]]] = {}
    queue: list[tuple[float, tuple[str, int]]] = [(0.0, start)]
    while queue:
        cost, node = heapq.heappop(queue)
        if node == goal:
            break
        if cost > best[node]:
            continue
        kind, k = node
        for j in range(m if kind == "row" else n):
            cell = (k, j) if kind == "row" else (j, k)
            if cell == (row, column) or table[cell] == 0:
                continue
            # A total counts with the opposite sign; the grand total with the sign of a cell.
            turned = (cell[0] == n - 1) != (cell[1] == m - 1)
            falls = (kind == "row") != turned
            if falls and table[cell] < 2:
                continue
            onward = ("column" if kind == "row" else "row", j)
            further = cost + (0.0 if hidden[cell] else float(table[cell]))
            if further < best.get(onward, np.inf):
                best[onward], came[onward] = further, (node, cell)
                heapq.heappush(queue, (further, onward))
    cells, node = [(row, column)], goal
    while node != start:
        node, cell = came[node]
        cells.append(cell)
    return cells
