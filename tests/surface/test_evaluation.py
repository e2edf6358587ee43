"""Fitting and evaluation: figures by hand and by scikit-learn, worlds with a known truth, labels that teach nothing."""

import builtins
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from scipy.special import expit, logit
from shapely import Point, box

import clearplan as cp
from clearplan.core.errors import CrsError, SettingsError, TableError
from clearplan.settings.base import check_settings
from clearplan.settings.surface import FitSettings
from clearplan.surface import scores
from clearplan.surface.evaluation import evaluation_tables, share_outside
from clearplan.surface.fit import _with_written
from clearplan.surface.learning import Roles, fit_rows, roles_of
from clearplan.surface.likelihood import (
    Problem,
    Searched,
    base_for,
    exposure_given,
    fit_places,
    fit_surveys,
    one_thread,
    penalised_loss,
)
from clearplan.surface.samples import Sample, blocks_of, cells_inside, draw_background, folds_of, take_sample
from tests.conftest import E0, FULL, N0, ROOT, UTM, accident_table, hazard_table
from tests.surface.test_probability import GRID, at, gather, layer_of, line_row

sys.path.insert(0, str(ROOT / "benchmarks"))
from worlds import fit_settings, simulate_world

PLAIN = {
    "labels": "accidents", "prevalence": 0.1, "prevalence_spread": 0.0, "prevalence_source": "test", "exposure": [],
    "background": 1_000, "block_m": 1_000, "folds": 3, "penalties": [10.0], "bootstrap": 20, "seed": 4,
}  # fmt: skip


def how(**changed):
    return check_settings(FitSettings, PLAIN | changed, where="test")


@pytest.fixture(scope="module")
def world():
    return simulate_world(5, side=100, accidents=600)


# --- figures by hand


def figures(label, score, weight=None):
    label = np.asarray(label)
    return scores.figures_of_cells(label, np.asarray(score), np.ones(len(label)) if weight is None else weight)


def test_roc_by_hand_with_a_tie():
    # Pairs of positive over negative: 3>2, 3>1 and 2=2 (half), 2>1: 3.5 of 4.
    assert figures([1, 1, 0, 0], [3, 2, 2, 1])["roc_auc"] == 3.5 / 4
    assert figures([1, 0, 1, 0], [4, 3, 2, 1])["roc_auc"] == 0.75


