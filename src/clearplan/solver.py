"""Mixed-integer linear programmes by HiGHS: arrays in, best point, bound and gap out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ClearplanError

Array = NDArray[Any]
Progress = Callable[[float, float], None]


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
    time_limit_s: float,
    gap: float,
    seed: int,
    start: Array | None = None,
    relaxed: bool = False,
    corner: bool = False,
    progress: Progress | None = None,
) -> Answer:
    """Solve a programme by HiGHS (https://highs.dev).

    Parameters
    ----------
    programme : Programme
    time_limit_s : float
        [s]
    gap : float
        Stop when the best point is proven to be within this part of the best [1].
    seed : int
        Of HiGHS's own random choices.
    start : array, optional
        A point to begin with.
    relaxed : bool
        Whether wholeness is left out: the bound of the linear programme.
    corner : bool
        Whether the relaxed answer must lie in a corner, where few columns are above 0; it takes longer.
    progress : callable, optional
        Told (gap, seconds) now and then.

    Raises
    ------
    ClearplanError
        HiGHS refuses the programme: a bug of ours.
    """
    import highspy

    with _silent():
        model = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in (("output_flag", False), ("time_limit", float(time_limit_s)), ("mip_rel_gap", float(gap)),
                        ("random_seed", int(seed) % 2**31), ("threads", 2), ("primal_feasibility_tolerance", 1e-9),
                        ("mip_feasibility_tolerance", 1e-9)):  # fmt: skip
        model.setOptionValue(name, value)
    if relaxed and not corner:  # an interior point is enough for a bound and an order, and sooner there
        model.setOptionValue("solver", "ipm")
        model.setOptionValue("run_crossover", "off")
    if model.passModel(_lp(programme, relaxed)) == highspy.HighsStatus.kError:
        raise ClearplanError("HiGHS refuses the programme; run again with --debug and report it")
    if start is not None and not relaxed:
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        model.setSolution(solution)
    if progress is not None:
        _tell(model, progress)
    model.run()
    return _answer(model, relaxed)


@contextmanager
def _silent() -> Iterator[None]:
    """HiGHS prints its name as it is made, before it can be told to be silent: nothing of it reaches the terminal."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _lp(programme: Programme, relaxed: bool) -> Any:
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
    return lp


def _tell(model: Any, progress: Progress) -> None:
    def told(event: Any) -> None:
        out = event.data_out
        progress(float(out.mip_gap), float(out.running_time))

    model.cbMipLogging.subscribe(told)


def _answer(model: Any, relaxed: bool) -> Answer:
    import highspy

    info, status = model.getInfo(), model.getModelStatus()
    words = model.modelStatusToString(status)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    point = np.array(model.getSolution().col_value) if found else None
    objective = float(info.objective_function_value) if found else float("-inf")
    bound = objective if relaxed else float(info.mip_dual_bound)
    return Answer(point, objective, bound, words)
