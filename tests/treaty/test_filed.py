"""Tables to file of what remains and what was released, against areas counted by hand and in cells."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given, settings

import clearplan as cp
from clearplan.core.errors import TableError
from clearplan.land.footprints import net_area
from clearplan.land.ledger import bridge
from clearplan.treaty.clock import counted_ground
from clearplan.treaty.filed import UNPLACED, book_years, released_table, remaining_table
from tests import cells
from tests.cells import area_table, day, district_table, history_table, layers, release_table
from tests.conftest import UTM
from tests.treaty.books import BRIDGES, decided, flows, square


@given(world=layers, until=cells.days)
@settings(max_examples=40, deadline=None)
def test_what_remains_is_what_the_net_areas_say(world, until):
    rows, events, changes = world
    areas, releases, history = area_table(rows), release_table(events), history_table(changes)
    books = bridge(areas, releases, opening=day(0), closing=day(until), history=history, districts=district_table())
    left = cp.apply_releases(cp.as_at(areas, day(until), history=history), releases, as_at=day(until))
    before = left.copy()
    table = remaining_table(books, left, district_table())
    assert left.equals(before)
    net = net_area(left, district_table()).groupby(["district", "land_class"])["reported_m2"].sum()
    ours = table.groupby(["district", "land_class"])["reported_m2"].sum()
    for key in set(net.index) | set(ours.index):
        assert ours.get(key, 0.0) == pytest.approx(net.get(key, 0.0), rel=1e-6, abs=1e-3)
    there = left[(left["status"] != "closed") & (left["remaining_m2"] > 0)]
    assert table["hazards"].sum() == there["hazard_id"].nunique()
    for convention in ("APMBC", "CCM"):
        ground = counted_ground(left, convention)
        declared = table.loc[table["land_class"] != "indication", "reported_m2"].sum()
        assert ground.counted_m2 + ground.other_m2 == pytest.approx(declared, rel=1e-6, abs=1e-3)
        assert ground.indication_m2 == pytest.approx(table["reported_m2"].sum() - declared, rel=1e-6, abs=1e-3)


def test_a_hazard_counts_once_and_one_without_a_place_is_kept():
    areas = area_table(
        [
            {"geometry": square(100, 0, 300, 100)},  # West has 200 m of it, East 100 m
            {"geometry": square(350, 0, 50, 100), "land_class": "CHA"},  # East, within the first
            {"geometry": None, "ordnance": "AV"},
            {"geometry": square(900, 0, 10), "status": "closed"},
        ]
    )
    districts = gpd.GeoDataFrame(
        {"name": ["West", "East"]}, geometry=[square(0, 0, 300, 500), square(300, 0, 300, 500)], crs=UTM
    )
    books = bridge(areas, release_table([]), opening=day(0), closing=day(8), districts=districts, district_name="name")
    table = remaining_table(books, areas, districts, district_name="name")
    assert table[["district", "land_class", "ordnance", "hazards"]].values.tolist() == [
        ["West", "SHA", "AP", 1],
        ["East", "CHA", "AP", 1],
        ["East", "SHA", "AP", 0],
        [UNPLACED, "SHA", "AV", 1],
    ]
    assert table["reported_m2"].tolist()[:3] == pytest.approx([20_000, 5_000, 5_000])
    assert pd.isna(table["reported_m2"].iloc[3])


def test_released_ground_by_method_and_items_by_device():
    west, east = square(0, 0, 1000), square(1000, 0, 1000)
    districts = gpd.GeoDataFrame({"district": ["West", "East"]}, geometry=[west, east], crs=UTM)
    releases = decided(
        {"geometry": square(0, 0, 10), "items": "AP 3; AV 1"},
        {"geometry": square(990, 0, 30, 10), "items": "AP 2"},  # two thirds lie in East
        {"geometry": square(20, 0, 10)},
        {"geometry": square(0, 0, 10), "action": "cancelled", "items": None},
        {"geometry": square(0, 0, 10), "action": "re-opened", "items": None},
        {"geometry": None, "items": "UXO 5"},
        {"geometry": None, "items": "none", "decided_on": None},
        {"geometry": square(0, 0, 10), "items": "AP 9", "decided_on": "2025-07-01"},  # after the day
    )
    table = released_table(BRIDGES, releases, districts, as_at="2025-06-30")
    told = table.set_index(["year", "district", "method"])
    first = told.loc[(2023, "West", "cleared")]
    assert (first["cha_m2"], first["sha_m2"], first["indication_m2"]) == (7050, 30, 0)
    assert (first["releases"], first["decisions_silent"], first["items_AP"], first["items_AV"]) == (2, 1, 3, 1)
    assert told.loc[(2023, "West", "cancelled"), "indication_m2"] == 9000
    assert pd.isna(told.loc[(2023, "West", "cancelled"), "items_AP"])  # one decision, which doesn't say
    assert told.loc[(2023, "West", "reduced"), "items_AP"] == 0  # no decision, so nothing was found
    over = told.loc[(2023, "East", "cleared")]
    assert (over["releases"], over["items_AP"], over["sha_m2"]) == (1, 2, 0)
    lost = told.loc[(2023, UNPLACED, "cleared")]
    assert (lost["items_UXO"], lost["releases"]) == (5, 1)
    assert pd.isna(lost["sha_m2"])
    assert table["year"].isna().sum() == 1
    assert table["releases"].sum() == 6
    assert told.loc[(2025, "West", "cleared"), "releases"] == 0
    with pytest.raises(TableError, match="items"):
        released_table(BRIDGES, decided({"geometry": square(0, 0, 1), "items": "AP three"}), as_at="2025-06-30")


def test_the_years_of_the_books():
    releases = decided({"geometry": square(0, 0, 1)}, {"geometry": None, "decided_on": "2001-01-01"})
    assert book_years(releases, "2024-02-29") == {
        2023: (date(2022, 12, 31), date(2023, 12, 31)),
        2024: (date(2023, 12, 31), date(2024, 2, 29)),
    }
    assert list(book_years(releases.iloc[:0], date(2026, 1, 1))) == [2026]


def test_degrees_are_refused():
    areas = area_table([{"geometry": square(0, 0, 100)}]).to_crs("EPSG:4326")
    with pytest.raises(cp.CrsError):
        remaining_table(pd.DataFrame([flows()]), areas)
