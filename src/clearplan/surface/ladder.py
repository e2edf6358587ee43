"""The rungs of the ladder: from the belt alone to all evidence, each a way to rank ground that it has not seen.

Each rung gets the rows it may learn from and the rows it is judged on, and returns two scores for the latter: the share
of the ground that is contaminated, and the accidents to expect there (share x people), both as logarithms up to a
constant. A rung that knows one thing learns from the other rows only how strongly it speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.special import log_expit, logit

from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface.choice import best_penalty
from clearplan.surface.learning import Roles, fit_rows, roles_of
from clearplan.surface.likelihood import Model, exposure_given, logistic
from clearplan.surface.samples import Sample
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]
#: Scores of the judged rows: by share, and by accidents to expect.
Scores = tuple[Array, Array]

#: Bandwidths of the density of past events that are tried [m].
_BANDWIDTHS_M = (500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
_SEED = 21  # of the boosting, which draws nothing but asks for one


@dataclass(frozen=True)
class Judged:
    """What a rung may know: a sample with the rows it learns from (``taught``), and those it is judged on.

    ``judged`` has the columns of a sample's table. ``past``: accidents known by the day on which the judged rows are
    predicted, without those that are judged; ``areas``: AREAS of that day. ``plan``: settings with the shapes and
    half-lives that the taught rows chose. ``lessons`` and ``used``: the sample and rows from which strengths are
    learned, where they are not accidents.
    """

    sample: Sample
    taught: Array
    judged: pd.DataFrame
    past: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    plan: SurfaceSettings
    settings: FitSettings
    lessons: Sample
    used: Array
    learned_from: FitSettings

    @property
    def rows(self) -> pd.DataFrame:
        """Rows that a rung learns from: accidents and background."""
        return self.sample.table[self.taught]

    @cached_property
    def fitted(self) -> tuple[Model, float]:
        """The model that the taught rows give, and its C; worked out once, for the rung and for its coverage."""
        roles = roles_of(self.plan, self.learned_from)
        penalty = best_penalty(self.lessons, self.used, self.learned_from, self.plan)
        return fit_rows(self.lessons, roles, self.learned_from, penalty, used=self.used), penalty


def belt_only(case: Judged) -> Scores:
    """Inside the belt or not."""
    left = remaining(case.areas)
    belt = shapely.union_all(left.loc[(left["kind"] == "contact-line").to_numpy()].geometry.to_numpy())
    return _one_thing(case, lambda rows: shapely.contains_xy(belt, rows["x"].to_numpy(), rows["y"].to_numpy()))


def nearest_hazard(case: Judged) -> Scores:
    """The nearer to a reported hazard, whatever it is, the higher."""
    shapes = remaining(case.areas).geometry.to_numpy()
    return _one_thing(case, lambda rows: -_away(rows, shapes))


def nearest_event(case: Judged) -> Scores:
    """The nearer to a past accident the higher."""
    shapes = shapely.centroid(placed(case.past).geometry.to_numpy())
    return _one_thing(case, lambda rows: -_away(rows, shapes, own=True))


def event_density(case: Judged) -> Scores:
    """Density of past accidents under a Gaussian kernel, of the bandwidth that foretells each from the others best."""
    xy = shapely.get_coordinates(shapely.centroid(placed(case.past).geometry.to_numpy()))
    width_m = _bandwidth(xy)
    return _one_thing(case, lambda rows: np.log(_density(rows[["x", "y"]].to_numpy(), xy, width_m) + 1e-12))


def logistic_regression(case: Judged) -> Scores:
    """Ordinary logistic regression of accidents against background, on the very evidence of the surface."""
    names = _used_names(case)
    rows, judged = case.rows, case.judged
    own = rows["label"].notna().to_numpy()
    g = rows[names].to_numpy(float)
    found = logistic(g, own.astype(int), _balanced(rows), max(case.settings.penalties))
    score = found[0] + judged[names].to_numpy(float) @ found[1:]
    return score, score


def gradient_boosting(case: Judged) -> Scores:
    """Boosted trees of accidents against background, on the very evidence of the surface (scikit-learn's)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    names = _used_names(case)
    rows = case.rows
    model = HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=50, l2_regularization=1.0,
        early_stopping=False, random_state=_SEED,
    )  # fmt: skip
    model.fit(rows[names].to_numpy(float), rows["label"].notna().to_numpy().astype(int), _balanced(rows))
    score = model.decision_function(case.judged[names].to_numpy(float))
    return score, score


