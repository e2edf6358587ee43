"""Settings of the contamination surface: its evidence, and how strengths are learned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from clearplan.core.errors import SettingsError
from clearplan.settings.base import Probability, Settings, check_settings

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
