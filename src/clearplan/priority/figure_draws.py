"""Draws of uncertain figures: what they add to scores, what of them tasks share, and which tasks no draw tells apart.

The shift of a position is a vector, one for each hazard: all tasks whose position error is that hazard's
(``position_from``) move with it, towards one village and away from the next. A distance moves evenly from low to likely
to high as the shift goes against or along the direction in which it rises (``c_<criterion>_rises``). That is right for
what lies far off; of what lies nearer than the shift it assumes that the task does not pass it. A count is what was
counted at the nearest of the places where the task may lie (``c_<criterion>_elsewhere``); where that is blank, what is
counted may lie elsewhere, too, and the count of each task lies anywhere from low to high.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.core.threads import in_threads
from clearplan.geo.shifts import nearest_place
from clearplan.priority.rank import meaning_of, value_of
from clearplan.priority.rank_draws import Extra
from clearplan.settings.priority import Criterion, PrioritySettings
from clearplan.tables.texts import ids_in

Array = NDArray[Any]
#: From some draws of a block to how far the values of a criterion's uncertain rows move (draws, rows).
Moves = Callable[[slice], Array]
#: From some draws of a block to the parts of the way from likely to low, 0 to -1, and to high, 0 to 1 (draws, rows).
Ways = Callable[[slice], tuple[Array, Array]]

_DRAWS = 8  # of one thread's turn
_PARTS = ("rises", "elsewhere")  # either says what a shift does to a criterion


@dataclass(frozen=True)
class Block:
    """A block of draws, from ``start``, and what tasks share in it, each from -1 to 1.

    zones : a column a zone (draws, zones)
    surface : one for all that comes from the surface (draws, 1)
    east, north : shift of each hazard, in parts of its position error (draws, hazards)
    """

    start: int
    zones: Array
    surface: Array
    east: Array
    north: Array


def figure_draws(
    own: pd.DataFrame, settings: PrioritySettings, criteria: list[Criterion], weights: Array, shares: Array | None
) -> Callable[[int, int], Iterator[Extra]] | None:
    """What uncertain figures add to the scores of a block of draws; blocks must be asked for in order.

    Parameters
    ----------
    own : DataFrame
        Ranked TASKS of one queue.
    weights : array (draws, criteria)
    shares : array (tasks, draws of the surface), optional
        Share of each task's known ground that is contaminated in each draw of the surface [1]; NaN: nobody knows. Draw
        d of the ranks takes draw d of the surface for all tasks and criteria; after the last comes the first again.
        Without it, what comes from the surface lies as far from low to high in one task as in all.

    Returns
    -------
    function or None
        From start and stop to (rows, points added) of each criterion; None where no figure is uncertain.
    """
    asked = settings.robustness
    assert asked is not None
    zones = sorted({zone for c in criteria for ids in _zones_of(own, c) for zone in ids_in(ids)})
    makers = []
    for k, criterion in enumerate(criteria):
        rows, drawn = _uncertain(own, criterion), _of_surface(own, criterion, shares)
        if drawn is not None:
            rows = np.flatnonzero(np.isfinite(drawn).all(axis=1))
        if not len(rows):
            continue
        if drawn is not None:
            makers.append((k, rows, _jointly(own, criterion, rows, drawn)))
        elif _shared(own, criterion) == "hazard" and f"c_{criterion.name}_elsewhere" in own.columns:
            there = _placed(own, criterion)[rows]
            if there.any():
                makers.append((k, rows[there], _counted(own, criterion, rows[there])))
            if not there.all():
                random = np.random.default_rng([asked.seed, 20 + k])
                makers.append((k, rows[~there], _between(own, criterion, rows[~there], _alone(random, (~there).sum()))))
        else:
            random = np.random.default_rng([asked.seed, 20 + k])
            makers.append((k, rows, _between(own, criterion, rows, _ways(own, criterion, rows, zones, random))))
    if not makers:
        return None
    shifting = any(_shared(own, c) == "hazard" for c in criteria)
    hazards = int(_hazard_of(own).max()) + 1 if shifting else 0
    common, shifts = (np.random.default_rng([asked.seed, stream]) for stream in (10, 11))

    def extra(start: int, stop: int) -> Iterator[Extra]:
        by_zone = 2 * common.random((stop - start, len(zones) + 1)) - 1
        block = Block(start, by_zone[:, :-1], by_zone[:, -1:], *shift_draws(shifts, stop - start, hazards))
        for k, rows, moves in makers:
            yield rows, _points(weights[start:stop, k], moves(block), len(rows))

    return extra


def _points(weights: Array, moves: Moves, rows: int) -> Array:
    """Points that a criterion adds in a block (draws, rows) [float32]."""
    points = np.empty((len(weights), rows), dtype=np.float32)

    def some(begin: int) -> None:
        draws = slice(begin, begin + _DRAWS)
        points[draws] = weights[draws, None] * moves(draws)

    in_threads(some, range(0, len(weights), _DRAWS))
    return points


def shift_draws(random: np.random.Generator, draws: int, hazards: int) -> tuple[Array, Array]:
    """East and north part of each hazard's shift, in parts of its position error (draws, hazards) [1, float32].

    A point drawn evenly on a sphere and seen from above: its part in any direction is even between -1 and 1
    (Archimedes), as a figure is that is drawn by itself.

    >>> east, north = shift_draws(np.random.default_rng(1), 100_000, 1)
    >>> slanted = 0.6 * east + 0.8 * north
    >>> [round(float((part < 0.5).mean()), 2) for part in (east, north, slanted)]  # 3/4 of the way from -1 to 1
    [0.75, 0.75, 0.75]
    """
    drawn = random.random((draws, 2, hazards), dtype=np.float32)
    height, turn = 2 * drawn[:, 0] - 1, np.float32(2 * np.pi) * drawn[:, 1]
    reach = np.sqrt(1 - height * height)
    return reach * np.sin(turn), reach * np.cos(turn)


def alike(own: pd.DataFrame, criteria: list[Criterion], shares: Array | None) -> Array:
    """Number of the group of tasks that no draw can tell apart (n); ``shares`` as in :func:`figure_draws`."""
    keys = [own[f"c_{c.name}_value"] for c in criteria]
    alone = np.zeros(len(own), dtype=bool)
    for c in criteria:
        if f"c_{c.name}_low" in own.columns:
            keys += [own[f"c_{c.name}_{part}"] for part in ("raw", "low", "high")] + [_zones_of(own, c)]
            if _shared(own, c) == "task":
                alone[_uncertain(own, c)] = True
            elif _shared(own, c) == "hazard":
                keys += [own[f"c_{c.name}_{part}"] for part in _PARTS if f"c_{c.name}_{part}" in own.columns]
                keys.append(pd.Series(_hazard_of(own), index=own.index))
                if f"c_{c.name}_elsewhere" in own.columns:
                    alone[np.setdiff1d(_uncertain(own, c), np.flatnonzero(_placed(own, c)))] = True
    if shares is not None:
        keys.append(pd.Series([row.tobytes() for row in shares], index=own.index))
        keys += [own["area_m2"]] if any(c.name == "expected_area" for c in criteria) else []
    keys.append(pd.Series(np.where(alone, np.arange(len(own)), -1), index=own.index))
    table = pd.concat(keys, axis=1)
    table.columns = pd.RangeIndex(table.shape[1])
    numbers: Array = table.groupby(list(table.columns), dropna=False, sort=False).ngroup().to_numpy()
    return numbers


def shares_of(own: pd.DataFrame, shares: pd.DataFrame) -> Array:
    """Draws of the surface for some tasks, in their order (tasks, draws) [1, float32].

    Raises
    ------
    TableError
        A task has no row or several, there is no draw, or a share is none.
    """
    ids = own["task_id"]
    lacking = ids[~ids.isin(shares.index)]
    if len(lacking) or not shares.index.is_unique:
        raise TableError(f"shares: {f'task {lacking.iloc[0]} has no row' if len(lacking) else 'a task has two rows'}")
    drawn = shares.loc[ids].to_numpy(np.float32)
    if not shares.shape[1] or ((drawn < 0) | (drawn > 1)).any():
        raise TableError("shares: give a column for each draw of the surface, with shares of ground from 0 to 1")
    return drawn


# --- one criterion


def _shared(own: pd.DataFrame, criterion: Criterion) -> str:
    """What tasks share of a criterion's doubt; where the table says no hazard, or not what a shift does, nothing."""
    shared = meaning_of(own, criterion.name).shared
    said = any(f"c_{criterion.name}_{part}" in own.columns for part in _PARTS)
    return "task" if shared == "hazard" and not (said and "position_from" in own.columns) else shared


