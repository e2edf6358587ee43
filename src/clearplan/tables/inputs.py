"""The tables that files of a project fill, one entry each: what a file may hold, and how it is read, dated and linked.

A new table is an entry here; readers, settings, the template of plan.toml, days, links, publication and the record of a
run take it from there. A stage uses it.
"""

from __future__ import annotations

from dataclasses import replace

from clearplan.tables.columns import (
    DEFERRED,
    DISTRICT,
    ERROR,
    ESSENTIAL,
    HAZARD_KIND,
    HAZARD_STATUS,
    LAND_CLASS,
    ORDNANCE,
    REASON,
    RECORDED,
    SOURCE,
    TAIL,
    TEAM_KIND,
    Column,
    coded,
    day,
    id_of,
    number,
    optional,
    public,
    restricted,
    text,
)
from clearplan.tables.entry import DISTRICTS, InputTable, Link, OneOf, Section
from clearplan.tables.row_rules import (
    able_teams,
    belts_are_indications,
    countable_releases,
    doubtful_zeros,
    sourced_vulnerability,
    stated_surveys,
)

# A declaration is read as a table: one column, one or two lines. ``leaves`` is the tier from which on a column leaves
# the house; at the public tier ids, shapes, areas and places leave only as publishing makes them: renamed, laid on
# cells, rounded. Why not more, in short: names, units, forms, devices and what was entered say where mines lie and who
# laid them; days, ages and places say who was hurt; reasons may name people.
# fmt: off

HAZARDS = InputTable(
    "hazards",
    columns=(  # public: an open contact line's alone; all else is published as areas
        id_of("hazard_id", "hazard", "public", "#meta+id+hazard"),
        HAZARD_KIND, LAND_CLASS, HAZARD_STATUS, ORDNANCE, ERROR,
        replace(text("depth_profile", "contact lines: 'distance inner outer; ...' along the line", "partner"),
                unit="m"),
        coded("measure", "how the depth counts", leaves="partner"),
        coded("sides", "sides of the line", leaves="partner"),
        coded("caps", "ends of the belt", leaves="partner"),
        replace(number("stated_m2", "area that the source states, of a hazard without a border", "m2", 0, 1e12),
                leaves="partner", tag="#indicator+num+m2_stated"),
        *public(*TAIL, only=("source", "geometry")),
    ),
    day="recorded_on",
    sections=(
        Section(
            "hazards",
            "Hazards: one [[hazards]] for each file (GeoPackage, Shapefile, GeoJSON, KML, FGDB, CSV, XLSX ...).",
            example="data/hazards.gpkg",
        ),
        Section(
            "strikes",
            "Cluster strikes: files of hazards.",
            example="data/strikes.csv",
            always={"kind": "cluster-strike"},
        ),
    ),
    shapes=("point", "line", "polygon"),
    covers_once=True,
    gaps=True,
    rules=(belts_are_indications,),
)

