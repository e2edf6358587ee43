"""Rows of record forms to VERTICES: every leg followed in the plane of its own grid, with the error of each point.

All records at once: a step of the computation follows one leg of every record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from clearplan.core.crs import (
    PlaneFactors,
    declination_deg,
    operation,
    operation_accuracy_m,
    parse_crs,
    plane_crs,
    plane_factors,
)
from clearplan.records.forms import Forms
from clearplan.records.traverse import (
    R95_PER_SIGMA,
    Chains,
    LegErrors,
    Legs,
    Walk,
    chains,
    compass_rule,
    last_common,
    path_variance,
    r95,
    shared_variance,
    walk,
)
from clearplan.settings.sources import RecordSettings

Array = np.ndarray[Any, Any]

#: A misclosure beyond this many standard errors is a blunder, not an error of measurement.
BLUNDER_SIGMAS = 3.0

_KEPT = [
    "record_id",
    "row",
    "point_no",
    "point_kind",
    "landmark",
    "method",
    "coordinates",
    "easting",
    "northing",
    "bearing",
    "distance",
    "notation",
    "crs",
    "x",
    "y",
    "resolution_m",
    "position_error_m",
    "bearing_deg",
    "distance_m",
    "back",
    "closes",
]
#: Columns that a point keeps of its leg, as entered and as read; and those that are worked out.
_OF_LEGS = [
    "record_id",
    "version",
    "shape",
    "row",
    "point_no",
    "point_kind",
    "landmark",
    "method",
    "back",
    "closes",
    "coordinates",
    "easting",
    "northing",
    "bearing",
    "distance",
    "notation",
    "bearing_deg",
    "distance_m",
]
_WORKED_OUT = [
    "entered_crs",
    "entered_x",
    "entered_y",
    "plane_x",
    "plane_y",
    "plane_crs",
    "c_ee",
    "c_en",
    "c_nn",
    "r95_m",
    "operation",
    "operation_accuracy_m",
    "declination_deg",
    "declination_source",
    "convergence_deg",
    "scale",
]
CHECK_COLUMNS = [
    "record_id",
    "version",
    "row",
    "point_no",
    "point_kind",
    "misclosure_m",
    "east_m",
    "north_m",
    "limit_m",
    "length_m",
    "blunder",
    "spread",
]


@dataclass(frozen=True)
class _Nodes:
    """Points as arrays: the n rows of ``legs`` and, behind them, the reached ends of legs that lead to known points."""

    legs: pd.DataFrame
    row: Array  # row of ``legs`` for each node
    record: Array  # and its row of RECORDS
    parent: Array
    reached: Array  # nodes at which a check ends
    known: Array  # the known point that each should have met
    crs: Array  # number of the CRS in which each row of ``legs`` has coordinates, -1 for none
    plane: Array  # number of each node's plane
    frames: list[CRS]  # what these numbers mean


def plot(
    forms: Forms, shapes: pd.DataFrame, source: RecordSettings, working: CRS, scan_sigma_m: Mapping[str, float]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """VERTICES in the working CRS, and one row of checks for each leg that led to a known point.

    Parameters
    ----------
    forms : Forms
        Checked rows.
    shapes : DataFrame
        Shapes to compute: record_id, version, anchor (its row in ANCHORS, or -1).
    source : RecordSettings
        Standard errors and adjustment.
    working : CRS
        Metric CRS of the answer.
    scan_sigma_m : mapping
        Standard error per axis of each scanned map [m].

    Covariance of a vertex: C = s_ref^2 I + sum over its legs of ((L s_bearing)^2 v v' + s_distance^2 u u')
    + s_shared_bearing^2 r r' + s_scale^2 p p' (u along the leg, v across it, p from the reference point to the vertex,
    r the same turned by 90 degrees). A misclosure over 3 sigma is never spread.
    """
    if not len(shapes):
        return _no_vertices(working), pd.DataFrame(columns=CHECK_COLUMNS).astype({"blunder": bool, "spread": bool})
    nodes = _nodes(forms, shapes)
    x, y, variance = _fixed_points(nodes, forms, shapes, working, scan_sigma_m)
    links = chains(nodes.parent)
    root = links.root
    factors = _factors(nodes, root, x, y)
    north = _column(forms, nodes, "north")
    declination, told = _declinations(nodes, forms, root, north, x, y)
    given = nodes.legs[["bearing_deg", "distance_m"]].to_numpy(float)[nodes.row]
    legs = Legs(
        parent=nodes.parent,
        bearing=np.radians(given[:, 0] + np.where(north == "magnetic", declination, 0.0)),
        length=np.where(nodes.parent < 0, 0.0, given[:, 1]),
        grid=north == "grid",
    )
    errors = _leg_errors(forms, nodes)
    gone = walk(legs, links, x, y, factors)
    path = path_variance(legs, links, gone, errors)
    checks = _checks(nodes, legs, links, gone, path, variance, errors)
    spans = _span_checks(nodes, gone, variance, factors, errors)
    if source.adjust == "compass-rule":
        gone = _spread(nodes, legs, links, gone, checks)
    shared = shared_variance(gone.x - gone.x[root], gone.y - gone.y[root], errors)
    whole = path + shared + variance[root]
    size = len(nodes.legs)
    vertices = _table(
        nodes,
        gone,
        whole,
        working,
        {
            "declination_deg": declination[:size],
            "declination_source": told[:size],
            "convergence_deg": np.degrees(factors.convergence)[:size],
            "scale": factors.scale[:size],
        },
    )
    both = pd.concat([part for part in (checks, spans) if len(part)] or [checks], ignore_index=True)
    return vertices, both[CHECK_COLUMNS]


def _nodes(forms: Forms, shapes: pd.DataFrame) -> _Nodes:
    ids = pd.Index(forms.records["record_id"])
    of_leg = ids.get_indexer(forms.legs["record_id"])
    blocks, begun = [], 0
    for version, own in shapes.groupby("version"):
        number = np.full(len(ids) + 1, -1)  # the spare last place answers for -1
        number[ids.get_indexer(own["record_id"])] = own.index
        shape = number[of_leg]
        rows = np.flatnonzero(shape >= 0)
        place = np.full(len(of_leg) + 1, -1)
        place[rows] = np.arange(begun, begun + len(rows))
        block = forms.legs[_KEPT]
        block = block if len(rows) == len(block) else block.iloc[rows]
        links = {name: place[block[name].to_numpy(int)] for name in ("back", "closes")}
        blocks.append(block.assign(**links, version=version, shape=shape[rows], record=of_leg[rows]))
        begun += len(rows)
    legs = pd.concat(blocks, ignore_index=True) if len(blocks) > 1 else blocks[0].reset_index(drop=True)
    fixed = legs["x"].notna().to_numpy()
    led_to = legs["distance_m"].notna().to_numpy() & legs["bearing_deg"].notna().to_numpy()
    back, closes = legs["back"].to_numpy(int), legs["closes"].to_numpy(int)
    linked, closing = np.flatnonzero(fixed & led_to), np.flatnonzero(~fixed & (closes >= 0))
    row = np.concatenate([np.arange(len(legs)), linked])
    crs, plane, frames = _frames(legs, fixed)
    return _Nodes(
        legs=legs,
        row=row,
        record=legs["record"].to_numpy(int)[row],
        parent=np.concatenate([np.where(fixed, -1, back), back[linked]]),
        reached=np.concatenate([len(legs) + np.arange(len(linked)), closing]),
        known=np.concatenate([linked, closes[closing]]),
        crs=crs,
        plane=plane[row],
        frames=frames,
    )


def _frames(legs: pd.DataFrame, fixed: Array) -> tuple[Array, Array, list[CRS]]:
    """CRS of each point with coordinates, plane of each row, and what the numbers mean.

    The plane is the grid of the shape's first point with coordinates, or the zone in which that lies.
    """
    at = np.flatnonzero(fixed)
    codes, texts = pd.factorize(legs["crs"].to_numpy(object)[at])
    frames = [parse_crs(text) for text in texts]
    crs = np.full(len(legs), -1)
    crs[at] = codes
    shape = legs["shape"].to_numpy(int)
    shapes, first = np.unique(shape[at], return_index=True)
    plane_of = np.full(shape.max() + 1, -1)
    plane_of[shapes] = codes[first]
    x = legs["x"].to_numpy(float)[at][first]
    for number, frame in list(enumerate(frames)):
        if frame.is_geographic:
            zone = np.floor(x / 6)
            for one in np.unique(zone[codes[first] == number]):
                plane = plane_crs(frame, 6 * one + 3)
                if plane not in frames:
                    frames.append(plane)
                plane_of[shapes[(codes[first] == number) & (zone == one)]] = frames.index(plane)
    return crs, plane_of[shape], frames


def _groups(*keys: Array) -> list[tuple[tuple[int, ...], Array]]:
    """Distinct combinations of numbers, and the positions of each."""
    codes, distinct = pd.factorize(keys[0].astype(np.int64) * 100_000 + (keys[1] if len(keys) > 1 else 0))
    return [
        (
            divmod(int(key), 100_000)[: len(keys)],
            np.arange(len(codes)) if len(distinct) == 1 else np.flatnonzero(codes == k),
        )
        for k, key in enumerate(distinct)
    ]


def _column(forms: Forms, nodes: _Nodes, name: str) -> Array:
    """A column of RECORDS for each node."""
    return forms.records[name].to_numpy()[nodes.record]


def _fixed_points(
    nodes: _Nodes,
    forms: Forms,
    shapes: pd.DataFrame,
    working: CRS,
    scan_sigma_m: Mapping[str, float],
) -> tuple[Array, Array, Array]:
    """x, y of points with coordinates in their shape's plane, and their (n, 3) variance [m2]."""
    size = len(nodes.row)
    x, y, variance = np.zeros(size), np.zeros(size), np.zeros((size, 3))
    legs = nodes.legs
    at = np.flatnonzero(legs["x"].notna().to_numpy())
    xy = legs[["x", "y"]].to_numpy(float)[at]
    x[at], y[at], accuracy = _in_planes(xy, nodes.crs[at], nodes.plane[at], nodes.frames, working)
    stated = legs["position_error_m"].to_numpy(float)[at] / R95_PER_SIGMA
    reference = _column(forms, nodes, "sigma_reference_m").astype(float)[at]
    scan = _column(forms, nodes, "scan")[at]
    scanned = np.array([scan_sigma_m.get(name, 0.0) if isinstance(name, str) else 0.0 for name in scan])
    sigma2 = (
        np.square(np.where(np.isnan(stated), reference, stated))
        + np.square(legs["resolution_m"].to_numpy(float)[at])
        + np.square(accuracy)
        + np.square(scanned)
    )
    moved = shapes["anchor"].to_numpy(int) >= 0
    if moved.any():
        _to_anchors(nodes, forms, shapes, working, at, x, y, sigma2)
    variance[at, 0] = variance[at, 2] = sigma2
    return x, y, variance


