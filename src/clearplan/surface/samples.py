"""Labels and background cells with their evidence, in blocks that are held out whole.

Why blocks: neighbouring accidents share a field, a road and its evidence. Where folds are made of random points, each
held-out accident has its neighbours among those that were learned from, and any model that has learned places by heart
looks as if it foretold them. Squares longer than accidents hang together are held out whole instead (Roberts et al.
2017, https://doi.org/10.1111/ecog.02881).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.crs import require_metres
from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.geo.grids import Grid, Window, cell_of, cells_in, in_cells
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface.evidence import Evidence
from clearplan.surface.probability import evidence_at
from clearplan.surface.reliability import with_finds
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]


#: Evidence on a day by settings: what was known by it, so that accidents after it can be foretold.
KnownBy = Callable[[SurfaceSettings, pd.Timestamp | None], Evidence]


@dataclass(frozen=True)
class Sample:
    """Labels and background with their evidence.

    ``table`` has a row each for labels (``label`` 1 for an accident; for a cell of searched ground the share of its
    piece with finds) and background cells (``label`` missing): x, y [m], one g per column of the model, ``weight`` (1
    for an accident, cells that it stands for for background, m2 over the mean of all pieces for searched ground),
    ``shift`` (what searches add to the logit), ``window`` of time (0 is the last), ``piece`` of searched ground,
    ``block`` and ``fold``. ``anchor``: known ground on the study's day, alike.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    known_cells: float
    unknown: int  # labels on ground of which nobody knows; they teach nothing
    anchor: pd.DataFrame
    days: tuple[pd.Timestamp | None, ...] = (None,)  # on which the evidence of each window was known

    @property
    def labels(self) -> pd.DataFrame:
        """Rows that are labels."""
        return self.table[self.table["label"].notna()]

    @property
    def background(self) -> pd.DataFrame:
        """Rows that are background."""
        return self.table[self.table["label"].isna()]


def draw_background(evidence: Evidence, count: int, seed: int) -> tuple[pd.DataFrame, float]:
    """Known cells at random, each with the number of cells that it stands for, and how many cells are known.

    All known cells where the grid has no more than ``count``; then the number is exact, else an estimate.

    Raises
    ------
    TableError
        Nothing is known anywhere.
    """
    grid = evidence.grid
    random = np.random.default_rng(seed)
    asked = count
    while True:
        whole = asked >= grid.cells
        flat = np.arange(grid.cells) if whole else np.sort(random.choice(grid.cells, asked, replace=False))
        row, column = np.divmod(flat, grid.columns)
        x, y = grid.x0 + (column + 0.5) * grid.cell_m, grid.y1 - (row + 0.5) * grid.cell_m
        found = evidence_at(evidence, np.column_stack([x, y])).rename(columns={"searched": "shift"})
        known = found["known"].to_numpy()
        # Where little is known, more is drawn, so that as many cells stand for it as were asked for.
        if whole or known.sum() >= count / 2:
            break
        asked = min(grid.cells, int(asked * max(2.0, min(count / max(known.sum(), 1), 50.0))))
    if not known.any():
        raise TableError("surface: nothing is known in any cell; give evidence before strengths are fitted")
    cells = grid.cells * known.mean()
    columns = [*evidence.names, "shift"]
    table = found.loc[known, columns].assign(x=x[known], y=y[known], weight=cells / known.sum())
    return table.reset_index(drop=True), float(cells)


