"""Worlds small enough for brute force, with place surveys, handovers, and gates that end."""

import itertools
from dataclasses import dataclass, replace

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.planning.case import PlanningCase
from tests.worlds import CHA, blockers, settings, teams

#: A kind of ordnance with a method of its own.
AV = CHA | {"ordnance": ["AV"]}
SURVEY = {"steps": [{"name": "survey", "kinds": ["NTS"]}]}


def handed_over(case, general, of_av=None):
    """The case with months of handover of clearance and place surveys, and of clearance of anti-vehicle mines."""
    methods = [AV | {"handover_months": general if of_av is None else of_av}, CHA | {"handover_months": general}]
    changes = {"methods": methods}
    if case.settings.place_survey is not None:
        changes["place_survey"] = SURVEY | {"handover_months": general}
    return replace(case, settings=settings(**case.settings.model_dump() | changes))


@dataclass(frozen=True)
class Tiny:
    """A world small enough for brute force: its case, and what brute force needs of it apart from the planner."""

    case: PlanningCase
    effort: dict[str, float]  # team-days of each task and place survey
    crew: dict[str, str]  # which of the teams does it
    handover: dict[str, int]  # of its method [months]
    days: dict[str, float]  # of each team in each period
    ends: dict[str, pd.Timestamp]  # last day of the gate of a piece or zone, NaT: nobody stated one

    def value(self) -> float:
        """Best person-months of all choices."""
        return self.best()[1]

    def best(self, within: int = 0, weights: dict[str, float] | None = None) -> tuple[int, float]:
        """Most zones that open within so many periods, and the most person-months among such choices.

        Every choice of a period, or none, in which each zone is finished. Work is fluid and of one step, so a choice is
        possible if for each team and each run of periods what may be worked on in these alone fits into its days in
        them. ``weights``: how often people of a zone count; else once.
        """
        periods, best = self.case.settings.periods, (0, 0.0)
        waits = {zone: rows["task_id"].tolist() for zone, rows in self.case.blockers.groupby("zone_id", sort=False)}
        zones, people = self.case.zones["zone_id"].tolist(), self.case.zones["people"].tolist()
        in_time = self.case.settings.counted_months - within * self.case.settings.period_months
        for ends in itertools.product(range(periods + 1), repeat=len(zones)):
            due: dict[str, int] = {}
            worth, soon = 0.0, 0
            for zone, number, end in zip(zones, people, ends, strict=True):
                pieces = waits.get(zone, [])
                if end < periods:
                    due |= {piece: min(end, due.get(piece, end)) for piece in pieces}
                    months = self.months(zone, end + 1 if pieces else 0, pieces)
                    worth += number * months * (weights or {}).get(zone, 1.0)
                    soon += within > 0 and months >= in_time
            if (soon, worth) > best and self.possible(due):
                best = (soon, worth)
        return best

    def months(self, zone: str, finished: int, pieces: list[str]) -> float:
        """Months that count of a zone whose work is finished after a period; its gate may put it off."""
        handover, plan = max((self.handover[piece] for piece in pieces), default=0), self.case.settings
        for period in range(finished, plan.periods + 1):
            after_start = period * plan.period_months + handover
            edge = pd.Timestamp(plan.start) + pd.DateOffset(months=after_start)
            opens = edge - pd.Timedelta(days=int(after_start > 0))
            if zone not in self.ends or opens > self.ends[zone]:
                return max(plan.counted_months - after_start, 0)
        return 0

    def first(self, piece: str) -> int:
        """Period, from 0, in which work on a piece may begin; one beyond the last where its gate never ends in time."""
        plan = self.case.settings
        begins = [pd.Timestamp(plan.start) + pd.DateOffset(months=k * plan.period_months) for k in range(plan.periods)]
        if piece not in self.ends:
            return 0
        return next((k for k, day in enumerate(begins) if day > self.ends[piece]), plan.periods)

    def possible(self, due: dict[str, int]) -> bool:
        periods = self.case.settings.periods
        if any(self.first(one) > end for one, end in due.items()):
            return False
        for team, a in itertools.product(self.days, range(periods)):
            held = {one: end for one, end in due.items() if self.crew[one] == team and self.first(one) >= a}
            for b in range(a, periods):
                work = sum(self.effort[one] for one, end in held.items() if end <= b)
                if work > self.days[team] * (b - a + 1) + 1e-9:
                    return False
        return True