def _in_planes(xy: Array, crs: Array, plane: Array, frames: list[CRS], working: CRS) -> tuple[Array, Array, Array]:
    """Points moved from their CRS to their planes, and the accuracy of the way from there to the working CRS [m]."""
    x, y, accuracy = np.zeros(len(xy)), np.zeros(len(xy)), np.zeros(len(xy))
    for (own, target), at in _groups(crs, plane):
        source, goal = frames[own], frames[target]
        x[at], y[at] = xy[at].T if source == goal else operation(source, goal)[0].transform(*xy[at].T)
        accuracy[at] = operation_accuracy_m(goal, working)
    return x, y, accuracy


def _to_anchors(
    nodes: _Nodes, forms: Forms, shapes: pd.DataFrame, working: CRS, at: Array, x: Array, y: Array, sigma2: Array
) -> None:
    """Shift all points with coordinates of a re-anchored shape so that the first one lies on its landmark.

    The first takes the landmark's error. Nobody has surveyed the others: they are moved by the difference between the
    landmark and the first as recorded, so they keep their own error and gain those two.
    """
    number = nodes.legs["shape"].to_numpy(int)[at]
    for shape in np.flatnonzero(shapes["anchor"].to_numpy(int) >= 0):
        own = at[number == shape]
        anchor = forms.anchors.iloc[shapes["anchor"].iloc[shape]]
        source, plane = parse_crs(anchor["crs"]), nodes.frames[nodes.plane[own[0]]]
        xy = np.array([[anchor["x"], anchor["y"]]], dtype=float)
        to_x, to_y, accuracy = _in_planes(xy, np.array([0]), np.array([1]), [source, plane], working)
        x[own], y[own] = x[own] + (to_x[0] - x[own[0]]), y[own] + (to_y[0] - y[own[0]])
        error = float(anchor["position_error_m"]) / R95_PER_SIGMA
        # A landmark measured in the working datum goes there and back by the same operation: its error cancels.
        datum = 0.0 if source.geodetic_crs == working.geodetic_crs else accuracy[0]
        landmark = error**2 + float(anchor["resolution_m"]) ** 2 + datum**2
        first, *others = np.flatnonzero(number == shape)
        sigma2[others] += sigma2[first] + landmark
        sigma2[first] = landmark