def test_average_precision_by_hand():
    # From the highest: hit (1/1), miss, hit (2/3), miss.
    assert figures([1, 0, 1, 0], [4, 3, 2, 1])["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_weights_are_numbers_of_cells():
    label, score, many = [1, 0, 0, 1, 0], [5, 4, 4, 4, 1], [1, 3, 2, 2, 9]
    assert figures(label, score, many) == pytest.approx(
        figures(*(np.repeat(values, many) for values in (label, score)))
    )


def test_recall_shares_ties_fairly():
    # The belt is 20 of 100 cells; a tenth of the ground is half of it: half of the 6 accidents inside count.
    area = np.ones(100)
    ground = np.repeat([1.0, 0.0], [20, 80])
    found = scores.recall_in_top([1.0] * 6 + [0.0] * 4, ground, area, [0.1, 0.2, 0.6, 1.0])
    assert found[0.1] == pytest.approx(0.3)
    assert found[0.2] == pytest.approx(0.6)
    assert found[0.6] == pytest.approx(0.6 + 0.4 * 0.5)
    assert found[1.0] == pytest.approx(1)


def test_recall_weighs_ground_by_area():
    found = scores.recall_in_top([3.0, 2.0], [3.0, 2.0, 1.0], [1, 3, 6], [0.1, 0.25, 0.4])
    assert list(found.values()) == pytest.approx([0.5, 0.75, 1.0])  # all of the first cell, then half of the second


def test_recalibration_by_hand():
    # Says 20 and 80 %, and it is 40 and 60 %: slope logit .6 / logit .8, intercept 0.
    slope, intercept = scores.recalibrate([1, 0, 1, 0], [0.2, 0.2, 0.8, 0.8], [4, 6, 6, 4])
    assert slope == pytest.approx(logit(0.6) / logit(0.8))
    assert intercept == pytest.approx(0, abs=1e-9)
    assert np.isnan(scores.recalibrate([1, 0], [0.3, 0.3])).all()
    assert np.isnan(scores.recalibrate([1, 1], [0.3, 0.4])).all()


def by_definition(label, score, weight):
    """ROC-AUC over all pairs; precision and recall from the highest threshold down, without any sorting of ours."""
    yes, no = label == 1, label == 0
    apart = np.sign(score[yes][:, None] - score[no]) / 2 + 0.5
    pairs = weight[yes][:, None] * weight[no]
    points = [(0.0, 1.0)]
    for threshold in sorted(set(score), reverse=True):
        chosen = score >= threshold
        hit = weight[chosen & yes].sum()
        points.append((hit / weight[yes].sum(), hit / weight[chosen].sum()))
    steps = list(pairwise(points))
    return {
        "roc_auc": (apart * pairs).sum() / pairs.sum(),
        "average_precision": sum((b[0] - a[0]) * b[1] for a, b in steps),
    }


@given(seed=st.integers(0, 10_000), values=st.sampled_from([2, 7, 1_000]))
@settings(max_examples=60, deadline=None)
def test_figures_are_those_of_their_definitions(seed, values):
    random = np.random.default_rng(seed)
    score = random.integers(1, values + 1, 60) / (values + 1)
    label = (random.random(60) < score).astype(int)
    label[:2] = 0, 1
    weight = random.uniform(0.5, 3, 60)
    assert figures(label, score, weight) == pytest.approx(by_definition(label, score, weight))


def test_figures_that_cannot_be_are_missing_and_not_0():
    assert np.isnan(figures([1, 1], [1, 2])["roc_auc"])
    assert np.isnan(list(figures([0, 0], [1, 2]).values())).all()
    assert np.isnan(scores.recall_in_top([], [1.0], [1.0], [0.1])[0.1])


def test_slope_of_a_rate_is_that_of_a_poisson_regression():
    """Events counted by cell and regressed on the logarithm of their expected rate, by scikit-learn."""
    from sklearn.linear_model import PoissonRegressor

    random = np.random.default_rng(4)
    rate = random.normal(0, 1, 400)
    count = random.poisson(np.exp(0.6 * rate))
    made = PoissonRegressor(alpha=0, tol=1e-10, max_iter=1_000).fit(rate[:, None], count)
    of = np.repeat(np.arange(400), count)
    slope, error = scores.recalibrated_rate(rate[of], rate, np.ones(400), of, np.arange(400))
    assert slope == pytest.approx(made.coef_[0], rel=1e-4)
    # Each cell is a block of its own: the sandwich is near the inverse of the information, sum of mu x^2 centred.
    mu = np.exp(made.intercept_ + made.coef_[0] * rate)
    information = mu @ (rate - mu @ rate / mu.sum()) ** 2
    assert error == pytest.approx(1 / np.sqrt(information), rel=0.2)
    assert np.isnan(scores.recalibrated_rate(rate[of], np.ones(400), np.ones(400), of, np.arange(400))[0])


def test_errors_of_means_follow_blocks():
    # Ten blocks of ten values, all alike within a block: as for ten values, not for a hundred.
    values = np.repeat([0, 1] * 5, 10)
    mean, error = scores.mean_with_error(values, np.repeat(np.arange(10), 10))
    assert mean == 0.5
    assert error == pytest.approx(np.std([0, 1] * 5, ddof=1) / np.sqrt(10))
    assert np.isnan(scores.mean_with_error([1, 0], [3, 3])[1])


# --- the likelihood


def problem(seed=0, **changed):
    random = np.random.default_rng(seed)
    made = {
        "label_g": random.random((30, 3)), "label_weight": np.ones(30), "background_g": random.random((200, 3)),
        "background_weight": np.full(200, 1 / 200), "anchor_g": random.random((250, 3)),
        "anchor_weight": np.full(250, 1 / 250), "free": np.array([True, True, False]),
        "exposure": np.array([False, False, True]), "fixed": np.array([0.0, 0.0, 0.4]), "prevalence": 0.1,
    }  # fmt: skip
    return Problem(**(made | changed))


@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_that_of_the_loss(seed):
    p = problem(seed)
    theta = np.array([1.5, 0.3, -0.7])
    off = check_grad(lambda t: penalised_loss(t, p, 2.0)[0], lambda t: penalised_loss(t, p, 2.0)[1], theta)
    assert off < 1e-4


def test_gradient_with_windows_and_searches_is_that_of_the_loss():
    random = np.random.default_rng(9)
    p = problem(
        label_window=random.integers(0, 2, 30), background_window=random.integers(0, 2, 200),
        label_shift=-random.random(30), background_shift=-random.random(200), anchor_shift=-random.random(250),
    )  # fmt: skip
    theta = np.array([1.5, 0.3, -0.7])
    off = check_grad(lambda t: penalised_loss(t, p, 2.0)[0], lambda t: penalised_loss(t, p, 2.0)[1], theta)
    assert off < 1e-4


def test_windows_are_fitted_as_the_sum_of_both():
    """Labels of a window are drawn from its background: the loss is the sum of the windows' losses."""
    alone = [problem(seed, anchor_g=problem(0).anchor_g) for seed in (0, 1)]
    both = problem(
        label_g=np.concatenate([p.label_g for p in alone]), label_weight=np.ones(60),
        background_g=np.concatenate([p.background_g for p in alone]), background_weight=np.full(400, 1 / 200),
        label_window=np.repeat([0, 1], 30), background_window=np.repeat([0, 1], 200),
    )  # fmt: skip
    theta = np.array([1.5, 0.3, -0.7])
    ridge = theta @ theta / 4
    parts = sum(penalised_loss(theta, p, 2.0)[0] - ridge for p in alone)
    assert penalised_loss(theta, both, 2.0)[0] - ridge == pytest.approx(parts)


def test_base_makes_the_mean_the_prevalence():
    score, weight = np.array([0.0, 2.0, 5.0]), np.array([0.5, 0.3, 0.2])
    for prevalence in (1e-4, 0.1, 0.9):
        assert weight @ expit(base_for(score, weight, prevalence) + score) == pytest.approx(prevalence, rel=1e-9)


def test_places_by_hand():
    """One column of 0 and 1, half of the ground each, prevalence 0.1; 3 of 4 accidents fall where it is 1.

    Accidents fall by p: p1 / p0 = 3 and (p0 + p1) / 2 = 0.1, so p0 = 0.05, p1 = 0.15: strength logit .15 - logit .05.
    An ordinary logistic regression would say log 3.
    """
    ground, half = np.array([[0.0], [1.0]]), np.array([0.5, 0.5])
    p = problem(
        label_g=np.array([[0.0], [1.0]]), label_weight=np.array([1.0, 3.0]), background_g=ground, anchor_g=ground,
        background_weight=half, anchor_weight=half, free=np.array([True]), exposure=np.array([False]),
        fixed=np.zeros(1),
    )  # fmt: skip
    model = fit_places(p, 1e6)
    assert model.strengths[0] == pytest.approx(logit(0.15) - logit(0.05), abs=1e-3)
    assert model.strengths[0] > np.log(3) + 0.1
    assert expit(model.base) == pytest.approx(0.05, abs=1e-4)


def test_exposure_by_hand():
    # Contamination is even; people make 4 of 5 accidents fall in one half of the ground: log 4.
    weight = np.array([1.0, 4.0, 500.0, 500.0])
    gamma = exposure_given(np.zeros(4), np.array([[0.0], [1.0], [0.0], [1.0]]), weight, *np.eye(4, dtype=bool)[[0, 2]])
    assert gamma.tolist() == pytest.approx([0], abs=0.3)
    own, other = np.array([True, True, False, False]), np.array([False, False, True, True])
    gamma = exposure_given(np.zeros(4), np.array([[0.0], [1.0], [0.0], [1.0]]), weight * [100, 100, 1, 1], own, other)
    assert gamma.tolist() == pytest.approx([np.log(4)], abs=1e-3)


def test_evidence_never_lowers():
    # Accidents keep away from the first column.
    away = np.random.default_rng(1).random((60, 3)) * [0.2, 1, 1]
    model = fit_places(problem(label_g=away, label_weight=np.ones(60)), 10.0)
    assert model.strengths[0] == 0
    assert (model.strengths >= 0).all()


def searched(g, found, weight=None):
    """Each row a piece of its own."""
    count = len(g)
    return Searched(np.asarray(g, float), np.arange(count), np.ones(count), np.asarray(found, float),
                    np.ones(count) if weight is None else np.asarray(weight, float))  # fmt: skip


def test_surveys_leave_out_what_would_lower_and_are_fitted_without_it():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(2)
    g = random.random((400, 2))
    y = (random.random(400) < expit(-1 + 3 * g[:, 0] - 2 * g[:, 1])).astype(float)
    both = np.array([True, True])
    model = fit_surveys(searched(g, y), both, np.zeros(2), 10.0)
    alone = LogisticRegression(C=10.0, tol=1e-10).fit(g[:, :1], y)
    assert model.strengths.tolist() == pytest.approx([alone.coef_[0, 0], 0], abs=1e-3)
    assert model.base == pytest.approx(alone.intercept_[0], abs=1e-3)
    signed = fit_surveys(searched(g, y), both, np.zeros(2), 10.0, land=np.array([False, True]))
    free = LogisticRegression(C=10.0, tol=1e-10).fit(g, y)
    assert signed.strengths.tolist() == pytest.approx(free.coef_[0].tolist(), abs=1e-3)
    with pytest.raises(TableError, match="all searches have a find, or none has"):
        fit_surveys(searched(g, np.ones(400)), both, np.zeros(2), 10.0)


def test_shares_of_searched_ground_are_those_of_so_many_square_metres():
    """A piece with a share is the same as its square metres with and without finds (fractional logistic)."""
    from sklearn.linear_model import LogisticRegression

    g, share, m2 = np.array([[0.0], [1.0], [0.5]]), [0.1, 0.6, 0.2], [40.0, 30.0, 50.0]
    model = fit_surveys(searched(g, share, m2), np.array([True]), np.zeros(1), 1e9)
    rows, y = np.repeat(g, 2, axis=0), np.tile([1, 0], 3)
    weight = np.ravel([(s * m, (1 - s) * m) for s, m in zip(share, m2, strict=True)])
    made = LogisticRegression(C=1e9, tol=1e-12, max_iter=1_000).fit(rows, y, sample_weight=weight)
    assert [model.base, *model.strengths] == pytest.approx([made.intercept_[0], made.coef_[0, 0]], abs=1e-3)


def test_a_piece_is_judged_by_the_mean_of_its_cells():
    # One piece of two cells, g 0 and 1, in half of which something was found; one of g 0 in a fifth: b0 = logit .2, and
    # the mean of .2 and expit(b0 + s) is .5, so that expit(b0 + s) = .8.
    pieces = Searched(np.array([[0.0], [1.0], [0.0]]), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]),
                      np.array([0.5, 0.2]), np.array([1.0, 1.0]))  # fmt: skip
    model = fit_surveys(pieces, np.array([True]), np.zeros(1), 1e9)
    assert expit(model.base) == pytest.approx(0.2, abs=1e-3)
    assert expit(model.base + model.strengths[0]) == pytest.approx(0.8, abs=1e-3)


