"""Numbers of the map page's head and charts: sums of the rows of tables, worked out here by hand."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import TableError
from clearplan.outputs.layers import Layers
from clearplan.outputs.page.draw import draw_map
from clearplan.outputs.page.figures import Figures, figures_of, plain_figures, zone_links
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
    net = pd.DataFrame(rows, columns=["land_class", "district", "net_m2"])
    return net.assign(gross_m2=net["net_m2"] * 3, overlap_m2=net["net_m2"] * 2)


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
        }
    )


def donor_plan(home=None, currency="USD"):
    frames = {"home": home_table() if home is None else home, "budgets": budget_table()}
    return planned_of(frames, waiting=1500.0, budget=2e6, currency=currency)


def donor_figures(**more):
    days = (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    plain = {"bridge": bridge_table(), "bridge_days": days, "planned": donor_plan()}
    return Figures(net_table(), **(plain | more))


def donor_world(margins, task_settings, priority_settings):
    """The planned world in two districts, west of E0 + 850 and east of it."""
    ranked, zones, areas = planned_world(margins, task_settings, priority_settings)
    west = box(E0 - 5_000, N0 - 5_000, E0 + 850, N0 + 5_000)
    east = box(E0 + 850, N0 - 5_000, E0 + 9_000, N0 + 5_000)
    layer = zone_table([{"geometry": west}, {"geometry": east}]).assign(name=["West", "East"])[["name", "geometry"]]
    ranked["district"] = np.where(ranked.geometry.centroid.x < E0 + 850, "West", "East")
    return ranked, zones, areas, cp.Context(districts=layer)


def test_figures_are_sums_of_the_rows_of_tables():
    zones = zone_table([{"geometry": Point(E0, N0), "people": people} for people in (650.0, np.nan, 20.0)])
    told = plain_figures(donor_figures(), zones)
    assert told["area"] == net_table()[["land_class", "district", "net_m2"]].to_numpy(object).tolist()
    assert told["people"] == {"known": 670, "places": 2, "unknown": 1}
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
    assert told["budgets"]["rows"][1] == [2e6, 1284, 31_000, 11_000]


def test_released_in_all_is_told_where_there_is_no_bridge():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    ledger = pd.DataFrame({"cancelled_m2": [1.0, 2.0], "reduced_m2": [10.0, 0.0], "cleared_m2": [0.0, 100.0]})
    told = plain_figures(Figures(net_table(), ledger=ledger), zones)
    assert told["released_m2"] == 113
    assert "bridge" not in told
    assert "home" not in told


def test_figures_of_a_study_are_its_books_and_its_plan():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    planned = planned_of({"home": home_table(), "budgets": budget_table()}, waiting=1500.0, budget=None, currency="EUR")
    books = {"net_area": net_table(), "ledger": None}
    figures = figures_of(books, planned, bridge_days=("2026-01-01", "2027-01-01"))
    assert figures.bridge_days == (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    plain = plain_figures(figures, zones)
    assert (plain["home"]["waiting"], plain["budgets"]["currency"], plain["budgets"]["own"]) == (1500.0, "EUR", None)
    assert figures.planned is planned
    assert figures_of(books).planned is None


def test_a_table_that_lacks_a_column_is_refused():
    zones = zone_table([{"geometry": Point(E0, N0)}])
    with pytest.raises(TableError, match="home lacks column 'people_low'"):
        plain_figures(donor_figures(planned=donor_plan(home_table().drop(columns="people_low"))), zones)


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
    page = draw_map(Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, figures=donor_figures())
    told = data_of(page.html)
    assert told["figures"]["districts"] == ["West", "East"]
    assert [zone["district"] for zone in told["zones"]] == ["West", "West", "East", "West"]
    assert told["plan"]["unplaced"][0]["district"] is None
    again = draw_map(Layers(ranked, zones, areas=areas, context=context), periods=PERIODS, figures=donor_figures())
    assert page.html == again.html
    with pytest.raises(TableError, match="no periods"):
        draw_map(Layers(ranked, zones), figures=donor_figures())
