"""Least deployment, set-up and close-out, teams on a site, medical standby: planned, judged, and by brute force."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from clearplan.planning.judge import judge_work
from clearplan.planning.search.blocks import make_blocks
from clearplan.planning.search.highs import relax
from clearplan.planning.search.milp import columns_of, point_of, programme_of
from clearplan.planning.search.schedule import schedule
from clearplan.treaty.milestones import milestones
from tests.conftest import FULL
from tests.worlds import CHA, changed, few_tasks, planned, random_case, world

STEP = CHA["steps"][0]


def cleared(**days):
    """Methods with one step that books days beside its work."""
    return [CHA | {"steps": [STEP | days]}]


def test_a_crumb_of_work_books_the_least_deployment():
    # Half a day of work in a month of three: two are booked and paid, one is left for the other task.
    plan, judged = planned(world([0.5, 1.0], [(9, [0]), (4, [1])], days=4, min_team_days=2))
    assert plan.work["days"].tolist() == [2, 2]
    assert plan.work["m2"].tolist() == [0.5, 1]
    assert judged.totals["cost"] == 4
    assert judged.breaches.empty
    plan, judged = planned(world([0.5, 1.0], [(9, [0]), (4, [1])], days=3, min_team_days=2))
    assert plan.work["days"].tolist() == [2]
    assert judged.zones["opens_in"].tolist()[0] == 1


def test_set_up_and_close_out_are_booked_once_for_a_stay():
    # 10 days of work, 1 to set up, 0.5 to close out: 11.5 days, of which a month of 5 has some: three months.
    beside = cleared(set_up_days=1, close_out_days=0.5)
    case = world([10], [(4, [0])], days=5, periods=4, counted_months=5, methods=beside)
    plan, judged = planned(case)
    assert plan.work["days"].sum() == pytest.approx(11.5)
    assert plan.work["m2"].sum() == pytest.approx(10)
    assert judged.zones["opens_in"].tolist() == [3]
    assert judged.breaches.empty
    # With 4 days a month 3 + 4 of work are done after two months, and 3 are left: 3.5 days of the third.
    _, judged = planned(changed(case, working_days_a_month=4))
    assert judged.zones["opens_in"].tolist() == [3]
    # 10.4 days of work take 11.9, and with 0.2 more there is a fourth month.
    assert planned(replace(case, tasks=case.tasks.assign(area_m2=10.4)))[1].zones["opens_in"].tolist() == [3]
    more = changed(replace(case, tasks=case.tasks.assign(area_m2=10.6)), working_days_a_month=4)
    assert planned(more)[1].zones["opens_in"].tolist() == [4]


def test_no_more_teams_are_on_a_task_than_may_be():
    # Four teams of 5 days: 20 days of work in one month; with two on the task 10 a month.
    case = world([20], [(4, [0])], days=5, periods=3, counted_months=4, crew=[{"number": 4}])
    assert planned(case)[1].zones["opens_in"].tolist() == [1]
    plan, judged = planned(changed(case, teams_on_site=2))
    assert judged.zones["opens_in"].tolist() == [2]
    assert plan.work["days"].tolist() == pytest.approx([10, 10])
    assert plan.gap == pytest.approx(0, abs=1e-6)
    assert judged.breaches.empty


def test_a_medical_standby_is_paid_by_the_day_of_those_who_enter():
    # 10 a day for two teams: 5 more a day of clearance, none of survey.
    standby = {"cost_a_day": 10, "teams_covered": 2, "kinds": ["manual"], "source": "test"}
    case = world([3], [(4, [0])], days=5, medical_standby=standby)
    plan, judged = planned(case)
    assert plan.work["cost"].tolist() == [18]
    assert judged.totals["cost"] == 18
    assert judged.breaches.empty
    assert milestones(plan.work, case.teams, case.settings)["cost"].sum() == pytest.approx(18)
    other = changed(case, medical_standby=case.settings.medical_standby.model_copy(update={"kinds": ("NTS",)}))
    assert planned(other)[1].totals["cost"] == 3
    _, judged = planned(changed(case, budget=17.0))
    assert judged.zones["opens_in"].isna().tolist() == [True]


def in_steps(count, **days):
    """The same with so many steps, one after the other."""
    return [CHA | {"steps": [STEP | days | {"name": f"step {k}"} for k in range(count)]}]


# --- brute force


def best_by_hand(efforts, zones, days, periods, *, least, set_up, close_out, follows=()):
    """Best person-months of one team of whole days, every way to share its days among the tasks.

    ``days`` a period; each task's booked days are tried by halves, so all numbers must be halves. A task of some work
    takes set-up in the first and close-out in the last period of each stay, and the least in each. Of ``follows``,
    pairs of like efforts, the second is never further than the first was a period before. ``set_up`` and ``close_out``
    are of all tasks, or of each.
    """
    units = round(2 * days)
    set_up, close_out = (np.broadcast_to(side, len(efforts)) for side in (set_up, close_out))
    start = (tuple(efforts), (False,) * len(efforts))
    states = {start: 0.0}
    people = [p for p, _ in zones]
    for t in range(1, periods + 1):
        fresh: dict = {}
        for (left, there), value in states.items():
            for booked in _shares(units, [x > 0 for x in left], round(2 * least)):
                for stays in itertools.product(*[(False, True) if b else (False,) for b in booked]):
                    state = _worked(left, there, booked, stays, least, set_up, close_out)
                    if state is None or any(state[0][late] < left[early] for early, late in follows):
                        continue
                    opened = sum(
                        p * (periods + 1 - t)
                        for p, (_, own) in zip(people, zones, strict=True)
                        if all(state[0][k] <= 0 for k in own) and any(left[k] > 0 for k in own)
                    )
                    fresh[state] = max(fresh.get(state, -1.0), value + opened)
        states = fresh
    return max(value for (_, there), value in states.items() if not any(there))


def _shares(units, wanted, least):
    """Ways to share so many half days; a task that is not done takes none or at least the least."""
    if not wanted:
        yield ()
        return
    choices = [0, *range(max(least, 1), units + 1)] if wanted[0] else [0]
    for own in choices:
        for rest in _shares(units - own, wanted[1:], least):
            yield (own, *rest)


def _worked(left, there, booked, stays, least, set_up, close_out):
    """What is left after a period, and where the team stays on; None where it can't be so."""
    after = []
    for k, halves in enumerate(booked):
        if not halves:
            if there[k]:
                return None  # who stays on works in the next period
            after.append(left[k])
            continue
        work = halves / 2 - (0 if there[k] else set_up[k]) - (0 if stays[k] else close_out[k])
        if work <= 0 or (stays[k] and work >= left[k]):
            return None
        after.append(max(left[k] - work, 0.0))
    return tuple(after), tuple(stays)