# --- samples, blocks, folds


def test_background_stands_for_all_known_ground():
    evidence = gather([{"geometry": box(E0, N0, E0 + 500, N0 + 500)}], "sha")
    whole, cells = draw_background(evidence, 5_000, 1)  # the grid has 3,600
    every = at(evidence, *[(E0 - 2_950 + 100 * k, N0 - 2_950 + 100 * j) for k in range(60) for j in range(60)])["known"]
    assert len(whole) == cells == every.sum()
    assert (whole["weight"] == 1).all()
    part, about = draw_background(evidence, 1_000, 1)
    assert part["weight"].sum() == pytest.approx(about)
    assert about == pytest.approx(cells, rel=0.15)
    pd.testing.assert_frame_equal(part, draw_background(evidence, 1_000, 1)[0])
    with pytest.raises(TableError, match="nothing is known in any cell"):
        draw_background(gather([], "sha"), 1_000, 1)


def test_blocks_lie_where_the_plane_says_and_not_the_data():
    x = np.array([0.0, 999, 1_000, -1, 250])
    assert len(np.unique(blocks_of(x, np.zeros(5), 1_000))) == 3
    assert blocks_of(x, np.zeros(5), 1_000)[1] == blocks_of(x[:2], np.zeros(2), 1_000)[1]


