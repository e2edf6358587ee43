"""Tables to read and to file, column by column: ledger, strategies, treaty tables, figures, faults, sources."""

from __future__ import annotations

from dataclasses import replace

from clearplan.tables.codes import CLASSES
from clearplan.tables.columns import (
    DISTRICT,
    LAND_CLASS,
    ORDNANCE,
    SOURCE,
    TEAM_KIND,
    Column,
    added_by,
    m2_of,
    optional,
    public,
    text,
)

# A declaration is read as a table: one column, one or two lines. What is public is so of published tables alone, which
# publishing rounds and sums up; kinds of ordnance are shown together there.
# fmt: off

(_ANY_ORDNANCE,) = public(replace(ORDNANCE, codes=None, meaning="class of explosive ordnance; 'all' where published"))
_METHOD = Column("method", "text", "way of release; blank of the ledger: closed by status", leaves="public",
                 tag="#modality+name")
_YEAR = Column("year", "integer", "calendar year", leaves="public", tag="#date+year", head="calendar year",
               shown="year")
_NOTE = Column("note", "text", "what to know of the row", nullable=True, leaves="public", tag="#description+note",
               shown="sentence")
_TASKS_WORKED = Column("tasks", "integer", "tasks worked on", "tasks", leaves="public", tag="#output+num+tasks",
                       head="tasks worked on")
_PERIOD = Column("period", "integer", "number of the period, from 1", low=1, leaves="public", tag="#activity+period")
_COST = Column("cost", "number", "days of all teams by their cost a day", "currency", low=0, leaves="public",
               tag="#value+budget")
_GAP = Column("gap", "number", "how far, at most, the best plan that there can be is better; blank: not proven", "1",
              nullable=True, leaves="public", tag="#indicator+num+gap", head="proven within")
_HOME = (
    Column("people_home", "number", "people who wait and whose place is open when the plan ends; none of those already "
           "home", "people", leaves="public", tag="#reached+ind", head="of those who wait, home at the end"),
    Column("zones_open", "integer", "places open when the plan ends", "places", leaves="public",
           tag="#output+num+zones_open", head="places open"),
    Column("person_months", "number", "each person counts for every month from the opening of the place",
           "person-months", leaves="public", tag="#indicator+num+person_months", head="person-months at home"),
)

# --- where the ground stands

LEDGER: tuple[Column, ...] = (
    replace(LAND_CLASS, codes=None, meaning="class of the land, or 'outside every known hazard'"), DISTRICT,
    m2_of("reported", "reported ground before any release, net of overlap", "reported, before any release", "public"),
    m2_of("remaining", "of it, neither released nor closed", leaves="public"),
    m2_of("cancelled", "of it, released by non-technical survey", leaves="public"),
    m2_of("reduced", "of it, released by technical survey", leaves="public"),
    m2_of("cleared", "of it, released by clearance", leaves="public"),
    m2_of("closed", "of it, closed by status without a release polygon", "closed by status, without a release",
          "public"),
    m2_of("planning", "ground for planning that remains, net of overlap: grown by position errors, belts, strikes",
          "planning ground that remains", "public"),
    m2_of("planning_released", "ground for planning that was released beyond every reported border",
          "planning ground released beyond reported borders", "public"),
    text("closed_ids", "hazards that were closed by status, '; ' between", "partner", "#meta+id+list+closed",
         "hazards that were closed by status"),
)

NET_AREA: tuple[Column, ...] = (
    LAND_CLASS, DISTRICT,
    m2_of("reported", "reported ground that remains, overlaps counted once, in the strongest class",
          "reported ground", "public"),
    m2_of("planning", "planning ground that remains, overlaps counted once, in the strongest class",
          "planning ground", "public"),
    m2_of("gross", "planning ground that remains, overlaps counted again", leaves="public"),
    replace(m2_of("overlap", "planning ground under several hazards or a stronger class", leaves="public"), low=None),
    *optional(  # which district holds a lone strike is nobody's at the public tier
        m2_of("stated", "area that sources state, of hazards without a surveyed border; blank: none stated"),
        Column("no_area", "integer", "hazards without a surveyed border whose area nobody states", "hazards", low=0,
               leaves="partner", tag="#indicator+num+no_area"),
    ),
)

