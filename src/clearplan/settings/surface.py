"""Settings of the contamination surface: its evidence, and how strengths are learned."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from clearplan.core.errors import SettingsError
from clearplan.settings.base import Probability, Settings, check_settings

Positive = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)]
Strength = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Rate = Annotated[float, Field(gt=0, lt=1)]
EvidenceName = Literal[
    "line", "records", "cha", "sha", "strikes", "accidents", "cleared", "closed", "settlements", "roads"
]
FallOff = Literal["long-tail", "exponential", "gaussian"]
HalfLife = Positive | Literal["none"]
#: Evidence whose rows have a day, so that it may fade.
DATED = ("accidents", "strikes", "cleared", "closed")
#: Evidence of which one source may raise more false alarms than another.
ALARMS = ("cha", "sha")


class SurfaceTerm(Settings):
    """One kind of evidence: how strongly it speaks, how far, and who says so."""

    evidence: EvidenceName = Field(
        description="Kind of evidence that the term weighs. cleared: ground that was cleared and where something, or "
        "nobody says what, was found. closed: hazards whose status is closed."
    )
    strength: Strength | tuple[Strength, ...] | None = Field(
        default=None,
        description="What it adds to the logit where the evidence itself lies [1]; 0.69 doubles the odds, 2.3 makes "
        "them tenfold; one for each scale. Unset only in fitted mode, or where the line's sides have their own.",
    )
    strength_left: Strength | None = Field(default=None, description="line: left of its direction [1].")
    strength_right: Strength | None = Field(default=None, description="line: right of its direction [1].")
    spread: Strength = Field(description="How unsure the strength is: its standard deviation [1].")
    scale_m: Positive | Annotated[tuple[Positive, ...], Field(min_length=1)] = Field(
        description="Distance at which it has fallen to half (long-tail), to 1/e (exponential) or to 0.61 (gaussian), "
        "before the fall to 0 at max_distance_m is taken off [m]; several from short to long have a strength each, and "
        "add up. line: metres where the belt is deepest."
    )
    shape: FallOff | Annotated[tuple[FallOff, ...], Field(min_length=1)] = Field(
        description="How it falls: 1/(1 + d/scale), exp(-d/scale), or exp(-d2/2 scale2). Of several the fitted mode "
        "chooses one."
    )
    half_life_years: HalfLife | Annotated[tuple[HalfLife, ...], Field(min_length=1)] = Field(
        default="none",
        description="accidents, strikes, cleared, closed: age at which a row counts half on the study's day [years], "
        "or none: old ones count as new ones. Of several the fitted mode chooses one. A row without a day counts in "
        "full.",
    )
    learn_reliability: bool = Field(
        default=False,
        description="cha, sha: each source's areas count by the share of that source's concluded areas in which "
        "something was found.",
    )
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
        if two and (self.evidence != "line" or self.strength is not None or None in sides or len(self.scales_m) > 1):
            raise ValueError(
                f"{self.evidence}: strength_left and strength_right go together, for the line alone, with one scale"
            )
        for name, owner in (("wrong_anchor_m", "records"), ("half_at", "accidents")):
            if (getattr(self, name) is not None) != (self.evidence == owner):
                raise ValueError(f"{self.evidence}: {name} is needed for {owner}, and for nothing else")
        if self.half_lives != ("none",) and self.evidence not in DATED:
            raise ValueError(f"{self.evidence}: half_life_years is for {', '.join(DATED)}: nothing else has a day")
        if self.learn_reliability and self.evidence not in ALARMS:
            raise ValueError(f"{self.evidence}: learn_reliability is for {' and '.join(ALARMS)}")
        if list(self.scales_m) != sorted(set(self.scales_m)):
            raise ValueError(f"{self.evidence}: scale_m must grow from one to the next, each once")
        if isinstance(self.strength, tuple) and len(self.strength) != len(self.scales_m):
            raise ValueError(f"{self.evidence}: {len(self.strength)} strengths for {len(self.scales_m)} scales; make "
                             "them as many")  # fmt: skip
        if len(self.scales_m) > 1 and isinstance(self.strength, float):
            raise ValueError(f"{self.evidence}: one strength for {len(self.scales_m)} scales; give one for each")
        return self

    @property
    def scales_m(self) -> tuple[float, ...]:
        """Scales, from the shortest [m]."""
        return self.scale_m if isinstance(self.scale_m, tuple) else (self.scale_m,)

    @property
    def shapes(self) -> tuple[FallOff, ...]:
        """Shapes to choose from."""
        return self.shape if isinstance(self.shape, tuple) else (self.shape,)

    @property
    def half_lives(self) -> tuple[HalfLife, ...]:
        """Half-lives to choose from [years]."""
        return self.half_life_years if isinstance(self.half_life_years, tuple) else (self.half_life_years,)

    @property
    def half_life(self) -> float | None:
        """The half-life [years]; None where age does not count. Only of a term with one choice."""
        (only,) = self.half_lives
        return None if only == "none" else only

    @property
    def choices(self) -> tuple[SurfaceTerm, ...]:
        """The term with each shape and half-life that it may have."""
        pairs = product(self.shapes, self.half_lives)
        return tuple(self.model_copy(update={"shape": s, "half_life_years": h}) for s, h in pairs)

    @property
    def columns(self) -> dict[str, float | None]:
        """Columns of the model that the term makes, and the strength of each [1]."""
        if self.strength_left is not None:
            return {"line-left": self.strength_left, "line-right": self.strength_right}
        if len(self.scales_m) == 1:
            (only,) = self.strength if isinstance(self.strength, tuple) else (self.strength,)
            return {self.evidence: only}
        strengths = self.strength if isinstance(self.strength, tuple) else (None,) * len(self.scales_m)
        names = [f"{self.evidence} {scale:g} m" for scale in self.scales_m]
        return dict(zip(names, strengths, strict=True))


class SurfaceCovariate(Settings):
    """A layer of the land that moves the share of contaminated ground and makes nothing known by itself.

    Its figure is standardised: the strength is for one standard deviation over the grid more.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9 _-]{0,40}$")] = Field(description="What it is called.")
    made: Literal["slope", "relief"] | None = Field(
        default=None,
        description="From context.elevation: slope [degrees], or relief, the height above the mean within radius_m.",
    )
    layer: Path | None = Field(default=None, description="Raster, or polygons, lines or points of the land.")
    field: str | None = Field(default=None, description="Column of numbers of the polygons; unset: 1 inside, else 0.")
    of: str | None = Field(default=None, description="Only shapes whose kind_field is this, such as forest.")
    kind_field: str | None = Field(default=None, description="Column that says what a shape is, with of.")
    distance: bool = Field(default=False, description="Distance to the shapes, as a share of max_distance_m, counts.")
    radius_m: Positive | None = Field(default=None, description="relief: radius of the mean height [m].")
    strength: Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] | None = Field(
        default=None, description="What one standard deviation more adds to the logit [1]. Unset only in fitted mode."
    )
    spread: Strength = Field(description="How unsure the strength is: its standard deviation [1].")
    source: str = Field(min_length=1, description="Who set it, or the word illustrative.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.made is None) == (self.layer is None):
            raise ValueError(f"{self.name}: give made or layer, and not both")
        if (self.radius_m is not None) != (self.made == "relief"):
            raise ValueError(f"{self.name}: radius_m is needed for relief, and for nothing else")
        if (self.of is None) != (self.kind_field is None):
            raise ValueError(f"{self.name}: of and kind_field go together")
        if self.field is not None and self.distance:
            raise ValueError(f"{self.name}: field is a figure of the shapes, distance is that to them; take one")
        if self.made is not None and (self.field is not None or self.distance or self.of is not None):
            raise ValueError(f"{self.name}: {self.made} is made from elevation; drop field, distance and of")
        return self


class SurfaceSettings(Settings):
    """The contamination surface: share of the ground that is contaminated, from all evidence together.

    logit share = logit base_rate + sum of strength x fall-off with distance + sum of strength x covariate.
    """

    mode: Literal["expert", "fitted"] = Field(
        description="expert: strengths as written here. fitted: strengths from accidents and known hazards."
    )
    cell_m: Annotated[float, Field(ge=0.1, le=100_000)] = Field(description="Side of a cell [m].")
    max_distance_m: Positive = Field(
        description="Evidence farther away says nothing; where no line, record, field, strike or accident is nearer, "
        "nobody knows [m]."
    )
    base_rate: Rate = Field(
        description="Share of the ground that is contaminated at the very end of all evidence's reach [1]; with a "
        "source."
    )
    base_rate_spread: Strength = Field(description="How unsure its logit is: standard deviation [1].")
    base_rate_source: str = Field(min_length=1, description="Who set it, or the word illustrative.")
    patch_m2: Annotated[float, Field(gt=0, le=1e8, allow_inf_nan=False)] | None = Field(
        default=None,
        description="Mean size of a patch of contaminated ground [m2]; the chance that a piece of ground holds any "
        "follows from it. Unset: no such chance.",
    )
    patch_source: str | None = Field(default=None, description="Who set it, or the word illustrative.")
    block_spread: Strength | None = Field(
        default=None,
        description="How much squares of block_m differ in the logit beyond what the evidence explains: standard "
        "deviation [1]; widens what will be found. The fitted mode learns it.",
    )
    block_m: Positive | None = Field(default=None, description="Side of these squares [m].")
    relative: bool = Field(
        default=False,
        description="Shares are relative to their mean, for nobody states how much ground is contaminated; set by the "
        "fitted mode.",
    )
    terms: Annotated[tuple[SurfaceTerm, ...], Field(min_length=1)]
    covariates: tuple[SurfaceCovariate, ...] = Field(default=(), description="Layers of the land, one each.")
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
        layers = [covariate.name for covariate in self.covariates]
        if len(set(layers)) < len(layers) or set(layers) & set(get_args(EvidenceName)):
            raise ValueError("covariates: each needs a name of its own, and not that of a kind of evidence")
        if (self.patch_m2 is None) != (self.patch_source is None):
            raise ValueError("patch_m2 and patch_source go together")
        if (self.block_spread is None) != (self.block_m is None):
            raise ValueError("block_spread and block_m go together")
        if self.mode == "expert" and self.relative:
            raise ValueError("relative is set by the fitted mode; drop it")
        if self.mode == "expert":
            self._all_written()
        if self.max_distance_m <= self.cell_m:
            raise ValueError("max_distance_m must be larger than cell_m")
        return self

    def _all_written(self) -> None:
        silent = [t.evidence for t in self.terms if set(t.columns.values()) == {0}]
        if silent:
            raise ValueError(
                f"strength 0 of {', '.join(silent)} says nothing and would make ground known; drop the term"
            )
        blank = [name for name, strength in self.strengths.items() if strength is None]
        if blank:
            raise ValueError(f"expert mode needs a strength for {', '.join(blank)}")
        open_ = [t.evidence for t in self.terms if len(t.choices) > 1]
        if open_:
            raise ValueError(f"expert mode needs one shape and one half-life for {', '.join(open_)}; nothing chooses")

    @property
    def decided(self) -> Self:
        """The settings with the first shape and half-life that each term names."""
        return self.model_copy(update={"terms": tuple(term.choices[0] for term in self.terms)})

    @property
    def strengths(self) -> dict[str, float | None]:
        """Strength of every column of the model: those of the terms, then the covariates [1]."""
        columns: dict[str, float | None] = {}
        for term in self.terms:
            columns |= term.columns
        return columns | {covariate.name: covariate.strength for covariate in self.covariates}

    @property
    def spreads(self) -> dict[str, float]:
        """How unsure the strength of every column is [1]."""
        columns: dict[str, float] = {}
        for term in self.terms:
            columns |= dict.fromkeys(term.columns, term.spread)
        return columns | {covariate.name: covariate.spread for covariate in self.covariates}

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of evidence of every column; that of a covariate is its name."""
        columns: dict[str, str] = {}
        for term in self.terms:
            columns |= dict.fromkeys(term.columns, term.evidence)
        return columns | {covariate.name: covariate.name for covariate in self.covariates}

    def with_strengths(self, strengths: dict[str, float], *, base_rate: float) -> Self:
        """The same settings with other strengths, by column (``line``, or ``line-left`` and ``line-right``, ...).

        Raises
        ------
        SettingsError
            A column has no strength, or one is out of range.
        """
        missing = [column for column in self.strengths if column not in strengths]
        if missing:
            raise SettingsError(f"surface.terms: no strength for {', '.join(missing)}; give one for each column")
        terms = []
        for term in self.terms:
            own = tuple(strengths[column] for column in term.columns)
            written: dict[str, object] = {"strength": own if len(own) > 1 else own[0]}
            if "line-left" in term.columns:
                written = {"strength_left": own[0], "strength_right": own[1]}
            terms.append(term.model_dump() | written)
        covariates = [c.model_dump() | {"strength": strengths[c.name]} for c in self.covariates]
        whole = self.model_dump() | {"terms": terms, "covariates": covariates, "base_rate": base_rate}
        return check_settings(type(self), whole, where="surface")


class FitSettings(Settings):
    """How strengths are learned from what happened, and how well they foretell it (``clearplan evaluate``)."""

    labels: Literal["accidents", "hazards", "surveys"] = Field(
        description="What the strengths are learned from. accidents: where people were hurt. hazards: ground inside "
        "CHA and SHA. surveys: ground that was searched, with and without finds, from the releases."
    )
    prevalence: Probability | None = Field(
        default=None,
        description="Share of the known ground that is contaminated [1]; with a source. Accidents and hazards never "
        "say it: without it their map is relative, and no area follows. Surveys say it themselves.",
    )
    prevalence_spread: Strength | None = Field(
        default=None, description="How unsure the logit of the prevalence is: its standard deviation [1]."
    )
    prevalence_source: str | None = Field(default=None, description="Who set it, or the word illustrative.")
    window_years: Positive | None = Field(
        default=None,
        description="accidents: those of so many years before the study's day are foretold from the evidence of the "
        "day before [years], past accidents among it; unset: those of all years from today's evidence, without "
        "accidents.",
    )
    windows: int = Field(default=1, ge=1, le=10, description="How many such windows, each before the one after it.")
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
        stated = (self.prevalence, self.prevalence_spread, self.prevalence_source)
        if self.labels == "surveys":
            if any(value is not None for value in stated):
                raise ValueError("prevalence is what surveys say; leave it out")
            if self.exposure:
                raise ValueError("surveys need no exposure: they were made whether or not there was an accident")
        elif any(value is None for value in stated) and any(value is not None for value in stated):
            raise ValueError("prevalence, prevalence_spread and prevalence_source go together")
        if self.window_years is not None and self.labels != "accidents":
            raise ValueError(f"window_years is for accidents, not for {self.labels}")
        if self.windows > 1 and self.window_years is None:
            raise ValueError("windows needs window_years, how long each of them is")
        return self
