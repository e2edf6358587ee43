"""Every setting of every stage, declared once; ``plan.toml`` is these, and nothing else is accepted.

A field's description gives its meaning, unit in [brackets] and, where there is a default, its source.
Where no source exists there is no default: the planner must decide, and the plan shows who did.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BeforeValidator, Field, create_model, model_validator

from clearplan.core.errors import MissingFileError, ReadError, SettingsError
from clearplan.settings.base import Settings, check_settings
from clearplan.settings.land import FootprintSettings, ReleaseSettings
from clearplan.settings.limits import LimitSettings
from clearplan.settings.outputs import OutputSettings
from clearplan.settings.planning import PlanningSettings
from clearplan.settings.priority import PrioritySettings
from clearplan.settings.publishing import MapSettings, PublishSettings
from clearplan.settings.sources import (
    AccidentCentroids,
    ContactLineSettings,
    ContextSettings,
    Files,
    KnownSource,
    RecordSettings,
    ReturnTarget,
    SourceSettings,
    as_list,
)
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.settings.tasks import TaskSettings
from clearplan.tables.entry import Section
from clearplan.tables.inputs import INPUTS

#: A setting that is on, and whose value or comment says that it is still to be chosen.
_UNDECIDED = re.compile(r"^\s*[\w.\"'-]+\s*=.*\bCHOOSE\b")


class StudySettings(Settings):
    """What the study is about."""

    title: str = Field(min_length=1, description="Title printed on every output.")
    region: tuple[float, float, float, float] = Field(
        description="West, south, east, north of the study region [degrees, WGS 84]. Coordinates outside are "
        "faults; the working CRS is chosen from it, so that adding data never moves it."
    )
    as_at: dt.date = Field(description="Date for which the outputs speak; printed on them instead of the clock.")
    state: str | None = Field(
        default=None,
        min_length=1,
        description="State whose ground counts, by its name in context.countries; what lies beyond is listed apart in "
        "run.json and is in no figure, task or plan. Unset: all ground counts.",
    )
    illustrative: bool = Field(description="True where any input is made up: every output then says so in words.")

    @model_validator(mode="after")
    def _region_in_order(self) -> Self:
        west, south, east, north = self.region
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError(
                f"region {list(self.region)}: must be west < east within ±180 and south < north within ±90"
            )
        return self


class _Head(Settings):
    """What a plan.toml opens with."""

    study: StudySettings
    contact_line: Annotated[tuple[ContactLineSettings, ...], BeforeValidator(as_list)] = ()

    def files_of(self, section: str) -> tuple[SourceSettings, ...]:
        """Files that a section of an input table names, such as ``zones``; none where plan.toml lacks it."""
        files: tuple[SourceSettings, ...] = getattr(self, section)
        return files


def _files(section: Section) -> tuple[object, object]:
    """The field of a section of plan.toml that names files of a table."""
    if section.needed:
        return Files, Field(min_length=1, description=section.holds)
    return Files, Field(default=(), description=section.holds)


# Every section of an input table is a field, as if it stood in the class below: the table's entry declares it.
if TYPE_CHECKING:
    _WithFiles = _Head
else:
    _SECTIONS = {section.name: _files(section) for table in INPUTS.values() for section in table.sections}
    _WithFiles = create_model("_WithFiles", __base__=_Head, __module__=__name__, **_SECTIONS)


class Project(_WithFiles):
    """A whole project: ``plan.toml``."""

    records: Annotated[tuple[RecordSettings, ...], BeforeValidator(as_list)] = ()
    known_sources: Annotated[tuple[KnownSource, ...], BeforeValidator(as_list)] = ()
    return_targets: Annotated[tuple[ReturnTarget, ...], BeforeValidator(as_list)] = ()
    accident_centroids: AccidentCentroids | None = Field(
        default=None, description="Unset: accidents at centroids get the position error that the layers imply."
    )
    context: ContextSettings = ContextSettings()
    footprints: FootprintSettings
    tasks: TaskSettings
    priority: PrioritySettings
    surface: SurfaceSettings | None = None
    fit: FitSettings | None = None
    planning: PlanningSettings | None = Field(default=None, description="Unset: no plan of work is made.")
    release: ReleaseSettings | None = None
    map: MapSettings
    publish: PublishSettings = PublishSettings()
    outputs: OutputSettings = OutputSettings()
    limits: LimitSettings = LimitSettings()
    code_lists: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Country codes that replace a list of mdr-draft-2018: code = meaning.",
    )

    @model_validator(mode="after")
    def _some_hazard(self) -> Self:
        sections = (
            self.contact_line,
            self.records,
            *(self.files_of(one.name) for one in INPUTS["hazards"].sections),
        )
        if not any(sections):
            raise ValueError("no hazards: give [contact_line], [[hazards]], [[strikes]] or [[records]]")
        return self

    @property
    def home_m(self) -> float | None:
        """Ground within this distance of a zone is the place itself [m]; None where nothing states it."""
        return self.tasks.home_m if self.planning is None else self.planning.home_m

    @model_validator(mode="after")
    def _teams_for_planning(self) -> Self:
        if (self.planning is None) != (not self.files_of("teams")):
            raise ValueError("[planning] and [[teams]] go together: give both, or neither")
        return self

    @model_validator(mode="after")
    def _one_model_of_survey(self) -> Self:
        """How well survey tells ground apart is stated once, for the plan of work and the value of survey alike."""
        survey = self.priority.survey_first
        in_plan = self.planning is not None and self.planning.survey_sensitivity is not None
        if survey is not None and survey.sensitivity is None and not in_plan:
            raise ValueError(
                "priority.survey_first: nothing says how well survey tells ground apart; state sensitivity and "
                "specificity there, or planning.survey_sensitivity"
            )
        if survey is not None and survey.sensitivity is not None and in_plan:
            raise ValueError(
                "priority.survey_first.sensitivity and planning.survey_sensitivity say the same thing twice; leave out "
                "sensitivity and specificity of survey_first"
            )
        return self


def load_project(path: str | Path, *, change: Mapping[str, object] | None = None) -> Project:
    """Read and check a ``plan.toml``; input paths become absolute.

    Parameters
    ----------
    path : path
    change : mapping, optional
        Sections that differ from the file: a mapping changes only the keys that it holds, all else is replaced.

    Raises
    ------
    MissingFileError, ReadError
        The file is missing, or can't be read as text.
    SettingsError
        It is not TOML, a value is still marked CHOOSE, or a setting is missing, unknown or out of range; all of them
        are named.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
        raw = tomllib.loads(text)
    except FileNotFoundError:
        raise MissingFileError(
            f"{path}: no such file; give the path of a plan.toml (clearplan init makes one)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: can't be read as UTF-8 text ({error}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML ({error}); correct that line") from None
    _refuse_undecided(path, text)
    raw = _with_change(raw, change or {})
    return check_settings(Project, raw, where=str(path), folder=path.resolve().parent)


