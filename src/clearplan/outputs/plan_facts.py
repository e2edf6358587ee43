"""Figures of a plan of work that two outputs show: strategies, people at home, budgets, what opens next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from clearplan.core.errors import TableError
from clearplan.planning.planned import Planned

#: Columns that a table must have.
_NEEDED = {
    "home": ("strategy", "period", "on", "people", "people_low", "people_high"),
    "budgets": ("budget", "people_home", "zones_open", "person_months", "per_million", "gap"),
}


@dataclass(frozen=True)
class Strategy:
    """What a way of planning achieves by the end of the plan; ``gap``: proven distance to the best [1], if it is.

    ``price``: person-months that a lever of fairness costs, None where there is none.
    ``people_home`` waited and came home; ``people_near_released`` of the ``people_near_hazard`` were home already, and
    all ground near them is released: no sum of the two.
    """

    name: str
    person_months: float
    person_months_low: float
    person_months_high: float
    people_home: float
    zones_open: float
    people_near_hazard: float
    people_near_released: float
    m2_finished: float
    days: float
    cost: float
    gap: float | None
    price: float | None = None


@dataclass(frozen=True)
class Home:
    """People at home by a strategy after each period [people], with the range from unknown numbers."""

    strategy: str
    on: tuple[dt.date, ...]
    people: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class Budget:
    """What the best plan buys for a budget [currency]; ``per_million``: each million more [person-months].

    ``too_close``: the proven gaps leave it open whether the million more bought anything.
    """

    budget: float
    people_home: float
    zones_open: float
    person_months: float
    per_million: float
    gap: float
    too_close: bool = False


@dataclass(frozen=True)
class Million:
    """What a million more buys [person-months] between two budgets [currency]; None: not known, or ``too_close``."""

    budget_from: float
    budget_to: float
    person_months: float | None
    too_close: bool = False


@dataclass(frozen=True)
class Opening:
    """Places that open next: by when, how many, their known people, and of how many places the number is unknown."""

    by: dt.date
    places: int
    people: int
    unknown: int


@dataclass(frozen=True)
class Place:
    """When a place opens by the plan, and how sure that is.

    ``survey_status``: as the plan counts it, None where a tier leaves it out; ``opens_on``: planned day, None where the
    plan has none; ``chance``: share of the draws in which it is open by then [1]; ``p80_on``: day by which four fifths
    of the draws open it, None beyond the plan. ``chance`` is None where nothing was drawn.
    """

    name: str
    survey_status: str | None
    opens_on: dt.date | None
    chance: float | None
    p80_on: dt.date | None


@dataclass(frozen=True)
class PlanFacts:
    """Figures of the plan of work.

    ``budget``: the plan's own; ``waiting``: all people whom it counts, those assumed too; ``gap``: how far the best
    plan found may be from the best there can be [1]; ``next_million``: what the money after the plan's own buys.
    """

    currency: str
    budget: float | None
    waiting: float
    gap: float
    strategies: tuple[Strategy, ...]
    home: tuple[Home, ...]
    budgets: tuple[Budget, ...] | None
    next_million: Million | None
    opening: Opening | None
    programme_cost: float | None
    places: tuple[Place, ...] = ()


def need_columns(tables: Mapping[str, pd.DataFrame | None], needed: Mapping[str, Sequence[str]]) -> None:
    """Refuse tables that lack a column; those that are None are not there.

    Raises
    ------
    TableError
        A table lacks a column.
    """
    for name, columns in needed.items():
        table = tables.get(name)
        lacking = [] if table is None else [column for column in columns if column not in table.columns]
        if lacking:
            raise TableError(f"facts: {name} lacks column {lacking[0]!r}; hand over the table as the run made it")


def plan_facts(planned: Planned, zones: pd.DataFrame, as_at: dt.date | None = None) -> PlanFacts:
    """The figures of a plan of work; ``zones``: ZONES with ``opens_in``; places open next after the day ``as_at``.

    Raises
    ------
    TableError
        A table lacks a column.
    """
    need_columns({"home": planned.home, "budgets": planned.budgets}, _NEEDED)
    settings, budgets = planned.case.settings, None if planned.budgets is None else _budgets(planned.budgets)
    return PlanFacts(
        currency=settings.currency,
        budget=settings.budget,
        waiting=float(planned.waiting),
        gap=planned.schedule.gap,
        strategies=_strategies(planned.comparison),
        home=_home(planned.home),
        budgets=budgets,
        next_million=None if not budgets else _next_million(budgets, settings.budget),
        opening=next_opening(zones, [day for _, day in planned.stops], as_at),
        programme_cost=None if planned.programme is None else planned.programme.cost,
        places=places_of(zones),
    )


def place_names(zones: pd.DataFrame) -> pd.Series:
    """What each zone is called: its name, its id where it has none, both where others have the same name.

    >>> zones = pd.DataFrame({"zone_id": ["a", "b", "c", "d"], "name": ["Badara", None, "Talish", "Talish"]})
    >>> place_names(zones).tolist()
    ['Badara', 'b', 'Talish (c)', 'Talish (d)']
    """
    ids, names = zones["zone_id"].astype(str), zones["name"]
    again = names.duplicated(keep=False) & names.notna()
    called = names.where(names.notna(), ids).astype(str)
    return called.where(~again, called + " (" + ids + ")")


def places_of(zones: pd.DataFrame) -> tuple[Place, ...]:
    """Places by the planned day of opening, those without one last; none without a plan of work.

    >>> zones = pd.DataFrame({"zone_id": ["a", "b"], "name": ["Talish", None], "opens_in": [None, 2],
    ...     "opens_on": [None, dt.date(2026, 6, 30)], "survey_status": ["not-surveyed", "surveyed"]})
    >>> [(place.name, place.survey_status, place.chance) for place in places_of(zones)]
    [('b', 'surveyed', None), ('Talish', 'not-surveyed', None)]
    """
    if "opens_on" not in zones.columns:
        return ()
    optional = ("survey_status", "opens_on", "probability", "p80_on")
    table = pd.DataFrame({"name": place_names(zones)}, index=zones.index)
    for name in optional:
        table[name] = zones[name] if name in zones.columns else None
    table["opens_on"] = pd.to_datetime(table["opens_on"])
    ordered = table.sort_values(["opens_on", "name"], kind="stable")
    return tuple(
        Place(
            name=str(row["name"]),
            survey_status=None if pd.isna(row["survey_status"]) else str(row["survey_status"]),
            opens_on=_day_of(row["opens_on"]),
            chance=None if pd.isna(row["probability"]) else float(row["probability"]),
            p80_on=_day_of(row["p80_on"]),
        )
        for row in ordered.to_dict("records")
    )


def _day_of(cell: object) -> dt.date | None:
    """A cell as a day; None where it is blank."""
    return None if pd.isna(cell) else pd.Timestamp(cell).date()  # type: ignore[arg-type, call-overload]


def _strategies(comparison: pd.DataFrame) -> tuple[Strategy, ...]:
    figures = [name for name in Strategy.__dataclass_fields__ if name not in ("name", "gap", "price")]
    return tuple(
        Strategy(
            name=str(row["strategy"]),
            **{figure: float(row[figure]) for figure in figures},
            gap=None if pd.isna(row["gap"]) else float(row["gap"]),
            price=None if pd.isna(row.get("price")) else float(row["price"]),
        )
        for row in comparison.to_dict("records")
    )


def _home(home: pd.DataFrame) -> tuple[Home, ...]:
    lines = {str(name): line.sort_values("period") for name, line in home.groupby("strategy", sort=False)}
    return tuple(
        Home(
            strategy=name,
            on=tuple(pd.Timestamp(day).date() for day in line["on"]),
            people=tuple(line["people"].astype(float)),
            low=tuple(line["people_low"].astype(float)),
            high=tuple(line["people_high"].astype(float)),
        )
        for name, line in lines.items()
    )


def _budgets(budgets: pd.DataFrame) -> tuple[Budget, ...]:
    columns = list(_NEEDED["budgets"])
    ordered = budgets.sort_values("budget")
    notes = ordered["note"].notna() if "note" in ordered.columns else [False] * len(ordered)
    rows = ordered[columns].to_numpy(float).tolist()
    return tuple(replace(Budget(*row), too_close=bool(note)) for row, note in zip(rows, notes, strict=True))


def _next_million(budgets: Sequence[Budget], own: float | None) -> Million:
    """What the money after the plan's own buys; of the last step where no more was tried."""
    more = [k for k, step in enumerate(budgets) if own is not None and step.budget > own + 1e-6]
    at = more[0] if more else len(budgets) - 1
    months = budgets[at].per_million
    return Million(
        budget_from=budgets[at - 1].budget if at else 0.0,
        budget_to=budgets[at].budget,
        person_months=None if pd.isna(months) else months,
        too_close=budgets[at].too_close,
    )


