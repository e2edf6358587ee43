"""Reported shapes to footprints for planning: belts of contact lines, minefields, cluster strikes; net and gross area.

Two geometries go together and are never mixed. ``reported`` is the border as reported, which ledger, bridge and treaty
tables count; ``geometry`` is the footprint for planning, grown by position error and margin, which tasks tile. Points,
lines, belts and strikes have no surveyed border: they count the area that their source states, else it is unknown.
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError, TableError
from clearplan.geo import shapes
from clearplan.settings.land import FootprintSettings
from clearplan.tables.check import as_reported, has_border, placed, remaining
from clearplan.tables.codes import CLASSES, OUTSIDE
from clearplan.tables.texts import read_profile

_AREA_COLUMNS = [
    "area_id",
    "hazard_id",
    "kind",
    "land_class",
    "status",
    "ordnance",
    "band",
    "grown_m",
    "planning_m2",
    "stated_m2",
    "position_error_m",
    "position_from",
    "source",
    "recorded_on",
    "deferred",
    "reported",
    "geometry",
]
#: Kinds of hazards whose shape, whatever it is, is nobody's surveyed border.
_WITHOUT_BORDER = ("contact-line", "cluster-strike")


def footprints(hazards: gpd.GeoDataFrame, settings: FootprintSettings) -> gpd.GeoDataFrame:
    """AREAS: the footprint for planning of every hazard beside its reported border; a contact line gives two bands.

    Parameters
    ----------
    hazards : GeoDataFrame
        HAZARDS in a metric CRS.
    settings : FootprintSettings
        Margins and strike radius [m].

    Returns
    -------
    GeoDataFrame
        AREAS. Minefields grow by position error + margin of their ordnance class; strikes by position error +
        strike radius + margin; belts are cut from the line by their depth profile. ``reported`` (a second column of
        geometry) is the reported polygon, None where there is no surveyed border; ``planning_m2`` the area of the
        footprint [m2]. Deferred rows stay, without shape.

    Raises
    ------
    CrsError
        The table is not in metres.
    SettingsError
        No margin is declared for an ordnance class, or a row states no position error and none is assumed.
    TableError
        A contact line is not one line, or has no depth profile.
    """
    require_metres(hazards)
    lines = (hazards["kind"] == "contact-line").to_numpy()
    tables = [
        _grown(hazards[~lines], settings),
        *(_bands(row, hazards.crs) for _, row in hazards[lines].iterrows()),
    ]
    order = {hazard: i for i, hazard in enumerate(hazards["hazard_id"])}
    areas = pd.concat([table for table in tables if len(table)] or [tables[0]], ignore_index=True)
    areas = areas.sort_values("hazard_id", key=lambda ids: ids.map(order), kind="stable")
    areas["planning_m2"] = np.nan_to_num(shapely.area(areas.geometry.to_numpy()))
    areas["stated_m2"] = pd.to_numeric(_column(areas, "stated_m2")).astype(float)
    areas["position_from"] = areas["hazard_id"].map(_shifting(hazards))
    areas = areas.reset_index(drop=True)
    areas["reported"] = gpd.GeoSeries(areas["reported"].to_numpy(object), crs=hazards.crs)
    _refuse_nothing(hazards, areas)
    return gpd.GeoDataFrame(areas[_AREA_COLUMNS], geometry="geometry", crs=hazards.crs)


def _shifting(hazards: pd.DataFrame) -> dict[str, str]:
    """Hazard with which each hazard's position shifts: itself, or the first of the records read off the same scan."""
    own = hazards["hazard_id"].astype(str)
    if "scan" in hazards.columns:
        own = own.where(hazards["scan"].isna(), own.groupby(hazards["scan"]).transform("min"))
    return dict(zip(hazards["hazard_id"], own, strict=True))


