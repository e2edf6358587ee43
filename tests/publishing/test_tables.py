"""Publication tiers: what leaves is declared, column by column; accidents by district and year."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from clearplan.core.errors import SettingsError, TableError
from clearplan.core.reason import Reason
from clearplan.publishing.tables import count_accidents, publish_tables
from clearplan.settings.publishing import PublishSettings
from clearplan.tables.books import BOOKS
from clearplan.tables.inputs import INPUTS
from clearplan.tables.lookup import TABLES, base_columns
from clearplan.tables.record_sheets import RECORD_TABLES
from clearplan.tables.results import RESULTS
from clearplan.tables.tiers import TIERS, may_leave, tier_of
from tests.conftest import E0, N0, UTM, accident_table, hazard_table, zone_table

# --- what leaves is declared ----------------------------------------------------------------------------------------


def test_every_column_has_its_tier_and_what_nobody_declared_is_restricted():
    for table, columns in TABLES.items():
        for column in columns:
            assert column.leaves == tier_of(table, column.name)
            assert column.leaves in TIERS
        assert tier_of(table, "a_column_that_a_user_added") == "restricted"


def test_a_table_declares_a_column_once():
    for table, columns in TABLES.items():
        names = [column.name for column in columns]
        assert len(names) == len(set(names)), table


def test_what_must_never_be_public_is_not_declared_so():
    for table in ("records", "legs", "anchors", "vertices", "record_points", "record_versions"):
        assert {tier_of(table, column.name) for column in TABLES[table]} == {"restricted"}
    for table in TABLES:
        for column in ("entered_geometry", "entered_crs"):
            assert tier_of(table, column) == "restricted"
        for column in ("ordnance", "position_error_m", "deferred", "hazard_ids", "depth_profile"):
            # A book of the public tier says "all" of its ordnance.
            assert tier_of(table, column) != "public" or (column == "ordnance" and table in BOOKS)


def marked(table: str, tier: str) -> pd.DataFrame:
    """Two rows of a declared table in which each value that does not leave at a tier is a mark that can be found."""
    codes = {"kind": {"gates": "dispute", "teams": "TS", "lifelines": "road"}.get(table, "minefield"),
             "land_class": "SHA", "status": "open", "band": "whole", "queue": "survey"}  # fmt: skip
    rows = []
    for k in range(2):
        row = {"user_column": f"mark-{table}-user-{k}", "c_user_raw": 4711.0 + k}
        for column in base_columns(table):
            mark = f"mark-{table}-{column.name}-{k}"
            values = {"text": codes.get(column.name, mark), "number": 7_654_321.0 + k, "integer": 3.0,
                      "date": pd.Timestamp("2021-04-17"), "geometry": box(E0, N0, E0 + 90, N0 + 90),
                      "reason": Reason("blocker.lifeline", lifeline=mark)}  # fmt: skip
            row[column.name] = values[column.dtype]
        rows.append(row)
    frame = pd.DataFrame(rows)
    if "geometry" not in frame.columns:
        return frame
    return gpd.GeoDataFrame(frame, geometry="geometry", crs=UTM)


#: Texts that anyone gets as they stand: names of places and districts, and of steps of a method.
AS_THEY_ARE = {("zones", "name"), ("zones", "other_names"), ("zones", "people_basis"), ("zones", "survey_status"),
               ("work", "step_name"), ("gates", "district")}  # fmt: skip


@pytest.mark.parametrize("tier", ["public", "partner"])
def test_no_value_leaves_that_was_not_declared(tier):
    tables = {name: marked(name, tier) for name in (*INPUTS, *RECORD_TABLES, *RESULTS)}
    out = publish_tables(tables, tier, settings=PublishSettings(contact_line=True))
    for name, table in out.items():
        if name == "accident_counts":
            continue
        for column in table.columns:
            assert len(table) == 0 or may_leave(name, str(column), tier), f"{name}.{column}"
            assert column != "user_column", name
        told = table.drop(columns="geometry", errors="ignore").to_csv()
        for theirs, columns in ((t, base_columns(t)) for t in tables):
            for column in columns:
                mark = f"mark-{theirs}-{column.name}-"
                # Ids and names of hazards, teams and accidents are made anew for anyone; places are told by name alone.
                kept = may_leave(theirs, column.name, tier) and (
                    tier == "partner" or (theirs, column.name) in AS_THEY_ARE
                )
                assert kept or mark not in told, f"{name} tells {theirs}.{column.name}"
        assert "-user-" not in told


def test_restricted_is_everything_and_the_tables_given_stay_as_they_are():
    tables = {"zones": zone_table([{"geometry": Point(E0, N0)}])}
    before = tables["zones"].copy()
    assert publish_tables(tables, "restricted", settings=PublishSettings())["zones"] is tables["zones"]
    for tier in ("public", "partner"):
        publish_tables(tables, tier, settings=PublishSettings())
    pd.testing.assert_frame_equal(tables["zones"], before)


def test_an_unknown_tier_and_hazards_without_footprints_are_refused():
    hazards = hazard_table([{"geometry": box(E0, N0, E0 + 90, N0 + 90)}])
    with pytest.raises(SettingsError, match="must be one of public, partner, restricted"):
        publish_tables({"hazards": hazards}, "donor", settings=PublishSettings())
    with pytest.raises(TableError, match="no AREAS beside HAZARDS"):
        publish_tables({"hazards": hazards}, "public", settings=PublishSettings())


def test_partners_get_the_month_of_an_accident_and_no_reason_that_quotes_an_entry():
    accidents = accident_table([(E0, N0), (E0, N0)], ["2021-04-17", None]).assign(victim="a name", deferred="x=12 bad")
    told = publish_tables({"accidents": accidents}, "partner", settings=PublishSettings())["accidents"]
    assert told["occurred_on"].tolist()[0] == pd.Timestamp("2021-04-01")
    assert pd.isna(told["occurred_on"].iloc[1])
    assert "victim" not in told.columns
    assert set(told["deferred"]) == {"could not be placed or used"}


def test_partners_get_shapes_of_records_and_not_where_they_come_from():
    shape = box(E0, N0, E0 + 90, N0 + 90)
    hazards = hazard_table([{"geometry": shape, "source": "2nd battalion, sheet 7"}, {"geometry": shape}])
    hazards = hazards.assign(reliability=[0.6, np.nan], unit=["2nd battalion", None])
    told = publish_tables({"hazards": hazards}, "partner", settings=PublishSettings())["hazards"]
    assert told["source"].tolist() == ["minefield record", "made up"]
    assert told.geometry.equals(hazards.geometry)
    assert "unit" not in told.columns


def test_accidents_by_district_and_year(districts):
    west, east, beyond = (E0, N0), (E0 + 6_000, N0), (E0 + 15_000, N0)
    places = [west] * 6 + [east] * 5 + [beyond] * 7 + [west] * 8 + [east] * 9
    days = ["2021-03-01"] * 11 + ["2022-05-05"] * 7 + ["2022-01-01"] * 17
    told = count_accidents(accident_table(places, days), 5, districts=districts)
    wide = told.pivot(index="district", columns="year", values="accidents")
    assert wide.loc["West"].tolist() == [6, 8, 14]
    assert wide.loc["outside every district"].tolist() == [0, 7, 7]
    assert wide.loc["all", "all"] == 35
    assert set(told["told"]) == {"yes"}
    fewer = count_accidents(accident_table(places[4:], days[4:]), 5, districts=districts)
    assert fewer.set_index(["district", "year"]).loc[("West", "2021"), "told"] == "withheld"
