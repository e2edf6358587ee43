"""The books of land release: where every square metre stands at a day, and what moved it between two days.

Both count reported ground, within the borders as reported, and count it once; ground for planning, grown by position
errors or drawn round lines and points, stands apart in the ledger. Ground that remains in any area is remaining, in the
strongest class among the areas in which it remains; ground released in all of them belongs to the strongest class among
those released.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.checks import Day
from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError
from clearplan.geo import shapes
from clearplan.land.as_at import as_at, dates, day_of
from clearplan.land.release import REOPENED, apply_releases, last_events, states
from clearplan.settings.land import Halo
from clearplan.tables.check import as_reported, remaining
from clearplan.tables.codes import CLASSES, CODE_LISTS, OUTSIDE, OUTSIDE_HAZARDS, RELEASED
from clearplan.tables.frames import Areas, Districts, History, Releases

#: Ground for planning beside the reported ground: what remains, and what was released beyond every reported border.
PLANNING_COLUMNS = ("planning_m2", "planning_released_m2")
LEDGER_COLUMNS = ("reported_m2", "remaining_m2", "cancelled_m2", "reduced_m2", "cleared_m2", "closed_m2")
#: States from the strongest: what remains anywhere remains, what is released by polygon is not closed by status.
_GROUPS = (("remaining",), RELEASED, ("closed",))
#: Flows of the bridge and their sign: opening + flows = closing.
FLOWS = {
    "newly_found_m2": 1,
    "cancelled_m2": -1,
    "reduced_m2": -1,
    "cleared_m2": -1,
    "reopened_m2": 1,
    "changed_in_m2": 1,
    "changed_out_m2": -1,
    "closed_m2": -1,
    "withdrawn_m2": -1,
}


def ledger(
    areas: Areas,
    releases: Releases,
    *,
    as_at: Day,
    history: History | None = None,
    districts: Districts | None = None,
    district_name: str = "district",
    halo: Halo = "drop",
) -> pd.DataFrame:
    """Reported, remaining and released ground by land class and district [m2], net of overlap.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS, before any release is taken off. Deferred rows have no ground.
    releases : GeoDataFrame
        RELEASES in the same CRS.
    as_at : day
        What was reported or decided later does not count.
    history : DataFrame, optional
        HISTORY; else status and class are those of ``areas``.
    districts : GeoDataFrame, optional
        Districts in the same CRS with their names in ``district_name``; the ground decides in which a release lies.
    halo : 'drop' or 'survey'
        As for :func:`clearplan.land.release.apply_releases`.

    Returns
    -------
    DataFrame
        land_class, district, reported_m2 = remaining_m2 + cancelled_m2 + reduced_m2 + cleared_m2 + closed_m2,
        planning_m2, planning_released_m2 and closed_ids. closed_m2 is ground of hazards closed by status that no
        release polygon covers; closed_ids names them. Over all rows but the last kind, reported_m2 is the area of the
        union of all reported borders. Rows of land class 'outside every known hazard' hold what was released (or
        re-opened: remaining_m2) where no hazard is known.
        planning_m2 is the ground for planning that remains. planning_released_m2 is ground that a decision released
        beyond every reported border: of belts, points and strikes, whose border nobody surveyed, and of rims. It is no
        cancelled, reduced or cleared area: these are parts of an area that was declared.

    Raises
    ------
    CrsError, TableError
        Tables are not in metres or not in one CRS; a decision has no date.
    """
    require_metres(areas, releases, *([] if districts is None else [districts]))
    known, events = _at(areas, releases, as_at, history)
    parts = states(as_reported(known), events)
    parts["land_class"] = known["land_class"].to_numpy(object)[parts["area"]]
    labels = [(name, state) for group in _GROUPS for name, state in product(CLASSES, group)]
    labels += [(OUTSIDE_HAZARDS, state) for state in ("remaining", *RELEASED)]
    number = {label: k for k, label in enumerate(labels)}
    ranks = np.array([number[key] for key in zip(parts["land_class"], parts["state"], strict=True)], dtype=int)
    pieces, rank = shapes.ranked_pieces(parts["geometry"].to_numpy(object), ranks)

    outside, owner = _beyond(events, np.concatenate([pieces, _with_area(known).geometry.to_numpy()]))
    state = np.where(events["action"] == REOPENED, "remaining", events["action"]).astype(object)[owner]
    rank = np.concatenate([rank, [number[OUTSIDE_HAZARDS, name] for name in state]]).astype(int)
    found = _measured(np.concatenate([pieces, outside]), rank, districts, district_name)
    found["land_class"] = [labels[k][0] for k in found["label"]]
    found["state"] = [f"{labels[k][1]}_m2" for k in found["label"]]
    left = apply_releases(known, releases, as_at=as_at, halo=halo)
    planning = _planning(left, known, events, pieces, districts, district_name)
    columns = (*LEDGER_COLUMNS[1:], *PLANNING_COLUMNS)
    table = _wide(pd.concat([found, planning]), ["land_class", "district"], "state", columns)
    table.insert(2, "reported_m2", table[list(LEDGER_COLUMNS[1:])].sum(axis=1))
    shut = np.array([labels[k][1] == "closed" for k in rank[: len(pieces)]], dtype=bool)
    table["closed_ids"] = _closed_ids(table, known, pieces[shut], parts, districts, district_name)
    return _in_order(table, {"land_class": [*CLASSES, OUTSIDE_HAZARDS]}, districts, district_name)


def _planning(
    left: Areas, known: Areas, events: Releases, pieces: Any, districts: gpd.GeoDataFrame | None, district_name: str
) -> pd.DataFrame:
    """Ground for planning by class and district, what remains and what was released beyond the pieces of borders."""
    stays = _with_area(remaining(left))
    parts = states(known, events)
    released = parts[parts["state"].isin(RELEASED)]
    classes = (stays["land_class"], known["land_class"].iloc[released["area"].to_numpy(int)])
    drawn = (stays.geometry.to_numpy(), released["geometry"].to_numpy(object))
    tables = []
    for name, land_class, shape in zip(PLANNING_COLUMNS, classes, drawn, strict=True):
        net, rank = shapes.ranked_pieces(shape, land_class.map(CLASSES.index).to_numpy(int))
        if name == "planning_released_m2":
            i, _, both = shapes.shared(net, pieces)
            net = shapes.without(net, both, i, grid_m=shapes.GRID_M)
            rank, net = rank[~shapely.is_empty(net)], net[~shapely.is_empty(net)]
        measured = _measured(net, rank, districts, district_name)
        tables.append(measured.assign(land_class=[CLASSES[k] for k in measured["label"]], state=name))
    return pd.concat(tables)


def _with_area(areas: Areas) -> Areas:
    """Areas that cover ground; a point or a line that nobody has grown covers none."""
    return areas[shapely.area(areas.geometry.to_numpy()) > 0]


def _at(areas: Any, releases: Any, day: Any, history: pd.DataFrame | None) -> tuple[Any, Any]:
    """Areas and last events as at a day."""
    return as_at(areas, day, history=history), last_events(releases, as_at=day)


def _beyond(events: gpd.GeoDataFrame, pieces: Any) -> tuple[Any, Any]:
    """Ground of events that no piece covers, and the event of each."""
    ground = events.geometry.to_numpy()
    i, _, both = shapes.shared(ground, pieces)
    left = shapes.without(ground, both, i, grid_m=shapes.GRID_M)
    owner = np.flatnonzero(~shapely.is_empty(left))
    return left[owner], owner


def _measured(pieces: Any, labels: Any, districts: gpd.GeoDataFrame | None, district_name: str) -> pd.DataFrame:
    """Area of pieces by label and district: label, district, m2."""
    size = shapely.area(pieces) if len(pieces) else np.array([])
    if districts is None:
        return _summed(pd.DataFrame({"label": labels, "district": "all", "m2": size}), ["label", "district"])
    ground = shapes.disjoint(districts.geometry.to_numpy())
    i, j, m2 = shapes.overlaps(pieces, ground) if len(pieces) else (np.array([], dtype=int),) * 3
    inside = np.bincount(i, weights=m2, minlength=len(pieces)) if len(pieces) else size
    # Rounding of the cut areas must not look like land outside the districts.
    rest = np.where(size - inside > 1e-9 * size, size - inside, 0.0)
    out = np.flatnonzero(rest)
    rows = pd.DataFrame(
        {
            "label": np.concatenate([np.asarray(labels)[i], np.asarray(labels)[out]]),
            "district": np.concatenate([districts[district_name].to_numpy(object)[j], np.full(len(out), OUTSIDE)]),
            "m2": np.concatenate([m2, rest[out]]),
        }
    )
    return _summed(rows, ["label", "district"])


def _summed(rows: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return rows.groupby(keys, dropna=False)[["m2"]].sum().reset_index()


def _wide(found: pd.DataFrame, keys: list[str], column: str, wanted: Any) -> pd.DataFrame:
    """One row a key, one column a state; what did not occur is 0, for it was measured."""
    table = found.groupby([*keys, column], dropna=False)["m2"].sum().unstack(column).fillna(0.0)
    return table.reindex(columns=list(wanted), fill_value=0.0).rename_axis(columns=None).reset_index()


def _in_order(
    table: pd.DataFrame, orders: dict[str, list[str]], districts: gpd.GeoDataFrame | None, district_name: str
) -> pd.DataFrame:
    """Rows by declared orders first, then districts as they stand in their layer, the outside last."""
    named = [] if districts is None else list(dict.fromkeys(districts[district_name]))
    orders = orders | {"district": [*named, "all", OUTSIDE]}

    def place(column: pd.Series) -> pd.Series:
        order = {name: k for k, name in reversed(list(enumerate(orders[str(column.name)])))}
        return column.map(order).fillna(len(order))

    keys = [*orders] if "ordnance" not in orders else ["district", *(k for k in orders if k != "district")]
    return table.sort_values(keys, key=place, kind="stable").reset_index(drop=True)


def _closed_ids(
    table: pd.DataFrame, known: Any, shut: Any, parts: pd.DataFrame, districts: Any, district_name: str
) -> list[str | None]:
    """Hazards whose ground makes up each row's closed_m2."""
    closed = parts[parts["state"] == "closed"]
    _, j, both = shapes.shared(shut, closed["geometry"].to_numpy(object))
    ids = known["hazard_id"].to_numpy(object)[closed["area"].to_numpy()[j]]
    classes = closed["land_class"].to_numpy(object)[j]
    lie = _measured(both, np.arange(len(both)), districts, district_name)
    named: dict[tuple[Any, Any], set[str]] = {}
    for k, district in zip(lie["label"], lie["district"], strict=True):
        named.setdefault((classes[k], district), set()).add(ids[k])
    rows = zip(table["land_class"], table["district"], table["closed_m2"] > 0, strict=True)
    return ["; ".join(sorted(named.get((c, d), ()))) or None if any_m2 else None for c, d, any_m2 in rows]


