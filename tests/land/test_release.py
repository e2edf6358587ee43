"""Releases taken off areas, tables as at a date, Bayes, readers, and faults: answers by hand or from counted cells."""

import copy
import csv
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import CrsError, FaultsError, SettingsError, TableError
from clearplan.land.as_at import undated
from clearplan.land.audit import closed_by_row, contradicted, history_faults, release_faults, searches
from clearplan.land.ledger import FLOWS
from clearplan.land.release import detection
from clearplan.read.readers import project_sources, read_source
from clearplan.settings.land import Detection, ReleaseSettings
from clearplan.settings.project import Project, load_project
from clearplan.settings.sources import SourceSettings
from clearplan.tables.texts import read_items
from tests import cells
from tests.cells import CELL, area_table, day, history_table, layers, release_table
from tests.conftest import E0, N0, SAMPLE, UTM, accident_table, random_world
from tests.test_laws import ZOO

STATES = ("remaining", "cancelled", "reduced", "cleared", "closed")


def square(x, y, width, height=None):
    """A rectangle in metres from the corner of the world."""
    return box(E0 + x, N0 + y, E0 + x + width, N0 + y + (height or width))


# --- what remains --------------------------------------------------------------------------------------------------


@given(world=layers, until=cells.days)
@settings(max_examples=60, deadline=None)
def test_every_cell_of_every_area_is_in_the_state_of_its_last_event(world, until):
    rows, events, _ = world
    left = cp.apply_releases(area_table(rows), release_table(events), as_at=day(until))
    assert left["area_id"].tolist() == [f"H{k}" for k in range(len(rows))]
    for k, hazard in enumerate(rows):
        counted = dict.fromkeys(STATES, 0)
        for x, y in cells.every_cell():
            if cells.holds(hazard["box"], x, y):
                counted[cells.state_of(hazard, events, x, y, until)] += 1
        found = {state: left.loc[k, f"{state}_m2"] / CELL**2 for state in STATES}
        assert found == pytest.approx(counted, rel=1e-6, abs=1e-6)
        whole = left.loc[k, "reported_m2"]
        assert sum(left.loc[k, f"{state}_m2"] for state in STATES) == pytest.approx(whole, rel=1e-9)
        stays = counted["remaining"] or (counted["closed"] if hazard["status"] == "closed" else 0)
        shape = left.geometry[k]
        assert (0 if shape is None else shape.area / CELL**2) == pytest.approx(stays, rel=1e-6)
        assert left.loc[k, "planning_m2"] == pytest.approx(stays * CELL**2, rel=1e-6)


def test_a_day_in_the_life_of_a_field():
    areas = area_table([{"geometry": square(0, 0, 100), "land_class": "CHA", "day": 0}])
    releases = release_table(
        [
            {"action": "cancelled", "day": 1, "geometry": square(0, 0, 50, 100)},
            {"action": "cleared", "day": 2, "geometry": square(40, 0, 20, 100)},
            {"action": "re-opened", "day": 3, "geometry": square(0, 0, 10, 100)},
        ]
    )
    wanted = {0: (10_000, 0, 0), 1: (5_000, 5_000, 0), 2: (4_000, 4_000, 2_000), 3: (5_000, 3_000, 2_000)}
    for when, (remaining, cancelled, cleared) in wanted.items():
        left = cp.apply_releases(areas, releases, as_at=day(when)).iloc[0]
        assert (left["remaining_m2"], left["cancelled_m2"], left["cleared_m2"]) == (remaining, cancelled, cleared)
    assert left["release_ids"] == "R0; R1; R2"
    assert cp.check(cp.apply_releases(areas, releases)).empty
    assert left["reported_m2"] == 10_000
    assert left["reduced_m2"] == 0


@pytest.mark.parametrize(
    ("actions", "state"),
    [
        (("cleared", "re-opened"), "remaining"),
        (("re-opened", "cleared"), "remaining"),
        (("reduced", "cleared"), "cleared"),
        (("cleared", "reduced"), "cleared"),
        (("reduced", "cancelled"), "reduced"),
    ],
)
def test_on_one_day_reopened_stands_over_cleared_over_reduced_over_cancelled(actions, state):
    releases = release_table([{"action": a, "day": 1, "geometry": square(0, 0, 100)} for a in actions])
    left = cp.apply_releases(area_table([{"geometry": square(0, 0, 100)}]), releases)
    assert left.loc[0, f"{state}_m2"] == 10_000