ZONES = InputTable(
    "zones",
    columns=(
        id_of("zone_id", "zone", "public", "#loc+code+zone", head="id"),
        Column("name", "text", "name of the place", nullable=True, leaves="public", tag="#loc+name", head="place"),
        Column("people", "integer", "people who wait to return there, without those already home; blank is unknown, "
               "never 0", "people", nullable=True, low=0, leaves="public", tag="#affected+ind",
               head="people who wait; blank: unknown"),
        *optional(
            Column("families", "integer", "families who wait to return there; blank is unknown", "families", low=0,
                   leaves="public", tag="#affected+hh", head="families who wait; blank: unknown"),
        ),
        coded("people_basis", "what the number of people who wait rests on; blank: not stated", leaves="public",
              tag="#meta+basis"),
        text("people_source", "where the number of people who wait comes from", "partner", "#meta+source+waiting"),
        *optional(
            Column("already_home", "integer", "people who live there already; blank is unknown, never 0", "people",
                   low=0, leaves="public", tag="#affected+ind+home", head="people already home; blank: unknown"),
            Column("families_home", "integer", "families who live there already; blank is unknown", "families", low=0,
                   leaves="public", tag="#affected+hh+home", head="families already home; blank: unknown"),
        ),
        day("already_home_on", "day for which the number already home was stated", "public", "#date+home"),
        text("already_home_source", "where the number already home comes from", "partner", "#meta+source+home"),
        day("planned_return", "date of the planned return", "public", "#date+return+planned"),
        coded("survey_status", "whether the place was surveyed; blank: it was not", leaves="public",
              tag="#status+survey"),
        day("surveyed_on", "day of the survey or of the release; a later one than that of the study does not count",
            "public", "#date+surveyed"),
        text("surveyed_by", "authority that stands by it", "partner", "#org+surveyed"),
        text("survey_source", "where the survey status comes from", "partner", "#meta+source+survey"),
        replace(number("vulnerability", "times that a person counts in a plan weighed by it; blank: 1", "1", 1, 100),
                leaves="partner", tag="#indicator+num+vulnerability"),
        text("vulnerability_source", "who says so", "partner", "#meta+source+vulnerability"),
        text("after", "zones that must open first, '; ' between", "partner"),
        text("other_names", "other names of the place, '; ' between", "public", "#loc+name+list+other"),
        ERROR,
        *public(*TAIL, only=("geometry",)),
    ),
    day="recorded_on",
    sections=(
        Section(
            "zones",
            "Places to return to: people who wait (people) apart from people already home; blank is unknown, never 0.",
            example="data/zones.geojson",
            needed=True,
        ),
    ),
    shapes=("point", "polygon"),
    rules=(doubtful_zeros, stated_surveys, sourced_vulnerability),
)

ACCIDENTS = InputTable(
    "accidents",
    columns=(  # public: counts by district and year alone
        id_of("accident_id", "accident", "partner", "#meta+id+accident"),
        Column("occurred_on", "date", "day of the accident; blank is unknown", nullable=True, leaves="partner",
               tag="#date+occurred"),
        coded("device", "class of the device", leaves="partner", tag="#cause+type+device"),
        ERROR,
        replace(number("entered_error_m", "position error as it was written, where that of a place stands instead",
                       "m", 0, 100_000), leaves="partner", tag="#geo+error+m+entered"),
        text("error_from", "layer or reason from which the position error is where the coordinates are those of a "
             "place; blank: as written", "partner", "#meta+source+error"),
        *restricted(*TAIL, only=("recorded_on",)),
    ),
    day="occurred_on",
    sections=(Section("accidents", "Accidents; never anybody's name.", example="data/accidents.csv"),),
    shapes=("point",),
)

#: What a return hangs on beside the mines: lifelines of its zones, and gates that hold work back whatever its rank.
LIFELINES = InputTable(
    "lifelines",
    columns=(
        id_of("lifeline_id", "lifeline", "partner", "#meta+id+lifeline"),
        Column("zone_id", "text", "zone that it serves", leaves="partner", tag="#loc+code+zone"),
        Column("kind", "text", "what it is", codes="lifeline_kind", leaves="partner", tag="#service+type"),
        text("name", "name of it", "partner", "#service+name"),
        ESSENTIAL,
        ERROR,
        *TAIL,
    ),
    day="recorded_on",
    sections=(
        Section(
            "lifelines",
            "What places to return to depend on; essential: nobody can live there without it.",
            example="data/lifelines.gpkg",
        ),
    ),
    shapes=("point", "line", "polygon"),
    mixed=True,  # roads, springs and fields belong in one file
    again=("kind", "zone_id"),  # a road serves several zones
    links=(Link("zone_id", "zones", "it counts for no task"),),
)

#: What a gate can hold back; it must name one of these.
GATED = ("zone_id", "hazard_id", "district")