EXPECTED: tuple[Column, ...] = (
    DISTRICT,
    m2_of("expected", "ground expected to be contaminated, by the surface", leaves="public"),
    m2_of("low", "lower end of the 90 % interval of what will be found", leaves="public"),
    m2_of("high", "upper end of the 90 % interval of what will be found", leaves="public"),
    *optional(
        m2_of("mean_low", "lower end of the 90 % interval of the expectation", leaves="public"),
        m2_of("mean_high", "upper end of the 90 % interval of the expectation", leaves="public"),
    ),
    m2_of("known", "ground of which the surface knows something", leaves="public"),
    m2_of("unknown", "ground of which nobody knows", leaves="public"),
    *optional(
        Column("holds_any", "number", "chance that the known ground holds any contamination, at least one item", "1",
               nullable=True, low=0, high=1, leaves="public", tag="#indicator+num+holds_any"),
        Column("relative", "number", "contaminated share over its mean on the known ground, whose size nobody states",
               "1", nullable=True, low=0, leaves="public", tag="#indicator+num+relative"),
    ),
)

BRIDGE: tuple[Column, ...] = (
    DISTRICT, LAND_CLASS, _ANY_ORDNANCE,
    m2_of("opening", "remaining ground on the first day", leaves="public"),
    m2_of("newly_found", "hazards that were not known on the first day", "+ newly found", "public"),
    m2_of("cancelled", "released by non-technical survey since", "- cancelled", "public"),
    m2_of("reduced", "released by technical survey since", "- reduced", "public"),
    m2_of("cleared", "released by clearance since", "- cleared", "public"),
    m2_of("reopened", "released ground that is hazardous again", "+ re-opened", "public"),
    m2_of("changed_in", "ground that was of another class or ordnance", "+ from another class or ordnance", "public"),
    m2_of("changed_out", "ground that is of another class or ordnance now", "- to another class or ordnance",
          "public"),
    m2_of("closed", "closed by status since", "- closed by status", "public"),
    m2_of("withdrawn", "hazards that are in no table any more", "- withdrawn", "public"),
    m2_of("closing", "remaining ground on the last day", leaves="public"),
)

ACCIDENT_COUNTS: tuple[Column, ...] = (
    replace(DISTRICT, meaning="district; 'all': the total"),
    replace(_YEAR, dtype="text", meaning="calendar year; 'all': the total"),
    Column("accidents", "integer", "accidents; blank: withheld", "accidents", nullable=True, leaves="public"),
    Column("told", "text", "'yes', or 'withheld': so few that one could be known, or a count that would tell one",
           leaves="public"),
)

# --- the plan of work

STRATEGIES: tuple[Column, ...] = (
    Column("strategy", "text", "way to plan the work", leaves="public", tag="#activity+strategy"),
    *_HOME,
    Column("person_months_low", "number", "least, from unknown population", "person-months", leaves="public",
           tag="#indicator+num+person_months+low", head="least, from unknown population"),
    Column("person_months_high", "number", "most, from unknown population", "person-months", leaves="public",
           tag="#indicator+num+person_months+high", head="most, from unknown population"),
    Column("people_near_hazard", "number", "people already home with tasks near their homes; none of those who wait",
           "people", leaves="public", tag="#affected+ind+near", head="already home, hazard near"),
    Column("people_near_released", "number", "of them those all of whose near ground is released when the plan ends",
           "people", leaves="public", tag="#reached+ind+near", head="already home, all near ground released"),
    Column("m2_finished", "number", "ground of tasks whose work is all done", "m2", low=0, leaves="public",
           tag="#output+num+m2+finished", head="ground finished"),
    Column("days", "number", "work of all teams together", "team-days", low=0, leaves="public",
           tag="#capacity+num+team_days", head="work"),
    _COST, _GAP,
    Column("price", "number", "what a lever of fairness costs against the best plan found without one; blank: no lever",
           "person-months", nullable=True, leaves="public", tag="#indicator+num+price",
           head="price of the lever"),
)

USE: tuple[Column, ...] = (
    Column("team_id", "text", "team", leaves="public", tag="#org+code+team", head="team"),
    TEAM_KIND, _PERIOD,
    Column("days", "number", "work that is planned", "team-days", low=0, leaves="public",
           tag="#capacity+num+team_days", head="planned"),
    Column("available", "number", "work that such teams can do", "team-days", low=0, leaves="public",
           tag="#capacity+num+team_days+available", head="there are"),
    _COST,
    *added_by("outputs", Column("share", "number", "part of it that is planned; blank: there is none", "1",
                                leaves="public", tag="#capacity+share", head="share used")),
)