def test_a_hazard_reported_after_the_release_remains_and_one_without_date_is_released():
    areas = area_table([{"geometry": square(0, 0, 100), "day": k} for k in (1, 2, 3, None)])
    releases = release_table([{"action": "cleared", "day": 2, "geometry": square(0, 0, 100)}])
    left = cp.apply_releases(areas, releases)
    assert left["remaining_m2"].tolist() == [0, 0, 10_000, 0]
    assert left.geometry.isna().tolist() == [True, True, False, True]
    assert left["deferred"].isna().all(), "a hazard of which nothing remains is not a deferred one"
    faults = release_faults(areas, releases)
    assert faults["value"].tolist() == ["H2: 10,000 m2"]
    assert faults["level"].tolist() == ["warning"]
    assert undated(areas)["area_id"].tolist() == ["H3"]


def test_a_release_is_not_grown_by_its_error():
    areas = area_table([{"geometry": square(0, 0, 100)}])
    releases = release_table([{"action": "cleared", "day": 2, "geometry": square(0, 0, 50, 100)}])
    wide = releases.assign(position_error_m=30.0)
    assert cp.apply_releases(areas, wide).loc[0, "remaining_m2"] == 5_000
    faults = release_faults(areas, wide)
    assert faults["value"].tolist() == ["1 releases state one"]
    assert release_faults(areas, releases).empty


def test_a_closed_hazard_keeps_its_ground_apart_and_comes_back_where_it_is_reopened():
    areas = area_table([{"geometry": square(x, 0, 100), "status": "closed"} for x in (0, 1000)])
    releases = release_table([{"action": "re-opened", "day": 2, "geometry": square(0, 0, 30, 100)}])
    left = cp.apply_releases(areas, releases)
    assert left["closed_m2"].tolist() == [7_000, 10_000]
    assert left["remaining_m2"].tolist() == [3_000, 0]
    assert left["status"].tolist() == ["open", "closed"]
    assert left["planning_m2"].tolist() == [3_000, 10_000]
    faults = release_faults(areas, releases)
    assert faults["rule"].tolist() == ["re-opens ground of a hazard whose status is closed; that ground remains"]
    assert faults["value"].tolist() == ["H0: 3,000 m2"]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_ragged_shapes_lose_no_ground(seed):
    hazards, _ = random_world(seed, count=20)
    other, _ = random_world(seed + 1, count=15)
    draw = np.random.default_rng(seed)
    areas = area_table(
        [
            {"geometry": g, "land_class": c, "ordnance": o, "day": int(draw.integers(0, 9))}
            for g, c, o in zip(hazards.geometry, hazards["land_class"], hazards["ordnance"], strict=True)
        ]
    )
    rows = [{"geometry": g, "action": str(draw.choice(cells.STANDS)), "day": int(draw.integers(0, 9))} for g in
            other.geometry]  # fmt: skip
    releases = release_table(rows)
    before = copy.deepcopy((areas, releases))
    left = cp.apply_releases(areas, releases)
    assert areas.equals(before[0])
    assert releases.equals(before[1])
    parts = left[[f"{state}_m2" for state in STATES]].sum(axis=1)
    assert parts.to_numpy() == pytest.approx(left["reported_m2"].to_numpy(), rel=1e-6)
    table = cp.ledger(areas, releases, as_at=day(8))
    net = cp.net_area(left).set_index("land_class")["planning_m2"]
    for row in table[table["land_class"] != "outside every known hazard"].itertuples():
        assert row.remaining_m2 == pytest.approx(net.get(row.land_class, 0.0), rel=1e-6, abs=1e-3)
    counting = shapely.union_all([*areas.geometry, *releases.geometry]).area
    assert table["reported_m2"].sum() == pytest.approx(counting, rel=1e-6)


@pytest.mark.parametrize("animal", ZOO)
def test_zoo_meets_the_ledger(animal):
    shape = ZOO[animal]
    areas = area_table([{"geometry": shape, "land_class": "CHA"}, {"geometry": square(50, 50, 150)}])
    releases = release_table(
        [
            {"action": "cleared", "day": 1, "geometry": square(0, 0, 100)},
            {"action": "reduced", "day": 2, "geometry": shape if shape is None or shape.area > 0 else None},
            {"action": "re-opened", "day": 3, "geometry": None},
        ]
    )
    left = cp.apply_releases(areas, releases)
    assert left["area_id"].tolist() == ["H0", "H1"]
    if shape is None:
        assert np.isnan(left.loc[0, "reported_m2"]), "the area of what has no place is unknown, not 0"
        assert left.loc[0, "deferred"] == "shape is missing"
    table = cp.ledger(areas, releases, as_at=day(8))
    area = shapely.union_all([g for g in (*areas.geometry, *releases.geometry) if g is not None and g.area > 0]).area
    assert table["reported_m2"].sum() == pytest.approx(area, rel=1e-6)
    flows = cp.bridge(areas, releases, opening=day(0), closing=day(8))
    assert flows["closing_m2"].sum() == pytest.approx(
        table[table["land_class"].isin(cells.ORDER)]["remaining_m2"].sum()
    )
    release_faults(areas, releases, accidents=accident_table([(E0 + 1, N0 + 1)], ["2025-01-01"]))


