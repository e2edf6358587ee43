"""Tables that stages make, and the columns that they add to others, column by column."""

from __future__ import annotations

import re

from clearplan.tables.codes import CLASSES
from clearplan.tables.columns import ERROR, TAIL, Column, Dtype, id_of, square_metres
from clearplan.tables.inputs import RECORDS

AREAS: tuple[Column, ...] = (
    id_of("area_id", "area"),
    Column("hazard_id", "text", "hazard that the area comes from"),
    Column("kind", "text", "what was reported", codes="kind"),
    Column("land_class", "text", "class of the land", codes="land_class"),
    Column("status", "text", "state of the work", codes="status"),
    Column("ordnance", "text", "class of explosive ordnance", codes="ordnance"),
    Column("band", "text", "band of a belt", codes="band"),
    Column("grown_m", "number", "distance that the reported shape was grown", "m", nullable=True, low=0),
    Column("gross_m2", "number", "area of this footprint alone; overlaps counted again", "m2", low=0),
    square_metres("reported_m2", "area of the footprint before any release"),
    square_metres("remaining_m2", "of it, neither released nor closed"),
    square_metres("cancelled_m2", "of it, released by non-technical survey"),
    square_metres("reduced_m2", "of it, released by technical survey"),
    square_metres("cleared_m2", "of it, released by clearance"),
    square_metres("closed_m2", "of it, closed by status without a release polygon"),
    Column(
        "release_ids",
        "text",
        "releases that decide the state of some of it, '; ' between",
        required=False,
        nullable=True,
    ),
    ERROR,
    *TAIL,
)  # fmt: skip

TASKS: tuple[Column, ...] = (
    id_of("task_id", "task"),
    Column("queue", "text", "queue in which the task waits", codes="queue"),
    Column("land_class", "text", "the one class of its land", codes="land_class"),
    Column("district", "text", "district; blank is outside every district given", nullable=True),
    Column("area_m2", "number", "area of the task; tasks never overlap", "m2", low=0),
    Column("zone_ids", "text", "zones within whose influence it lies, '; ' between", nullable=True),
    Column("hazard_ids", "text", "hazards of its class that reach into it, '; ' between", nullable=True),
    Column("ordnance", "text", "classes of ordnance of these hazards, '; ' between", required=False, nullable=True),
    Column("mgrs_km", "text", "MGRS 1-km square of its inner point"),
    *(
        Column(name, "number", meaning, "m2", required=False, nullable=True, low=0)
        for name, meaning in (
            ("expected_m2", "ground expected to be contaminated, by the surface; blank: nobody knows"),
            ("low_m2", "5 % of the draws lie below"),
            ("high_m2", "5 % of the draws lie above"),
            ("known_m2", "ground of the task of which the surface knows something"),
            ("unknown_m2", "ground of which nobody knows"),
        )
    ),
    ERROR,
    *TAIL,
)  # fmt: skip

BLOCKERS: tuple[Column, ...] = (
    id_of("blocker_id", "hindrance: zone, part and task"),
    Column("zone_id", "text", "zone that can't open before the task is done"),
    Column("task_id", "text", "task that stands in the way"),
    Column("part", "text", "'home', the place itself, or the lifeline that the task blocks"),
    Column("essential", "text", "whether the zone waits for it; other parts only add value", codes="yes_no"),
    Column("why", "text", "the same in words"),
)  # fmt: skip

WORK: tuple[Column, ...] = (
    id_of("work_id", "piece of work: task, step, team and period"),
    Column("task_id", "text", "task that is worked on"),
    Column("step", "integer", "number of the step of the task's method, from 1", low=1),
    Column("step_name", "text", "its name"),
    Column("kind", "text", "kind of the team", codes="team_kind"),
    Column("team_id", "text", "team that does it"),
    Column("period", "integer", "number of the period, from 1", low=1),
    Column("starts_on", "date", "first day of the period"),
    Column("ends_on", "date", "last day of the period: work is dated to the period, not to the day"),
    Column("days", "number", "work of one such team", "team-days", low=0),
    Column("m2", "number", "ground of the step that is worked", "m2", low=0),
    Column("cost", "number", "days by the team's cost a day", "currency", low=0),
)  # fmt: skip

#: Tables of stages by name.
RESULTS: dict[str, tuple[Column, ...]] = {
    "areas": AREAS,
    "tasks": TASKS,
    "blockers": BLOCKERS,
    "work": WORK,
}


def added(name: str, dtype: Dtype, meaning: str, unit: str = "") -> Column:
    """A column that a stage adds to a table."""
    return Column(name, dtype, meaning, unit, required=False, nullable=True)


