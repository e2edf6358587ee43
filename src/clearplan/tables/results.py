"""Tables that stages make, and the columns that they add to others, column by column."""

from __future__ import annotations

from dataclasses import replace

from clearplan.tables.codes import CLASSES
from clearplan.tables.columns import (
    DISTRICT,
    ERROR,
    ESSENTIAL,
    GEOMETRY,
    HAZARD_KIND,
    HAZARD_STATUS,
    LAND_CLASS,
    ORDNANCE,
    REASON,
    TAIL,
    TEAM_KIND,
    Column,
    Dtype,
    Tier,
    added_by,
    id_of,
    m2_of,
    optional,
    public,
    restricted,
    text,
)
from clearplan.tables.record_sheets import RECORDS, VERTICES

# A declaration is read as a table: one column, one or two lines. At the public tier ids, shapes, areas and places leave
# only as publishing makes them: renamed, laid on cells, rounded; nothing is copied there from a row of one hazard.
# fmt: off

# --- what land, priority and planning make

_NO_AREA = "; blank: unknown, the hazard has no place or no surveyed border"
AREAS: tuple[Column, ...] = (
    id_of("area_id", "area", "public", "#meta+id+area"),
    Column("hazard_id", "text", "hazard that the area comes from", leaves="public", tag="#meta+id+hazard"),
    HAZARD_KIND, LAND_CLASS, HAZARD_STATUS, ORDNANCE,
    Column("band", "text", "band of a belt", codes="band", leaves="public", tag="#event+type+band"),
    Column("grown_m", "number", "distance that the reported shape was grown", "m", nullable=True, low=0,
           leaves="partner", tag="#indicator+num+m+grown"),
    replace(m2_of("planning", "planning ground: this footprint alone, less what is released; overlaps counted again",
                  "planning ground"), nullable=False),
    m2_of("stated", "area that the source states, of a hazard without a surveyed border; blank: none stated"),
    *optional(
        m2_of("reported", f"reported ground before any release: within the reported border, else as stated{_NO_AREA}"),
        m2_of("remaining", f"of it, neither released nor closed{_NO_AREA}"),
        m2_of("cancelled", f"of it, released by non-technical survey{_NO_AREA}"),
        m2_of("reduced", f"of it, released by technical survey{_NO_AREA}"),
        m2_of("cleared", f"of it, released by clearance{_NO_AREA}"),
        m2_of("closed", f"of it, closed by status without a release polygon{_NO_AREA}"),
    ),
    text("release_ids", "releases that decide the state of some of it, '; ' between", "partner",
         "#meta+id+list+releases"),
    ERROR,
    text("position_from", "hazard with which its position shifts: its own; of records read off one scan, the first",
         "partner", "#meta+id+hazard+position"),
    Column("reported", "geometry", "border as reported, as far as it remains; None: nobody surveyed one", "m",
           required=False, nullable=True),
    *public(*TAIL, only=("geometry",)),
    *added_by("publishing", *(
        m2_of(name.lower(), f"published cells: net ground of {name} in it; blank: none known", leaves="public")
        for name in CLASSES)),
)

#: A criterion's columns, one of each for every criterion; the raw figure has the criterion's own unit.
_PARTS: tuple[tuple[str, Dtype, str, str, str], ...] = (
    ("raw", "number", "figure of the task; blank where there is none", "unit of the criterion",
     "#indicator+num+c_{}+raw"),
    ("low", "number", "the least that the figure may be", "unit of the criterion", "#indicator+num+c_{}+low"),
    ("high", "number", "the most that the figure may be", "unit of the criterion", "#indicator+num+c_{}+high"),
    ("value", "number", "the figure between its anchors", "0-1", "#indicator+num+c_{}+value"),
    ("weight", "number", "its weight in the task's queue", "points of 100", "#indicator+num+c_{}+weight"),
    ("points", "number", "weight x value", "points of 100", "#severity+score+c_{}"),
    ("zones", "text", "zones that it comes from, '; ' between", "", "#loc+code+list+c_{}"),
    ("rises", "number", "direction from grid north, clockwise, in which a shift of the task raises the figure", "°",
     "#indicator+num+c_{}+rises"),
    ("elsewhere", "text", "the figure if the task lies elsewhere: as drawn, then half of the position error and all of "
     "it away in 16 directions, clockwise from grid north", "", "#indicator+list+c_{}+elsewhere"),
)