GATES = InputTable(
    "gates",
    columns=(  # public: reason and until in the words of the code list
        id_of("gate_id", "gate; made from the file's row where the file has none", "public", "#meta+id+gate"),
        Column("kind", "text", "why nobody may start", codes="gate_kind", leaves="public", tag="#access+type"),
        text("zone_id", "zone whose tasks it holds back; zone, hazard or district must be given", "partner",
             "#loc+code+zone"),
        text("hazard_id", "hazard whose tasks it holds back", "partner", "#meta+id+hazard"),
        *optional(replace(DISTRICT, meaning="district whose tasks it holds back, named as in the district layer")),
        *public(replace(REASON, meaning="why, in words that may be printed")),
        Column("until", "text", "what has to happen before work may start, or a date, in words", leaves="public",
               tag="#date+until"),
        day("lifted_on", "day from which it holds nothing back; blank: it still does", "partner", "#date+end+gate"),
        day("ends_on", "last day on which it holds anything back, where that day is known beforehand", "partner",
            "#date+end+gate+planned"),
        SOURCE, RECORDED, DEFERRED,
    ),
    day="recorded_on",
    sections=(
        Section(
            "gates",
            "What holds tasks back until something happens, whatever their rank; names a zone, hazard or district.",
            example="data/gates.csv",
        ),
    ),
    one_of=OneOf(GATED, f"none of {', '.join(GATED)} is given", "give the zone, hazard or district that it holds back"),
    links=(
        Link("zone_id", "zones", "it holds back NOTHING"),
        Link("hazard_id", "hazards", "it holds back NOTHING"),
        Link("district", DISTRICTS, "it holds back NOTHING"),
    ),
    fails_to="hold back",
)

#: Land release: events on ground and changes of whole hazards. Both are append-only; nothing in them is ever corrected
#: by changing a row, only by a later one. Public: the ledger by district tells of them.
RELEASES = InputTable(
    "releases",
    columns=(
        id_of("release_id", "release", "partner", "#meta+id+release"),
        Column("action", "text", "what was decided about the ground", codes="action", leaves="partner",
               tag="#status+release"),
        Column("decided_on", "date", "day from which the decision holds", leaves="partner", tag="#date+approved"),
        Column("decided_by", "text", "who decided: releasing is the national authority's act", leaves="partner",
               tag="#org+decided"),
        *optional(REASON),
        text("operator", "who surveyed or cleared", "partner", "#org+impl"),
        text("method", "how, in the operator's words", "partner", "#modality+name"),
        replace(number("depth_m", "depth to which the ground was cleared; needed where action is cleared", "m", 0, 100),
                leaves="partner", tag="#output+depth+m"),
        text("items", "items found, by device code: 'AP 3; AV 1'; blank is unknown, 'none' is none",
             tag="#item+found+text"),
        text("hazard_id", "hazard that the release is meant for; the ground decides", "partner", "#meta+id+hazard"),
        text("district", "district as stated; the ground decides", "partner", "#adm1+name"),
        ERROR,
        *TAIL,
    ),
    day="decided_on",
    sections=(
        Section(
            "releases",
            "Land release, append-only: a decision is never edited; what was wrong is re-opened.",
            example="data/releases.gpkg",
        ),
    ),
    shapes=("polygon",),
    again=("action", "decided_on"),  # ground is re-opened
    gaps=True,
    rules=(countable_releases,),
    events=True,
    fails_to="decide",
)

HISTORY = InputTable(
    "history",
    columns=(
        id_of("history_id", "change; made from the file's row where the file has none", "partner", "#meta+id+history"),
        Column("hazard_id", "text", "hazard that changed, all of it", leaves="partner", tag="#meta+id+hazard"),
        Column("changed_on", "date", "day from which the change holds", leaves="partner", tag="#date+changed"),
        Column("changed_by", "text", "who decided it", tag="#org+changed"),
        REASON,
        coded("status", "state of the work from that day on; blank: as before", leaves="partner", tag="#status+hazard"),
        coded("land_class", "class of the land from that day on; blank: as before", leaves="partner",
              tag="#event+type+land_class"),
        SOURCE, RECORDED, DEFERRED,
    ),
    day="changed_on",
    sections=(
        Section(
            "history",
            "Changes of whole hazards, append-only: their status, their class or both from a day on.",
            example="data/history.csv",
        ),
    ),
    one_of=OneOf(("status", "land_class"), "neither status nor land_class is given", "give the one that changed"),
    events=True,
    fails_to="decide",
)

