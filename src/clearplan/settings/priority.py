"""Settings of the ranking: criteria and their value functions, weights and who set them, what is uncertain."""

from __future__ import annotations

import datetime as dt
import math
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from clearplan.settings.base import QUEUES, LandClass, Metres, Probability, Queue, Settings

Share = Annotated[float, Field(gt=0, lt=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
#: What the criteria's own weights are called beside the weight sets, and other heads of those tables.
OWN_WEIGHTS = "the plan"
RESERVED = (OWN_WEIGHTS, "queue", "criterion")
#: Figures that clearplan measures itself; a criterion of another name reads a column of TASKS.
FIGURES = (
    "people", "families", "already_home", "days_to_return", "lifelines", "zone_distance", "accidents", "land_class",
    "area", "probability", "expected_area", "effort", "road_distance", "slope",
)  # fmt: skip


class Criterion(Settings):
    """One criterion: what it measures, its weight, and how a raw figure becomes a value from 0 to 1."""

    name: Name = Field(
        description=f"A figure that clearplan measures ({', '.join(FIGURES)}), or a name of yours. 'probability' is "
        "the share of the task's ground that is expected to be contaminated."
    )
    column: str | None = Field(
        default=None,
        description="Column of TASKS that holds the figure, for a name of yours.",
    )
    label: str | None = Field(default=None, description="What it is called in the outputs; unset: clearplan's words.")
    unit: str | None = Field(default=None, description="Unit of the figure, for a name of yours.")
    weight: float = Field(
        ge=0, allow_inf_nan=False, description="Weight beside the other criteria; they are made to sum to 100."
    )
    weight_range: tuple[Amount, Amount] | None = Field(
        default=None,
        description="Least and most that the weight may be, where the criteria's own weights rank; unset: "
        "robustness.weight_spread round it.",
    )
    scale: Literal["linear", "log", "steps"] = Field(
        default="linear",
        description="How a figure becomes a value between the anchors: evenly, by its logarithm, or in steps.",
    )
    zero_at: float | None = Field(default=None, allow_inf_nan=False, description="Raw figure that is worth 0.")
    one_at: float | None = Field(default=None, allow_inf_nan=False, description="Raw figure that is worth 1.")
    steps: tuple[tuple[Finite, Probability], ...] | None = Field(
        default=None,
        description="steps: rows of (figure from which it holds, value); below the first its value holds too.",
    )
    unknown: Finite | tuple[Finite, Finite, Finite] | None = Field(
        default=None,
        description="Figure assumed where a task has none, or its (low, likely, high); shown wherever it counts. "
        "Unset: "
        "a task without a figure is an error.",
    )
    source: str = Field(min_length=1, description="Who set it, or the word illustrative.")
    queues: Annotated[tuple[Queue, ...], Field(min_length=1)] = Field(
        default=QUEUES, description="Queues whose tasks it ranks."
    )

    @model_validator(mode="after")
    def _value_function(self) -> Self:
        if self.scale == "steps":
            self._refuse_steps()
        elif self.steps is not None:
            raise ValueError(f"criterion {self.name}: steps belong to scale = 'steps'")
        elif self.zero_at is None or self.one_at is None:
            raise ValueError(f"criterion {self.name}: zero_at and one_at are missing; state both anchors")
        elif self.zero_at == self.one_at:
            raise ValueError(f"criterion {self.name}: zero_at and one_at must differ")
        elif self.scale == "log" and min(self.zero_at, self.one_at) <= 0:
            raise ValueError(f"criterion {self.name}: a log scale needs anchors above 0")
        return self

    def _refuse_steps(self) -> None:
        if self.zero_at is not None or self.one_at is not None:
            raise ValueError(f"criterion {self.name}: steps have no anchors; drop zero_at and one_at")
        if self.steps is None or len(self.steps) < 2:
            raise ValueError(f"criterion {self.name}: give at least two steps")
        rising = {math.copysign(1, b[1] - a[1]) for a, b in pairwise(self.steps) if b[1] != a[1]}
        if any(b[0] <= a[0] for a, b in pairwise(self.steps)) or len(rising) != 1:
            raise ValueError(
                f"criterion {self.name}: figures of steps must rise from row to row, and values rise or fall throughout"
            )

    @model_validator(mode="after")
    def _what_it_measures(self) -> Self:
        shipped = self.name in FIGURES
        if not shipped and self.column is None:
            near = get_close_matches(self.name, FIGURES, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"it knows {', '.join(FIGURES)}."
            raise ValueError(
                f"criterion {self.name}: clearplan measures no such figure; {hint} For a figure of yours name its "
                "column of TASKS"
            )
        if shipped and self.column is not None:
            raise ValueError(f"criterion {self.name}: clearplan measures it itself; drop column, or give another name")
        if self.column is not None and (self.label is None or self.unit is None):
            raise ValueError(f"criterion {self.name}: state label and unit of its column")
        return self

    @model_validator(mode="after")
    def _ranges_in_order(self) -> Self:
        if self.weight_range is not None and not self.weight_range[0] <= self.weight <= self.weight_range[1]:
            raise ValueError(f"criterion {self.name}: weight_range must hold the weight")
        if len(set(self.queues)) < len(self.queues):
            raise ValueError(f"criterion {self.name}: a queue is named twice")
        if isinstance(self.unknown, tuple) and list(self.unknown) != sorted(self.unknown):
            raise ValueError(f"criterion {self.name}: unknown must be low, likely, high in that order")
        return self

    @property
    def rises(self) -> bool:
        """Whether a larger figure is worth more."""
        if self.steps is not None:
            return self.steps[-1][1] > self.steps[0][1]
        assert self.zero_at is not None
        assert self.one_at is not None
        return self.one_at > self.zero_at


class WeightSet(Settings):
    """Weights as one stakeholder sees them."""

    name: str = Field(min_length=1, description="Whose weights these are.")
    set_by: str = Field(min_length=1, description="Who spoke for them.")
    set_on: dt.date = Field(description="Day on which they were set.")
    method: Literal["direct", "swing", "pairwise"] = Field(
        description="direct: weights as written. swing: the most important swing from worst to best is 100, the "
        "others "
        "in proportion. pairwise: judgements in Saaty's scale, principal eigenvector."
    )
    weights: dict[str, Amount] | None = Field(default=None, description="direct, swing: criterion = weight.")
    order: tuple[str, ...] | None = Field(default=None, description="pairwise: criteria in the order of the matrix.")
    matrix: tuple[tuple[float, ...], ...] | None = Field(
        default=None, description="pairwise: how many times row is as important as column, 1/9 to 9."
    )

    @model_validator(mode="after")
    def _what_the_method_needs(self) -> Self:
        paired = self.method == "pairwise"
        if paired != (self.order is not None and self.matrix is not None) or paired == (self.weights is not None):
            raise ValueError(
                f"weights {self.name}: {self.method} needs {'order and matrix' if paired else 'weights'} only"
            )
        if self.name in RESERVED:
            raise ValueError(f"weights {self.name}: the outputs use this word themselves; take another name")
        if paired:
            self._refuse_judgements()
        if self.weights is not None and sum(self.weights.values()) <= 0:
            raise ValueError(f"weights {self.name}: they sum to 0; give at least one more than 0")
        if self.method == "swing" and self.weights is not None and max(self.weights.values()) != 100:
            raise ValueError(f"weights {self.name}: the most important swing is 100; none is")
        return self

    def _refuse_judgements(self) -> None:
        order, matrix = self.order or (), self.matrix or ()
        if len(set(order)) < len(order):
            raise ValueError(f"weights {self.name}: a criterion stands twice in order")
        for k, row in enumerate(matrix):
            if len(row) != len(order) or len(matrix) != len(order):
                raise ValueError(
                    f"weights {self.name}: matrix needs {len(order)} rows of {len(order)} numbers; it has "
                    f"{len(matrix)} rows, and {len(row)} numbers in row {k + 1}"
                )
            if any(not 0.1 <= judgement <= 9 for judgement in row):
                raise ValueError(f"weights {self.name}: judgements run from 1/9 to 9; correct row {k + 1}")

    @property
    def criteria(self) -> tuple[str, ...]:
        """Criteria that it weighs."""
        return tuple(self.weights) if self.weights is not None else self.order or ()


class Rate(Settings):
    """Ground that one team releases in a day: low, likely, high, and the source, for rates differ from land to land."""

    low: float = Field(gt=0, allow_inf_nan=False, description="Low rate [m2 a team and day].")
    likely: float = Field(gt=0, allow_inf_nan=False, description="Likely rate [m2 a team and day].")
    high: float = Field(gt=0, allow_inf_nan=False, description="High rate [m2 a team and day].")
    source: str = Field(min_length=1, description="Whose rate it is, or the word illustrative.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.likely <= self.high:
            raise ValueError("low, likely and high must be in that order")
        return self


class TaskLayer(Settings):
    """A layer of polygons whose figure becomes a column of TASKS: the mean over the ground that it covers."""

    column: Name = Field(description="Column of TASKS that it makes.")
    path: Path = Field(description="File of polygons, relative to plan.toml.")
    field: str = Field(description="Its column of numbers.")


class SurveyFirst(Settings):
    """What survey before clearance costs and finds; a harm is stated, never hidden in an average."""

    survey_cost_per_m2: Amount = Field(description="Technical survey [currency a m2].")
    clearance_cost_per_m2: Amount = Field(description="Clearance [currency a m2].")
    sensitivity: Probability | None = Field(
        default=None,
        description="Chance that survey keeps ground that holds ordnance [1]; unset: planning.survey_sensitivity, so "
        "that the plan of work and the value of survey are one model.",
    )
    specificity: Probability | None = Field(
        default=None,
        description="Chance that survey releases ground that holds none [1]; unset: what planning.outcomes imply.",
    )
    harm_per_m2: Amount = Field(
        description="Harm of releasing ground that holds ordnance [currency a m2 of such ground]; always shown apart."
    )
    currency: str = Field(min_length=1, description="Currency of these costs.")
    source: str = Field(min_length=1, description="Who set these, or the word illustrative.")

    @model_validator(mode="after")
    def _better_than_a_coin(self) -> Self:
        if (self.sensitivity is None) != (self.specificity is None):
            raise ValueError("state sensitivity and specificity, or neither and planning.survey_sensitivity")
        if self.sensitivity is None or self.specificity is None:
            return self
        if self.sensitivity + self.specificity <= 1:
            raise ValueError("sensitivity + specificity must be more than 1: such a survey says less than a coin")
        return self


class RobustnessSettings(Settings):
    """Draws over weights and uncertain figures: how sure is a rank?"""

    precision: Annotated[float, Field(ge=0.001, le=0.1)] = Field(
        description="Half-width of the 95 % interval of a share of draws [1]; the number of draws follows, 9,604 "
        "for 0.01.",
    )
    seed: int = Field(ge=0, description="Seed of the draws; written into the outputs.")
    first: int = Field(
        ge=1, le=1_000, description="A task's share of draws among the first so many of its queue is shown [tasks]."
    )
    weights: Literal["ranges", "stakeholders", "any"] = Field(
        description="ranges: each weight evenly within its range. stakeholders: mixtures of all weight sets. "
        "any: all "
        "weights alike, as if nobody had set any."
    )
    weight_spread: Share | None = Field(
        default=None,
        description="ranges: half-width of the range as a part of the weight [1], where it has none of its own.",
    )
    tie_share: Annotated[float, Field(gt=0, le=0.5)] = Field(
        description="Tasks whose order flips in more than this share of draws are tied [1]."
    )
    class_shares: tuple[Share, Share] = Field(
        description="Parts of a queue after which the classes high and medium end, before the cut moves to a "
        "robust gap [1].",
    )
    class_window: Annotated[float, Field(ge=0, lt=1)] = Field(
        description="How far a cut may move, as a part of its rank [1]."
    )
    changes: int = Field(
        ge=0, description="Tasks of each queue, from the first, of which the page says what would change their rank."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.class_shares[0] >= self.class_shares[1]:
            raise ValueError("class_shares: high must end before medium")
        if self.weights == "ranges" and self.weight_spread is None:
            raise ValueError("weights = 'ranges' needs weight_spread")
        return self

    @property
    def draws(self) -> int:
        """Draws for the stated precision: 1.96 squared / (4 precision squared), Tervonen and Lahdelma 2007.

        >>> RobustnessSettings(precision=0.01, seed=1, first=10, weights="any", tie_share=0.1,
        ...     class_shares=(0.2, 0.5), class_window=0.2, changes=0).draws
        9604
        """
        return math.ceil(round(1.96**2 / (4 * self.precision**2), 6))


class PrioritySettings(Settings):
    """Criteria, weights and declared assumptions of the ranking."""

    set_by: str = Field(min_length=1, description="Who set the weights.")
    set_on: dt.date = Field(description="Day on which they were set.")
    unknown_people: float = Field(
        ge=0,
        allow_inf_nan=False,
        description="People assumed for a zone whose number nobody published; shown wherever it counts.",
    )
    unknown_people_range: tuple[Amount, Amount] | None = Field(
        default=None,
        description="Least and most people that such a zone may have; the draws of robustness run over it.",
    )
    unknown_already_home: tuple[Amount, Amount, Amount] | None = Field(
        default=None,
        description="Least, likely and most people assumed to be home already in a zone whose number nobody knows "
        "[people]; needed where the criterion already_home meets one.",
    )
    people_per_family: Annotated[float, Field(gt=0, le=50)] | None = Field(
        default=None,
        description="Used for families of a zone that states only people [people]; unset: such a zone is unknown.",
    )
    accidents_radius_m: Metres = Field(description="Accidents within this distance of a task count [m].")
    accidents_since: dt.date = Field(description="Accidents from this date on count, and undated ones.")
    lifelines_within_m: Metres | None = Field(
        default=None,
        description="A task blocks a lifeline that lies within this distance [m]; needed for that criterion.",
    )
    unknown_probability: Probability | None = Field(
        default=None,
        description="Contaminated share assumed for the ground of a task of which nobody knows [1]; needed where one "
        "is met and a criterion asks for it; shown wherever it counts.",
    )
    class_values: dict[LandClass, Probability] = Field(
        description="How strong the evidence of a class is, for the criterion land_class [1]."
    )
    rates: dict[Queue, Rate] = Field(default_factory=dict, description="Needed for the criterion effort.")
    roads: Path | None = Field(default=None, description="Layer of roads, for the criterion road_distance.")
    layers: tuple[TaskLayer, ...] = Field(
        default=(), description="Layers that make columns of TASKS, for criteria of yours."
    )
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    weights: tuple[WeightSet, ...] = Field(default=(), description="Weights of several stakeholders, side by side.")
    use: str | None = Field(
        default=None, description="Name of the weight set that ranks; unset: the criteria's own weights."
    )
    robustness: RobustnessSettings | None = Field(
        default=None, description="Unset: ranks without a word on how sure they are."
    )
    survey_first: SurveyFirst | None = Field(default=None, description="Unset: no value of survey is worked out.")

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        for queue in QUEUES:
            names = [c.name for c in self.of_queue(queue)]
            if len(set(names)) < len(names):
                raise ValueError(f"a criterion is named twice for the {queue} queue")
            if names and sum(c.weight for c in self.of_queue(queue)) <= 0:
                raise ValueError(f"the weights of the {queue} queue sum to 0")
            if not names:
                raise ValueError(f"the {queue} queue has no criterion")
        if set(self.class_values) != {"indication", "SHA", "CHA"}:
            raise ValueError("class_values needs indication, SHA and CHA")
        low, high = self.unknown_people_range or (self.unknown_people, self.unknown_people)
        if not low <= self.unknown_people <= high:
            raise ValueError("unknown_people_range must hold unknown_people")
        if self.unknown_already_home is not None and list(self.unknown_already_home) != sorted(
            self.unknown_already_home
        ):
            raise ValueError("unknown_already_home must be least, likely, most in that order")
        return self

    def of_queue(self, queue: str) -> list[Criterion]:
        """Criteria that weigh in a queue, in their order."""
        return [c for c in self.criteria if queue in c.queues]

    @model_validator(mode="after")
    def _sets_weigh_the_criteria(self) -> Self:
        names = list(dict.fromkeys(c.name for c in self.criteria))
        for own in self.weights:
            for name in sorted(set(own.criteria) ^ set(names), key=lambda name: (name in names, name)):
                if name in names:
                    raise ValueError(f"weights {own.name}: no weight for {name}; give 0 if it says nothing")
                near = get_close_matches(name, names, n=3) or names
                raise ValueError(f"weights {own.name}: no criterion is called {name}; there are {', '.join(near)}")
        sets = [own.name for own in self.weights]
        if len(set(sets)) < len(sets):
            raise ValueError("two weight sets have one name")
        if self.use is not None and self.use not in sets:
            raise ValueError(f"use = {self.use!r}: no weight set has this name; there are {', '.join(sets) or 'none'}")
        if self.robustness is not None and self.robustness.weights == "stakeholders" and len(sets) < 2:
            raise ValueError("robustness.weights = 'stakeholders' needs at least two weight sets")
        return self
