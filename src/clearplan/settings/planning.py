"""Settings of the plan of work: periods, methods, what survey finds, what counts, and the treaty clock."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from clearplan.core.checks import months_of
from clearplan.core.errors import TableError
from clearplan.settings.base import LandClass, Metres, Probability, Settings
from clearplan.tables.codes import PLACE

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
#: A day that a plan can reach.
Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), le=dt.date(2100, 12, 31))]
TeamKind = Literal["NTS", "TS", "manual", "dogs", "mechanical", "BAC", "EOD"]
Ground = Literal["all", "not-cancelled", "to-clear"]


class Step(Settings):
    """One step of a method: who works on which part of the task's ground."""

    name: str = Field(min_length=1, description="Name of the step.")
    kinds: Annotated[tuple[TeamKind, ...], Field(min_length=1)] = Field(description="Any of these does it.")
    ground: Ground = Field(
        default="all",
        description="all: the whole task. not-cancelled: what non-technical survey leaves. to-clear: what all survey "
        "leaves, by the outcomes of the class.",
    )
    set_up_days: Amount = Field(
        default=0.0,
        description="Booked once when a team comes to a task for this step: camp, lanes, briefing [team-days]; 0: none "
        "stated. A team that worked on the step in the period before is there already.",
    )
    close_out_days: Amount = Field(
        default=0.0,
        description="Booked once when a team leaves the task: marking, sampling, papers [team-days]; 0: none stated.",
    )


Handover = Annotated[int, Field(ge=0, le=120)]
_HANDOVER = (
    "Quality assurance and handover after the last square metre, before a place opens [months]; a place waits for the "
    "longest of its blockers' methods. 0: none is stated, and it opens as soon as the last of its blockers is finished."
)


class Method(Settings):
    """Steps that release a task of a class, in order."""

    land_class: LandClass = Field(description="Class of the tasks that it releases.")
    ordnance: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="Only for tasks whose ordnance is all among these; unset: any. The first that fits "
        "a task is taken.",
    )
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    handover_months: Handover = Field(default=0, description=_HANDOVER)

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError(f"method of {self.land_class}: two steps have one name")
        return self


class PlaceSurvey(Settings):
    """How a place is surveyed before it opens: its home ground and what its essential lifelines run through."""

    steps: Annotated[tuple[Step, ...], Field(min_length=1)] = Field(
        default=(Step(name="survey of the place", kinds=("NTS",)),),
        description="Steps in order, each on all of the ground; unset: non-technical survey, with which the survey of "
        "land begins (IMAS 08.10).",
    )
    handover_months: Handover = Field(default=0, description=_HANDOVER)

    @property
    def land_class(self) -> str:
        """Class under which the ground of a place survey is counted: none of hazardous land."""
        return PLACE

    @property
    def ordnance(self) -> None:
        """Whatever ordnance there may be."""
        return None

    @model_validator(mode="after")
    def _all_of_the_ground(self) -> Self:
        if any(step.ground != "all" for step in self.steps):
            raise ValueError("place_survey: nobody knows what survey leaves of a place; each step works on all of it")
        return self


class Outcome(Settings):
    """What survey and clearance make of ground of a class: shares that are cancelled, reduced and cleared."""

    cancelled: Probability = Field(description="Share released by non-technical survey [1].")
    reduced: Probability = Field(description="Share released by technical survey [1].")
    cleared: Probability = Field(description="Share that has to be cleared [1].")
    concentration: Annotated[float, Field(gt=0, le=10_000)] = Field(
        description="How alike tasks are: shares of a task are drawn from a Dirichlet distribution with this sum of "
        "its parameters; 1 is nearly all or nothing, 100 nearly the shares above [1]."
    )
    source: str = Field(min_length=1, description="Who says so, or the word illustrative.")

    @model_validator(mode="after")
    def _shares_of_a_whole(self) -> Self:
        if abs(self.cancelled + self.reduced + self.cleared - 1) > 1e-6:
            raise ValueError("cancelled, reduced and cleared must sum to 1")
        return self


class OrdnanceOutcome(Outcome):
    """The same for tasks of a class whose ordnance is known."""

    land_class: LandClass = Field(description="Class of the tasks.")
    ordnance: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="For tasks whose ordnance is all among these; the first that fits is taken, else that of the class."
    )


