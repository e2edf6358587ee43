"""Made-up plans of any size: frames as a plan of work makes them, with openings that follow from the zones' tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from clearplan.planning.case import PlanningCase
from clearplan.planning.judge import Judgement
from clearplan.planning.planned import STRATEGIES, Planned, Schedule
from tests.worlds import settings

PLACES = (
    "Aghali", "Sugovushan", "Hasanriz", "Talish", "Zabukh", "Karkijahan", "Ballija", "Khidirli", "Sarijali", "Horovlu",
    "Mammadbeyli", "Alibeyli", "Khanyurdu", "Badara", "Charaktar",
)  # fmt: skip
DISTRICTS = ("Aghdam", "Fuzuli", "Jabrayil", "Kalbajar", "Zangilan", "Tartar", "Lachin", "Gubadli", "Khojavend",
             "Khojaly (with Khankendi)", "Goranboy")  # fmt: skip
TEAMS = (
    ("NTS", "NTS", 6, 350), ("TS", "TS", 10, 900), ("MAN-N", "manual", 24, 600), ("MAN-S", "manual", 24, 600),
    ("DOGS", "dogs", 12, 500), ("MECH", "mechanical", 5, 1500), ("BAC", "BAC", 6, 600),
)  # fmt: skip
STEPS = {"NTS": "non-technical survey", "TS": "technical survey", "BAC": "battle area clearance",
         "mechanical": "ground preparation"}  # fmt: skip


#: Limits that a plan breaks: none.
NO_BREACHES = pd.DataFrame(columns=["limit", "where", "by", "unit", "words"])


def planned_of(
    frames: Mapping[str, pd.DataFrame],
    *,
    notes: Sequence[str] = (),
    waiting: float = 20_000,
    budget: float | None = 3e7,
    currency: str = "USD",
) -> Planned:
    """A plan of work of frames by name, as ``plan`` makes them; those that are not named have no rows."""
    frames = {name: pd.DataFrame() for name in ("tasks", "zones", "work", "use", "comparison", "home")} | dict(frames)
    money = settings().model_copy(update={"budget": budget, "currency": currency})
    case = PlanningCase(frames["tasks"], frames["zones"], pd.DataFrame(), pd.DataFrame(), money)
    judgement = Judgement(
        breaches=frames.get("breaches", NO_BREACHES), zones=frames["zones"], tasks=frames["tasks"], home=frames["home"],
        use=frames["use"], totals={},
    )  # fmt: skip
    return Planned(
        case=case,
        schedule=Schedule(frames["work"], {}, value=0.0, bound=0.0, spent=0.0, notes=tuple(notes)),
        judgement=judgement,
        comparison=frames["comparison"],
        home=frames["home"],
        what_if=frames.get("what_if", pd.DataFrame(columns=["name", "person_months", "people_home", "zones_open"])),
        replayed=None,
        waiting=waiting,
        budgets=frames.get("budgets"),
    )


def plan(zones: int = 15, teams: int = 7, periods: int = 12, seed: int = 1) -> dict[str, pd.DataFrame]:
    """Frames by name: work, tasks, zones, use, comparison, home, budgets, what_if."""
    draw = np.random.default_rng(seed)
    days = pd.date_range("2026-01-01", periods=periods + 1, freq="QS")
    ends = days[1:] - pd.Timedelta(days=1)
    tasks = pd.DataFrame({
        "task_id": [f"38SNJ{4000 + 7 * k}-{'SHA' if k % 3 else 'IND'}-{k % 4}" for k in range(6 * zones)],
        "district": [DISTRICTS[k * len(DISTRICTS) // (6 * zones)] for k in range(6 * zones)],
        "area_m2": draw.lognormal(11, 1, 6 * zones).round(1),
    })  # fmt: skip
    tasks["land_class"] = ["SHA" if k % 3 else "indication" for k in range(len(tasks))]
    tasks.loc[3, "district"] = None
    use = _use(teams, periods, draw)
    work = _work(use, tasks, days, ends, draw)
    done = work.groupby("task_id")["period"].max()
    first = work.groupby("task_id")["period"].min()
    for name, period, at in (("start_on", first, days[:-1]), ("finish_on", done, ends)):
        there = tasks["task_id"].map(period)
        tasks[name] = pd.to_datetime([at[int(p) - 1] if p == p else pd.NaT for p in there])
    tasks["teams"] = tasks["task_id"].map(
        work.groupby("task_id")["team_id"].agg(lambda ids: "; ".join(sorted(set(ids))))
    )
    tasks["finished_part"] = np.where(tasks["finish_on"].isna(), 0.3, 1.0)
    places = _zones(zones, tasks, periods, days, ends, draw)
    home, comparison = _home(places, periods, days[0], ends, work)
    return {"work": work, "tasks": tasks, "zones": places, "use": use, "comparison": comparison, "home": home,
            "budgets": _budgets(comparison), "what_if": _what_if(comparison)}  # fmt: skip


def _use(teams: int, periods: int, draw: np.random.Generator) -> pd.DataFrame:
    rows = []
    for k in range(teams):
        name, kind, number, cost = TEAMS[k % len(TEAMS)]
        name = name if k < len(TEAMS) else f"{name}-{k // len(TEAMS) + 1}"
        for t in range(1, periods + 1):
            months = (
                3
                if kind not in ("dogs", "mechanical")
                else (2, 3, 3, 2)[(t - 1) % 4] - (kind == "mechanical") * (2 if t % 4 == 1 else 0)
            )
            available = number * 20.0 * months
            share = 1.0 if kind == "manual" else float(np.clip(draw.normal(0.9 - 0.5 * t / periods, 0.2), 0, 1))
            rows.append((name, kind, t, round(available * share, 2), available, round(available * share, 2) * cost))
    return pd.DataFrame(rows, columns=["team_id", "kind", "period", "days", "available", "cost"])


def _work(use: pd.DataFrame, tasks: pd.DataFrame, days: pd.DatetimeIndex, ends: pd.DatetimeIndex,
          draw: np.random.Generator) -> pd.DataFrame:  # fmt: skip
    """Each team-period in up to three pieces, task by task, so that districts come one after the other."""
    rows, periods = [], len(ends)
    for row in use[use["days"] > 0].itertuples():
        near = len(tasks) * row.period / (periods + 1)
        pieces = draw.integers(1, 4)
        at = np.clip(draw.normal(near, len(tasks) / 20, pieces), 0, len(tasks) - 1).astype(int)
        share = draw.dirichlet([3.0] * pieces)
        for task, part in zip(at, share, strict=True):
            ident, spent = tasks["task_id"].iloc[task], row.days * part
            step = 1 if row.kind == "NTS" else 2 if row.kind == "TS" else 3
            rows.append((f"{ident}/{step}/{row.team_id}/{row.period}", ident, step, STEPS.get(row.kind, "clearance"),
                         row.kind, row.team_id, row.period, days[row.period - 1], ends[row.period - 1], spent,
                         spent * 250, row.cost * part))  # fmt: skip
    names = ["work_id", "task_id", "step", "step_name", "kind", "team_id", "period", "starts_on", "ends_on", "days",
             "m2", "cost"]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def _zones(count: int, tasks: pd.DataFrame, periods: int, days: pd.DatetimeIndex, ends: pd.DatetimeIndex,
           draw: np.random.Generator) -> pd.DataFrame:  # fmt: skip
    opens = np.sort(draw.integers(1, periods + 1, count)).astype(object)
    opens[0] = 0
    opens[-2:] = None
    rows = []
    for k in range(count):
        name = PLACES[k] if k < len(PLACES) else f"{PLACES[k % len(PLACES)]}-{k // len(PLACES) + 1}"
        own = tasks["task_id"].iloc[6 * k : 6 * k + 1 + k % 4].tolist()
        t = opens[k]
        inside = t is not None
        more = (int(draw.integers(0, 2)), int(draw.integers(0, 3))) if t else (0, 0)
        late = (t + more[0], t + sum(more)) if inside else (None, None)
        chance = 0.99 if not sum(more) else 0.65 if not more[0] else 0.35  # as the two dates demand
        p50, p80 = (pd.NaT if p is None or p > periods else (days[0] if p == 0 else ends[p - 1]) for p in late)
        rows.append({
            "zone_id": f"RZ-{k + 1:02}", "name": name, "people": float(draw.integers(60, 2500)), "opens_in": t,
            "opens_on": pd.NaT if not inside else days[0] if t == 0 else ends[t - 1],
            "waits_for": 0 if t == 0 else len(own), "last_tasks": None if t == 0 else "; ".join(own[-1:]),
            "why": ("Nothing known blocks it." if t == 0 else f"The last of its {len(own)} tasks, {own[-1]}, is "
                    f"cleared by MAN-N in period {t}." if inside else "Has no place on the map: no coordinates."),
            "sooner": (None if t == 0 or not inside else "Four more teams of deminers in the north in period "
                       f"{max(t - 1, 1)} would bring it forward by one period."),
            "probability": 1.0 if t == 0 else chance - float(draw.uniform(0, 0.14)) if inside else np.nan,
            "p50_on": p50, "p80_on": p80,
        })  # fmt: skip
    table = pd.DataFrame(rows)
    table.loc[4, "people"] = np.nan  # nobody knows
    table["people"] = table["people"].astype("Int64")
    table["opens_in"] = table["opens_in"].astype("Int64")
    for name in ("opens_on", "p50_on", "p80_on"):
        table[name] = pd.to_datetime(table[name])
    return table


def _home(zones: pd.DataFrame, periods: int, start: pd.Timestamp, ends: pd.DatetimeIndex, work: pd.DataFrame
          ) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    unknown = zones["people"].isna()
    people = {name: zones["people"].fillna(value).astype(float) for name, value in
              (("people", 300), ("people_low", 50), ("people_high", 900))}  # fmt: skip
    rows, sums = [], []
    for k, strategy in enumerate(STRATEGIES):
        delay = np.where(zones["opens_in"].fillna(0) == 0, 0, (3 - k) * periods // 10)
        opens = (zones["opens_in"].astype(float) + delay).to_numpy()
        months = {}
        for t in range(periods + 1):
            there = opens <= t
            values = {name: float(own[there].sum()) for name, own in people.items()}
            rows.append({"strategy": strategy, "period": t, "on": start if t == 0 else ends[t - 1], **values,
                         "zones": int(there.sum())})  # fmt: skip
            for name, value in values.items():
                months[name] = months.get(name, 0.0) + 3 * value
        last = rows[-1]
        sums.append((strategy, *(months[n] + 12 * last[n] for n in people), last["people"], last["zones"],
                     2_000.0, 500.0 * k, work["m2"].sum() * (0.7 + k / 10),
                     work["days"].sum() * (1 - k / 50), work["cost"].sum(),
                     0.0042 if k == 3 else np.nan))  # fmt: skip
    assert unknown.any()
    return pd.DataFrame(rows), pd.DataFrame(sums, columns=[
        "strategy", "person_months", "person_months_low", "person_months_high", "people_home", "zones_open",
        "people_near_hazard", "people_near_released", "m2_finished", "days", "cost", "gap"])  # fmt: skip


def _budgets(comparison: pd.DataFrame) -> pd.DataFrame:
    best = comparison.iloc[-1]
    money = np.array([5, 10, 15, 20, 25, 30, 40, 50]) * 1e6
    share = 1 - np.exp(-money / 12e6)
    months = best["person_months"] * share
    more = np.diff(months, prepend=0) / np.diff(money, prepend=0) * 1e6
    return pd.DataFrame({
        "budget": money, "person_months": months, "people_home": np.round(best["people_home"] * share),
        "zones_open": np.round(best["zones_open"] * share).astype(int), "cost": money * 0.98,
        "gap": 0.004, "per_million": more, "note": None,
    })  # fmt: skip


def _what_if(comparison: pd.DataFrame) -> pd.DataFrame:
    best = comparison.iloc[-1]
    return pd.DataFrame([
        ("90 % of suspected ground cancelled or reduced", best["person_months"] * 1.21, best["people_home"] + 410,
         best["zones_open"] + 1),
        ("Half of the machines come a year late", best["person_months"] * 0.93, best["people_home"] - 220,
         best["zones_open"] - 2),
    ], columns=["name", "person_months", "people_home", "zones_open"])  # fmt: skip
