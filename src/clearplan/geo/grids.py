"""Cells: a grid that data never moves, tiles with a halo, and which cells shapes touch and hold.

A tile knows all that lies within a stated distance of it, so the answer in a cell does not depend on how the grid was
cut into tiles. Shapes are kept in units of cells, counted from the grid's corner; then every tile burns them alike.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio import Affine
from rasterio.enums import MergeAlg
from rasterio.features import rasterize

from clearplan.core.crs import is_metric
from clearplan.core.errors import CrsError, SettingsError

Array = NDArray[Any]

_one_at_a_time = threading.Lock()

#: Sides of tiles are multiples of this, the block of the file that is written [cells].
BLOCK = 256
#: A tile is about this many halos wide: what it computes beyond itself is then the same share at every cell size.
HALOS_TO_A_TILE = 6
#: Directions, x and y to the north, from the south-west by rows; none in the middle.
AHEAD = tuple((x, y) for y in (-1, 0, 1) for x in (-1, 0, 1))
#: Largest side of a tile with its halo [cells]: 21 million cells, about 0.9 GB while its distances are made.
MAX_PADDED = 4608


@dataclass(frozen=True)
class Grid:
    """Square cells in a metric CRS; edges lie at multiples of the cell's side, so that new data moves no cell."""

    crs: CRS
    x0: float
    y1: float
    cell_m: float
    columns: int
    rows: int

    @property
    def cells(self) -> int:
        """How many cells."""
        return self.rows * self.columns

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north [m]."""
        return (self.x0, self.y1 - self.rows * self.cell_m, self.x0 + self.columns * self.cell_m, self.y1)


@dataclass(frozen=True)
class Window:
    """A rectangle of cells by its north-western cell and size; it may reach beyond its grid."""

    row: int
    column: int
    rows: int
    columns: int

    @property
    def box(self) -> shapely.Polygon:
        """The rectangle as a shape, in units of cells (see :func:`in_cells`)."""
        return shapely.box(self.column, -self.row - self.rows, self.column + self.columns, -self.row)

    def grown(self, cells: int) -> Window:
        """The window and that many cells more on every side."""
        return Window(self.row - cells, self.column - cells, self.rows + 2 * cells, self.columns + 2 * cells)


def make_grid(bounds: tuple[float, float, float, float], cell_m: float, crs: CRS) -> Grid:
    """The grid whose cells cover the bounds (west, south, east, north) [m].

    Raises
    ------
    CrsError
        The CRS is not in metres.
    SettingsError
        The bounds hold no ground, or the cell has no side.

    >>> grid = make_grid((120.0, 80.0, 390.0, 200.0), 100.0, CRS.from_epsg(32638))
    >>> grid.bounds, grid.rows, grid.columns
    ((100.0, 0.0, 400.0, 200.0), 2, 3)
    """
    if not is_metric(crs):
        raise CrsError(f"grid in {crs.name if crs is not None else 'no CRS'}: cells need a projected CRS in metres")
    west, south, east, north = bounds
    if not (all(map(math.isfinite, bounds)) and west < east and south < north and cell_m > 0):
        raise SettingsError(f"grid of {cell_m} m over {tuple(bounds)}: needs west < east, south < north and a cell > 0")
    left, top = math.floor(west / cell_m), math.ceil(north / cell_m)
    columns, rows = math.ceil(east / cell_m) - left, top - math.floor(south / cell_m)
    return Grid(crs, left * cell_m, top * cell_m, float(cell_m), columns, rows)


def region_bounds(region: tuple[float, float, float, float], crs: CRS) -> tuple[float, float, float, float]:
    """Bounds [m] that hold a region (west, south, east, north) [degrees, WGS 84], its curved edges included."""
    west, south, east, north = Transformer.from_crs(4326, crs, always_xy=True).transform_bounds(*region, densify_pts=51)
    return (west, south, east, north)


def halo_cells(grid: Grid, halo_m: float) -> int:
    """Cells within which everything counts that is closer than ``halo_m``; one more for the cell that holds it."""
    return math.ceil(halo_m / grid.cell_m) + 1


def tiles(grid: Grid, halo_m: float, side: int | None = None) -> list[Window]:
    """Windows that tile a grid, from the north-west, row by row.

    Parameters
    ----------
    halo_m : float
        How far a tile looks beyond itself [m].
    side : int, optional
        Side of a tile [cells]; by itself the multiple of 256 next to six halos, and less where the tile with its
        halo would pass ``MAX_PADDED`` cells.

    Raises
    ------
    SettingsError
        The halo is so many cells wide that no tile has room beside it.

    >>> grid = make_grid((0, 0, 60_000, 30_000), 100.0, CRS.from_epsg(32638))
    >>> [(t.row, t.column, t.rows, t.columns) for t in tiles(grid, 5_000)]
    [(0, 0, 256, 256), (0, 256, 256, 256), (0, 512, 256, 88),
     (256, 0, 44, 256), (256, 256, 44, 256), (256, 512, 44, 88)]
    """
    halo = halo_cells(grid, halo_m)
    room = (MAX_PADDED - 2 * halo) // BLOCK * BLOCK
    if room < BLOCK:
        raise SettingsError(
            f"cells of {grid.cell_m:g} m with a reach of {halo_m:g} m: each tile would look {halo:,} cells beyond "
            f"itself, more than {(MAX_PADDED - BLOCK) // 2:,}; take larger cells or a shorter reach"
        )
    side = side or min(max(BLOCK, round(HALOS_TO_A_TILE * halo / BLOCK) * BLOCK), room)
    return [
        Window(row, column, min(side, grid.rows - row), min(side, grid.columns - column))
        for row in range(0, grid.rows, side)
        for column in range(0, grid.columns, side)
    ]


def cell_centres(grid: Grid, window: Window) -> tuple[Array, Array]:
    """Centres: x of the columns, as a row, and y of the rows, as a column [m]."""
    x = grid.x0 + (window.column + np.arange(window.columns) + 0.5) * grid.cell_m
    y = grid.y1 - (window.row + np.arange(window.rows) + 0.5) * grid.cell_m
    return x[None, :], y[:, None]


def in_cells(grid: Grid, geometries: Array) -> Array:
    """Shapes in units of cells from the grid's north-western corner: x is the column, y minus the row."""
    corner = np.array([grid.x0, grid.y1])
    moved: Array = shapely.transform(np.asarray(geometries, dtype=object), lambda xy: (xy - corner) / grid.cell_m)
    return moved