def _criterion(name: str, leaves: Tier, parts: tuple[str, ...]) -> tuple[Column, ...]:
    said = name.replace("_", " ")
    return added_by("priority", *(
        Column(f"c_{name}_{part}", dtype, f"criterion {said}: {meaning}", unit, leaves=leaves, tag=tag.format(name))
        for part, dtype, meaning, unit, tag in _PARTS if part in parts))


TASKS: tuple[Column, ...] = (
    id_of("task_id", "task", "public", "#meta+id+task", head="task"),
    Column("queue", "text", "queue in which the task waits", codes="queue", leaves="public",
           tag="#activity+type+queue"),
    replace(LAND_CLASS, meaning="the one class of its land"),
    replace(DISTRICT, meaning="district; blank is outside every district given", nullable=True,
            head="district; blank: outside every district"),
    replace(m2_of("area", "area of the task; tasks never overlap", "ground; tasks never overlap", "public"),
            nullable=False),
    Column("small", "text", "whether it stayed below the smallest size", codes="small", required=False, nullable=True,
           leaves="partner", tag="#indicator+small", head="below the smallest size"),
    Column("zone_ids", "text", "zones within whose influence it lies, '; ' between", nullable=True, leaves="partner",
           tag="#loc+code+list+zones", head="places within its influence"),
    Column("hazard_ids", "text", "hazards of its class that reach into it, '; ' between", nullable=True,
           leaves="partner", tag="#meta+id+list+hazards", head="hazards that reach into it"),
    *optional(replace(ORDNANCE, meaning="classes of ordnance of these hazards, '; ' between", codes=None)),
    Column("mgrs_km", "text", "MGRS 1-km square of its inner point", leaves="partner", tag="#geo+mgrs",
           head="MGRS 1-km square"),
    *optional(
        m2_of("expected", "ground expected to be contaminated, by the surface; blank: nobody knows",
              "expected to be contaminated; blank: nobody knows"),
        m2_of("low", "lower end of the 90 % interval of what will be found"),
        m2_of("high", "upper end of the 90 % interval of what will be found"),
        m2_of("mean_low", "lower end of the 90 % interval of the expectation"),
        m2_of("mean_high", "upper end of the 90 % interval of the expectation"),
        m2_of("known", "ground of the task of which the surface knows something"),
        m2_of("unknown", "ground of which nobody knows"),
        Column("holds_any", "number", "chance that the known ground holds any contamination, at least one item", "1",
               nullable=True, low=0, high=1, leaves="partner", tag="#indicator+num+holds_any"),
        Column("relative", "number", "contaminated share over its mean on the known ground, whose size nobody states",
               "1", nullable=True, low=0, leaves="partner", tag="#indicator+num+relative"),
    ),
    ERROR,
    text("position_from", "hazard whose position error it has, the largest of its hazards': tasks of one hazard shift "
         "together", "partner", "#meta+id+hazard+position"),
    *public(*TAIL, only=("geometry",)),
    *added_by("publishing",
        Column("told", "reason", "published cells: what the cell holds, in a sentence", leaves="public",
               head="what the published cell holds"),
    ),
    *added_by("priority",
        Column("people_assumed", "number", "people assumed for zones of unknown population that the task serves",
               "people", leaves="partner", tag="#affected+ind+assumed"),
        Column("zones_unknown", "integer", "zones of unknown population that the task serves", "zones",
               leaves="partner", tag="#indicator+num+zones_unknown"),
        Column("probability_assumed", "number", "contaminated share of its ground, assumed where nobody knows it", "1",
               leaves="partner", tag="#indicator+num+probability_assumed", head="contaminated share assumed"),
        Column("gates", "reason", "what holds the task back; it has no rank until then", leaves="public",
               tag="#access+gates", head="gates that hold it back", shown="sentence"),
        Column("gates_end_on", "date", "last day on which gates hold it back; blank: none does, or nobody stated a day",
               leaves="partner", tag="#date+end+gates"),
        Column("lifeline_ids", "text", "lifelines that the task blocks, '; ' between", leaves="partner",
               tag="#meta+id+list+lifelines", head="lifelines that it blocks"),
        Column("score", "number", "sum of the contributions", "points of 100", leaves="public",
               tag="#severity+score"),
        Column("rank", "integer", "place in its queue, 1 first; blank behind a gate", leaves="public",
               tag="#severity+rank", head="rank in its queue; blank: behind a gate"),
        filled=("zones_unknown",),
    ),
    *_criterion("land_class", "public", ("raw", "value", "weight", "points")),
    *_criterion("other", "public", ("raw", "value", "weight", "points")),
    *_criterion("{}", "partner", tuple(part for part, *_ in _PARTS)),
    *added_by("priority",
        Column("clear_all_cost", "number", "cost of clearing all of the task", "currency", leaves="partner",
               tag="#value+clear_all"),
        Column("survey_first_cost", "number", "expected cost of survey, then clearance of what it finds", "currency",
               leaves="partner", tag="#value+survey_first"),
        Column("survey_saves", "number", "expected saving of survey before clearance", "currency", leaves="partner",
               tag="#value+survey_saves", head="what survey before clearance saves"),
        Column("survey_harm", "number", "harm expected from ground that survey releases although it is contaminated",
               "currency", leaves="partner", tag="#impact+survey"),
        Column("break_even_p", "number", "contaminated share above which clearing at once costs less, harm counted",
               "1", leaves="partner", tag="#indicator+num+break_even", head="break-even contaminated share"),
        Column("break_even_p_costs", "number", "the same without harm", "1", leaves="partner",
               tag="#indicator+num+break_even+costs", head="break-even contaminated share by costs alone"),
        Column("first_share", "number", "part of the draws in which it is among the first of its queue", "1",
               leaves="partner", tag="#indicator+num+first_share",
               head="share of the draws in which it is one of the first"),
        Column("class_share", "number", "part of the draws in its likeliest class", "1", leaves="partner",
               tag="#indicator+num+class_share"),
        Column("rank_low", "integer", "5 % of the draws rank it before", leaves="partner", tag="#severity+rank+low",
               head="rank in 90 % of the draws: from"),
        Column("rank_high", "integer", "5 % of the draws rank it behind", leaves="partner",
               tag="#severity+rank+high", head="rank in 90 % of the draws: to"),
        Column("priority_class", "text", "high, medium or low; two with '/' between: nobody can tell",
               leaves="public", tag="#severity+name", head="priority; two where nobody can tell"),
        Column("tied_with", "text", "tasks near in rank whose order with it flips from draw to draw, '; ' between",
               leaves="partner", tag="#meta+id+list+tied"),
        Column("change", "reason", "what would change its rank, in a sentence", leaves="partner",
               tag="#description+change", head="what would change it"),
    ),
    *added_by("planning",
        Column("teams", "text", "teams that the plan sends there, '; ' between", leaves="public",
               tag="#org+code+list+teams", head="teams in the plan of work"),
        Column("start_on", "date", "first day of the period in which work begins", leaves="public",
               tag="#date+start", head="work starts in the period from"),
        Column("finish_on", "date", "last day of the period in which work ends; blank: not within the plan",
               leaves="public", tag="#date+end", head="work is finished by"),
        Column("finished_part", "number", "part of the task that is worked within the plan", "1", leaves="public",
               tag="#indicator+num+finished", head="finished when the plan ends"),
    ),
)

