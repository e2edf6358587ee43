"""Numbers of the map page's head and charts: sums of the rows of tables, worked out here by hand."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.outputs.facts import Rows, facts_of
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.page.figures import plain_figures, zone_links
from clearplan.outputs.people_facts import Headcount, People, ReturnTarget, people_record
from clearplan.outputs.plan_facts import Million, Opening
from clearplan.tables.codes import OUTSIDE
from tests.conftest import E0, N0, zone_table
from tests.outputs.page.test_draw import PERIODS, data_of, planned_world
from tests.plans import planned_of

FLOWS = [
    "newly_found_m2", "reopened_m2", "changed_in_m2", "changed_out_m2", "cancelled_m2", "reduced_m2", "cleared_m2",
    "closed_m2", "withdrawn_m2",
]  # fmt: skip


def net_table():
    rows = [("CHA", "West", 2_500_000.0), ("SHA", "West", 1_000_000.0), ("SHA", "East", 3_250_000.0),
            ("indication", "East", 400.0), ("indication", OUTSIDE, 90_000_000.0)]  # fmt: skip
    net = pd.DataFrame(rows, columns=["land_class", "district", "counted_m2"])
    declared = net["land_class"] != "indication"
    # Of declared ground the reported and the stated area count, of indications the ground for planning.
    return net.assign(
        reported_m2=(net["counted_m2"] - 100).where(declared, 7.0),
        stated_m2=np.where(declared, 100.0, np.nan),
        planning_m2=(net["counted_m2"] * 2).where(declared, net["counted_m2"]),
        gross_m2=net["counted_m2"] * 3,
        overlap_m2=net["counted_m2"],
        no_area=(~declared).astype(int),
    )


def bridge_table():
    """Two kinds of ordnance in one district and class, another district; opening and flows make the closing."""
    bridge = pd.DataFrame(0.0, index=range(3), columns=["opening_m2", *FLOWS, "closing_m2"])
    bridge.insert(0, "district", ["West", "West", "East"])
    bridge.insert(1, "land_class", ["SHA", "SHA", "CHA"])
    bridge.insert(2, "ordnance", ["AP", "AV", "AP"])
    bridge["opening_m2"] = [1_000_000.0, 500_000.0, 2_000_000.0]
    bridge["newly_found_m2"] = [0.0, 40_000.0, 0.0]
    bridge["cancelled_m2"] = [200_000.0, 0.0, 0.0]
    bridge["cleared_m2"] = [0.0, 0.0, 300_000.0]
    bridge["closed_m2"] = [0.0, 0.0, 1_000.0]
    bridge["closing_m2"] = [800_000.0, 540_000.0, 1_699_000.0]
    return bridge


def home_table():
    days = [day for _, day in PERIODS]
    people = {"ranked list": [50, 50, 60, 60], "value per area": [50, 80, 80, 90], "greedy unlock": [50, 60, 700, 900],
              "best plan found": [50, 1284, 1284, 1484]}  # fmt: skip
    rows = [
        {"strategy": name, "period": k, "on": days[k], "people": n, "people_low": n * 0.8, "people_high": n * 1.2}
        for name, values in people.items()
        for k, n in enumerate(values)
    ]
    return pd.DataFrame(rows).astype({"people": float})


def budget_table():
    return pd.DataFrame(
        {
            "budget": [1e6, 2e6, 4e6],
            "people_home": [900.0, 1284.0, 1484.0],
            "person_months": [20_000.0, 31_000.0, 35_000.0],
            "per_million": [20_000.0, 11_000.0, 2_000.0],
            "zones_open": [2, 3, 4],
            "gap": [0.0, 0.01, 0.02],
        }
    )


def donor_plan(home=None, currency="USD"):
    """The plan of the days of ``PERIODS``."""
    frames = {"home": home_table() if home is None else home, "budgets": budget_table()}
    planned = planned_of(frames, waiting=1500.0, budget=2e6, currency=currency)
    days = {"start": PERIODS[0][1], "periods": 3, "period_months": 3, "counted_months": 12}
    return replace(planned, case=replace(planned.case, settings=planned.case.settings.model_copy(update=days)))


DAYS = (dt.date(2026, 1, 1), dt.date(2027, 1, 1))


def donor_facts(tasks, zones, *, net=None, bridge=None, planned=None, **more):
    """Facts of made-up books and a plan of work, with the tasks and zones of a world."""
    books = {"net_area": net_table() if net is None else net}
    books["bridge"] = bridge_table() if bridge is None else bridge
    plan = {"planned": donor_plan() if planned is None else planned, "bridge_days": DAYS}
    return facts_of(books, zones=zones, tasks=tasks, **(plan | more))


def bare_facts(tasks, zones, *, net=None):
    """Facts of a run without a bridge and without a plan of work."""
    return facts_of({"net_area": net_table() if net is None else net}, zones=zones, tasks=tasks)


def donor_world(margins, task_settings, priority_settings):
    """The planned world in two districts, west of E0 + 850 and east of it."""
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    west = box(E0 - 5_000, N0 - 5_000, E0 + 850, N0 + 5_000)
    east = box(E0 + 850, N0 - 5_000, E0 + 9_000, N0 + 5_000)
    layer = zone_table([{"geometry": west}, {"geometry": east}]).assign(name=["West", "East"])[["name", "geometry"]]
    ranked["district"] = np.where(ranked.geometry.centroid.x < E0 + 850, "West", "East")
    return ranked, zones, areas, cp.Context(districts=layer)


TASKS = pd.DataFrame({"queue": ["survey", "survey", "clearance"], "rank": [1.0, None, 1.0]})


def opening_zones(people=(650.0, np.nan, 20.0)):
    """Places that open at the end of the first period, but for the last, which opens a period later."""
    zones = zone_table([{"geometry": Point(E0, N0), "people": number} for number in people])
    return zones.assign(opens_in=[1, 1, 2])


def test_figures_are_sums_of_the_rows_of_tables():
    facts = donor_facts(TASKS, opening_zones())
    told = plain_figures(facts)
    assert told["area"] == net_table()[["land_class", "district", "counted_m2"]].to_numpy(object).tolist()
    assert told["people"]["waiting"] == {"known": 670, "places": 2, "unknown": 1, "illustrative": 0}
    assert told["people"]["home"] == {"known": 0, "places": 0, "unknown": 3, "illustrative": 0}
    assert told["released_m2"] == 500_000
    assert told["bridge"]["days"] == ["2026-01-01", "2027-01-01"]
    # What never moved is left out, but for what a reader asks for by name.
    assert told["bridge"]["terms"] == [
        ["newly_found_m2", 1], ["reopened_m2", 1], ["cancelled_m2", -1], ["reduced_m2", -1], ["cleared_m2", -1],
        ["closed_m2", -1],
    ]  # fmt: skip
    assert told["bridge"]["rows"] == [
        ["SHA", "West", 1_500_000, 40_000, 0, 200_000, 0, 0, 0, 1_340_000],
        ["CHA", "East", 2_000_000, 0, 0, 0, 0, 300_000, 1_000, 1_699_000],
    ]
    assert [line[0] for line in told["home"]["lines"]][-1] == "best plan found"
    assert told["home"]["lines"][2][1] == [50, 60, 700, 900]
    assert told["budgets"]["rows"][1] == [2e6, 1284, 31_000, 11_000, False]
    # The plan has 2 million: what the step after it buys. Nothing opens before the first period ends.
    assert told["budgets"]["next"] == {"from": 2e6, "to": 4e6, "months": 2_000, "close": False}
    assert told["opening"] == {"by": "2027-03-31", "places": 2, "people": 650, "unknown": 1}


def test_what_opens_next_and_what_a_million_buys_follow_the_day_and_the_money():
    zones = opening_zones()
    later = donor_facts(TASKS, zones, as_at=dt.date(2027, 3, 31)).plan
    assert later.opening == Opening(dt.date(2027, 6, 30), places=3, people=670, unknown=1)
    rich = planned_of({"home": home_table(), "budgets": budget_table()}, budget=9e6)
    assert donor_facts(TASKS, zones, planned=rich).plan.next_million == Million(2e6, 4e6, 2_000.0)
    endless = planned_of({"home": home_table(), "budgets": budget_table()}, budget=None)
    assert donor_facts(TASKS, zones, planned=endless).plan.next_million == Million(2e6, 4e6, 2_000.0)
    unknown = planned_of({"home": home_table(), "budgets": budget_table().assign(per_million=np.nan)}, budget=5e5)
    assert donor_facts(TASKS, zones, planned=unknown).plan.next_million == Million(0.0, 1e6, None)


def test_a_million_that_is_too_close_to_call_is_no_number():
    note = [None, None, Reason("budget.too_close")]
    months = [20_000.0, 11_000.0, np.nan]
    close = planned_of(
        {"home": home_table(), "budgets": budget_table().assign(note=note, per_million=months)}, budget=2e6
    )
    plan = donor_facts(TASKS, opening_zones(), planned=close).plan
    assert plan.next_million == Million(2e6, 4e6, None, too_close=True)
    assert [step.too_close for step in plan.budgets] == [False, False, True]


def test_released_in_all_is_told_where_there_is_no_bridge():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    names = ("reported_m2", "remaining_m2", "closed_m2", "planning_m2", "planning_released_m2")
    states = dict.fromkeys(names, 0.0)
    ledger = pd.DataFrame({"cancelled_m2": [1.0, 2.0], "reduced_m2": [10.0, 0.0], "cleared_m2": [0.0, 100.0]})
    books = {"net_area": net_table(), "ledger": ledger.assign(land_class=["SHA", "CHA"], **states)}
    facts = facts_of(books, zones=zones, tasks=TASKS)
    told = plain_figures(facts)
    assert told["released_m2"] == 113
    assert (facts.released.cancelled_m2, facts.released.reduced_m2, facts.released.cleared_m2) == (3, 10, 100)
    assert [(row.land_class, row.cleared_m2) for row in facts.standing] == [("SHA", 0), ("CHA", 100)]
    assert "bridge" not in told
    assert "home" not in told


def test_facts_of_a_study_are_its_books_its_tasks_and_its_plan():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    planned = planned_of({"home": home_table(), "budgets": budget_table()}, waiting=1500.0, budget=None, currency="EUR")
    facts = facts_of({"net_area": net_table(), "ledger": None}, zones=zones, tasks=TASKS, planned=planned)
    plain = plain_figures(facts)
    assert (plain["home"]["waiting"], plain["budgets"]["currency"], plain["budgets"]["own"]) == (1500.0, "EUR", None)
    assert [(queue.queue, queue.tasks, queue.gated) for queue in facts.queues] == [
        ("survey", 2, 1),
        ("clearance", 1, 0),
    ]
    assert [(row.land_class, row.counted_m2, row.gross_m2) for row in facts.ground] == [
        ("CHA", 2_500_000, 7_500_000),
        ("SHA", 4_250_000, 12_750_000),
        ("indication", 90_000_400, 270_001_200),
    ]
    assert (facts.counted_m2("SHA"), facts.counted_m2("none")) == (4_250_000, 0)
    assert facts_of({"net_area": net_table()}, zones=zones, tasks=TASKS).plan is None


def test_the_record_of_a_run_says_what_was_counted_before_anything_was_left_out():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    run = {
        "people": {
            "already_home": {"known": 30, "places": 1, "unknown": 4, "illustrative": 0, "not_placed": 0},
            "waiting": {"known": 10, "places": 2, "unknown": 3, "illustrative": 1, "not_placed": 7},
            "targets": [{"programme": "P", "people": 9, "where": "W", "by": "2027-01-31", "source": "S"}],
        },
        "deferred": {"hazards": 2, "tasks": 9, "areas": 9, "teams": 1},
        "faults": [{"level": "warning"}, {"level": "repaired"}, {"level": "warning"}, {"level": "error"}],
        "contact_lines": [{"hazard_id": "L", "length_km": 2.5, "scale": "1:1", "position_error_m": 5000.0}],
    }
    facts = facts_of({"net_area": net_table()}, zones=zones, tasks=TASKS, run=run)
    target = ReturnTarget("P", 9, "W", dt.date(2027, 1, 31), "S")
    assert facts.people == People(Headcount(30, 1, 4), Headcount(10, 2, 3, 1, not_placed=7), (target,))
    assert people_record(facts.people) == run["people"]
    assert facts.rows == Rows(deferred=3, repaired=1, warnings=2)
    assert [line.words for line in facts.contact_lines] == [
        "Contact line L: 2.5 km as drawn at 1:1, up to about 5 km out of place (its belt is not widened)"
    ]


def test_a_table_that_lacks_a_column_is_refused():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    with pytest.raises(TableError, match="home lacks column 'people_low'"):
        donor_facts(TASKS, zones, planned=donor_plan(home_table().drop(columns="people_low")))
    with pytest.raises(TableError, match="net_area lacks column 'gross_m2'"):
        bare_facts(TASKS, zones, net=net_table().drop(columns="gross_m2"))


def test_zones_know_their_district_and_the_classes_that_affect_them():
    tasks = pd.DataFrame({"zone_ids": ["Z0", "Z0; Z1", None], "land_class": ["indication", "CHA", "SHA"]})
    places = [{"geometry": Point(0.5, 0.5)}, {"geometry": Point(9, 9)}, {"geometry": None}]
    zones = zone_table(places)
    districts = zone_table([{"geometry": box(0, 0, 1, 1)}, {"geometry": box(0, 0, 2, 2)}]).assign(
        name=["First", "Second"]
    )
    assert zone_links(tasks, zones, districts) == [
        {"district": "First", "classes": ["CHA", "indication"]},
        {"district": OUTSIDE, "classes": ["CHA"]},
        {"district": None, "classes": []},
    ]
    assert [link["district"] for link in zone_links(tasks, zones)] == [None, None, None]


def test_the_page_carries_figures_only_where_they_are_given(margins, task_settings, priority_settings):
    ranked, zones, areas, context = donor_world(margins, task_settings, priority_settings)
    bare = data_of(draw_map(Layers(ranked, zones, areas=areas, context=context), periods=PERIODS).html)
    assert "figures" not in bare
    assert not {"district", "classes"} & set(bare["zones"][0])
    page = draw_map(
        Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, facts=donor_facts(ranked, zones)
    )
    told = data_of(page.html)
    assert told["figures"]["districts"] == ["West", "East"]
    assert [zone["district"] for zone in told["zones"]] == ["West", "West", "East", "West"]
    assert told["plan"]["unplaced"][0]["district"] is None
    again = draw_map(
        Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, facts=donor_facts(ranked, zones)
    )
    assert page.html == again.html
    with pytest.raises(TableError, match="no periods"):
        draw_map(Layers(ranked, zones), facts=donor_facts(ranked, zones))
