"""What a state would file of a study: its treaty clock, what remains, what was released, and what is planned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from .balance import bridges
from .files import read_raw
from .filing import (
    DECLARED,
    book_years,
    milestones,
    plan_vs_achieved,
    planned_release,
    released_table,
    remaining_table,
)
from .inputs import Inputs
from .maps import Context
from .planning import Planned
from .settings import Plan
from .tables import allowed_codes
from .treaty import Clock, about, clock, counted_ground, km2_words, obligations, release_rates

#: Calendar years of the books, the last one included: each takes an overlay of all ground, and a forecast from what was
#: done longer ago than the ten years of either convention says little.
YEARS = 10


_EVERYWHERE = (
    "All ground of the study is in the clock and the tables, in every district of its map and beyond. A convention is "
    "about ground under a state's jurisdiction or control: whoever files leaves out what is not."
)


@dataclass(frozen=True)
class Dossier:
    """The treaty clock of a study and its tables, as :mod:`clearplan.treaty` and :mod:`clearplan.filing` tell them.

    ``clock``: with the ground that counts and the rates; ``milestones`` and ``planned``: None without a plan of work;
    ``achieved``: None without a plan in force; ``notes``: what a reader must know beside the clock's sentences.
    """

    clock: Clock
    obligations: pd.DataFrame
    remaining: pd.DataFrame
    released: pd.DataFrame
    milestones: pd.DataFrame | None
    planned: pd.DataFrame | None
    achieved: pd.DataFrame | None
    currency: str
    notes: tuple[str, ...]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables to file that there are, by name."""
        names = ("remaining", "released", "milestones", "planned", "achieved")
        return {name: table for name in names if (table := getattr(self, name)) is not None}


def make_dossier(
    plan: Plan,
    known: Inputs,
    drawn: gpd.GeoDataFrame,
    areas: gpd.GeoDataFrame,
    tasks: pd.DataFrame,
    context: Context,
    *,
    planned: Planned | None = None,
    previous: pd.DataFrame | None = None,
) -> Dossier:
    """The dossier of a study as at its day.

    Parameters
    ----------
    plan : Plan
        With [planning.treaty].
    known : Inputs
        As at the day.
    drawn, areas : GeoDataFrame
        AREAS in a metric CRS as reported, and less what is released of them on the day.
    tasks : DataFrame
        TASKS of the day.
    context : Context
        Its districts.
    planned : Planned, optional
        The plan of work.
    previous : DataFrame, optional
        WORK of the plan in force; its tasks.csv is read from beside it.
    Raises
    ------
    SettingsError, TableError
        As in :func:`clearplan.treaty.clock` and :func:`clearplan.filing.plan_vs_achieved`.
    """
    asked, day = plan.planning, plan.study.as_at
    assert asked is not None
    assert asked.treaty is not None
    treaty = asked.treaty
    layers: dict[str, Any] = {"districts": context.districts, "district_name": context.district_name}
    years = book_years(known.releases, day)
    told = dict(list(years.items())[-YEARS:])
    days = [next(iter(told.values()))[0], *(closing for _, closing in told.values())]
    books = dict(zip(told, bridges(drawn, known.releases, days=days, history=known.history, **layers), strict=True))
    decided = pd.to_datetime(known.releases["decided_on"])
    early = decided <= pd.Timestamp(days[0])
    remaining = remaining_table(books[max(books)], areas, **layers)
    ground, rates = counted_ground(areas, treaty.convention), release_rates(treaty, books, day)
    ticking = clock(treaty, ground, rates, day)
    work = None if planned is None else planned.plan.work
    meant = None if work is None else planned_release(work, tasks, asked)
    notes = [_EVERYWHERE, *_sums_less(ticking, remaining), *_rather_low(ticking), *_meant_words(meant)]
    if early.any():
        notes.append(
            f"What was released is told for the last {len(told)} calendar years; {int(early.sum()):,} earlier "
            "decisions stand in the ledger alone, and no rate counts them."
        )
    achieved, lacking = None, "No plan in force is named (planning.previous), so it is not told what came of one."
    if previous is not None and asked.previous is not None:
        file = asked.previous.with_name("tasks.csv")
        lacking = f"{file.name} does not lie beside {asked.previous.name}, so it is not told what came of that plan."
        if file.exists():
            achieved = plan_vs_achieved(previous, read_raw(file).frame, books, asked, as_at=day)
    return Dossier(
        clock=ticking,
        obligations=obligations(treaty.convention),
        remaining=remaining,
        released=released_table(
            books, known.releases[~early], as_at=day, devices=allowed_codes("device", plan.code_lists), **layers
        ),
        milestones=None if work is None else milestones(work, known.teams, asked),
        planned=meant,
        achieved=achieved,
        currency=asked.currency,
        notes=tuple(notes if achieved is not None else [*notes, lacking]),
    )


def _sums_less(told: Clock, remaining: pd.DataFrame) -> list[str]:
    """Why the rows of a table sum to less than the ground that counts."""
    own = remaining[remaining["land_class"].isin(DECLARED) & about(remaining["ordnance"], told.convention)]
    sums = float(own["net_m2"].sum())
    less = told.ground.counted_m2 - sums
    if less < 1:
        return []
    return [
        "In the table of what remains, ground of several hazards stands under the strongest class and one kind of "
        f"ordnance: its rows of CHA and SHA that the {told.convention} is about sum to {km2_words(sums)}, "
        f"{km2_words(less)} less than the ground above."
    ]


def _rather_low(told: Clock) -> list[str]:
    """What a rate from the books leaves out."""
    if told.rates is None or told.rates.found is None:
        return []
    return ["Of ground of several hazards the books may miss what was released, so the rate is rather low than high."]


def _meant_words(planned: pd.DataFrame | None) -> list[str]:
    """What the plan means to release of declared areas each year, to hold against the rates."""
    if planned is None:
        return ["There is no plan of work, so no milestones are told."]
    own = planned[planned["land_class"].isin(DECLARED)].groupby("year")["planned_m2"].sum()
    years = [f"{km2_words(m2)} in {year}" for year, m2 in own.items()]
    if not years:
        return ["The plan of work means to release no CHA or SHA."]
    told = " and ".join([", ".join(years[:-1]), years[-1]] if len(years) > 1 else years)
    return [f"The plan of work means to release {told} of CHA and SHA, of all ordnance; no forecast counts on it."]