#: Columns that stages add beyond the declared ones, by layer.
ADDED: dict[str, tuple[Column, ...]] = {
    "hazards": (
        added("version", "number", "newest version of the record's points: 1 as recorded, 2 and up re-anchored"),
        added("misclosure_m", "number", "distance by which the legs of the record miss their known end", "m"),
        added("misclosure_limit_m", "number", "misclosure over which a blunder is assumed (3 sigma)", "m"),
        added("blunder", "text", "whether a leg of the record is wrong; its position error is widened by it"),
        added("declination_used_deg", "number", "declination by which bearings were turned, east positive", "°"),
        added("sigmas_by_plan", "text", "standard errors that the plan gave, because the record states none"),
    ),
    "areas": (
        *(added(f"{name.lower()}_m2", "number", f"published cells: net ground of {name} in it; blank: none known", "m2")
          for name in CLASSES),
    ),
    "tasks": (
        added("told", "reason", "published cells: what the cell holds, in a sentence"),
        added("people_assumed", "number", "people assumed for zones of unknown population that the task serves",
              "people"),
        added("zones_unknown", "integer", "zones of unknown population that the task serves", "zones"),
        added("probability_assumed", "number", "probability assumed where nobody knows one", "1"),
        added("gates", "text", "what holds the task back; it has no rank until then"),
        added("lifeline_ids", "text", "lifelines that the task blocks, '; ' between"),
        added("score", "number", "sum of the contributions", "points of 100"),
        added("rank", "integer", "place in its queue, 1 first; blank behind a gate"),
        added("clear_all_cost", "number", "cost of clearing all of the task", "currency"),
        added("survey_first_cost", "number", "expected cost of survey, then clearance of what it finds", "currency"),
        added("survey_saves", "number", "expected saving of survey before clearance", "currency"),
        added("survey_harm", "number", "harm expected from ground that survey releases although it holds ordnance",
              "currency"),
        added("break_even_p", "number", "probability above which clearing at once costs less, harm counted", "1"),
        added("break_even_p_costs", "number", "the same without harm", "1"),
        added("first_share", "number", "part of the draws in which it is among the first of its queue", "1"),
        added("class_share", "number", "part of the draws in its likeliest class", "1"),
        added("rank_low", "integer", "5 % of the draws rank it before"),
        added("rank_high", "integer", "5 % of the draws rank it behind"),
        added("priority_class", "text", "high, medium or low; two with '/' between: nobody can tell"),
        added("tied_with", "text", "tasks near in rank whose order with it flips from draw to draw, '; ' between"),
        added("change", "reason", "what would change its rank, in a sentence"),
        added("teams", "text", "teams that the plan sends there, '; ' between"),
        added("start_on", "date", "first day of the period in which work begins"),
        added("finish_on", "date", "last day of the period in which work ends; blank: not within the plan"),
        added("finished_part", "number", "part of the task that is worked within the plan", "1"),
    ),
    "zones": (
        added("opens_in", "integer", "period at whose end the zone opens by the plan; 0: the first day"),
        added("opens_on", "date", "that day; blank: not within the plan"),
        added("waits_for", "integer", "tasks that stand in its way", "tasks"),
        added("last_tasks", "text", "last of them to be finished"),
        added("why", "text", "why the zone opens then, or why not"),
        added("sooner", "text", "what would bring it forward"),
        added("probability", "number", "part of the draws in which it is open by then", "1"),
        added("p50_on", "date", "half of the draws open it by this day; blank: beyond the plan"),
        added("p80_on", "date", "four fifths of the draws open it by this day; blank: beyond the plan"),
    ),
    "record_points": (
        added("landmark", "text", "name of the landmark"),
        added("notation", "text", "notation in which the coordinates were read"),
        added("entered_x", "number", "first coordinate as entered", "unit of entered_crs"),
        added("entered_y", "number", "second coordinate as entered", "unit of entered_crs"),
        added("declination_deg", "number", "declination by which the bearing was turned, east positive", "°"),
        added("declination_source", "text", "where the declination comes from"),
        added("convergence_deg", "number", "grid north against true north, east positive", "°"),
        added("scale", "number", "scale of the plane at the point", "1"),
        added("leg_from", "text", "point from which the leg leads here"),
        added("closes_on", "text", "known point on which the leg comes back"),
        added("is_check", "text", "whether the leg only checks others and makes no corner"),
    ),
    "record_versions": (
        added("record_id", "text", "minefield record"),
        added("version", "integer", "1 as recorded, 2 and up re-anchored"),
        added("landmark", "text", "landmark by which this version is anchored"),
        added("coordinates", "text", "its coordinates as written"),
        added("anchored_by", "text", "who decided it"),
        added("anchored_on", "date", "when"),
        added("reason", "text", "why"),
        added("position_error_m", "number",
              "radius that holds the true position with about 95 % probability; blank is unknown", "m"),
        added("current", "text", "whether this version counts"),
        added("moved_m", "number", "distance by which it was moved", "m"),
    ),
}  # fmt: skip

RECORD_DATA = {column.name: column for column in RECORDS if column.name not in ("source", "status")}
EVERYWHERE = {
    "lon": added("lon", "text", "longitude as entered", "°"),
    "lat": added("lat", "text", "latitude as entered", "°"),
    "notice": added("notice", "text", "disclaimer and fingerprint of the run"),
    "declination_source": added("declination_source", "text", "where the declination comes from"),
    "convergence_deg": added("convergence_deg", "number", "grid north against true north, east positive", "°"),
    "scale": added("scale", "number", "scale of the plane", "1"),
}
#: Parts of a criterion's columns, c_<criterion>_<part>; the raw figure has the criterion's own unit.
PARTS: dict[str, tuple[Dtype, str, str]] = {
    "raw": ("number", "criterion {}: figure of the task; blank where there is none", "unit of the criterion"),
    "low": ("number", "criterion {}: the least that the figure may be", "unit of the criterion"),
    "high": ("number", "criterion {}: the most that the figure may be", "unit of the criterion"),
    "value": ("number", "criterion {}: the figure between its anchors", "0-1"),
    "weight": ("number", "criterion {}: its weight in the task's queue", "points of 100"),
    "points": ("number", "criterion {}: weight x value", "points of 100"),
    "zones": ("text", "criterion {}: zones that it comes from, '; ' between", ""),
}
CRITERION = re.compile(rf"c_(.+)_({'|'.join(PARTS)})")