def _hazard_of(own: pd.DataFrame) -> Array:
    """Number of the hazard with which each task shifts (n); a task without one shifts by itself."""
    named = own["position_from"]
    alone = named.isna() | (named == "")
    keys = pd.DataFrame({"hazard": named.where(~alone), "alone": np.where(alone, np.arange(len(own)), -1)})
    numbers: Array = keys.groupby(["alone", "hazard"], dropna=False, sort=True).ngroup().to_numpy()
    return numbers


def _zones_of(own: pd.DataFrame, criterion: Criterion) -> pd.Series:
    """Zones from which the doubt of each task comes."""
    column = f"c_{criterion.name}_zones"
    return own[column].fillna("").astype(str) if column in own.columns else pd.Series("", index=own.index)


def _uncertain(own: pd.DataFrame, criterion: Criterion) -> Array:
    """Rows whose figure has a range."""
    if f"c_{criterion.name}_low" not in own.columns:
        return np.array([], dtype=np.int64)
    likely, low, high = (own[f"c_{criterion.name}_{part}"].to_numpy(float) for part in ("raw", "low", "high"))
    return np.flatnonzero(
        ((low < likely) | (high > likely)) & np.isfinite(likely) & np.isfinite(low) & np.isfinite(high)
    )


def _of_surface(own: pd.DataFrame, criterion: Criterion, shares: Array | None) -> Array | None:
    """Figure of a criterion in each draw of the surface (tasks, draws); None: it is not drawn so."""
    if shares is None or criterion.column is not None or _shared(own, criterion) != "surface":
        return None
    if criterion.name != "expected_area":
        return shares
    hectares: Array = own["area_m2"].to_numpy(float)[:, None] / 1e4
    return shares * hectares


