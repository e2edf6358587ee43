"""Settings of what is published: the map page, and for whom the outputs are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from clearplan.settings.base import Settings
from clearplan.tables.columns import Tier


class MapSettings(Settings):
    """The map page."""

    title: str = Field(min_length=1, description="Title of the map page.")


class PublishSettings(Settings):
    """For whom the outputs are, and how far hazards are generalised where anyone may read them."""

    tier: Tier = Field(
        default="restricted",
        description="public: cells or districts, no rows of accidents. partner: shapes without what minefield records "
        "say. restricted: everything. The default is the narrowest: what nobody chose to publish is not published.",
    )
    to: Literal["grid", "districts"] = Field(
        default="grid",
        description="What stands for hazards at the public tier; grid: squares, the narrower of the two.",
    )
    cell_m: Annotated[float, Field(ge=1000, le=100_000, allow_inf_nan=False)] = Field(
        default=5000,
        description="Side of a square [m]. 5 km: how far the Demographic and Health Surveys move rural places before "
        "anyone may read them (Burgert et al. 2013, DHS Spatial Analysis Reports 7); below 1 km squares show corners.",
    )
    suppress_below: int = Field(
        default=5,
        ge=2,
        le=100,
        description="Counts of accidents below are withheld, with what would let them be computed back [accidents]. 5: "
        "the larger of the two thresholds that agencies use (OECD Glossary of Statistical Disclosure Control, 2005).",
    )
    contact_line: bool = Field(
        default=False,
        description="Whether the contact line itself is drawn at the public tier; only where its source is open.",
    )
