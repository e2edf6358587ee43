"""What in RELEASES and HISTORY contradicts itself, the hazards, the districts, or what was found later.

These are faults of decisions, not of files: they are listed and never corrected. Each says what counts meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from clearplan.core.checks import Day
from clearplan.core.crs import require_metres
from clearplan.core.errors import TableError
from clearplan.geo import shapes
from clearplan.land.as_at import dates, until
from clearplan.land.release import REOPENED, STANDS, detection, last_events, states
from clearplan.settings.land import Detection
from clearplan.tables.check import Fault, fault, fault_table, placed
from clearplan.tables.texts import read_items

#: Overlap that is shown, as a part of the smaller shape; GICHD's geocheck uses the same limit for part overlaps.
PART_OVERLAP = 0.009

_FILE = "releases"
_Faults = list[Fault]


def release_faults(
    areas: gpd.GeoDataFrame,
    releases: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None = None,
    *,
    district_name: str = "district",
    accidents: gpd.GeoDataFrame | None = None,
    devices: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Faults of releases, held against hazards, districts, accidents and one another.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS, or HAZARDS drawn as polygons, in a metric CRS, before any release is taken off.
    releases : GeoDataFrame
        RELEASES in the same CRS.
    districts : GeoDataFrame, optional
        Districts in the same CRS, names in ``district_name``; then the stated district is checked.
    accidents : GeoDataFrame, optional
        ACCIDENTS in the same CRS; then releases that later finds contradict are faults too.
    devices : mapping, optional
        A country's own device codes, as in ``code_lists``.

    Returns
    -------
    DataFrame
        A fault table; ``row`` is the index label in ``releases``. Overlaps and parts outside are listed from 0.9 % of
        the smaller shape on, GICHD's limit of part overlap; the ledger counts every square metre.

    Raises
    ------
    CrsError, TableError
        Tables are not in metres or not in one CRS; a decision has no date or no known action.
    """
    require_metres(areas, releases, *(t for t in (districts, accidents) if t is not None))
    found = _of_rows(releases, devices) + _position_errors(releases)
    drawn, ground = placed(releases), placed(areas)
    pairs = _pairs(drawn, ground)
    found += _dated_before(drawn, ground, pairs) + _named(areas, releases, ground, drawn, pairs)
    found += _opposed(drawn) + _reopened(drawn, ground) + _beyond(drawn, ground)
    found += _districts(drawn, ground, districts, district_name) if districts is not None else []
    if accidents is not None:
        found += _contradictions(releases, contradicted(releases, accidents, areas))
    return fault_table(found)


def _tell(row: Any, column: str, value: object, rule: str, level: str, remedy: str) -> Fault:
    return fault(_FILE, row, column, value, rule, level, remedy)


def _of_rows(releases: gpd.GeoDataFrame, devices: Mapping[str, str] | None) -> _Faults:
    """Faults that a row shows by itself; readers refuse them, tables made by hand may hold them."""
    found = []
    for row, release in zip(releases.index, releases.to_dict("records"), strict=True):
        if release["action"] == "cleared" and pd.isna(release.get("depth_m")):
            rule, remedy = "cleared without a depth", "state the depth to which the ground was cleared [m]"
            found.append(_tell(row, "depth_m", release["release_id"], rule, "error", remedy))
        try:
            read_items(release.get("items"), devices)
        except TableError as error:
            rule = "items found can't be read"
            found.append(_tell(row, "items", release["items"], rule, "error", str(error).rpartition(": ")[2]))
    return found


def _position_errors(releases: gpd.GeoDataFrame) -> _Faults:
    """Said once: a hazard is grown by its error, a release is not."""
    stated = int((pd.to_numeric(releases["position_error_m"], errors="coerce") > 0).sum())
    rule = "releases are drawn as entered, not grown by their position error"
    remedy = "none needed: releasing is never generous; hazards keep the ground along the border"
    return [_tell(None, "position_error_m", f"{stated} releases state one", rule, "warning", remedy)] if stated else []