def take_sample(
    evidence: Evidence,
    settings: FitSettings,
    *,
    accidents: gpd.GeoDataFrame | None = None,
    areas: gpd.GeoDataFrame | None = None,
    surveys: gpd.GeoDataFrame | None = None,
    known_by: KnownBy | None = None,
    as_at: pd.Timestamp | None = None,
) -> Sample:
    """Labels and background with evidence, blocks and folds; arguments as in :func:`fit_surface`.

    Raises
    ------
    TableError
        No labels, all at one place, or in fewer blocks than there are folds.
    """
    what = settings.labels
    given = {"accidents": accidents, "hazards": areas, "surveys": surveys}[what]
    if given is None:
        raise SettingsError(f"fit: labels are {what}, and no table of them is given; hand it over by its name")
    if require_metres(given) != evidence.grid.crs:
        raise CrsError(f"{what} are not in the CRS of the surface, {evidence.grid.crs.name}; reproject them")
    now, cells = draw_background(evidence, settings.background, settings.seed)
    if settings.window_years is not None:
        parts, unknown, days = _windows(evidence, given, settings, known_by, as_at)
    else:
        labels, unknown = _labels(what, given, evidence, settings)
        # An accident or a field says what lay there before anyone searched.
        now = now.assign(shift=0.0)
        parts, days = [pd.concat([labels, now.assign(label=np.nan)], ignore_index=True)], (None,)
    table = pd.concat([part.assign(window=k) for k, part in enumerate(parts)], ignore_index=True)
    order = np.argsort(table["label"].isna().to_numpy(), kind="stable")  # labels come first
    table = table.iloc[order].reset_index(drop=True)
    table["piece"] = table["piece"].fillna(-1).astype(int) if "piece" in table.columns else -1
    table["block"] = blocks_of(table["x"].to_numpy(), table["y"].to_numpy(), settings.block_m)
    table["fold"] = folds_of(table["block"].to_numpy(), (table["label"] > 0).to_numpy(), settings, what)
    return Sample(table, evidence.names, cells, unknown, now, days)


def _labels(what: str, given: gpd.GeoDataFrame, evidence: Evidence, settings: FitSettings) -> tuple[pd.DataFrame, int]:
    """Rows of labels on known ground, with their evidence, and how many lie elsewhere."""
    places = _places(what, given, evidence.grid, settings)
    _refuse_too_few(what, places["at"].to_numpy(), settings)
    return _with_evidence(evidence, places)