def cell_of(points: Array) -> tuple[Array, Array]:
    """Row and column of the cells that hold points (in units of cells)."""
    row, column = np.floor(-shapely.get_y(points)), np.floor(shapely.get_x(points))
    return row.astype(np.int64), column.astype(np.int64)


@dataclass(frozen=True)
class Layer:
    """Shapes in units of cells, with their index and the number that each has in the table it comes from.

    ``row``, ``column`` and ``number`` are the cells that points, lines and the borders of polygons touch, by rows;
    ``piece`` (n, 2, 2) is the straight piece of the shape in the cell, from one end to the other, that comes nearest to
    the cell's centre, and ``ends`` (n, 9, 2) is of all shapes in the cell the end of a piece that lies farthest to
    each of ``AHEAD``. They are found once for the whole grid, so that no tile can see them otherwise than its
    neighbour.
    """

    shapes: Array
    numbers: Array
    tree: shapely.STRtree
    row: Array
    column: Array
    number: Array
    piece: Array
    ends: Array

    def near(self, window: Window) -> Array:
        """Positions of the polygons that touch a window, in the order of the table."""
        return np.sort(self.tree.query(window.box, predicate="intersects"))


def layer(grid: Grid, geometries: Array, reach_m: float | None = None) -> Layer:
    """Shapes [m] as a layer of the grid; missing and empty ones are left out.

    Parameters
    ----------
    reach_m : float, optional
        How far beyond the grid the cells that shapes touch are wanted [m]; by itself only their polygons are.
    """
    geometries = np.asarray(geometries, dtype=object)
    numbers = np.flatnonzero(~(shapely.is_missing(geometries) | shapely.is_empty(geometries)))
    shapes = in_cells(grid, shapely.force_2d(geometries[numbers]))
    simple, own = _parts(shapes)
    polygons = shapely.get_type_id(simple) == 3
    limits = Window(0, 0, 0, 0)
    if reach_m is not None:
        limits = Window(0, 0, grid.rows, grid.columns).grown(halo_cells(grid, reach_m))
    touched = _touched(simple, numbers[own], limits)
    return Layer(simple[polygons], numbers[own[polygons]], shapely.STRtree(simple[polygons]), *touched)


