"""Decisions as they are held from run to run: every rewriting is found, and no re-export is one."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity, box

from clearplan.land.decisions import changes_between, decisions_of
from clearplan.read.readers import read_history, read_releases
from tests.conftest import E0, N0, UTM

REGION = (45.6, 38.8, 47.8, 40.9)
NO_RELEASES = gpd.GeoDataFrame({"release_id": []}, geometry=[], crs=UTM)
NO_HISTORY = pd.DataFrame({"history_id": []})


def releases(count=6):
    """Decisions of land release side by side, each of its own day and size."""
    rows = range(count)
    table = {
        "release_id": [f"R{k}" for k in rows],
        "action": [("cancelled", "reduced", "cleared")[k % 3] for k in rows],
        "decided_on": [f"2024-05-{k + 1:02}" for k in rows],
        "decided_by": "authority",
        "reason": "test",
        "depth_m": 0.2,
        "position_error_m": 0.0,
        "source": "test",
    }
    ground = [box(E0 + 1000 * k, N0, E0 + 1000 * k + 100 + 10 * k, N0 + 100) for k in rows]
    return gpd.GeoDataFrame(table, geometry=ground, crs=UTM)


def history(count=4):
    rows = range(count)
    return pd.DataFrame(
        {
            "history_id": [str(k) for k in rows],
            "hazard_id": [f"H{k}" for k in rows],
            "changed_on": [f"2024-03-{k + 1:02}" for k in rows],
            "changed_by": "authority",
            "reason": "test",
            "status": "closed",
            "source": "test",
        }
    )


def rewritten(table, before=None):
    """(decision, what) of every value that differs from what it was."""
    old = decisions_of(releases() if before is None else before, NO_HISTORY)
    return {row[:2] for row in changes_between(old, decisions_of(table, NO_HISTORY)).rows}


def with_value(row, column, value):
    table = releases()
    table.loc[row, column] = value
    return table


@pytest.mark.parametrize("row", range(6))
def test_every_rewriting_is_found(row):
    name = f"release R{row}"
    assert rewritten(releases().drop(index=row)) == {(name, "the whole decision")}
    assert rewritten(with_value(row, "decided_on", "2024-06-01")) == {(name, "decided_on")}
    assert rewritten(with_value(row, "decided_on", None)) == {(name, "decided_on")}
    assert rewritten(with_value(row, "decided_by", "somebody else")) == {(name, "decided_by")}
    assert rewritten(with_value(row, "action", "re-opened")) == {(name, "action")}
    ground = releases().geometry[row]
    # By hand: a strip of 0.0105 m along a side of 100 m is 1.05 m2, and a projection that is true to area keeps 1.
    west, south, east, north = ground.bounds
    assert rewritten(with_value(row, "geometry", box(west, south, east + 0.0105, north))) == {(name, "area_m2")}
    moved = affinity.translate(ground, 0, 50)
    assert rewritten(with_value(row, "geometry", moved)) == {(name, "middle of the ground")}
    other = (row + 1) % 6
    swapped = with_value(row, "release_id", f"R{other}")
    swapped.loc[other, "release_id"] = f"R{row}"
    assert {decision for decision, _ in rewritten(swapped)} == {name, f"release R{other}"}


def test_two_alike_decisions_that_change_places_are_found():
    ground = [box(E0, N0, E0 + 100, N0 + 100), box(E0 + 500, N0, E0 + 600, N0 + 100)]
    alike = releases(2).assign(action="reduced", decided_on="2024-05-01").set_geometry(ground, crs=UTM)
    swapped = alike.assign(release_id=["R1", "R0"])
    assert rewritten(swapped, alike) == {(f"release R{k}", "middle of the ground") for k in (0, 1)}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("hazard_id", "H9"),
        ("status", "open"),
        ("changed_on", "2025-01-01"),
        ("changed_by", "me"),
        ("land_class", "CHA"),
    ],
)
def test_every_rewriting_of_a_change_of_status_is_found(column, value):
    old = decisions_of(NO_RELEASES, history())
    table = history().assign(land_class=None).astype(object)
    assert not changes_between(old, decisions_of(NO_RELEASES, table)).rewritten
    table.loc[2, column] = value
    assert [row[:2] for row in changes_between(old, decisions_of(NO_RELEASES, table)).rows] == [("change 2", column)]
    gone = changes_between(old, decisions_of(NO_RELEASES, history().drop(index=1)))
    assert gone.gone == ["change 1"]


@given(order=st.permutations(range(6)), columns=st.permutations(list(releases().columns)), noise=st.floats(-0.49, 0.49))
@settings(max_examples=50, deadline=None)
def test_a_re_export_is_no_rewriting(order, columns, noise):
    table = releases().iloc[order][columns]
    sides = table.geometry.bounds
    # The noise of each area [m2] is spread along its eastern side, 100 m long.
    east = sides["maxx"] + noise / 100
    ground = [box(*corner) for corner in zip(sides["minx"], sides["miny"], east, sides["maxy"], strict=True)]
    noisy = gpd.GeoDataFrame(table).set_geometry(ground, crs=UTM).assign(decided_by="  authority ")
    assert rewritten(noisy) == set()


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp", ".parquet", ".csv", ".fgb"])
def test_another_format_is_no_rewriting(tmp_path, suffix):
    before = releases()
    path = tmp_path / f"releases{suffix}"
    options = {}
    if suffix == ".csv":
        lonlat = before.to_crs(4326)
        pd.DataFrame(lonlat.drop(columns="geometry")).assign(wkt=lonlat.geometry.to_wkt(rounding_precision=-1)).to_csv(
            path, index=False
        )
        options = {"crs": "EPSG:4326"}
    elif suffix == ".parquet":
        before.to_parquet(path)
    elif suffix == ".shp":
        options = {"columns": {"position_error_m": "error"}}
        before.rename(columns={"position_error_m": "error"}).to_file(path)
    else:
        before.to_crs(4326).to_file(path)
    table = read_releases(path, region=REGION, **options)
    assert len(table) == 6
    assert rewritten(table) == set()


@pytest.mark.parametrize("crs", [4326, 32639, 3035, "ESRI:102025"])
def test_another_working_crs_is_no_rewriting(crs):
    assert rewritten(releases().to_crs(crs)) == set()


def test_rows_without_an_id_are_known_by_what_they_say(tmp_path):
    """An id that is made from the row of the file says nothing; the order of rows and the file's name don't count."""
    rows = history().drop(columns="history_id")
    rows.to_csv(tmp_path / "history.csv", index=False)
    rows.iloc[::-1].to_excel(tmp_path / "other.xlsx", index=False)
    first, second = (read_history(tmp_path / name) for name in ("history.csv", "other.xlsx"))
    places = [("history.csv", row) for row in (2, 3, 4, 5)]
    assert first["history_id"].tolist() == [f"{file} row {row}" for file, row in places]
    labelled = first.set_axis(pd.MultiIndex.from_tuples(places), axis="index")
    file = second["history_id"][0].removesuffix(" row 2")
    others = second.set_axis(pd.MultiIndex.from_tuples([(file, row) for row in (2, 3, 4, 5)]), axis="index")
    old = decisions_of(NO_RELEASES, labelled)
    assert next(iter(old)) == "change without id (H0, closed, 2024-03-01, authority)"
    assert not changes_between(old, decisions_of(NO_RELEASES, others)).rewritten
    later = labelled.assign(changed_by=np.where(labelled["hazard_id"] == "H2", "somebody else", "authority"))
    assert changes_between(old, decisions_of(NO_RELEASES, later)).gone == [
        "change without id (H2, closed, 2024-03-03, authority)"
    ]


def test_decisions_without_ground_and_no_decisions():
    bare = with_value(1, "geometry", None)
    assert rewritten(bare) == {("release R1", "area_m2"), ("release R1", "middle of the ground")}
    assert rewritten(bare, bare) == set()
    assert decisions_of(NO_RELEASES, NO_HISTORY) == {}
