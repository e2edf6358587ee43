"""What all settings share: strict, frozen, and told in words when they are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, get_args
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from clearplan.core.errors import SettingsError

Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
LandClass = Literal["indication", "SHA", "CHA"]
Queue = Literal["survey", "clearance"]
QUEUES: tuple[Queue, ...] = ("survey", "clearance")
AnySettings = TypeVar("AnySettings", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _seen_from_folder(cls, value: object, info: ValidationInfo) -> object:
        """Paths as seen from the folder of plan.toml, where the settings come from one."""
        folder = (info.context or {}).get("folder")
        if folder is None:
            return value
        if isinstance(value, dict):
            return {key: folder / one if isinstance(one, Path) else one for key, one in value.items()}
        return folder / value if isinstance(value, Path) else value


def paths_of(settings: Settings) -> Iterator[Path]:
    """Every file that settings name, in their order: the values of all fields of type ``Path``."""
    for name in type(settings).model_fields:
        yield from _paths_in(getattr(settings, name))


def _paths_in(value: object) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Settings):
        yield from paths_of(value)
    elif isinstance(value, dict | tuple):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _paths_in(one)


def with_paths(settings: AnySettings, change: Callable[[Path], Path]) -> AnySettings:
    """The same settings with every path changed."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return settings.model_copy(update={name: _with_paths(value, change) for name, value in values.items()})


def _with_paths(value: object, change: Callable[[Path], Path]) -> object:
    if isinstance(value, Path):
        return change(value)
    if isinstance(value, Settings):
        return with_paths(value, change)
    if isinstance(value, dict):
        return {key: _with_paths(one, change) for key, one in value.items()}
    return tuple(_with_paths(one, change) for one in value) if type(value) is tuple else value


def check_url(url: str) -> None:
    """A server's address of a kind that is known, without anybody's credentials; the error never repeats it.

    >>> check_url("https://maps.example.org/FeatureServer/0?token=abc")
    Traceback (most recent call last):
    ValueError: url must hold no user, password, token or other question; set them in the environment
    """
    parts = urlsplit(url)
    if "@" in parts.netloc or parse_qsl(parts.query, keep_blank_values=True) or parts.query or parts.fragment:
        raise ValueError("url must hold no user, password, token or other question; set them in the environment")
    try:
        known = parts.scheme in ("postgresql", "https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise ValueError("url must be postgresql://host:port/database or https://host/.../FeatureServer/0")
    if parts.scheme == "postgresql" and not parts.path.strip("/"):
        raise ValueError("url names no database; write postgresql://host:port/database")
    if parts.scheme != "postgresql" and not parts.path.rstrip("/").rpartition("/")[2].isdigit():
        raise ValueError("url names no layer; end it with the layer's number, such as .../FeatureServer/0")


def check_settings(
    model: type[AnySettings], raw: Mapping[str, Any], *, where: str, folder: Path | None = None
) -> AnySettings:
    """Build settings from plain values; every wrong one is named in one error.

    Parameters
    ----------
    model : type of Settings
    raw : mapping
        Setting = value, as plan.toml holds them.
    where : str
        Opens the error: the file, or the function that was called.
    folder : path, optional
        Paths among the values are seen from here.

    >>> from clearplan.settings.project import MapSettings
    >>> check_settings(MapSettings, {"titel": "x"}, where="plan.toml [map]")
    Traceback (most recent call last):
    clearplan.core.errors.SettingsError: plan.toml [map]: title: is missing, add it (clearplan init
    writes a plan.toml with every setting explained); titel: unknown setting, remove it or correct its name
    """
    try:
        return model.model_validate(raw, context={"folder": folder})
    except ValidationError as error:
        raise SettingsError(f"{where}: " + "; ".join(_in_words(e) for e in _own(error.errors()))) from None


def _own(errors: list[Any]) -> list[Any]:
    """Without those that only say that a list is too short since its rows were refused."""
    places = [e["loc"] for e in errors if e["type"] != "too_short"]
    return [e for e in errors if e["type"] != "too_short" or not any(p[: len(e["loc"])] == e["loc"] for p in places)]


def _in_words(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown setting, remove it or correct its name"
    if error["type"] == "missing":
        return f"{place}: is missing, add it (clearplan init writes a plan.toml with every setting explained)"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "tuple_type":
        message = "must be a list in [brackets]"
    return f"{place}: {message}" if place else message


class Told(NamedTuple):
    """A setting as it is shown: where it stands in plan.toml, its value, unit and meaning."""

    section: str
    setting: str
    value: Any
    unit: str
    meaning: str


#: What the last brackets of a description hold where they are no unit.
_NO_UNIT = re.compile(r"\[|\d, |^(brackets|context|planning|queue|0)$")


def told_settings(model: Settings, values: Mapping[str, Any], section: str = "") -> Iterator[Told]:
    """Every setting of a plan, in its order, with unit and meaning as they are declared.

    Parameters
    ----------
    model : Settings
    values : mapping
        The same as plain values, which is what is shown (``run["settings"]``: paths as seen from plan.toml).
    section : str
        Where the model stands.
    """
    for name, field in type(model).model_fields.items():
        if name not in values:  # the record of a published run holds no section that names files or places
            continue
        own, value = getattr(model, name), values[name]
        place = f"{section}.{name}" if section else name
        if isinstance(own, Settings):
            yield from told_settings(own, value, place)
        elif isinstance(own, tuple | list) and own and isinstance(own[0], Settings):
            for k, (one, told) in enumerate(zip(own, value, strict=True), start=1):
                yield from told_settings(one, told, f"{place} {k}" if len(own) > 1 else place)
        else:
            meaning = field.description or ""
            yield Told(section or "(top)", name, value, _unit_in(meaning), meaning)


def _unit_in(meaning: str) -> str:
    """The unit in a description: what its last brackets hold."""
    units = [unit for unit in re.findall(r"\[([^\]]*)\]", meaning) if not _NO_UNIT.search(unit)]
    return units[-1] if units else ""


def model_in(annotation: object) -> type[Settings] | None:
    """Settings within a type, such as those of a list of them."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)


def unit_of(model: type[Settings], names: Sequence[str]) -> str:
    """Unit of the setting to which names lead from section to section; blank where it has none.

    >>> from clearplan.settings.project import Project
    >>> unit_of(Project, ["footprints", "margin_m", "AP"]), unit_of(Project, ["study", "title"])
    ('m', '')
    """
    below: type[Settings] | None = model
    meaning = ""
    for name in names:
        if below is None or name not in below.model_fields:  # a key of a mapping, such as AP
            break
        field = below.model_fields[name]
        below, meaning = model_in(field.annotation), field.description or ""
    return _unit_in(meaning)