def test_folds_hold_whole_blocks_and_like_numbers_of_positives():
    random = np.random.default_rng(3)
    block, positive = random.integers(0, 60, 5_000), random.random(5_000) < 0.1
    fold = folds_of(block, positive, how(folds=5), "accidents")
    assert (pd.DataFrame({"b": block, "f": fold}).groupby("b")["f"].nunique() == 1).all()
    count = np.bincount(fold[positive])
    assert count.max() - count.min() <= np.bincount(block[positive]).max()
    assert (fold == folds_of(block, positive, how(folds=5), "accidents")).all()
    assert (fold != folds_of(block, positive, how(folds=5, seed=9), "accidents")).any()


def test_cells_inside_are_each_taken_once():
    twice = layer_of(
        box(E0, N0, E0 + 300, N0 + 200), box(E0 + 200, N0, E0 + 400, N0 + 100), Point(E0 + 990, N0 + 10).buffer(5)
    )
    points = cells_inside(twice, GRID)
    assert len(points) == 6 + 1 + 1
    assert shapely.get_coordinates(points)[-1].tolist() == [E0 + 950, N0 + 50]


# --- labels that teach nothing


def scattered(count=60, seed=1):
    xy = np.random.default_rng(seed).uniform((E0 - 1_900, N0 - 1_900), (E0 + 1_900, N0 + 1_900), (count, 2))
    return accident_table(list(map(tuple, xy)), [None] * count)


def some_evidence(**changed):
    rows = [{"geometry": box(E0, N0, E0 + 500, N0 + 500)}, line_row([(E0 - 2_500, N0), (E0 + 2_500, N0 + 300)])]
    return gather(rows, "line", "sha", "accidents", accidents=scattered(), **changed)


def test_empty_accidents_say_what_to_do():
    with pytest.raises(TableError, match=r"accidents: the table holds no row with a place.*expert mode"):
        cp.fit_surface(some_evidence(), how(), accidents=accident_table([], []))
    gone = accident_table([(E0, N0)], [None]).set_geometry([None], crs=UTM)
    with pytest.raises(TableError, match="no row with a place"):
        cp.evaluate(some_evidence(), gone, hazard_table([{"geometry": Point(E0, N0)}]), how())