BUDGETS: tuple[Column, ...] = (
    Column("budget", "number", "money for all periods together", "currency", low=0, leaves="public",
           tag="#value+budget+all"),
    *_HOME,
    Column("per_million", "number", "what each million more than the budget before bought",
           "person-months per million currency", nullable=True, leaves="public",
           tag="#indicator+num+person_months+per_million", head="each million more bought"),
    Column("note", "reason", "why it is not stated what a million more bought", required=False, nullable=True,
           leaves="public", tag="#description+per_million", head="why not", shown="sentence"),
    _COST, _GAP,
)

# --- what a state files

OBLIGATIONS: tuple[Column, ...] = (
    Column("convention", "text", "convention", leaves="public", tag="#meta+convention"),
    Column("article", "text", "article and paragraph", leaves="public", tag="#meta+article", head="article"),
    Column("what", "text", "what a state party has to do", leaves="public", tag="#description+obligation",
           head="what a state party has to do", shown="sentence"),
    Column("years", "integer", "years after entry into force; blank: none counted", "years", nullable=True,
           leaves="public", tag="#indicator+num+years", head="years after entry into force; blank: none counted"),
    Column("extension", "text", "whether and how it can be extended", nullable=True, leaves="public",
           tag="#description+extension", shown="sentence"),
    _NOTE,
)

REMAINING: tuple[Column, ...] = (
    DISTRICT, LAND_CLASS, _ANY_ORDNANCE,
    Column("hazards", "integer", "hazards, each in the district with most of its ground", "hazards", low=0,
           leaves="public", tag="#indicator+num+hazards", head="hazards; 0 beside ground: counted in another district"),
    m2_of("reported", "reported ground, overlaps once, in the strongest class; blank: no place on the map",
          "reported ground, net of overlap; blank: no place on the map", "public"),
)

RELEASED_BY_YEAR: tuple[Column, ...] = (
    replace(_YEAR, meaning="calendar year; blank: no date", nullable=True, head="calendar year; blank: no date"),
    DISTRICT, _METHOD,
    *(m2_of(name.lower(), f"ground of {name} that remained and was released; blank: no place on the map",
            f"of {name}; blank: no place on the map", "public") for name in CLASSES),
    Column("releases", "integer", "decisions, each in the district with most of its ground", "decisions", low=0,
           leaves="public", tag="#indicator+num+releases", head="decisions"),
    *optional(
        Column("items_{}", "integer", "items found of the device {}; blank: no decision says", "items",
               leaves="partner", tag="#item+found+count+{}", head="{} found; blank: not stated"),
        Column("decisions_silent", "integer", "decisions that don't say what was found", "decisions",
               leaves="partner", tag="#indicator+num+decisions_silent",
               head="decisions that don't say what was found"),
    ),
)

MILESTONES: tuple[Column, ...] = (
    _YEAR, TEAM_KIND, _TASKS_WORKED,
    Column("m2", "number", "ground worked; steps on the same ground count it each", "m2", low=0, leaves="public",
           tag="#output+num+m2+planned", head="ground worked; steps on the same ground count it each"),
    Column("days", "number", "work as planned", "team-days", low=0, leaves="public", tag="#capacity+num+team_days",
           head="as planned"),
    Column("team_months_low", "number", "work at the high rate of each team", "team-months", low=0, leaves="public",
           tag="#capacity+num+team_months+low", head="low"),
    Column("team_months", "number", "work at the likely rate", "team-months", low=0, leaves="public",
           tag="#capacity+num+team_months", head="likely"),
    Column("team_months_high", "number", "work at the low rate", "team-months", low=0, leaves="public",
           tag="#capacity+num+team_months+high", head="high"),
    Column("cost_low", "number", "cost at the high rate of each team", "currency", low=0, leaves="public",
           tag="#value+budget+low", head="cost, low"),
    replace(_COST, meaning="cost at the likely rate", head="cost, likely"),
    Column("cost_high", "number", "cost at the low rate", "currency", low=0, leaves="public",
           tag="#value+budget+high", head="cost, high"),
)

_PLANNED_M2 = m2_of("planned", "ground that the plan means to release; blank: not known",
                    "planned for release; blank: not known", "public")
PLANNED_RELEASE: tuple[Column, ...] = (_YEAR, LAND_CLASS, _METHOD, _TASKS_WORKED, _PLANNED_M2)

ACHIEVED: tuple[Column, ...] = (
    *PLANNED_RELEASE,
    m2_of("released", "ground that was released", leaves="public"),
    Column("achieved", "number", "what was released, of what was planned; blank: nothing was planned", "1",
           nullable=True, leaves="public", tag="#indicator+num+achieved", head="achieved; blank: nothing was planned"),
    _NOTE,
)