def _parts(shapes: Array) -> tuple[Array, Array]:
    """Points, lines and polygons of which shapes are made, and the position of the shape of each."""
    parts, own = shapely.get_parts(shapes, return_index=True)
    inner, outer = shapely.get_parts(parts, return_index=True)
    full = ~shapely.is_empty(inner)
    return inner[full], own[outer[full]]


def _touched(simple: Array, numbers: Array, limits: Window) -> tuple[Array, Array, Array, Array, Array]:
    """Row, column and number of the cells within limits that points, lines and borders touch; their pieces and ends.

    By rows and columns; of several shapes in one cell the one nearest to its centre comes last.
    """
    if not limits.rows:
        none = np.zeros(0, dtype=np.int64)
        return none, none, none, np.zeros((0, 2, 2)), np.zeros((0, 9, 2))
    kind = shapely.get_type_id(simple)
    rings, of = shapely.get_rings(shapely.orient_polygons(simple[kind == 3]), return_index=True)
    lines = np.concatenate([simple[kind != 3], rings])
    number = np.concatenate([numbers[kind != 3], numbers[kind == 3][of]])
    at, piece, own = _walked(lines, len(lines) - len(rings), limits)
    points, of = shapely.get_coordinates(lines[: len(lines) - len(rings)], return_index=True)
    at, own = np.concatenate([at, points]), np.concatenate([own, of])
    piece = np.concatenate([piece, np.stack([points, points], axis=1)])
    row, column = np.floor(-at[:, 1]).astype(np.int64), np.floor(at[:, 0]).astype(np.int64)
    inside = (row >= limits.row) & (row < limits.row + limits.rows)
    inside &= (column >= limits.column) & (column < limits.column + limits.columns)
    row, column, number, piece = row[inside], column[inside], number[own[inside]], piece[inside]
    away = away_from_pieces(piece.reshape(-1, 4).T, column + 0.5, -row - 0.5)
    order = np.lexsort((-away, column, row))
    row, column, number, piece = row[order], column[order], number[order], piece[order]
    last = np.ones(len(row), dtype=bool)
    last[:-1] = (row[1:] != row[:-1]) | (column[1:] != column[:-1])
    return row[last], column[last], number[last], piece[last], _ends(piece, last)


def _ends(piece: Array, last: Array) -> Array:
    """Of the pieces in each cell the end that lies farthest to each of ``AHEAD``; ``last``: a cell's last piece."""
    ends = piece.reshape(-1, 2)
    cell = np.repeat(np.cumsum(last) - last, 2)
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    found = np.empty((len(first), len(AHEAD), 2))
    for k, ahead in enumerate(AHEAD):
        far = ends @ np.array(ahead, float)
        most = np.maximum.reduceat(far, first) if len(first) else far
        best = np.flatnonzero(far == most[cell])
        found[cell[best], k] = ends[best]
    return found


def away_from_pieces(pieces: Array, x: Array, y: Array) -> Array:
    """Distance of points to straight pieces (x and y of one end, then of the other; n each), one to one.

    >>> away_from_pieces(np.array([[0.0], [0.0], [2.0], [0.0]]), np.array([3.0]), np.array([1.0])).round(3).tolist()
    [1.414]
    """
    x0, y0, x1, y1 = pieces
    along, up = x1 - x0, y1 - y0
    part = ((x - x0) * along + (y - y0) * up) / np.maximum(along * along + up * up, np.float32(1e-20))
    np.clip(part, 0, 1, out=part)
    away: Array = np.hypot(x0 + part * along - x, y0 + part * up - y)
    return away


