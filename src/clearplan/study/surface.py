"""The contamination surface of a study: what was known by any day, strengths learned from it, expected ground."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from clearplan.core.errors import SettingsError
from clearplan.land.as_at import as_at as as_at_table
from clearplan.land.as_at import dates, until
from clearplan.land.audit import searches
from clearplan.read.background import Context
from clearplan.settings.project import Project
from clearplan.settings.surface import SurfaceSettings
from clearplan.study.inputs import Inputs, as_at_day
from clearplan.surface.evaluation import Evaluation, evaluate
from clearplan.surface.evidence import Evidence, collect_evidence
from clearplan.surface.expected import area_and_draws, expected_area
from clearplan.surface.fit import Fit, fit_surface
from clearplan.surface.reliability import learned_reliability
from clearplan.surface.samples import surveyed_ground
from clearplan.tables.check import placed


@dataclass(frozen=True)
class KnownThen:
    """What a project knew by a day: calling it with settings and a day gives the evidence of that day.

    read : Inputs
        All that the files hold up to the study's day.
    drawn : GeoDataFrame
        AREAS of all hazards that were read, as reported.
    """

    project: Project
    read: Inputs
    drawn: gpd.GeoDataFrame
    context: Context
    _tables: dict[pd.Timestamp, dict[str, Any]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def day(self) -> pd.Timestamp:
        """The study's day."""
        return pd.Timestamp(self.project.study.as_at)

    def __call__(self, settings: SurfaceSettings, day: pd.Timestamp | None) -> Evidence:
        """The evidence of a day, by default the study's."""
        when = self.day if day is None else day
        asked = self.project.surface
        assert asked is not None
        mask = getattr(self.context, asked.mask) if asked.mask is not None else None
        if asked.mask is not None and mask is None:
            raise SettingsError(f"surface.mask: context.{asked.mask} gives no file; add it, or drop mask")
        then = self.on(when)
        return collect_evidence(
            then["hazards"],
            then["areas"],
            then["accidents"],
            settings,
            region=self.project.study.region,
            settlements=self.read.settlements,
            roads=self.read.roads,
            mask=mask,
            searched=then["searched"],
            cleared=then["releases"],
            reliability=then["reliability"],
            covariates=self.read.covariates,
            elevation=self.context.elevation,
            as_at=when.date(),
        )

    def on(self, day: pd.Timestamp) -> dict[str, Any]:
        """HAZARDS, AREAS, ACCIDENTS and RELEASES of a day, the ground searched by it, and reliability by source."""
        if day not in self._tables:
            self._tables[day] = self._made(day.date())
        return self._tables[day]

    def _made(self, day: dt.date) -> dict[str, Any]:
        known = as_at_day(self.read, day)
        history, surface = self.read.table("history"), self.project.surface
        assert surface is not None
        reported = as_at_table(self.drawn, day, history=history, name="areas")
        closed = "closed" in surface.kinds.values()
        # Without a term of their own closed hazards stay evidence: only the search of their ground lowers a share.
        areas = reported.assign(status="open")
        if closed:
            areas = reported.assign(closed_on=_closed_on(reported, until(history, day, "history")))
        releases = known.table("releases")
        learns = any(term.learn_reliability for term in surface.terms)
        return {
            "hazards": known.table("hazards"),
            "reported": reported,
            "areas": areas,
            "accidents": known.table("accidents"),
            "releases": releases,
            "searched": self._searched(known, areas, day, closed=closed),
            "reliability": learned_reliability(reported, releases) if learns else None,
        }

    def _searched(self, known: Inputs, areas: gpd.GeoDataFrame, day: dt.date, *, closed: bool) -> Any:
        """Ground that was searched by a day; closed hazards count as searched as well as the weakest way to release."""
        release = self.project.release
        if release is None:
            if closed:
                raise SettingsError(
                    "surface.terms closed: closed ground was searched, and nothing says how well; state [release] with "
                    "its detection"
                )
            return None
        found = None
        if len(known.tables["releases"]):
            found = searches(
                known.table("releases"),
                release.detection,
                known.table("accidents"),
                known.table("hazards"),
                as_at=day,
            )
        gone = placed(areas)
        gone = gone[(gone["status"] == "closed") & (gone["kind"] != "contact-line")] if closed else gone.iloc[:0]
        if not len(gone):
            return found
        ground = shapely.union_all(gone.geometry.to_numpy())
        if found is not None and len(found):
            ground = shapely.difference(ground, shapely.union_all(found.geometry.to_numpy()))
        weakest = min(release.detection.cancelled, release.detection.reduced, release.detection.cleared)
        rest = gpd.GeoDataFrame({"release_id": ["closed"], "detection": [weakest]}, geometry=[ground], crs=areas.crs)
        return placed(rest if found is None else pd.concat([found, rest], ignore_index=True))


def _closed_on(areas: gpd.GeoDataFrame, history: pd.DataFrame) -> pd.Series:
    """Day on which each hazard was closed, by HISTORY; blank where nobody says."""
    closed = history[(history["status"] == "closed").to_numpy()]
    days = pd.Series(dates(closed, "changed_on"), index=closed["hazard_id"].to_numpy(), dtype="datetime64[ns]")
    last: pd.Series = areas["hazard_id"].map(days.groupby(level=0).max())
    return last


def learned(known_by: KnownThen, evidence: Evidence) -> Fit:
    """Strengths learned from what happened."""
    project = known_by.project
    if project.fit is None:
        raise SettingsError("surface.mode is fitted: add [fit], which says what to learn from and how")
    then = known_by.on(known_by.day)
    return fit_surface(
        evidence,
        project.fit,
        accidents=then["accidents"],
        areas=then["reported"],
        surveys=surveyed_ground(then["releases"]),
        known_by=known_by,
        as_at=project.study.as_at,
        choose_from=project.surface,
    )


def evaluated(known_by: KnownThen, evidence: Evidence, until: dt.date | None) -> Evaluation:
    """How well the surface predicts accidents that it has not seen; ``until``: last day of the evidence, if any."""
    project = known_by.project
    assert project.fit is not None
    then = known_by.on(known_by.day)
    return evaluate(
        evidence,
        then["accidents"],
        then["reported"],
        project.fit,
        surveys=surveyed_ground(then["releases"]),
        until=until,
        as_at=project.study.as_at,
        known_by=known_by,
        choose_from=project.surface,
    )


def with_expected(
    tasks: gpd.GeoDataFrame, books: dict[str, pd.DataFrame], evidence: Evidence, fit: Fit | None, context: Context
) -> tuple[gpd.GeoDataFrame, dict[str, pd.DataFrame], pd.DataFrame]:
    """TASKS with the ground expected to be contaminated in each, the same for the districts, and each task's draws."""
    draws = None if fit is None else fit.draws
    found, drawn = area_and_draws(evidence, tasks, draws=draws)
    shares = pd.DataFrame(drawn, index=pd.Index(tasks["task_id"]))
    wider = gpd.GeoDataFrame(pd.concat([tasks, found], axis=1), crs=tasks.crs)
    if context.districts is None:
        return wider, books, shares
    named = context.districts[[context.district_name]].rename(columns={context.district_name: "district"})
    expected = named.join(expected_area(evidence, context.districts, draws=draws))
    districts = pd.DataFrame(expected[expected["known_m2"] > 0]).reset_index(drop=True)
    return wider, books | {"expected": districts}, shares