def test_nothing_to_release_and_nothing_to_release_from():
    areas, none = area_table([{"geometry": square(0, 0, 100)}]), release_table([])
    assert cp.apply_releases(areas, none)["remaining_m2"].tolist() == [10_000]
    assert cp.ledger(areas, none, as_at=day(1))["remaining_m2"].tolist() == [10_000]
    empty = areas.iloc[:0]
    releases = release_table([{"action": "cleared", "day": 1, "geometry": square(0, 0, 100)}])
    assert len(cp.apply_releases(empty, releases)) == 0
    table = cp.ledger(empty, releases, as_at=day(1))
    assert table[["land_class", "district", "cleared_m2"]].values.tolist() == [
        ["outside every known hazard", "all", 10_000]
    ]
    assert cp.bridge(empty, none, opening=day(0), closing=day(1)).empty
    assert cp.ledger(empty, none, as_at=day(1)).empty
    assert release_faults(areas, none).empty


def test_bad_tables_are_refused():
    areas = area_table([{"geometry": square(0, 0, 100)}])
    releases = release_table([{"action": "cleared", "day": 1, "geometry": square(0, 0, 100)}])
    with pytest.raises(CrsError):
        cp.apply_releases(areas, gpd.GeoDataFrame(releases, geometry=list(releases.geometry), crs=4326))
    with pytest.raises(TableError, match="decided_on is blank"):
        cp.apply_releases(areas, releases.assign(decided_on=pd.NaT))
    with pytest.raises(TableError, match="action must be one of"):
        cp.apply_releases(areas, releases.assign(action="handed over"))
    with pytest.raises(SettingsError, match="must be a day"):
        cp.apply_releases(areas, releases, as_at="30 of June")
    with pytest.raises(SettingsError, match="must be a day"):
        cp.as_at(areas, None)
    with pytest.raises(SettingsError, match="turn them round"):
        cp.bridge(areas, releases, opening=day(2), closing=day(1))


# --- history -------------------------------------------------------------------------------------------------------


def test_history_faults():
    areas = area_table([{"geometry": square(0, 0, 10), "day": 3}, {"geometry": square(0, 0, 10), "status": "closed"},
                        {"geometry": square(0, 0, 10)}])  # fmt: skip
    areas.loc[2, "kind"] = "contact-line"
    history = history_table(
        [
            {"hazard": 9, "day": 5, "status": "closed"},
            {"hazard": 0, "day": 2, "status": "closed"},
            {"hazard": 1, "day": 5, "status": "closed"},
            {"hazard": 2, "day": 5, "land_class": "CHA"},
            {"hazard": 0, "day": 4, "status": "open"},
        ]
    )
    faults = history_faults(areas, history)
    assert faults[["row", "level"]].values.tolist() == [[0, "error"], [1, "warning"], [3, "warning"]]
    assert "no hazard has this id" in faults.loc[0, "rule"]
    assert "before its hazard" in faults.loc[1, "rule"]
    assert "stays an indication" in faults.loc[2, "rule"]


def test_a_status_closed_in_the_hazards_own_row_is_told():
    areas = area_table([{"geometry": square(0, 0, 10), "status": "closed"}, {"geometry": square(0, 0, 10)}])
    (told,) = closed_by_row(areas).to_dict("records")
    assert told["value"] == "1 hazards: H0"
    assert "nobody knows since when" in told["rule"]
    assert closed_by_row(areas.iloc[1:]).empty


# --- faults --------------------------------------------------------------------------------------------------------


def told(faults, words):
    own = faults[faults["rule"].str.contains(words, regex=False)]
    assert len(own) == 1, faults[["rule", "value"]].values.tolist()
    return own.iloc[0]


def test_release_before_its_hazard():
    areas = area_table([{"geometry": square(0, 0, 100), "day": 5}, {"geometry": square(0, 0, 100), "day": 6}])
    releases = release_table([{"action": "cleared", "day": 2, "geometry": square(0, 0, 100), "hazard_id": "H0"}])
    faults = release_faults(areas, releases)
    named = told(faults, "dated before the hazard that it names (H0, recorded 2024-01-06)")
    assert (named["level"], named["value"]) == ("error", "2024-01-03")
    assert told(faults, "hazards were reported after")["value"] == "H1: 10,000 m2"


