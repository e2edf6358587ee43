"""What a search may spend: counted work, so that the same plan is found under any load; and a stop by the clock.

Iterations, rounds, moves and pieces are counted at fixed prices, in units that are each about a second of one quiet
core of 2026. The clock is read here alone, for a stop far beyond the counted work; where it strikes, every output says
so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from clearplan.core.reason import Reason
from clearplan.settings.planning import PlanningSettings

#: Work of an iteration of the simplex or of the interior point method, and for each entry of the programme [units].
_SIMPLEX, _SIMPLEX_ENTRY = 2e-4, 4e-9
_INTERIOR, _INTERIOR_ENTRY = 1e-4, 5e-7
#: Work of a round of cuts at the root of a search tree, or of a node, and for each entry; of the root's relaxation.
_ROUND, _ROUND_ENTRY, _ROOT_ENTRY = 0.03, 1e-5, 1e-4
#: Work of a move of an order, for each column of the programme; and of taking a piece out of a schedule [units].
_MOVE_COLUMN, PIECE = 5e-8, 1e-2


class Clock:
    """The stop by the clock: once it has struck, another run may find another plan.

    Parameters
    ----------
    seconds : float
        From now on [s].
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.struck = seconds, False
        self._end = time.monotonic() + seconds

    def left_s(self) -> float:
        """Time until it strikes [s]."""
        left = self._end - time.monotonic()
        self.struck = self.struck or left <= 0
        return max(left, 0.0)

    def notes(self) -> tuple[Reason, ...]:
        """What a reader must know where it has struck."""
        return (Reason("plan.clock", seconds=self.seconds),) if self.struck else ()


@dataclass
class Allowance:
    """Work that a search may do, and has done [units]."""

    limit: float
    clock: Clock = field(repr=False)
    spent: float = 0.0

    def left(self, share: float = 1.0) -> float:
        """What is left of a share of the limit [units]; nothing once the clock has struck.

        >>> allowance = Allowance(10.0, Clock(86_400))
        >>> allowance.spend(4.0)
        >>> allowance.left(), allowance.left(0.5), allowance.left(0.3)
        (6.0, 1.0, 0.0)
        """
        return max(0.0, share * self.limit - self.spent) if self.clock.left_s() > 0 else 0.0

    def spend(self, work: float) -> None:
        """Count work that is done [units]."""
        self.spent += work


def allowance_of(settings: PlanningSettings, *, clock: Clock | None = None, share: float = 1.0) -> Allowance:
    """A share of the counted work of the settings, with their stop by the clock unless one runs already."""
    return Allowance(share * settings.search_work, clock or Clock(settings.stop_after_s))


def simplex_work(iterations: int, entries: int) -> float:
    """Work of iterations of the simplex on a programme of so many entries [units]."""
    return iterations * (_SIMPLEX + _SIMPLEX_ENTRY * entries)


def interior_work(iterations: int, entries: int) -> float:
    """Work of iterations of the interior point method on a programme of so many entries [units]."""
    return iterations * (_INTERIOR + _INTERIOR_ENTRY * entries)


def interior_iterations(work: float, entries: int) -> int:
    """Iterations of the interior point method that work is enough for, one at least."""
    return max(1, int(min(work / interior_work(1, entries), 1e6)))


def rounds(work: float, entries: int) -> int:
    """Rounds of cuts and nodes of a search tree that work is enough for; 0: not even for the root's relaxation."""
    beyond = work - _ROOT_ENTRY * entries
    return 1 + int(min(beyond / (_ROUND + _ROUND_ENTRY * entries), 1e9)) if beyond > 0 else 0


def move_work(columns: int) -> float:
    """Work of a move of an order in a plan whose programme has so many columns [units]."""
    return _MOVE_COLUMN * columns