def tiny(rng, tasks=6, zones=3, *, gated=False):
    """A random world: place surveys by team N for most zones, clearance by team A, handovers, and maybe gates."""
    names, places = [f"T{k}" for k in range(tasks)], [f"Z{k}" for k in range(zones)]
    effort = {name: float(rng.integers(1, 9)) for name in names}
    ordnance = dict(zip(names, rng.choice(["AP", "AV"], tasks).tolist(), strict=True))
    rows, surveys = [], []
    for zone in places:
        held = rng.choice(tasks, int(rng.integers(0, 4)), replace=False)
        rows += [(zone, names[k], "home", "yes") for k in sorted(held.tolist())]
        if rng.random() < 0.7:
            surveys.append(zone)
            effort[f"survey:{zone}"] = float(rng.integers(1, 5))
            rows.append((zone, f"survey:{zone}", "survey", "yes"))
    months = {"AP": int(rng.integers(0, 4)), "AV": int(rng.integers(0, 4)), "survey": int(rng.integers(0, 3))}
    days = {"A": float(rng.integers(2, 9)), "N": float(rng.integers(1, 4))}
    length = int(rng.integers(1, 3))
    asked = settings(
        periods=3, period_months=length, counted_months=3 * length + int(rng.integers(1, 5)), working_days_a_month=1,
        methods=[AV | {"handover_months": months["AV"]}, CHA | {"handover_months": months["AP"]}],
        place_survey=SURVEY | {"handover_months": months["survey"]},
    )  # fmt: skip
    ends = gates(rng, names, places, asked) if gated else {}
    ends |= {f"survey:{zone}": ends[zone] for zone in surveys if zone in ends}
    case = PlanningCase(
        tasks=pd.DataFrame({"task_id": names, "land_class": "CHA", "district": "D", "ordnance": list(ordnance.values()),
                            "area_m2": [effort[name] for name in names], **columns(names, ends)}),
        zones=pd.DataFrame({"zone_id": places, "people": rng.integers(1, 50, zones).astype(float), "deferred": None}),
        teams=teams({"number": days["A"] / length, "team_id": "A"},
                    {"team_id": "N", "kind": "NTS", "number": days["N"] / length}),
        blockers=blockers(rows),
        settings=asked,
        surveys=pd.DataFrame({"survey_id": [f"survey:{zone}" for zone in surveys], "zone_id": surveys, "district": None,
                              "area_m2": [effort[f"survey:{zone}"] for zone in surveys], "deferred": None,
                              **columns([f"survey:{zone}" for zone in surveys], ends)}),
        gates_of_zones={zone: (GATE, None if pd.isna(ends[zone]) else ends[zone].date())
                        for zone in places if zone in ends},
    )  # fmt: skip
    pieces = list(effort)
    return Tiny(
        case,
        effort,
        crew={piece: "A" if piece in ordnance else "N" for piece in pieces},
        handover={piece: months[ordnance.get(piece, "survey")] for piece in pieces},
        days=days,
        ends=ends,
    )


GATE = Reason("task.gated", gates=["a gate"])


def gates(rng, names, places, asked):
    """Last days of gates of a third of the tasks and places, one in five without a day."""
    held = [name for name in (*names, *places) if rng.random() < 1 / 3]
    days = rng.integers(0, 31 * asked.periods * asked.period_months, len(held)).tolist()
    ends = [pd.NaT if rng.random() < 0.2 else pd.Timestamp(asked.start) + pd.Timedelta(days=day) for day in days]
    return dict(zip(held, ends, strict=True))


def columns(names, ends):
    """Columns of gates, as ranking and surveys of places have them."""
    days = [ends.get(name, pd.NaT) for name in names]
    return {
        "gates": [GATE if name in ends else None for name in names],
        "gates_end_on": pd.to_datetime(pd.Series(days)),
    }