def test_overlapping_releases_of_different_action():
    areas = area_table([{"geometry": square(0, 0, 1000)}])
    rows = [
        {"action": "cancelled", "day": 1, "geometry": square(0, 0, 100)},
        {"action": "cleared", "day": 2, "geometry": square(90, 0, 100)},
        {"action": "cleared", "day": 3, "geometry": square(180, 0, 100)},  # same action as R1
        {"action": "reduced", "day": 4, "geometry": square(279.2, 0, 100)},  # 0.8 % of R2
    ]
    faults = release_faults(areas, release_table(rows))
    one = told(faults, "overlaps a release of other action")
    assert (one["level"], one["row"]) == ("repairable", 1)
    assert one["value"] == "R0 (cancelled) and R1 (cleared): 1,000 m2"
    assert "R1 (cleared) counts there" in one["rule"]
    reopened = [*rows[:2], {"action": "re-opened", "day": 2, "geometry": square(0, 0, 100)}]
    reopened[1] = reopened[1] | {"day": 3}
    faults = release_faults(areas, release_table(reopened))
    assert not faults["rule"].str.contains("other action").any(), "re-opened between: no contradiction"
    reopened[2]["day"] = 5
    faults = release_faults(areas, release_table(reopened))
    assert faults["rule"].str.contains("other action").sum() == 1, "re-opened after both: still one"


def test_release_of_another_district():
    areas = area_table([{"geometry": square(0, 0, 1000, 100)}])
    ground = {"district": ["West", "East"]}
    districts = gpd.GeoDataFrame(ground, geometry=[square(0, 0, 500), square(500, 0, 500)], crs=UTM)
    releases = release_table(
        [
            {"action": "cleared", "day": 1, "geometry": square(450, 0, 100, 100), "district": "West"},
            {"action": "cleared", "day": 1, "geometry": square(100, 0, 100, 100), "district": "West"},
            {"action": "cleared", "day": 1, "geometry": square(300, 0, 100, 100), "district": "Westen"},
            {"action": "cleared", "day": 1, "geometry": square(700, 0, 100, 100), "district": "West"},
        ]
    )
    faults = release_faults(areas, releases, districts)
    away = faults[faults["rule"].str.contains("another district")]
    assert away[["row", "value", "level"]].values.tolist() == [
        [0, "H0: 5,000 m2 in East", "repairable"],
        [3, "H0: 10,000 m2 in East", "repairable"],
    ]
    assert told(faults, "no district has this name")["value"] == "Westen"
    assert len(faults) == 3
    table = cp.ledger(areas, releases, as_at=day(9), districts=districts)
    assert table.set_index("district")["cleared_m2"].to_dict() == {"West": 25_000, "East": 15_000}


def test_named_hazard_unknown_untouched_or_without_place():
    areas = area_table([{"geometry": square(0, 0, 100)}, {"geometry": None}])
    rows = [{"action": "cleared", "day": 1, "geometry": square(0, 0, 50), "hazard_id": h} for h in ("H7", "H1")]
    rows += [{"action": "cleared", "day": 1, "geometry": square(5000, 0, 50), "hazard_id": "H0"}]
    faults = release_faults(areas, release_table(rows))
    assert told(faults, "no hazard has this id")["level"] == "error"
    assert told(faults, "has no place")["level"] == "warning"
    assert told(faults, "does not touch the hazard")["row"] == 2
    outside = told(faults, "outside every known hazard")
    assert (outside["level"], outside["value"]) == ("warning", "2,500 m2")


def test_cleared_without_depth_and_items_that_cannot_be_counted():
    areas = area_table([{"geometry": square(0, 0, 100)}])
    rows = [
        {"action": "cleared", "day": 1, "geometry": square(0, 0, 50), "depth_m": None, "items": "three mines"},
        {"action": "reduced", "day": 1, "geometry": square(50, 50, 50), "depth_m": None, "items": "none"},
    ]
    faults = release_faults(areas, release_table(rows))
    assert faults[["row", "column", "level"]].values.tolist() == [[0, "depth_m", "error"], [0, "items", "error"]]
    rows[0] |= {"depth_m": 0.2, "items": "PMN 3"}
    assert release_faults(areas, release_table(rows), devices={"PMN": "a mine"}).empty


def test_reopening_of_ground_that_was_never_released():
    areas = area_table([{"geometry": square(0, 0, 100)}])
    rows = [
        {"action": "cleared", "day": 1, "geometry": square(0, 0, 50, 100)},
        {"action": "re-opened", "day": 2, "geometry": square(0, 0, 60, 100)},
        {"action": "cleared", "day": 3, "geometry": square(0, 0, 60, 100)},
    ]
    one = told(release_faults(areas, release_table(rows)), "never released")
    assert (one["row"], one["level"], one["value"]) == (1, "warning", "1,000 m2")


