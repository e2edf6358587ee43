"""What all settings share: strict, frozen, and told in words when they are wrong."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import SettingsError

Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
LandClass = Literal["indication", "SHA", "CHA"]
Queue = Literal["survey", "clearance"]
QUEUES: tuple[Queue, ...] = ("survey", "clearance")
AnySettings = TypeVar("AnySettings", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def check_settings(model: type[AnySettings], raw: dict[str, Any], *, where: str) -> AnySettings:
    """Build settings from plain values; every wrong one is named in one error.

    >>> from clearplan.settings import MapSettings
    >>> check_settings(MapSettings, {"titel": "x"}, where="plan.toml [map]")
    Traceback (most recent call last):
    clearplan.errors.SettingsError: plan.toml [map]: title: is missing, add it (clearplan init
    writes a plan.toml with every setting explained); titel: unknown setting, remove it or mend its name
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise SettingsError(f"{where}: " + "; ".join(_in_words(e) for e in _own(error.errors()))) from None


def _own(errors: list[Any]) -> list[Any]:
    """Without those that only say that a list is too short since its rows were refused."""
    places = [e["loc"] for e in errors if e["type"] != "too_short"]
    return [e for e in errors if e["type"] != "too_short" or not any(p[: len(e["loc"])] == e["loc"] for p in places)]


def _in_words(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown setting, remove it or mend its name"
    if error["type"] == "missing":
        return f"{place}: is missing, add it (clearplan init writes a plan.toml with every setting explained)"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "tuple_type":
        message = "must be a list in [brackets]"
    return f"{place}: {message}" if place else message
