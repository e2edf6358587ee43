"""Plans of whole lines: one team on one step of one task in one period, with all that such a line books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearplan.planning.search.blocks import Blocks
from clearplan.planning.search.order import WorkOrder
from clearplan.planning.search.problem import TINY, Problem, step_prices, steps_of, worth

Array = NDArray[Any]
#: (step, team, period) of a line.
Key = tuple[int, int, int]


@dataclass(frozen=True)
class Line:
    """A line of work: its part of the step [1], the team-days that it books, and whether its team comes to the step."""

    part: float
    days: float
    comes: bool


@dataclass(frozen=True)
class Wish:
    """How a plan of parts has a step: its first period, its teams, those with most of it first, and its last period."""

    first: int
    teams: tuple[int, ...]
    last: int


class Book:
    """Lines that are booked, and what is left of days and money; lines can be taken back.

    Parameters
    ----------
    problem : Problem
        Blocks of one task each.
    order : WorkOrder
        Limits on its lines.
    """

    def __init__(self, problem: Problem, order: WorkOrder) -> None:
        self.problem, self.order = problem, order
        self.steps = steps_of(problem)
        self.capacity: list[list[float]] = problem.capacity.tolist()
        self.cost: list[float] = problem.cost.tolist()
        self.of_one: list[list[float]] = order.of_one.tolist()
        self.money = [problem.budget] + [problem.budget_a_period] * problem.periods
        self.lines: dict[Key, Line] = {}
        self.done: dict[int, int] = {}  # block to the period in which it is finished
        self.there: dict[tuple[int, int], float] = {}  # (block, period) to the teams on it
        self._log: list[tuple[Key, Line | None]] = []

    @property
    def parts(self) -> list[tuple[int, int, int, float]]:
        """The lines as a schedule of parts."""
        return [(*key, line.part) for key, line in self.lines.items()]

    def write(self, key: Key, line: Line | None) -> None:
        """Book a line in the place of the one that is there, if any; none takes it back."""
        before = self.lines.pop(key, None)
        self._log.append((key, before))
        if line is not None:
            self.lines[key] = line
        s, team, t = key
        days = (0.0 if line is None else line.days) - (0.0 if before is None else before.days)
        self.capacity[team][t] -= days
        self.money[0] -= days * self.cost[team]
        self.money[t + 1] -= days * self.cost[team]
        place = int(self.problem.block[s]), t
        teams = self._teams(line, team, t) - self._teams(before, team, t)
        self.there[place] = self.there.get(place, 0.0) + teams

    def _teams(self, line: Line | None, team: int, t: int) -> float:
        """How many teams a line takes."""
        return 0.0 if line is None else max(np.ceil(line.days / self.of_one[team][t] - 1e-9), 1.0)

    def mark(self) -> int:
        """Where the book stands, for :meth:`back_to`."""
        return len(self._log)

    def back_to(self, mark: int) -> None:
        """Take back all that was written since."""
        while len(self._log) > mark:
            key, before = self._log.pop()
            self.write(key, before)
            self._log.pop()

    # --- a task after the other

    def fill(self, block: int, wishes: Mapping[int, Wish] | None = None) -> int:
        """Work on a task as early as can be, or as wished; the period after which it is finished, 0: it is, -1: never.

        What can't be finished is left as far as it is.
        """
        periods, wait = self.problem.periods, self.problem.wait
        begin, end = int(self.problem.begin[block]), 0
        allowed = [0.0] * begin + [1.0] * (periods - begin)
        for s in self.steps[block]:
            done = self._fill_step(s, allowed, None if wishes is None else wishes.get(s))
            if done[-1] < 1 - TINY:
                return -1
            end = next(t for t, part in enumerate(done) if part >= 1 - TINY) + 1
            allowed = [0.0] * wait + done[: periods - wait]
        return end

    def _fill_step(self, s: int, allowed: Sequence[float], wish: Wish | None) -> list[float]:
        """Lines on a step, and how far it is at the end of each period."""
        done, part = [0.0] * self.problem.periods, 0.0
        teams = list(self.order.work[s])
        if wish is not None:
            teams = [*wish.teams, *(team for team in teams if team not in wish.teams)]
        for t in range(self.problem.periods):
            room = min(allowed[t], 1.0) - part
            while room > TINY and (wish is None or t >= wish.first):
                offer = self._offer(s, t, room, 1.0 - part, teams)
                if offer is None:
                    break
                self._accept(s, t, *offer)
                part, room = part + offer[1].part, room - offer[1].part
            if part >= 1 - TINY:
                return done[:t] + [1.0] * (self.problem.periods - t)
            done[t] = part
        return done

    def _offer(self, s: int, t: int, room: float, rest: float, teams: Sequence[int]) -> tuple[int, Line] | None:
        """The team that does all there is to do, one that is there already first, else the one that does most."""
        order, work = self.order, self.order.work[s]
        best: tuple[int, Line] | None = None
        for team in teams:
            if (s, team, t) in self.lines:
                continue
            comes = (s, team, t - 1) not in self.lines
            beside = float(order.close_out[s, team]) + (float(order.set_up[s, team]) if comes else 0.0)
            days = self._days(s, team, t)
            part = min(room, (days - beside) / work[team])
            if days < max(order.least, TINY) or part <= TINY:
                continue
            whole = part >= rest - TINY
            if not whole and part * work[team] < order.least + beside:
                continue  # a crumb: it waits until there is more to do
            line = Line(part, max(part * work[team] + beside, order.least), comes)
            if part >= room - TINY and not comes:
                return team, line
            if best is None or part > best[1].part + TINY:
                best = team, line
        return best

    def _days(self, s: int, team: int, t: int) -> float:
        """Team-days that a team may still book on a step in a period."""
        if self.order.closed[s, t]:
            return 0.0
        days = self.capacity[team][t]
        if np.isfinite(self.order.most):
            there = self.there.get((int(self.problem.block[s]), t), 0.0)
            days = min(days, (self.order.most - there) * self.of_one[team][t])
        cost = self.cost[team]
        return min(days, self.money[0] / cost, self.money[t + 1] / cost) if cost > 0 else days

    def _accept(self, s: int, t: int, team: int, line: Line) -> None:
        """Book a line; a team that stays from the period before does not close out there."""
        if not line.comes:
            before = self.lines[s, team, t - 1]
            work = before.part * self.order.work[s][team]
            beside = float(self.order.set_up[s, team]) if before.comes else 0.0
            self.write((s, team, t - 1), replace(before, days=max(work + beside, self.order.least)))
        self.write((s, team, t), line)

    # --- places

    def finish(self, block: int, wishes: Mapping[int, Wish] | None) -> bool:
        """Work on a task, as wished where that is not later than it could be, or on nothing of it."""
        if block in self.done:
            return True
        mark = self.mark()
        steps = self.steps[block]
        wanted = max((wishes[s].last + 1 for s in steps if s in wishes), default=-1) if wishes else -1
        if wanted > 0:
            end = self.fill(block, wishes)
            if 0 <= end <= wanted:
                self.done[block] = end
                return True
            self.back_to(mark)
        end = self.fill(block)
        if end < 0:
            self.back_to(mark)
            return False
        self.done[block] = end
        return True

    def open(self, blocks: Iterable[int], wishes: Mapping[int, Wish] | None = None) -> bool:
        """Work on all tasks that an unlock needs, or on nothing of them."""
        mark, before = self.mark(), dict(self.done)
        for block in blocks:
            if not self.finish(block, wishes):
                self.back_to(mark)
                self.done = before
                return False
        return True

    def fill_rest(self, blocks: Iterable[int], price: Sequence[float]) -> None:
        """What is left of days and money goes to tasks with a reward of their own, the most for its price first."""
        gain = self.problem.reward[:, min(1, self.problem.periods)]
        wanted = [b for b in blocks if b not in self.done and gain[b] > 0 and np.isfinite(price[b])]
        for block in sorted(wanted, key=lambda b: (-gain[b] / max(price[b], TINY), b)):
            self.finish(block, None)


@dataclass(frozen=True)
class Lines:
    """A plan of whole lines, and what it is worth [person-months]."""

    lines: Mapping[Key, Line]
    value: float

    @property
    def parts(self) -> list[tuple[int, int, int, float]]:
        """The lines as a schedule of parts."""
        return [(*key, line.part) for key, line in self.lines.items()]


def worth_of(single: Blocks, book: Book) -> float:
    """What the lines of a book are worth; days that stay in a district count as far as they are work."""
    options = tuple(tuple(work.items()) for work in single.order.work)
    return worth(replace(single.problem, options=options), book.parts)


def in_list(single: Blocks, blocks: Sequence[int]) -> Lines:
    """Lines of tasks worked down a list: each as early as it can be, as far as days and money reach."""
    book = Book(single.problem, single.order)
    for block in blocks:
        book.fill(block)
    return Lines(book.lines, worth_of(single, book))


def in_order(
    single: Blocks, unlocks: Sequence[int], wishes: Mapping[int, Wish] | None = None, *, rest: bool = True
) -> Lines:
    """Lines of unlocks opened whole in an order, what is due first; one that can't be finished is left out.

    With ``rest`` what is left of days and money goes to tasks with a reward of their own.
    """
    problem, book = single.problem, Book(single.problem, single.order)
    for b in sorted(np.flatnonzero(problem.block_due >= 0).tolist(), key=lambda b: problem.block_due[b]):
        book.finish(b, wishes)
    due = sorted(np.flatnonzero(problem.due >= 0).tolist(), key=lambda u: problem.due[u])
    for u in (*due, *unlocks):
        book.open(problem.needs[u], wishes)
    if rest:
        dear = step_prices(problem)
        book.fill_rest(range(len(problem.last)), [sum(dear[s] for s in steps) for steps in book.steps])
    return Lines(book.lines, worth_of(single, book))
