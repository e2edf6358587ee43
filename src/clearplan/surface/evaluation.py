"""How well the surface foretells accidents that it never saw: blocks held out whole, against simpler ways.

The ladder: *belt only* (inside the belt or not), *distance only* (to the contact line), *all terms (expert)* where
strengths are written, *all terms (fitted)*. Each rung learns what it has to learn from the other folds. Accidents are
no evidence for themselves: the term ``accidents`` is left out on every rung.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.special import logit

from clearplan.core.crs import require_metres
from clearplan.settings.surface import FitSettings
from clearplan.surface.evidence import Evidence
from clearplan.surface.fit import Roles, best_penalty, fit_rows, roles_of
from clearplan.surface.likelihood import Model, exposure_given, one_thread
from clearplan.surface.samples import Sample, folds_of, take_sample
from clearplan.surface.scores import figures_of_cells, recall_in_top
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]

TOPS = (0.05, 0.10, 0.20)
#: Figures of each rung and fold, and what they are.
FIGURES = {
    "roc_auc": "ROC-AUC: chance that a cell with a held-out accident scores above a known cell without one [1]",
    "pr_auc": "PR-AUC: trapezoid of precision over recall [1]; flatters scores with few values, such as the belt's",
    "average_precision": "Average precision: mean precision at which cells with accidents are found [1]; cells "
    "without one are not known to be clear of hazard, so it is a lower bound",
    "recall_5": "Held-out accidents in the top 5 % of the known ground [1]",
    "recall_10": "Held-out accidents in the top 10 % of the known ground [1]",
    "recall_20": "Held-out accidents in the top 20 % of the known ground [1]",
    "log_loss": "Log loss of the chance of an accident in a cell [nats per cell]",
    "slope": "Slope of the logistic recalibration of expected accidents; 1 is right, below 1 too sure of itself [1]",
    "intercept": "Intercept of the same; 0 is right where the slope is 1 [1]",
}


@dataclass(frozen=True)
class Evaluation:
    """Figures per rung and fold, calibration, and how many accidents every known polygon misses.

    ``folds``: rung, fold, accidents, and the figures of ``FIGURES``. ``calibration``: rung, bin (from the lowest
    expectation), expected and observed accidents, area_km2, both per 100 km2. ``outside``: what, accidents, outside,
    share. ``notes``: what a reader must know.
    """

    folds: pd.DataFrame
    calibration: pd.DataFrame
    outside: pd.DataFrame
    notes: tuple[str, ...]


def evaluate(
    evidence: Evidence,
    accidents: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    settings: FitSettings,
    *,
    surveys: gpd.GeoDataFrame | None = None,
) -> Evaluation:
    """Hold out whole blocks of accidents in turn, and ask each rung of the ladder where they fell.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`; searches are not looked at.
    accidents : GeoDataFrame
        ACCIDENTS; what every rung is held against, whatever strengths are learned from.
    areas : GeoDataFrame
        AREAS: the belt (``kind`` contact-line) of *belt only*, every known polygon of ``outside``, and the labels
        where they are hazards.
    settings : FitSettings
        Labels, blocks, folds, seed.
    surveys : GeoDataFrame, optional
        Searched places with ``found``, where they are the labels.

    Returns
    -------
    Evaluation

    Notes
    -----
    Calibration speaks of accidents, not of contamination, which nobody sees: expected accidents are ``c p e`` with what
    brings people (``settings.exposure``) and their number c learned from the other folds. The best C is chosen anew
    within the other folds.

    Raises
    ------
    TableError, SettingsError
        As in :func:`fit_surface`.
    """
    require_metres(accidents, areas)
    seen = take_sample(evidence, settings.model_copy(update=_AS_ACCIDENTS), accidents=accidents)
    taught = seen
    if settings.labels != "accidents":
        taught = take_sample(evidence, settings, areas=areas, surveys=surveys)
    seen, taught = _same_folds(seen, taught, settings)
    repeated = _repeated(seen.table, evidence)
    belt = _belt(areas)
    notes = [_said_of(seen, settings)]
    ladder: list[tuple[str, Any]] = []
    if belt is None:
        notes.append("No contact line with a belt: no rung 'belt only'.")
    else:
        ladder.append(("belt only", lambda k: _one_column(seen, k, settings, lambda t: _inside(belt, t))))
    lines = [n for term in evidence.settings.terms if term.evidence == "line" for n in term.columns]
    if lines:
        ladder.append(("distance only", lambda k: _one_column(seen, k, settings, lambda t: t[lines].to_numpy(float))))
    else:
        notes.append("No term for the line: no rung 'distance only'.")
    expert = _expert(evidence)
    if expert is None:
        notes.append("Strengths are not all written: no rung 'all terms (expert)'.")
    else:
        ladder.append(("all terms (expert)", lambda k: expert.score(_g(seen.table, evidence))))
    roles = roles_of(evidence, settings)
    ladder.append(("all terms (fitted)", lambda k: _fitted(seen, taught, k, roles, settings)))
    exposed = np.isin([t.evidence for t in evidence.settings.terms for _ in t.columns], settings.exposure)
    rows, bins = [], []
    for rung, score_without in ladder:
        for k in range(settings.folds):
            with one_thread():
                score = score_without(k)
                held = _expected(seen.table, score, _g(seen.table, evidence)[:, exposed], k)
            rows.append({"rung": rung, "fold": k} | _figures(held, repeated[held.index.to_numpy()]))
            bins.append(held.assign(rung=rung))
    cell_km2 = evidence.grid.cell_m**2 / 1e6
    outside = share_outside(accidents, areas)
    return Evaluation(
        pd.DataFrame(rows),
        _curves(pd.concat(bins), cell_km2),
        outside,
        tuple(notes),
    )


_AS_ACCIDENTS = {"labels": "accidents"}


def _same_folds(seen: Sample, taught: Sample, settings: FitSettings) -> tuple[Sample, Sample]:
    """Blocks of both samples dealt to folds alike, so that nothing is learned in a block that is held out."""
    if taught is seen:
        return seen, taught
    both = pd.concat([seen.table.assign(own=1), taught.table.assign(own=0)], ignore_index=True)
    positive = (both["own"] == 1) & (both["label"] == 1)
    both["fold"] = folds_of(both["block"].to_numpy(), positive.to_numpy(), settings, "accidents")
    parts = [both[both["own"] == own].drop(columns="own").reset_index(drop=True) for own in (1, 0)]
    return (
        Sample(parts[0], seen.names, seen.known_cells, seen.unknown),
        Sample(parts[1], taught.names, taught.known_cells, taught.unknown),
    )


def _said_of(seen: Sample, settings: FitSettings) -> str:
    count, blocks = len(seen.labels), seen.labels["block"].nunique()
    return (
        f"{count:,} accidents on known ground in {blocks:,} blocks of {settings.block_m:g} m, {settings.folds} folds; "
        f"{seen.unknown:,} on ground of which nobody knows are not counted; {len(seen.background):,} background cells, "
        f"seed {settings.seed}."
    )


def _g(table: pd.DataFrame, evidence: Evidence) -> Array:
    g: Array = table[list(evidence.names)].to_numpy(float)
    return g


def _belt(areas: gpd.GeoDataFrame) -> Any:
    left = remaining(areas)
    shapes = left.loc[left["kind"] == "contact-line"].geometry.to_numpy()
    return shapely.union_all(shapes) if len(shapes) else None


def _inside(belt: Any, table: pd.DataFrame) -> Array:
    inside: Array = shapely.contains_xy(belt, table["x"].to_numpy(), table["y"].to_numpy())
    return inside[:, None].astype(float)


def _one_column(seen: Sample, fold: int, settings: FitSettings, columns: Any) -> Array:
    """Logit of p of a rung that knows one thing only; how strongly it speaks is learned from accidents elsewhere."""
    g = columns(seen.table)
    names = tuple(f"rung {k}" for k in range(g.shape[1]))
    table = seen.table.drop(columns=list(seen.names)).assign(**dict(zip(names, g.T, strict=True)))
    every, none = np.ones(len(names), bool), np.zeros(len(names), bool)
    roles = Roles(names, every, none, np.zeros(len(names)), none)
    accidents = settings.model_copy(update=_AS_ACCIDENTS | {"prevalence": settings.prevalence or 0.01})
    used = table["fold"].to_numpy() != fold
    score = fit_rows(table, roles, accidents, max(settings.penalties), used=used).score(g)
    # Where accidents elsewhere speak against the rung its strength is 0; it still ranks the ground in its own order.
    ranked: Array = score + 1e-9 * g.sum(axis=1)
    return ranked


def _expert(evidence: Evidence) -> Model | None:
    """The written strengths, without the term that the held-out accidents are part of."""
    strengths = [s for term in evidence.settings.terms for s in term.columns.values()]
    if any(s is None for s in strengths):
        return None
    own = np.array([t.evidence != "accidents" for t in evidence.settings.terms for _ in t.columns])
    return Model(float(logit(evidence.settings.base_rate)), np.array(strengths, float) * own, np.zeros(len(own)))


def _fitted(seen: Sample, taught: Sample, fold: int, roles: Roles, settings: FitSettings) -> Array:
    used = taught.table["fold"].to_numpy() != fold
    penalty = best_penalty(taught.table[used], roles, settings)
    model = fit_rows(taught.table, roles, settings, penalty, used=used)
    return model.score(seen.table[list(roles.names)].to_numpy(float))


def _repeated(table: pd.DataFrame, evidence: Evidence) -> Array:
    """Rows that say again what another says of their cell: further accidents in it, and background with an accident."""
    grid = evidence.grid
    cells = pd.DataFrame(
        {
            "row": np.floor((grid.y1 - table["y"]) / grid.cell_m).astype(int),
            "column": np.floor((table["x"] - grid.x0) / grid.cell_m).astype(int),
        }
    )
    assert table["label"].notna().to_numpy()[: int(table["label"].notna().sum())].all()  # accidents come first
    again: Array = cells.duplicated().to_numpy()
    return again


def _expected(table: pd.DataFrame, score: Array, exposed: Array, fold: int) -> pd.DataFrame:
    """Rows of a fold with the score and the accidents expected in a cell; people and number from the other folds."""
    own, away = table["label"].notna().to_numpy(), (table["fold"] != fold).to_numpy()
    weight = table["weight"].to_numpy()
    log_p = -np.logaddexp(0, -score)
    teach = own & away, ~own & away
    gamma = exposure_given(log_p, exposed, weight, *teach)
    rate = log_p + exposed @ gamma
    number = np.log(own[away].sum()) - np.log((weight * np.exp(rate))[teach[1]].sum())
    held = table.loc[~away, ["weight"]].assign(score=score[~away], label=own[~away].astype(float))
    return held.assign(expected=np.exp(rate + number)[~away])


def _figures(held: pd.DataFrame, repeated: Array) -> dict[str, float]:
    """Figures of a fold: recall by accidents and ground, the others by cells with and without an accident."""
    score, own = held["score"].to_numpy(), held["label"].to_numpy() == 1
    recall = recall_in_top(score[own], score[~own], held["weight"].to_numpy()[~own], TOPS)
    label, score, weight, expected = held.loc[~repeated, ["label", "score", "weight", "expected"]].to_numpy().T
    figures = figures_of_cells(label, score, -np.expm1(-expected), weight)
    figures |= {f"recall_{round(top * 100)}": recall[top] for top in TOPS}
    return {"accidents": float(own.sum())} | {name: figures[name] for name in FIGURES}


def _curves(held: pd.DataFrame, cell_km2: float) -> pd.DataFrame:
    """Expected and observed accidents of each rung in ten parts of the ground of equal area, all folds together."""
    tables = []
    for rung, rows in held.groupby("rung", sort=False):
        own = rows["label"].to_numpy() == 1
        ground = rows.loc[~own, ["expected", "weight"]].sort_values("expected", kind="stable").to_numpy()
        part = np.minimum((np.cumsum(ground[:, 1]) - ground[:, 1] / 2) * 10 / ground[:, 1].sum(), 9.999).astype(int)
        last = np.searchsorted(part, np.arange(9), side="right") - 1
        edges = ground[np.maximum(last, 0), 0]
        # Equal expectations stay in one part, and accidents go where the ground of their expectation is.
        where, at = (np.searchsorted(edges, v) for v in (ground[:, 0], rows.loc[own, "expected"].to_numpy()))
        cells, said = (np.bincount(where, weights=v, minlength=10) for v in (ground[:, 1], ground.prod(axis=1)))
        seen, area = np.bincount(at, minlength=10), cells * cell_km2
        table = pd.DataFrame({"rung": rung, "bin": np.arange(1, 11), "expected": said, "observed": seen})
        tables.append(table.assign(area_km2=area)[cells > 0])
    found = pd.concat(tables, ignore_index=True)
    for name in ("expected", "observed"):
        found[f"{name}_per_100_km2"] = found[name] / found["area_km2"] * 100
    return found


def share_outside(accidents: gpd.GeoDataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Accidents outside every known polygon, outside the belt alone, and outside all but the belt.

    Parameters
    ----------
    accidents, areas : GeoDataFrame
        ACCIDENTS and AREAS in the same CRS; closed and deferred areas and accidents without a place do not count.

    Returns
    -------
    DataFrame
        what, accidents, outside, share [1; NaN where there is no accident]. An accident on a border is inside.
    """
    require_metres(accidents, areas)
    points = shapely.centroid(placed(accidents).geometry.to_numpy())
    left = remaining(areas)
    belt = (left["kind"] == "contact-line").to_numpy()
    rows = []
    for what, wanted in (
        ("every known polygon, the belt included", np.ones(len(left), bool)),
        ("the belt of the contact line", belt),
        ("every known polygon but the belt", ~belt),
    ):
        tree = shapely.STRtree(left.geometry.to_numpy()[wanted])
        inside = np.unique(tree.query(points, predicate="intersects")[0])
        outside = len(points) - len(inside)
        rows.append((what, len(points), outside, outside / len(points) if len(points) else np.nan))
    return pd.DataFrame(rows, columns=["what", "accidents", "outside", "share"])


def evaluation_tables(found: Evaluation) -> dict[str, pd.DataFrame]:
    """Tables for a report: ladder (mean and range over folds), folds, calibration, outside, figures.

    ``ladder`` has a row per rung and figure: rung, figure, mean, low, high, folds (how many had the figure).
    """
    long = found.folds.melt(["rung", "fold"], list(FIGURES), "figure", "value").dropna(subset="value")
    told = long.groupby(["rung", "figure"], sort=False)["value"].agg(mean="mean", low="min", high="max", folds="size")
    order = [(rung, figure) for rung in dict.fromkeys(found.folds["rung"]) for figure in FIGURES]
    ladder = told.reindex(pd.MultiIndex.from_tuples(order, names=["rung", "figure"])).reset_index()
    return {
        "ladder": ladder.assign(folds=ladder["folds"].fillna(0).astype(int)),
        "folds": found.folds,
        "calibration": found.calibration,
        "outside": found.outside,
        "figures": pd.DataFrame({"figure": list(FIGURES), "meaning": list(FIGURES.values())}),
    }
