"""A finished study: its tables, and the record of how they were made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from clearplan.outputs.facts import Facts, facts_of
from clearplan.planning.planned import Planned
from clearplan.priority.why import Why
from clearplan.read.background import Context
from clearplan.read.snapshot import Snapshot
from clearplan.records.minefields import RecordReading
from clearplan.settings.project import Project
from clearplan.study.chain import Chain
from clearplan.study.surface import KnownThen
from clearplan.surface.evidence import Evidence
from clearplan.surface.fit import Fit
from clearplan.surface.probability import Surface
from clearplan.treaty.dossier import Dossier


@dataclass(frozen=True)
class Study:
    """A finished study.

    project : settings of plan.toml
    tables : every table of the project by name, as at the day: those that were read, AREAS and TASKS
    net : net area by class and district
    faults : fault table of all files
    run : the record of how all this was made
    books : net_area, ledger and others by name
    context : layers beneath the hazards
    records : what came out of each source of minefield records
    evidence, fit, surface : of the share of the ground that is contaminated
    known_by : gives the evidence of any day, by settings; gone once published for the public
    why : why the order is what it is
    planned, dossier : the plan of work, and the tables to file
    chain : decisions of land release, held to those of earlier runs; None once published for a wider circle
    copies : the inputs as they were read; gone in another process
    """

    project: Project
    tables: Mapping[str, pd.DataFrame]
    net: pd.DataFrame
    faults: pd.DataFrame
    run: dict[str, Any]
    books: Mapping[str, pd.DataFrame]
    context: Context = field(default_factory=Context)
    records: tuple[RecordReading, ...] = ()
    evidence: Evidence | None = None
    known_by: KnownThen | None = None
    fit: Fit | None = None
    surface: Surface | None = None
    why: Why = field(default_factory=Why)
    planned: Planned | None = None
    dossier: Dossier | None = None
    chain: Chain | None = None
    copies: Snapshot | None = None

    def copy_of(self, path: Path) -> Path:
        """An input as it was read."""
        return path if self.copies is None else self.copies.of(path)

    def users_names(self) -> AbstractContextManager[None]:
        """Errors raised within name the user's files, never the copies."""
        return nullcontext() if self.copies is None else self.copies.named()

    # Tables that have a place on the map, by a short name; the others are in ``tables``.

    @property
    def hazards(self) -> gpd.GeoDataFrame:
        """HAZARDS."""
        return self.tables["hazards"]

    @property
    def areas(self) -> gpd.GeoDataFrame:
        """AREAS: what remains of each hazard."""
        return self.tables["areas"]

    @property
    def tasks(self) -> gpd.GeoDataFrame:
        """TASKS, ranked and planned."""
        return self.tables["tasks"]

    @property
    def zones(self) -> gpd.GeoDataFrame:
        """ZONES, with the day on which each opens."""
        return self.tables["zones"]

    @property
    def accidents(self) -> gpd.GeoDataFrame:
        """ACCIDENTS."""
        return self.tables["accidents"]

    @property
    def lifelines(self) -> gpd.GeoDataFrame:
        """LIFELINES."""
        return self.tables["lifelines"]

    @property
    def releases(self) -> gpd.GeoDataFrame:
        """RELEASES."""
        return self.tables["releases"]

    @property
    def notes(self) -> list[str]:
        """What a reader must know first: deferred rows, repairs, assumptions."""
        return list(self.run["warnings"])

    @property
    def bridge_days(self) -> tuple[dt.date, dt.date] | None:
        """Days between which the bridge lies; None where the project asks for none."""
        opening = None if self.project.release is None else self.project.release.bridge_from
        return None if opening is None else (opening, self.project.study.as_at)

    @cached_property
    def facts(self) -> Facts:
        """Every figure of the study that two of its outputs show."""
        return facts_of(
            self.books,
            zones=self.zones,
            tasks=self.tasks,
            run=self.run,
            planned=self.planned,
            bridge_days=self.bridge_days,
            as_at=self.project.study.as_at,
        )
