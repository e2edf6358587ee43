"""Every setting of every stage, declared once; ``plan.toml`` is these, and nothing else is accepted.

A field's description gives its meaning, unit in [brackets] and, where there is a default, its source.
Where no source exists there is no default: the planner must decide, and the plan shows who did.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from clearplan.core.errors import MissingFileError, ReadError, SettingsError
from clearplan.settings.base import QUEUES, Metres, Probability, Queue, Settings, check_settings, check_url
from clearplan.settings.planning import PlanningSettings
from clearplan.settings.priority import PrioritySettings
from clearplan.tables.tiers import Tier

DateStyle = Literal["iso", "dmy", "mdy"]


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


class SourceSettings(Settings):
    """One input file and how its names and codes map to ours."""

    path: Path = Field(description="The file, relative to plan.toml; with a url, the copy of what the server holds.")
    url: str | None = Field(
        default=None,
        description="Server that is read before each run: postgresql://host:port/database (its table under layer), or "
        "the https:// address of one layer of an ArcGIS feature service. Credentials come from the environment.",
    )
    layer: str | None = Field(default=None, description="Layer of a file, or table of a database, that holds several.")
    crs: str | None = Field(default=None, description="CRS of a file that states none, e.g. 'EPSG:32638'.")
    encoding: str | None = Field(default=None, description="Text encoding of a file that states none.")
    dates: DateStyle | None = Field(
        default=None, description="How 03/10/2020 is read: dmy (3 October) or mdy (10 March). Unset: a fault."
    )
    decimal: Literal[".", ","] = Field(default=".", description="Decimal mark of numbers kept as text.")
    columns: dict[str, str] = Field(default_factory=dict, description="Our column = the file's column.")
    codes: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Per column of ours: the file's code = our code."
    )
    set: dict[str, str | bool | int | float | dt.date | None] = Field(
        default_factory=dict, description="Our column = one value for all rows."
    )
    lenient: bool = Field(
        default=False,
        description="Keep rows that can't be used as 'deferred' and apply listed repairs; never silent.",
    )

    @model_validator(mode="after")
    def _server_in_order(self) -> Self:
        if self.url is not None:
            check_url(self.url)
            if self.path.suffix.lower() != ".parquet":
                raise ValueError(
                    "path must end with .parquet where a url is given: it is the copy of the server's rows"
                )
            if self.url.startswith("postgresql:") and not self.layer:
                raise ValueError("layer is missing: name the table of the database, such as layer = 'public.hazards'")
        return self


class ContactLineSettings(SourceSettings):
    """The contact line, and the depth of its belt on the ground."""

    hazard_id: str = Field(description="Identifier of the line as a hazard.")
    scale: str = Field(description="Map scale at which the line was drawn; printed beside its length.")
    source: str = Field(description="Where the line is from, and its licence.")
    recorded_on: dt.date | None = Field(default=None, description="Day for which the line was drawn.")
    position_error_m: Metres = Field(description="Position error of the drawn line [m]; shown, not buffered.")
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

    @property
    def depth(self) -> tuple[float, float] | tuple[tuple[float, float, float], ...]:
        """Constant (min, max) [m], or the rows of the profile."""
        if self.depth_profile is not None:
            return self.depth_profile
        assert self.depth_min_m is not None
        assert self.depth_max_m is not None
        return (self.depth_min_m, self.depth_max_m)


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

    districts: Path | None = Field(default=None, description="Areas by which ground is told, as polygons.")
    district_name: str = Field(default="name", description="Field of that layer that holds their names.")
    countries: Path | None = Field(default=None, description="Countries, drawn behind the map.")
    rivers: Path | None = Field(default=None, description="Rivers, drawn behind the map.")
    lakes: Path | None = Field(default=None, description="Lakes, drawn behind the map.")
    elevation: Path | None = Field(default=None, description="Heights as a raster, drawn as relief behind the map.")
    attribution: str = Field(default="", description="Credit line that the data's licences ask for.")


class FootprintSettings(Settings):
    """How a reported shape becomes the area it may cover."""

    margin_m: dict[str, Metres] = Field(description="Grown beyond the position error, per ordnance class [m].")
    strike_radius_m: Metres = Field(description="Radius of a cluster strike's footprint round its point [m].")
    assumed_position_error_m: Metres | None = Field(
        default=None, description="Used where a row states none [m]; unset: such a row is refused."
    )


class TaskSettings(Settings):
    """How areas are cut into workable pieces."""

    influence_m: Metres = Field(description="A zone is affected by what lies within this distance [m].")
    max_task_ha: dict[Queue, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        description="Largest task per queue [ha]."
    )
    min_task_m2: float = Field(ge=0, allow_inf_nan=False, description="Smaller pieces join a neighbour [m2].")

    @model_validator(mode="after")
    def _room_for_slivers(self) -> Self:
        for queue in QUEUES:
            if queue not in self.max_task_ha:
                raise ValueError(f"max_task_ha.{queue} is missing")
            if self.max_task_ha[queue] * 1e4 < 8 * self.min_task_m2:
                raise ValueError(f"max_task_ha.{queue} must be at least 8 x min_task_m2")
        return self


class Detection(Settings):
    """Probability that each way of releasing finds what is there; no defaults: nobody has published any."""

    cancelled: Probability = Field(description="Of non-technical survey, for ordnance that is there [1].")
    reduced: Probability = Field(description="Of technical survey [1].")
    cleared: Probability = Field(description="Of clearance to its stated depth [1].")


class ReleaseSettings(Settings):
    """What a release says about the ground that it covers."""

    detection: Detection
    source: str = Field(min_length=1, description="Who set the probabilities, or the word illustrative.")
    published: Path | None = Field(
        default=None, description="CSV of release figures as published: breakdown, name, hectares, source; a chart."
    )
    bridge_from: dt.date | None = Field(
        default=None, description="Day at which the bridge table opens; it closes at study.as_at. Unset: no bridge."
    )


Positive = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, lt=1)]
EvidenceName = Literal["line", "records", "cha", "sha", "strikes", "accidents", "settlements", "roads"]
FallOff = Literal["long-tail", "exponential", "gaussian"]


class SurfaceTerm(Settings):
    """One kind of evidence: how strongly it speaks, how far, and who says so."""

    evidence: EvidenceName = Field(description="Kind of evidence that the term weighs.")
    strength: Strength | None = Field(
        default=None,
        description="What it adds to the logit where the evidence itself lies [1]; 0.69 doubles the odds, 2.3 makes "
        "them tenfold. Unset only in fitted mode, or where the line's sides have their own.",
    )
    strength_left: Strength | None = Field(default=None, description="line: left of its direction [1].")
    strength_right: Strength | None = Field(default=None, description="line: right of its direction [1].")
    spread: Strength = Field(description="How unsure the strength is: its standard deviation [1].")
    scale_m: Positive = Field(
        description="Distance at which it has fallen to half (long-tail), to 1/e (exponential) or to 0.61 (gaussian), "
        "before the fall to 0 at max_distance_m is taken off [m]. line: metres where the belt is deepest."
    )
    shape: FallOff = Field(description="How it falls: 1/(1 + d/scale), exp(-d/scale), or exp(-d2/2 scale2).")
    wrong_anchor_m: Positive | None = Field(
        default=None, description="records: how far off a record with a wrong reference point may lie [m]."
    )
    half_at: Positive | None = Field(
        default=None, description="accidents: how many at one place make the term one half [accidents]."
    )
    source: str = Field(min_length=1, description="Who set it, or the word illustrative.")

    @model_validator(mode="after")
    def _what_belongs_to_it(self) -> Self:
        sides = (self.strength_left, self.strength_right)
        two = any(side is not None for side in sides)
        if two and (self.evidence != "line" or self.strength is not None or None in sides):
            raise ValueError(f"{self.evidence}: strength_left and strength_right go together, for the line alone")
        for name, owner in (("wrong_anchor_m", "records"), ("half_at", "accidents")):
            if (getattr(self, name) is not None) != (self.evidence == owner):
                raise ValueError(f"{self.evidence}: {name} is needed for {owner}, and for nothing else")
        return self

    @property
    def columns(self) -> dict[str, float | None]:
        """Columns of the model that the term makes, and the strength of each [1]."""
        if self.strength_left is not None:
            return {"line-left": self.strength_left, "line-right": self.strength_right}
        return {self.evidence: self.strength}


class SurfaceSettings(Settings):
    """The contamination surface: logit p = logit base_rate + sum of strength x fall-off with distance."""

    mode: Literal["expert", "fitted"] = Field(
        description="expert: strengths as written here. fitted: strengths from accidents and known hazards."
    )
    cell_m: Annotated[float, Field(ge=0.1, le=100_000)] = Field(description="Side of a cell [m].")
    max_distance_m: Positive = Field(
        description="Evidence farther away says nothing; where no line, record, field, strike or accident is nearer, "
        "nobody knows [m]."
    )
    base_rate: Rate = Field(
        description="Probability of a cell at the very end of all evidence's reach [1]; with a source."
    )
    base_rate_spread: Strength = Field(description="How unsure its logit is: standard deviation [1].")
    base_rate_source: str = Field(min_length=1, description="Who set it, or the word illustrative.")
    terms: Annotated[tuple[SurfaceTerm, ...], Field(min_length=1)]
    draws: int = Field(ge=20, le=10_000, description="Draws of the strengths behind each interval.")
    seed: int = Field(ge=0, description="Seed of these draws; written into the outputs.")
    settlements: Path | None = Field(default=None, description="Layer of places, for the term of that name.")
    roads: Path | None = Field(default=None, description="Layer of roads or tracks, for the term of that name.")
    mask: Literal["districts", "countries"] | None = Field(
        default=None, description="Layer of [context] outside of which nobody knows; unset: none."
    )

    @model_validator(mode="after")
    def _terms_that_can_be_drawn(self) -> Self:
        names = [term.evidence for term in self.terms]
        if len(set(names)) < len(names):
            raise ValueError("a kind of evidence is named twice in terms")
        blank = [n for t in self.terms for n, strength in t.columns.items() if strength is None]
        silent = [t.evidence for t in self.terms if set(t.columns.values()) == {0}]
        if self.mode == "expert" and silent:
            raise ValueError(
                f"strength 0 of {', '.join(silent)} says nothing and would make ground known; drop the term"
            )
        if self.mode == "expert" and blank:
            raise ValueError(f"expert mode needs a strength for {', '.join(blank)}")
        if self.max_distance_m <= self.cell_m:
            raise ValueError("max_distance_m must be larger than cell_m")
        return self

    def with_strengths(self, strengths: dict[str, float], *, base_rate: float) -> Self:
        """The same settings with other strengths, by column (``line``, or ``line-left`` and ``line-right``, ...).

        Raises
        ------
        SettingsError
            A column has no strength, or one is out of range.
        """
        terms = []
        for term in self.terms:
            names = ("strength_left", "strength_right") if len(term.columns) == 2 else ("strength",)
            missing = [column for column in term.columns if column not in strengths]
            if missing:
                raise SettingsError(f"surface.terms: no strength for {', '.join(missing)}; give one for each column")
            told = term.model_dump() | dict(zip(names, map(strengths.get, term.columns), strict=True))
            terms.append(told)
        whole = self.model_dump() | {"terms": terms, "base_rate": base_rate}
        return check_settings(type(self), whole, where="surface")


class FitSettings(Settings):
    """How strengths are learned from what happened, and how well they foretell it (``clearplan evaluate``)."""

    labels: Literal["accidents", "hazards", "surveys"] = Field(
        description="What the strengths are learned from. accidents: where people were hurt. hazards: ground inside "
        "CHA and SHA. surveys: places that were searched, with and without a find."
    )
    prevalence: Probability | None = Field(
        default=None,
        description="Share of the known ground that is contaminated [1]; with a source. Needed for accidents and "
        "hazards, which never say it; surveys say it themselves.",
    )
    prevalence_spread: Strength | None = Field(
        default=None, description="How unsure the logit of the prevalence is: its standard deviation [1]."
    )
    prevalence_source: str | None = Field(default=None, description="Who set it, or the word illustrative.")
    exposure: tuple[EvidenceName, ...] = Field(
        description="Evidence that also brings people, and with them accidents: settlements, roads. Its effect on "
        "accidents is fitted and kept out of the surface, where the planner's own strength for it stands."
    )
    background: int = Field(
        ge=1_000, le=5_000_000, description="Known cells drawn at random to stand for all of them [cells]."
    )
    block_m: Positive = Field(
        description="Side of the squares that are held out whole [m]; longer than accidents hang together."
    )
    folds: int = Field(ge=2, le=20, description="Groups of squares, each held out once.")
    penalties: Annotated[tuple[Annotated[float, Field(gt=0, le=1e6)], ...], Field(min_length=1)] = Field(
        description="Values of C to choose from: the ridge on strengths is their sum of squares / 2C; of several the "
        "one that foretells held-out blocks best is taken."
    )
    bootstrap: int = Field(ge=20, le=5_000, description="Resamples of whole blocks behind the spreads.")
    seed: int = Field(ge=0, description="Seed of background, folds and resamples; written into the outputs.")

    @model_validator(mode="after")
    def _prevalence_where_it_is_needed(self) -> Self:
        told = (self.prevalence, self.prevalence_spread, self.prevalence_source)
        if self.labels == "surveys":
            if any(value is not None for value in told):
                raise ValueError("prevalence is what surveys tell; leave it out")
            if self.exposure:
                raise ValueError("surveys need no exposure: they were made whether or not there was an accident")
        elif any(value is None for value in told):
            raise ValueError(
                f"{self.labels} never say how much ground is contaminated: give prevalence, prevalence_spread and "
                "prevalence_source"
            )
        return self


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


class Plan(Settings):
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


def load_plan(path: str | Path, *, change: Mapping[str, Any] | None = None) -> Plan:
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
    return check_settings(Plan, settings, where=str(path))


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