def bridge(
    areas: Areas,
    releases: Releases,
    *,
    opening: Day,
    closing: Day,
    history: History | None = None,
    districts: Districts | None = None,
    district_name: str = "district",
) -> pd.DataFrame:
    """What moved the remaining ground between the ends of two days, by district, land class and ordnance [m2].

    Parameters
    ----------
    areas, releases, history, districts, district_name
        As for :func:`ledger`.
    opening, closing : day
        The second must not lie before the first.

    Returns
    -------
    DataFrame
        Of the ground within reported borders: opening_m2 + newly_found_m2 - cancelled_m2 - reduced_m2 - cleared_m2
        + reopened_m2 + changed_in_m2 - changed_out_m2 - closed_m2 - withdrawn_m2 = closing_m2, every term measured on
        the overlay of the ground as it stood on the two days, none of them a residual.

        newly_found: no hazard covered it, or one recorded since found it where it had been released; of that what was
        released within the same period stands under its release too. reopened: released or closed at the opening, and
        remaining again. changed: of another class or ordnance; ground that was released or closed leaves in the
        class and ordnance in which the ledger has it. closed: by status alone. withdrawn: no hazard
        of the closing covers it, which an append-only table never shows.

    Raises
    ------
    SettingsError
        The days are in the wrong order.
    CrsError, TableError
        As for :func:`ledger`.

    Notes
    -----
    Where several kinds of ordnance lie in the strongest class, ground counts under the first in the order of the
    code list. Ground that was re-opened and released again within the period moves nothing. What was released outside
    every known hazard was never in the opening; the ledger holds it.
    """
    found = bridges(
        areas, releases, days=(opening, closing), history=history, districts=districts, district_name=district_name
    )
    return found[0]