def test_all_accidents_at_one_coordinate():
    with pytest.raises(TableError, match=r"all 9 lie at one coordinate.*expert mode"):
        cp.fit_surface(some_evidence(), how(), accidents=accident_table([(E0, N0)] * 9, [None] * 9))


def test_fewer_blocks_than_folds():
    close = accident_table([(E0 + 10, N0 + 10), (E0 + 20, N0 + 20), (E0 + 30, N0 + 10)], [None] * 3)
    with pytest.raises(TableError, match="lie in 1 blocks of 1000 m, fewer than the 3 folds; take fewer folds"):
        cp.fit_surface(some_evidence(), how(), accidents=close)


def test_the_table_must_be_the_one_named():
    with pytest.raises(SettingsError, match="labels are accidents, and no table of them is given"):
        cp.fit_surface(some_evidence(), how(), areas=hazard_table([{"geometry": Point(E0, N0)}]))
    with pytest.raises(CrsError):
        cp.fit_surface(some_evidence(), how(), accidents=scattered().to_crs("EPSG:32639"))
    with pytest.raises(SettingsError, match="exposure names roads, which no term weighs"):
        cp.fit_surface(some_evidence(), how(exposure=["roads"]), accidents=scattered())
    told = {"labels": "surveys", "prevalence": None, "prevalence_spread": None, "prevalence_source": None}
    with pytest.raises(TableError, match="no column found"):
        cp.fit_surface(some_evidence(), how(**told), surveys=scattered())


def test_settings_say_what_labels_cannot():
    with pytest.raises(SettingsError, match="prevalence, prevalence_spread and prevalence_source go together"):
        how(prevalence=None)
    with pytest.raises(SettingsError, match="prevalence is what surveys say"):
        how(labels="surveys")
    with pytest.raises(SettingsError, match="windows needs window_years"):
        how(windows=2)
    with pytest.raises(SettingsError, match="window_years is for accidents"):
        how(labels="hazards", window_years=2)
    for name in ("exposure", "background", "block_m", "folds", "penalties", "bootstrap", "seed"):
        with pytest.raises(SettingsError, match=f"{name}: is missing"):
            check_settings(FitSettings, {k: v for k, v in PLAIN.items() if k != name}, where="x")


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] in ("sklearn", "threadpoolctl"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingsError, match=r"pip install 'clearplan\[fit\]'"):
        cp.fit_surface(some_evidence(), how(), accidents=scattered())


# --- the fit


def test_what_labels_are_made_of_is_never_evidence():
    found = cp.fit_surface(some_evidence(), how(), accidents=scattered())
    told = found.table.set_index("evidence")
    assert told.loc["accidents", ["role", "strength"]].tolist() == ["left out", 3.0]
    assert "the labels are made of it; the strength that was written stands" in told.loc["accidents", "note"]
    assert found.settings.terms[2].source == "test"
    fields = [
        {"geometry": box(E0 + 700 * k, N0 + 600 * k, E0 + 700 * k + 300, N0 + 600 * k + 300)} for k in range(-2, 3)
    ]
    hazards = cp.fit_surface(some_evidence(), how(labels="hazards"), areas=hazard_table(fields))
    assert hazards.table.set_index("evidence").loc["sha", "role"] == "left out"
    assert (
        hazards.table.set_index("evidence").loc["accidents", "role"] != "left out"
        or "lower" in (hazards.table.set_index("evidence").loc["accidents", "note"])
    )
    assert hazards.labels == 45


def test_mean_over_known_ground_is_the_prevalence_and_the_raster_says_so(world, tmp_path):
    plan = fit_settings(world, prevalence=0.06)
    found = cp.fit_surface(world.evidence, plan, accidents=world.accidents)
    assert found.settings.mode == "fitted"
    assert found.settings.base_rate_source.startswith("fitted to 600 accidents in ")
    assert found.settings.base_rate_source.endswith("seed 1; mean over known ground 0.06: simulated")
    grid, places = world.evidence.grid, gpd.GeoDataFrame(geometry=shapely.points([[601_000.0, 4_401_000.0]]), crs=UTM)
    evidence = cp.collect_evidence(
        world.hazards, world.areas, world.accidents.iloc[:0], found.settings, grid=grid, settlements=places
    )
    surface = cp.make_surface(evidence, tmp_path / "s.tif")
    assert surface.expected_m2 / surface.known_m2 == pytest.approx(0.06, rel=0.01)