def _walked(lines: Array, sideless: int, limits: Window) -> tuple[Array, Array, Array]:
    """A place in each cell that lines pass, the piece of the line there, and the line that it is of.

    Each segment is cut where it crosses the edges of cells; the middle of each piece names its cell. A border that
    runs along the edge of cells counts for those on the polygon's own side. The first ``sideless`` lines bound nothing.
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    begin, step, own = xy[:-1][same], np.diff(xy, axis=0)[same], line[1:][same]
    length = np.hypot(*step.T)
    begin, step, own, length = begin[length > 0], step[length > 0], own[length > 0], length[length > 0]
    low, high = (limits.column, -limits.row - limits.rows), (limits.column + limits.columns, -limits.row)
    found = [_crossings(begin[:, k], step[:, k], low[k], high[k]) for k in (0, 1)]
    every = np.arange(len(begin))
    segment = np.concatenate([every, every, *(at for at, _ in found)])
    part = np.concatenate([np.zeros(len(begin)), np.ones(len(begin)), *(t for _, t in found)])
    order = np.lexsort((part, segment))
    segment, part = segment[order], part[order]
    piece = segment[1:] == segment[:-1]
    segment, entered, left = segment[1:][piece], part[:-1][piece], part[1:][piece]
    inward = np.column_stack([-step[:, 1], step[:, 0]]) / length[:, None] * 1e-6
    inward[own < sideless] = 0
    at = begin[segment] + ((entered + left) / 2)[:, None] * step[segment] + inward[segment]
    ends = begin[segment][:, None] + np.stack([entered, left], axis=1)[:, :, None] * step[segment][:, None]
    return at, ends, own[segment]


def _crossings(begin: Array, step: Array, low: float, high: float) -> tuple[Array, Array]:
    """Segments and the part of their way [0-1] at which they cross whole numbers from low to high along one axis."""
    end = begin + step
    first = np.maximum(np.floor(np.minimum(begin, end)) + 1, low)
    last = np.minimum(np.ceil(np.maximum(begin, end)) - 1, high)
    count = np.maximum(last - first + 1, 0).astype(np.int64)
    segment = np.repeat(np.arange(len(begin)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return segment, (first[segment] + within - begin[segment]) / step[segment]


def burn(window: Window, shapes: Array, values: Array, dtype: str = "int32") -> Array:
    """Values of polygons (in cells) in the cells whose centre they hold; 0 elsewhere, and the last polygon counts."""
    return _rasterized(shapes, values, window, dtype, MergeAlg.replace)


def _rasterized(shapes: Array, values: Array, window: Window, dtype: str, merge: MergeAlg) -> Array:
    out = np.zeros((window.rows, window.columns), dtype=dtype)
    if not len(shapes):
        return out
    pairs = [(shape, value) for shape, value in zip(shapes, values.tolist(), strict=True)]
    # rasterio silences a warning of its own while it sets this up, which two threads at once undo for each other.
    with _one_at_a_time:
        rasterize(pairs, out=out, transform=Affine(1, 0, window.column, 0, -1, -window.row), merge_alg=merge)
    return out


def touched_in(window: Window, shapes: Layer) -> tuple[Array, Array]:
    """Flat positions in a window of the cells that shapes touch, and the position of each in the layer."""
    first, last = np.searchsorted(shapes.row, (window.row, window.row + window.rows))
    column = shapes.column[first:last] - window.column
    inside = np.flatnonzero((column >= 0) & (column < window.columns))
    at = inside + first
    flat: Array = (shapes.row[at] - window.row) * window.columns + column[inside]
    return flat, at


def burn_sum(window: Window, shapes: Array, values: Array) -> Array:
    """Sum of the values of all polygons (in cells) that hold a cell's centre, float32."""
    return _rasterized(shapes, values, window, "float32", MergeAlg.add)


def cells_in(window: Window, shape: shapely.Polygon) -> Array:
    """Flat positions of the cells of a window whose centre a polygon (in cells) holds."""
    west, south, east, north = shape.bounds
    top, left = max(math.floor(-north), window.row), max(math.floor(west), window.column)
    bottom = min(math.ceil(-south), window.row + window.rows)
    right = min(math.ceil(east), window.column + window.columns)
    if top >= bottom or left >= right:
        return np.array([], dtype=np.int64)
    part = Window(top, left, bottom - top, right - left)
    row, column = np.nonzero(burn(part, np.array([shape]), np.array([1]), "uint8"))
    flat: Array = (row + top - window.row) * window.columns + column + left - window.column
    return flat