#: Who works when: teams and what they have been promised to.
TEAMS = InputTable(
    "teams",
    columns=(
        id_of("team_id", "team, or the group of like teams", "public", "#org+code+team"),
        replace(TEAM_KIND, meaning="what it does"),
        Column("number", "integer", "how many such teams", "teams", low=1, leaves="public", tag="#capacity+num+teams"),
        *(Column(f"rate_{name}", "number", f"ground that one of them works in a day, {name}", "m2/day", low=1e-3,
                 leaves="partner", tag=f"#capacity+num+m2_per_day+{name}") for name in ("low", "likely", "high")),
        Column("rate_source", "text", "where the rates come from; rates differ a hundredfold from land to land",
               leaves="partner", tag="#meta+source+rate"),
        Column("cost_per_day", "number", "cost of one of them a day, in the plan's currency", "currency/day", low=0,
               leaves="partner", tag="#value+budget+per_day"),
        text("operator", "organisation that employs it; blank: not stated", "partner", "#org+impl"),
        text("donor", "who pays for it; blank: not stated. For a place or a time only: districts, available_from and "
             "available_to", "partner", "#org+funder"),
        text("season", "months in which it works, first and last: 4-10, or 11-3 across the year's end; blank: all",
             "partner"),
        text("districts", "districts in which it may work, '; ' between; blank: everywhere", "partner",
             "#adm1+name+list"),
        replace(number("base_lon", "longitude of its base, from which it goes to sites; blank: not stated", "degrees",
                       -180, 180), tag="#geo+lon+base"),
        replace(number("base_lat", "latitude of its base; blank: not stated", "degrees", -90, 90), tag="#geo+lat+base"),
        day("available_from", "first day; blank: from the start", "partner", "#date+start+team"),
        day("available_to", "last day; blank: to the end", "partner", "#date+end+team"),
        SOURCE, RECORDED, DEFERRED,
    ),
    day="recorded_on",
    sections=(
        Section(
            "teams",
            "Who can work, how fast [m2 a team and day], when and where; goes together with [planning].",
            example="data/teams.csv",
        ),
    ),
    rules=(able_teams,),
    links=(Link("districts", DISTRICTS, "no team works by it", several=True),),
    fails_to="do",
)

COMMITMENTS = InputTable(
    "commitments",
    columns=(
        id_of("commitment_id", "commitment; made from the file's row where the file has none", "partner",
              "#meta+id+commitment"),
        text("task_id", "task that was promised; task or hazard must be given", "partner", "#meta+id+task"),
        text("hazard_id", "hazard of which all tasks were promised", "partner", "#meta+id+hazard"),
        text("team_id", "team that does it; blank: any that may", "partner", "#org+code+team"),
        Column("until", "date", "day by which the work must be done", leaves="partner", tag="#date+until"),
        replace(REASON, meaning="why, in words that may be printed"),
        SOURCE, RECORDED, DEFERRED,
    ),
    day="recorded_on",
    sections=(
        Section(
            "commitments",
            "Work that is promised or under way: the task, or the hazard, and the day by which it must be done.",
            example="data/commitments.csv",
        ),
    ),
    one_of=OneOf(
        ("task_id", "hazard_id"),
        "neither task_id nor hazard_id is given",
        "give the task or hazard that was promised",
    ),
    links=(Link("hazard_id", "hazards", "it binds NOBODY"),),
    fails_to="bind",
)

#: Every input table, in the order in which a project is read.
INPUTS: dict[str, InputTable] = {
    table.name: table
    for table in (HAZARDS, ZONES, ACCIDENTS, LIFELINES, GATES, RELEASES, HISTORY, TEAMS, COMMITMENTS)
}