BLOCKERS: tuple[Column, ...] = (
    id_of("blocker_id", "hindrance: zone, part and task", "partner", "#meta+id+blocker"),
    Column("zone_id", "text", "zone that can't open before the task is done", leaves="partner",
           tag="#loc+code+zone"),
    Column("task_id", "text", "task that stands in the way, or survey of the place", leaves="partner",
           tag="#meta+id+task"),
    Column("part", "text", "'home', the place itself; 'survey', its survey; or the lifeline that the task blocks",
           leaves="partner",
           tag="#service+name"),
    replace(ESSENTIAL, meaning="whether the zone waits for it; other parts only add value"),
    Column("why", "reason", "the same in words", leaves="partner", tag="#description+why", shown="sentence"),
)

SURVEYS: tuple[Column, ...] = (  # public: no row of it; that a place is not surveyed stands beside the place
    id_of("survey_id", "survey of a place", "partner", "#meta+id+survey"),
    Column("zone_id", "text", "zone that can't open before it", leaves="partner", tag="#loc+code+zone"),
    replace(DISTRICT, nullable=True, meaning="district of the place"),
    m2_of("area", "ground of the survey: the place itself, and what its essential lifelines run through"),
    text("kind", "kinds of teams that may do it, '; ' between; blank: the plan of work has no method for it",
         "partner", "#org+type+team"),
    *optional(
        Column("gates", "reason", "what holds the survey back", leaves="partner", tag="#access+gates",
               head="gates that hold it back", shown="sentence"),
        Column("gates_end_on", "date", "last day on which gates hold it back; blank: none does, or nobody stated a day",
               leaves="partner", tag="#date+end+gates"),
    ),
    *(column for column in TAIL if column.name in ("source", "deferred")),
    *added_by("planning", *(column for column in TASKS if column.stage == "planning")),
    GEOMETRY,
)

