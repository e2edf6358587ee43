"""What a line of work books beside the work itself, and what a step of like tasks takes at the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.calendar import team_days
from clearplan.planning.case import PlanningCase

Array = NDArray[Any]


@dataclass(frozen=True)
class WorkOrder:
    """Limits on lines of work: one team on one step of one task in one period.

    ``least``: least deployment [team-days]; ``set_up``, ``close_out`` (steps, teams): booked when a team comes and when
    it leaves, with its way to the farthest task of the step [team-days]; ``work``: for each step, team to the days of
    the work alone [team-days]; ``most``: teams that may be on one task in a period, infinite where there is no limit;
    ``of_one`` (teams, periods): days of one team; ``closed`` (steps, periods): whether nobody works at its place.
    """

    least: float
    set_up: Array
    close_out: Array
    work: tuple[dict[int, float], ...]
    most: float
    of_one: Array
    closed: Array

    @property
    def limits_lines(self) -> bool:
        """Whether there is any such limit; if not, work is fluid."""
        return bool(self.least > 0 or self.set_up.any() or self.close_out.any() or np.isfinite(self.most))


def work_order(
    case: PlanningCase, beside: Sequence[Array], work: Sequence[dict[int, float]], closed: Array
) -> WorkOrder:
    """Limits of a case on lines of work on its steps; ``beside``: for each, days to set up and close out (2, teams).

    ``closed`` (steps, periods): whether nobody works at the place of each.
    """
    settings, both = case.settings, np.array(beside, dtype=float).reshape(-1, 2, len(case.teams))
    return WorkOrder(
        least=settings.min_team_days,
        set_up=both[:, 0],
        close_out=both[:, 1],
        work=tuple(work),
        most=np.inf if settings.teams_on_site is None else float(settings.teams_on_site),
        of_one=team_days(case.teams.assign(number=1), settings),
        closed=closed,
    )


def beside_work(work: Array, set_up: float | Array, close_out: float | Array, least: float) -> tuple[float, float]:
    """Team-days that a step of like tasks takes at the least beside its work: when teams come, and when they leave.

    A part of the step takes no less than that part of both, however lines of work cut it: each task is set up and
    closed once, and one that takes less than the least deployment is filled up to it. Where tasks differ in size, the
    one that takes least for its work stands for all. So no plan of lines is dearer here than it is, and a bound holds.

    Parameters
    ----------
    work : array (tasks)
        Work of a team on the step of each task [team-days].
    set_up, close_out : float or array (tasks)
        With the way to the task and back [team-days].
    least : float
        [team-days].

    >>> beside_work(np.array([10.0, 10.0]), 1.0, 0.5, 2.0)
    (2.0, 1.0)
    >>> beside_work(np.array([10.0, 5.0]), 1.0, 0.5, 2.0) # as 1.5 days for each 10
    (1.5, 0.75)
    >>> beside_work(np.array([0.2, 0.2]), 1.0, 0.5, 2.0) # each is filled up by 0.3
    (2.6, 1.0)
    """
    real = work > 0
    there, set_up, close_out = (np.broadcast_to(days, work.shape)[real] for days in (work, set_up, close_out))
    if not len(there):
        return 0.0, 0.0
    comes = set_up + np.maximum(least - there - set_up - close_out, 0.0)
    whole = float(there.sum())
    return whole * float((comes / there).min()), whole * float((close_out / there).min())


def most_carried(order: WorkOrder, before: Array, teams: int) -> Array:
    """Most days that a team has booked ahead, and still owes, for each of its days in two periods side by side [1].

    A team that goes on with a step from one period into the next has booked at most one set-up of which it has used
    nothing, and owes at most one close-out. It takes the least deployment in both periods, so there are no more such
    steps than the days hold of it. Without a least deployment there is no such limit. What fills a short task up to
    the least deployment is never carried: in two periods the task takes it twice.

    Parameters
    ----------
    order : WorkOrder
    before : array (steps)
        The step before each on the same block, -1 for the first: see :func:`problem.stored`.
    teams : int
        Number of rows of TEAMS.

    Returns
    -------
    array (2, teams)
        As teams come, and as they leave.
    """
    most = np.zeros((2, teams))
    come = np.where(before[:, None] >= 0, order.set_up, 0.0)
    leave = np.where(np.isin(np.arange(len(before)), before)[:, None], order.close_out, 0.0)
    for work, *beside in zip(order.work, come, leave, strict=True):
        able = list(work)
        most[:, able] = np.maximum(most[:, able], np.array(beside)[:, able])
    return np.where(most > 0, most / order.least, 0.0) if order.least > 0 else np.where(most > 0, np.inf, 0.0)


def finished_ahead(work: Array, close_out: float) -> float:
    """The most of a step that lines of work have finished when parts of it that use the same days have less [1].

    Parts book all that a line does beside its work from the first; lines book the close-out at their end.

    Parameters
    ----------
    work : array (tasks)
        Work of the fastest team on the step of each task [team-days].
    close_out : float
        [team-days].

    >>> finished_ahead(np.array([9.5, 1.5]), 0.5)
    0.25
    """
    there = work[work > 0]
    return close_out / (float(there.min()) + close_out) if len(there) and close_out > 0 else 0.0