class WhatIf(Settings):
    """The same plan with other outcomes of survey, to see how much hangs on them."""

    name: str = Field(min_length=1, description="What is supposed, in words.")
    outcomes: Annotated[dict[LandClass, Outcome], Field(min_length=1)] = Field(
        description="What survey makes of ground of a class instead, in shares."
    )


class Uncertainty(Settings):
    """Draws in which the plan is worked through with other rates, efforts and outcomes of survey."""

    draws: int = Field(ge=20, le=10_000, description="How many times the plan is worked through.")
    seed: int = Field(ge=0, description="Seed of the draws; written into the outputs.")
    task_spread: Annotated[float, Field(ge=0, le=2)] = Field(
        description="How unlike tasks are at one rate: standard deviation of the logarithm of a task's effort [1]."
    )


#: Names of the levers of fairness, and of the plan of each in the comparison of strategies.
LeverName = Literal["none", "floor", "vulnerability"]
LEVERS: dict[LeverName, str] = {
    "none": "without a lever",
    "floor": "floor of {periods} periods",
    "vulnerability": "weighed by vulnerability",
}


class Fairness(Settings):
    """Levers beside the objective; the plan by each stands in the comparison of strategies, with its price."""

    open_within_periods: Annotated[int, Field(ge=1, le=120)] | None = Field(
        default=None,
        description="Floor: as many places as can open within so many periods do, then people at home count among such "
        "plans [periods]; unset: no plan with a floor.",
    )
    vulnerability_weight: Annotated[float, Field(gt=0, le=10)] | None = Field(
        default=None,
        description="People of a place count 1 + this x (vulnerability - 1) times as much, by the column of ZONES [1]; "
        "printed person-months count people; unset: no plan by vulnerability.",
    )
    in_force: LeverName = Field(
        default="none", description="Lever by which the plan of work is made; none: by neither."
    )

    @model_validator(mode="after")
    def _in_force_is_stated(self) -> Self:
        if self.in_force != "none" and self.in_force not in self.stated:
            needed = {"floor": "open_within_periods", "vulnerability": "vulnerability_weight"}[self.in_force]
            raise ValueError(f"fairness.in_force {self.in_force} needs {needed}")
        return self

    @property
    def stated(self) -> tuple[LeverName, ...]:
        """Levers that are stated."""
        levers: tuple[tuple[LeverName, float | None], ...] = (
            ("floor", self.open_within_periods),
            ("vulnerability", self.vulnerability_weight),
        )
        return tuple(name for name, value in levers if value is not None)


class Treaty(Settings):
    """The treaty clock of a state."""

    state: str = Field(min_length=1, description="State whose clock is shown.")
    convention: Literal["APMBC", "CCM"] = Field(description="Convention whose articles are shown.")
    party: bool = Field(description="Whether the state is party; if not, all is computed as if it acceded on the day.")
    entry_into_force: Day | None = Field(default=None, description="Day on which it entered into force for it.")
    extended_to: Day | None = Field(default=None, description="Deadline after the extensions granted so far.")
    if_acceded_on: Day | None = Field(default=None, description="Day of accession that is supposed.")
    m2_per_year: tuple[Amount, Amount, Amount] | None = Field(
        default=None, description="Ground released in a year: low, likely, high [m2]; unset: from the releases."
    )
    source: str = Field(min_length=1, description="Where the days come from, or the word illustrative.")

    @model_validator(mode="after")
    def _days_that_belong(self) -> Self:
        if self.party and (self.entry_into_force is None or self.if_acceded_on is not None):
            raise ValueError("a state party has entry_into_force and no if_acceded_on")
        if not self.party and (self.if_acceded_on is None or self.entry_into_force or self.extended_to):
            raise ValueError("a state that is not party has no deadline; state if_acceded_on alone")
        if self.m2_per_year is not None and list(self.m2_per_year) != sorted(self.m2_per_year):
            raise ValueError("m2_per_year must be low, likely, high in that order")
        return self


class MedicalStandby(Settings):
    """Medics and an ambulance that stand by while teams work on hazardous ground (IMAS 10.40)."""

    cost_a_day: Amount = Field(description="Cost of one standby a day [currency].")
    teams_covered: int = Field(ge=1, description="Teams that one standby covers [teams].")
    kinds: Annotated[tuple[TeamKind, ...], Field(min_length=1)] = Field(
        description="Kinds of teams that enter hazardous ground; each day of theirs costs so much more."
    )
    source: str = Field(min_length=1, description="Who says so, or the word illustrative.")

    def cost_of(self, kind: str) -> float:
        """What a day of a team of this kind costs more [currency/day].

        >>> standby = MedicalStandby(cost_a_day=300, teams_covered=2, kinds=("manual",), source="illustrative")
        >>> standby.cost_of("manual"), standby.cost_of("NTS")
        (150.0, 0.0)
        """
        return self.cost_a_day / self.teams_covered if kind in self.kinds else 0.0