def test_a_written_strength_drawn_below_0_counts_as_0():
    # Written 0.5 with a spread of 1: below 0 in 30.9 % of the draws; a covariate's may be.
    table = pd.DataFrame({"role": ["left out", "left out"], "strength": [0.5, 0.5], "spread": [1.0, 1.0]})
    rows = pd.DataFrame({"one": [0.5], "two": [0.5], "weight": [1.0], "shift": [0.0]})
    sample = Sample(table=rows, names=("one", "two"), known_cells=1.0, unknown=0, anchor=rows)
    none, land = np.zeros(2, dtype=bool), np.array([False, True])
    roles = Roles(("one", "two"), none, none, np.zeros(2), ~none, land)
    drawn = np.full(2_000, logit(0.1)), np.zeros((2, 2_000))
    base, strengths = _with_written(how(seed=4), sample, table, roles, drawn)
    assert strengths[0].min() == 0
    assert (strengths[0] == 0).mean() == pytest.approx(0.309, abs=0.04)
    assert (strengths[1] < 0).mean() == pytest.approx(0.309, abs=0.04)
    # b0 follows, so that the mean share of the one known cell is the prevalence in every draw.
    assert expit(base + 0.5 * strengths.sum(axis=0)) == pytest.approx(0.1, rel=1e-4)


def test_resamples_are_nearly_those_that_are_fitted_whole(world):
    """One step to the resample's fit against the fit itself, for 30 resamples of the blocks."""
    from clearplan.surface.resamples import resampled_draws

    plan = fit_settings(world, bootstrap=60)
    sample = take_sample(world.evidence, plan, accidents=world.accidents)
    roles = roles_of(world.evidence.settings, plan)
    with one_thread():
        model = fit_rows(sample, roles, plan, 10.0)
        stepped = resampled_draws(sample, roles, plan, 10.0, model)[1][roles.free]
        random = np.random.default_rng(1)
        names, of = np.unique(sample.table["block"].to_numpy(), return_inverse=True)
        whole = []
        for _ in range(30):
            times = random.multinomial(len(names), np.full(len(names), 1 / len(names)))[of]
            rows = np.repeat(np.arange(len(sample.table)), times)
            again = replace(sample, table=sample.table.iloc[rows].reset_index(drop=True))
            whole.append(fit_rows(again, roles, plan, 10.0).strengths[roles.free])
    whole = np.array(whole).T
    assert stepped.std(axis=1) == pytest.approx(whole.std(axis=1), rel=0.5)
    assert (np.abs(stepped.mean(axis=1) - whole.mean(axis=1)) < whole.std(axis=1)).all()


def test_draws_of_a_fit_belong_together(world):
    """Each draw is anchored to its own prevalence, so that the whole ground's interval is that of the prevalence."""
    plan = fit_settings(world, prevalence=0.06, prevalence_spread=0.5, bootstrap=1_000)
    found = cp.fit_surface(world.evidence, plan, accidents=world.accidents)
    grid, places = world.evidence.grid, gpd.GeoDataFrame(geometry=shapely.points([[601_000.0, 4_401_000.0]]), crs=UTM)
    evidence = cp.collect_evidence(
        world.hazards, world.areas, world.accidents.iloc[:0], found.settings, grid=grid, settlements=places
    )
    whole = gpd.GeoDataFrame(geometry=[box(*grid.bounds)], crs=UTM)
    together = cp.expected_area(evidence, whole, draws=found.draws).iloc[0]
    assert together["expected_m2"] / together["known_m2"] == pytest.approx(0.06, rel=0.01)
    for name, z in (("mean_low_m2", -1.645), ("mean_high_m2", 1.645)):
        # 5 and 95 % of 1,000 draws of a normal logit: within 0.2 of its spread.
        reached = (logit(together[name] / together["known_m2"]) - logit(0.06)) / 0.5
        assert reached == pytest.approx(z, abs=0.2)


def test_fit_is_the_same_twice_and_told_in_full(world):
    plan = fit_settings(world, bootstrap=20, penalties=[1.0, 10.0])
    first, second = (cp.fit_surface(world.evidence, plan, accidents=world.accidents) for _ in range(2))
    assert first.settings == second.settings
    assert first.table["role"].tolist() == ["fitted"] * 4 + ["exposure"]
    assert first.penalties["log_likelihood"].notna().all()
    assert first.penalty in (1.0, 10.0)
    assert (first.table["spread"].iloc[:4] > 0).all()
    assert first.table["exposure"].iloc[4] > 1
    assert first.unknown == 0


def test_spread_of_the_prevalence_widens_the_base(world):
    sure = cp.fit_surface(world.evidence, fit_settings(world), accidents=world.accidents)
    unsure = cp.fit_surface(world.evidence, fit_settings(world, prevalence_spread=0.7), accidents=world.accidents)
    assert unsure.settings.base_rate_spread > 2 * sure.settings.base_rate_spread