@pytest.mark.parametrize("seed", range(6 if FULL else 3))
def test_brute_force_on_small_worlds(seed):
    rng = np.random.default_rng(seed)
    for _ in range(8 if FULL else 3):
        efforts = rng.integers(1, 5, 3).astype(float)
        zones = [(int(rng.integers(1, 50)), sorted(rng.choice(3, int(rng.integers(1, 3)), replace=False).tolist()))
                 for _ in range(3)]  # fmt: skip
        days, least = float(rng.integers(3, 6)), float(rng.choice([0, 1, 2]))
        set_up, close_out = float(rng.choice([0, 0.5, 1])), float(rng.choice([0, 0.5]))
        case = world(efforts, zones, days=days, periods=3, counted_months=4, min_team_days=least, search_work=5,
                     methods=cleared(set_up_days=set_up, close_out_days=close_out))  # fmt: skip
        plan, judged = planned(case)
        best = best_by_hand(efforts, zones, days, 3, least=least, set_up=set_up, close_out=close_out)
        told = (efforts, zones, days, least, set_up, close_out)
        assert judged.breaches.empty, (told, judged.breaches["words"].map(str).tolist())
        assert plan.bound >= best * (1 - 1e-9), told
        assert judged.totals["person_months"] == pytest.approx(plan.value), told
        assert judged.totals["person_months"] >= best - 1e-6, (told, best)