def test_ground_outside_every_hazard_is_a_row_of_its_own():
    areas = area_table([{"geometry": square(0, 0, 100)}])
    rows = [
        {"action": "cleared", "day": 1, "geometry": square(50, 0, 100, 100)},
        {"action": "re-opened", "day": 1, "geometry": square(500, 0, 10, 10)},
    ]
    table = cp.ledger(areas, release_table(rows), as_at=day(1)).set_index("land_class")
    assert table.loc["SHA", ["reported_m2", "remaining_m2", "cleared_m2"]].tolist() == [10_000, 5_000, 5_000]
    outside = table.loc["outside every known hazard"]
    assert outside[["reported_m2", "remaining_m2", "cleared_m2"]].tolist() == [5_100, 100, 5_000]


def test_closed_hazards_are_named_in_the_ledger():
    rows = [{"geometry": square(k * 50, 0, 100), "status": "closed"} for k in range(2)]
    table = cp.ledger(area_table([*rows, {"geometry": square(0, 0, 60, 100)}]), release_table([]), as_at=day(1))
    assert table[["remaining_m2", "closed_m2", "closed_ids"]].values.tolist() == [[6_000, 9_000, "H0; H1"]]


# --- Bayes ---------------------------------------------------------------------------------------------------------

unit = st.floats(0, 1)


def test_negative_search_by_hand():
    # .2 x .1 / (1 - .18) = .024390; again .024390 x .1 / (1 - .024390 x .9) = .0024938
    once = cp.negative_search(0.2, 0.9)
    assert once == pytest.approx(0.02 / 0.82)
    assert cp.negative_search(once, 0.9) == pytest.approx(0.0024938, abs=5e-8)
    found = cp.negative_search(np.array([0.2, 0.5, 0.0, 1.0]), np.array([0.9, 0.5, 0.7, 0.9]))
    assert found.tolist() == pytest.approx([0.02 / 0.82, 0.25 / 0.75, 0, 1])


def test_a_perfect_search_leaves_nothing_unless_something_was_found_there_later():
    p = np.array([0.2, 0.2, 1.0, 0.0])
    found = cp.negative_search(p, 1.0, contradicted=np.array([False, True, False, False]))
    assert found.tolist() == [0, 0.2, 1, 0]


@given(p=unit, d=unit, more=unit)
def test_negative_search_laws(p, d, more):
    after = cp.negative_search(p, d)
    assert 0 <= after <= p + 1e-15
    assert cp.negative_search(p, 0.0) == p
    assert cp.negative_search(p, max(d, more)) <= cp.negative_search(p, min(d, more)) + 1e-15
    both = cp.negative_search(after, more)
    once = cp.negative_search(p, 1 - (1 - d) * (1 - more))  # two searches are one that misses what both miss
    assert both == pytest.approx(once, abs=1e-9) or p > 1 - 1e-6
    assert cp.negative_search(p, d, contradicted=True) == p


@pytest.mark.parametrize(("p", "d"), [(0.2, -0.1), (0.2, 1.1), (-0.1, 0.5), (1.1, 0.5), (0.2, float("nan"))])
def test_probabilities_outside_their_range_are_refused(p, d):
    with pytest.raises(SettingsError, match="within 0 and 1"):
        cp.negative_search([p, 0.3], [d, 0.3])


def test_an_unknown_probability_stays_unknown():
    assert np.isnan(cp.negative_search(float("nan"), 0.5))


def test_detection_has_no_default():
    given_ = {"cancelled": 0.3, "reduced": 0.7, "cleared": 0.99}
    for name in given_:
        with pytest.raises(ValidationError, match=name):
            Detection(**{k: v for k, v in given_.items() if k != name})
        with pytest.raises(ValidationError):
            Detection(**given_ | {name: -0.1})
    with pytest.raises(ValidationError, match="source"):
        ReleaseSettings(detection=Detection(**given_), halo="drop")
    with pytest.raises(ValidationError):
        ReleaseSettings(detection=Detection(**given_), halo="drop", source="")
    releases = pd.DataFrame({"action": ["reduced", "re-opened", "cleared", "cancelled"]})
    assert detection(releases, Detection(**given_)).tolist() == [0.7, 0.0, 0.99, 0.3]


