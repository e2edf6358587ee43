"""A finished study: its tables, and the record of how they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.planning.planned import Planned
from clearplan.read.background import Context
from clearplan.records.minefields import RecordReading
from clearplan.settings.project import Project
from clearplan.study.ranking import Why
from clearplan.study.treaty import Dossier
from clearplan.surface.evidence import Evidence
from clearplan.surface.fit import Fit
from clearplan.surface.probability import Surface


@dataclass(frozen=True)
class Study:
    """A finished study: its tables, and ``run``, the record of how they were made."""

    project: Project
    hazards: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    accidents: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    net: pd.DataFrame
    tasks: gpd.GeoDataFrame
    faults: pd.DataFrame
    run: dict[str, Any]
    lifelines: gpd.GeoDataFrame
    gates: pd.DataFrame
    releases: gpd.GeoDataFrame
    history: pd.DataFrame
    teams: pd.DataFrame
    commitments: pd.DataFrame
    books: Mapping[str, pd.DataFrame]
    context: Context = field(default_factory=Context)
    records: tuple[RecordReading, ...] = ()
    evidence: Evidence | None = None
    fit: Fit | None = None
    surface: Surface | None = None
    why: Why = field(default_factory=Why)
    planned: Planned | None = None
    dossier: Dossier | None = None

    @property
    def notes(self) -> list[str]:
        """What a reader must know first: deferred rows, repairs, assumptions."""
        return list(self.run["warnings"])
