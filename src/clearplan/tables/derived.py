"""What each column of a written layer means, with its unit: as declared, or as the stage that made it defines it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from clearplan.tables.declared import CLASSES, TABLES, Column, Dtype

#: Layers of plan.gpkg that are no declared table under another name.
_DECLARED_AS = {"record_points": "vertices"}


def _made(name: str, dtype: Dtype, meaning: str, unit: str = "") -> Column:
    return Column(name, dtype, meaning, unit, required=False, nullable=True)


#: Columns that stages add beyond the declared ones, by layer.
_ADDED: dict[str, tuple[Column, ...]] = {
    "hazards": (
        _made("version", "number", "newest version of the record's points: 1 as recorded, 2 and up re-anchored"),
        _made("misclosure_m", "number", "distance by which the legs of the record miss their known end", "m"),
        _made("misclosure_limit_m", "number", "misclosure over which a blunder is assumed (3 sigma)", "m"),
        _made("blunder", "text", "whether a leg of the record is wrong; its position error is widened by it"),
        _made("declination_used_deg", "number", "declination by which bearings were turned, east positive", "°"),
        _made("sigmas_by_plan", "text", "standard errors that the plan gave, because the record states none"),
    ),
    "areas": (
        *(_made(f"{name.lower()}_m2", "number", f"published cells: net ground of {name} in it; blank: none known", "m2")
          for name in CLASSES),
    ),
    "tasks": (
        _made("told", "text", "published cells: what the cell holds, in a sentence"),
        _made("people_assumed", "number", "people assumed for zones of unknown population that the task serves",
              "people"),
        _made("zones_unknown", "integer", "zones of unknown population that the task serves", "zones"),
        _made("probability_assumed", "number", "probability assumed where nobody knows one", "1"),
        _made("gates", "text", "what holds the task back; it has no rank until then"),
        _made("lifeline_ids", "text", "lifelines that the task blocks, '; ' between"),
        _made("score", "number", "sum of the contributions", "points of 100"),
        _made("rank", "integer", "place in its queue, 1 first; blank behind a gate"),
        _made("clear_all_cost", "number", "cost of clearing all of the task", "currency"),
        _made("survey_first_cost", "number", "expected cost of survey, then clearance of what it finds", "currency"),
        _made("survey_saves", "number", "expected saving of survey before clearance", "currency"),
        _made("survey_harm", "number", "harm expected from ground that survey releases although it holds ordnance",
              "currency"),
        _made("break_even_p", "number", "probability above which clearing at once costs less, harm counted", "1"),
        _made("break_even_p_costs", "number", "the same without harm", "1"),
        _made("first_share", "number", "part of the draws in which it is among the first of its queue", "1"),
        _made("class_share", "number", "part of the draws in its likeliest class", "1"),
        _made("rank_low", "integer", "5 % of the draws rank it before"),
        _made("rank_high", "integer", "5 % of the draws rank it behind"),
        _made("priority_class", "text", "high, medium or low; two with '/' between: nobody can tell"),
        _made("tied_with", "text", "tasks near in rank whose order with it flips from draw to draw, '; ' between"),
        _made("change", "text", "what would change its rank, in a sentence"),
        _made("teams", "text", "teams that the plan sends there, '; ' between"),
        _made("start_on", "date", "first day of the period in which work begins"),
        _made("finish_on", "date", "last day of the period in which work ends; blank: not within the plan"),
        _made("finished_part", "number", "part of the task that is worked within the plan", "1"),
    ),
    "zones": (
        _made("opens_in", "integer", "period at whose end the zone opens by the plan; 0: the first day"),
        _made("opens_on", "date", "that day; blank: not within the plan"),
        _made("waits_for", "integer", "tasks that stand in its way", "tasks"),
        _made("last_tasks", "text", "last of them to be finished"),
        _made("why", "text", "why the zone opens then, or why not"),
        _made("sooner", "text", "what would bring it forward"),
        _made("probability", "number", "part of the draws in which it is open by then", "1"),
        _made("p50_on", "date", "half of the draws open it by this day; blank: beyond the plan"),
        _made("p80_on", "date", "four fifths of the draws open it by this day; blank: beyond the plan"),
    ),
    "record_points": (
        _made("landmark", "text", "name of the landmark"),
        _made("notation", "text", "notation in which the coordinates were read"),
        _made("entered_x", "number", "first coordinate as entered", "unit of entered_crs"),
        _made("entered_y", "number", "second coordinate as entered", "unit of entered_crs"),
        _made("declination_deg", "number", "declination by which the bearing was turned, east positive", "°"),
        _made("declination_source", "text", "where the declination comes from"),
        _made("convergence_deg", "number", "grid north against true north, east positive", "°"),
        _made("scale", "number", "scale of the plane at the point", "1"),
        _made("leg_from", "text", "point from which the leg leads here"),
        _made("closes_on", "text", "known point on which the leg comes back"),
        _made("is_check", "text", "whether the leg only checks others and makes no corner"),
    ),
    "record_versions": (
        _made("record_id", "text", "minefield record"),
        _made("version", "integer", "1 as recorded, 2 and up re-anchored"),
        _made("landmark", "text", "landmark by which this version is anchored"),
        _made("coordinates", "text", "its coordinates as written"),
        _made("anchored_by", "text", "who decided it"),
        _made("anchored_on", "date", "when"),
        _made("reason", "text", "why"),
        _made("position_error_m", "number",
              "radius that holds the true position with about 95 % probability; blank is unknown", "m"),
        _made("current", "text", "whether this version counts"),
        _made("moved_m", "number", "distance by which it was moved", "m"),
    ),
}  # fmt: skip

_RECORD_DATA = {column.name: column for column in TABLES["records"] if column.name not in ("source", "status")}
_EVERYWHERE = {
    "lon": _made("lon", "text", "longitude as entered", "°"),
    "lat": _made("lat", "text", "latitude as entered", "°"),
    "notice": _made("notice", "text", "disclaimer and fingerprint of the run"),
    "declination_source": _made("declination_source", "text", "where the declination comes from"),
    "convergence_deg": _made("convergence_deg", "number", "grid north against true north, east positive", "°"),
    "scale": _made("scale", "number", "scale of the plane", "1"),
}
#: Parts of a criterion's columns, c_<criterion>_<part>; the raw figure has the criterion's own unit.
_PARTS: dict[str, tuple[Dtype, str, str]] = {
    "raw": ("number", "criterion {}: figure of the task; blank where there is none", "unit of the criterion"),
    "low": ("number", "criterion {}: the least that the figure may be", "unit of the criterion"),
    "high": ("number", "criterion {}: the most that the figure may be", "unit of the criterion"),
    "value": ("number", "criterion {}: the figure between its anchors", "0-1"),
    "weight": ("number", "criterion {}: its weight in the task's queue", "points of 100"),
    "points": ("number", "criterion {}: weight x value", "points of 100"),
    "zones": ("text", "criterion {}: zones that it comes from, '; ' between", ""),
}
_CRITERION = re.compile(rf"c_(.+)_({'|'.join(_PARTS)})")


def column_of(layer: str, name: str) -> Column:
    """Declaration of a layer's column; a column that nobody declared is the user's own.

    >>> column_of("zones", "people").dtype, column_of("tasks", "c_people_points").unit
    ('integer', 'points of 100')
    >>> column_of("zones", "colour").meaning
    'column of the source, as it stands there'
    """
    declared = TABLES.get(_DECLARED_AS.get(layer, layer), ())
    for column in (*declared, *_ADDED.get(layer, ())):
        if column.name == name:
            return column
    if layer == "tasks" and (found := _CRITERION.fullmatch(name)):
        dtype, words, unit = _PARTS[found[2]]
        return _made(name, dtype, words.format(found[1].replace("_", " ")), unit)
    if layer == "hazards" and name in _RECORD_DATA:
        return _RECORD_DATA[name]
    if name in _EVERYWHERE:
        return _EVERYWHERE[name]
    if name.endswith("_entered") and any(c.name == name.removesuffix("_entered") for c in declared):
        return _made(name, "text", f"{name.removesuffix('_entered')} as the source has it")
    return Column(name, "text", OWN, required=False, nullable=True)


#: Words for a column of which clearplan knows nothing.
OWN = "column of the source, as it stands there"


def columns_of(layer: str, names: Iterable[str]) -> dict[str, Column]:
    """Declarations of a layer's columns, by name; shapes left out."""
    return {str(name): column_of(layer, str(name)) for name in names if name != "geometry"}
