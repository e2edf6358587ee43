"""What a plan of work is made from: one case that the planner, the judge and the replay take whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import pandas as pd

from clearplan.core.reason import Reason
from clearplan.planning.blockers import find_blockers, without_place
from clearplan.planning.methods import UnknownPeople
from clearplan.settings.planning import PlanningSettings


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

    @property
    def never_open(self) -> dict[str, Reason]:
        """Zones of which nobody knows what blocks them, with the reason."""
        deferred = without_place(self.zones, None) if "deferred" in self.zones.columns else {}
        return {**deferred, **self.without_place}


def make_case(
    tasks: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    teams: pd.DataFrame,
    settings: PlanningSettings,
    *,
    lifelines: gpd.GeoDataFrame | None = None,
    unknown_people: UnknownPeople | None = None,
    commitments: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
) -> PlanningCase:
    """The case of tables in one metric CRS: what blocks each zone is found from their shapes.

    Parameters
    ----------
    tasks, zones, teams, settings, unknown_people, commitments, previous
        As in :class:`PlanningCase`.
    lifelines : GeoDataFrame, optional
        LIFELINES of the zones.

    Raises
    ------
    CrsError, TableError
        As in :func:`clearplan.find_blockers`.
    """
    return PlanningCase(
        tasks=tasks,
        zones=zones,
        teams=teams,
        blockers=find_blockers(tasks, zones, settings, lifelines=lifelines),
        settings=settings,
        unknown_people=unknown_people,
        commitments=commitments,
        without_place=without_place(zones, lifelines),
        previous=previous,
    )
