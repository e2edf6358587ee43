"""How well the surface predicts accidents that it has not seen, against simpler ways.

Three ways to judge: *blocks* of ground held out whole; *forward* in time, evidence known by a day against accidents
after it; and *both*, accidents after the day in blocks that nothing was learned from. The ladder of ways to rank is in
:mod:`clearplan.surface.ladder`. Accidents are no evidence for themselves: where no window of time keeps them apart, the
term ``accidents`` is left out, and the table says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from clearplan.core.checks import Day, parse_date
from clearplan.core.crs import require_metres
from clearplan.core.errors import SettingsError, TableError
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.surface import ladder
from clearplan.surface.choice import Alternatives, alternatives, choose
from clearplan.surface.evidence import Evidence
from clearplan.surface.ladder import Judged, Scores
from clearplan.surface.learning import roles_of
from clearplan.surface.likelihood import one_thread
from clearplan.surface.resamples import block_spread, resampled_draws
from clearplan.surface.samples import KnownBy, Sample, blocks_of, dated_rows, folds_of, take_sample, within
from clearplan.surface.scores import figures_of_cells, in_top, mean_with_error, recalibrated_rate
from clearplan.tables.check import placed, remaining

Array = NDArray[Any]

TOPS = (0.01, 0.05, 0.10, 0.20)
#: Figures of each rung, and what they are.
FIGURES = {
    "recall_1": "Accidents in the top 1 % of the known ground [1]; those on ground of which nobody knows are missed",
    "recall_5": "Accidents in the top 5 % of the known ground [1]",
    "recall_10": "Accidents in the top 10 % of the known ground [1]",
    "recall_20": "Accidents in the top 20 % of the known ground [1]",
    "roc_auc": "ROC-AUC: chance that a cell with an accident scores above a known cell without one [1]",
    "average_precision": "Average precision: mean precision at which cells with accidents are found [1]; cells "
    "without one are not known to be clear of hazard, so it is a lower bound",
    "slope": "Slope of the recalibration of expected accidents; 1 is right, below 1 too sure of itself [1]",
    "coverage": "Share of blocks whose accidents lie in the 90 % interval of what was expected of them [1]; of blocks "
    "in which one or more were expected",
}
RANKED_BY = ("share", "accidents")
_LEAST_EXPECTED = 1.0  # accidents in a block, for its interval to be judged


@dataclass(frozen=True)
class Evaluation:
    """Figures of each rung, calibration, and how many accidents every known polygon misses.

    ``figures``: judged (blocks, forward, both), rung, ranked_by (share of contaminated ground, or accidents to expect),
    accidents, without (terms left out for the labels' sake), a column for each of ``FIGURES`` and its standard error
    (``..._se``) where it has one. ``calibration``: judged, rung, bin (from the lowest expectation), expected and
    observed accidents, area_km2, both per 100 km2. ``outside``: what, accidents, outside, share. ``notes``: what a
    reader must know.
    """

    figures: pd.DataFrame
    calibration: pd.DataFrame
    outside: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Way:
    """One way to judge: its name, its cases (folds, or one), accidents on ground of which nobody knows, a note."""

    name: str
    cases: tuple[Judged, ...]
    unknown: int
    note: str


def evaluate(  # noqa: PLR0913 - one keyword for each way to judge
    evidence: Evidence,
    accidents: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    settings: FitSettings,
    *,
    surveys: gpd.GeoDataFrame | None = None,
    until: Day | None = None,
    as_at: Day | None = None,
    known_by: KnownBy | None = None,
    choose_from: SurfaceSettings | None = None,
) -> Evaluation:
    """Ask each rung of the ladder where accidents fell that it had not seen.

    Parameters
    ----------
    evidence : Evidence
        From :func:`collect_evidence`, of the study's day.
    accidents : GeoDataFrame
        ACCIDENTS; what every rung is held against, whatever strengths are learned from.
    areas : GeoDataFrame
        AREAS: the belt (``kind`` contact-line) of *belt only*, the hazards of *nearest hazard*, every known polygon of
        ``outside``, and the labels where they are hazards.
    settings : FitSettings
        Labels, windows, blocks, folds, seed.
    surveys : GeoDataFrame, optional
        Searched ground with ``found``, where it is the labels.
    until : date or ISO text, optional
        Evidence of this day is held against the accidents after it; needs ``known_by``. Without it blocks alone are
        held out.
    as_at : date or ISO text, optional
        The study's day, needed for ``settings.window_years``.
    known_by : function, optional
        Evidence by settings and day, as it was known then.
    choose_from : SurfaceSettings, optional
        Settings that leave shapes or half-lives open; each rung chooses from the rows that it may learn from.

    Returns
    -------
    Evaluation

    Notes
    -----
    Calibration speaks of accidents, not of contamination, which nobody sees. The best C, shapes and half-lives are
    chosen afresh in each case, from the rows that may be learned from.

    Raises
    ------
    TableError
        No accident to judge by, or the evidence is the same everywhere, so that there is nothing to rank; and as in
        :func:`fit_surface`.
    SettingsError
        As in :func:`fit_surface`; ``until`` without ``known_by``.
    """
    require_metres(accidents, areas)
    plan = choose_from or evidence.settings
    given = _Given(evidence, accidents, areas, settings, surveys, known_by, plan)
    ways = [_in_blocks(given, _day(as_at))]
    if until is not None:
        ways += _forward(given, _day(until))
    notes = [way.note for way in ways]
    rungs, missing = _rungs(areas, plan, settings)
    rows: list[dict[str, Any]] = []
    curves = []
    for way in ways:
        for name, score in rungs.items():
            with one_thread():
                judged = [_scored(case, score(case)) for case in way.cases]
            without = _left_out(way.cases[0]) if name in _ON_EVIDENCE else ""
            rows += _figures(way, name, judged, without)
            curves.append(_curve(pd.concat(judged), evidence.grid.cell_m**2 / 1e6).assign(judged=way.name, rung=name))
    return Evaluation(
        pd.DataFrame(rows), pd.concat(curves, ignore_index=True), share_outside(accidents, areas), (*notes, *missing)
    )


@dataclass(frozen=True)
class _Given:
    evidence: Evidence
    accidents: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    settings: FitSettings
    surveys: gpd.GeoDataFrame | None
    known_by: KnownBy | None
    plan: SurfaceSettings

    @property
    def as_accidents(self) -> FitSettings:
        """The settings with accidents as labels, which every rung is judged by."""
        if self.settings.labels == "accidents":
            return self.settings
        return self.settings.model_copy(update={"labels": "accidents"})


def _day(value: Day | None) -> pd.Timestamp | None:
    return None if value is None else pd.Timestamp(parse_date(value, None))


#: Rungs that weigh the evidence of the surface, by their function.
_ON_EVIDENCE = ("logistic regression", "gradient boosting", "all terms (expert)", "all terms (fitted)")


def _rungs(
    areas: gpd.GeoDataFrame, plan: SurfaceSettings, settings: FitSettings
) -> tuple[dict[str, Callable[[Judged], Scores]], list[str]]:
    """The rungs that there are, from the simplest, and why others are missing."""
    left, missing = remaining(areas), []
    rungs: dict[str, Callable[[Judged], Scores]] = {}
    if (left["kind"] == "contact-line").any():
        rungs["belt only"] = ladder.belt_only
    else:
        missing.append("No contact line with a belt: no rung 'belt only'.")
    if len(left):
        rungs["nearest hazard"] = ladder.nearest_hazard
    else:
        missing.append("No hazard with a border: no rung 'nearest hazard'.")
    rungs |= {"nearest past accident": ladder.nearest_event, "density of past accidents": ladder.event_density}
    rungs |= {"logistic regression": ladder.logistic_regression, "gradient boosting": ladder.gradient_boosting}
    if ladder.written_model(plan.decided, roles_of(plan.decided, settings)) is not None:
        rungs["all terms (expert)"] = ladder.ours_expert
    else:
        missing.append("Strengths are not all written: no rung 'all terms (expert)'.")
    return rungs | {"all terms (fitted)": ladder.ours_fitted}, missing


def _in_blocks(given: _Given, as_at: pd.Timestamp | None) -> _Way:
    """Blocks held out in turn: each is predicted from the others."""
    settings = given.as_accidents
    sample = take_sample(given.evidence, settings, accidents=given.accidents, known_by=given.known_by, as_at=as_at)
    sample, lessons = _with_lessons(given, sample)
    day = sample.days[0]
    others = alternatives(sample, given.plan, given.known_by, as_at)
    cases = []
    for k in range(settings.folds):
        table = sample.table
        held = (table["fold"] == k).to_numpy()
        elsewhere = table.loc[~held & table["label"].notna().to_numpy(), ["x", "y"]]
        past = gpd.GeoDataFrame(geometry=shapely.points(elsewhere.to_numpy()), crs=given.areas.crs)
        if day is not None:
            past = _dated_until(given.accidents, day)
        case = _case(given, sample, ~held, held & (table["window"] == 0).to_numpy(), past, others)
        cases.append(_taught_by(case, given, lessons, k))
    return _Way("blocks", tuple(cases), sample.unknown, _said_of(sample, settings))


def _forward(given: _Given, until: pd.Timestamp | None, *, both: bool = True) -> list[_Way]:
    """Accidents after a day, from what was known by it; everywhere, and in blocks that nothing was learned from."""
    settings = given.as_accidents
    if given.known_by is None or until is None:
        raise SettingsError("evaluate: until needs known_by, which says what was known by a day")
    then = given.known_by(given.evidence.settings, until)
    later = within(given.accidents, until, pd.Timestamp.max)
    if not len(later):
        raise TableError(f"accidents: none is dated after {until:%Y-%m-%d}; take an earlier day for until")
    past = _dated_until(given.accidents, until)
    sample = take_sample(then, settings, accidents=past, known_by=given.known_by, as_at=until)
    judged, unknown = dated_rows(then, later, settings)
    last = int(sample.table["window"].max()) + 1
    whole = pd.concat([sample.table, judged.assign(window=last, piece=-1)], ignore_index=True)
    whole["block"] = blocks_of(whole["x"].to_numpy(), whole["y"].to_numpy(), settings.block_m)
    whole["fold"] = folds_of(whole["block"].to_numpy(), (whole["label"] == 1).to_numpy(), settings, "accidents")
    joined = replace(sample, table=whole, days=(*sample.days, until))
    window, fold = whole["window"].to_numpy(), whole["fold"].to_numpy()
    areas = replace(given, areas=_recorded_until(given.areas, until))
    others = alternatives(joined, given.plan, given.known_by, until)
    every = _case(areas, joined, window < last, window == last, past, others)
    note = (
        f"{len(later):,} accidents after {until:%Y-%m-%d} are predicted from what was known on that day; {unknown:,} "
        "of them fell on ground of which nobody knew and count as missed."
    )
    forward = _Way("forward", (every,), unknown, note)
    if not both:
        return [forward]
    held = [
        _case(areas, joined, (window < last) & (fold != k), (window == last) & (fold == k), past, others)
        for k in range(settings.folds)
    ]
    return [forward, _Way("both", tuple(held), unknown, "Both: the same in blocks that nothing was learned from.")]


def _dated_until(accidents: gpd.GeoDataFrame, day: pd.Timestamp) -> gpd.GeoDataFrame:
    found: gpd.GeoDataFrame = accidents[~(pd.to_datetime(accidents["occurred_on"]) > day).to_numpy()]
    return found


def _recorded_until(areas: gpd.GeoDataFrame, day: pd.Timestamp) -> gpd.GeoDataFrame:
    if "recorded_on" not in areas.columns:
        return areas
    found: gpd.GeoDataFrame = areas[~(pd.to_datetime(areas["recorded_on"]) > day).to_numpy()]
    return found


def _case(
    given: _Given,
    sample: Sample,
    taught: Array,
    judged: Array,
    past: gpd.GeoDataFrame,
    others: Alternatives,
) -> Judged:
    """A case, with the shapes and half-lives that its taught rows choose."""
    settings = given.as_accidents
    with one_thread():
        chosen = choose(settings, sample, taught, given.plan, others)
    plan, sample = chosen.settings, chosen.sample
    rows = sample.table[judged].reset_index(drop=True)
    if not (rows[list(plan.strengths)].nunique() > 1).any():
        raise TableError("surface: the evidence is the same in every cell that is judged; there is nothing to rank")
    return Judged(sample, taught, rows, past, given.areas, plan, settings, sample, taught, settings)


def _with_lessons(given: _Given, sample: Sample) -> tuple[Sample, Sample | None]:
    """The sample of accidents, and that of the labels where they are others, their blocks dealt to folds alike."""
    if given.settings.labels == "accidents":
        return sample, None
    lessons = take_sample(given.evidence, given.settings, areas=given.areas, surveys=given.surveys)
    both = pd.concat([sample.table.assign(own=1), lessons.table.assign(own=0)], ignore_index=True)
    positive = (both["own"] == 1) & (both["label"] == 1)
    both["fold"] = folds_of(both["block"].to_numpy(), positive.to_numpy(), given.settings, "accidents")
    parts = [both[both["own"] == own].drop(columns="own").reset_index(drop=True) for own in (1, 0)]
    return replace(sample, table=parts[0]), replace(lessons, table=parts[1])


def _taught_by(case: Judged, given: _Given, lessons: Sample | None, fold: int) -> Judged:
    if lessons is None:
        return case
    used = (lessons.table["fold"] != fold).to_numpy()
    return replace(case, lessons=lessons, used=used, learned_from=given.settings)


def _said_of(sample: Sample, settings: FitSettings) -> str:
    judged = sample.labels[sample.labels["window"] == 0]
    words = (
        f"{len(judged):,} accidents on known ground in {judged['block'].nunique():,} blocks of {settings.block_m:g} m, "
        f"{settings.folds} folds; {sample.unknown:,} on ground of which nobody knows count as missed; "
        f"{len(sample.background):,} background cells, seed {settings.seed}."
    )
    day = sample.days[0]
    return words if day is None else f"{words} They are of the years after {day:%Y-%m-%d}, evidence is of that day."


def _left_out(case: Judged) -> str:
    """Terms that are left out for the labels' sake."""
    roles = roles_of(case.plan, case.settings)
    kinds = case.plan.kinds
    return ", ".join(dict.fromkeys(kinds[n] for n, out in zip(roles.names, roles.circular, strict=True) if out))


def _scored(case: Judged, scores: Scores) -> pd.DataFrame:
    """Judged rows with both scores, the latter as expected accidents, and whether a row repeats another's cell."""
    rows = case.judged
    own, weight = rows["label"].notna().to_numpy(), rows["weight"].to_numpy(float)
    rate = np.exp(scores[1] - scores[1].max())
    total = float((rate * weight)[~own].sum())
    expected = rate * own.sum() / max(total, 1e-300)
    return rows[["x", "y", "label", "weight", "block", "fold"]].assign(
        share=scores[0], accidents=scores[1], expected=expected
    )


def _figures(way: _Way, rung: str, judged: list[pd.DataFrame], without: str) -> Iterator[dict[str, Any]]:
    """A row for the ranking by share and one for that by accidents, the cases of a way together."""
    slope = _slope(judged)
    coverage = _coverage(way, judged) if rung == "all terms (fitted)" else (np.nan, np.nan)
    for by in RANKED_BY:
        row: dict[str, Any] = {"judged": way.name, "rung": rung, "ranked_by": by, "without": without}
        row["accidents"] = sum(int(rows["label"].notna().sum()) for rows in judged)
        known = row["accidents"] / max(row["accidents"] + way.unknown, 1)
        for top in TOPS:
            hits = [_hits(rows, by, top) for rows in judged]
            mean, error = mean_with_error(np.concatenate(hits), np.concatenate([_own_blocks(rows) for rows in judged]))
            name = f"recall_{round(top * 100)}"
            row |= {name: mean * known, f"{name}_se": error * known}
        cells = [_cell_figures(rows, by) for rows in judged]
        counts = [float(rows["label"].notna().sum()) for rows in judged]
        for name in ("roc_auc", "average_precision"):
            row[name] = float(np.average([found[name] for found in cells], weights=counts))
        row |= {"slope": slope[0], "slope_se": slope[1], "coverage": coverage[0], "coverage_se": coverage[1]}
        yield row


def _hits(rows: pd.DataFrame, by: str, top: float) -> Array:
    own = rows["label"].notna().to_numpy()
    score, weight = rows[by].to_numpy(float), rows["weight"].to_numpy(float)
    return in_top(score[own], score[~own], weight[~own], top)


def _own_blocks(rows: pd.DataFrame) -> Array:
    return rows.loc[rows["label"].notna(), "block"].to_numpy()


def _cell_figures(rows: pd.DataFrame, by: str) -> dict[str, float]:
    own = rows["label"].notna().to_numpy()
    return figures_of_cells(own.astype(int), rows[by].to_numpy(float), rows["weight"].to_numpy(float))


def _slope(judged: list[pd.DataFrame]) -> tuple[float, float]:
    rows = pd.concat(judged, ignore_index=True)
    own, rate = rows["label"].notna().to_numpy(), np.log(np.maximum(rows["expected"].to_numpy(float), 1e-300))
    block, weight = rows["block"].to_numpy(), rows["weight"].to_numpy(float)
    return recalibrated_rate(rate[own], rate[~own], weight[~own], block[own], block[~own])


def _coverage(way: _Way, judged: list[pd.DataFrame]) -> tuple[float, float]:
    """Share of the judged blocks whose accidents lie within the 90 % interval of what was expected of them."""
    inside, blocks = [], []
    for case, rows in zip(way.cases, judged, strict=True):
        if case.lessons is not case.sample:
            return np.nan, np.nan
        within_interval, names = _blocks_within(case, rows)
        inside.append(within_interval)
        blocks.append(names)
    return mean_with_error(np.concatenate(inside), np.concatenate(blocks))


def _blocks_within(case: Judged, rows: pd.DataFrame) -> tuple[Array, Array]:
    roles, settings = roles_of(case.plan, case.settings), case.settings
    part = replace(case.sample, table=case.rows.reset_index(drop=True))
    with one_thread():
        model, penalty = case.fitted
        strengths = resampled_draws(part, roles, settings, penalty, model)[1]
        between = block_spread(part, roles, settings, penalty)
    own = rows["label"].notna().to_numpy()
    names, block = np.unique(rows["block"].to_numpy(), return_inverse=True)
    g = case.judged.loc[~own, list(roles.names)].to_numpy(float)
    random = np.random.default_rng([settings.seed, 8])
    seen = np.bincount(block[own], minlength=len(names))
    base = rows.loc[~own, "expected"].to_numpy() * rows.loc[~own, "weight"].to_numpy()
    drawn = np.empty((strengths.shape[1], len(names)))
    for k in range(strengths.shape[1]):
        # To first order: a draw of strengths moves the logarithm of the rate by what it adds where p is small.
        moved = base * np.exp(np.clip(g @ (strengths[:, k] - model.strengths), -20, 20))
        mean = np.bincount(block[~own], weights=moved * own.sum() / moved.sum(), minlength=len(names))
        factor = np.exp(between * random.standard_normal(len(names)) - between**2 / 2)
        drawn[k] = random.poisson(mean * factor)
    low, high = np.quantile(drawn, (0.05, 0.95), axis=0)
    asked = drawn.mean(axis=0) >= _LEAST_EXPECTED
    return ((seen >= low) & (seen <= high))[asked].astype(float), names[asked]


def _curve(held: pd.DataFrame, cell_km2: float) -> pd.DataFrame:
    """Expected and observed accidents in ten parts of the ground of equal area, all cases together."""
    own = held["label"].notna().to_numpy()
    ground = held.loc[~own, ["expected", "weight"]].sort_values("expected", kind="stable").to_numpy()
    part = np.minimum((np.cumsum(ground[:, 1]) - ground[:, 1] / 2) * 10 / ground[:, 1].sum(), 9.999).astype(int)
    last = np.searchsorted(part, np.arange(9), side="right") - 1
    edges = ground[np.maximum(last, 0), 0]
    # Equal expectations stay in one part, and accidents go where the ground of their expectation is.
    where, at = (np.searchsorted(edges, v) for v in (ground[:, 0], held.loc[own, "expected"].to_numpy()))
    cells, said = (np.bincount(where, weights=v, minlength=10) for v in (ground[:, 1], ground.prod(axis=1)))
    seen, area = np.bincount(at, minlength=10), cells * cell_km2
    table = pd.DataFrame({"bin": np.arange(1, 11), "expected": said, "observed": seen, "area_km2": area})[cells > 0]
    for name in ("expected", "observed"):
        table[f"{name}_per_100_km2"] = table[name] / table["area_km2"] * 100
    return table


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
    """Tables for a report: ladder (90 % interval of each figure), calibration, outside, figures.

    ``ladder`` has a row per way to judge, rung, ranking and figure: judged, rung, ranked_by, without, figure, mean, se,
    low, high.
    """
    rows = []
    for row in found.figures.to_dict("records"):
        for name in FIGURES:
            mean, error = float(row[name]), float(row.get(f"{name}_se", np.nan))
            key = {key: row[key] for key in ("judged", "rung", "ranked_by", "without")}
            rows.append(key | {"figure": name, "mean": mean, "se": error, "low": mean - 1.645 * error,
                               "high": mean + 1.645 * error})  # fmt: skip
    return {
        "ladder": pd.DataFrame(rows),
        "calibration": found.calibration,
        "outside": found.outside,
        "figures": pd.DataFrame({"figure": list(FIGURES), "meaning": list(FIGURES.values())}),
    }
