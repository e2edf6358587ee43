"""Legs to points with their uncertainty: walking in the plane, misclosure, compass rule, covariance, R95.

Arrays in, arrays out; all legs of all records at once, one step of every record at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from clearplan.core.crs import PlaneFactors
from clearplan.core.errors import TableError

Array = np.ndarray[Any, Any]

#: Radius that holds 95 % of a circular normal error, in standard errors per axis: sqrt(-2 ln 0.05). Also the half axes
#: of the ellipse that holds 95 % of any normal error.
R95_PER_SIGMA = 2.447747


@dataclass(frozen=True)
class Legs:
    """n points and the legs that lead to them.

    parent : (n,) index of the point from which the leg leads; -1 where the point has coordinates
    bearing : (n,) [radians], true or grid
    length : (n,) on the ground [m]
    grid : (n,) whether the bearing counts from grid north
    """

    parent: Array
    bearing: Array
    length: Array
    grid: Array


@dataclass(frozen=True)
class Chains:
    """How the legs hang together: the point (n,) at which each chain begins, and the points 1, 2 ... legs from it."""

    root: Array
    steps: list[Array]


@dataclass(frozen=True)
class Walk:
    """Where the legs lead: x, y (n,) [m], and each leg in the plane dx, dy (n,) [m]."""

    x: Array
    y: Array
    dx: Array
    dy: Array


@dataclass(frozen=True)
class LegErrors:
    """Standard errors of legs, one figure for all records or one a point.

    bearing [radians] per leg, independent; shared_bearing [radians] the same in all legs of a record (declination,
    compass); distance [m] per leg, independent; scale [1] the same in all legs of a record (paces, tape).
    """

    bearing: Any
    shared_bearing: Any
    distance: Any
    scale: Any


def walk(legs: Legs, chains: Chains, x: Array, y: Array, factors: PlaneFactors | None = None) -> Walk:
    """Follow every leg in the plane.

    Parameters
    ----------
    legs : Legs (n,)
    chains : Chains
    x, y : (n,)
        Coordinates of the points that have them [m]; the others are filled in.
    factors : PlaneFactors, optional
        Convergence and scale at each point's root (n,); None: bearings and lengths are those of the plane.

    A true bearing turns by the convergence where the leg begins and by half the curve of the geodesic (the normal
    change of the scale); a length is stretched by the scale at the leg's middle. Source: for any conformal
    projection the geodesic's plane curvature is the derivative of ln(scale) across it.

    >>> import numpy as np
    >>> square = Legs(np.array([-1, 0, 1]), np.radians([0, 90, 180]), np.array([0, 100, 100]), np.array([True] * 3))
    >>> gone = walk(square, chains(square.parent), np.zeros(3), np.zeros(3))
    >>> gone.x.round(6).tolist(), gone.y.round(6).tolist()
    ([0.0, 100.0, 100.0], [0.0, 0.0, -100.0])
    """
    x, y = x.astype(float), y.astype(float)
    dx, dy = np.zeros(len(x)), np.zeros(len(x))
    root = chains.root
    for at in chains.steps:
        back = legs.parent[at]
        angle, length = legs.bearing[at], legs.length[at]
        if factors is not None:
            angle, length = _in_plane(legs, at, x[back] - x[root[at]], y[back] - y[root[at]], factors)
        dx[at], dy[at] = length * np.sin(angle), length * np.cos(angle)
        x[at], y[at] = x[back] + dx[at], y[back] + dy[at]
    return Walk(x, y, dx, dy)


def chains(parent: Array) -> Chains:
    """Chains of legs from the (n,) index of each point's parent, -1 where there is none.

    Raises
    ------
    TableError
        Legs lead in a circle.
    """
    root = np.arange(len(parent))
    waiting = np.flatnonzero(parent >= 0)
    depth = np.zeros(len(parent), dtype=np.int32)
    ahead = parent[waiting]
    while len(waiting):
        depth[waiting] += 1
        root[waiting] = ahead
        ahead = parent[ahead]
        go_on = ahead >= 0
        waiting, ahead = waiting[go_on], ahead[go_on]
        if depth.max(initial=0) > len(parent):
            raise TableError("legs lead in a circle; let each leg begin at a point of an earlier row")
    return Chains(root, [np.flatnonzero(depth == k) for k in range(1, int(depth.max(initial=0)) + 1)])


def last_common(parent: Array, chains: Chains, one: Array, other: Array) -> Array:
    """(m,) the last point through which the ways to two points (m,) both lead; -1 where there is none.

    >>> import numpy as np
    >>> forked = np.array([-1, 0, 1, 1, -1])
    >>> last_common(forked, chains(forked), np.array([2, 2, 2]), np.array([3, 1, 4])).tolist()
    [1, 1, -1]
    """
    depth = np.zeros(len(parent), dtype=int)
    for k, at in enumerate(chains.steps, start=1):
        depth[at] = k
    one, other = one.copy(), other.copy()
    for _ in range(2 * len(chains.steps) + 1):
        apart = (one != other) & (one >= 0) & (other >= 0)
        deeper, level = depth[one] - depth[other], depth[one] == depth[other]
        one, other = (
            np.where(apart & (level | (deeper > 0)), parent[one], one),
            np.where(apart & (level | (deeper < 0)), parent[other], other),
        )
    return np.where(one == other, one, -1)


def _in_plane(legs: Legs, at: Array, east: Array, north: Array, factors: PlaneFactors) -> tuple[Array, Array]:
    """Plane direction and length of legs that begin ``east`` and ``north`` of their root."""
    turn, slope = factors.convergence_per_m[at], factors.scale_per_m[at]
    convergence = factors.convergence[at] + turn[:, 0] * east + turn[:, 1] * north
    angle = legs.bearing[at] - np.where(legs.grid[at], 0.0, convergence)
    length = legs.length[at]
    sine, cosine = np.sin(angle), np.cos(angle)
    half = length / 2
    scale = factors.scale[at] + slope[:, 0] * (east + half * sine) + slope[:, 1] * (north + half * cosine)
    # The chord leaves the tangent towards the side where the scale is smaller.
    bend = half * (slope[:, 1] * sine - slope[:, 0] * cosine) / scale
    return angle + np.where(legs.grid[at], 0.0, bend), length * scale


def compass_rule(legs: Legs, chains: Chains, gone: Walk, last: Array, known: Array, dx: Array, dy: Array) -> Walk:
    """Spread misclosures over the legs in proportion to their length (Bowditch).

    Parameters
    ----------
    last : (m,) the point that each traverse reached
    known : (m,) the point of the same record at which it began
    dx, dy : (m,) misclosure, reached minus known [m]

    Points that branch off an adjusted one move with it. Under independent leg errors with variance proportional to
    length this is least squares (Mahun, *Traverse computations*, chapter H).
    """
    along = np.zeros(len(gone.x))
    for at in chains.steps:
        along[at] = along[legs.parent[at]] + legs.length[at]
    move = np.zeros((len(gone.x), 2))
    on_path = np.zeros(len(gone.x), dtype=bool)
    whole = along[last] - along[known]
    here = last.copy()
    for _ in range(len(chains.steps)):
        going = (here >= 0) & (here != known)
        share = (along[here[going]] - along[known[going]]) / whole[going]
        move[here[going]] = -np.column_stack([dx[going] * share, dy[going] * share])
        on_path[here[going]] = True
        here = np.where(going, legs.parent[here], here)
    for at in chains.steps:
        beside = at[~on_path[at]]
        move[beside] = move[legs.parent[beside]]
    return replace(gone, x=gone.x + move[:, 0], y=gone.y + move[:, 1])


def path_variance(legs: Legs, chains: Chains, gone: Walk, errors: LegErrors) -> Array:
    """(n, 3) variance of easting, covariance, variance of northing that independent leg errors add up to [m2].

    Sum over the legs of (L s_bearing)^2 v v' + s_distance^2 u u', u along the leg and v across it.
    """
    length = np.hypot(gone.dx, gone.dy)
    with np.errstate(invalid="ignore", divide="ignore"):
        u_e, u_n = (np.where(length > 0, d / length, 0.0) for d in (gone.dx, gone.dy))
    across = (length * errors.bearing) ** 2
    along = np.where(length > 0, np.square(errors.distance), 0.0)
    own = np.column_stack(
        [
            across * u_n**2 + along * u_e**2,
            (along - across) * u_e * u_n,
            across * u_e**2 + along * u_n**2,
        ]
    )
    total = np.zeros_like(own)
    for at in chains.steps:
        total[at] = total[legs.parent[at]] + own[at]
    return total


def shared_variance(east: Array, north: Array, errors: LegErrors) -> Array:
    """(n, 3) what errors shared by all legs add to points that lie (east, north) from where the chain began [m2].

    s_shared_bearing^2 r r' + s_scale^2 p p', p the vector from the chain's beginning and r the same turned by 90
    degrees: these move all points of a record together.
    """
    turn, stretch = np.square(errors.shared_bearing), np.square(errors.scale)
    return np.column_stack(
        [
            turn * north**2 + stretch * east**2,
            (stretch - turn) * east * north,
            turn * east**2 + stretch * north**2,
        ]
    )


def r95(variance: Array) -> Array:
    """Radius that holds a bivariate normal point with 95 % probability [m].

    Parameters
    ----------
    variance : (n, 3)
        Variance of easting, covariance, variance of northing [m2].

    Exact for any ellipse: P(R) = 1 - mean over the angle of exp(-R^2 / (2 (a cos^2 + b sin^2))), a and b the
    variances along the axes; solved once for 2,049 ratios of the axes and interpolated (error below 1e-7).

    >>> import numpy as np
    >>> r95(np.array([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])).round(4).tolist()
    [2.4477, 1.96]
    """
    ee, en, nn = variance.T
    middle, half = (ee + nn) / 2, np.hypot((ee - nn) / 2, en)
    large, small = middle + half, np.maximum(middle - half, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(large > 0, np.sqrt(small / large), 0.0)
    known, radius = _radii()
    return np.asarray(np.sqrt(large) * np.interp(ratio, known, radius))


def _radii() -> tuple[Array, Array]:
    """Ratios of the axes, and R95 for a longer axis of 1, by Newton's method."""
    if not _SOLVED:
        ratio = np.linspace(0, 1, 2049)
        angle = (np.arange(256) + 0.5) * np.pi / 512  # a quarter of the ellipse, by midpoints
        spread = np.cos(angle) ** 2 + np.outer(ratio**2, np.sin(angle) ** 2)
        radius = 1.96 + 0.4877 * ratio**2
        for _ in range(8):
            beyond = np.exp(-(radius[:, None] ** 2) / (2 * spread))
            slope = (beyond / spread).mean(axis=1) * radius
            radius = radius + (beyond.mean(axis=1) - 0.05) / slope
        _SOLVED.append((ratio, radius))
    return _SOLVED[0]


_SOLVED: list[tuple[Array, Array]] = []