def test_accidents_of_which_nobody_knows_teach_nothing_and_are_counted():
    evidence = some_evidence()
    far = accident_table([(E0 + 90_000, N0), (E0 + 91_000, N0)], [None, None])
    both = pd.concat([scattered(), far], ignore_index=True)
    sample = take_sample(evidence, how(), accidents=both)
    assert sample.unknown == 2
    assert len(sample.labels) == 60
    assert roles_of(evidence.settings, how()).circular.tolist() == [False, False, True]


def test_surveys_tell_the_base_themselves(world):
    random = np.random.default_rng(0)
    picked = world.cells.iloc[random.choice(len(world.cells), 3_000, replace=False)]
    surveys = gpd.GeoDataFrame(
        {"found": picked["contaminated"].to_numpy()}, geometry=shapely.points(picked[["x", "y"]]), crs=UTM
    )
    told = {"labels": "surveys", "prevalence": None, "prevalence_spread": None, "prevalence_source": None,
            "exposure": []}  # fmt: skip
    found = cp.fit_surface(world.evidence, fit_settings(world, **told), surveys=surveys)
    p = expit(found.model.score(world.cells[list(world.evidence.names)].to_numpy(float)))
    assert p.mean() == pytest.approx(world.cells["contaminated"].mean(), rel=0.1)
    assert scores.recalibrate(world.cells["contaminated"], p)[0] == pytest.approx(1, abs=0.15)


# --- worlds whose truth is known; a hundred of them in benchmarks/evaluation.py


WORLDS = 20 if FULL else 4


def recall_of(found, by="accidents", judged="blocks"):
    own = found.figures[(found.figures["judged"] == judged) & (found.figures["ranked_by"] == by)]
    return own.set_index("rung")["recall_10"]


def test_worlds_are_calibrated_and_all_terms_beat_the_belt():
    slopes, ahead = [], 0
    for seed in range(1_000, 1_000 + WORLDS):  # not the seeds of the benchmark
        world = simulate_world(seed)
        plan = fit_settings(world)
        sample = take_sample(world.evidence, plan, accidents=world.accidents)
        with one_thread():
            model = fit_rows(sample, roles_of(world.evidence.settings, plan), plan, 10.0)
        p = expit(model.score(world.cells[list(world.evidence.names)].to_numpy(float)))
        slopes.append(scores.recalibrate(world.cells["contaminated"], p)[0])
        recall = recall_of(cp.evaluate(world.evidence, world.accidents, world.areas, plan))
        ahead += recall["all terms (fitted)"] > recall["belt only"]
    most = WORLDS - WORLDS // 20
    assert sum(0.9 <= slope <= 1.1 for slope in slopes) >= most
    assert ahead >= most


# --- the ladder


RUNGS = [
    "belt only", "nearest hazard", "nearest past accident", "density of past accidents", "logistic regression",
    "gradient boosting", "all terms (expert)", "all terms (fitted)",
]  # fmt: skip


def test_ladder_has_every_rung_and_says_what_is_missing(world):
    plan = world.evidence.settings.with_strengths(dict.fromkeys(world.strengths, 2.0), base_rate=0.02)
    grid, places = world.evidence.grid, gpd.GeoDataFrame(geometry=shapely.points([[601_000.0, 4_401_000.0]]), crs=UTM)
    evidence = cp.collect_evidence(
        world.hazards, world.areas, world.accidents.iloc[:0], plan, grid=grid, settlements=places
    )
    found = cp.evaluate(evidence, world.accidents, world.areas, fit_settings(world))
    tables = evaluation_tables(found)
    assert list(dict.fromkeys(tables["ladder"]["rung"])) == RUNGS
    assert (found.figures["accidents"] == 600).all()
    assert tables["calibration"].groupby("rung")["observed"].sum().tolist() == [600] * 8
    area = tables["calibration"].groupby("rung")["area_km2"].sum()
    assert area.tolist() == pytest.approx([len(world.cells) * 0.04] * 8)
    sure = tables["ladder"].dropna()
    assert (sure["low"] <= sure["mean"]).all()
    assert "600 accidents on known ground" in found.notes[0]
    unset = cp.evaluate(world.evidence, world.accidents, world.areas.iloc[1:], fit_settings(world))
    assert set(unset.figures["rung"]) == set(RUNGS) - {"belt only", "all terms (expert)"}
    assert any("no rung 'belt only'" in note for note in unset.notes)
    assert any("no rung 'all terms (expert)'" in note for note in unset.notes)


