"""Tables as they may leave the house: all, shapes for partners, or cells and districts for anyone.

What may leave is declared in :mod:`clearplan.tables.tiers`. At the public tier nothing is copied from a hazard:
hazards become cells with their net ground, tasks a row a cell and class, places the middles of their cells, accidents
counts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.crs import require_metres
from clearplan.publishing.public_cells import (
    Key,
    cell_areas,
    cell_tasks,
    make_key,
    plain_gates,
    public_places,
    publish_work,
)
from clearplan.publishing.reasons import narrowed
from clearplan.publishing.suppress import with_totals, withheld
from clearplan.settings.publishing import PublishSettings
from clearplan.tables.codes import OUTSIDE
from clearplan.tables.columns import Tier
from clearplan.tables.frames import Table
from clearplan.tables.texts import ids_in
from clearplan.tables.tiers import check_tier, may_leave

_DEFERRED = "could not be placed or used"
UNPLACED = "place not known"
UNDATED = "year not known"


def publish_tables(
    tables: Mapping[str, Table],
    tier: str,
    *,
    settings: PublishSettings,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
    as_at: dt.date | None = None,
    key: Key | None = None,
) -> dict[str, Table]:
    """Tables as a tier may see them; the tables given stay as they are.

    Parameters
    ----------
    tables : mapping
        Declared tables by name (``clearplan.tables.lookup.TABLES``), in one metric CRS. The public tier needs AREAS
        where there are hazards or tasks: they hold the footprints that cells must contain.
    tier : 'public', 'partner' or 'restricted'
    settings : PublishSettings
        Cells and thresholds; its own tier does not count here.
    districts : GeoDataFrame, optional
        In the same CRS, names in ``district_name``.
    as_at : date, optional
        Day for which gates count.
    key : Key, optional
        From :func:`make_key` for the same tables; made where it is not given.

    Returns
    -------
    dict
        The same names; at the public tier tables of which nothing may leave are empty, and ``accident_counts`` is there
        where accidents are: district, year, accidents (blank: withheld), told. Areas are net [m2], each square metre in
        one cell and class, rounded to 0.1 ha, the least 0.1 ha.

    Raises
    ------
    SettingsError
        There is no such tier.
    TableError
        The public tier lacks AREAS.
    CrsError
        Tables are not in metres, or not in one CRS.
    """
    own = check_tier(tier)
    if own == "restricted":
        return dict(tables)
    if own == "partner":
        return _for_partners(tables)
    key = key or make_key(tables, settings, districts=districts, district_name=district_name)
    return _for_anyone(tables, key, settings, districts, district_name, as_at)


def only_declared(name: str, table: Table, tier: Tier, *, teams: Mapping[str, str] | None = None) -> Table:
    """A table without the columns, and in its reasons without the values, that don't leave at a tier.

    ``teams``: id of a team to its public name, for reasons that name teams.

    >>> only_declared("teams", pd.DataFrame({"team_id": ["T"], "kind": ["TS"], "leader": ["a name"]}), "public")
      team_id kind
    0       T   TS
    """
    columns = [column for column in table.columns if may_leave(name, str(column), tier)]
    kept = narrowed(table[columns], name, tier, teams=teams)
    return pd.DataFrame(kept) if "geometry" not in kept.columns else kept


# --- partners: shapes, without what records say and what was entered ----------------------------------------------


def _for_partners(tables: Mapping[str, Any]) -> dict[str, Any]:
    out = {name: only_declared(name, table, "partner").copy() for name, table in tables.items()}
    sources = _sources(tables["hazards"]) if "hazards" in tables else {}
    for name in ("hazards", "areas"):
        if sources and name in out:
            out[name]["source"] = out[name]["hazard_id"].map(sources)
    if sources and "tasks" in out:
        out["tasks"]["source"] = [
            "; ".join(dict.fromkeys(str(sources[one]) for one in ids_in(ids) if one in sources))
            for ids in out["tasks"]["hazard_ids"]
        ]
    if "hazards" in tables:
        _without_dates_of_records(out, tables["hazards"])
    if "accidents" in out and "occurred_on" in out["accidents"].columns:
        days = pd.to_datetime(out["accidents"]["occurred_on"])
        # A day and a place are enough to find a person's name in a newspaper; the month tells seasons and trends.
        out["accidents"]["occurred_on"] = days.dt.to_period("M").dt.start_time
    for table in out.values():
        if "deferred" in table.columns:  # such reasons quote what was entered
            table["deferred"] = table["deferred"].notna().map({True: _DEFERRED, False: None})
    return out


def _without_dates_of_records(out: dict[str, Any], hazards: pd.DataFrame) -> None:
    """Days of what comes from minefield records are those on which mines were laid or the record was handed over."""
    if "recorded_on" not in hazards.columns:
        return
    days = pd.to_datetime(hazards["recorded_on"]).mask(from_records(hazards)).set_axis(hazards["hazard_id"].astype(str))
    for name in ("hazards", "areas"):
        if name in out and "recorded_on" in out[name].columns:
            out[name]["recorded_on"] = out[name]["hazard_id"].astype(str).map(days)
    if "tasks" in out and {"recorded_on", "hazard_ids"} <= set(out["tasks"].columns):
        known = [days.reindex(ids_in(ids)).max() for ids in out["tasks"]["hazard_ids"]]
        out["tasks"]["recorded_on"] = pd.to_datetime(pd.Series(known, index=out["tasks"].index))


def _sources(hazards: pd.DataFrame) -> dict[str, Any]:
    """Hazard to its source; of what comes from minefield records only that it does."""
    records = from_records(hazards)
    return dict(zip(hazards["hazard_id"], hazards["source"].mask(records, "minefield record"), strict=True))


def from_records(hazards: pd.DataFrame) -> pd.Series:
    """Which hazards come from minefield records: those alone carry a planner's trust in them."""
    if "reliability" not in hazards.columns:
        return pd.Series(False, index=hazards.index)
    trusted: pd.Series = hazards["reliability"].notna()
    return trusted


