"""How many people are already home and how many wait, apart, and what a return programme aims at beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from clearplan.tables.people import already_home


@dataclass(frozen=True)
class Headcount:
    """People of places whose number is known, each place once; ``unknown``: places whose number is not.

    ``illustrative``: of the places whose number is known, those in which it is made up; ``not_placed``: people of
    places that could not be placed, who stand in no other figure.
    """

    known: int
    places: int
    unknown: int
    illustrative: int = 0
    not_placed: int = 0

    @property
    def words(self) -> str:
        """The people in words; unknown is said, and never 0.

        >>> Headcount(1200, 3, 2, 1).words, Headcount(0, 0, 2).words
        ('1,200 in 3 places, illustrative in 1; unknown in 2', 'unknown in 2 places')
        """
        places = "place" if self.places == 1 else "places"
        if not self.places:
            return f"unknown in {self.unknown} {'place' if self.unknown == 1 else 'places'}" if self.unknown else "none"
        made_up = f", illustrative in {self.illustrative}" if self.illustrative else ""
        unknown = f"; unknown in {self.unknown}" if self.unknown else ""
        return f"{self.known:,} in {self.places} {places}{made_up}{unknown}"


@dataclass(frozen=True)
class ReturnTarget:
    """What a return programme means to reach, as published; it stands beside the figures of places and in no sum."""

    programme: str
    people: int
    where: str
    by: dt.date
    source: str

    @property
    def short(self) -> str:
        """The target in short.

        >>> ReturnTarget("Return", 140_000, "the region", dt.date(2026, 12, 31), "Gazette").short
        '140,000 in the region by 2026-12-31 (Gazette)'
        """
        return f"{self.people:,} in {self.where} by {self.by.isoformat()} ({self.source})"

    @property
    def words(self) -> str:
        """The target in a sentence.

        >>> ReturnTarget("Return", 140_000, "the region", dt.date(2026, 12, 31), "Gazette").words
        'Target of the programme Return: 140,000 people in the region by 2026-12-31 (Gazette); in no sum here'
        """
        return (
            f"Target of the programme {self.programme}: {self.people:,} people in {self.where} by "
            f"{self.by.isoformat()} ({self.source}); in no sum here"
        )


@dataclass(frozen=True)
class People:
    """People already home and people who wait, never in one sum; ``targets``: of return programmes, as published."""

    already_home: Headcount
    waiting: Headcount
    targets: tuple[ReturnTarget, ...] = ()


def people_of(zones: pd.DataFrame, targets: Sequence[ReturnTarget] = ()) -> People:
    """People of all zones that could be placed, each zone once, and in how many zones the number is unknown.

    >>> zones = pd.DataFrame({"people": [650, None, 20], "already_home": [9, None, None],
    ...                       "deferred": [None, None, "no coordinates"]})
    >>> people = people_of(zones)
    >>> people.waiting
    Headcount(known=650, places=1, unknown=1, illustrative=0, not_placed=20)
    >>> people.already_home
    Headcount(known=9, places=1, unknown=1, illustrative=0, not_placed=0)
    """
    there = zones["deferred"].isna() if "deferred" in zones.columns else pd.Series(True, index=zones.index)
    basis = zones["people_basis"] if "people_basis" in zones.columns else pd.Series(None, index=zones.index)
    home = pd.Series(already_home(zones), index=zones.index)
    waiting = pd.to_numeric(zones["people"])
    return People(
        already_home=_headcount(home, there, pd.Series(False, index=zones.index)),
        waiting=_headcount(waiting, there, basis == "illustrative"),
        targets=tuple(targets),
    )


def _headcount(number: pd.Series, there: pd.Series, made_up: pd.Series) -> Headcount:
    people = number[there]
    return Headcount(
        known=int(people.sum()),
        places=int(people.notna().sum()),
        unknown=int(people.isna().sum()),
        illustrative=int((people.notna() & made_up[there]).sum()),
        not_placed=int(number[~there].sum()),
    )


def people_record(people: People) -> dict[str, Any]:
    """People under the names that run.json gives them."""
    record = asdict(people)
    record["targets"] = [one | {"by": one["by"].isoformat()} for one in record["targets"]]
    return record


def people_of_record(record: Mapping[str, Any]) -> People:
    """People as run.json holds them."""
    targets = [ReturnTarget(**one | {"by": dt.date.fromisoformat(one["by"])}) for one in record["targets"]]
    return People(Headcount(**record["already_home"]), Headcount(**record["waiting"]), tuple(targets))