# --- a run and its files: told of files, not of the field, so that no hashtag fits

_UNIT = Column("unit", "text", "unit of the value", leaves="public")
_MEANING = Column("meaning", "text", "what it means", leaves="public", head="what it means", shown="sentence")

SUMMARY: tuple[Column, ...] = (
    Column("figure", "text", "key figure of the run", leaves="public", shown="sentence"),
    Column("value", "text", "its value; blank: not known", nullable=True, leaves="public",
           head="value; blank: not known", shown="figure"),
    _UNIT, _MEANING,
)

FAULTS: tuple[Column, ...] = (
    Column("file", "text", "file", nullable=True, leaves="partner"),
    Column("row", "integer", "row of the file; blank: of the whole file or layer", nullable=True, leaves="partner",
           head="row of the file; blank: of the whole file or layer", shown="year"),
    Column("column", "text", "column", nullable=True, leaves="partner"),
    Column("value", "text", "value as it stands", nullable=True, leaves="partner", head="value as it stands"),
    Column("rule", "text", "rule that it breaks, or why the row is deferred", leaves="partner",
           head="rule, or why it is deferred", shown="sentence"),
    Column("level", "text", "'error', 'repaired' or 'warning'; 'deferred': the row is in no figure", leaves="public",
           head="level; deferred: the row is in no figure"),
    Column("remedy", "text", "what to do", leaves="partner", shown="sentence"),
)

QUALITY: tuple[Column, ...] = (
    *FAULTS,
    Column("table", "text", "table of a deferred row", nullable=True, leaves="partner"),
    Column("id", "text", "id of a deferred row", nullable=True, leaves="partner", head="id of the row"),
    replace(SOURCE, nullable=True, tag="", head="source of the row"),
)

SOURCES: tuple[Column, ...] = (
    Column("file", "text", "file, as seen from plan.toml", leaves="public", head="file, as seen from plan.toml"),
    Column("used_for", "text", "what it is used for in plan.toml", leaves="public",
           head="what it is used for in plan.toml"),
    *public(replace(SOURCE, meaning="source and licence, as stated", nullable=True, tag="",
                    head="source and licence, as stated; blank: not stated")),
    Column("sha256", "text", "SHA-256 of the file", leaves="public", head="SHA-256 of the file"),
)

SETTINGS: tuple[Column, ...] = (
    Column("section", "text", "section of plan.toml", leaves="public", head="section of plan.toml"),
    Column("setting", "text", "setting", leaves="public"),
    Column("value", "text", "its value; blank: unset", nullable=True, leaves="public", head="value; blank: unset",
           shown="any"),
    _UNIT, _MEANING,
)

#: Turning points of objects under the heads of IMSMA's import of points from a spreadsheet.
TURNING_POINTS: tuple[Column, ...] = (
    Column("PolyID", "text", "part of the object: its id, then id/2, id/3 ..."),
    Column("PointNo", "integer", "number of the point, from 1"),
    Column("PointID", "text", "start (SP) or turning point (TP) with its number"),
    Column("PointType", "text", "type of the point in IMSMA's words"),
    Column("Xcoord", "number", "easting in the working CRS", shown="exact"),
    Column("Ycoord", "number", "northing in the working CRS", shown="exact"),
    Column("ProjName", "text", "projection as IMSMA names it"),
    Column("PointDesc", "text", "table and id of the object"),
    Column("ObjectID", "text", "id of the object"),
    Column("Part", "integer", "number of the part, from 1"),
    Column("Ring", "integer", "0: the outer border; from 1: a hole"),
)

#: Books by name.
BOOKS: dict[str, tuple[Column, ...]] = {
    "ledger": LEDGER, "net_area": NET_AREA, "expected": EXPECTED, "bridge": BRIDGE, "accident_counts": ACCIDENT_COUNTS,
    "strategies": STRATEGIES, "use": USE, "budgets": BUDGETS, "obligations": OBLIGATIONS, "remaining": REMAINING,
    "released": RELEASED_BY_YEAR, "milestones": MILESTONES, "planned": PLANNED_RELEASE, "achieved": ACHIEVED,
    "summary": SUMMARY, "faults": FAULTS, "quality": QUALITY, "sources": SOURCES, "settings": SETTINGS,
    "turning_points": TURNING_POINTS,
}