def bridges(
    areas: Areas,
    releases: Releases,
    *,
    days: Sequence[Day],
    history: History | None = None,
    districts: Districts | None = None,
    district_name: str = "district",
) -> list[pd.DataFrame]:
    """Bridges from each of some days to the next, as :func:`bridge` tells them; each day's ground is drawn once.

    Parameters
    ----------
    days : sequence of day
        None may lie before the one that it follows.
    areas, releases, history, districts, district_name
        As for :func:`ledger`.

    Raises
    ------
    SettingsError, CrsError, TableError
        As for :func:`bridge`.
    """
    require_metres(areas, releases, *([] if districts is None else [districts]))
    told = [day_of(day) for day in days]
    for first, last in pairwise(told):
        if last < first:
            raise SettingsError(f"bridge: closing {last.date()} lies before opening {first.date()}; turn them round")
    kinds = list(product(CLASSES, _ordnance(areas)))  # strongest first
    tables = []
    before, old = _standing(areas, releases, told[0], history, kinds, since=None)
    for first, last in pairwise(told):
        after, new = _standing(areas, releases, last, history, kinds, since=first)
        flows = _flows((before, old), (after, new), kinds, districts, district_name)
        tables.append(
            _in_order(flows, {"land_class": list(CLASSES), "ordnance": _ordnance(areas)}, districts, district_name)
        )
        before, old = after, new
    return tables