def _pairs(drawn: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> pd.DataFrame:
    """Releases and areas that share ground, and how much [m2]."""
    i, j, m2 = shapes.overlaps(drawn.geometry.to_numpy(), ground.geometry.to_numpy())
    decided, recorded = dates(drawn, "decided_on")[i], dates(ground, "recorded_on")[j]
    pairs = pd.DataFrame({"release": i, "area": j, "m2": m2, "early": recorded > decided})
    pairs["hazard_id"] = ground["hazard_id"].to_numpy(object)[j]
    return pairs.sort_values(["release", "area"], kind="stable")


def _dated_before(drawn: gpd.GeoDataFrame, ground: gpd.GeoDataFrame, pairs: pd.DataFrame) -> _Faults:
    """A release says nothing about a hazard that is reported after it."""
    found = []
    named = drawn["hazard_id"].to_numpy(object) if "hazard_id" in drawn.columns else np.full(len(drawn), None)
    decided = dates(drawn, "decided_on")
    recorded = pd.Series(dates(ground, "recorded_on")).groupby(ground["hazard_id"].to_numpy(object)).max()
    for k, hazard in enumerate(named):
        day = recorded.get(hazard) if isinstance(hazard, str) else None
        if day is not None and day > decided[k]:
            rule = f"release is dated before the hazard that it names ({hazard}, recorded {day:%Y-%m-%d})"
            remedy = "correct the date or the hazard_id; until then the hazard's ground remains"
            found.append(_tell(drawn.index[k], "decided_on", decided[k].astype("M8[D]"), rule, "error", remedy))
    early = pairs[pairs["early"].to_numpy(bool) & (pairs["hazard_id"] != named[pairs["release"]])]
    for k in early["release"].unique():
        own = early[early["release"] == k]
        m2, ids = own["m2"].sum(), _few(own["hazard_id"])
        rule = "hazards were reported after the release of their ground"
        remedy = "none needed if they are newly found: their ground remains; else correct the date"
        found.append(_tell(drawn.index[k], "decided_on", f"{ids}: {m2:,.0f} m2", rule, "warning", remedy))
    return found


def _few(ids: Any, most: int = 5) -> str:
    every = list(dict.fromkeys(ids))
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _named(areas: Any, releases: Any, ground: Any, drawn: Any, pairs: pd.DataFrame) -> _Faults:
    """The hazard that a release names: unknown, without a place, or not touched."""
    found: _Faults = []
    if "hazard_id" not in releases.columns:
        return found
    known, on_ground = set(areas["hazard_id"]), set(ground["hazard_id"])
    touched = set(zip(pairs["release"], pairs["hazard_id"], strict=True))
    place = {row: k for k, row in enumerate(drawn.index)}
    for row, hazard in releases["hazard_id"].items():
        if not isinstance(hazard, str):
            continue
        if hazard not in known:
            rule, level, remedy = "no hazard has this id", "error", "correct the id; the ground decides until then"
        elif hazard not in on_ground:
            rule, level = "the hazard named has no place on the map", "warning"
            remedy = "place the hazard; until then nobody can tell what of it is released"
        elif row in place and (place[row], hazard) not in touched:
            rule, level = "release does not touch the hazard that it names", "error"
            remedy = "correct the id or the shape; the ground decides until then"
        else:
            continue
        found.append(_tell(row, "hazard_id", hazard, rule, level, remedy))
    return found


def _opposed(drawn: gpd.GeoDataFrame) -> _Faults:
    """Ground that was released in two ways, without a re-opening between them."""
    ground, decided = drawn.geometry.to_numpy(), dates(drawn, "decided_on")
    action, ids = drawn["action"].to_numpy(object), drawn["release_id"].to_numpy(object)
    i, j, both = shapes.shared(ground, ground)
    same_day_reopened = (decided[i] == decided[j]) & ((action[i] == REOPENED) ^ (action[j] == REOPENED))
    plain = (action[i] != REOPENED) & (action[j] != REOPENED)
    kept = (i < j) & (action[i] != action[j]) & (plain | same_day_reopened)
    kept &= shapely.area(both) > PART_OVERLAP * np.minimum(shapely.area(ground)[i], shapely.area(ground)[j])
    i, j, both = i[kept], j[kept], both[kept]
    reopened = np.flatnonzero(action == REOPENED)
    tree = shapely.STRtree(ground[reopened])
    found = []
    for a, b, shape in zip(i, j, both, strict=True):
        first, last = sorted((a, b), key=lambda k: (decided[k], STANDS.index(action[k])))
        near = reopened[tree.query(shape, predicate="intersects")] if REOPENED not in (action[a], action[b]) else []
        between = [k for k in near if decided[first] <= decided[k] <= decided[last]]
        if between:
            shape = shapely.difference(shape, shapely.union_all(ground[between]))
        if shape.area <= PART_OVERLAP * min(ground[a].area, ground[b].area):
            continue
        counts = f"{ids[last]} ({action[last]}) counts there"
        rule = f"overlaps a release of other action: {counts}"
        value = f"{ids[first]} ({action[first]}) and {ids[last]} ({action[last]}): {shape.area:,.0f} m2"
        remedy = "correct the shapes or the actions; re-open ground before it is released in another way"
        found.append(_tell(drawn.index[max(a, b)], "geometry", value, rule, "repairable", remedy))
    return found


def _reopened(drawn: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> _Faults:
    """Re-opened ground that was never released, and that of hazards whose status still says closed."""
    found = []
    action, decided = drawn["action"].to_numpy(object), dates(drawn, "decided_on")
    shape, own = drawn.geometry.to_numpy(), np.flatnonzero(drawn["action"] == REOPENED)
    closed = ground[ground["status"] == "closed"]
    i, j = shapely.STRtree(shape).query(shape[own], predicate="intersects")
    earlier = (action[j] != REOPENED) & (decided[j] <= decided[own[i]])
    m, n = shapely.STRtree(closed.geometry.to_numpy()).query(shape[own], predicate="intersects")
    taken = np.concatenate([shape[j[earlier]], closed.geometry.to_numpy()[n]])
    never = shapes.without(shape[own], taken, np.concatenate([i[earlier], m]), grid_m=shapes.GRID_M)
    for k, left in zip(own, never, strict=True):
        if left.area > PART_OVERLAP * shape[k].area:
            rule = "re-opens ground that was never released"
            remedy = "correct the shape; where no hazard is known enter one, or nobody will plan for that ground"
            found.append(_tell(drawn.index[k], "geometry", f"{left.area:,.0f} m2", rule, "warning", remedy))
    events = last_events(drawn)
    parts = states(closed, events)
    parts = parts[parts["state"] == "remaining"]
    ids = closed["hazard_id"].to_numpy(object)
    for event in parts["event"].unique():
        back = parts[parts["event"] == event]
        value = f"{_few(ids[back['area']])}: {shapely.area(back['geometry'].to_numpy(object)).sum():,.0f} m2"
        rule = "re-opens ground of a hazard whose status is closed; that ground remains"
        remedy = "set the hazard open in HISTORY, or release the ground again with a polygon"
        found.append(_tell(events.index[event], "geometry", value, rule, "warning", remedy))
    return found


def _beyond(drawn: gpd.GeoDataFrame, ground: gpd.GeoDataFrame) -> _Faults:
    """Released ground where no hazard is known."""
    own = drawn[drawn["action"] != REOPENED]
    shape = own.geometry.to_numpy()
    i, j = shapely.STRtree(ground.geometry.to_numpy()).query(shape, predicate="intersects")
    pieces = shapes.union_pieces(ground.geometry.to_numpy()[np.unique(j)])
    i, _, both = shapes.shared(shape, pieces)
    left = shapely.area(shapes.without(shape, both, i, grid_m=shapes.GRID_M))
    rule = "releases ground outside every known hazard"
    remedy = "enter the hazard that it belonged to, or correct the shape; the ledger keeps it in a row of its own"
    return [
        _tell(own.index[k], "geometry", f"{left[k]:,.0f} m2", rule, "warning", remedy)
        for k in np.flatnonzero(left > PART_OVERLAP * shapely.area(shape))
    ]


def _districts(drawn: Any, ground: Any, districts: gpd.GeoDataFrame, district_name: str) -> _Faults:
    """Stated districts: unknown names, and hazards that are released in another district."""
    found: _Faults = []
    if "district" not in drawn.columns:
        return found
    names = districts[district_name].to_numpy(object)
    stated = drawn["district"].to_numpy(object)
    for k, name in enumerate(stated):
        if isinstance(name, str) and name not in set(names):
            rule, remedy = "no district has this name", "write it as in the districts layer; the ground decides"
            found.append(_tell(drawn.index[k], "district", name, rule, "warning", remedy))
    own = np.array([k for k, name in enumerate(stated) if isinstance(name, str) and name in set(names)], dtype=int)
    shape = drawn.geometry.to_numpy()[own]
    home = shapes.disjoint(districts.geometry.to_numpy())
    i, j, part = shapes.shared(shape, home)
    away = names[j] != stated[own[i]]
    i, j, part = i[away], j[away], part[away]
    p, q, _ = shapes.overlaps(part, ground.geometry.to_numpy())
    ids = ground["hazard_id"].to_numpy(object)
    lost: dict[tuple[int, str], list[str]] = {}
    for one, other in zip(p, q, strict=True):
        lost.setdefault((int(i[one]), str(names[j[one]])), []).append(ids[other])
    for (k, name), hazards in sorted(lost.items()):
        ground_m2 = shapely.area(part[(i == k) & (names[j] == name)]).sum()
        if ground_m2 <= PART_OVERLAP * shape[k].area:
            continue
        value = f"{_few(hazards)}: {ground_m2:,.0f} m2 in {name}"
        rule = f"covers a hazard of another district than it states ({stated[own[k]]}); it counts where it lies"
        remedy = "correct the district or the shape; cut a release at the border of districts"
        found.append(_tell(drawn.index[own[k]], "district", value, rule, "repairable", remedy))
    return found


def contradicted(releases: gpd.GeoDataFrame, accidents: gpd.GeoDataFrame, hazards: gpd.GeoDataFrame) -> pd.DataFrame:
    """Releases on whose ground something was found after they were decided.

    Their search says nothing there: :func:`clearplan.negative_search` takes them as ``contradicted``.

    Parameters
    ----------
    releases, accidents, hazards : GeoDataFrame
        RELEASES, ACCIDENTS, and HAZARDS or AREAS, in one metric CRS. An accident counts from the day of the release
        on, and without a date too, for neither can be ruled out; a hazard counts from the day after, for what the
        search found is often entered on its last day, and without a date as known before. A hazard polygon counts
        where it shares more than 0.9 % of the smaller shape.

    Returns
    -------
    DataFrame
        release_id, evidence ('accident' or 'hazard'), evidence_id, found_on, certain; one row a release and find, in
        the order of releases. Not certain: an accident beside the ground, no farther than its position error. Empty:
        none.
    """
    require_metres(releases, accidents, hazards)
    own = placed(releases)
    own = own[own["action"] != REOPENED]
    decided = dates(own, "decided_on")
    found = [_accidents_on(own, decided, placed(accidents)), _hazards_on(own, decided, placed(hazards))]
    table = pd.concat(found).drop_duplicates().sort_values(["release", "evidence", "evidence_id"], kind="stable")
    table.insert(0, "release_id", own["release_id"].to_numpy(object)[table["release"].to_numpy(int)])
    return table.drop(columns="release").reset_index(drop=True)


def _finds(i: Any, evidence: str, ids: Any, on: Any, certain: Any) -> pd.DataFrame:
    columns = {"release": i, "evidence": evidence, "evidence_id": ids, "found_on": on, "certain": certain}
    return pd.DataFrame(columns).astype({"evidence": object, "evidence_id": object, "found_on": "datetime64[ms]"})


def _accidents_on(own: gpd.GeoDataFrame, decided: Any, accidents: gpd.GeoDataFrame) -> pd.DataFrame:
    """Accidents on released ground, or so near to it that they may have happened there."""
    there, on = accidents.geometry.to_numpy(), dates(accidents, "occurred_on")
    error_m = pd.to_numeric(accidents["position_error_m"], errors="coerce").fillna(0.0).to_numpy(float)
    j, i = shapely.STRtree(own.geometry.to_numpy()).query(there, predicate="dwithin", distance=error_m)
    later = (on[j] >= decided[i]) | np.isnat(on[j])
    i, j = i[later], j[later]
    certain = shapely.intersects(own.geometry.to_numpy()[i], there[j])
    return _finds(i, "accident", accidents["accident_id"].to_numpy(object)[j], on[j], certain)


def _hazards_on(own: gpd.GeoDataFrame, decided: Any, hazards: gpd.GeoDataFrame) -> pd.DataFrame:
    """Hazards reported after the release of their ground."""
    shape, there, on = own.geometry.to_numpy(), hazards.geometry.to_numpy(), dates(hazards, "recorded_on")
    i, j = shapely.STRtree(there).query(shape, predicate="intersects")
    later = on[j] > decided[i]
    i, j = i[later], j[later]
    flat = shapely.get_dimensions(there[j]) == 2
    both = np.full(len(i), np.inf)
    both[flat] = shapely.area(shapely.intersection(shape[i[flat]], there[j[flat]]))
    kept = both > PART_OVERLAP * np.minimum(shapely.area(shape[i]), np.where(flat, shapely.area(there[j]), 0.0))
    return _finds(i[kept], "hazard", hazards["hazard_id"].to_numpy(object)[j[kept]], on[j[kept]], True)


def searches(
    releases: gpd.GeoDataFrame,
    settings: Detection,
    accidents: gpd.GeoDataFrame,
    hazards: gpd.GeoDataFrame,
    *,
    as_at: Day,
) -> gpd.GeoDataFrame:
    """Searched ground with the probability that the search would have found what was there.

    Parameters
    ----------
    releases, accidents, hazards : GeoDataFrame
        RELEASES, ACCIDENTS and HAZARDS in one metric CRS.
    settings : Detection
        Detection probability of each way of releasing [1].
    as_at : day
        What was decided later is no search yet.

    Returns
    -------
    GeoDataFrame
        release_id, ``detection`` [0-1], geometry; shapes don't overlap. Ground that several releases cover counts
        the one search with the largest detection: weekly progress polygons of one clearance are no searches of their
        own. Left out: re-openings, releases that a find on their ground contradicts (:func:`contradicted`), and
        ground of a release that was re-opened on its day or later.
    """
    require_metres(releases, accidents, hazards)
    then = placed(until(releases, as_at, "releases"))
    finds = contradicted(then, accidents, hazards)
    refuted = set(finds.loc[finds["certain"], "release_id"])
    again, own = then[then["action"] == REOPENED], then[then["action"] != REOPENED]
    own = own[~own["release_id"].isin(refuted)]
    ground = own.geometry.to_numpy().copy()
    i, j = shapely.STRtree(again.geometry.to_numpy()).query(ground, predicate="intersects")
    later = dates(again, "decided_on")[j] >= dates(own, "decided_on")[i]
    for k in np.unique(i[later]):
        ground[k] = shapely.difference(ground[k], shapely.union_all(again.geometry.to_numpy()[j[later & (i == k)]]))
    found = pd.DataFrame({"release_id": own["release_id"].to_numpy(), "detection": detection(own, settings)})
    best = np.argsort(-found["detection"].to_numpy(), kind="stable")
    once = shapes.disjoint(ground[best], grid_m=shapes.GRID_M)
    return placed(gpd.GeoDataFrame(found.iloc[best].reset_index(drop=True), geometry=once, crs=releases.crs))


def _contradictions(releases: gpd.GeoDataFrame, finds: pd.DataFrame) -> _Faults:
    """Finds on released ground as faults, one a release, and those that may have been there, one a release."""
    row_of = dict(zip(releases["release_id"], releases.index, strict=True))
    found = []
    for (release, certain), own in finds.groupby(["release_id", "certain"], sort=False):
        days = own["found_on"].dt.strftime("%Y-%m-%d").fillna("without date")
        value = _few(
            f"{what} {which} {on}" for what, which, on in zip(own["evidence"], own["evidence_id"], days, strict=True)
        )
        if certain:
            rule = "something was found on the ground after its release; its search is not used as evidence"
            remedy = "tell the authority; re-open the ground if it decides so"
        else:
            rule = "an accident after the release lies so near that, by its position error, it may have been there"
            remedy = "find out where it was; re-open the ground if the authority decides so"
        found.append(_tell(row_of[release], "geometry", value, rule, "warning", remedy))
    return found


def history_faults(hazards: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Faults of HISTORY held against HAZARDS (or AREAS).

    An unknown hazard_id is an error; a change dated before its hazard, and a class for a contact line's belt, are
    warnings.
    """
    found: _Faults = []
    first = hazards.drop_duplicates("hazard_id").set_index("hazard_id")
    recorded = dict(zip(first.index, dates(first, "recorded_on"), strict=True))
    changed = dates(history, "changed_on")
    for k in np.argsort(changed.astype("int64"), kind="stable"):
        row, hazard, change = history.index[k], history["hazard_id"].iloc[k], history.iloc[k]
        if hazard not in recorded:
            rule, level, remedy = "no hazard has this id", "error", "correct the id; the change has no effect"
        elif recorded[hazard] > changed[k]:
            rule, level, remedy = "change is dated before its hazard", "warning", "correct one of the dates; it counts"
        elif first.loc[hazard].get("kind") == "contact-line" and pd.notna(change.get("land_class")):
            rule, level = "a contact line's belt stays an indication until surveyed ground is entered", "warning"
            remedy = "enter surveyed ground as polygons of its own class"
        else:
            continue
        found.append(fault("history", row, "hazard_id", hazard, rule, level, remedy))
    return fault_table(found)


def closed_by_row(hazards: pd.DataFrame) -> pd.DataFrame:
    """Hazards whose own row says closed, as one fault: nobody can tell since when, so they are closed at every day."""
    ids = hazards.loc[(hazards["status"] == "closed").to_numpy(), "hazard_id"].drop_duplicates()
    rule = "closed by the hazard's own row, nobody knows since when: it counts as closed at every earlier day too"
    remedy = "keep in the row the status in which the hazard was recorded; changes belong in HISTORY, with their day"
    value = f"{len(ids)} hazards: {_few(ids)}"
    return fault_table([fault("history", None, "status", value, rule, "warning", remedy)] if len(ids) else [])
