"""How often each of many things takes each rank over draws of weights and figures; memory stays bounded.

Ranks are exact. They are kept in bins: each of the first ranks is one of its own, later ones share bins that widen with
the rank, so that the counts of a hundred thousand things in ten thousand draws fit into some 50 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.core.threads import in_threads, multiply

Array = NDArray[Any]
#: Extra score of some rows in some draws: (rows, draws of the block x rows).
Extra = tuple[Array, Array]

_EXACT = 64  # ranks with a bin of their own
_BINS = 250  # most bins, so that a code fits into a byte
_LEVELS = 2**14  # of scores, before the exact order within those levels that an edge cuts
_CUT = 255  # stands for a level that an edge cuts; no bin has this code
_CELLS = 2**23  # scores held at once [float32: 32 MB]
_CODES = 2**27  # codes held at once [bytes]
_DRAWS = 8  # of one thread's turn
_CHUNK = 256  # rows counted at once, whose counts stay in the cache of a core


@dataclass(frozen=True)
class Ranks:
    """Counts of draws: ``counts`` (rows, bins); bin b holds the ranks ``edges[b]`` to ``edges[b + 1] - 1``, from 0."""

    counts: Array
    edges: Array
    draws: int
    #: Mean weights of the draws in which a row is first (rows, criteria); NaN where it never is.
    central: Array
    #: Draws in which the row d + 1 places later in a given order scores more (beside, rows).
    flips: Array

    def share_in_first(self, k: int) -> Array:
        """Share of draws in which each row is among the first k (rows) [1].

        Raises
        ------
        ValueError
            k is no edge of a bin.
        """
        at = np.searchsorted(self.edges, min(k, int(self.edges[-1])))
        if self.edges[at] != min(k, int(self.edges[-1])):
            raise ValueError(f"{k} is no edge of a bin")
        share: Array = self.counts[:, :at].sum(axis=1, dtype=np.int64) / self.draws
        return share

    def interval(self, low: float = 0.05, high: float = 0.95) -> tuple[Array, Array]:
        """Ranks from 1 between which each row lies in all but the stated shares of draws; never narrower than exact."""
        reached = np.cumsum(self.counts, axis=1, dtype=np.int64) / self.draws
        first = (reached > low).argmax(axis=1)
        last = (reached >= high - 1e-12).argmax(axis=1)
        return self.edges[first] + 1, self.edges[last + 1]


def rank_bins(count: int, *wanted: int) -> Array:
    """Edges of the bins for ``count`` rows, from 0; each k ``wanted`` is one.

    >>> rank_bins(5, 2).tolist()
    [0, 1, 2, 3, 4, 5]
    """
    late = np.geomspace(_EXACT, max(count, _EXACT + 1), _BINS - _EXACT - len(wanted))
    edges = np.concatenate([np.arange(_EXACT + 1), np.rint(late), wanted, [count]]).astype(np.int64)
    return np.unique(np.clip(edges, 0, count))


def rank_draws(
    values: Array,
    weights: Array,
    *,
    wanted: Sequence[int] = (),
    extra: Callable[[int, int], Iterable[Extra]] | None = None,
    same: Array | None = None,
    order: Array | None = None,
    beside: int = 0,
    cells: int = _CELLS,
) -> Ranks:
    """Ranks of rows over draws of weights: a row's score is the sum of value x weight, the largest is rank 1.

    Parameters
    ----------
    values : array (rows, criteria)
        Values 0-1; float32 is enough.
    weights : array (draws, criteria)
        One set of weights a draw.
    wanted : ints
        Ranks k for which ``share_in_first`` will be asked.
    extra : function, optional
        For the draws from start to stop, what uncertain figures add to the scores of some rows.
    same : array (rows), optional
        Number of the group of rows that are alike in everything: they share every rank. Without it, rows with the
        same values do.
    order : array (rows), beside : int
        Rows from the first to the last, and how many of the next places each is compared with for ``flips``.
    cells : int
        Scores held at once; moves no number.

    Returns
    -------
    Ranks

    Notes
    -----
    Equal scores of rows that are not alike are kept apart by their order; over weights drawn at random that has
    probability 0. Lahdelma and Salminen 2001 (SMAA-2) for rank acceptability and central weights.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    weights = np.ascontiguousarray(weights, dtype=np.float32)
    count, draws = len(values), len(weights)
    edges = rank_bins(count, *wanted)
    group, times = _groups(values, same)
    first = np.unique(group, return_index=True)[1] if times is not None else slice(None)
    block = max(1, min(draws, cells // max(count, 1)))
    kinds = len(times) if times is not None else count
    counts = np.zeros((kinds, len(edges) - 1), dtype=np.uint16 if draws < 2**16 else np.uint32)
    leading = np.zeros(draws, dtype=np.int64)
    flips = np.zeros((beside, count), dtype=np.int64)
    held = -(-min(draws, max(block, _CODES // max(kinds, 1))) // block) * block  # whole blocks
    codes = np.empty((held if count else 0, kinds), dtype=np.uint8)
    for start in range(0, draws, block) if count else ():
        stop = min(start + block, draws)
        scores = _scores(values, weights[start:stop])
        for rows, added in extra(start, stop) if extra is not None else ():
            scores[:, rows] += added
        if order is not None:
            _flip(scores[:, order], flips)
        scores = np.ascontiguousarray(scores[:, first]) if times is not None else scores
        at = start % held

        def some(begin: int, scores: Array = scores, start: int = start, at: int = at) -> None:
            end = min(begin + _DRAWS, len(scores))
            leading[start + begin : start + end] = scores[begin:end].argmax(axis=1)
            _code(scores[begin:end], edges, times, codes[at + begin : at + end])

        in_threads(some, range(0, stop - start, _DRAWS))
        if stop == draws or stop % held == 0:
            _count(codes[: at + stop - start], counts)
    central = _central(leading, weights, kinds)
    return Ranks(
        counts=counts if times is None else counts[group],
        edges=edges,
        draws=draws,
        central=central if times is None else central[group],
        flips=flips,
    )


def _scores(values: Array, weights: Array) -> Array:
    """The product ``weights @ values.T`` (draws, rows)."""
    scores = np.empty((len(weights), len(values)), dtype=np.float32)

    def some(begin: int) -> None:
        multiply(weights[begin : begin + _DRAWS], values.T, scores[begin : begin + _DRAWS])

    in_threads(some, range(0, len(weights), _DRAWS))
    return scores


def _flip(scores: Array, flips: Array) -> None:
    for k in range(min(len(flips), scores.shape[1] - 1)):
        flips[k, : -(k + 1)] += (scores[:, k + 1 :] > scores[:, : -(k + 1)]).sum(axis=0)


def _groups(values: Array, same: Array | None) -> tuple[Array, Array | None]:
    """Group of each row, and how many rows each group has; None where every row is a group."""
    keys = values if same is None else np.asarray(same)
    if not len(keys):
        return np.zeros(0, dtype=np.int64), None
    _, group, times = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return (group, None) if len(times) == len(keys) else (group.ravel(), times)


def _code(scores: Array, edges: Array, times: Array | None, out: Array) -> None:
    """Bin of each row's rank in each draw (draws, rows)."""
    count = scores.shape[1]
    if count < _LEVELS // 4 or times is not None:
        code_of = np.repeat(np.arange(len(edges) - 1, dtype=np.uint8), np.diff(edges))
        for own, codes in zip(scores, out, strict=True):
            order = np.argsort(-own, kind="stable")
            sizes = np.ones(count, dtype=np.int64) if times is None else times[order]
            codes[order] = code_of[np.cumsum(sizes) - sizes]
        return
    scaled, whole, level = np.empty(count, np.float32), np.empty(count, np.int32), np.empty(count, np.int64)
    for own, codes in zip(scores, out, strict=True):
        low, high = own.min(), own.max()
        if low == high:
            codes[:] = 0
            continue
        if low < 0 or low > high / 2:
            np.subtract(own, low, out=scaled)
            np.multiply(scaled, np.float32((_LEVELS - 1) / (high - low)), out=scaled)
        else:  # The levels below the lowest score stay empty, which costs less than to move all scores.
            np.multiply(own, np.float32((_LEVELS - 1) / high), out=scaled)
        whole[:] = scaled  # to int64 in two steps, which is much faster than in one
        level[:] = whole
        _code_levels(own, level, edges, codes)


def _code_levels(scores: Array, level: Array, edges: Array, out: Array) -> None:
    """Bin of each row's rank in one draw; ``level`` (rows) never falls where the score rises."""
    count = len(scores)
    upto = np.cumsum(np.bincount(level))  # rows in a level or below it
    # An edge e has e rows above it, and count - e below. It cuts the first level that reaches above it, unless the
    # levels below hold exactly these rows.
    below = count - edges[-2:0:-1]
    reaches = np.searchsorted(upto, below, side="right")
    cut = reaches[np.where(reaches > 0, upto[reaches - 1], 0) < below]
    bins = np.arange(len(edges) - 1, dtype=np.uint8)[::-1]
    code_of = np.repeat(bins, np.diff(reaches, prepend=0, append=len(upto)))
    code_of[cut] = _CUT
    np.take(code_of, level, out=out, mode="clip")  # the only mode that writes into out at once; nothing is clipped
    # Only the rows of levels that an edge cuts need their order.
    rows = np.flatnonzero(out == _CUT)
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    own = level[rows]
    fresh = np.flatnonzero(np.r_[True, own[1:] != own[:-1]]) if len(own) else np.array([], dtype=np.intp)
    within = np.arange(len(own)) - np.repeat(fresh, np.diff(np.r_[fresh, len(own)]))
    out[rows] = np.searchsorted(edges, count - upto[own] + within, side="right") - 1


def _count(codes: Array, counts: Array) -> None:
    """Add codes (draws, rows) to the counts (rows, bins), a chunk of rows at a time."""
    bins = counts.shape[1]

    def chunk(start: int) -> None:
        own = codes[:, start : start + _CHUNK]
        place = np.add(own, np.arange(own.shape[1]) * bins, dtype=np.int64)
        found = np.bincount(place.ravel(), minlength=own.shape[1] * bins).reshape(-1, bins)
        counts[start : start + _CHUNK] += found.astype(counts.dtype)

    in_threads(chunk, range(0, codes.shape[1], _CHUNK))


def _central(leading: Array, weights: Array, count: int) -> Array:
    """Mean weights over the draws in which each row is first."""
    times = np.bincount(leading, minlength=count)[:count]
    out = np.full((count, weights.shape[1]), np.nan)
    for k in range(weights.shape[1]):
        total = np.bincount(leading, weights=weights[:, k], minlength=count)[:count]
        np.divide(total, times, out=out[:, k], where=times > 0)
    return out