def _jointly(own: pd.DataFrame, criterion: Criterion, rows: Array, drawn: Array) -> Callable[[Block], Moves]:
    """How far each draw of the surface moves the value."""
    usual = value_of(own[f"c_{criterion.name}_raw"].to_numpy(float)[rows], criterion)
    moved = np.ascontiguousarray((value_of(drawn[rows], criterion) - usual[:, None]).T, dtype=np.float32)

    def moves(block: Block) -> Moves:
        turn = (block.start + np.arange(len(block.surface))) % len(moved)
        return lambda draws: moved[turn[draws]]

    return moves


def _placed(own: pd.DataFrame, criterion: Criterion) -> Array:
    """Whether a task's own position is all the doubt of its count: else what is counted may lie elsewhere, too (n)."""
    written = own[f"c_{criterion.name}_elsewhere"]
    there: Array = (written.notna() & (written != "")).to_numpy(bool)
    return there


def _counted(own: pd.DataFrame, criterion: Criterion, rows: Array) -> Callable[[Block], Moves]:
    """How far the figure at the place to which its hazard shifts moves the value of each task."""
    figures = np.array(
        [text.split() for text in own[f"c_{criterion.name}_elsewhere"].to_numpy(object)[rows]], dtype=float
    )
    usual = value_of(own[f"c_{criterion.name}_raw"].to_numpy(float)[rows], criterion)
    moved = np.ascontiguousarray((value_of(figures, criterion) - usual[:, None]).T, dtype=np.float32)
    hazard, every = _hazard_of(own)[rows], np.arange(len(rows))

    def moves(block: Block) -> Moves:
        return lambda draws: moved[nearest_place(block.east[draws], block.north[draws])[:, hazard], every]

    return moves


def _between(
    own: pd.DataFrame, criterion: Criterion, rows: Array, ways: Callable[[Block], Ways]
) -> Callable[[Block], Moves]:
    """How far a figure somewhere from low to likely to high moves the value."""
    likely, low, high = (own[f"c_{criterion.name}_{part}"].to_numpy(float)[rows] for part in ("raw", "low", "high"))
    usual = value_of(likely, criterion)

    def moves(block: Block) -> Moves:
        ways_of = ways(block)

        def some(draws: slice) -> Array:
            down, up = ways_of(draws)
            return value_of(likely + down * (likely - low) + up * (high - likely), criterion) - usual

        return some

    return moves


def _ways(
    own: pd.DataFrame, criterion: Criterion, rows: Array, zones: list[str], random: np.random.Generator
) -> Callable[[Block], Ways]:
    """How far down or up the figure lies in each draw, shared as the criterion says."""
    shared = _shared(own, criterion)
    if shared == "zones":
        return _by_zones(_zones_of(own, criterion).iloc[rows], zones)
    if shared == "hazard":
        return _by_shift(_hazard_of(own)[rows], own[f"c_{criterion.name}_rises"].to_numpy(float)[rows])
    if shared == "surface":
        return lambda block: lambda draws: _signed(block.surface[draws])
    return _alone(random, len(rows) if shared == "task" else 1)


def _alone(random: np.random.Generator, size: int) -> Callable[[Block], Ways]:
    """A part of the way drawn for each row by itself, or one for all of them where ``size`` is 1."""

    def alone(block: Block) -> Ways:
        u = 2 * random.random((len(block.surface), size)) - 1
        return lambda draws: _signed(u[draws])

    return alone


def _signed(u: Array) -> tuple[Array, Array]:
    return np.minimum(u, 0), np.maximum(u, 0)


def _by_shift(hazard: Array, rises: Array) -> Callable[[Block], Ways]:
    """The part of a hazard's shift along the direction in which each task's figure rises."""
    turn = np.radians(np.nan_to_num(rises))
    east, north = np.sin(turn).astype(np.float32), np.cos(turn).astype(np.float32)

    def ways(block: Block) -> Ways:
        return lambda draws: _signed(block.east[draws][:, hazard] * east + block.north[draws][:, hazard] * north)

    return ways


def _by_zones(doubted: pd.Series, zones: list[str]) -> Callable[[Block], Ways]:
    """Mean of the downward and upward parts over the zones of each task's doubt."""
    place = {zone: k for k, zone in enumerate(zones)}
    holds = np.zeros((len(zones), len(doubted)))
    for row, ids in enumerate(doubted):
        mine = [place[zone] for zone in ids_in(ids)]
        holds[mine, row] = 1 / max(len(mine), 1)

    def ways(block: Block) -> Ways:
        # Whole, because the rounding of a matrix product depends on its size.
        down, up = (part @ holds for part in _signed(block.zones))
        return lambda draws: (down[draws], up[draws])

    return ways
