"""Tables that a mine action programme files of the past: what remains, and what was released.

Stages hand tables on: ground comes from the bridges of :mod:`clearplan.land.ledger`, one a calendar year, so that every
figure here is one of the books.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.checks import Day
from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo import shapes
from clearplan.tables.check import placed, remaining
from clearplan.tables.codes import CLASSES, CODE_LISTS, OUTSIDE, RELEASED
from clearplan.tables.texts import read_items

#: Words for rows whose ground nobody can tell.
UNPLACED = "without a place on the map"
UNKNOWN_CLASS = "class not known"
UNKNOWN_TASK = "task or step not known any more"
#: Classes that are declared areas; an indication is a reason to survey and never among them (Law 3).
DECLARED = ("CHA", "SHA")
_FLOWS = (
    "newly_found_m2",
    "cancelled_m2",
    "reduced_m2",
    "cleared_m2",
    "reopened_m2",
    "changed_in_m2",
    "changed_out_m2",
    "closing_m2",
)


def day_in(value: Day, name: str) -> dt.date:
    """A day from a date or ISO text; ``name`` says in an error what it is the day of."""
    try:
        day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        day = None
    day = day.date() if isinstance(day, dt.datetime) and not pd.isna(day) else day
    if not isinstance(day, dt.date) or pd.isna(day):
        raise SettingsError(f"{name} {value!r}: must be a day; write 2024-06-30")
    if not 1900 <= day.year <= 2100:
        raise SettingsError(f"{name} {day}: the year must lie within 1900 and 2100; correct it")
    return day


def need(table: pd.DataFrame, what: str, columns: Iterable[str]) -> None:
    """Refuse a table that lacks a column, in one line."""
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise TableError(f"{what} lacks the column {missing[0]}; hand it over as it was made")


def without_place(areas: gpd.GeoDataFrame) -> pd.Series:
    """Whether an area that counts has no place on the map; what is wholly released has one, and nothing left there."""
    shapeless = pd.Series(~areas.index.isin(placed(areas).index), index=areas.index)
    released = areas["release_ids"].notna() if "release_ids" in areas.columns else False
    lost: pd.Series = shapeless & ~released & (areas["status"] != "closed")
    return lost


def book_years(releases: pd.DataFrame, as_at: Day) -> dict[int, tuple[dt.date, dt.date]]:
    """Calendar years of the ledger of releases, and opening and closing of the bridge of each.

    From the year of the first decision that has a place to that of the day; the last closes on the day.

    >>> told = pd.DataFrame({"decided_on": ["2024-05-01"], "geometry": [shapely.box(0, 0, 1, 1)]})
    >>> {year: str(closing) for year, (_, closing) in book_years(told, "2025-06-30").items()}
    {2024: '2024-12-31', 2025: '2025-06-30'}
    """
    day = day_in(as_at, "as_at")
    decided = pd.to_datetime(placed(releases)["decided_on"]).dropna()
    first = min([day.year, *(decided[decided <= pd.Timestamp(day)].dt.year)])
    return {
        year: (dt.date(year - 1, 12, 31), min(dt.date(year, 12, 31), day)) for year in range(int(first), day.year + 1)
    }


def bridges_in(bridges: Mapping[int, pd.DataFrame]) -> dict[int, pd.DataFrame]:
    """Bridges by calendar year, in order; one that lacks a column is refused."""
    for year, table in bridges.items():
        need(table, f"the bridge of {year}", ("district", "land_class", "ordnance", *_FLOWS))
    return dict(sorted(bridges.items()))


def remaining_table(
    bridge: pd.DataFrame,
    areas: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
    *,
    district_name: str = "district",
) -> pd.DataFrame:
    """What remains by district, land class and ordnance: how many hazards, and how much ground.

    Parameters
    ----------
    bridge : DataFrame
        From :func:`clearplan.land.ledger.bridge` with the same districts; its closing is the day.
    areas : GeoDataFrame
        AREAS of that day, less what is released of them (``Study.areas``), in a metric CRS.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``.

    Returns
    -------
    DataFrame
        district, land_class, ordnance, hazards, reported_m2 (overlaps once, in the strongest class; the sum is the
        area of the union). A hazard is counted once, in the district with most of its ground, so a row may hold ground
        of hazards that are counted elsewhere, and hazards whose ground lies in a stronger class. Hazards without a
        place are rows of a district of their own, their reported_m2 blank.

    Raises
    ------
    CrsError, TableError
        Tables are not in metres or not in one CRS; a column is missing.
    """
    require_metres(areas, *([] if districts is None else [districts]))
    keys = ["district", "land_class", "ordnance"]
    need(bridge, "the bridge", (*keys, "closing_m2"))
    ground = bridge[bridge["closing_m2"] >= 1].groupby(keys, sort=False)[["closing_m2"]].sum()  # less is rounding
    counts = _counted_once(areas, districts, district_name)
    table = ground.rename(columns={"closing_m2": "reported_m2"}).join(counts, how="outer").reset_index()
    nowhere = table["district"] == UNPLACED
    table["reported_m2"] = table["reported_m2"].fillna(0.0).mask(nowhere)
    table["hazards"] = table["hazards"].fillna(0).astype(int)
    return in_order(table[[*keys, "hazards", "reported_m2"]], districts, district_name)


def _counted_once(areas: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None, district_name: str) -> pd.DataFrame:
    """Hazards by district, class and ordnance."""
    left = placed(remaining(areas)).reset_index(drop=True)
    i, names, m2 = _by_district(left.geometry.to_numpy(), districts, district_name)
    by = ["hazard_id", "land_class", "ordnance"]
    own = left.loc[i, by].assign(district=names, m2=m2)
    lost = areas.loc[without_place(areas), by].assign(district=UNPLACED, m2=0.0)
    own = pd.concat([own, lost], ignore_index=True)
    own = own.fillna({"ordnance": "unknown", "land_class": UNKNOWN_CLASS})
    most = own.groupby([*by, "district"], sort=False)["m2"].sum().reset_index()
    most = most.sort_values("m2", ascending=False, kind="stable").drop_duplicates(by)
    counts: pd.DataFrame = most.groupby(["district", "land_class", "ordnance"]).size().to_frame("hazards")
    return counts


def _by_district(ground: Any, districts: gpd.GeoDataFrame | None, district_name: str) -> tuple[Any, Any, Any]:
    """Parts of shapes by district: position of the shape, name of the district, area [m2]."""
    size, every = shapely.area(ground), np.arange(len(ground))
    if districts is None or not len(ground):
        return every, np.full(len(ground), "all", dtype=object), size
    i, j, m2 = shapes.overlaps(ground, shapes.disjoint(districts.geometry.to_numpy()))
    rest = size - np.bincount(i, weights=m2, minlength=len(ground))
    out = every[rest > 1e-9 * size]  # rounding of cut areas is no land outside
    names = np.concatenate([districts[district_name].to_numpy(object)[j], np.full(len(out), OUTSIDE, dtype=object)])
    return np.concatenate([i, out]), names, np.concatenate([m2, rest[out]])


def in_order(table: pd.DataFrame, districts: gpd.GeoDataFrame | None, district_name: str) -> pd.DataFrame:
    """Rows by year, district as in the layer, class from the strongest, method and ordnance as in their lists."""
    named = [] if districts is None else list(dict.fromkeys(districts[district_name]))
    orders: dict[str, Sequence[Any]] = {
        "year": sorted(table["year"].dropna().unique()) if "year" in table.columns else [],
        "district": [*named, "all", OUTSIDE, UNPLACED],
        "land_class": [*CLASSES, UNKNOWN_CLASS, UNKNOWN_TASK],
        "method": RELEASED,
        "ordnance": list(CODE_LISTS["ordnance"]),
        "kind": list(CODE_LISTS["team_kind"]),
    }
    keys = [name for name in orders if name in table.columns]

    def place(column: pd.Series) -> pd.Series:
        order = {name: k for k, name in reversed(list(enumerate(orders[str(column.name)])))}
        return column.map(order).astype(float).fillna(len(order))

    sorted_rows: pd.DataFrame = table.sort_values(keys, key=place, kind="stable").reset_index(drop=True)
    return sorted_rows


def released_table(
    bridges: Mapping[int, pd.DataFrame],
    releases: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
    *,
    as_at: Day,
    district_name: str = "district",
    devices: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What was released by calendar year, district and method, and what was found there.

    Parameters
    ----------
    bridges : mapping
        Calendar year to its :func:`clearplan.land.ledger.bridge`, days from :func:`book_years`, same districts.
    releases : GeoDataFrame
        RELEASES in a metric CRS; those decided after ``as_at`` don't count.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``.
    devices : mapping, optional
        A country's own device codes.

    Returns
    -------
    DataFrame
        year, district, method (cancelled, reduced, cleared), cha_m2, sha_m2, indication_m2 (ground that remained and
        was released in that year, overlaps once; ground where no hazard is known is in the ledger alone), releases
        (decisions, each counted in the district with most of its ground), items_AP and so on for each device code
        (blank where none of the decisions says), decisions_silent (decisions that don't say). Decisions without a place
        are rows of their own, their ground blank; without a date, their year is.

    Raises
    ------
    CrsError, SettingsError, TableError
        Tables are not in metres or not in one CRS; ``as_at`` is no day; items can't be read.
    """
    require_metres(releases, *([] if districts is None else [districts]))
    keys = ["year", "district", "method"]
    m2 = [f"{name.lower()}_m2" for name in CLASSES]
    rows = [
        (year, flow["district"], method, f"{flow['land_class'].lower()}_m2", flow[f"{method}_m2"])
        for year, bridge in bridges_in(bridges).items()
        for flow in bridge.to_dict("records")
        for method in RELEASED
        if flow[f"{method}_m2"] >= 1  # less is rounding
    ]
    flows = pd.DataFrame(rows, columns=[*keys, "column", "m2"]).astype({"year": "Int64", "m2": float})
    ground = flows.pivot_table(index=keys, columns="column", values="m2", aggfunc="sum")
    ground = ground.reindex(columns=m2).rename_axis(columns=None)
    decided, items = _decided(releases, day_in(as_at, "as_at"), districts, district_name, devices)
    table = ground.join(decided, how="outer").reset_index()
    nowhere = table["district"] == UNPLACED
    table[m2] = table[m2].fillna(0.0).mask(nowhere)
    # A row without a decision of its own found nothing; one whose decisions don't say is blank.
    none_decided = table["releases"].isna()
    table[items] = table[items].astype("Int64").mask(none_decided, 0)
    table = table.fillna({"releases": 0, "decisions_silent": 0}).astype({"releases": int, "decisions_silent": int})
    return in_order(table, districts, district_name)