class PlaceSeason(Settings):
    """Months in which teams can work in some districts, whoever they are: no snow, no flood."""

    districts: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="Districts, as TASKS name them.")
    months: str = Field(
        description="First and last month of work there, such as 4-12. A period with a month beside them is closed."
    )
    source: str = Field(min_length=1, description="Who says so, or the word illustrative.")

    @model_validator(mode="after")
    def _months_that_can_be_read(self) -> Self:
        if not self.months.strip():
            raise ValueError("months is blank; write the first and last month of work, such as 4-12")
        try:
            months_of(self.months)
        except TableError as error:
            raise ValueError(str(error)) from None
        return self


class Travel(Settings):
    """Roads between the bases of teams and their sites."""

    factor: Annotated[float, Field(ge=1, le=10)] = Field(
        description="Kilometres of road for each kilometre of the straight line [1]."
    )
    km_a_day: Annotated[float, Field(gt=0, le=2000)] = Field(
        description="What a team moves in a day with its equipment [km a team-day]."
    )
    source: str = Field(min_length=1, description="Who says so, or the word illustrative.")


class PlanningSettings(Settings):
    """The plan of work: which teams go where, when, so that most people are home soonest."""

    start: Day = Field(description="First day of the first period.")
    periods: int = Field(ge=1, le=120, description="Periods of work.")
    period_months: int = Field(ge=1, le=24, description="Length of a period [months].")
    counted_months: int = Field(
        ge=1, le=600, description="People at home are counted until so many months after the start [months]."
    )
    working_days_a_month: Annotated[float, Field(gt=0, le=31)] = Field(description="Days of work [days a month].")
    home_m: Metres = Field(description="Ground within this distance of a zone is the place itself [m].")
    wait_periods: int = Field(
        ge=0,
        le=12,
        description="A step may begin so many periods after the one before it on the same ground; 0: in the same one.",
    )
    min_team_days: Amount = Field(
        default=0.0,
        description="Least deployment: a team that works on a step of a task in a period is booked there for at least "
        "so many days, idle ones included; all count against its days and are paid [team-days]; 0: none stated.",
    )
    teams_on_site: int | None = Field(
        default=None,
        ge=1,
        description="Most teams on one task in one period [teams]; a row of TEAMS that books more days there than one "
        "of its teams has counts as several; unset: no limit.",
    )
    currency: str = Field(min_length=1, description="Currency of all money of the plan of work.")
    budget: Amount | None = Field(default=None, description="For all periods together [currency]; unset: none.")
    budget_a_period: Amount | None = Field(default=None, description="For each period [currency]; unset: none.")
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    place_survey: PlaceSurvey | None = Field(
        default=None, description="How places are surveyed; unset: a place that is not surveyed can't open."
    )
    outcomes: dict[LandClass, Outcome] = Field(
        default_factory=dict, description="Needed for a class whose method has steps on a part of the ground."
    )
    ordnance_outcomes: tuple[OrdnanceOutcome, ...] = Field(
        default=(),
        description="Where survey of a class finds more or less by what the hazards hold; unset: it does not.",
    )
    survey_sensitivity: Probability | None = Field(
        default=None,
        description="Chance that survey keeps ground that holds ordnance [1]. With a surface, tasks of whose ground a "
        "larger share is contaminated are cleared more, while all ground of an outcome together keeps its shares; "
        "unset: each task has the shares of its class.",
    )
    score_weight: Amount = Field(
        description="What a task of 100 points is worth from its release on, beside people at home [person-months a "
        "month]; 0: nothing."
    )
    risk_weight: Amount = Field(
        description="What one hectare expected to be contaminated is worth from its release on [person-months a month]."
    )
    home_risk_weight: Amount = Field(
        default=0.0,
        description="What one person already home, all of whose near ground is released, is worth a month; of the "
        "share that is expected to be contaminated, each task from its release on [person-months a person and month]. "
        "No source states how much that is: 0 counts and prints it, and weighs nothing.",
    )
    optional_share: Probability = Field(
        description="What an optional lifeline adds, as a part of what the open zone is worth [1]."
    )
    late_penalty: Amount = Field(
        default=0.0, description="How much more a month after its planned return weighs for a zone [1]; 0: no more."
    )
    hard_deadlines: tuple[str, ...] = Field(
        default=(), description="Zones that must open by their planned return, whatever it costs the others."
    )
    robust: bool = Field(
        default=False, description="Plan on efforts that are exceeded in one case of five, not on the likely ones."
    )
    previous: Path | None = Field(
        default=None, description="work.csv of the plan in force; teams stay where it has them unless moving pays."
    )
    stability: Amount = Field(
        default=0.0,
        description="What a team-day in the district where the plan in force has it is worth [person-months].",
    )
    search_work: Annotated[float, Field(gt=0, le=1e6)] = Field(
        description="The search ends after so much counted work: iterations, rounds, moves and pieces at fixed prices "
        "[units; one is about a second of one quiet core of 2026]. The same plan is found under any load."
    )
    stop_after_s: Annotated[float, Field(gt=0, le=1e7)] = Field(
        default=86_400.0,
        description="Stop by the clock for all searches of a plan together [s]; every output says so if it strikes, "
        "for another run may then find another plan. A day: far beyond the counted work.",
    )
    gap: Annotated[float, Field(ge=0, lt=1)] = Field(description="Search until the plan is proven this near [1].")
    seed: int = Field(ge=0, description="Seed of the search; written into the outputs.")
    budgets: Annotated[tuple[Amount, ...], Field(max_length=12)] = Field(
        default=(), description="Budgets for which the best plan is shown, for 'what does another million buy'."
    )
    return_by: Day | None = Field(
        default=None,
        description="For 'what does a return programme take': the day by which every zone without a "
        "planned return of its own is to be open; unset: only zones with one are in the programme.",
    )
    fairness: Fairness | None = Field(default=None, description="Unset: no lever of fairness is shown.")
    medical_standby: MedicalStandby | None = Field(
        default=None, description="Unset: the cost of a team's day holds all that it takes."
    )
    place_seasons: tuple[PlaceSeason, ...] = Field(
        default=(), description="Where nobody works in some months; unset: seasons are those of teams alone."
    )
    travel: Travel | None = Field(
        default=None,
        description="Days on the road, booked as a team comes to a task and as it leaves it: from its base (base_lon, "
        "base_lat of TEAMS) and back. So from one site to the next it goes by its base, which is never less than the "
        "way between them. Unset: none are counted.",
    )
    uncertainty: Uncertainty | None = Field(default=None, description="Unset: no probability is worked out.")
    what_if: tuple[WhatIf, ...] = ()
    treaty: Treaty | None = None

    @model_validator(mode="after")
    def _what_belongs_together(self) -> Self:
        if self.counted_months < self.periods * self.period_months:
            raise ValueError("counted_months must reach at least to the end of the last period")
        sides = (self.outcomes, *(one.outcomes for one in self.what_if))
        needed = {m.land_class for m in self.methods if any(s.ground != "all" for s in m.steps)}
        if missing := sorted(needed - set(sides[0])):
            raise ValueError(f"outcomes.{missing[0]} is missing: a step works on a part of its ground")
        for one in self.what_if:
            if unknown := sorted(set(one.outcomes) - set(self.outcomes)):
                raise ValueError(f"what_if {one.name}: there are no outcomes of {unknown[0]} to change")
        if self.budgets and any(b <= a for a, b in pairwise(self.budgets)):
            raise ValueError("budgets must rise")
        if len(set(self.hard_deadlines)) < len(self.hard_deadlines):
            raise ValueError("a zone stands twice in hard_deadlines")
        if self.fairness is not None and (self.fairness.open_within_periods or 0) > self.periods:
            raise ValueError("fairness.open_within_periods must lie within the periods of work")
        if self.stability and self.previous is None:
            raise ValueError("stability needs previous, the plan in force")
        return self

    @property
    def lever(self) -> LeverName:
        """The lever of fairness in force."""
        return "none" if self.fairness is None else self.fairness.in_force

    @property
    def every_method(self) -> tuple[Method | PlaceSurvey, ...]:
        """Methods of tasks, and that of place surveys at the end."""
        return self.methods if self.place_survey is None else (*self.methods, self.place_survey)