def _borders(hazards: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Reported polygons; None where a hazard has no surveyed border."""
    borders = np.array(hazards.geometry.to_numpy(), dtype=object)
    surveyed = (shapely.area(borders) > 0) & ~hazards["kind"].isin(_WITHOUT_BORDER).to_numpy()
    borders[~surveyed] = None
    return borders


def _refuse_nothing(hazards: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> None:
    """A hazard that has a place must have ground, or it would be gone from every map (Law 2)."""
    ground = areas.groupby("hazard_id")["planning_m2"].sum()
    lost = [hazard for hazard in placed(hazards)["hazard_id"] if not ground[hazard] > 0]
    if lost:
        raise SettingsError(
            f"hazard {lost[0]} (of {len(lost)} such): its footprint has no area; state a position_error_m, a margin "
            "or a depth above 0"
        )


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table.columns else pd.Series(None, index=table.index, dtype=object)


def _grown(hazards: gpd.GeoDataFrame, settings: FootprintSettings) -> gpd.GeoDataFrame:
    error = pd.to_numeric(hazards["position_error_m"]).astype(float)
    usable = hazards.index.isin(placed(hazards).index)
    if error[usable].isna().any() and settings.assumed_position_error_m is None:
        blank = hazards.loc[usable & error.isna(), "hazard_id"].tolist()
        raise SettingsError(
            f"position_error_m is blank in {len(blank)} hazards ({', '.join(blank[:5])}{' ...' if blank[5:] else ''}); "
            "fill it in, or declare footprints.assumed_position_error_m"
        )
    missing = sorted(set(hazards.loc[usable, "ordnance"].dropna()) - set(settings.margin_m))
    if missing:
        raise SettingsError(f"footprints.margin_m: no margin for {', '.join(missing)}; add one in metres")
    margin = hazards["ordnance"].map(settings.margin_m).astype(float).fillna(0.0)
    strike = (hazards["kind"] == "cluster-strike") * settings.strike_radius_m
    radius = error.fillna(settings.assumed_position_error_m or 0.0) + margin + strike
    grown = shapes.conservative_buffer(hazards.geometry.to_numpy(), radius.to_numpy(float))
    return hazards.assign(
        area_id=hazards["hazard_id"],
        band="whole",
        grown_m=radius,
        recorded_on=_column(hazards, "recorded_on"),
        deferred=_column(hazards, "deferred"),
        reported=_borders(hazards),
        geometry=grown,
    )


def _bands(row: pd.Series, crs: Any) -> gpd.GeoDataFrame:
    """Inner and outer band of one contact line."""
    line = row.geometry
    profile = row.get("depth_profile")
    if line is not None and line.geom_type == "MultiLineString":
        # Side and distance are read from the line's direction, so parts that run against it are not turned.
        turned = row["sides"] != "both" or ";" in str(profile)
        line = shapely.line_merge(line, directed=turned)
    if line is not None and line.geom_type != "LineString":
        raise TableError(
            f"contact line {row.hazard_id}: its parts make no single line in one direction; give one unbroken line"
        )
    for name in ("measure", "sides", "caps"):
        if not isinstance(row.get(name), str):
            raise TableError(f"contact line {row.hazard_id}: no {name}; read it as [contact_line] in plan.toml")
    if not isinstance(profile, str):
        raise TableError(f"contact line {row.hazard_id}: no depth_profile; read it as [contact_line] in plan.toml")
    share = 0.5 if row["measure"] == "total" and row["sides"] == "both" else 1.0
    rows = read_profile(profile)
    if line is None:
        inner = outer = None
    else:
        inner, whole = (
            shapes.belt(line, [(r[0], r[k] * share) for r in rows], sides=row["sides"], caps=row["caps"])
            for k in (1, 2)
        )
        outer = shapely.difference(whole, inner)
    both = pd.DataFrame([row, row]).reset_index(drop=True)
    return gpd.GeoDataFrame(
        both.assign(
            area_id=[f"{row.hazard_id}/inner", f"{row.hazard_id}/outer"],
            band=["inner", "outer"],
            land_class="indication",
            grown_m=[max(r[1] for r in rows) * share, max(r[2] for r in rows) * share],
            recorded_on=row.get("recorded_on"),
            deferred=row.get("deferred"),
            reported=None,
        ).drop(columns="geometry"),
        geometry=[inner, outer],
        crs=crs,
    )


def net_shapes(areas: gpd.GeoDataFrame) -> dict[str, shapely.Geometry]:
    """The ground of each land class, every square metre in the strongest class only.

    >>> both = gpd.GeoDataFrame({"land_class": ["SHA", "CHA"], "status": ["open", "open"]},
    ...     geometry=[shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)], crs="EPSG:32638")
    >>> {k: v.area for k, v in net_shapes(both).items()}
    {'CHA': 2.0, 'SHA': 1.0, 'indication': 0.0}
    """
    require_metres(areas)
    left = remaining(areas)
    groups = [left.loc[left["land_class"] == land_class].geometry.to_numpy() for land_class in CLASSES]
    return dict(zip(CLASSES, shapes.net_by_rank(groups), strict=True))


def net_area(
    areas: gpd.GeoDataFrame, districts: gpd.GeoDataFrame | None = None, *, name: str = "district"
) -> pd.DataFrame:
    """Ground that remains per land class and district [m2]: as reported, and for planning.

    Parameters
    ----------
    areas : GeoDataFrame
        AREAS in a metric CRS; closed and deferred rows do not count.
    districts : GeoDataFrame, optional
        Districts in the same CRS with their names in column ``name``. What lies outside them all is a row of
        its own. Where two districts overlap the first counts.

    Returns
    -------
    DataFrame
        land_class, district, reported_m2 (union of the reported borders), planning_m2 (union of the footprints for
        planning; of both the strongest class takes overlaps), gross_m2 (sum of footprints), overlap_m2 (gross less
        planning). Of hazards without a surveyed border, in the district of their inner point: stated_m2 (sum of what
        their sources state; blank where none does) and no_area (how many whose area nobody states).
    """
    require_metres(areas)
    left = remaining(areas)
    reported = remaining(as_reported(areas))
    if districts is None:
        names, ground = np.array(["all"], dtype=object), None
    else:
        require_metres(areas, districts)
        names = np.append(districts[name].to_numpy(object), OUTSIDE)
        ground = shapes.disjoint(districts.geometry.to_numpy())
    columns = {
        "reported_m2": _net_by(reported, ground),
        "planning_m2": _net_by(left, ground),
        "gross_m2": [_area_by(_of_class(left, land_class), ground) for land_class in CLASSES],
    }
    columns["stated_m2"], columns["no_area"] = _stated_by(left, ground, len(names))
    keys = pd.MultiIndex.from_product([CLASSES, names], names=["land_class", "district"])
    table = pd.DataFrame({column: np.concatenate(values) for column, values in columns.items()}, index=keys)
    table = table[(table[["reported_m2", "planning_m2", "gross_m2", "no_area"]] > 0).any(axis=1)].reset_index()
    sums = table.groupby(["land_class", "district"], sort=False, dropna=False).sum(min_count=1).reset_index()
    sums.insert(5, "overlap_m2", sums["gross_m2"] - sums["planning_m2"])
    return sums.astype({"no_area": int})


def _of_class(areas: gpd.GeoDataFrame, land_class: str) -> NDArray[np.object_]:
    """Shapes of a class."""
    of_class: NDArray[np.object_] = areas.loc[areas["land_class"] == land_class].geometry.to_numpy()
    return of_class


def _net_by(areas: gpd.GeoDataFrame, ground: Any) -> list[NDArray[np.float64]]:
    """Net area of each class in each shape of the ground, and outside all of them at the end [m2]."""
    net: list[NDArray[np.float64]] = []
    stronger, together = np.zeros(1), np.array([], dtype=object)
    for land_class in CLASSES:
        # What a class adds to the ground of the stronger ones is its net area.
        together = shapes.union_pieces(np.concatenate([together, _of_class(areas, land_class)]))
        covered = _area_by(together, ground)
        net.append(np.where(covered - stronger > 1e-9 * covered.sum(), covered - stronger, 0.0))
        stronger = covered
    return net


def _stated_by(
    left: gpd.GeoDataFrame, ground: Any, count: int
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """By class and place, of hazards without a surveyed border: the area that is stated, and how many state none."""
    bare = left[~has_border(left) & (left["band"] != "halo")].drop_duplicates("hazard_id")
    place = np.full(len(bare), count - 1)
    if ground is not None and len(bare):
        i, j = shapely.STRtree(ground).query(shapely.point_on_surface(bare.geometry.to_numpy()), "intersects")
        place[i] = j
    column = "remaining_m2" if "remaining_m2" in bare.columns else "stated_m2"  # unknown once some of it was released
    stated = bare[column].to_numpy(float)
    sums, unknown = [], []
    for land_class in CLASSES:
        mine = (bare["land_class"] == land_class).to_numpy()
        known = mine & ~np.isnan(stated)
        there = np.bincount(place[known], minlength=count) > 0
        sums.append(np.where(there, np.bincount(place[known], weights=stated[known], minlength=count), np.nan))
        unknown.append(np.bincount(place[mine & np.isnan(stated)], minlength=count).astype(float))
    return sums, unknown


def _area_by(parts: Any, ground: Any) -> Any:
    """Area of parts in each shape of the ground, and outside all of them at the end [m2]."""
    total = float(shapely.area(parts).sum()) if len(parts) else 0.0
    if ground is None:
        return np.array([total])
    _, j, area = shapes.overlaps(parts, ground) if len(parts) else ([], np.array([], dtype=int), np.array([]))
    inside = np.bincount(j, weights=area, minlength=len(ground))
    outside = total - inside.sum()
    # Rounding of the cut areas must not look like land outside the districts.
    return np.append(inside, outside if outside > 1e-9 * total else 0.0)