def _decided(
    releases: gpd.GeoDataFrame, day: dt.date, districts: Any, district_name: str, devices: Mapping[str, str] | None
) -> tuple[pd.DataFrame, list[str]]:
    """Decisions and items found, by year, district and method; names of the columns of items."""
    codes = list(devices or CODE_LISTS["device"])
    own = releases[releases["action"].isin(RELEASED)].reset_index(drop=True)
    own = own[~(pd.to_datetime(own["decided_on"]) > pd.Timestamp(day))].reset_index(drop=True)
    drawn = placed(own)
    i, names, m2 = _by_district(drawn.geometry.to_numpy(), districts, district_name)
    parts = pd.DataFrame({"row": drawn.index.to_numpy()[i], "district": names, "m2": m2})
    parts = parts.sort_values("m2", ascending=False, kind="stable").drop_duplicates("row").set_index("row")
    found = [read_items(text, devices) for text in (own["items"] if "items" in own.columns else [None] * len(own))]
    table = pd.DataFrame(
        {
            "year": pd.to_datetime(own["decided_on"]).dt.year.astype("Int64"),
            "district": parts["district"].reindex(own.index).astype(object).fillna(UNPLACED),
            "method": own["action"],
            "releases": 1,
            "decisions_silent": [int(items is None) for items in found],
        }
        | {f"items_{code}": [None if items is None else items.get(code, 0) for items in found] for code in codes}
    ).astype({f"items_{code}": "Int64" for code in codes})
    grouped = table.groupby(["year", "district", "method"], dropna=False)
    sums = grouped[["releases", "decisions_silent"]].sum()
    return sums.join(grouped[[f"items_{c}" for c in codes]].sum(min_count=1)), [f"items_{c}" for c in codes]
