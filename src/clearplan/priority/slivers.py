"""Pieces too small to be worked alone, and the pieces that they join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.geo.blocking import reaching, sets_of
from clearplan.geo.shapes import Geometries
from clearplan.settings.tasks import TaskSettings

#: Borders closer than this belong together [m]; overlay noise is a million times smaller.
_TOUCH_M = 1e-3
#: For each level of grounds (homes, corridors, influences) the numbers of those in which a piece lies.
Grounds = tuple[frozenset[int], ...]


def join_slivers(
    pieces: pd.DataFrame, hazards: Geometries, settings: TaskSettings, largest_m2: float
) -> tuple[NDArray[np.int_], NDArray[np.bool_]]:
    """The group that each piece belongs to once small ones have joined others, and which groups stayed small.

    A piece below ``min_task_m2`` joins one of the same district within ``join_within_m`` where the two stay within the
    largest size: the one by which the least ground blocks more than it did (what a sliver blocks, the whole task
    blocks), then one that blocks the same, then one of the same hazard, then along the longest border, then the
    nearest. The smallest piece chooses first; a group that is still small chooses again.

    Parameters
    ----------
    pieces : DataFrame
        Pieces of one land class: ``geometry``, ``district_no``, ``grounds`` (what each blocks and is influenced by).
    hazards : array of geometry
        Areas of that class.
    settings : TaskSettings
        Smallest size [m2], reach [m].
    largest_m2 : float
        Largest size of a task [m2].

    Returns
    -------
    group of each piece (a number of one of its pieces), whether its group is still small : arrays, n
    """
    shape = pieces["geometry"].to_numpy(object)
    area = shapely.area(shape)
    slivers = np.flatnonzero(area < settings.min_task_m2)
    # Ties are decided by place, so that the order of rows decides nothing.
    x, y = np.round(shapely.bounds(shape)[:, :2], 3).T
    place = np.empty(len(shape), dtype=int)
    place[np.lexsort((x, y))] = np.arange(len(shape))
    near = _neighbours(pieces, slivers, hazards, settings.join_within_m)
    near["place"] = place[near["other"].to_numpy()]
    groups = _Groups(area, pieces["grounds"].tolist(), near)
    for sliver in slivers[np.lexsort((place[slivers], area[slivers]))].tolist():
        groups.join(sliver, settings.min_task_m2, largest_m2)
    return groups.of, groups.area[groups.of] < settings.min_task_m2


def _neighbours(pieces: pd.DataFrame, slivers: NDArray[np.int_], hazards: Geometries, within_m: float) -> pd.DataFrame:
    """Pairs of a sliver and another piece of its district within reach: common hazard, border [m], distance [m]."""
    shape = pieces["geometry"].to_numpy(object)
    i, j = shapely.STRtree(shape).query(shape[slivers], predicate="dwithin", distance=max(within_m, _TOUCH_M))
    i = slivers[i]
    district = pieces["district_no"].to_numpy()
    pairs = (i != j) & (district[i] == district[j])
    i, j = i[pairs], j[pairs]
    distance = shapely.distance(shape[i], shape[j])
    border = np.zeros(len(i))
    touch = np.flatnonzero(distance <= _TOUCH_M)
    halo = shapely.buffer(shape[i[touch]], _TOUCH_M)
    border[touch] = shapely.length(shapely.intersection(shapely.boundary(shape[j[touch]]), halo))
    # Borders that meet in a point are a few halos long; a millimetre decides nothing between two neighbours.
    table = pd.DataFrame({"sliver": i, "other": j, "border": np.round(border, 2), "distance": np.round(distance, 2)})
    return table.assign(same_hazard=_common_hazard(shape, hazards, i, j))


def _common_hazard(
    shape: Geometries, hazards: Geometries, i: NDArray[np.int_], j: NDArray[np.int_]
) -> NDArray[np.bool_]:
    """Whether two pieces have a hazard in common, pair by pair."""
    asked = np.unique(np.concatenate([i, j]))
    at, hazard = reaching(shape[asked], hazards)
    of = dict(zip(asked.tolist(), sets_of(at, hazard, len(asked)), strict=True))
    return np.array([not of[a].isdisjoint(of[b]) for a, b in zip(i.tolist(), j.tolist(), strict=True)], dtype=bool)


class _Groups:
    """Pieces that have joined: the group of each, and of each group its area [m2], grounds and pieces."""

    def __init__(self, area: NDArray[np.float64], grounds: Sequence[Grounds], near: pd.DataFrame) -> None:
        self.of = np.arange(len(area))
        self.area = area.copy()
        self.grounds = list(grounds)
        self.pieces = [[k] for k in range(len(area))]
        self.near: dict[int, list[Any]] = {}
        for sliver, row in zip(near["sliver"].tolist(), near.itertuples(index=False), strict=True):
            self.near.setdefault(sliver, []).append(row)

    def join(self, sliver: int, least_m2: float, largest_m2: float) -> None:
        """Join the group of a sliver to the best one within reach; it stays where it is large enough, or alone."""
        small = int(self.of[sliver])
        if self.area[small] >= least_m2:
            return
        rows = [row for piece in self.pieces[small] for row in self.near.get(piece, ())]
        best = max((row for row in rows if self._fits(small, row, largest_m2)), key=self._merit(small), default=None)
        if best is None:
            return
        other = int(self.of[best.other])
        self.of[self.pieces[small]] = other
        self.area[other] += self.area[small]
        self.pieces[other] += self.pieces[small]
        self.grounds[other] = united((self.grounds[small], self.grounds[other]))

    def _fits(self, small: int, row: Any, largest_m2: float) -> bool:
        other = int(self.of[row.other])
        return other != small and bool(self.area[other] + self.area[small] <= largest_m2)

    def _merit(self, small: int) -> Callable[[Any], tuple[Any, ...]]:
        """How good it is to join one: least ground that blocks more than before, then as :func:`join_slivers` says."""
        grounds = self.grounds[small]

        def merit(row: Any) -> tuple[Any, ...]:
            other = int(self.of[row.other])
            more = 0.0 if _holds(self.grounds[other], grounds) else float(self.area[other])
            same = [one == another for one, another in zip(grounds, self.grounds[other], strict=True)]
            return -more, same, row.same_hazard, row.border, -row.distance, -row.place

        return merit


def _holds(other: Grounds, small: Grounds) -> bool:
    """Whether a group blocks all that the small one blocks; the last level, influence, blocks nothing."""
    return all(one <= another for one, another in zip(small[:-1], other[:-1], strict=True))


def united(grounds: Iterable[Grounds]) -> Grounds:
    """The grounds in which any of several pieces lies, level by level.

    >>> united([(frozenset({1}), frozenset()), (frozenset({2}), frozenset({7}))]) == ({1, 2}, {7})
    True
    """
    return tuple(frozenset().union(*level) for level in zip(*grounds, strict=True))
