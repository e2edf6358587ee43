"""Settings of the land: footprints of hazards, and what a release says about the ground that it covers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field

from clearplan.settings.base import Metres, Probability, Settings

#: What becomes of the rim round ground that was released to its reported border.
Halo = Literal["drop", "survey"]


class FootprintSettings(Settings):
    """How a reported shape becomes the area it may cover."""

    margin_m: dict[str, Metres] = Field(description="Grown beyond the position error, per ordnance class [m].")
    strike_radius_m: Metres = Field(
        description="Radius of a cluster strike's footprint round its point [m]; 324 m is 0.33 km2, the mean CHA "
        "of 2015."
    )
    assumed_position_error_m: Metres | None = Field(
        default=None, description="Used where a row states none [m]; unset: such a row is refused."
    )


class Detection(Settings):
    """Probability that each way of releasing finds what is there; no defaults: nobody has published any."""

    cancelled: Probability = Field(description="Of non-technical survey, for ordnance that is there [1].")
    reduced: Probability = Field(description="Of technical survey [1].")
    cleared: Probability = Field(description="Of clearance to its stated depth [1].")


class ReleaseSettings(Settings):
    """What a release says about the ground that it covers."""

    detection: Detection
    halo: Halo = Field(
        description="The rim between reported border and footprint, where the ground within was released: drop (it was "
        "the border's own position error), or survey (an indication until it is surveyed)."
    )
    source: str = Field(min_length=1, description="Who set the probabilities, or the word illustrative.")
    published: Path | None = Field(
        default=None,
        description="CSV of release figures as published: breakdown, year, name, hectares, source; a chart.",
    )
    bridge_from: dt.date | None = Field(
        default=None, description="Day at which the bridge table opens; it closes at study.as_at. Unset: no bridge."
    )
