"""What a plan of work is made from: one case that the planner, the judge and the replay take whole."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.core.errors import SettingsError
from clearplan.core.reason import Reason
from clearplan.planning.blockers import find_blockers, first_zones, without_place
from clearplan.planning.methods import UnknownPeople
from clearplan.planning.near_homes import near_homes
from clearplan.planning.outcomes import Shares, outcome_shares
from clearplan.planning.place_surveys import place_surveys
from clearplan.planning.travel import Array, travel_days
from clearplan.settings.planning import PlanningSettings
from clearplan.tables.codes import PLACE
from clearplan.tables.people import nobody_waits

#: Columns of TASKS that say what work there is, and those of them that are amounts.
_OF_WORK = (
    "task_id",
    "land_class",
    "ordnance",
    "district",
    "area_m2",
    "gates",
    "gates_end_on",
    "zone_ids",
    "hazard_ids",
    "score",
    "rank",
    "expected_m2",
    "known_m2",
)
_AMOUNTS = ("area_m2", "score", "rank", "expected_m2", "known_m2")


def _cells(table: pd.DataFrame, name: str) -> list[object]:
    """Cells of a column, blank where the table has none."""
    cells = table[name] if name in table.columns else pd.Series(None, table.index, dtype=object)
    return [None if pd.isna(cell) else cell for cell in cells]


@dataclass(frozen=True)
class PlanningCase:
    """What there is to do, who may do it, what blocks which place, and what was promised.

    Another case is made by :func:`dataclasses.replace`: ``replace(case, teams=fewer)``. Functions that take a case say
    what they need of it; none of them changes its tables.
    """

    tasks: pd.DataFrame
    """TASKS: task_id, land_class, district, area_m2. Without ``ordnance`` only methods for any ordnance fit; without
    ``score``, ``expected_m2`` and ``gates`` nothing is worth anything by them or held back; ``rank`` and ``zone_ids``
    are for the plain ways of planning."""
    zones: pd.DataFrame
    """ZONES: zone_id, people; ``planned_return`` for deadlines. Deferred zones never open."""
    teams: pd.DataFrame
    """TEAMS; deferred teams do nothing."""
    blockers: pd.DataFrame
    """BLOCKERS, from :func:`clearplan.find_blockers`."""
    settings: PlanningSettings
    """Calendar, methods, budgets, weights, and how long to search."""
    unknown_people: UnknownPeople | None = None
    """Low, likely and high people of a zone for which nobody published a number [people]."""
    commitments: pd.DataFrame | None = None
    """COMMITMENTS; deferred rows bind nobody."""
    without_place: Mapping[str, Reason] = field(default_factory=dict)
    """Zone to why it is not known what blocks it; such a zone never opens. Deferred zones need not be named."""
    previous: pd.DataFrame | None = None
    """WORK of the plan in force, for the weight of stability. Team-days stay where the same team works in the same
    district in a period that starts on the same day; tasks that TASKS lack, and those in no district, are left out."""
    surveys: gpd.GeoDataFrame | None = None
    """SURVEYS: the place surveys for which zones wait, from :func:`clearplan.planning.place_surveys.place_surveys`;
    None: of tables made by hand, in which each zone counts as surveyed."""

    near_homes: pd.DataFrame | None = None
    """Ground of tasks near people already home, from :func:`clearplan.planning.near_homes.near_homes`: zone_id,
    task_id, part; None: of none is known that it is there."""

    gates_of_zones: Mapping[str, tuple[Reason, dt.date | None]] = field(default_factory=dict)
    """Zone to why it is behind a gate, and the last day of that; a zone of which no such day is stated never opens."""

    @functools.cached_property
    def works(self) -> pd.DataFrame:
        """All that teams can be sent to: TASKS, and below them the place surveys under the columns of TASKS."""
        if self.surveys is None:
            return self.tasks
        there = self.surveys[self.surveys["deferred"].isna()]
        rows = there.assign(task_id=there["survey_id"], land_class=PLACE, zone_ids=there["zone_id"])
        columns = [name for name in _OF_WORK if name in self.tasks.columns or name.startswith("gates")]
        works = {name: _cells(self.tasks, name) + _cells(rows, name) for name in columns}
        return pd.DataFrame(works).astype(dict.fromkeys(set(_AMOUNTS) & set(columns), float))

    @functools.cached_property
    def shares(self) -> Shares:
        """What survey makes of each of the works."""
        return outcome_shares(self.works, self.settings)

    @functools.cached_property
    def travel(self) -> Array:
        """Team-days on the road from the base of each team to each of the works, one way (works, teams).

        Raises
        ------
        SettingsError
            Travel is counted, and TASKS have no shapes, or no team has a base.
        """
        if self.settings.travel is None:
            return np.zeros((len(self.works), len(self.teams)))
        tables = [self.tasks]
        if self.surveys is not None:
            tables.append(self.surveys[self.surveys["deferred"].isna()])
        if not all(isinstance(table, gpd.GeoDataFrame) for table in tables):
            raise SettingsError("planning.travel needs the shapes of TASKS; give them, or take planning.travel out")
        sites = gpd.GeoSeries(pd.concat([table.geometry for table in tables], ignore_index=True), crs=self.tasks.crs)
        return travel_days(sites, self.teams, self.settings.travel)

    @property
    def never_open(self) -> dict[str, Reason]:
        """Zones that open in no plan, with the reason: nobody knows what blocks them, a gate without an end does, or
        they are lived in and nobody waits."""
        deferred = without_place(self.zones, None) if "deferred" in self.zones.columns else {}
        endless = {zone: reason for zone, (reason, end) in self.gates_of_zones.items() if end is None}
        return {**endless, **deferred, **self.without_place, **self._unsurveyed, **self.lived_in}

    @property
    def lived_in(self) -> dict[str, Reason]:
        """Zones where people are already home and nobody waits: no openings, and none that another zone waits for."""
        ids = self.zones["zone_id"].astype(str).to_numpy(object)
        return {zone: Reason("zone.lived_in") for zone in ids[nobody_waits(self.zones)]}

    @property
    def _unsurveyed(self) -> dict[str, Reason]:
        """Zones that are not surveyed while the plan states no way to survey a place."""
        if self.surveys is None or self.settings.place_survey is not None:
            return {}
        return {str(zone): Reason("zone.no_survey_stated") for zone in self.surveys["zone_id"]}


def make_case(  # noqa: PLR0913 - one keyword for each table of a case
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    lifelines: gpd.GeoDataFrame | None = None,
    unknown_people: UnknownPeople | None = None,
    commitments: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    surveys: gpd.GeoDataFrame | None = None,
    gates_of_zones: Mapping[str, tuple[Reason, dt.date | None]] | None = None,
) -> PlanningCase:
    """The case of tables in one metric CRS: what blocks each zone is found from their shapes.

    Parameters
    ----------
    tasks, zones, teams, settings, unknown_people, commitments, previous
        As in :class:`PlanningCase`.
    lifelines : GeoDataFrame, optional
        LIFELINES of the zones.
    surveys : DataFrame, optional
        SURVEYS; left out, they are made of the zones and what is known of their lifelines, as without ``as_at``.
    gates_of_zones : mapping, optional
        As in :class:`PlanningCase`.

    Raises
    ------
    CrsError, TableError
        As in :func:`clearplan.find_blockers`.
    """
    if surveys is None:
        surveys = place_surveys(zones, settings, lifelines=lifelines)
    return PlanningCase(
        tasks=tasks,
        zones=zones,
        teams=teams,
        blockers=find_blockers(tasks, zones, settings, lifelines=lifelines, surveys=surveys),
        settings=settings,
        unknown_people=unknown_people,
        commitments=commitments,
        without_place=without_place(zones, lifelines),
        previous=previous,
        surveys=surveys,
        near_homes=near_homes(tasks, zones, settings),
        gates_of_zones=_with_those_before(zones, gates_of_zones or {}),
    )


def _with_those_before(
    zones: pd.DataFrame, gates: Mapping[str, tuple[Reason, dt.date | None]]
) -> dict[str, tuple[Reason, dt.date | None]]:
    """Gates of zones, and of zones that must open before them: nobody opens before those they wait for."""
    held, before = dict(gates), first_zones(zones)
    for zone in TopologicalSorter(before).static_order():
        for other in before[zone]:
            if other not in held:
                continue
            reason, end = held[other]
            earlier = held.get(zone)
            if earlier is None or (earlier[1] is not None and (end is None or end > earlier[1])):
                held[zone] = Reason("zone.after_gated", zone=other, reason=reason), end
    return held