def test_belt_rung_by_hand():
    """The grid's known ground is cut in two by the belt; recall and ROC of a yes-or-no score follow from counts."""
    rows = [line_row([(E0 - 2_900, N0), (E0 + 2_900, N0)])]
    accidents = scattered(90, seed=8)
    areas = hazard_table([{"kind": "contact-line", "geometry": box(E0 - 3_000, N0 - 500, E0 + 3_000, N0 + 500)}])
    evidence = gather(rows, "line")
    found = cp.evaluate(evidence, accidents, areas, how(background=5_000, folds=2))
    belt = found.figures.set_index("rung").loc["belt only"].iloc[0]
    table = take_sample(evidence, how(background=5_000, folds=2), accidents=accidents).table
    inside, own = table["y"].sub(N0).abs() < 500, table["label"].notna()
    hits, roc = [], []
    for fold in (0, 1):
        held = table["fold"] == fold
        share = inside[held & ~own].mean()
        assert share > 0.1
        hits += (inside[held & own] * 0.1 / share).tolist()
        roc.append((1 + inside[held & own].mean() - share) / 2)
    assert belt["recall_10"] == pytest.approx(np.mean(hits))
    counts = [(own & (table["fold"] == fold)).sum() for fold in (0, 1)]
    assert belt["roc_auc"] == pytest.approx(np.average(roc, weights=counts))


def test_nearest_past_accident_by_hand():
    """Of two clusters in blocks of their own the nearer ground to accidents of the other fold ranks higher."""
    evidence = some_evidence()
    found = cp.evaluate(evidence, scattered(), hazard_table([{"geometry": box(E0, N0, E0 + 500, N0 + 500)}]), how())
    sample = take_sample(evidence, how(), accidents=scattered()).table
    own = sample["label"].notna().to_numpy()
    xy = sample[["x", "y"]].to_numpy()
    hits = []
    for fold in range(3):
        held = (sample["fold"] == fold).to_numpy()
        past = shapely.multipoints(xy[own & ~held])
        away = shapely.distance(shapely.points(xy), past)
        ground = np.sort(away[held & ~own])
        hits += (away[held & own] <= ground[int(np.ceil(0.2 * len(ground))) - 1]).tolist()
    recall = found.figures.set_index("rung").loc["nearest past accident", "recall_20"].iloc[0]
    assert recall == pytest.approx(np.mean(hits), abs=0.02)


def test_learning_from_hazards_is_judged_by_accidents(world):
    plan = fit_settings(world, labels="hazards")
    found = cp.evaluate(world.evidence, world.accidents, world.areas, plan)
    assert (found.figures["accidents"] == 600).all()
    assert found.figures["roc_auc"].notna().all()


def test_nothing_to_rank_is_an_error():
    everywhere = [{"geometry": box(E0 - 90_000, N0 - 90_000, E0 + 90_000, N0 + 90_000)}]
    evidence = gather(everywhere, "sha")
    with pytest.raises(TableError, match="there is nothing to rank"):
        cp.evaluate(evidence, scattered(90), hazard_table(everywhere), how())


def test_share_outside_by_hand():
    areas = hazard_table(
        [
            {"kind": "contact-line", "land_class": "indication", "geometry": box(E0, N0, E0 + 100, N0 + 100)},
            {"geometry": box(E0 + 100, N0, E0 + 200, N0 + 100)},
            {"geometry": box(E0 + 500, N0, E0 + 600, N0 + 100), "status": "closed"},
        ]
    )
    points = [(E0 + 50, N0 + 50), (E0 + 150, N0 + 50), (E0 + 550, N0 + 50), (E0 + 900, N0), (E0 + 100, N0 + 50)]
    table = share_outside(accident_table(points, [None] * 5), areas).set_index("what")
    assert table["outside"].tolist() == [2, 3, 3]  # the last lies on the border of both
    assert table["share"].tolist() == pytest.approx([0.4, 0.6, 0.6])
    assert share_outside(accident_table([], []), areas)["share"].isna().all()
    with pytest.raises(CrsError):
        share_outside(accident_table(points, [None] * 5).to_crs("EPSG:32639"), areas)


def test_the_published_share_of_the_sample(sample):
    study, _ = sample
    # As reported: of the belt some has been released since.
    table = share_outside(study.accidents, cp.footprints(study.hazards, study.project.footprints)).set_index("what")
    # 252 of 350, the published 72 %, were put outside the belt by make_illustrative.py.
    assert table.loc["the belt of the contact line", ["accidents", "outside"]].tolist() == [350, 252]


def test_inputs_stay_as_they_are(world):
    accidents, areas = world.accidents.copy(deep=True), world.areas.copy(deep=True)
    cp.evaluate(world.evidence, world.accidents, world.areas, fit_settings(world))
    pd.testing.assert_frame_equal(world.accidents, accidents)
    pd.testing.assert_frame_equal(world.areas, areas)


def test_worlds_lie_beside_their_benchmark():
    assert Path(sys.modules["worlds"].__file__).parent == ROOT / "benchmarks"
