"""Plans of work on seeded instances: gap and seconds, four ways of planning side by side, and a plain model in CP-SAT.

    python benchmarks/plan.py [--json] [--quick] [--seeds 20]

Made-up TASKS, ZONES, BLOCKERS and TEAMS of three sizes. Each zone waits for one to six tasks round it and for those on
one or two roads that it shares with its neighbours; people are heavy-tailed; most tasks unlock nothing. With one kind
of team every task is cleared by hand. With all kinds, survey comes before clearance by hand or dogs, machines before
hands where the mines are anti-vehicle, and battle area clearance where all is cluster munitions; dogs and machines have
seasons, hands have districts, and money is short. Capacity is a share of the effort that opening every zone takes.

Ours is the public ``schedule`` with its limit of time, stopped at a proven gap of 0.5 %. ``judge_work`` tells what each
plan brings. The ranked list is worked down by a score of 100 points as a mine action centre would use it: 75 for the
people who wait for the task, as far as 10,000, and 25 for its class. Because much hangs on how a list is made, there is
a second one that keeps villages together: tasks in the order of the largest zone that waits for them. CP-SAT gets every
task by itself, as a plain model would have it, finished parts in thousandths, two workers and the same limit.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from clearplan.planning.case import PlanningCase

SEED = 20201110
SIZES = {500: (100, 8, 60.0), 2_000: (300, 10, 60.0), 5_000: (800, 12, 120.0)}  # zones, periods, limit with all kinds
ONE_KIND_S = 60.0  # limit with one kind
SHARES = (0.3, 0.6, 1.0)
MEDIAN_OF = (1_000, 300, 12, 20.0)  # tasks, zones, periods, limit of the instances of which medians are told
GAP = 0.005
DISTRICTS = ("North-west", "North", "North-east", "South-west", "South", "South-east")
PARTS = 1_000  # CP-SAT: finished parts in thousandths
MEASURED = ("ranked list", "villages by size", "value per area", "greedy unlock", "best plan found")
BARS = {"one kind": 0.01, "2,000 tasks, all kinds": 0.01, "5,000 tasks, all kinds": 0.02}
LISTS = {0.3: 1.3, 0.6: 1.2}
GREEDY_S = 1.0

CLEARANCE = {"name": "clearance", "kinds": ["manual", "dogs"], "ground": "to-clear"}
SURVEYED = [{"name": "non-technical survey", "kinds": ["NTS"]},
            {"name": "technical survey", "kinds": ["TS"], "ground": "not-cancelled"}, CLEARANCE]  # fmt: skip
METHODS = [
    {"land_class": "indication", "ordnance": ["CMR"], "steps": [
        {"name": "non-technical survey", "kinds": ["NTS"]},
        {"name": "battle area clearance", "kinds": ["BAC"], "ground": "to-clear"}]},
    {"land_class": "indication", "steps": SURVEYED},
    {"land_class": "SHA", "steps": SURVEYED},
    {"land_class": "CHA", "ordnance": ["AV"], "steps": [
        {"name": "ground preparation", "kinds": ["mechanical"]}, {"name": "clearance", "kinds": ["manual", "dogs"]}]},
    {"land_class": "CHA", "steps": [{"name": "clearance", "kinds": ["manual", "dogs"]}]},
]  # fmt: skip
OUTCOMES = {
    "SHA": {"cancelled": 0.32, "reduced": 0.24, "cleared": 0.44, "concentration": 3, "source": "Landmine Monitor 2023"},
    "indication": {"cancelled": 0.9, "reduced": 0.07, "cleared": 0.03, "concentration": 3, "source": "made up"},
}
#: name, kind, rate [m2 a team and day], cost a day, season, districts, its part of its kind's capacity
ALL_TEAMS = (
    ("NTS", "NTS", 20_000, 350, None, None, 1.0),
    ("TS", "TS", 3_000, 900, None, None, 1.0),
    ("MAN-N", "manual", 300, 600, None, DISTRICTS[:3], 0.35),
    ("MAN-S", "manual", 300, 600, None, DISTRICTS[3:], 0.35),
    ("DOGS", "dogs", 850, 500, "4-10", None, 0.3),
    ("MECH", "mechanical", 4_000, 1_500, "3-11", None, 1.0),
    ("BAC", "BAC", 2_500, 600, None, None, 1.0),
)
ONE_TEAM = (("MAN", "manual", 300, 600, None, None, 1.0),)
#: Limits of work orders, as in the sample, and what each step of a method books beside its work.
ORDERS = {"min_team_days": 2, "teams_on_site": 6}
BESIDE = {"set_up_days": 1, "close_out_days": 0.5}


def make_instance(
    tasks: int, zones: int, periods: int, *, share: float, kinds: str, limit: float, seed: int = SEED,
    orders: bool = False,
) -> PlanningCase:  # fmt: skip
    """An instance of so many tasks, zones and quarters; ``kinds`` is one or all; ``orders``: with those limits."""
    from clearplan.settings.planning import PlanningSettings

    random = np.random.default_rng([seed, tasks])
    where = random.uniform(size=(tasks, 2))
    waits = _waits(random, where, zones)
    frame = _tasks(random, where, waits, kinds)
    people = np.maximum(random.lognormal(np.log(400), 1.0, zones).round(), 10.0)
    frame = frame.assign(**_scores(frame, waits, people))
    frame["rank"] = frame["score"].rank(ascending=False, method="first").astype(int)
    places = pd.DataFrame({"zone_id": [f"Z{z}" for z in range(zones)], "people": people, "deferred": None})
    rows = [(f"Z{z}/home/T{k}", f"Z{z}", f"T{k}", "home", "yes", "made up")
            for z, own in enumerate(waits) for k in sorted(own)]  # fmt: skip
    blockers = pd.DataFrame(rows, columns=["blocker_id", "zone_id", "task_id", "part", "essential", "why"])
    methods = METHODS if kinds == "all" else METHODS[-1:]
    settings = PlanningSettings.model_validate({
        "start": "2026-01-01", "periods": periods, "period_months": 3, "counted_months": 3 * periods + 12,
        "working_days_a_month": 20, "home_m": 0, "wait_periods": 1, "currency": "USD", "score_weight": 0.1,
        "methods": [_booking(own) for own in methods] if orders else methods,
        "outcomes": OUTCOMES if kinds == "all" else {},
        "risk_weight": 0, "optional_share": 0.1, "search_work": limit, "gap": GAP, "seed": seed,
        **(ORDERS if orders else {}),
    })  # fmt: skip
    teams = _teams(frame, waits, settings, share, ALL_TEAMS if kinds == "all" else ONE_TEAM)
    if kinds == "all":  # a sixth less than what all teams would cost on all their days
        from clearplan.planning.calendar import team_days

        budget = float(team_days(teams, settings).sum(axis=1) @ teams["cost_per_day"].to_numpy(float)) * 5 / 6
        settings = settings.model_copy(update={"budget": round(budget)})
    return PlanningCase(frame, places, teams, blockers, settings)


def _booking(method: dict[str, Any]) -> dict[str, Any]:
    """The method with a month of handover, and steps that book days beside their work."""
    return method | {"handover_months": 1, "steps": [step | BESIDE for step in method["steps"]]}


def _waits(random: np.random.Generator, where: np.ndarray, zones: int) -> list[set[int]]:
    """Tasks that each zone waits for: some round it, and those on a road or two that it shares with its neighbours."""
    from scipy.spatial import cKDTree

    tasks, at = cKDTree(where), random.uniform(size=(zones, 2))
    roads = random.uniform(size=(max(zones // 6, 2), 2))
    blocked = [tasks.query(spot, int(random.integers(2, 6)))[1].tolist() for spot in roads]
    nearest = cKDTree(roads).query(at, 2)[1]
    waits = []
    for z in range(zones):
        own = {int(k) for k in np.atleast_1d(tasks.query(at[z], 1 + min(int(random.poisson(1.5)), 5))[1])}
        for road, chance in zip(nearest[z], (0.7, 0.2), strict=True):
            if random.random() < chance:
                own.update(blocked[road])
        waits.append(own)
    return waits


def _tasks(random: np.random.Generator, where: np.ndarray, waits: list[set[int]], kinds: str) -> pd.DataFrame:
    count = len(where)
    near = np.isin(np.arange(count), sorted({k for own in waits for k in own}))
    area = random.lognormal(np.log(20_000), 1.0, count).round()
    drawn, found = random.random(count), random.random(count)
    land_class = np.where(drawn < np.where(near, 0.4, 0.05), "CHA", np.where(drawn < 0.8 * near + 0.1, "SHA",
                                                                             "indication"))  # fmt: skip
    ordnance = np.where(found < 0.2, "CMR", np.where(found < 0.4, "AV", "AP"))
    district = np.array(DISTRICTS)[(where[:, 0] * 3).astype(int) + 3 * (where[:, 1] < 0.5)]
    return pd.DataFrame({
        "task_id": [f"T{k}" for k in range(count)], "land_class": land_class if kinds == "all" else "CHA",
        "ordnance": ordnance, "district": district, "area_m2": area,
    })  # fmt: skip


def _scores(frame: pd.DataFrame, waits: list[set[int]], people: np.ndarray) -> dict[str, Any]:
    """Points of each task, the zones that wait for it, and the people of the largest of them."""
    own: list[list[int]] = [[] for _ in range(len(frame))]
    for z, tasks in enumerate(waits):
        for k in tasks:
            own[k].append(z)
    waiting = np.array([people[z].sum() for z in own])
    classes = frame["land_class"].map({"CHA": 1.0, "SHA": 0.6, "indication": 0.2}).to_numpy(float)
    return {
        "score": 75 * np.minimum(waiting / 10_000, 1) + 25 * classes,
        "zone_ids": ["; ".join(f"Z{k}" for k in z) or None for z in own],
        "largest": [max(people[z], default=0.0) for z in own],
    }


def _part(settings: Any, land_class: str, ground: str) -> float:
    """Part of the ground of a class that a step works on, by its stated shares."""
    if ground == "all":
        return 1.0
    outcome = settings.outcomes[land_class]
    return float(outcome.cleared if ground == "to-clear" else 1 - outcome.cancelled)


def _teams(frame: pd.DataFrame, waits: list[set[int]], settings: Any, share: float, rows: Any) -> pd.DataFrame:
    """Whole teams, at rates at which each kind has just this share of the days that opening every zone takes."""
    from clearplan.planning.calendar import team_days
    from clearplan.planning.methods import methods_of

    needed = frame.iloc[sorted({k for own in waits for k in own})]
    ground: dict[str, float] = {}
    beside: dict[str, float] = {}
    for method, area in zip(methods_of(needed, settings), needed["area_m2"], strict=True):
        for step in method.steps:
            kind = step.kinds[0]
            ground[kind] = ground.get(kind, 0.0) + area * _part(settings, method.land_class, step.ground)
            beside[kind] = beside.get(kind, 0.0) + step.set_up_days + step.close_out_days
    table = pd.DataFrame({
        "team_id": [row[0] for row in rows], "kind": [row[1] for row in rows], "number": 1, "rate_source": "made up",
        "cost_per_day": [float(row[3]) for row in rows], "season": [row[4] for row in rows],
        "districts": ["; ".join(row[5]) if row[5] else None for row in rows], "available_from": None,
        "available_to": None, "source": "made up", "recorded_on": None, "deferred": None,
    })  # fmt: skip
    able = team_days(table, settings).sum(axis=1)
    does = ["manual" if row[1] == "dogs" else row[1] for row in rows]
    m2, days = (np.array([of.get(kind, 0.0) for kind in does]) for of in (ground, beside))
    part = np.array([share * row[6] for row in rows])
    wanted = part * (m2 / np.array([float(row[2]) for row in rows]) + days)
    number = np.maximum(np.round(wanted / able), 1).astype(int)
    rate = m2 / np.maximum(number * able / part - days, 1.0)
    return table.assign(number=number, rate_low=0.5 * rate, rate_likely=rate, rate_high=1.5 * rate)


# --- what is measured


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What comes out, seconds by the clock, processor seconds."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    begin, before = time.perf_counter(), spent()
    made = work()
    return made, time.perf_counter() - begin, spent() - before


def measure(case: PlanningCase, *, peer: bool) -> dict[str, Any]:
    from clearplan.planning.search.blocks import make_blocks
    from clearplan.planning.search.lines import in_list
    from clearplan.planning.search.problem import greedy, in_order
    from clearplan.planning.search.schedule import schedule
    from clearplan.planning.search.work import lines_table, work_table

    plan, seconds, processor = timed(lambda: schedule(case))
    problem = make_blocks(case).problem
    single = make_blocks(case, alone=True)
    first = [int(ids[0]) for ids in single.members]
    order = np.lexsort((-case.tasks["score"].to_numpy()[first], -case.tasks["largest"].to_numpy()[first]))
    if single.order.limits_lines:
        by_size = lines_table(single, in_list(single, order.tolist()).lines, case)
    else:
        by_size = work_table(single, in_order(single.problem, order.tolist()).work, case)
    works = plan.strategies | {MEASURED[1]: by_size}
    told = {"gap": plan.gap, "seconds": seconds, "processor": processor, "value": plan.value, "bound": plan.bound,
            "greedy": statistics.median(timed(lambda: greedy(problem))[2] for _ in range(3))}  # fmt: skip
    for name in MEASURED:
        told[name] = _judged(case, works[name])
    return told | (by_cp_sat(case, plan.value, plan.bound) if peer else {})


def _judged(case: PlanningCase, work: pd.DataFrame) -> float:
    from clearplan.planning.judge import judge_work

    told = judge_work(work, case)
    assert not len(told.breaches), told.breaches["words"].tolist()
    return float(told.totals["person_months"])


def by_cp_sat(case: PlanningCase, value: float, bound: float) -> dict[str, Any]:
    """A plain model of the same instance: every task by itself, whole numbers everywhere."""
    from ortools.sat.python import cp_model

    from clearplan.planning.search.blocks import make_blocks
    from clearplan.planning.search.problem import worth
    from clearplan.planning.search.work import work_table

    single = make_blocks(case, alone=True)
    problem, (model, parts) = single.problem, _cp_model(single.problem)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = case.settings.search_work
    solver.parameters.num_workers = 2
    solver.parameters.relative_gap_limit = GAP
    solver.parameters.random_seed = SEED % 2**31
    status, seconds, processor = timed(lambda: solver.solve(model))
    told: dict[str, Any] = {"peer seconds": seconds, "peer processor": processor,
                            "peer bound": solver.best_objective_bound / VALUE / bound}  # fmt: skip
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return told | {"peer gap": 1.0, "peer value": 0.0, "peer person-months": 0.0}
    pieces = [(*key, solver.value(x) / PARTS) for key, x in parts.items() if solver.value(x)]
    work = work_table(single, pieces, case)
    best = worth(problem, pieces)
    return told | {"peer gap": 1 - best * VALUE / solver.best_objective_bound, "peer value": best / value,
                   "peer person-months": _judged(case, work)}  # fmt: skip


VALUE, DAYS = 10, 10_000  # CP-SAT: tenths of a person-month, ten-thousandths of a team-day


def _cp_model(problem: Any) -> tuple[Any, dict[tuple[int, int, int], Any]]:
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    periods = problem.periods
    able = problem.capacity > 0
    parts: dict[tuple[int, int, int], Any] = {}
    used: dict[tuple[int, int], list[Any]] = {}
    spent: list[Any] = []
    done: list[list[Any]] = []
    for s, options in enumerate(problem.options):
        done.append([model.new_int_var(0, PARTS, "") for _ in range(periods)])
        for t in range(periods):
            own = []
            for team, effort in options:
                if not able[team, t]:
                    continue
                x = parts[s, team, t] = model.new_int_var(0, PARTS, "")
                own.append(x)
                days = int(np.ceil(effort * DAYS / PARTS))
                used.setdefault((team, t), []).append((x, days))
                spent.append((x, int(np.ceil(effort * problem.cost[team] * 10 / PARTS))))
            model.add(done[s][t] == sum(own) + (done[s][t - 1] if t else 0))
            before = int(problem.before[s])
            if before >= 0:
                model.add(done[s][t] <= (done[before][t - problem.wait] if t >= problem.wait else 0))
    for (team, t), terms in used.items():
        variables, days = zip(*terms, strict=True)
        model.add(cp_model.LinearExpr.weighted_sum(variables, days) <= int(problem.capacity[team, t] * DAYS))
    if np.isfinite(problem.budget):
        variables, money = zip(*spent, strict=True)
        model.add(cp_model.LinearExpr.weighted_sum(variables, money) <= int(problem.budget * 10))
    gains: list[tuple[Any, float]] = []
    for u, blocks in enumerate(problem.needs):
        later = np.append(problem.value[u, 2:], 0.0)
        for t in range(periods):
            is_open = model.new_bool_var("")
            for b in blocks:
                model.add(PARTS * is_open <= done[problem.last[b]][t])
            gains.append((is_open, (problem.value[u, t + 1] - later[t]) * VALUE))
    for b, last in enumerate(problem.last):
        later = np.append(problem.reward[b, 2:], 0.0)
        gains += [(done[last][t], (problem.reward[b, t + 1] - later[t]) * VALUE / PARTS) for t in range(periods)]
    variables, gain = zip(*gains, strict=True)
    model.maximize(cp_model.LinearExpr.weighted_sum(variables, gain))
    return model, parts


# --- the tables


def run_grid(quick: bool, orders: bool) -> list[dict[str, Any]]:
    rows = []
    for tasks, (zones, periods, limit) in SIZES.items():
        for kinds in ("one", "all"):
            for share in SHARES:
                seconds = limit if kinds == "all" else ONE_KIND_S
                made = make_instance(tasks, zones, periods, share=share, kinds=kinds, limit=seconds,
                                     orders=orders)  # fmt: skip
                rows.append({"tasks": tasks, "zones": zones, "periods": periods, "kinds": kinds, "share": share,
                             "limit": seconds} | measure(made, peer=share == SHARES[0] and not quick))  # fmt: skip
                print_row(rows[-1])
    return rows


def to_list(row: dict[str, Any], other: str = MEASURED[0]) -> float:
    return float(row[MEASURED[-1]] / max(row[other], 1e-9))


def print_row(row: dict[str, Any]) -> None:
    cells = [f"{row['tasks']:,} / {row['zones']} / {row['periods']}", row["kinds"], f"{100 * row['share']:.0f} %",
             f"{100 * row['gap']:.2f} %", f"{row['seconds']:.0f} of {row['limit']:.0f}", f"{row['processor']:.0f}",
             f"{row['greedy']:.2f}", *(f"{row[name] / 1e3:,.0f}" for name in MEASURED),
             f"{to_list(row):.2f}x"]  # fmt: skip
    if "peer gap" in row:
        cells += [f"{100 * row['peer gap']:.1f} %", f"{row['peer bound']:.3f}", f"{row['peer value']:.3f}",
                  f"{row['peer person-months'] / 1e3:,.0f}", f"{row['peer seconds']:.0f}"]  # fmt: skip
    else:
        cells += [""] * 5
    print("| " + " | ".join(cells) + " |", flush=True)


HEAD = (
    "tasks / zones / periods", "kinds", "capacity", "gap", "seconds", "processor seconds", "greedy, s", *MEASURED,
    "to ranked list", "CP-SAT: gap", "bound", "value", "person-months",
    "seconds",
)  # fmt: skip


def run_medians(seeds: int) -> dict[tuple[str, float], list[dict[str, Any]]]:
    tasks, zones, periods, limit = MEDIAN_OF
    told = {}
    for kinds in ("one", "all"):
        for share in LISTS:
            instances = (
                make_instance(tasks, zones, periods, share=share, kinds=kinds, limit=limit, seed=SEED + k)
                for k in range(seeds)
            )
            told[kinds, share] = [measure(made, peer=False) for made in instances]
            print_medians(kinds, share, told[kinds, share])
    return told


def print_medians(kinds: str, share: float, rows: list[dict[str, Any]]) -> None:
    cells = [kinds, f"{100 * share:.0f} %"]
    for other in MEASURED[:-1]:
        ratio = [to_list(row, other) for row in rows]
        cells.append(f"{statistics.median(ratio):.2f}x ({min(ratio):.2f} to {max(ratio):.2f})")
    gaps = [100 * row["gap"] for row in rows]
    cells.append(f"{statistics.median(gaps):.2f} % (to {max(gaps):.2f})")
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--json", action="store_true")
    arguments.add_argument("--quick", action="store_true", help="without CP-SAT")
    arguments.add_argument("--orders", action="store_true", help="with work orders; the grid alone")
    arguments.add_argument("--seeds", type=int, default=20, help="instances of which medians are told")
    asked = arguments.parse_args()
    print("| " + " | ".join(HEAD) + " |\n" + "|---" * len(HEAD) + "|", flush=True)
    grid = run_grid(asked.quick or asked.orders, asked.orders)
    if asked.orders:
        if asked.json:
            print(json.dumps({"bars": bars(grid, {})}))
        return
    tasks, zones, periods, limit = MEDIAN_OF
    print(f"\nBest plan of {asked.seeds} instances of {tasks:,} / {zones} / {periods}, {limit:.0f} s each, in "
          "person-months: median (least to largest).\n")  # fmt: skip
    print(f"| kinds | capacity | to {' | to '.join(MEASURED[:-1])} | gap |\n" + "|---" * 7 + "|")
    medians = run_medians(asked.seeds)
    from importlib.metadata import version

    names = ("highspy", "ortools", "numpy")
    print(f"\nPython {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}, "
          f"{os.cpu_count()} cores, seed {SEED}")  # fmt: skip
    if asked.json:
        print(json.dumps({"bars": bars(grid, medians)}))


def bars(grid: list[dict[str, Any]], medians: dict[tuple[str, float], list[dict[str, Any]]]) -> dict[str, Any]:
    largest = max(SIZES)
    own = {
        "one kind": [r for r in grid if r["kinds"] == "one" and r["tasks"] == largest],
        "2,000 tasks, all kinds": [r for r in grid if r["kinds"] == "all" and r["tasks"] == 2_000],
        "5,000 tasks, all kinds": [r for r in grid if r["kinds"] == "all" and r["tasks"] == largest],
    }
    told: dict[str, Any] = {}
    for name, rows in own.items():
        for row in rows:
            ok = row["gap"] <= BARS[name] and row["seconds"] <= row["limit"] + 5
            told[f"{name}, capacity {row['share']:.0%}"] = {
                "value": round(row["gap"], 5), "bar": BARS[name], "seconds": round(row["seconds"], 1), "ok": ok,
            }  # fmt: skip
    for (kinds, share), rows in medians.items():
        for other in MEASURED[:2]:
            ratio = statistics.median(to_list(row, other) for row in rows)
            told[f"{other}, {kinds}, capacity {share:.0%}"] = {
                "value": round(ratio, 3), "bar": LISTS[share], "ok": ratio >= LISTS[share],
            }  # fmt: skip
    slowest = max(row["greedy"] for row in grid if row["tasks"] == largest)
    told["greedy, s"] = {"value": round(slowest, 2), "bar": GREEDY_S, "ok": slowest <= GREEDY_S}
    return told


if __name__ == "__main__":
    main()
