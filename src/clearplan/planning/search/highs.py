"""Mixed-integer linear programmes by HiGHS: arrays in, best point, bound and gap out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clearplan.core.errors import ClearplanError
from clearplan.planning.search.allowance import (
    Allowance,
    Clock,
    interior_iterations,
    interior_work,
    rounds,
    simplex_work,
)

if TYPE_CHECKING:
    import highspy

Array = NDArray[Any]
Progress = Callable[[float], None]


@dataclass(frozen=True)
class Programme:
    """Maximise gain @ x where low <= A x <= high and 0 <= x <= upper; A is given by its entries.

    ``gain``, ``upper``, ``whole`` (columns): objective, upper bound, whether it must be whole;
    ``row``, ``column``, ``entry``: the entries of A; ``low``, ``high`` (rows).
    """

    gain: Array
    upper: Array
    whole: Array
    row: Array
    column: Array
    entry: Array
    low: Array
    high: Array


@dataclass(frozen=True)
class Answer:
    """Best point found (None: there is none), its objective, a proven bound on it, and what HiGHS says."""

    point: Array | None
    objective: float
    bound: float
    status: str

    @property
    def gap(self) -> float:
        """How far the point may be from the best, as a part of the bound [1]."""
        if self.point is None:
            return float("inf")
        return max(0.0, (self.bound - self.objective) / max(abs(self.bound), 1e-9))


def solve(
    programme: Programme,
    *,
    allowance: Allowance,
    gap: float,
    seed: int,
    share: float = 1.0,
    start: Array | None = None,
    nodes: int | None = None,
    progress: Progress | None = None,
) -> Answer:
    """Solve a programme by HiGHS (https://highs.dev).

    Parameters
    ----------
    programme : Programme
    allowance : Allowance
        Ends the search by counted work, and is charged with it.
    gap : float
        Stop when the best point is proven to be within this part of the best [1].
    seed : int
        Of HiGHS's own random choices.
    share : float
        Part of the allowance that may be spent, what was spent before included [1].
    start : array, optional
        A point to begin with.
    nodes : int, optional
        Look at no more nodes of the search tree than this.
    progress : callable, optional
        Called with the gap now and then.

    Raises
    ------
    ClearplanError
        HiGHS refuses the programme: a bug of ours.
    """
    import highspy

    entries = len(programme.entry)
    model = _model(allowance.clock, gap, seed)
    if nodes is not None:
        model.setOptionValue("mip_max_nodes", nodes)
    _pass(model, programme, relaxed=False)
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        model.setSolution(solution)
    _subscribe(model, max(rounds(allowance.left(share), entries), 1), progress)
    model.run()
    point, objective = _point(model)
    info = model.getInfo()
    allowance.spend(simplex_work(max(info.simplex_iteration_count, 0), entries))
    allowance.clock.left_s()  # a stop by the clock is noticed
    return Answer(point, objective, float(info.mip_dual_bound), _status(model))


def relax(
    programme: Programme, *, allowance: Allowance | None = None, share: float = 1.0, seed: int = 0, corner: bool = False
) -> Answer:
    """Solve a programme without asking that anything be whole: its linear relaxation, whose bound holds for both.

    Parameters
    ----------
    programme : Programme
    allowance : Allowance, optional
        Ends the iterations by counted work, and is charged with it; without it they run to their end.
    share : float
        Part of the allowance that may be spent [1].
    seed : int
        Of HiGHS's own random choices.
    corner : bool
        Whether the answer must lie in a corner, where few columns are above 0; it takes longer.

    Raises
    ------
    ClearplanError
        HiGHS refuses the programme: a bug of ours.
    """
    entries = len(programme.entry)
    model = _model(None if allowance is None else allowance.clock, 0.0, seed)
    if allowance is not None:
        model.setOptionValue("ipm_iteration_limit", interior_iterations(allowance.left(share), entries))
    if not corner:  # an interior point is enough for a bound and an order, and sooner there
        model.setOptionValue("solver", "ipm")
        model.setOptionValue("run_crossover", "off")
    _pass(model, programme, relaxed=True)
    model.run()
    if allowance is not None:
        allowance.spend(interior_work(max(model.getInfo().ipm_iteration_count, 0), entries))
    point, objective = _point(model)
    duals = np.zeros(len(programme.low))
    row_duals = np.array(model.getSolution().row_dual)
    if len(row_duals) == len(duals):
        duals = np.nan_to_num(row_duals, nan=0.0, posinf=0.0, neginf=0.0)
    # An interior point without its corner is optimal only nearly: its duals prove a bound, its objective does not.
    bound = min(proven_bound(programme, y) for y in (duals, np.zeros(len(duals))))
    return Answer(point, objective, bound, _status(model))


def proven_bound(programme: Programme, duals: Array) -> float:
    """No point of the programme is worth more than this, whatever the duals are: weak duality.

    For any y, gain @ x = (gain - A'y) @ x + y @ Ax. With 0 <= x <= upper the first is at most the sum of
    max(0, gain - A'y) * upper, and with low <= Ax <= high the second at most that of y * high where y > 0 and y * low
    where y < 0; a y against an infinite limit is taken as 0 (Vanderbei, Linear Programming, section 5.3). So nothing
    hangs on how exactly a solver has solved; the duals of the best point give the best bound.

    Parameters
    ----------
    programme : Programme
    duals : array (rows)

    Examples
    --------
    Maximise 3x + 2y where x + y <= 4, x + 3y <= 6, x <= 3 and y <= 3. The best is x = 3, y = 1, worth 11. With 2 for
    the first row and 0 for the second: (3 - 2) * 3 + 2 * 4 = 11. With nothing for both: 3 * 3 + 2 * 3 = 15.

    >>> programme = Programme(
    ...     gain=np.array([3.0, 2.0]), upper=np.array([3.0, 3.0]), whole=np.array([False, False]),
    ...     row=np.array([0, 0, 1, 1]), column=np.array([0, 1, 0, 1]), entry=np.array([1.0, 1.0, 1.0, 3.0]),
    ...     low=np.full(2, -np.inf), high=np.array([4.0, 6.0]),
    ... )
    >>> [round(proven_bound(programme, np.array(y)), 6) for y in ([2.0, 0.0], [0.0, 0.0], [-1.0, 0.0])]
    [11.0, 15.0, 15.0]
    """
    y = np.where(np.isfinite(duals), duals, 0.0)
    limit = np.where(y > 0, programme.high, programme.low)
    y = np.where(np.isfinite(limit), y, 0.0)
    spent = np.bincount(programme.column, weights=programme.entry * y[programme.row], minlength=len(programme.gain))
    rest = np.maximum(programme.gain - spent, 0.0)
    used = rest > 0
    terms = np.concatenate([rest[used] * programme.upper[used], y[y != 0] * limit[y != 0]])
    return float(terms.sum() + 1e-12 * np.abs(terms).sum())


@contextmanager
def _silent() -> Iterator[None]:
    """HiGHS prints its name as it is made, before it can be silenced: nothing of it reaches the terminal."""
    sys.stdout.flush()
    terminal = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)


def _model(clock: Clock | None, gap: float, seed: int) -> highspy.Highs:
    import highspy

    with _silent():
        model = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "time_limit": float("inf") if clock is None else max(clock.left_s(), 0.1),
        "mip_rel_gap": float(gap),
        "random_seed": int(seed) % 2**31,
        "threads": 1,  # the order of work must not hang on the load
        "parallel": "off",
        "primal_feasibility_tolerance": 1e-9,
        "mip_feasibility_tolerance": 1e-9,
    }
    for name, value in options.items():
        model.setOptionValue(name, value)
    return model


def _pass(model: highspy.Highs, programme: Programme, *, relaxed: bool) -> None:
    """Hand the programme to HiGHS."""
    import highspy

    rows, columns = len(programme.low), len(programme.gain)
    order = np.lexsort((programme.row, programme.column))
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = columns, rows
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = programme.gain, np.zeros(columns), programme.upper
    lp.row_lower_, lp.row_upper_ = programme.low, programme.high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = np.searchsorted(programme.column[order], np.arange(columns + 1)).astype(np.int32)
    lp.a_matrix_.index_ = programme.row[order].astype(np.int32)
    lp.a_matrix_.value_ = programme.entry[order].astype(float)
    if not relaxed and programme.whole.any():
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[int(whole)] for whole in programme.whole]
    if model.passModel(lp) == highspy.HighsStatus.kError:
        raise ClearplanError("HiGHS refuses the programme; run again with --debug and report it")


def _subscribe(model: highspy.Highs, most: int, progress: Progress | None) -> None:
    """End after so many rounds of cuts and nodes: HiGHS asks after each, wherever the clock stands."""
    rounds_done = 0

    def on_round(event: highspy.HighsCallbackEvent) -> None:
        nonlocal rounds_done
        rounds_done += 1
        event.interrupt(rounds_done >= most)
        if progress is not None:
            progress(float(event.data_out.mip_gap))

    model.cbMipInterrupt.subscribe(on_round)


def _point(model: highspy.Highs) -> tuple[Array | None, float]:
    """The best point and its objective; none where HiGHS has found no point that holds all limits."""
    import highspy

    info = model.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None, float("-inf")
    return np.array(model.getSolution().col_value), float(info.objective_function_value)


def _status(model: highspy.Highs) -> str:
    return str(model.modelStatusToString(model.getModelStatus()))