def _with_change(raw: dict[str, Any], change: Mapping[str, object]) -> dict[str, Any]:
    """Settings with a change. Tasks stay those of the file where the change leaves out its plan of work."""
    changed = dict(raw)
    for key, value in change.items():
        before = raw.get(key, {})
        changed[key] = before | value if isinstance(value, dict) and isinstance(before, dict) else value
    planning, tasks = raw.get("planning"), changed.get("tasks")
    without_plan = changed.get("planning") is None and isinstance(planning, dict) and "home_m" in planning
    if without_plan and planning is not None and isinstance(tasks, dict):
        changed["tasks"] = {"home_m": planning["home_m"]} | tasks
    return changed


def _refuse_undecided(path: Path, text: str) -> None:
    """The template's values are examples: each line that still says CHOOSE is a decision that nobody has made."""
    lines = enumerate(text.splitlines(), start=1)
    undecided = [f"{line.split('=')[0].strip()} (line {k})" for k, line in lines if _UNDECIDED.match(line)]
    if undecided:
        more = f" and {len(undecided) - 5} more" if len(undecided) > 5 else ""
        raise SettingsError(
            f"{path}: still marked CHOOSE: {', '.join(undecided[:5])}{more}; decide each value, then delete "
            "the word CHOOSE in its line"
        )