def test_releases_that_later_finds_contradict():
    releases = release_table(
        [{"action": a, "day": 3, "geometry": square(200 * k, 0, 100)} for k, a in enumerate(cells.STANDS)]
        + [{"action": "cleared", "day": 3, "geometry": square(1000, 0, 100)}]
    )
    inside = [(E0 + 200 * k + 50, N0 + 50) for k in range(4)]
    accidents = accident_table([*inside, inside[0]], ["2024-01-03", None, "2024-02-01", "2024-02-01", "2024-03-01"])
    hazards = area_table([{"geometry": square(1050, 0, 100), "day": 5}, {"geometry": square(1099.5, 0, 99), "day": 5},
                          {"geometry": square(0, 0, 900), "day": 0}, {"geometry": square(0, 0, 900), "day": None},
                          {"geometry": Point(E0 + 1010, N0 + 10), "day": 5}])  # fmt: skip
    found = contradicted(releases, accidents, hazards)
    assert found[["release_id", "evidence", "evidence_id"]].values.tolist() == [
        ["R0", "accident", "A4"],  # A0 came before the release
        ["R1", "accident", "A1"],  # without a date: can't be ruled out
        ["R2", "accident", "A2"],
        ["R4", "hazard", "H0"],  # H1 shares 0.5 % of the smaller shape; R3 is a re-opening
        ["R4", "hazard", "H4"],
    ]
    faults = release_faults(hazards.iloc[:4], releases, accidents=accidents)
    own = faults[faults["rule"].str.contains("found on the ground after")]
    assert own["value"].tolist() == [
        "accident A4 2024-03-01", "accident A1 without date", "accident A2 2024-02-01", "hazard H0 2024-01-06",
    ]  # fmt: skip
    assert (own["level"] == "warning").all()
    assert found["certain"].all()
    assert contradicted(releases, accidents.iloc[:0], hazards.iloc[:0]).empty


def test_an_accident_beside_released_ground_may_have_been_there():
    releases = release_table([{"action": "cleared", "day": 3, "geometry": square(0, 0, 100)}])
    # Position errors of 100 m: 90 m away may be, 110 m away is not; on the day itself can't be ruled out, before can.
    accidents = accident_table(
        [(E0 + 190, N0 + 50), (E0 + 210, N0 + 50), (E0 + 50, N0 + 50), (E0 + 50, N0 + 50)],
        ["2024-02-01", "2024-02-01", "2024-01-04", "2024-01-03"],
    )
    nothing = area_table([{"geometry": square(5000, 0, 10)}])
    found = contradicted(releases, accidents, nothing)
    assert found[["evidence_id", "certain"]].values.tolist() == [["A0", False], ["A2", True]]
    faults = release_faults(nothing, releases, accidents=accidents)
    rules = [rule for rule in faults["rule"] if "after" in rule]
    assert len(rules) == 2
    assert "may have been there" in rules[0]
    # One that may have been elsewhere takes nothing from the search; one on the ground does.
    find = Detection(cancelled=0.5, reduced=0.8, cleared=0.99)
    assert searches(releases, find, accidents.iloc[:1], nothing, as_at="2025-01-01")["release_id"].tolist() == ["R0"]
    assert searches(releases, find, accidents.iloc[2:], nothing, as_at="2025-01-01").empty


def test_ground_that_two_releases_cover_counts_the_search_that_finds_most():
    # Cancelled from 0 to 100 m, cleared from 50 to 150 m: the half that both cover was cleared.
    releases = release_table([
        {"action": "cancelled", "day": 3, "geometry": square(0, 0, 100)},
        {"action": "cleared", "day": 9, "geometry": square(50, 0, 100)},
    ])  # fmt: skip
    nothing = area_table([{"geometry": square(5000, 0, 10)}])
    find = Detection(cancelled=0.5, reduced=0.8, cleared=0.99)
    found = searches(releases, find, accident_table([], []), nothing, as_at="2025-01-01").set_index("release_id")
    assert found["detection"].to_dict() == {"R0": 0.5, "R1": 0.99}
    assert found.geometry.area.to_dict() == pytest.approx({"R0": 5_000, "R1": 10_000}, abs=1.0)


# --- reading -------------------------------------------------------------------------------------------------------

LON, LAT = 46.9, 39.9
GROUND = f"POLYGON (({LON} {LAT}, {LON + 0.01} {LAT}, {LON + 0.01} {LAT + 0.01}, {LON} {LAT}))"
RELEASE = {
    "release_id": "R1", "action": "cleared", "decided_on": "2024-05-01", "decided_by": "authority", "reason": "cleared",
    "operator": "one", "depth_m": "0.2", "items": "AP 3; UXO 1", "position_error_m": "5", "source": "sheet 1",
    "wkt": GROUND,
}  # fmt: skip


BLANK = {"depth_m": "", "items": ""}


def write(path, rows):
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(dict.fromkeys(k for row in rows for k in row)))
        table.writeheader()
        table.writerows(rows)
    return path