def bound_of_parts(case):
    """The bound by the linear relaxation of the plan of parts."""
    blocks = make_blocks(case)
    return relax(programme_of(blocks.problem, columns_of(blocks.problem))).bound + blocks.open_worth + blocks.slack


@pytest.mark.parametrize("seed", range(20 if FULL else 2))
@pytest.mark.parametrize("steps", [1, 2])
def test_the_bound_of_parts_holds_for_stays_over_many_periods(steps, seed):
    # Long tasks and short ones: what teams carry into the next period is limited, and no plan of lines is cut off.
    rng = np.random.default_rng([steps, seed])
    for _ in range(20):
        tasks = 2 if steps == 1 else 1
        efforts = rng.integers(1, 17 if steps == 1 else 9, tasks) / 2
        zones = [(int(rng.integers(1, 50)), [k]) for k in range(tasks)]
        days, least = float(rng.integers(2, 5)), float(rng.choice([0.5, 1, 2]))
        beside = {"set_up": float(rng.choice([0, 0.5, 1, 1.5])), "close_out": float(rng.choice([0, 0.5, 1]))}
        case = world(efforts, zones, days=days, periods=4, counted_months=5, min_team_days=least,
                     methods=in_steps(steps, **{f"{side}_days": own for side, own in beside.items()}))  # fmt: skip
        every = np.repeat(efforts, steps)
        last = [(people, [steps * k + steps - 1 for k in own]) for people, own in zones]
        follows = [(steps * k, steps * k + 1) for k in range(tasks)] if steps == 2 else []
        best = best_by_hand(every, last, days, 4, least=least, follows=follows, **beside)
        assert bound_of_parts(case) >= best * (1 - 1e-9), (efforts, zones, days, least, beside)


def two_crews(effort, first, second, least, **crews):
    """A task of so many days for each of two teams, one after the other, that opens its place by the end of March.

    A month has 31 days of work. ``first``, ``second``: what the steps book; ``least``: deployment; ``crews``: from when
    and until when A and B are there.
    """
    steps = [STEP | {"name": "before", "kinds": ["NTS"]} | first, STEP | second]
    crew = [{"team_id": "A", "kind": "NTS"} | crews.get("A", {}), {"team_id": "B", "kind": "manual"} | crews["B"]]
    case = world([effort], [(4, [0])], days=31, periods=3, counted_months=4, crew=crew, min_team_days=least,
                 methods=[CHA | {"steps": steps}], hard_deadlines=("Z0",))  # fmt: skip
    return replace(case, zones=case.zones.assign(planned_return="2026-03-31"))


@pytest.mark.parametrize(
    "case",
    [
        # 33 days: A does 31 in January, 2 in February, and closes out for 5. B follows with 31 in February, and has but
        # 2 days of March. Parts of A's 38 days would be at 31 / 38 in January, and B could not keep up.
        two_crews(33, {"close_out_days": 5}, {}, 2, B={"available_to": "2026-03-02"}),
        # 35 days: A does 7 in January. B sets up for 14 days in February and does these 7, then 28 of March. Parts of
        # B's 49 days would take 9.8 in February, and 39.2 of the 28 days of March.
        two_crews(35, {}, {"set_up_days": 14}, 7, A={"available_from": "2026-01-25"}, B={"available_to": "2026-03-28"}),
    ],
    ids=["close-out after", "set-up before"],
)
def test_days_beside_work_may_be_booked_in_another_period_than_the_work(case):
    plan, judged = planned(case)
    assert judged.breaches.empty, judged.breaches["words"].map(str).tolist()
    assert judged.zones["opens_in"].tolist() == [3]
    assert judged.totals["objective"] == pytest.approx(4)
    assert plan.notes == (), "the deadline does not give way"
    assert plan.bound >= 4 - 1e-6


