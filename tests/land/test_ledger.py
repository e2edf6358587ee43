"""The ledger and the bridge against cells counted one by one, and by hand."""

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import clearplan as cp
from clearplan.land.ledger import FLOWS, bridges, ledger
from tests import cells
from tests.cells import CELL, area_table, day, district_table, history_table, layers, release_table
from tests.conftest import FULL

STATES = ("remaining", "cancelled", "reduced", "cleared", "closed")


def tables(world):
    rows, events, changes = world
    return area_table(rows), release_table(events), history_table(changes)


def as_cells(table, keys, terms):
    found = {}
    for row in table.to_dict("records"):
        counted = {term: row[f"{term}_m2"] / CELL**2 for term in terms if row[f"{term}_m2"]}
        found[tuple(row[k] for k in keys)] = counted
    return found


def agree(ours, theirs):
    assert set(ours) == set(theirs)
    for key, terms in theirs.items():
        assert ours[key] == pytest.approx(terms, rel=1e-6), key


@given(world=layers, until=cells.days)
@settings(max_examples=60 if FULL else 30, deadline=None)
def test_ledger_is_what_the_cells_say(world, until):
    areas, releases, history = tables(world)
    table = ledger(areas, releases, as_at=day(until), history=history, districts=district_table())
    agree(as_cells(table, ["land_class", "district"], STATES), cells.ledger_by_hand(world, until))
    parts = table[[f"{state}_m2" for state in STATES]].sum(axis=1)
    assert table["reported_m2"].to_numpy() == pytest.approx(parts.to_numpy(), rel=1e-12)
    known = table.loc[table["land_class"] != "outside every known hazard", "reported_m2"].sum()
    union = shapely.union_all(cp.as_at(areas, day(until)).geometry.to_numpy()).area
    assert known == pytest.approx(union, rel=1e-6)


@given(world=layers, ends=st.tuples(cells.days, cells.days, cells.days))
@settings(max_examples=60 if FULL else 30, deadline=None)
def test_bridges_are_what_the_cells_say(world, ends):
    areas, releases, history = tables(world)
    ends = sorted(ends)
    found = bridges(areas, releases, days=[day(k) for k in ends], history=history, districts=district_table())
    assert len(found) == 2
    for table, first, last in zip(found, ends[:2], ends[1:], strict=True):
        terms = ["opening", *(name.removesuffix("_m2") for name in FLOWS), "closing"]
        ours = as_cells(table, ["district", "land_class", "ordnance"], terms)
        agree(ours, cells.bridge_by_hand(world, first, last))
        moved = table["opening_m2"] + sum(sign * table[name] for name, sign in FLOWS.items())
        assert moved.to_numpy() == pytest.approx(table["closing_m2"].to_numpy(), rel=1e-6, abs=1e-6 * CELL**2)
        assert not table["withdrawn_m2"].any()
