"""Settings of the files and servers that a project reads, and how their names and codes map to clearplan's."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator

from clearplan.settings.base import Metres, Settings, check_url

DateStyle = Literal["iso", "dmy", "mdy"]


class SourceSettings(Settings):
    """One input file and how its names and codes map to ours."""

    path: Path = Field(description="The file, relative to plan.toml; with a url, the copy of what the server holds.")
    url: str | None = Field(
        default=None,
        description="Server that is read before each run: postgresql://host:port/database (its table under layer), or "
        "the https:// address of one layer of an ArcGIS feature service. Credentials come from the environment: "
        "PGUSER and PGPASSWORD, or CLEARPLAN_ARCGIS_TOKEN.",
    )
    layer: str | None = Field(default=None, description="Layer of a file, or table of a database, that holds several.")
    crs: str | None = Field(default=None, description="CRS of a file that states none, e.g. 'EPSG:32638'.")
    encoding: str | None = Field(default=None, description="Text encoding of a file that states none.")
    dates: DateStyle | None = Field(
        default=None, description="How 03/10/2020 is read: dmy (3 October) or mdy (10 March). Unset: a fault."
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal mark of numbers kept as text.")
    time_zone: str | None = Field(
        default=None,
        description="Zone in which moments become days (IANA name), e.g. 'Asia/Baku'. Unset: a moment is a fault.",
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="Our column = the file's column; an id may be '@fid', '@row' or '@hash'."
    )
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Per column of ours: the file's code = our code."
    )
    set: dict[str, str | bool | int | float | dt.date | None] = Field(
        default_factory=dict, description="Our column = one value for all rows."
    )
    ids: Literal["number"] | None = Field(
        default=None,
        description="'number': ids that repeat in the file get a number, F1 and F1#2. Unset: they are faults.",
    )
    closed_lines: Literal["area", "line"] | None = Field(
        default=None, description="Whether a line that ends where it begins is the border of an area. Unset: a fault."
    )
    lenient: bool = Field(
        default=False,
        description="Keep rows that can't be used as 'deferred' and apply listed repairs; never silent.",
    )

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone of IANA; write for example 'Asia/Baku'")
        return name

    @model_validator(mode="after")
    def _server_in_order(self) -> Self:
        if self.layer is not None and not self.layer.strip():
            raise ValueError("layer is blank; name the layer, or leave the setting out")
        if self.url is not None:
            check_url(self.url)
            if self.path.suffix.lower() != ".parquet":
                raise ValueError(
                    "path must end with .parquet where a url is given: it is the copy of the server's rows"
                )
            if self.url.startswith("postgresql:") and not self.layer:
                raise ValueError("layer is missing: name the table of the database, such as layer = 'public.hazards'")
        return self


def as_list(value: object) -> object:
    """One table of plan.toml, [zones], as a list of one, [[zones]]."""
    return [value] if isinstance(value, dict) else value


#: Files of one section, a single one without a list too.
Files = Annotated[tuple[SourceSettings, ...], BeforeValidator(as_list)]


class ContactLineSettings(SourceSettings):
    """The contact line, and the depth of its belt on the ground."""

    hazard_id: str = Field(description="Identifier of the line as a hazard.")
    scale: str = Field(description="Map scale at which the line was drawn; printed beside its length.")
    source: str = Field(description="Where the line is from, and its licence.")
    recorded_on: dt.date | None = Field(default=None, description="Day for which the line was drawn.")
    stated_length_km: Annotated[float, Field(gt=0, le=20_000)] | None = Field(
        default=None,
        description="Length as a source states it [km], printed beside the drawn one with the belt that it implies.",
    )
    stated_length_source: str | None = Field(default=None, min_length=1, description="Who states that length.")
    position_error_m: Metres = Field(description="Position error of the drawn line [m]; shown on every output.")
    widen: bool = Field(
        default=False,
        description="Whether the belt reaches farther by that error on each side; the outputs say which was chosen.",
    )
    depth_min_m: Metres | None = Field(default=None, description="Depth of the inner band [m].")
    depth_max_m: Metres | None = Field(default=None, description="Depth of the outer band [m].")
    depth_profile: tuple[tuple[float, float, float], ...] | None = Field(
        default=None, description="Rows of (distance along the line, inner depth, outer depth) [m]."
    )
    measure: Literal["each-side", "total"] = Field(description="Depth counts on each side, or across the line.")
    sides: Literal["both", "left", "right"] = Field(description="Sides as seen along the line's direction.")
    caps: Literal["round", "flat"] = Field(description="Belt round the line's ends, or cut square there.")

    @model_validator(mode="after")
    def _one_depth(self) -> Self:
        constant = self.depth_min_m is not None and self.depth_max_m is not None
        if constant == (self.depth_profile is not None):
            raise ValueError("give depth_min_m and depth_max_m, or depth_profile, and not both")
        return self

    @model_validator(mode="after")
    def _length_with_its_source(self) -> Self:
        if (self.stated_length_km is None) != (self.stated_length_source is None):
            raise ValueError("stated_length_km and stated_length_source go together: give both, or neither")
        return self

    @property
    def widened_depth(self) -> tuple[float, ...] | tuple[tuple[float, float, float], ...]:
        """The depth, deeper by the position error on each side where that was chosen [m]."""
        if not self.widen:
            return self.depth
        sides = 2 if self.measure == "total" and self.sides == "both" else 1  # a depth across the line has both in it
        more = self.position_error_m * sides
        if self.depth_profile is not None:
            return tuple((at, inner + more, outer + more) for at, inner, outer in self.depth_profile)
        assert self.depth_min_m is not None
        assert self.depth_max_m is not None
        return (self.depth_min_m + more, self.depth_max_m + more)

    @property
    def depth(self) -> tuple[float, float] | tuple[tuple[float, float, float], ...]:
        """Constant (min, max) [m], or the rows of the profile."""
        if self.depth_profile is not None:
            return self.depth_profile
        assert self.depth_min_m is not None
        assert self.depth_max_m is not None
        return (self.depth_min_m, self.depth_max_m)


class KnownSource(Settings):
    """Records, maps or lists that are known to exist and are not among the inputs: counted in words, never drawn."""

    name: str = Field(min_length=1, description="What it is called.")
    number: int = Field(ge=1, description="How many items it is said to hold.")
    holds: str = Field(min_length=1, description="What these items are, in the plural: mines, maps, records.")
    handed_over_on: dt.date | None = Field(default=None, description="Day on which it was handed over; unset: unknown.")
    source: str = Field(min_length=1, description="Where its existence and number are published.")


class AccidentCentroids(Settings):
    """What the position error is of accidents whose coordinates were written for want of better ones."""

    error_m: Metres = Field(
        description="How far from a village's or district's point, or from coordinates that several accidents share, "
        "an accident written there may have been [m]; stands for what the layers imply."
    )
    source: str = Field(min_length=1, description="Who says so.")


class ReturnTarget(Settings):
    """What a return programme means to reach, as published: printed beside people already home and who wait, in no sum.

    It says nothing of single places.
    """

    programme: str = Field(min_length=1, description="What the programme is called.")
    people: int = Field(ge=1, description="People who are to live there by the day [people].")
    where: str = Field(min_length=1, description="For which region, in words.")
    by: dt.date = Field(description="Day by which.")
    source: str = Field(min_length=1, description="Where the target is published.")


class SheetSettings(Settings):
    """A further sheet or file of a source, and how its names and codes map to ours."""

    path: Path | None = Field(default=None, description="The file; unset: the same as the records'.")
    layer: str | None = Field(default=None, description="Sheet of a workbook; unset: the table's own name.")
    encoding: str | None = Field(default=None, description="Text encoding of a file that states none.")
    columns: dict[str, str] = Field(default_factory=dict, description="Our column = the file's column.")
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Per column of ours: the file's code = our code."
    )
    set: dict[str, str | bool | int | float | dt.date | None] = Field(
        default_factory=dict, description="Our column = one value for all rows."
    )


Degrees = Annotated[float, Field(ge=0, le=45, allow_inf_nan=False)]


class RecordErrors(Settings):
    """Standard errors of the measurements behind records that state none themselves; no defaults."""

    sigma_reference_m: Metres | None = Field(
        default=None, description="Per axis, of a reference point that states no position_error_m [m]."
    )
    sigma_bearing_deg: Degrees | None = Field(
        default=None, description="Of one bearing, independent from leg to leg [degrees]."
    )
    sigma_shared_bearing_deg: Degrees | None = Field(
        default=None, description="Shared by all bearings of a record: compass, declination [degrees]."
    )
    sigma_distance_m: Metres | None = Field(
        default=None, description="Of one distance, independent from leg to leg [m]."
    )
    sigma_scale: Annotated[float, Field(ge=0, le=0.5)] | None = Field(
        default=None, description="Shared by all distances of a record, as a part of them: pace length, tape [1]."
    )


class RecordSettings(SourceSettings):
    """Minefield records: a workbook with the sheets records, legs and (optional) anchors, or an IMSMA point list."""

    legs: SheetSettings = SheetSettings()
    anchors: SheetSettings = SheetSettings()
    errors: RecordErrors = RecordErrors()
    direct_evidence_from: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None,
        description="Reliability from which a record counts as direct evidence (CHA); unset: every record is SHA.",
    )
    adjust: Literal["none", "compass-rule"] = Field(
        default="none", description="Whether misclosures within 3 sigma are spread over the legs; larger ones never."
    )
    scans: dict[str, Path] = Field(
        default_factory=dict, description="Name of a scanned map = its control points (.points, or the image itself)."
    )
    scan_model: Literal["affine", "polynomial", "thin-plate"] = Field(
        default="affine", description="How pixels of scans become coordinates."
    )
    scan_crs: str | None = Field(
        default=None,
        description="CRS of the map coordinates of scans whose control points state none, e.g. 'EPSG:28408'.",
    )
    gazetteer: Path | None = Field(
        default=None,
        description="CSV of named landmarks (name, longitude, latitude in WGS 84): candidate anchors, listed only.",
    )


class ContextSettings(Settings):
    """Layers that are drawn or used for names; none is a hazard."""

    districts: Path | None = Field(default=None, description="Areas by which ground is summed, as polygons.")
    district_name: str = Field(default="name", description="Field of that layer that holds their names.")
    countries: Path | None = Field(default=None, description="Countries, drawn behind the map.")
    country_name: str = Field(default="name", description="Field of that layer that holds their names.")
    rivers: Path | None = Field(default=None, description="Rivers, drawn behind the map.")
    lakes: Path | None = Field(default=None, description="Lakes, drawn behind the map.")
    elevation: Path | None = Field(default=None, description="Heights as a raster, drawn as relief behind the map.")
    attribution: str = Field(default="", description="Credit line that the data's licences ask for.")
