"""Code lists of the columns, and the words that stand in cells beside them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

CODE_LISTS_VERSION = "mdr-draft-2018"

#: Code lists after the GICHD's draft Minimum Data Requirements (2018) and the IMSMA wiki: code = meaning.
#: ``ordnance`` and ``device`` may be replaced per country; the laws hang on the others.
CODE_LISTS: dict[str, dict[str, str]] = {
    "kind": {
        "contact-line": "former front line; its belt is an indication until someone has surveyed it",
        "minefield": "reported or surveyed mined area",
        "cluster-strike": "place struck with cluster munitions",
        "generalised": "cell or district that holds hazards; published in their place",
    },
    "land_class": {
        "indication": "reason to survey; not a declared hazardous area",
        "SHA": "suspected hazardous area: indirect evidence",
        "CHA": "confirmed hazardous area: direct evidence",
    },
    "status": {
        "open": "hazard reported, no work under way",
        "worked-on": "survey or clearance under way",
        "closed": "work completed; no longer counted as remaining",
    },
    "ordnance": {
        "AP": "anti-personnel mines",
        "AV": "anti-vehicle mines",
        "mixed": "anti-personnel and anti-vehicle mines",
        "CMR": "cluster munition remnants",
        "unknown": "not reported",
    },
    "device": {
        "AP": "anti-personnel mine",
        "AV": "anti-vehicle mine",
        "CMR": "cluster munition remnant",
        "UXO": "other unexploded ordnance",
        "unknown": "not reported",
    },
    "measure": {"each-side": "depth counts on each side", "total": "depth counts across the line"},
    "sides": {"both": "both sides", "left": "left of the line's direction", "right": "right of it"},
    "caps": {"round": "belt goes round the line's ends", "flat": "belt is cut square at its ends"},
    "band": {
        "inner": "within the smaller depth of the belt",
        "outer": "between the smaller and the larger depth",
        "whole": "not a belt: one footprint",
        "halo": "rim round ground that was released to its reported border",
    },
    "datum": {"SK-42": "Pulkovo 1942, Krassovsky ellipsoid", "WGS 84": "World Geodetic System 1984"},
    "north": {
        "true": "bearings count from geographic north",
        "grid": "bearings count from the sheet's grid north",
        "magnetic": "bearings count from the compass needle",
    },
    "angle_unit": {
        "degrees": "360 to the circle; 45.5 or 45°30'",
        "mils-6000": "Soviet mils, 6000 to the circle; 12-50",
        "mils-6400": "NATO mils, 6400 to the circle",
    },
    "distance_unit": {"m": "metres", "paces": "paces of the length stated in pace_m"},
    "point_kind": {
        "reference": "landmark with coordinates from which the record is measured",
        "start": "first point of the field or of a row",
        "turning": "point where the border or the row turns",
        "end": "last point of the border",
        "row-end": "last point of a row: the record gives rows, not a border",
    },
    "vertex_method": {
        "map": "read off a map",
        "scan": "read off a georeferenced scan",
        "compass-paces": "compass bearing and paces",
        "compass-tape": "compass bearing and tape",
        "theodolite": "theodolite or total station",
        "gnss": "satellite receiver",
        "unknown": "not reported",
    },
    "emplacing_method": {
        "manual": "by hand",
        "mechanical": "by machine",
        "remote": "delivered from afar",
        "unknown": "not reported",
    },
    "anti_handling": {"yes": "reported", "no": "reported as absent", "unknown": "not reported"},
    "queue": {"survey": "NTS or TS comes next (indication, SHA)", "clearance": "clearance comes next (CHA)"},
    "small": {
        "yes": "below the smallest size: nothing of its class and district is near enough to join",
        "no": "at least of the smallest size",
    },
    "action": {
        "cancelled": "released by non-technical survey: no evidence was found",
        "reduced": "released by technical survey",
        "cleared": "released by clearance to a stated depth",
        "re-opened": "an earlier release is withdrawn: the ground is hazardous again",
    },
    "lifeline_kind": {
        "road": "way by which people and goods reach the zone",
        "water": "spring, well, pipe or canal that it drinks from or irrigates with",
        "power": "line or station that feeds it",
        "school": "place where its children are taught",
        "clinic": "place where its sick are treated",
        "farmland": "fields, orchards or pasture that it lives on",
        "other": "anything else that it depends on; say what in name",
    },
    "team_kind": {
        "NTS": "non-technical survey: interviews and desk work",
        "TS": "technical survey",
        "manual": "deminers with detectors",
        "dogs": "animals that detect, with their handlers",
        "mechanical": "machines that prepare or process ground",
        "BAC": "battle area clearance",
        "EOD": "disposal of single items",
    },
    "yes_no": {
        "yes": "the zone can't be lived in without it",
        "no": "it adds value, the zone can open without it",
    },
    "survey_status": {
        "not-surveyed": "nobody has surveyed the place: that no hazard is recorded there says nothing",
        "surveyed": "the place and the ways to it were surveyed; what was found is recorded as hazards",
        "released": "the authority has released the place to its people",
    },
    "people_basis": {
        "published": "published, or counted by an authority",
        "estimate": "somebody's estimate; people_source says whose",
        "illustrative": "made up, to show how the tool works",
    },
    "gate_kind": {
        "do-no-harm": "the work would harm or favour some people over others as things stand",
        "dispute": "the land is claimed by several, or its use is contested",
        "security": "those who would work there could be attacked or detained",
        "permission": "whoever decides over the ground has not let teams in yet",
        "other": "anything else that holds work back; say what in reason",
    },
}
REPLACEABLE = ("ordnance", "device")

#: Strongest first: where areas overlap, net area counts the first of these (Law 3).
CLASSES = ("CHA", "SHA", "indication")
#: Ways in which land is released (IMAS 07.11); the fourth action, re-opened, withdraws them.
RELEASED = ("cancelled", "reduced", "cleared")
#: States of a place in which it may open.
SURVEYED = ("surveyed", "released")
#: What the id of a place survey begins with: in WORK it stands where the id of a task would.
SURVEY = "survey:"
#: In place of a class of land: the ground of a place survey, which is no hazardous area.
PLACE = "place"
#: Words for ground that belongs to no district, and for released ground that no hazard covers.
OUTSIDE = "outside every district"
OUTSIDE_HAZARDS = "outside every known hazard"
#: In place of a kind of ordnance: all of them together.
EVERY_KIND = "all"


#: Letters of other alphabets that look like Latin ones (Unicode, UTS #39, confusables.txt).
_LATIN_OF = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеѕіјорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧο",
    "ABESIJKMHOPCTYXaesijopcyxABEZHIKMNOPTYXo",
)


def look_alike(text: str, codes: Iterable[str]) -> tuple[str, str] | None:
    """The code that a text looks like, and its letters of another alphabet; None where it looks like none.

    >>> look_alike("СНА", ["CHA", "SHA"])
    ('CHA', 'С, Н, А (Cyrillic)')
    """
    foreign = list(dict.fromkeys(letter for letter in text if letter.translate(_LATIN_OF) != letter))
    code = next((code for code in codes if code == text.strip().translate(_LATIN_OF)), None)
    if code is None or not foreign:
        return None
    alphabets = sorted({unicodedata.name(letter).split(" ")[0].title() for letter in foreign})
    return code, f"{', '.join(foreign)} ({' and '.join(alphabets)})"


def allowed_codes(code_list: str, replaced: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
    """Codes of a list, code = meaning; a country's own list stands in for ours where that is allowed.

    >>> list(allowed_codes("queue"))
    ['survey', 'clearance']
    """
    if replaced and code_list in replaced and code_list in REPLACEABLE:
        return dict(replaced[code_list])
    return CODE_LISTS[code_list]