def test_what_teams_carry_is_a_part_of_their_days_by_the_least_deployment():
    # Two days at the least: half of a team's days go to stays that go on, each with a day of set-up or half to close.
    methods = in_steps(2, set_up_days=1, close_out_days=0.5)
    case = world([3], [(4, [0])], days=5, min_team_days=2, methods=methods)
    assert make_blocks(case).problem.carried.tolist() == [[0.5], [0.25]]
    assert np.isinf(make_blocks(changed(case, min_team_days=0)).problem.carried).all()
    # Of a method of one step nothing is carried: its parts book all that they take with their work.
    alone = world([3], [(4, [0])], days=5, min_team_days=2, methods=cleared(set_up_days=1, close_out_days=0.5))
    assert make_blocks(alone).problem.carried.tolist() == [[0.0], [0.0]]
    # Eight tasks of a day and 1.5 beside it: two a month, so two each open after months 1, 2 and 3 of 4.
    case = world([1] * 8, [(1, [k]) for k in range(8)], days=5, periods=3, counted_months=4, min_team_days=2,
                 methods=cleared(set_up_days=1, close_out_days=0.5))  # fmt: skip
    assert bound_of_parts(case) == pytest.approx(2 * 3 + 2 * 2 + 2 * 1, abs=1e-3)


@pytest.mark.parametrize("seed", range(4 if FULL else 1))
def test_random_worlds_keep_every_limit(seed):
    rng = np.random.default_rng(100 + seed)
    lines = 0
    for _ in range(60 if FULL else 15):
        case = random_case(rng)
        least, most = float(rng.choice([0, 0.5, 1])), rng.choice([None, 1, 2])
        beside = {"set_up_days": float(rng.uniform(0, 0.5)), "close_out_days": float(rng.uniform(0, 0.5))}
        methods = tuple(
            method.model_copy(update={"steps": tuple(step.model_copy(update=beside) for step in method.steps)})
            for method in case.settings.methods
        )
        case = changed(case, min_team_days=least, teams_on_site=most and int(most), methods=methods)
        plan = schedule(case)
        for name, work in plan.strategies.items():
            judged = judge_work(work, case)
            assert (judged.breaches["unit"] == "periods").all(), (name, judged.breaches["words"].map(str).tolist())
            assert not len(work) or work["days"].min() >= least * (1 - 1e-6)
            if judged.breaches.empty:
                assert judged.totals["objective"] <= plan.bound * (1 + 1e-6) + 1e-6, name
            lines += len(work)
    assert lines > 100


def test_limits_never_help_and_the_bound_without_them_holds():
    rng = np.random.default_rng(5)
    for _ in range(5):
        efforts, zones, days = few_tasks(rng)
        case = world(efforts, zones, days=days, periods=3, counted_months=4)
        free, limited = schedule(case), schedule(changed(case, min_team_days=1.0))
        assert limited.value <= free.bound * (1 + 1e-9) + 1e-6


def test_a_schedule_of_parts_is_a_point_of_the_programme_with_days_beside_work():
    rng = np.random.default_rng(6)
    for _ in range(5):
        efforts, zones, days = few_tasks(rng)
        case = world(
            efforts,
            zones,
            days=days + 2,
            periods=3,
            counted_months=4,
            methods=cleared(set_up_days=0.5, close_out_days=0.25),
        )
        problem = make_blocks(case).problem
        from clearplan.planning.search.problem import greedy

        at, work = columns_of(problem), greedy(problem).work
        programme = programme_of(problem, at)
        point = point_of(problem, at, work)
        sums = np.bincount(
            programme.row, weights=programme.entry * point[programme.column], minlength=len(programme.low)
        )
        assert (sums >= programme.low - 1e-9).all()
        assert (sums <= programme.high + 1e-9).all()
        assert (point <= programme.upper + 1e-9).all()
        assert relax(programme).bound >= programme.gain @ point - 1e-6
        without = replace(problem, beside=())
        assert relax(programme).bound >= relax(programme_of(without, columns_of(without))).objective - 1e-6