def _factors(nodes: _Nodes, root: Array, x: Array, y: Array) -> PlaneFactors:
    """Convergence and scale at each node's root."""
    size = len(nodes.row)
    found = PlaneFactors(np.zeros(size), np.zeros((size, 2)), np.ones(size), np.zeros((size, 2)))
    roots = np.unique(root)
    for (plane,), at in _groups(nodes.plane[roots]):
        here = roots[at]
        own = plane_factors(nodes.frames[plane], x[here], y[here])
        for name in ("convergence", "convergence_per_m", "scale", "scale_per_m"):
            getattr(found, name)[here] = getattr(own, name)
    return PlaneFactors(
        *(getattr(found, name)[root] for name in ("convergence", "convergence_per_m", "scale", "scale_per_m"))
    )


def _declinations(nodes: _Nodes, forms: Forms, root: Array, north: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Declination for each node [degrees] and where it comes from; blank where bearings aren't magnetic."""
    declination = np.full(len(nodes.row), np.nan)
    told = np.full(len(nodes.row), None, dtype=object)
    magnetic = north == "magnetic"
    if not magnetic.any():
        return declination, told
    stated = _column(forms, nodes, "declination_deg").astype(float)
    by_record = magnetic & ~np.isnan(stated)
    declination[by_record], told[by_record] = stated[by_record], "stated in the record"
    roots = np.unique(root[magnetic & ~by_record])
    # Within a month the field moves by less than 0.01 degrees; one call serves all records of the month.
    days = pd.to_datetime(pd.Series(_column(forms, nodes, "laid_on")[roots]))
    month = (days.dt.year * 12 + days.dt.month - 1).to_numpy(int)
    for (plane, number), at in _groups(nodes.plane[roots], month):
        here = roots[at]
        lon, lat = operation(nodes.frames[plane], CRS.from_epsg(4326))[0].transform(x[here], y[here])
        when = dt.date(number // 12, number % 12 + 1, 15)
        declination[here] = declination_deg(lon, lat, when)
        told[here] = f"IGRF-14 for {when:%Y-%m}"
    by_model = magnetic & ~by_record
    declination[by_model], told[by_model] = declination[root[by_model]], told[root[by_model]]
    return declination, told


def _leg_errors(forms: Forms, nodes: _Nodes) -> LegErrors:
    told = {
        name: _column(forms, nodes, f"sigma_{name}").astype(float)
        for name in ("bearing_deg", "shared_bearing_deg", "distance_m", "scale")
    }
    return LegErrors(
        bearing=np.radians(told["bearing_deg"]),
        shared_bearing=np.radians(told["shared_bearing_deg"]),
        distance=told["distance_m"],
        scale=told["scale"],
    )


def _errors_at(errors: LegErrors, at: Array) -> LegErrors:
    return LegErrors(errors.bearing[at], errors.shared_bearing[at], errors.distance[at], errors.scale[at])


def _checks(
    nodes: _Nodes, legs: Legs, links: Chains, gone: Walk, path: Array, variance: Array, errors: LegErrors
) -> pd.DataFrame:
    """Misclosure of every leg that leads to a known point, and what the errors of measurement allow (3 sigma).

    Where both ways come from one point, what they share cancels: the legs up to it, its own error, and of the errors
    that all legs share all but what they add to the misclosure itself.
    """
    reached, known, root = nodes.reached, nodes.known, links.root
    east, north = gone.x[reached] - gone.x[known], gone.y[reached] - gone.y[known]
    common = last_common(nodes.parent, links, reached, known)
    one_root = common >= 0
    expected = path[reached] + path[known]
    expected -= np.where(one_root[:, None], 2 * path[common], 0.0)
    expected += np.where(one_root[:, None], 0.0, variance[root[reached]] + variance[root[known]])
    begun = np.where(one_root, common, root[reached])
    apart = [(at[reached] - at[root[reached]]) - (at[known] - at[root[known]]) for at in (gone.x, gone.y)]
    expected += shared_variance(apart[0], apart[1], _errors_at(errors, reached))
    size = np.hypot(east, north)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = (east**2 * expected[:, 0] + 2 * east * north * expected[:, 1] + north**2 * expected[:, 2]) / size**2
    limit = BLUNDER_SIGMAS * np.sqrt(np.where(size > 0, along, (expected[:, 0] + expected[:, 2]) / 2))
    row = nodes.legs.iloc[nodes.row[reached]]
    ground = _ground_length(legs, links)
    return pd.DataFrame(
        {
            **{
                name: row[name].to_numpy()
                for name in ("record_id", "version", "row", "point_no", "point_kind", "shape")
            },
            "misclosure_m": size,
            "east_m": east,
            "north_m": north,
            "limit_m": limit,
            "length_m": ground[reached] + ground[known] - np.where(one_root, 2 * ground[common], 0.0),
            "blunder": size > limit,
            "spread": False,
            "reached": reached,
            "begun": begun,
        }
    )


def _span_checks(nodes: _Nodes, gone: Walk, variance: Array, factors: PlaneFactors, errors: LegErrors) -> pd.DataFrame:
    """Recorded distance between two points with coordinates against the distance that these give."""
    legs = nodes.legs
    back = legs["back"].to_numpy(int)
    at = np.flatnonzero(legs["x"].notna() & legs["distance_m"].notna() & legs["bearing_deg"].isna() & (back >= 0))
    at = at[legs["x"].notna().to_numpy()[back[at]]]
    other = back[at]
    stated = legs["distance_m"].to_numpy(float)[at]
    apart = np.hypot(gone.x[at] - gone.x[other], gone.y[at] - gone.y[other]) / factors.scale[at]
    own = _errors_at(errors, at)
    spread = variance[at, 0] + variance[other, 0] + np.square(own.distance) + np.square(stated * own.scale)
    row = legs.iloc[at]
    return pd.DataFrame(
        {
            **{
                name: row[name].to_numpy()
                for name in ("record_id", "version", "row", "point_no", "point_kind", "shape")
            },
            "misclosure_m": np.abs(apart - stated),
            "east_m": np.nan,
            "north_m": np.nan,
            "limit_m": BLUNDER_SIGMAS * np.sqrt(spread),
            "length_m": stated,
            "blunder": np.abs(apart - stated) > BLUNDER_SIGMAS * np.sqrt(spread),
            "spread": False,
        }
    )


def _ground_length(legs: Legs, links: Chains) -> Array:
    total = np.zeros(len(legs.parent))
    for at in links.steps:
        total[at] = total[legs.parent[at]] + legs.length[at]
    return total


def _spread(nodes: _Nodes, legs: Legs, links: Chains, gone: Walk, checks: pd.DataFrame) -> Walk:
    """Misclosures within 3 sigma spread by the compass rule, one a shape; a reference point is never moved.

    A leg straight from one point with coordinates to another has no points between that could be moved.
    """
    direct = nodes.parent[checks["reached"].to_numpy(int)] == checks["begun"].to_numpy(int)
    fit = ~checks["blunder"] & ~direct
    fit &= ~checks["shape"].where(fit).duplicated()
    checks["spread"] = fit
    own = checks[fit]
    if not len(own):
        return gone
    columns = (own[name].to_numpy() for name in ("reached", "begun", "east_m", "north_m"))
    return compass_rule(legs, links, gone, *columns)


def _table(nodes: _Nodes, gone: Walk, whole: Array, working: CRS, further: dict[str, Array]) -> gpd.GeoDataFrame:
    """VERTICES of the rows of LEGS with further columns; ends of checks are no vertices."""
    size = len(nodes.legs)
    points = np.empty((size, 2))
    accuracy = np.zeros(len(nodes.frames))
    words = ["" for _ in nodes.frames]
    for (plane,), at in _groups(nodes.plane[:size]):
        move, words[plane] = operation(nodes.frames[plane], working)
        points[at] = np.column_stack(move.transform(gone.x[at], gone.y[at]))
        accuracy[plane] = operation_accuracy_m(nodes.frames[plane], working)
    own = nodes.plane[:size]
    names = [":".join(frame.to_authority() or ()) or frame.name for frame in nodes.frames]
    # Few texts for many rows: kept once each.
    told = {
        name: pd.Categorical.from_codes(own.astype(int), pd.Index(_distinct(texts)))
        for name, texts in (("plane_crs", names), ("operation", words))
    }
    table = nodes.legs[_OF_LEGS].assign(
        entered_crs=nodes.legs["crs"],
        entered_x=nodes.legs["x"],
        entered_y=nodes.legs["y"],
        plane_x=gone.x[:size],
        plane_y=gone.y[:size],
        c_ee=whole[:size, 0],
        c_en=whole[:size, 1],
        c_nn=whole[:size, 2],
        r95_m=r95(whole[:size]),
        operation_accuracy_m=accuracy[own],
        **told,
        **further,
    )
    return gpd.GeoDataFrame(table, geometry=shapely.points(points), crs=working, copy=False)


def _distinct(texts: list[str]) -> list[str]:
    """Texts that are all different, as categories must be."""
    return [text if text and text not in texts[:k] else f"{text} ({k})" for k, text in enumerate(texts)]


def _no_vertices(working: CRS) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        pd.DataFrame(columns=[*_OF_LEGS, *_WORKED_OUT]), geometry=gpd.GeoSeries([], crs=working), crs=working
    )
