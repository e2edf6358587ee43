"""Conservative buffers, variable belts, tiled unions in threads, net and overlap areas, cutting.

Everything here works on arrays of shapely geometries in metres and knows no table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from clearplan.core.threads import in_threads

Geometries = NDArray[Any]  # object array of shapely geometries, or None
Cap = Literal["round", "flat"]
Side = Literal["both", "left", "right"]

#: Segments to a quarter circle, and the growth that makes a polygonal buffer hold the true one:
#: 1 / cos(3 pi / 8 q). Measured over 400 shapes at q = 32: none was short, area + 0.07 %.
QUAD_SEGS = 32
GROWTH = 1 / math.cos(3 * math.pi / (8 * QUAD_SEGS))

GRID_M = 1e-6  # grid of overlays of what was cut before; a thousand times finer than any survey [m]
_THREAD_M = 1e-6  # parts of which area / length is less are rounding, not ground [m]
_CHUNK = 128  # geometries to one union call; larger chunks leave one thread idle at the end


def conservative_buffer(
    geometries: Geometries, distance_m: float | NDArray[np.floating], cap: Cap = "round"
) -> Geometries:
    """Buffers that contain the true ones; a polygon with distance 0 stays as it is.

    Parameters
    ----------
    geometries : array of geometry, n
        In metres.
    distance_m : float or array, n
        [m], at least 0.

    Notes
    -----
    Round buffers keep ``distance(boundary, shape) >= distance_m`` (Law 5). Flat caps, which cut a line's belt
    square at its ends, are there because a planner asked for them and do not.

    >>> ring = conservative_buffer(np.array([shapely.Point(0, 0)]), 50.0)[0].boundary
    >>> bool(ring.distance(shapely.Point(0, 0)) >= 50)
    True
    """
    geometries = np.asarray(geometries, dtype=object)
    distance = np.broadcast_to(np.asarray(distance_m, dtype=float), geometries.shape)
    parts = np.array_split(np.arange(len(geometries)), max(1, math.ceil(len(geometries) / _CHUNK)))

    def grow(index: NDArray[np.int_]) -> Geometries:
        grown = shapely.buffer(geometries[index], distance[index] * GROWTH, quad_segs=QUAD_SEGS, cap_style=cap)
        same = (distance[index] == 0) & (shapely.get_dimensions(geometries[index]) == 2)
        return np.where(same, geometries[index], grown)

    return np.concatenate(in_threads(grow, parts)) if len(geometries) else geometries


def belt(
    line: shapely.LineString, profile: Sequence[tuple[float, float]], *, sides: Side, caps: Cap
) -> shapely.Polygon | shapely.MultiPolygon:
    """Belt round a line whose depth changes along it.

    Parameters
    ----------
    line : LineString
        In metres; its direction tells left from right.
    profile : rows of (distance along the line, depth to each side) [m]
        Between rows the depth is linear; beyond the first and last it stays. One row is a constant depth.
    sides : 'both', 'left' or 'right'
    caps : 'round' or 'flat'

    >>> road = shapely.LineString([(0, 0), (1000, 0)])
    >>> round(belt(road, [(0, 100)], sides="left", caps="flat").area, -2)
    100100.0
    """
    depths = {depth for _, depth in profile}
    if depths == {0.0}:
        return shapely.Polygon()
    if len(depths) == 1:
        whole = conservative_buffer(np.array([line]), depths.pop(), caps)[0]
    else:
        whole = _tapered(line, profile, caps)
    return whole if sides == "both" else _one_side(whole, line, sides, caps)


def _tapered(line: Any, profile: Sequence[tuple[float, float]], caps: Cap) -> Any:
    """Union over the line of discs whose radius is the depth there."""
    at = np.array([row[0] for row in profile], dtype=float)
    depth = np.array([row[1] for row in profile], dtype=float)
    # A vertex that the line passes twice locates only once, so vertices come from their own running length.
    steps = np.hypot(*np.diff(shapely.get_coordinates(line), axis=0).T)
    corners = np.concatenate([[0.0], np.cumsum(steps)])
    cuts = np.unique(np.concatenate([corners, at[(at > 0) & (at < line.length)]]))
    points = shapely.line_interpolate_point(line, cuts)
    radii = np.interp(cuts, at, depth)
    discs = conservative_buffer(points, radii)
    # With a radius linear along a straight piece, the union of its discs is the hull of the end discs.
    hulls = [shapely.convex_hull(shapely.union(a, b)) for a, b in pairwise(discs)]
    whole = shapely.union_all(hulls)
    if caps == "flat":
        square = conservative_buffer(np.array([line]), float(depth.max()), "flat")[0]
        whole = shapely.intersection(whole, square)
    return whole


def _one_side(whole: Any, line: Any, side: Literal["left", "right"], caps: Cap) -> Any:
    """The part of a belt on one side of its line, the line being prolonged through round caps."""
    knife = _prolonged(line, math.sqrt(whole.area) + 1.0) if caps == "round" else _prolonged(line, 1.0)
    edges = shapely.union_all([shapely.boundary(whole), shapely.intersection(knife, whole)])
    faces = shapely.get_parts(shapely.polygonize([edges]))
    inner = shapely.point_on_surface(faces)
    inside = shapely.contains_properly(whole, inner)
    keep = [face for face, point, ok in zip(faces, inner, inside, strict=True) if ok and _side(knife, point) == side]
    return shapely.union_all(keep)


def _prolonged(line: Any, by: float) -> Any:
    xy = shapely.get_coordinates(line)
    first = xy[0] + (xy[0] - xy[1]) / np.hypot(*(xy[0] - xy[1])) * by
    last = xy[-1] + (xy[-1] - xy[-2]) / np.hypot(*(xy[-1] - xy[-2])) * by
    return shapely.LineString(np.vstack([first, xy, last]))


def _side(line: Any, point: Any) -> Literal["left", "right"]:
    """Side of the line on which a point lies: the ring line-piece-to-point turns left or right."""
    along = shapely.line_locate_point(line, point)
    step = min(1.0, line.length / 1000)
    before = shapely.line_interpolate_point(line, max(along - step, 0.0))
    after = shapely.line_interpolate_point(line, min(along + step, line.length))
    turn = (after.x - before.x) * (point.y - before.y) - (after.y - before.y) * (point.x - before.x)
    return "left" if turn > 0 else "right"


def tiled_union(geometries: Geometries) -> shapely.Geometry:
    """Union of many polygons, neighbours first, in threads.

    >>> tiled_union(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)])).area
    3.0
    """
    geometries = np.asarray(geometries, dtype=object)
    geometries = geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))]
    if not len(geometries):
        return shapely.Polygon()
    # Each group of shapes that touch is joined by itself, so that far data changes no bit of it.
    groups = [geometries[group] for group in _touching(geometries)]
    chunks = [_near_chunks(group) for group in groups]
    halves = iter(in_threads(shapely.union_all, [chunk for group in chunks for chunk in group]))
    joined = in_threads(shapely.union_all, [[next(halves) for _ in group] for group in chunks])
    return joined[0] if len(joined) < 2 else shapely.multipolygons(parts_of(joined))


def union_pieces(geometries: Geometries) -> Geometries:
    """The union of many polygons as pieces that don't overlap, cut at the edges of tiles.

    What asks for area alone needs no shape in one piece, and joining the tiles is what a large union spends its
    time on. Tiles hold about as many shapes each and run in threads.

    >>> pieces = union_pieces(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)]))
    >>> float(shapely.area(pieces).sum())
    3.0
    """
    geometries = np.asarray(geometries, dtype=object)
    geometries = geometries[~(shapely.is_missing(geometries) | shapely.is_empty(geometries))]
    if not len(geometries):
        return geometries
    tree = shapely.STRtree(geometries)

    def piece(tile: tuple[float, float, float, float]) -> Any:
        box = shapely.box(*tile)
        near = geometries[tree.query(box)]
        shapely.prepare(box)
        crossing = ~shapely.contains(box, near)
        near[crossing] = shapely.intersection(near[crossing], box)
        return shapely.union_all(near)

    return parts_of(in_threads(piece, _tiles(geometries)))


def _tiles(geometries: Geometries) -> list[tuple[float, float, float, float]]:
    """Boxes that tile the ground of the shapes: halved at the median centre until each holds few."""
    bounds = shapely.bounds(geometries)
    centres = (bounds[:, :2] + bounds[:, 2:]) / 2
    west, south = bounds[:, :2].min(axis=0)
    east, north = bounds[:, 2:].max(axis=0)
    tiles, waiting = [], [((west, south, east, north), np.arange(len(geometries)))]
    while waiting:
        box, own = waiting.pop()
        axis = 0 if box[2] - box[0] >= box[3] - box[1] else 1
        at = float(np.median(centres[own, axis])) if len(own) else 0.0
        low = centres[own, axis] < at
        if len(own) <= _CHUNK or not low.any():
            tiles.append(box)
            continue
        first, second = list(box), list(box)
        first[axis + 2] = second[axis] = at
        waiting += [((*first,), own[low]), ((*second,), own[~low])]
    return tiles


def _near_chunks(geometries: Geometries) -> list[Geometries]:
    """Shapes that belong together in groups of at most ``_CHUNK``, neighbours in one group."""
    if len(geometries) <= _CHUNK:
        return [geometries]
    return np.array_split(geometries[_near_order(geometries)], math.ceil(len(geometries) / _CHUNK))


def _touching(geometries: Geometries) -> list[NDArray[np.int_]]:
    """Groups of shapes whose boxes are connected, each in its first order; groups by their first member."""
    boxes = shapely.box(*shapely.bounds(geometries).T)
    i, j = shapely.STRtree(boxes).query(boxes)
    label = np.arange(len(geometries))
    while True:  # each pass hands the smallest label on, and doubles how far it has come
        lower = label.copy()
        np.minimum.at(lower, i, label[j])
        lower = lower[lower]
        if (lower == label).all():
            break
        label = lower
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def net_by_rank(groups: Sequence[Geometries]) -> list[shapely.Geometry]:
    """Union of each group less all that an earlier, stronger group covers.

    >>> strong, weak = np.array([shapely.box(1, 0, 3, 1)]), np.array([shapely.box(0, 0, 2, 1)])
    >>> [shape.area for shape in net_by_rank([strong, weak])]
    [2.0, 1.0]
    """
    net: list[shapely.Geometry] = []
    for group in groups:
        parts = parts_of(tiled_union(group))
        taken = [piece for stronger in net for piece in parts_of(stronger)]
        net.append(tiled_union(_without(parts, np.array(taken, dtype=object))))
    return net


def _without(parts: Geometries, taken: Geometries) -> Geometries:
    """Each part less what is taken; only what touches a part is subtracted from it."""
    if not len(taken) or not len(parts):
        return parts
    i, j = shapely.STRtree(taken).query(parts, predicate="intersects")
    touched, first = np.unique(i, return_index=True)
    neighbours = np.split(taken[j], first[1:]) if len(touched) else []

    def cut(k: int) -> Any:
        return shapely.difference(parts[touched[k]], shapely.union_all(neighbours[k]))

    left = parts.copy()
    left[touched] = in_threads(cut, range(len(touched)))
    return left


def _near_order(geometries: Geometries) -> NDArray[np.int_]:
    """Order in which neighbours in the list are neighbours on the ground (Morton order of box centres)."""
    box = shapely.bounds(geometries)
    x, y = (box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2
    span = max(np.ptp(x), np.ptp(y), 1.0)
    code = np.zeros(len(geometries), dtype=np.int64)
    for axis, value in enumerate((x, y)):
        cell = ((value - value.min()) / span * 65535).astype(np.int64)
        for bit in range(16):
            code |= ((cell >> bit) & 1) << (2 * bit + axis)
    return np.argsort(code, kind="stable")


def parts_of(geometry: shapely.Geometry | Geometries | Sequence[shapely.Geometry]) -> Geometries:
    """The polygons of any geometry; points and lines that an overlay left behind carry no area.

    >>> len(parts_of(shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(2, 0, 3, 1)])))
    2
    """
    flat: Geometries = shapely.get_parts(shapely.get_parts(np.atleast_1d(np.asarray(geometry, dtype=object))))
    if len(flat):
        flat = flat[~shapely.is_missing(flat)]
        flat = flat[(shapely.get_type_id(flat) == 3) & ~shapely.is_empty(flat)]
    return flat


def disjoint(geometries: Geometries, *, grid_m: float = 0.0) -> Geometries:
    """The same shapes without overlaps: what two share belongs to the first; ``grid_m`` as in :func:`without`.

    >>> [g.area for g in disjoint(np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)]))]
    [2.0, 1.0]
    """
    whole = np.asarray(geometries, dtype=object)
    later, earlier = shapely.STRtree(whole).query(whole, predicate="intersects")
    over = earlier < later
    return without(whole, whole[earlier[over]], later[over], grid_m=grid_m)


def without(geometries: Geometries, taken: Geometries, owner: NDArray[np.int_], *, grid_m: float = 0.0) -> Geometries:
    """Each shape less those of ``taken`` that name it in ``owner``; the others stay as they are.

    Shapes that were cut before meet along borders that differ by rounding, and GEOS can lose a ring there (seen:
    1 in 3,000 of the ground). On a grid (``GRID_M``) it can't; a border then moves by at most half its width.

    >>> left = without(np.array([shapely.box(0, 0, 2, 1)]), np.array([shapely.box(1, 0, 3, 1)]), np.array([0]))
    >>> left[0].area
    1.0
    """
    cut = np.asarray(geometries, dtype=object).copy()
    order = np.argsort(owner, kind="stable")
    own, first = np.unique(owner[order], return_index=True)
    groups = np.split(taken[order], first[1:]) if len(own) else []

    def less(k: int) -> Any:
        if not grid_m:
            return shapely.difference(cut[own[k]], shapely.union_all(groups[k]))
        together = shapely.union_all(groups[k], grid_size=grid_m)
        return real_parts(shapely.difference(cut[own[k]], together, grid_size=grid_m))

    cut[own] = in_threads(less, range(len(own)))
    return cut


def real_parts(geometry: shapely.Geometry) -> shapely.Geometry:
    """A shape without the threads that rounding leaves along a cut: parts thinner than about a micrometre."""
    parts = parts_of(geometry)
    real = parts[shapely.area(parts) > _THREAD_M * shapely.length(parts)]
    if len(real) == 1:
        return real[0]
    return shapely.multipolygons(real) if len(real) else shapely.Polygon()


def overlaps(left: Geometries, right: Geometries) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
    """Pairs that share area, and the area of each [m2]; shapes are cut only where borders cross.

    Returns
    -------
    left index, right index, area : arrays of equal length

    >>> i, j, area = overlaps(np.array([shapely.box(0, 0, 4, 4)]), np.array([shapely.box(1, 1, 2, 2)]))
    >>> i.tolist(), j.tolist(), area.tolist()
    ([0], [0], [1.0])
    """
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    tree = shapely.STRtree(right)

    def shared(own: NDArray[np.int_]) -> tuple[NDArray[np.int_], NDArray[np.int_], NDArray[np.float64]]:
        near = prepared_copies(left[own])
        i, j = tree.query(near, predicate="intersects")
        area = np.empty(len(i))
        within = shapely.contains(near[i], right[j])
        i = own[i]
        area[within] = shapely.area(right[j[within]])
        rest = np.flatnonzero(~within)
        # Only a shape that is larger can hold the other.
        around = np.zeros(len(rest), dtype=bool)
        larger = np.flatnonzero(size[j[rest]] >= own_size[i[rest]])
        around[larger] = shapely.contains(right[j[rest[larger]]], left[i[rest[larger]]])
        area[rest[around]] = own_size[i[rest[around]]]
        crossing = rest[~around]
        area[crossing] = shapely.area(shapely.intersection(left[i[crossing]], right[j[crossing]]))
        real = area > 0
        return i[real], j[real], area[real]

    size, own_size = shapely.area(right), shapely.area(left)
    chunks = np.array_split(np.arange(len(left)), max(1, math.ceil(len(left) / _CHUNK)))
    found = in_threads(shared, chunks)
    i, j, area = (np.concatenate([part[k] for part in found]) for k in range(3))
    return i, j, area


def shared(left: Geometries, right: Geometries) -> tuple[NDArray[np.int_], NDArray[np.int_], Geometries]:
    """Pairs that share area, and the ground that each pair shares; shapes are cut only where borders cross.

    Returns
    -------
    left index, right index, shape : arrays of equal length

    >>> i, j, shape = shared(np.array([shapely.box(0, 0, 4, 4)]), np.array([shapely.box(3, 3, 5, 5)]))
    >>> i.tolist(), j.tolist(), shape[0].area
    ([0], [0], 1.0)
    """
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    tree = shapely.STRtree(right)

    def cut(own: NDArray[np.int_]) -> tuple[NDArray[np.int_], NDArray[np.int_], Geometries]:
        near = prepared_copies(left[own])
        at, j = tree.query(near, predicate="intersects")
        i = own[at]
        part = np.full(len(i), None, dtype=object)
        holds = shapely.covers(near[at], right[j])
        part[holds] = right[j[holds]]
        rest = np.flatnonzero(~holds)
        around = shapely.covered_by(near[at[rest]], right[j[rest]])
        part[rest[around]] = left[i[rest[around]]]
        crossing = rest[~around]
        crossing = crossing[~shapely.touches(near[at[crossing]], right[j[crossing]])]
        both = shapely.intersection(left[i[crossing]], right[j[crossing]], grid_size=GRID_M)
        part[crossing] = [real_parts(shape) for shape in both]
        real = ~(shapely.is_missing(part) | shapely.is_empty(part))
        return i[real], j[real], part[real]

    chunks = np.array_split(np.arange(len(left)), max(1, math.ceil(len(left) / _CHUNK)))
    found = in_threads(cut, chunks)
    i, j, part = (np.concatenate([one[k] for one in found]) for k in range(3))
    return i, j, part


def ranked_pieces(geometries: Geometries, ranks: NDArray[np.int_]) -> tuple[Geometries, NDArray[np.int_]]:
    """The union of many polygons as pieces that don't overlap, each with the smallest rank that covers it.

    >>> strips = np.array([shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1)])
    >>> pieces, rank = ranked_pieces(strips, np.array([1, 0]))
    >>> [(int(k), p.area) for p, k in zip(pieces, rank)]
    [(0, 2.0), (1, 1.0)]
    """
    geometries, owner = divided(geometries)
    ranks = np.asarray(ranks)[owner]
    order = np.argsort(ranks, kind="stable")
    # Each shape less its stronger neighbours: unlike a union rank by rank, far shapes cost nothing.
    pieces = disjoint(geometries[order], grid_m=GRID_M)
    real = ~(shapely.is_missing(pieces) | shapely.is_empty(pieces))
    return pieces[real], ranks[order][real]


def divided(geometries: Geometries, most: int = 512) -> tuple[Geometries, NDArray[np.int_]]:
    """Polygons cut until none has more than ``most`` vertices, and of each piece the shape that it comes from.

    What asks for area alone is many times faster on pieces: every neighbour of a belt would walk all round it.

    >>> pieces, owner = divided(np.array([shapely.Point(0, 0).buffer(9, quad_segs=500)]))
    >>> len(pieces) > 3, round(float(shapely.area(pieces).sum()), 3), set(owner.tolist())
    (True, 254.469, {0})
    """
    small: list[tuple[Any, int]] = []
    for k, geometry in enumerate(np.asarray(geometries, dtype=object)):
        if shapely.get_num_coordinates(geometry) <= most:
            small += [(geometry, k)] if geometry is not None and not geometry.is_empty else []
            continue
        waiting = list(parts_of(geometry))
        while waiting:
            part = waiting.pop()
            if shapely.get_num_coordinates(part) <= most:
                small.append((part, k))
                continue
            west, south, east, north = part.bounds
            wide = east - west >= north - south
            middle = (west + east) / 2 if wide else (south + north) / 2
            halves = (
                shapely.box(west, south, middle if wide else east, north if wide else middle),
                shapely.box(middle if wide else west, south if wide else middle, east, north),
            )
            waiting += [half for box in halves for half in parts_of(shapely.intersection(part, box))]
    return np.array([part for part, _ in small], dtype=object), np.array([k for _, k in small], dtype=int)


def overlay(left: Geometries, right: Geometries) -> tuple[NDArray[np.int_], NDArray[np.int_], Geometries]:
    """Ground of two partitions together: what two pieces share, and what only one of them covers (index -1).

    Pieces of ``left`` must not overlap one another, nor those of ``right``.

    >>> i, j, part = overlay(np.array([shapely.box(0, 0, 2, 1)]), np.array([shapely.box(1, 0, 4, 1)]))
    >>> sorted(zip(i.tolist(), j.tolist(), [p.area for p in part]))
    [(-1, 0, 2.0), (0, -1, 1.0), (0, 0, 1.0)]
    """
    left, right = np.asarray(left, dtype=object), np.asarray(right, dtype=object)
    # A piece that is the same on both sides meets no other: most ground does not change between two days.
    place = {shape: k for k, shape in enumerate(shapely.to_wkb(left))}
    twin = np.array([place.get(shape, -1) for shape in shapely.to_wkb(right)], dtype=int)
    same, q = np.flatnonzero(twin >= 0), np.flatnonzero(twin < 0)
    p = np.setdiff1d(np.arange(len(left)), twin[same])
    i, j, both = shared(left[p], right[q])
    only_left, only_right = without(left[p], both, i, grid_m=GRID_M), without(right[q], both, j, grid_m=GRID_M)
    a, b = (np.flatnonzero(~shapely.is_empty(only)) for only in (only_left, only_right))
    return (
        np.concatenate([twin[same], p[i], p[a], np.full(len(b), -1)]),
        np.concatenate([same, q[j], np.full(len(a), -1), q[b]]),
        np.concatenate([right[same], both, only_left[a], only_right[b]]),
    )


def prepared_copies(geometries: Geometries) -> Geometries:
    """Copies that answer fast. A prepared shape must not be asked by two threads at once, so each makes its own."""
    copies: Geometries = shapely.from_wkb(shapely.to_wkb(geometries))
    shapely.prepare(copies)
    return copies


def faces(edges: Geometries) -> Geometries:
    """The polygons into which lines and borders cut the plane; they share borders exactly.

    Corners come to lie on a grid of ``GRID_M``. Without it GEOS can leave a gap of rounding where two lines cross, and
    the faces on both sides become one (seen: 1 in 12 of a layer's ground lost).

    >>> sorted(face.area for face in faces(np.array([shapely.box(0, 0, 3, 3), shapely.box(1, 1, 2, 4)])))
    [1.0, 2.0, 7.0]
    """
    lines = shapely.boundary(edges) if shapely.get_dimensions(edges).max() == 2 else edges
    linework = shapely.union_all(lines, grid_size=GRID_M)
    found: Geometries = shapely.get_parts(shapely.polygonize(shapely.get_parts(linework)))
    return found


def cut_to_cells(polygon: shapely.Polygon, side_m: float) -> Geometries:
    """A polygon cut along a square grid that is anchored at the CRS's origin, so that far data moves no cut.

    >>> [g.area for g in cut_to_cells(shapely.box(500, 0, 1500, 100), 1000.0)]
    [50000.0, 50000.0]
    """
    west, south, east, north = np.floor(np.array(polygon.bounds) / side_m).astype(int)
    columns, rows = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
    x, y = columns.ravel() * side_m, rows.ravel() * side_m
    cells = shapely.box(x, y, x + side_m, y + side_m)
    shapely.prepare(polygon)
    cells = cells[shapely.intersects(polygon, cells)]
    inside = shapely.contains_properly(polygon, cells)
    return parts_of(np.concatenate([cells[inside], shapely.intersection(polygon, cells[~inside])]))


#: A corner that grows to a point reaches at most so many times the growth beyond the shape; a sharper one is cut there.
_MITRE = 2.0


def simplify_outward(geometries: Geometries, tolerance_m: float, margin_m: float = 0.0) -> Geometries:
    """Fewer vertices, and never less ground: each shape holds the one it came from (Law 5).

    Parameters
    ----------
    geometries : array of geometry, n
        Polygons in metres.
    tolerance_m : float
        How closely the outline is followed [m]; it moves outward by at most :func:`outward_reach`.
    margin_m : float
        Room that is left all round the true shape [m], for a rounding that comes after.

    >>> disc = shapely.Point(0, 0).buffer(1000, quad_segs=32)
    >>> drawn = simplify_outward(np.array([disc]), 20.0)[0]
    >>> drawn.covers(disc), bool(shapely.get_num_coordinates(drawn) < 40)
    (True, True)
    """
    geometries = np.asarray(geometries, dtype=object)
    by = 1.01 * tolerance_m + margin_m
    parts = np.array_split(np.arange(len(geometries)), max(1, math.ceil(len(geometries) / (8 * _CHUNK))))

    def drawn(index: NDArray[np.int_]) -> Geometries:
        # Douglas-Peucker moves an outline by at most its tolerance, so growing by a little more holds it outside.
        # Corners that come to a point hold the round ones and cost one vertex each; few are left to grow.
        true = geometries[index]
        simple = shapely.simplify(true, tolerance_m, preserve_topology=False)
        wrong = ~shapely.is_valid(simple)
        simple[wrong] = true[wrong]
        grown: Geometries = shapely.buffer(simple, by, join_style="mitre", mitre_limit=_MITRE)
        short = ~shapely.covers(grown, true) & ~shapely.is_missing(true)
        grown[short] = shapely.buffer(true[short], by, join_style="mitre", mitre_limit=_MITRE)
        return grown

    return np.concatenate(in_threads(drawn, parts)) if len(geometries) else geometries


def outward_reach(tolerance_m: float, margin_m: float = 0.0) -> float:
    """How far beyond the true shape an outline of :func:`simplify_outward` can lie, at a sharp corner [m].

    >>> round(outward_reach(10.0), 1)
    30.2
    """
    return _MITRE * (1.01 * tolerance_m + margin_m) + tolerance_m
