"""Every setting of every stage, declared once; ``plan.toml`` is these, and nothing else is accepted.

A field's description gives its meaning, unit in [brackets] and, where there is a default, its source.
Where no source exists there is no default: the planner must decide, and the plan shows who did.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from clearplan.core.errors import MissingFileError, ReadError, SettingsError
from clearplan.settings.base import Settings, check_settings
from clearplan.settings.land import FootprintSettings, ReleaseSettings
from clearplan.settings.planning import PlanningSettings
from clearplan.settings.priority import PrioritySettings
from clearplan.settings.publishing import MapSettings, PublishSettings
from clearplan.settings.sources import ContactLineSettings, ContextSettings, RecordSettings, SourceSettings
from clearplan.settings.surface import FitSettings, SurfaceSettings
from clearplan.settings.tasks import TaskSettings


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


class StudySettings(Settings):
    """What the study is about."""

    title: str = Field(min_length=1, description="Title printed on every output.")
    region: tuple[float, float, float, float] = Field(
        description="West, south, east, north of the study region [degrees, WGS 84]. Coordinates outside are "
        "faults; the working CRS is chosen from it, so that adding data never moves it."
    )
    as_at: dt.date = Field(description="Date for which the outputs speak; printed on them instead of the clock.")
    illustrative: bool = Field(description="True where any input is made up: every output then says so in words.")

    @model_validator(mode="after")
    def _region_in_order(self) -> Self:
        west, south, east, north = self.region
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError(
                f"region {list(self.region)}: must be west < east within ±180 and south < north within ±90"
            )
        return self


class Project(Settings):
    """A whole project: ``plan.toml``."""

    study: StudySettings
    contact_line: Annotated[tuple[ContactLineSettings, ...], BeforeValidator(_as_list)] = ()
    hazards: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    strikes: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    records: Annotated[tuple[RecordSettings, ...], BeforeValidator(_as_list)] = ()
    zones: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = Field(min_length=1)
    accidents: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    lifelines: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    gates: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    releases: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    history: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    teams: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = ()
    commitments: Annotated[tuple[SourceSettings, ...], BeforeValidator(_as_list)] = Field(
        default=(), description="Files of what teams have been promised to do."
    )
    context: ContextSettings = ContextSettings()
    footprints: FootprintSettings
    tasks: TaskSettings
    priority: PrioritySettings
    release: ReleaseSettings | None = None
    surface: SurfaceSettings | None = None
    fit: FitSettings | None = None
    planning: PlanningSettings | None = Field(default=None, description="Unset: no plan of work is made.")
    map: MapSettings
    publish: PublishSettings = PublishSettings()
    code_lists: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="Country codes that replace a list of mdr-draft-2018: code = meaning.",
    )

    @model_validator(mode="after")
    def _some_hazard(self) -> Self:
        if not (self.contact_line or self.hazards or self.strikes or self.records):
            raise ValueError("no hazards: give [contact_line], [[hazards]], [[strikes]] or [[records]]")
        return self

    @model_validator(mode="after")
    def _teams_for_planning(self) -> Self:
        if (self.planning is None) != (not self.teams):
            raise ValueError("[planning] and [[teams]] go together: give both, or neither")
        return self


def load_project(path: str | Path, *, change: Mapping[str, Any] | None = None) -> Project:
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
        It is not TOML, or a setting is missing, unknown or out of range; all of them are named.
    """
    path = Path(path)
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise MissingFileError(
            f"{path}: no such file; give the path of a plan.toml (clearplan init makes one)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: can't be read as UTF-8 text ({error}); save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML ({error}); mend that line") from None
    settings = _with_absolute_paths(raw, path.resolve().parent)
    for key, value in (change or {}).items():
        settings[key] = settings.get(key, {}) | value if isinstance(value, dict) else value
    return check_settings(Project, settings, where=str(path))


#: Which keys of each section are paths; a mapping goes one level deeper, "*" is every key.
_PATHS: dict[str, Any] = {
    **{
        key: {"path": True}
        for key in (
            "contact_line",
            "hazards",
            "strikes",
            "zones",
            "accidents",
            "lifelines",
            "gates",
            "releases",
            "history",
            "teams",
            "commitments",
        )
    },
    "records": {
        "path": True,
        "gazetteer": True,
        "legs": {"path": True},
        "anchors": {"path": True},
        "scans": {"*": True},
    },
    "surface": {"settlements": True, "roads": True},
    "priority": {"roads": True, "layers": {"path": True}},
    "release": {"published": True},
    "planning": {"previous": True},
    "context": dict.fromkeys(("districts", "countries", "rivers", "lakes", "elevation"), True),
}


def _with_absolute_paths(raw: object, folder: Path, paths: Any = _PATHS) -> Any:
    if isinstance(raw, list):
        return [_with_absolute_paths(one, folder, paths) for one in raw]
    if isinstance(raw, dict) and isinstance(paths, dict):
        return {k: _with_absolute_paths(v, folder, paths.get(k, paths.get("*"))) for k, v in raw.items()}
    return str(folder / raw) if paths is True and isinstance(raw, str) else raw