# --- anyone: cells -------------------------------------------------------------------------------------------------


def _for_anyone(
    tables: Mapping[str, Any], key: Key, settings: PublishSettings, districts: Any, district_name: str, as_at: Any
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, table in tables.items():
        if name == "hazards":
            made[name] = _open_lines(table, settings)
        elif name == "areas":
            made[name] = cell_areas(key)
        elif name == "tasks":
            gates = tables.get("gates")
            made[name] = cell_tasks(table, key, None if gates is None else plain_gates(gates), as_at)
        elif name == "zones":
            made[name] = public_places(table, key, settings, districts)
        elif name == "gates":
            made[name] = plain_gates(table).assign(gate_id=[f"gate-{k}" for k in range(1, len(table) + 1)])
        elif name == "teams":
            made[name] = table.assign(team_id=table["team_id"].astype(str).map(key.teams))
        elif name == "work":
            made[name] = publish_work(table, key)
        else:
            # Columns that a partner may see keep the table's form; what a user named a column may tell as much as it
            # holds.
            made[name] = only_declared(name, table.iloc[:0], "partner")
            continue
        # Columns are chosen by the declaration even where every one of them was made here.
        made[name] = only_declared(name, made[name], "public", teams=key.teams)
    if "accidents" in tables:
        made["accident_counts"] = count_accidents(
            tables["accidents"], settings.suppress_below, districts=districts, district_name=district_name
        )
    return made


def _open_lines(hazards: gpd.GeoDataFrame, settings: PublishSettings) -> gpd.GeoDataFrame:
    """Contact lines as published elsewhere, where the plan says that they are; every other hazard is shown by AREAS."""
    lines = hazards[(hazards["kind"] == "contact-line").to_numpy() & settings.contact_line]
    return lines.assign(hazard_id=[f"L{k}" for k in range(1, len(lines) + 1)])


def count_accidents(
    accidents: gpd.GeoDataFrame,
    below: int,
    *,
    districts: gpd.GeoDataFrame | None = None,
    district_name: str = "district",
) -> pd.DataFrame:
    """Accidents by district and year, with totals; small counts withheld with what would let them be computed back.

    Parameters
    ----------
    accidents : GeoDataFrame
        ACCIDENTS in a metric CRS.
    below : int
        Counts from 1 to below - 1 are withheld; 0 stands as 0.
    districts : GeoDataFrame, optional
        In the same CRS; without, all stand in one row.

    Returns
    -------
    DataFrame
        district and year ('all': the total), accidents (blank: withheld), told ('yes' or 'withheld').
    """
    where, years = _districts_of(accidents, districts, district_name), _years(accidents)
    rows = sorted(set(where), key=lambda name: (name in (OUTSIDE, UNPLACED), name))
    columns = sorted(set(years))
    counts = np.zeros((len(rows), len(columns)), dtype=int)
    np.add.at(counts, ([rows.index(name) for name in where], [columns.index(year) for year in years]), 1)
    hidden, table = withheld(counts, below), with_totals(counts)
    out = [
        {
            "district": name,
            "year": year,
            "accidents": None if hidden[i, j] else int(table[i, j]),
            "told": "withheld" if hidden[i, j] else "yes",
        }
        for i, name in enumerate([*rows, "all"])
        for j, year in enumerate([*columns, "all"])
    ]
    return pd.DataFrame(out, columns=["district", "year", "accidents", "told"]).astype({"accidents": "Int64"})


def _years(accidents: pd.DataFrame) -> list[str]:
    days = pd.to_datetime(accidents["occurred_on"])
    return [UNDATED if pd.isna(day) else str(day.year) for day in days]


def _districts_of(accidents: gpd.GeoDataFrame, districts: Any, district_name: str) -> list[str]:
    points = accidents.geometry.to_numpy()
    lost = shapely.is_missing(points) | shapely.is_empty(points)
    if districts is None:
        return [UNPLACED if own else "all districts" for own in lost]
    require_metres(accidents, districts)
    found = np.full(len(points), OUTSIDE, dtype=object)
    near = np.full(len(points), None, dtype=object)
    near[~lost] = shapely.point_on_surface(points[~lost])
    i, j = shapely.STRtree(districts.geometry.to_numpy()).query(near, predicate="intersects")
    first = pd.DataFrame({"i": i, "j": j}).sort_values(["i", "j"]).drop_duplicates("i")
    found[first["i"]] = districts[district_name].to_numpy(object)[first["j"]]
    found[lost] = UNPLACED
    return [str(name) for name in found]