WORK: tuple[Column, ...] = (
    id_of("work_id", "piece of work: task, step, team and period", "public", "#meta+id+work"),
    Column("task_id", "text", "task that is worked on, or the survey of a place: 'survey:' and the place's id",
           leaves="public", tag="#meta+id+task", head="task, or survey of a place"),
    Column("step", "integer", "number of the step of the task's method, from 1", low=1, leaves="public",
           tag="#activity+step", head="step of the method"),
    Column("step_name", "text", "its name", leaves="public", tag="#activity+name", head="what is done"),
    TEAM_KIND,
    Column("team_id", "text", "team that does it", leaves="public", tag="#org+code+team", head="team"),
    Column("period", "integer", "number of the period, from 1", low=1, leaves="public", tag="#activity+period"),
    Column("starts_on", "date", "first day of the period", leaves="public", tag="#date+start",
           head="from, first day of the period"),
    Column("ends_on", "date", "last day of the period: work is dated to the period, not to the day", leaves="public",
           tag="#date+end", head="to, last day of the period"),
    Column("days", "number", "work of one such team", "team-days", low=0, leaves="public",
           tag="#capacity+num+team_days", head="work"),
    Column("m2", "number", "ground of the step that is worked", "m2", low=0, leaves="public", tag="#output+num+m2",
           head="ground of the step"),
    Column("cost", "number", "days by the team's cost a day", "currency", low=0, leaves="public",
           tag="#value+budget"),
    *added_by("outputs", replace(DISTRICT, meaning="district of the task")),
)

# --- what stages add to tables that are entered

OPENINGS: tuple[Column, ...] = added_by("planning",  # of ZONES
    Column("opens_in", "integer", "period at whose end the zone opens by the plan; 0: the first day", leaves="public",
           tag="#indicator+num+opens_in",
           head="opens at the end of period; 0: the first day; blank: not in the plan"),
    Column("opens_on", "date", "day on which the place opens; blank: not within the plan", leaves="public",
           tag="#date+opens", head="opens on"),
    Column("waits_for", "integer", "tasks that stand in its way", "tasks", leaves="public",
           tag="#indicator+num+waits_for"),
    Column("last_tasks", "text", "last of them to be finished", leaves="partner", tag="#meta+id+list+last_tasks",
           head="last of them", shown="sentence"),
    Column("near_tasks", "integer", "tasks with ground near the homes of people already there; blank: none is known",
           "tasks", leaves="partner", tag="#indicator+num+near_tasks", head="tasks near people already home"),
    Column("near_released", "number", "part of what is expected to be contaminated near those homes that the plan "
           "releases by its end; blank: none is known", "1", leaves="partner", tag="#output+share+near_released",
           head="released near people already home"),
    Column("why", "reason", "why the zone opens then, or why not", leaves="public", tag="#description+why",
           head="why then, or why not", shown="sentence"),
    Column("sooner", "reason", "what would bring it forward", leaves="public", tag="#description+sooner",
           head="what would bring it forward", shown="sentence"),
    Column("probability", "number", "part of the draws in which it is open by then", "1", leaves="public",
           tag="#indicator+num+probability", head="chance to open by then"),
    Column("p50_on", "date", "half of the draws open it by this day; blank: beyond the plan", leaves="public",
           tag="#date+opens+p50", head="half of the draws by; blank: beyond the plan"),
    Column("p80_on", "date", "four fifths of the draws open it by this day; blank: beyond the plan", leaves="public",
           tag="#date+opens+p80", head="four fifths of the draws by; blank: beyond the plan"),
    filled=("waits_for",),
)