def next_opening(zones: pd.DataFrame, stops: Sequence[dt.date], as_at: dt.date | None = None) -> Opening | None:
    """Places that open by the end of the period that runs on a day, or else of the first one.

    Where none opens by then, the end of the next period counts in which one does.

    Parameters
    ----------
    zones : DataFrame
        ZONES with ``opens_in``: the number of a period; 0 is the start.
    stops : list of date
        The plan's first day, then the last day of each period.
    as_at : date, optional

    >>> zones = pd.DataFrame({"opens_in": [0, 1, 1, 2, None], "people": [5.0, 7.0, None, 9.0, 11.0]})
    >>> next_opening(zones, [dt.date(2026, 1, 1), dt.date(2026, 6, 30), dt.date(2026, 12, 31)])
    Opening(by=datetime.date(2026, 6, 30), places=2, people=7, unknown=1)
    """
    if "opens_in" not in zones.columns or len(stops) < 2:
        return None
    later = [k for k, day in enumerate(stops) if k and as_at is not None and day > as_at]
    at = later[0] if later else 1
    opens = pd.to_numeric(zones["opens_in"])
    if (coming := opens[opens > 0]).notna().any() and at < coming.min():
        at = int(coming.min())
    people = pd.to_numeric(zones["people"])[(opens > 0) & (opens <= at)]
    return Opening(by=stops[at], places=len(people), people=int(people.sum()), unknown=int(people.isna().sum()))
