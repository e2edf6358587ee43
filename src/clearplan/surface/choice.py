"""Shape, half-life and penalty of a fit, chosen by what predicts held-out blocks, and held-out years, best."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import SettingsError
from clearplan.settings.surface import FitSettings, SurfaceSettings, SurfaceTerm
from clearplan.surface.learning import best_of, held_out, roles_of
from clearplan.surface.probability import evidence_at
from clearplan.surface.samples import KnownBy, Sample

Array = NDArray[Any]

#: Background cells that stand for all while choices are compared; the fit itself takes all that were asked for.
_COMPARED = 20_000
#: A choice must predict so much better than the first one named, per label, to be taken [nats].
_BETTER = 1e-4


@dataclass(frozen=True)
class Chosen:
    """Settings with one shape and half-life a term, the sample with their evidence, and what was compared.

    ``penalties``: penalty, log_likelihood. ``table``: evidence, shape, half_life_years, log_likelihood, chosen.
    """

    settings: SurfaceSettings
    sample: Sample
    penalties: pd.DataFrame
    table: pd.DataFrame


#: Columns of the model in all rows of a sample, and in its anchor, under each choice of each term.
Alternatives = dict[SurfaceTerm, tuple[pd.DataFrame, pd.DataFrame]]


def alternatives(
    sample: Sample, plan: SurfaceSettings, known_by: KnownBy | None, day: pd.Timestamp | None
) -> Alternatives:
    """Evidence of a sample under every choice that is open but the first of each term, which the sample holds.

    Raises
    ------
    SettingsError
        There is something to choose, and nothing says what was known by a day.
    """
    found: Alternatives = {}
    for term in plan.terms:
        for choice in term.choices[1:]:
            if known_by is None:
                raise SettingsError("surface.terms: shapes or half-lives are open; choosing them needs known_by")
            found[choice] = _columns_under(sample, plan, choice, known_by, day)
    return found


def choose(settings: FitSettings, sample: Sample, used: Array, plan: SurfaceSettings, others: Alternatives) -> Chosen:
    """Choose term by term, from the first choices of all: each takes what predicts best while the others stand.

    Only the rows ``used`` are looked at; the sample that comes back has all of its rows.
    """
    kept = _compared_rows(sample, used, settings.seed)
    current, compared = plan.decided, _rows_of(sample, kept)
    rows: list[tuple[str, str, str, float]] = []
    open_terms = [term for term in plan.terms if len(term.choices) > 1]
    reached = _predicted(compared, current, settings) if open_terms else 0.0
    for term in open_terms:
        tried = {choice: _rows_of(with_choice(sample, others[choice]), kept) for choice in term.choices[1:]}
        found = {term.choices[0]: reached}
        for choice, one in tried.items():
            found[choice] = _predicted(_keeping(one, compared, choice), current, settings)
        rows += [(term.evidence, str(c.shape), str(c.half_life_years), value) for c, value in found.items()]
        best = max(tried, key=lambda choice: found[choice])
        if found[best] > reached + _BETTER:
            current, reached = _put(current, best), found[best]
            compared = _keeping(tried[best], compared, best)
    sample = with_choices(sample, plan, current, others)
    penalties = pd.DataFrame({"penalty": list(settings.penalties), "log_likelihood": 0.0})
    if len(settings.penalties) > 1:
        penalties = held_out(compared, roles_of(current, settings), settings, settings.penalties)
    table = pd.DataFrame(rows, columns=["evidence", "shape", "half_life_years", "log_likelihood"])
    taken = {(t.evidence, str(t.shape), str(t.half_life_years)) for t in current.terms}
    keys = zip(table["evidence"], table["shape"], table["half_life_years"], strict=True)
    return Chosen(current, sample, penalties, table.assign(chosen=[key in taken for key in keys]))


def _predicted(sample: Sample, plan: SurfaceSettings, settings: FitSettings) -> float:
    """Log likelihood per held-out label, at the middle of the penalties."""
    middle = sorted(settings.penalties)[len(settings.penalties) // 2]
    return float(held_out(sample, roles_of(plan, settings), settings, [middle])["log_likelihood"].iloc[0])


def best_penalty(sample: Sample, used: Array, settings: FitSettings, plan: SurfaceSettings) -> float:
    """The C that predicts held-out folds of some rows of a sample best."""
    if len(settings.penalties) == 1:
        return settings.penalties[0]
    compared = _rows_of(sample, _compared_rows(sample, used, settings.seed))
    return best_of(held_out(compared, roles_of(plan, settings), settings, settings.penalties))


def _keeping(one: Sample, current: Sample, choice: SurfaceTerm) -> Sample:
    """The current sample with the columns that another has under a choice."""
    names = list(choice.columns)
    table, anchor = current.table.copy(), current.anchor.copy()
    table[names], anchor[names] = one.table[names].to_numpy(), one.anchor[names].to_numpy()
    return replace(current, table=table, anchor=anchor)


def _put(plan: SurfaceSettings, choice: SurfaceTerm) -> SurfaceSettings:
    terms = tuple(choice if term.evidence == choice.evidence else term for term in plan.terms)
    return plan.model_copy(update={"terms": terms})


def with_choices(sample: Sample, plan: SurfaceSettings, chosen: SurfaceSettings, others: Alternatives) -> Sample:
    """A sample with the columns of all terms that are not the first choice."""
    for first, term in zip(plan.decided.terms, chosen.terms, strict=True):
        if term != first:
            sample = with_choice(sample, others[term])
    return sample


def with_choice(sample: Sample, columns: tuple[pd.DataFrame, pd.DataFrame]) -> Sample:
    """A sample in which one term has another shape or half-life, in every window and in the anchor."""
    own, at = ({str(name): table[name].to_numpy() for name in table} for table in columns)
    return replace(sample, table=sample.table.assign(**own), anchor=sample.anchor.assign(**at))


def _columns_under(
    sample: Sample, plan: SurfaceSettings, choice: SurfaceTerm, known_by: KnownBy, day: pd.Timestamp | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Columns of one term under a choice, in all rows of a sample and in its anchor."""
    alone = plan.model_copy(update={"terms": (choice,), "covariates": ()})
    names, window = list(choice.columns), sample.table["window"].to_numpy()
    places = sample.table[["x", "y"]].to_numpy()
    values = np.zeros((len(places), len(names)), dtype="float32")
    for k, known in enumerate(sample.days):
        own = window == k
        found = evidence_at(known_by(alone, known if known is not None else day), places[own])
        values[own] = found[names].to_numpy()
    at = evidence_at(known_by(alone, day), sample.anchor[["x", "y"]].to_numpy())
    return pd.DataFrame(values, columns=names), at[names]


def _compared_rows(sample: Sample, used: Array, seed: int) -> tuple[Array, Array]:
    """Positions of the rows that stand for those used while choices are compared, and of the anchor's."""
    label, window = sample.table["label"].isna().to_numpy(), sample.table["window"].to_numpy()
    parts = [np.flatnonzero(used & ~label)]
    parts += [_picked(np.flatnonzero(used & label & (window == k)), seed) for k in np.unique(window[used])]
    return np.concatenate(parts), _picked(np.arange(len(sample.anchor)), seed)


def _picked(rows: Array, seed: int) -> Array:
    if len(rows) <= _COMPARED:
        return rows
    return np.sort(np.random.default_rng([seed, 6]).choice(rows, _COMPARED, replace=False))


def _rows_of(sample: Sample, kept: tuple[Array, Array]) -> Sample:
    return replace(
        sample,
        table=sample.table.iloc[kept[0]].reset_index(drop=True),
        anchor=sample.anchor.iloc[kept[1]].reset_index(drop=True),
    )
