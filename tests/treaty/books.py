"""States, flows of the books, teams and a plan of work, all made up, for the tests of the treaty's tables."""

from datetime import date
from functools import cache

import geopandas as gpd
import pandas as pd
from shapely import box

from clearplan.settings.planning import Method, Outcome, PlanningSettings, Step, Treaty
from clearplan.treaty.clock import Rates
from clearplan.treaty.conventions import obligations
from clearplan.treaty.dossier import Dossier
from clearplan.treaty.filed import UNPLACED, released_table
from clearplan.treaty.milestones import milestones, plan_vs_achieved, planned_release
from tests.conftest import E0, N0, UTM

SUPPOSED = Treaty(state="Ruritania", convention="APMBC", party=False, if_acceded_on=date(2026, 1, 1), source="made up")
PARTY = Treaty(
    state="Ruritania", convention="APMBC", party=True, entry_into_force=date(2018, 6, 1), source="depositary, made up"
)
CCM = Treaty(state="Ruritania", convention="CCM", party=True, entry_into_force=date(2010, 8, 1), source="made up")
STEADY = Rates(100.0, 100.0, 100.0, "as told")


def square(x, y, wide, high=None):
    return box(E0 + x, N0 + y, E0 + x + wide, N0 + y + (wide if high is None else high))


def flows(**terms):
    base = {"district": "West", "land_class": "SHA", "ordnance": "AP"} | dict.fromkeys(
        ("opening_m2", "newly_found_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "reopened_m2", "changed_in_m2",
         "changed_out_m2", "closed_m2", "withdrawn_m2", "closing_m2"), 0.0)  # fmt: skip
    return base | terms


BRIDGES = {
    2025: pd.DataFrame([flows(cleared_m2=900.0)]),  # not over on 2025-06-30
    2023: pd.DataFrame([
        flows(cancelled_m2=100.0, reduced_m2=20.0, cleared_m2=30.0, newly_found_m2=400.0),
        flows(land_class="CHA", ordnance="mixed", cleared_m2=50.0, changed_in_m2=10.0),
        flows(land_class="CHA", ordnance="AV", cleared_m2=7000.0),
        flows(land_class="indication", ordnance="unknown", cancelled_m2=9000.0, changed_out_m2=10.0),
    ]),
    2024: pd.DataFrame([flows(ordnance="unknown", cancelled_m2=300.0, changed_out_m2=10.0, district="East")]),
}  # fmt: skip


def decided(*rows):
    base = {"action": "cleared", "source": "made up", "items": None, "decided_on": "2023-05-01"}
    full = [base | {"release_id": f"R{k}"} | row for k, row in enumerate(rows)]
    table = gpd.GeoDataFrame(full, geometry="geometry", crs=UTM)
    return table.assign(decided_on=pd.to_datetime(table["decided_on"]))


SURVEYED = (
    Step(name="interviews", kinds=("NTS",)),
    Step(name="survey", kinds=("TS",), ground="not-cancelled"),
    Step(name="clearance", kinds=("manual",), ground="to-clear"),
)
PREPARED = (Step(name="preparation", kinds=("mechanical",)), Step(name="clearance", kinds=("manual",)))


def planning(**changes):
    base = {
        "start": date(2025, 10, 1), "periods": 3, "period_months": 6, "counted_months": 36, "working_days_a_month": 20,
        "home_m": 0, "wait_periods": 0, "currency": "USD", "score_weight": 0, "risk_weight": 0, "optional_share": 0,
        "search_work": 1, "gap": 0.1, "seed": 1,
        "methods": (
            Method(land_class="SHA", steps=SURVEYED),
            Method(land_class="CHA", ordnance=("AV",), steps=PREPARED),
            Method(land_class="CHA", steps=PREPARED[1:]),
        ),
        "outcomes": {"SHA": Outcome(cancelled=0.5, reduced=0.3, cleared=0.2, concentration=3, source="made up")},
    }  # fmt: skip
    return PlanningSettings(**base | changes)


TEAMS = pd.DataFrame(
    [
        {"team_id": "M", "kind": "manual", "number": 2, "rate_low": 50.0, "rate_likely": 100.0, "rate_high": 200.0,
         "cost_per_day": 10.0, "season": None},
        {"team_id": "S", "kind": "TS", "number": 1, "rate_low": 100.0, "rate_likely": 100.0, "rate_high": 100.0,
         "cost_per_day": 1.0, "season": "11-2"},
        {"team_id": "lost", "kind": "NTS", "number": None, "rate_low": None, "rate_likely": None, "rate_high": None,
         "cost_per_day": None, "season": None},
    ]
)  # fmt: skip


def piece(task, step, kind, team, period, m2, days=0.0):
    starts, ends = {
        1: ("2025-10-01", "2026-03-31"), 2: ("2026-04-01", "2026-09-30"), 3: ("2026-10-01", "2027-03-31")
    }[period]  # fmt: skip
    return {"task_id": task, "step": step, "kind": kind, "team_id": team, "period": period, "m2": m2, "days": days,
            "starts_on": starts, "ends_on": ends}  # fmt: skip


TASKS = pd.DataFrame(
    {
        "task_id": ["suspected", "vehicle", "confirmed"],
        "land_class": ["SHA", "CHA", "CHA"],
        "ordnance": ["AP; AV", "AV", "AP; AV"],
    }
)
WORK = pd.DataFrame(
    [
        piece("suspected", 1, "NTS", "N", 1, 1000.0),
        piece("suspected", 2, "TS", "S", 1, 500.0),
        piece("suspected", 3, "manual", "M", 2, 200.0),
        piece("vehicle", 1, "mechanical", "M", 2, 70.0),
        piece("vehicle", 2, "manual", "M", 2, 70.0),
        piece("confirmed", 1, "manual", "M", 3, 30.0),
        piece("gone", 1, "manual", "M", 1, 999.0),
        piece("confirmed", 2, "manual", "M", 1, 999.0),  # its method has one step
    ]
)


def filed(told):
    """The dossier of a clock, with a row of each kind in every table."""
    return Dossier(clock=told, obligations=obligations(told.convention), currency="USD", **_tables_to_file())


@cache
def _tables_to_file():
    remaining = pd.DataFrame(
        [
            ["West <&>", "CHA", "AP", 2, 1234567.0],
            ["East", "CHA", "AV", 1, 0.2],
            ["East", "indication", "unknown", 1, 5e8],
            [UNPLACED, "SHA", "AP", 3, None],
        ],
        columns=["district", "land_class", "ordnance", "hazards", "reported_m2"],
    )
    releases = decided({"geometry": square(0, 0, 10), "items": "AP 3"}, {"geometry": square(20, 0, 10)})
    bridges = {2023: pd.DataFrame([flows(district="all", cleared_m2=30.0, land_class="CHA")])}
    work = pd.DataFrame([piece("T1", 3, "manual", "M", 2, 8000.0, 80.0)])
    return {
        "remaining": remaining,
        "released": released_table(bridges, releases, as_at="2023-12-31"),
        "milestones": milestones(work, TEAMS, planning()),
        "planned": planned_release(WORK, TASKS, planning()),
        "achieved": plan_vs_achieved(WORK, TASKS, {2026: BRIDGES[2024]}, planning(), as_at="2026-12-31"),
    }