_SCALE = Column("scale", "number", "scale of the plane at the point", "1")
_DECLINATION_SOURCE = Column("declination_source", "text", "where the declination comes from")
_CONVERGENCE = Column("convergence_deg", "number", "grid north against true north, east positive", "°")

#: Of HAZARDS that come from records: what was computed of each, and what its sheet says.
OF_RECORDS: tuple[Column, ...] = added_by("records",
    Column("version", "number", "newest version of the record's points: 1 as recorded, 2 and up re-anchored"),
    Column("misclosure_m", "number", "distance by which the legs of the record miss their known end", "m"),
    Column("misclosure_limit_m", "number", "misclosure over which a blunder is assumed (3 sigma)", "m"),
    Column("blunder", "text", "whether a leg of the record is wrong; its position error is widened by it"),
    Column("declination_used_deg", "number", "declination by which bearings were turned, east positive", "°"),
    _DECLINATION_SOURCE, _CONVERGENCE, replace(_SCALE, meaning="scale of the plane"),
    Column("sigmas_by_plan", "text", "standard errors that the plan gave, because the record states none"),
    *(column for column in RECORDS if column.name not in ("ordnance", "source", "status")),
)

#: Points of records as computed: a layer of its own.
RECORD_POINTS: tuple[Column, ...] = (
    *VERTICES,
    *added_by("records",
        Column("landmark", "text", "name of the landmark"),
        Column("notation", "text", "notation in which the coordinates were read"),
        Column("entered_x", "number", "first coordinate as entered", "unit of entered_crs"),
        Column("entered_y", "number", "second coordinate as entered", "unit of entered_crs"),
        Column("declination_deg", "number", "declination by which the bearing was turned, east positive", "°"),
        _DECLINATION_SOURCE, _CONVERGENCE, _SCALE,
        Column("leg_from", "text", "point from which the leg leads here"),
        Column("closes_on", "text", "known point on which the leg comes back"),
        Column("is_check", "text", "whether the leg only checks others and makes no corner"),
    ),
    *restricted(GEOMETRY),
)

#: Shapes of records as recorded and as anchored again, one row each.
RECORD_VERSIONS: tuple[Column, ...] = (
    Column("record_id", "text", "minefield record", tag="#meta+id+record"),
    Column("version", "integer", "1 as recorded, 2 and up re-anchored", low=1),
    *optional(
        Column("landmark", "text", "landmark by which this version is anchored"),
        Column("coordinates", "text", "its coordinates as written"),
        Column("anchored_by", "text", "who decided it"),
        Column("anchored_on", "date", "when"),
        REASON,
        *restricted(ERROR),
        Column("current", "text", "whether this version counts"),
        Column("moved_m", "number", "distance by which it was moved", "m"),
    ),
    *restricted(GEOMETRY),
)

#: Columns that stages add to tables that are entered.
ADDED: dict[str, tuple[Column, ...]] = {"hazards": OF_RECORDS, "zones": OPENINGS}
#: Tables of stages by name.
RESULTS: dict[str, tuple[Column, ...]] = {
    "areas": AREAS, "tasks": TASKS, "surveys": SURVEYS, "blockers": BLOCKERS, "work": WORK,
    "record_points": RECORD_POINTS, "record_versions": RECORD_VERSIONS,
}