def cover(polygons: Array, codes: Array, rows: int, columns: int) -> Array:
    """The highest code among the polygons that touch each cell, uint8; 0 where none does.

    Parameters
    ----------
    polygons : array of geometry, n
        Polygons in units of cells (see :func:`in_cells`); missing ones are left out.
    codes : array, n
        1 to 255.

    Notes
    -----
    A cell that shares ground with a polygon is passed by its border, or has its centre inside. Both are found for all
    polygons of a code at once, at a cost of the cells that they touch.

    >>> cover(np.array([shapely.box(0.2, -1.7, 1.6, -1.2)]), np.array([4]), 2, 3).tolist()
    [[0, 0, 0], [4, 4, 0]]
    """
    out = np.zeros((rows, columns), dtype=np.uint8)
    parts, own = _parts(np.asarray(polygons, dtype=object))
    code = np.asarray(codes)[own]
    for value in np.unique(code):
        rings = shapely.get_rings(shapely.orient_polygons(parts[code == value]))
        xy, ring = shapely.get_coordinates(rings, return_index=True)
        same = ring[1:] == ring[:-1]
        begin, end = xy[:-1][same] * [1, -1], xy[1:][same] * [1, -1]  # y downwards, as rows are counted
        for row, first, last in (_bordering(begin, end, rows), _inside(begin, end, rows)):
            first, last = np.maximum(first, 0), np.minimum(last, columns)
            count = np.maximum(last - first, 0)
            out.reshape(-1)[np.repeat(row * columns + first, count) + _within(count)] = value
    return out


def _within(count: Array) -> Array:
    """0, 1, 2 ... for each of so many runs."""
    every: Array = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return every


def _bordering(begin: Array, end: Array, rows: int) -> tuple[Array, Array, Array]:
    """Runs of cells that segments pass: row, first column, and the column after the last."""
    low, high = np.minimum(begin[:, 1], end[:, 1]), np.maximum(begin[:, 1], end[:, 1])
    first = np.maximum(np.floor(low), 0)
    count = np.maximum(np.minimum(np.floor(high), rows - 1) - first + 1, 0).astype(np.int64)
    own = np.repeat(np.arange(len(begin)), count)
    row = first[own] + _within(count)
    x0, y0 = begin[own].T
    x1, y1 = end[own].T
    # Where the segment enters and leaves the row; one that runs along a row stays in it from end to end.
    rise = np.where(y1 == y0, 1.0, y1 - y0)
    enters = x0 + np.where(y1 == y0, 0.0, np.clip((row - y0) / rise, 0, 1)) * (x1 - x0)
    leaves = x0 + np.where(y1 == y0, 1.0, np.clip((row + 1 - y0) / rise, 0, 1)) * (x1 - x0)
    left, right = np.floor(np.minimum(enters, leaves)), np.floor(np.maximum(enters, leaves)) + 1
    return row.astype(np.int64), left.astype(np.int64), right.astype(np.int64)


def _inside(begin: Array, end: Array, rows: int) -> tuple[Array, Array, Array]:
    """Runs of cells whose centres polygons hold, from the segments of their oriented rings; as ``_bordering``.

    Along each row of centres the crossings of all borders are summed with their signs: the winding number. A vertex on
    such a row counts once.
    """
    low, high = np.minimum(begin[:, 1], end[:, 1]) - 0.5, np.maximum(begin[:, 1], end[:, 1]) - 0.5
    first = np.maximum(np.ceil(low), 0)
    count = np.maximum(np.minimum(np.ceil(high) - 1, rows - 1) - first + 1, 0).astype(np.int64)
    own = np.repeat(np.arange(len(begin)), count)
    row = first[own] + _within(count)
    x0, y0 = begin[own].T
    x1, y1 = end[own].T
    column = np.ceil(x0 + (row + 0.5 - y0) / (y1 - y0) * (x1 - x0) - 0.5).astype(np.int64)
    if not len(column):
        return column, column, column
    least = column.min()
    order = np.argsort(row.astype(np.int64) * (column.max() - least + 1) + column - least, kind="stable")
    row, column, sign = row[order].astype(np.int64), column[order], np.sign(y1 - y0)[order]
    held = np.cumsum(sign)[:-1] != 0  # each ring leaves a row as often as it enters it
    return row[:-1][held], column[:-1][held], column[1:][held]
