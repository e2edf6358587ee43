"""Land release: what is cancelled, reduced and cleared of every area, and what remains.

The state of ground is decided by the last event that covers it: on the same day re-opened stands over cleared over
reduced over cancelled. An event counts only for hazards recorded on or before its day: a hazard that is reported
later is newly found ground and remains. Events are never grown by their own position error, as hazards are:
releasing is never generous. Releasing is the national authority's act; here its decisions are only kept.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from clearplan.core.checks import Day
from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo import shapes
from clearplan.land.as_at import dates, until
from clearplan.settings.land import Detection, Halo
from clearplan.tables.check import as_reported, has_border, placed
from clearplan.tables.codes import RELEASED
from clearplan.tables.frames import Areas, Releases

REOPENED = "re-opened"
#: What is left of a border in threads thinner than this was released to the border [m]: degrees of seven decimals, as
#: GeoJSON has them (RFC 7946, 11.2), are rounded to a centimetre, once in the hazard's file and once in the release's.
_THREAD_M = 0.1
#: On one day the later of these stands over the earlier.
STANDS = ("cancelled", "reduced", "cleared", REOPENED)


def last_events(releases: Releases, *, as_at: Day | None = None) -> Releases:
    """RELEASES cut to the ground on which each is the last event; shapes don't overlap, latest first.

    Parameters
    ----------
    releases : GeoDataFrame
        RELEASES in a metric CRS; deferred rows decide nothing.
    as_at : day, optional
        Later decisions don't count.

    Raises
    ------
    TableError
        A decision that has a shape has no date.
    """
    require_metres(releases)
    events = placed(releases)
    events = events if as_at is None else until(events, as_at, "releases")
    decided = dates(events, "decided_on")
    if np.isnat(decided).any():
        blank = events.loc[np.isnat(decided), "release_id"].iloc[0]
        raise TableError(f"release {blank}: decided_on is blank; without a day nobody knows what it decides")
    stands = events["action"].map({action: k for k, action in enumerate(STANDS)}).to_numpy(float)
    if np.isnan(stands).any():
        unknown = events.loc[np.isnan(stands), "release_id"].iloc[0]
        raise TableError(f"release {unknown}: action must be one of {', '.join(STANDS)}")
    events = events.iloc[np.lexsort((np.arange(len(events)), stands, decided))[::-1]]
    cut = shapes.disjoint(events.geometry.to_numpy(), grid_m=shapes.GRID_M)
    events = events.assign(geometry=gpd.GeoSeries(cut, index=events.index, crs=events.crs))
    return placed(events)


def states(areas: gpd.GeoDataFrame, events: gpd.GeoDataFrame) -> pd.DataFrame:
    """The ground of every area, cut by its state.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS.
    events : GeoDataFrame
        From :func:`last_events`.

    Returns
    -------
    DataFrame
        area (position in ``areas``), event (position in ``events``; -1: none), state ('remaining', 'cancelled',
        'reduced', 'cleared' or 'closed'), geometry. The parts of one area don't overlap. A closed hazard's ground is
        'closed' where no event decides it, and 'remaining' where the last event re-opened it.
    """
    require_metres(areas, events)
    known = np.flatnonzero(shapely.area(areas.geometry.to_numpy()) > 0)
    ground = areas.geometry.to_numpy()[known]
    i, j, part = shapes.shared(ground, events.geometry.to_numpy())
    recorded = dates(areas, "recorded_on")[known]
    counts = ~(recorded[i] > dates(events, "decided_on")[j])  # an unknown date can't be ruled out
    i, j, part = i[counts], j[counts], part[counts]
    action = events["action"].to_numpy(object)[j]
    closed = (areas["status"] == "closed").to_numpy()[known]
    # Re-opened ground needs cutting out of closed hazards only; that of open ones is part of what is left.
    real = (action != REOPENED) | closed[i]
    i, j, part, action = i[real], j[real], part[real], action[real]
    left = shapes.without(ground, part, i, grid_m=shapes.GRID_M)
    rest = np.flatnonzero(~shapely.is_empty(left))
    return pd.DataFrame(
        {
            "area": np.concatenate([known[i], known[rest]]),
            "event": np.concatenate([j, np.full(len(rest), -1)]),
            "state": np.concatenate(
                [np.where(action == REOPENED, "remaining", action), np.where(closed[rest], "closed", "remaining")]
            ).astype(object),
            "geometry": np.concatenate([part, left[rest]]),
        }
    )


def apply_releases(areas: Areas, releases: Releases, *, as_at: Day | None = None, halo: Halo = "drop") -> Areas:
    """AREAS less what is released of them: of the reported ground, and of the ground for planning.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS, in the status and class of the day (:func:`as_at` gives both, and leaves out what was
        not yet reported), with the border as reported in column ``reported``.
    releases : GeoDataFrame
        RELEASES in the same CRS. The ground decides what they cover, whatever hazard_id says.
    as_at : day, optional
        Decisions after that day don't count.
    halo : 'drop' or 'survey'
        What becomes of the rim between reported border and footprint where the ground within was released: it goes
        with that ground, or it is an indication to be surveyed.

    Returns
    -------
    GeoDataFrame
        The same rows in the same order, and with halo 'survey' one row more, ``<area_id>/halo``, for each area whose
        rim is left. ``geometry`` is the ground for planning that remains, None where nothing does, planning_m2 its
        area; ``reported`` is the reported ground that remains. Of a hazard with a surveyed border the ground for
        planning is what remains of the border, grown again, less what was released.
        New: reported_m2 = remaining_m2 + cancelled_m2 + reduced_m2 + cleared_m2 + closed_m2 [m2], of the reported
        ground, and release_ids. Without a surveyed border reported_m2 is what the source states; the others are
        unknown once some of it was released. A row of status closed keeps its unreleased ground as closed_m2; where an
        event re-opened some of it that ground remains and the row turns open.

    Raises
    ------
    CrsError, TableError
        Tables are not in metres or not in one CRS; a decision has no date.

    Notes
    -----
    A release is not grown by its position error, and a footprint is.
    """
    require_metres(areas, releases)
    events = last_events(releases, as_at=as_at)
    border, footprint = as_reported(areas), areas
    of_border, of_footprint = states(border, events), states(footprint, events)
    bordered = has_border(areas)
    out = areas.assign(**_ground_by_state(areas, of_border, of_footprint))
    out["release_ids"] = _deciding(areas, events)
    out["reported"] = gpd.GeoSeries(_what_stays(of_border, len(areas)), index=areas.index, crs=areas.crs)
    open_again = _remaining_somewhere(of_border, of_footprint, areas)
    # Closed ground round re-opened ground is the error of its border again: only what was released stays out.
    back = (of_footprint["state"] == "closed") & (open_again & bordered)[of_footprint["area"].to_numpy(int)]
    of_footprint["state"] = of_footprint["state"].mask(back, "remaining")
    stays, rim = _planning_ground(areas, out["reported"].to_numpy(), _what_stays(of_footprint, len(areas)), events)
    rim[(areas["status"] == "closed").to_numpy() & ~open_again] = None
    out["geometry"] = gpd.GeoSeries(stays, index=areas.index, crs=areas.crs)
    out["status"] = out["status"].mask((out["status"] == "closed") & open_again, "open")
    out["planning_m2"] = np.nan_to_num(shapely.area(out.geometry.to_numpy()))
    return _with_halos(out, rim) if halo == "survey" else out


def _ground_by_state(areas: Areas, of_border: pd.DataFrame, of_footprint: pd.DataFrame) -> dict[str, Any]:
    """Columns reported_m2, remaining_m2 ... of each area [m2]: within its border, else as its source states."""
    bordered = has_border(areas)
    stated_m2 = areas["stated_m2"].where(areas.index.isin(placed(areas).index)).to_numpy(float)
    reported_m2 = np.where(bordered, shapely.area(areas["reported"].to_numpy()), stated_m2)
    of_border, of_footprint = (_sums(parts).reindex(range(len(areas))) for parts in (of_border, of_footprint))
    columns = {"reported_m2": reported_m2}
    for state in of_border.columns:
        # Without a border only ground that is all in one state says how much of it is in that state.
        none = _is_none(of_footprint, state) & ~np.isnan(reported_m2)
        stated = np.where(_is_all(of_footprint, state), reported_m2, np.where(none, 0.0, np.nan))
        columns[f"{state}_m2"] = np.where(bordered, of_border[state].fillna(0.0), stated)
    return columns


def _sums(parts: pd.DataFrame) -> pd.DataFrame:
    """Ground of each area by state [m2]; a state that does not occur is 0."""
    parts = parts.assign(m2=shapely.area(parts["geometry"].to_numpy(object)))
    by_state = parts.pivot_table(index="area", columns="state", values="m2", aggfunc="sum")
    return by_state.reindex(columns=["remaining", *RELEASED, "closed"]).fillna(0.0)


def _is_none(by_state: pd.DataFrame, state: str) -> Any:
    return (by_state[state] == 0).to_numpy()


def _is_all(by_state: pd.DataFrame, state: str) -> Any:
    others = by_state.drop(columns=state)
    return ((others == 0).all(axis=1) & (by_state[state] > 0)).to_numpy()


def _remaining_somewhere(of_border: pd.DataFrame, of_footprint: pd.DataFrame, areas: Areas) -> Any:
    """Whether some reported ground of each area remains; without a border, some of its footprint."""
    there = np.zeros((2, len(areas)), dtype=bool)
    for row, parts in zip(there, (of_border, of_footprint), strict=True):
        row[parts.loc[parts["state"] == "remaining", "area"].to_numpy(int)] = True
    return np.where(has_border(areas), *there)


def _planning_ground(areas: Areas, border_left: Any, footprint_left: Any, events: Releases) -> tuple[Any, Any]:
    """Ground for planning that remains of each area, and the rim that no longer has reported ground beside it.

    Only areas with a border of which a release took some lose their rim: all others keep their footprint as it was.
    """
    stays = np.asarray(footprint_left, dtype=object).copy()
    rim = np.full(len(areas), None, dtype=object)
    border = areas["reported"].to_numpy()
    touched, _, _ = shapes.overlaps(_or_empty(border), events.geometry.to_numpy())
    lost = shapely.area(_or_empty(border_left)) < shapely.area(_or_empty(border)) * (1 - 1e-12)
    for k in np.unique(touched):
        if not lost[k] or stays[k] is None:
            continue
        near = _grown_again(border_left[k], float(areas["grown_m"].iloc[k]))
        left = stays[k]
        stays[k] = _or_none(shapely.intersection(left, near)) if near is not None else None
        rim[k] = _or_none(left if near is None else shapely.difference(left, near))
    return stays, rim


def _grown_again(border: shapely.Geometry | None, grown_m: float) -> shapely.Geometry | None:
    """The footprint of what remains of a border; None where nothing does but threads of rounding."""
    if border is None:
        return None
    parts = shapes.parts_of(border)
    wide = parts[~shapely.is_empty(shapely.buffer(parts, -_THREAD_M / 2))]
    if not len(wide):
        return None
    grown: shapely.Geometry = shapes.conservative_buffer(
        np.array([shapely.multipolygons(wide)], dtype=object), np.array([grown_m])
    )[0]
    return grown


def _or_none(shape: shapely.Geometry) -> shapely.Geometry | None:
    """The polygons of a shape; None where there are none."""
    polygons = shapes.real_parts(shape)
    return None if polygons.is_empty else polygons


def _with_halos(areas: Areas, rim: Any) -> Areas:
    """AREAS with a row for each rim that is left: an indication to be surveyed, without a border of its own."""
    left = np.flatnonzero(~shapely.is_missing(rim))
    halos = areas.iloc[left].copy()
    halos["area_id"] = halos["area_id"].astype(str) + "/halo"
    halos = halos.assign(band="halo", land_class="indication", status="open", stated_m2=np.nan)
    for name in ("reported_m2", "remaining_m2", *(f"{action}_m2" for action in RELEASED), "closed_m2"):
        halos[name] = np.nan
    halos["reported"] = gpd.GeoSeries([None] * len(halos), index=halos.index, crs=areas.crs)
    halos["geometry"] = gpd.GeoSeries(rim[left], index=halos.index, crs=areas.crs)
    halos["planning_m2"] = shapely.area(halos.geometry.to_numpy())
    both = pd.concat([areas, halos], ignore_index=True) if len(halos) else areas
    return gpd.GeoDataFrame(both, geometry="geometry", crs=areas.crs)


def _what_stays(parts: pd.DataFrame, count: int) -> Any:
    """What remains of each area; of a closed one without re-opened ground what is closed."""
    stays: Any = np.full(count, None, dtype=object)
    for state in ("closed", "remaining"):
        own = parts[parts["state"] == state]
        for area, shape in own.groupby("area", sort=False)["geometry"]:
            stays[area] = shape.iloc[0] if len(shape) == 1 else shapely.union_all(shape.to_numpy(object))
    return stays


def _deciding(areas: gpd.GeoDataFrame, events: gpd.GeoDataFrame) -> Any:
    """Per area the ids of the events that decide some of its ground, oldest first; None where there is none."""
    i, j, _ = shapes.overlaps(_or_empty(areas.geometry.to_numpy()), events.geometry.to_numpy())
    counts = ~(dates(areas, "recorded_on")[i] > dates(events, "decided_on")[j])
    pairs = pd.DataFrame({"area": i[counts], "event": j[counts]}).sort_values(
        ["area", "event"], ascending=[True, False]
    )
    pairs["id"] = events["release_id"].to_numpy(object)[pairs["event"]]
    named = pairs.groupby("area")["id"].agg("; ".join)
    return named.reindex(range(len(areas))).astype(object).where(lambda ids: ids.notna(), None).to_numpy(object)


def _or_empty(shape: Any) -> Any:
    """Shapes, an empty polygon where there is none."""
    return np.where(shapely.is_missing(shape), shapely.Polygon(), shape)


def negative_search(p: ArrayLike, d: ArrayLike, *, contradicted: ArrayLike = False) -> float | NDArray[np.float64]:
    """Share of ground that is contaminated after a search that found nothing: p (1 - d) / (1 - p d), Bayes' rule.

    Parameters
    ----------
    p : float or array
        Share before the search, 0 to 1; of a single place, the probability that it is contaminated.
    d : float or array
        Probability that the search finds what is there, 0 to 1.
    contradicted : bool or array, optional
        Where something was found there later (:func:`clearplan.land.audit.contradicted`): the search says nothing, p
        stays.

    Returns
    -------
    float or array
        In the shape of the inputs together. Where p = 1 it stays 1: no search speaks against what is certain.

    Raises
    ------
    SettingsError
        p or d is not within 0 to 1.

    >>> round(negative_search(0.2, 0.9), 4)
    0.0244
    >>> round(negative_search(negative_search(0.2, 0.9), 0.9), 5)
    0.00249
    """
    before, finds = np.asarray(p, dtype=float), np.asarray(d, dtype=float)
    for name, value in (("p", before), ("d", finds)):
        # A blank share is unknown and stays so; one outside the range is a slip.
        if ((value < 0) | (value > 1)).any() or (name == "d" and np.isnan(value).any()):
            raise SettingsError(f"negative search: {name} must lie within 0 and 1; correct it")
    certain = before >= 1
    rest = 1 - np.where(certain, 0.0, before) * finds
    after = np.where(certain, 1.0, before * (1 - finds) / np.where(rest > 0, rest, 1.0))
    after = np.where(np.asarray(contradicted, dtype=bool), before, after)
    return float(after) if after.ndim == 0 else after


def detection(releases: pd.DataFrame, settings: Detection) -> NDArray[np.float64]:
    """Detection probability of each release by its action [1]; a re-opening searches nothing: 0.

    >>> found = Detection(cancelled=0.5, reduced=0.7, cleared=0.99)
    >>> detection(pd.DataFrame({"action": ["cleared", "re-opened"]}), found).tolist()
    [0.99, 0.0]
    """
    return releases["action"].map({**settings.model_dump(), REOPENED: 0.0}).to_numpy(float)