def test_releases_are_read_from_a_table(tmp_path):
    again = RELEASE | {
        "release_id": "R2",
        "action": "re-opened",
        "decided_on": "2024-06-01",
        "depth_m": "",
        "items": "",
    }
    table = cp.read_releases(write(tmp_path / "r.csv", [RELEASE, again]), crs="EPSG:4326", working=UTM)
    assert cp.check(table).empty, "the same ground twice is no fault where the second row re-opens it"
    assert table["action"].tolist() == ["cleared", "re-opened"]
    assert table["depth_m"].tolist()[0] == 0.2
    assert read_items(table["items"][0]) == {"AP": 3, "UXO": 1}
    assert read_items(table["items"][1]) is None
    assert str(table.crs) == UTM
    assert table["decided_on"].dt.date.astype(str).tolist() == ["2024-05-01", "2024-06-01"]
    with pytest.raises(FaultsError, match="entered twice"):
        cp.read_releases(write(tmp_path / "t.csv", [RELEASE, RELEASE | {"release_id": "R2"}]), crs="EPSG:4326")


@pytest.mark.parametrize(
    ("changes", "column", "rule"),
    [
        ({"depth_m": ""}, "depth_m", "cleared without a depth"),
        ({"depth_m": "-1"}, "depth_m", "must be at least 0"),
        ({"items": "AP three"}, "items", "items found can't be read"),
        ({"items": "AP 1; AP 2"}, "items", "items found can't be read"),
        ({"items": "XX 1"}, "items", "items found can't be read"),
        ({"action": "handed over"}, "action", "must be one of"),
        ({"decided_on": ""}, "decided_on", "must not be blank"),
        ({"decided_on": "03/04/2024"}, "decided_on", "3 April or 4 March"),
        ({"decided_by": ""}, "decided_by", "must not be blank"),
        ({"source": ""}, "source", "must not be blank"),
        ({"wkt": f"POINT ({LON} {LAT})"}, "geometry", "shape must be polygon"),
        ({"wkt": ""}, "geometry", "shape is missing"),
    ],
)
def test_bad_releases_are_faults_and_leniently_they_release_nothing(tmp_path, changes, column, rule):
    path = write(tmp_path / "r.csv", [RELEASE | changes])
    with pytest.raises(FaultsError) as error:
        cp.read_releases(path, crs="EPSG:4326", working=UTM)
    found = error.value.faults
    assert any(r == 2 and c == column and rule in w for r, c, w in found[["row", "column", "rule"]].values)
    assert len(cp.check_file(path, "releases", crs="EPSG:4326", region=(46, 39, 48, 41)))
    with pytest.warns(UserWarning, match="read leniently"):
        kept = cp.read_releases(path, crs="EPSG:4326", working=UTM, lenient=True)
    assert kept.geometry.isna().all()
    assert column in kept.loc[0, "deferred"]
    ground = box(LON - 0.01, LAT - 0.01, LON + 0.02, LAT + 0.02)
    whole = gpd.GeoSeries([ground], crs=4326).to_crs(UTM)[0]
    left = cp.apply_releases(area_table([{"geometry": whole}]), kept)
    assert left.loc[0, "remaining_m2"] == left.loc[0, "reported_m2"]


def test_a_country_counts_its_own_devices(tmp_path):
    path = write(tmp_path / "r.csv", [RELEASE | {"items": "PMN 3"}])
    source = SourceSettings(path=path, crs="EPSG:4326")
    reading = read_source("releases", source, code_lists={"device": {"PMN": "a mine"}})
    assert reading.faults.empty
    assert read_items("PMN 3", {"PMN": "a mine"}) == {"PMN": 3}


CHANGE = {
    "hazard_id": "H1", "status": "closed", "changed_on": "2024-05-01", "changed_by": "authority", "reason": "done",
    "source": "letter 7",
}  # fmt: skip


def test_history_is_read_without_ids_and_shapes(tmp_path):
    path = write(tmp_path / "h.csv", [CHANGE, CHANGE | {"status": "", "land_class": "CHA", "changed_on": "2024-06-01"}])
    table = cp.read_history(path)
    assert table["history_id"].tolist() == ["h.csv row 2", "h.csv row 3"]
    assert cp.check(table).empty
    assert "geometry" not in table.columns
    workbook = tmp_path / "h.xlsx"
    pd.read_csv(path).to_excel(workbook, index=False)
    assert cp.read_history(workbook)["land_class"].isna().tolist() == [True, False]
    both = cp.combine(table, cp.read_history(workbook))
    assert len(both) == 4
    with pytest.raises(TableError, match="stands in two files"):
        cp.combine(table, table)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"status": ""}, "neither status nor land_class"),
        ({"status": "gone"}, "must be one of"),
        ({"changed_on": ""}, "must not be blank"),
        ({"changed_by": ""}, "must not be blank"),
        ({"reason": ""}, "must not be blank"),
        ({"hazard_id": ""}, "must not be blank"),
    ],
)
def test_bad_history_is_a_fault_and_leniently_has_no_effect(tmp_path, changes, rule):
    path = write(tmp_path / "h.csv", [CHANGE | changes, CHANGE | {"changed_on": "2024-04-01", "status": "worked-on"}])
    faults = cp.check_file(path, "history")
    assert faults["rule"].str.contains(rule).any()
    with pytest.warns(UserWarning, match="read leniently"):
        kept = cp.read_history(path, lenient=True)
    assert kept["deferred"].notna().tolist() == [True, False]
    areas = area_table([{"geometry": square(0, 0, 10)}, {"geometry": square(0, 0, 10)}])
    assert cp.as_at(areas, "2025-01-01", history=kept).loc[1, "status"] == "worked-on"