def ours_expert(case: Judged) -> Scores:
    """The strengths that the planner wrote; what brings people is learned."""
    model = written_model(case.plan, roles_of(case.plan, case.settings))
    assert model is not None
    return _ours(case, model)


def ours_fitted(case: Judged) -> Scores:
    """All terms, with strengths learned from the rows that may be."""
    return _ours(case, case.fitted[0])


def written_model(plan: SurfaceSettings, roles: Roles) -> Model | None:
    """The planner's strengths, without the terms that the judged accidents are part of; None where one is not set."""
    strengths = list(plan.strengths.values())
    if None in strengths:
        return None
    own = np.array(strengths, float) * ~roles.circular
    return Model(float(logit(plan.base_rate)), own, np.zeros(len(own)))


def _ours(case: Judged, model: Model) -> Scores:
    names = list(case.plan.strengths)
    judged, shift = case.judged[names].to_numpy(float), case.judged["shift"].to_numpy(float)
    share = log_expit(model.score(judged, shift))
    if model.exposure.any() or not case.settings.exposure:
        return share, share + judged @ model.exposure
    rows = case.rows
    own, g = rows["label"].notna().to_numpy(), rows[names].to_numpy(float)
    exposed = np.isin(list(case.plan.kinds.values()), case.settings.exposure)
    log_p = log_expit(model.score(g, rows["shift"].to_numpy(float)))
    gamma = exposure_given(log_p, g[:, exposed], rows["weight"].to_numpy(float), own, ~own)
    return share, share + judged[:, exposed] @ gamma


def _used_names(case: Judged) -> list[str]:
    """Columns that the judged accidents are not part of."""
    roles = roles_of(case.plan, case.settings)
    return [name for name, circular in zip(roles.names, roles.circular, strict=True) if not circular]


def _balanced(rows: pd.DataFrame) -> Array:
    """Weights: an accident counts once, all background together ten times as much as all accidents."""
    own = rows["label"].notna().to_numpy()
    weight = rows["weight"].to_numpy(float).copy()
    weight[~own] *= 10 * own.sum() / weight[~own].sum()
    weight[own] = 1.0
    return weight


def _one_thing(case: Judged, look: Callable[[pd.DataFrame], Array]) -> Scores:
    """Scores of a rung that knows one figure; it keeps its order also where accidents elsewhere speak against it."""
    rows = case.rows
    figure, judged = (np.asarray(look(table), float) for table in (rows, case.judged))
    spread = float(figure.std()) or 1.0
    found = logistic(
        ((figure - figure.mean()) / spread)[:, None], rows["label"].notna().to_numpy().astype(int), _balanced(rows), 1e3
    )
    scaled = (judged - figure.mean()) / spread
    score = found[0] + max(float(found[1]), 1e-9) * scaled
    return score, score


def _away(rows: pd.DataFrame, shapes: Array, *, own: bool = False) -> Array:
    """Distance of rows to the nearest of some shapes [m]; with ``own`` an accident among them is not its own."""
    points = shapely.points(rows[["x", "y"]].to_numpy())
    if not own:
        tree = shapely.STRtree(shapes)
        found = tree.query_nearest(points, return_distance=True, all_matches=False)
        away: Array = found[1][np.argsort(found[0][0])]
        return away
    tree = cKDTree(shapely.get_coordinates(shapes))
    near = tree.query(rows[["x", "y"]].to_numpy(), k=min(2, tree.n))[0].reshape(len(rows), -1)
    itself = rows["label"].notna().to_numpy() & (near[:, 0] < 1e-6) & (near.shape[1] > 1)
    away = np.where(itself, near[:, -1], near[:, 0])
    return away


def _bandwidth(xy: Array) -> float:
    """Of ``_BANDWIDTHS_M`` the one under which each event is likeliest given the others."""
    told = []
    for width_m in _BANDWIDTHS_M:
        others = _density(xy, xy, width_m) * len(xy) - 1 / (2 * np.pi * width_m**2)
        told.append(float(np.log(np.maximum(others, 1e-300)).sum()))
    return _BANDWIDTHS_M[int(np.argmax(told))]


def _density(at: Array, events: Array, width_m: float) -> Array:
    """Mean Gaussian density of events at places, cut at four widths [1/m2]."""
    tree, places = cKDTree(events), cKDTree(at)
    near = places.sparse_distance_matrix(tree, 4 * width_m, output_type="ndarray")
    weight = np.exp(-((near["v"] / width_m) ** 2) / 2) / (2 * np.pi * width_m**2)
    density: Array = np.bincount(near["i"], weights=weight, minlength=len(at)) / len(events)
    return density