def _with_evidence(evidence: Evidence, places: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Places (``at``) with x, y and their evidence, those on known ground; and how many are not."""
    points = places["at"].to_numpy(object)
    at = evidence_at(evidence, points).rename(columns={"searched": "shift"})
    known = at["known"].to_numpy()
    rows = at[[*evidence.names]].assign(x=shapely.get_x(points), y=shapely.get_y(points), shift=0.0)
    rows = pd.concat([rows, places.drop(columns="at").reset_index(drop=True)], axis=1)
    return rows[known].reset_index(drop=True), int((~known).sum())


def _windows(
    evidence: Evidence,
    accidents: gpd.GeoDataFrame,
    settings: FitSettings,
    known_by: KnownBy | None,
    as_at: pd.Timestamp | None,
) -> tuple[list[pd.DataFrame], int, tuple[pd.Timestamp | None, ...]]:
    """Rows of each window of time, from the last: its accidents and background, with what was known before it.

    Raises
    ------
    SettingsError
        Nothing says what was known by a day.
    TableError
        A window has no accident.
    """
    if known_by is None or as_at is None:
        raise SettingsError("fit.window_years needs known_by and as_at: what was known by a day, and the study's day")
    parts, days, unknown = [], [], 0
    for k in range(settings.windows):
        begin, end = (_years_before(as_at, (k + more) * (settings.window_years or 0)) for more in (1, 0))
        own = within(accidents, begin, end)
        if not len(own):
            raise TableError(
                f"accidents: none is dated {begin:%Y-%m-%d} to {end:%Y-%m-%d}, the window of fit.window_years; take "
                "longer or fewer windows"
            )
        then = known_by(evidence.settings, begin)
        found, elsewhere = dated_rows(then, own, settings)
        parts.append(found)
        days.append(begin)
        unknown += elsewhere
    every = pd.concat([part[part["label"].notna()] for part in parts])
    _refuse_too_few("accidents", shapely.points(every[["x", "y"]].to_numpy()), settings)
    return parts, unknown, tuple(days)


def dated_rows(evidence: Evidence, accidents: gpd.GeoDataFrame, settings: FitSettings) -> tuple[pd.DataFrame, int]:
    """Accidents and background with the evidence of a day, searches included; and how many accidents lie elsewhere."""
    places = _places("accidents", accidents, evidence.grid, settings)
    labels, unknown = _with_evidence(evidence, places)
    background, _ = draw_background(evidence, settings.background, settings.seed)
    points = labels[["x", "y"]].to_numpy()
    labels = labels.assign(shift=evidence_at(evidence, points)["searched"].to_numpy() if len(points) else 0.0)
    return pd.concat([labels, background.assign(label=np.nan)], ignore_index=True), unknown


def within(accidents: gpd.GeoDataFrame, begin: pd.Timestamp, end: pd.Timestamp) -> gpd.GeoDataFrame:
    """Accidents after the day ``begin`` and not after ``end``; those without a day are in no window."""
    day = pd.to_datetime(accidents["occurred_on"])
    found: gpd.GeoDataFrame = accidents[((day > begin) & (day <= end)).to_numpy()]
    return found


def _years_before(day: pd.Timestamp, years: float) -> pd.Timestamp:
    return day - pd.Timedelta(days=round(365.25 * years))


def _places(what: str, table: gpd.GeoDataFrame, grid: Grid, settings: FitSettings) -> pd.DataFrame:
    """Points of labels (``at``) with ``label``, ``weight`` and for searched ground ``piece``."""
    if what == "surveys":
        return _searched_cells(table, grid, settings)
    if what == "hazards":
        left = remaining(table)
        kinds = left["kind"].isin(["contact-line", "cluster-strike"])
        points = cells_inside(left[left["land_class"].isin(["CHA", "SHA"]) & ~kinds], grid)
        if len(points) > settings.background:
            picked = np.random.default_rng(settings.seed).choice(len(points), settings.background, replace=False)
            points = points[np.sort(picked)]
    else:
        points = shapely.force_2d(shapely.centroid(placed(table).geometry.to_numpy()))
    return pd.DataFrame({"at": np.asarray(points, dtype=object), "label": 1.0, "weight": 1.0})


#: Cells of one piece of searched ground that are looked at; its mean share is that of these.
_CELLS_A_PIECE = 50


def _searched_cells(table: gpd.GeoDataFrame, grid: Grid, settings: FitSettings) -> pd.DataFrame:
    """Cells of each piece of searched ground, with the share of it in which something was found."""
    table = placed(table)
    found = pd.to_numeric(table["found"], errors="coerce") if "found" in table.columns else pd.Series(dtype=float)
    if len(found) != len(table) or not found.between(0, 1).all():
        raise TableError(
            "surveys: no column found with true, false or a share from 0 to 1 in every row; say which searches had a "
            "find"
        )
    random = np.random.default_rng([settings.seed, 4])
    shapes = in_cells(grid, shapely.force_2d(table.geometry.to_numpy()))
    m2 = shapely.area(table.geometry.to_numpy())
    size = np.where(m2 > 0, m2, grid.cell_m**2)
    whole = Window(-grid.rows, -grid.columns, 3 * grid.rows, 3 * grid.columns)
    rows = []
    for k, shape in enumerate(shapes):
        flat = cells_in(whole, shape) if shapely.get_type_id(shape) in (3, 6) else np.array([], dtype=int)
        if len(flat) > _CELLS_A_PIECE:
            flat = np.sort(random.choice(flat, _CELLS_A_PIECE, replace=False))
        row, column = np.divmod(flat, whole.columns)
        x = grid.x0 + (column + whole.column + 0.5) * grid.cell_m
        y = grid.y1 - (row + whole.row + 0.5) * grid.cell_m
        points = shapely.points(x, y)
        if not len(points):
            points = np.array([shapely.point_on_surface(table.geometry.iloc[k])])
        rows.append(
            pd.DataFrame({"at": points, "label": float(found.iloc[k]), "weight": size[k] / size.mean(), "piece": k})
        )
    if not rows:
        return pd.DataFrame({"at": np.array([], dtype=object), "label": 0.0, "weight": 0.0, "piece": 0})
    return pd.concat(rows, ignore_index=True)


def surveyed_ground(releases: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Ground that was searched, from RELEASES: cleared or reduced, with ``found`` 1 where something was found, else 0.

    Cleared ground of which nobody says what was found counts as found, as it does in land release: it was contaminated
    in the operator's eyes. Cancelled ground was not searched.
    """
    own = placed(releases)
    own = own[own["action"].isin(["cleared", "reduced"])]
    return own.assign(found=with_finds(own).astype(float))


def cells_inside(areas: gpd.GeoDataFrame, grid: Grid) -> Array:
    """Centres of the cells whose centre lies in one of some polygons, each once, and inner points of small ones."""
    shapes = in_cells(grid, shapely.force_2d(areas.geometry.to_numpy()))
    places: set[tuple[int, int]] = set()
    for shape in shapes:
        west, south, east, north = np.floor(shape.bounds).astype(int)
        x, y = np.meshgrid(np.arange(west, east + 1) + 0.5, np.arange(south, north + 1) + 0.5)
        held = shapely.contains_xy(shape, x.ravel(), y.ravel())
        inner = np.array([shapely.point_on_surface(shape)])
        at = (
            cell_of(inner)
            if not held.any()
            else (np.floor(-y.ravel()[held]).astype(int), np.floor(x.ravel()[held]).astype(int))
        )
        places |= set(zip(at[0].tolist(), at[1].tolist(), strict=True))
    if not places:
        return np.array([], dtype=object)
    row, column = np.array(sorted(places)).T
    points: Array = shapely.points(grid.x0 + (column + 0.5) * grid.cell_m, grid.y1 - (row + 0.5) * grid.cell_m)
    return points


def _refuse_too_few(what: str, points: Array, settings: FitSettings) -> None:
    if not len(points):
        raise TableError(
            f"{what}: the table holds no row with a place, and nothing can be learned from it or held against it; "
            "give such rows (only a run in expert mode, with a strength for each term, needs none)"
        )
    if len(np.unique(shapely.get_coordinates(points), axis=0)) == 1:
        raise TableError(
            f"{what}: all {len(points)} lie at one coordinate, which is often a district's centre written for want "
            "of a better one; give their own places (only a run in expert mode needs none)"
        )


def blocks_of(x: Array, y: Array, block_m: float) -> Array:
    """Squares of the plane that hold points, as one number each; data never moves them.

    >>> len(set(blocks_of(np.array([10, 90, 110]), np.array([10, 90, 10]), 100.0).tolist()))
    2
    """
    column, row = np.floor(x / block_m).astype(np.int64), np.floor(y / block_m).astype(np.int64)
    numbers: Array = row * np.int64(1_000_003) + column
    return numbers


def folds_of(block: Array, positive: Array, settings: FitSettings, what: str) -> Array:
    """Fold of each row: whole blocks, dealt by seed so that the folds hold similar numbers of positives.

    Raises
    ------
    TableError
        Fewer blocks hold positives than there are folds.
    """
    names, of = np.unique(block, return_inverse=True)
    count = np.bincount(of, weights=positive, minlength=len(names))
    full = int((count > 0).sum())
    if full < settings.folds:
        raise TableError(
            f"{what}: they lie in {full} blocks of {settings.block_m:g} m, fewer than the {settings.folds} folds; take "
            "fewer folds, or smaller blocks if accidents do not hang together so far (an expert run needs none)"
        )
    chance = np.random.default_rng([settings.seed, 1]).random(len(names))
    held, size = np.zeros(settings.folds), np.zeros(settings.folds)
    fold = np.zeros(len(names), dtype=int)
    rows = np.bincount(of, minlength=len(names))
    for k in np.lexsort((chance, -count)):  # the fullest first, each to the emptiest fold
        best = np.lexsort((size, held))[0] if count[k] else int(np.argmin(size))
        fold[k] = best
        held[best] += count[k]
        size[best] += rows[k]
    out: Array = fold[of]
    return out