def test_a_plan_lists_releases_and_history(tmp_path):
    project = load_project(SAMPLE / "plan.toml").model_dump(exclude_unset=True)
    project["releases"] = {"path": tmp_path / "r.csv", "crs": "EPSG:4326"}
    project["history"] = [{"path": tmp_path / "h.csv"}]
    names = [name for name, _ in project_sources(Project.model_validate(project))]
    assert names[-3:] == ["releases", "history", "teams"]


# --- the sample ----------------------------------------------------------------------------------------------------


def test_the_published_release_of_2023_sums_to_the_same_in_each_break_down():
    with (SAMPLE / "released_2023.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    sums: dict[str, int] = {}
    for row in rows:
        whole, tenth = row["hectares"].split(".")  # in tenths of a hectare, so that sums are exact
        sums[row["breakdown"]] = sums.get(row["breakdown"], 0) + 10 * int(whole) + int(tenth)
        assert row["source"]
    assert sums == {"district": 530_818, "operator": 530_818, "land_use": 530_818}


@pytest.fixture(scope="module")
def sample_history():
    project = load_project(SAMPLE / "plan.toml")
    working = cp.working_crs(project.study.region).crs
    fields = next(source for _, source in project_sources(project) if source.path.name == "minefields.geojson")
    hazards = read_source("hazards", fields, region=project.study.region, working=working).table
    releases = cp.read_releases(
        SAMPLE / "illustrative" / "releases.geojson", region=project.study.region, working=working
    )
    return hazards, cp.footprints(hazards, project.footprints), releases, cp.read_history(
        SAMPLE / "illustrative" / "history.csv"
    )  # fmt: skip


def test_the_sample_tells_three_years_without_a_fault_of_the_files(sample_history):
    hazards, areas, releases, history = sample_history
    assert cp.check(releases).empty
    assert cp.check(history).empty
    assert releases["action"].value_counts().to_dict() == {
        "cleared": 33, "cancelled": 31, "reduced": 25, "re-opened": 2,
    }  # fmt: skip
    assert set(releases["decided_on"].dt.year) == {2023, 2024, 2025}
    assert len(history) == 25
    assert all(read_items(text) for text in releases.loc[releases["action"] == "cleared", "items"])
    assert history_faults(hazards, history).empty
    faults = release_faults(areas, releases)
    assert set(faults["level"]) == {"warning"}, "the small overlap is below the limit"
    assert faults["rule"].str.contains("outside every known hazard").sum() == 1


def test_the_books_of_the_sample_balance(sample_history):
    _, areas, releases, history = sample_history
    ends = ["2022-12-31", "2023-12-31", "2024-12-31", "2025-12-31"]
    closings = [0.0]
    for opening, closing in pairwise(ends):
        table = cp.bridge(areas, releases, opening=opening, closing=closing, history=history)
        moved = table["opening_m2"] + sum(sign * table[name] for name, sign in FLOWS.items())
        assert moved.to_numpy() == pytest.approx(table["closing_m2"].to_numpy(), rel=1e-6, abs=0.01)
        assert len(closings) == 1 or table["opening_m2"].sum() == pytest.approx(closings[-1], rel=1e-9)
        closings.append(table["closing_m2"].sum())
        books = cp.ledger(areas, releases, as_at=closing, history=history)
        known = books[books["land_class"] != "outside every known hazard"]
        union = shapely.union_all(cp.as_at(areas, closing)["reported"].to_numpy()).area
        assert known["reported_m2"].sum() == pytest.approx(union, rel=1e-6)
        left = cp.apply_releases(cp.as_at(areas, closing, history=history), releases, as_at=closing)
        net = cp.net_area(left)
        assert known["remaining_m2"].sum() == pytest.approx(net["reported_m2"].sum(), rel=1e-6)
        assert known["planning_m2"].sum() == pytest.approx(net["planning_m2"].sum(), rel=1e-6)
        assert closings[-1] == pytest.approx(known["remaining_m2"].sum(), rel=1e-6)