def _flows(
    opening: tuple[Any, Any], closing: tuple[Any, Any], kinds: Any, districts: Any, district_name: str
) -> pd.DataFrame:
    """Terms of the bridge between the ground as it stood on two days, each as pieces and what they are."""
    (before, old), (after, new) = opening, closing
    i, j, both = shapes.overlay(before, after)
    flows = []
    for k, (was, became) in enumerate(zip(i, j, strict=True)):
        flows += [(k, *flow) for flow in _flow(old[was] if was >= 0 else None, new[became] if became >= 0 else None)]
    rows = [
        *(("opening_m2", before[k], key) for k, (state, key, _) in enumerate(old) if state == "remaining"),
        *(("closing_m2", after[k], key) for k, (state, key, _) in enumerate(new) if state == "remaining"),
        *((name, both[k], key) for k, name, key in flows),
    ]
    label = {pair: k for k, pair in enumerate(dict.fromkeys((name, key) for name, _, key in rows))}
    parts = np.array([shape for _, shape, _ in rows], dtype=object)
    found = _measured(parts, [label[name, key] for name, _, key in rows], districts, district_name)
    pairs = list(label)
    found["term"] = [pairs[k][0] for k in found["label"]]
    found["land_class"] = [kinds[pairs[k][1]][0] for k in found["label"]]
    found["ordnance"] = [kinds[pairs[k][1]][1] for k in found["label"]]
    return _wide(found, ["district", "land_class", "ordnance"], "term", ["opening_m2", *FLOWS, "closing_m2"])


def _ordnance(areas: gpd.GeoDataFrame) -> list[str]:
    """Ordnance codes in the order of the code list, a country's own after them."""
    ours = list(CODE_LISTS["ordnance"])
    return ours + sorted({str(code) for code in areas["ordnance"].dropna()} - set(ours))


def _standing(
    areas: Any, releases: Any, day: Any, history: Any, kinds: list[tuple[str, str]], *, since: Any
) -> tuple[Any, list[tuple[str, int, bool]]]:
    """Pieces of ground as at a day, and of each its state, its kind and whether its hazard was recorded since."""
    known, events = _at(areas, releases, day, history)
    parts = states(as_reported(known), events)
    number = {kind: k for k, kind in enumerate(kinds)}
    of_area = zip(known["land_class"], known["ordnance"], strict=True)
    kind = np.array([number[pair] for pair in of_area], dtype=int)[parts["area"].to_numpy(int)]
    fresh = np.zeros(len(parts), dtype=int)
    if since is not None:
        fresh = (dates(known, "recorded_on") > np.datetime64(since)).astype(int)[parts["area"].to_numpy(int)]
    level = parts["state"].map({"remaining": 0, "closed": 2}).fillna(1).to_numpy(int)
    action = parts["state"].map({name: k for k, name in enumerate(RELEASED)}).fillna(0).to_numpy(int)
    fresh = np.where(level == 0, fresh, 0)
    ranks = ((level * len(kinds) + kind) * 2 + fresh) * len(RELEASED) + action
    pieces, rank = shapes.ranked_pieces(parts["geometry"].to_numpy(object), ranks)
    meaning = []
    for value in rank:
        rest, act = divmod(int(value), len(RELEASED))
        rest, new = divmod(rest, 2)
        step, which = divmod(rest, len(kinds))
        meaning.append((("remaining", RELEASED[act], "closed")[step], which, bool(new)))
    return pieces, meaning


def _flow(was: Any, became: Any) -> list[tuple[str, int]]:
    """(term, kind) of ground that was in one state at the opening and is in another at the closing."""
    if was is not None and was[0] == "remaining":
        if became is None:
            return [("withdrawn_m2", was[1])]
        # Ground leaves in the class in which the ledger has it: what was of another one before has changed first.
        changed = [] if was[1] == became[1] else [("changed_out_m2", was[1]), ("changed_in_m2", became[1])]
        return changed if became[0] == "remaining" else [*changed, (f"{became[0]}_m2", became[1])]
    if became is None:
        return []
    if became[0] == "remaining":
        return [("newly_found_m2" if was is None or became[2] else "reopened_m2", became[1])]
    return [("newly_found_m2", became[1]), (f"{became[0]}_m2", became[1])] if was is None else []
