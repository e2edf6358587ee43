"""QGIS styles (QML) of a run's layers: the web map's colours, hatches and words, in millimetres instead of pixels.

Fills and lines of hazards follow IMSMA's symbology (TNMA 07.11/01): CHA #FF0000, SHA #F4A718, half transparent; a
line or hatch of their own tells them apart where colours are not seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import quoteattr

#: One pixel of the web map (1/96 inch) on paper [mm].
PX = 25.4 / 96
#: Scale below which outlines tell, above which a tint does: zoom 10.5 of the web map at 40 degrees north.
NEAR = 300_000

Options = Mapping[str, str]
Layer = tuple[str, Options, str]


@dataclass(frozen=True)
class Rule:
    """What is drawn how: a QGIS expression, words of the legend, kind of symbol (area, line, point), its layers."""

    condition: str
    label: str
    kind: str
    layers: tuple[Layer, ...]
    nearest: int = 0
    farthest: int = 0


_SYMBOL = {"area": "fill", "line": "line", "point": "marker"}
_TYPE = {"area": "Polygon", "line": "Line", "point": "Point"}


def colour(text: str, opacity: float = 1.0) -> str:
    """A colour as QGIS writes it.

    >>> colour("#F4A718", 0.5)
    '244,167,24,128'
    """
    return ",".join(str(int(text[k : k + 2], 16)) for k in (1, 3, 5)) + f",{round(opacity * 255)}"


def _mm(pixels: float) -> str:
    return f"{pixels * PX:.3g}"


def _options(options: Options) -> str:
    return "".join(f'<Option type="QString" name="{k}" value={quoteattr(v)}/>' for k, v in options.items())


def _driven(name: str, number: int, expression: str) -> str:
    """A property of a symbol layer that each feature sets for itself."""
    return (
        '<data_defined_properties><Option type="Map"><Option type="QString" name="name" value=""/>'
        f'<Option type="Map" name="properties"><Option type="Map" name="{name}"><Option type="bool" name="active" '
        f'value="true"/><Option type="QString" name="expression" value={quoteattr(expression)}/><Option type="int" '
        f'name="type" value="{number}"/></Option></Option><Option type="QString" name="type" value="collection"/>'
        "</Option></data_defined_properties>"
    )


def _fill(fill: str, line: str = "", px: float = 0, *, opacity: float = 1, dash: str = "solid") -> Layer:
    options = {
        "color": colour(fill, opacity) if fill else "0,0,0,0",
        "style": "solid" if fill else "no",
        "outline_color": colour(line) if line else "0,0,0,0",
        "outline_style": dash if line else "no",
        "outline_width": _mm(px),
        "outline_width_unit": "MM",
        "joinstyle": "round",
    }
    return "SimpleFill", options, ""


def _hatch(line: str, px: float, apart: float, angle: int) -> Layer:
    inner = _symbol("@hatch", Rule("", "", "line", (_line(line, px),)))
    return (
        "LinePatternFill",
        {
            "angle": str(angle),
            "distance": _mm(apart),
            "distance_unit": "MM",
            "line_width": _mm(px),
            "line_width_unit": "MM",
            "color": colour(line),
        },
        inner,
    )


def _dots(fill: str, px: float, apart: float) -> Layer:
    inner = _symbol("@dots", Rule("", "", "point", (_marker("circle", fill, fill, px, 0),)))
    return (
        "PointPatternFill",
        {
            "distance_x": _mm(apart),
            "distance_y": _mm(apart),
            "distance_x_unit": "MM",
            "distance_y_unit": "MM",
        },
        inner,
    )


def _line(line: str, px: float, dash: str = "") -> Layer:
    options = {
        "line_color": colour(line),
        "line_style": "solid",
        "line_width": _mm(px),
        "line_width_unit": "MM",
        "capstyle": "flat",
        "joinstyle": "round",
    }
    if dash:
        parts = ";".join(_mm(float(part)) for part in dash.split())
        options |= {"use_custom_dash": "1", "customdash": parts, "customdash_unit": "MM"}
    return "SimpleLine", options, ""


def _marker(shape: str, fill: str, line: str, px: float, width: float, *, extra: str = "", opacity: float = 1) -> Layer:
    return (
        "SimpleMarker",
        {
            "name": shape,
            "color": colour(fill, opacity) if fill else "0,0,0,0",
            "outline_color": colour(line),
            "outline_style": "solid" if width else "no",
            "outline_width": _mm(width),
            "outline_width_unit": "MM",
            "size": _mm(px),
            "size_unit": "MM",
        },
        extra,
    )


def _symbol(name: str, rule: Rule) -> str:
    inner = "".join(
        f'<layer class="{of}" enabled="1" locked="0" pass="0"><Option type="Map">{_options(options)}</Option>'
        f"{extra}</layer>"
        for of, options, extra in rule.layers
    )
    return (
        f'<symbol type="{_SYMBOL[rule.kind]}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">{inner}</symbol>'
    )


def _renderer(rules: Sequence[Rule], order: str = "") -> str:
    """Rules as QGIS keeps them; ``order``: features with the least of it are drawn last, on top."""
    rows = "".join(
        f'<rule key="r{k}" symbol="{k}" filter={quoteattr(rule.condition)} label={quoteattr(rule.label)}'
        + (f' scalemindenom="{rule.nearest}"' if rule.nearest else "")
        + (f' scalemaxdenom="{rule.farthest}"' if rule.farthest else "")
        + "/>"
        for k, rule in enumerate(rules)
    )
    symbols = "".join(_symbol(str(k), rule) for k, rule in enumerate(rules))
    clause = f'<orderby><orderByClause asc="0" nullsFirst="1">{order}</orderByClause></orderby>' if order else ""
    return (
        f'<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="{int(bool(order))}" forceraster="0">'
        f'<rules key="root">{rows}</rules><symbols>{symbols}</symbols>{clause}</renderer-v2>'
    )


# --- the layers

CHA, SHA, INDICATION = ("#FF0000", "#7A0000"), ("#F4A718", "#8A5A00"), ("#8E7CC3", "#5E4B8B")
INK, PLACE, RECORD = "#1B1B1B", "#00429D", "#4A2C12"
_CHA = (_fill(CHA[0], CHA[1], 1.2, opacity=0.5),)
_SHA = (_fill(SHA[0], opacity=0.5), _hatch(SHA[1], 1.4, 9, 135), _fill("", SHA[1], 1.2, dash="dash"))
_INNER = (_fill(INDICATION[0], INDICATION[1], 1, opacity=0.18), _hatch(INDICATION[1], 1.1, 6, 45))
_OUTER = (_fill(INDICATION[0], INDICATION[1], 1, opacity=0.1), _hatch(INDICATION[1], 0.8, 10, 45))
_STRIKE = (_fill(INDICATION[0], INDICATION[1], 1.2, opacity=0.12, dash="dot"), _dots(INDICATION[1], 2.8, 8))
_CLASS = {
    "indication": ("Indication, not yet surveyed", INDICATION),
    "SHA": ("Suspected hazardous area (SHA)", SHA),
    "CHA": ("Confirmed hazardous area (CHA)", CHA),
}
#: Line, weight [px] and tint of each priority class. No green: low priority is not free of hazard.
_PRIORITY = {
    "high": ("High priority", "#1B0B3B", 2.2, 0.6),
    "medium": ("Medium priority", "#0072B2", 1.5, 0.4),
    "low": ("Low priority, not free of hazard", "#56B4E9", 1.2, 0.3),
}
#: Colours of releases (Paul Tol's muted set); a release that was withdrawn is hazardous ground again.
_RELEASE = {
    "cancelled": ("Cancelled: by non-technical survey", "#88CCEE", "solid"),
    "reduced": ("Reduced: by technical survey", "#44AA99", "dash"),
    "cleared": ("Cleared: by clearance", "#117733", "solid"),
    "re-opened": ("Re-opened: hazardous again", "#882255", "dot"),
}


def _areas(columns: Collection[str]) -> list[Rule]:
    if "cha_m2" in columns:  # published cells, which are not hazardous as a whole
        told = {
            "indication": "indications, not yet surveyed",
            "SHA": "suspected hazardous area (SHA)",
            "CHA": "confirmed hazardous area (CHA)",
        }
        looks = {"indication": _STRIKE, "SHA": _SHA, "CHA": _CHA}
        return [Rule(f"\"land_class\" = '{c}'", f"Cell that holds {told[c]}", "area", looks[c]) for c in told]
    left, belt = "\"status\" <> 'closed' AND ", "\"kind\" = 'contact-line'"
    own = "\"land_class\" = 'indication' AND "
    return [
        Rule(
            f"{left}{own}{belt} AND \"band\" = 'outer'",
            "Belt of the contact line, outer band (indication)",
            "area",
            _OUTER,
        ),
        Rule(
            f"{left}{own}{belt} AND \"band\" <> 'outer'",
            "Belt of the contact line, inner band (indication)",
            "area",
            _INNER,
        ),
        Rule(f"{left}{own}NOT ({belt})", "Cluster strikes and other indications", "area", _STRIKE),
        Rule(f"{left}\"land_class\" = 'SHA'", _CLASS["SHA"][0], "area", _SHA),
        Rule(f"{left}\"land_class\" = 'CHA'", _CLASS["CHA"][0], "area", _CHA),
        Rule(
            "\"status\" = 'closed'",
            "Closed: no longer counted as remaining",
            "area",
            (_fill("", "#767676", 0.8, dash="dot"),),
        ),
    ]


def _hazards() -> list[Rule]:
    """Shapes as they were reported, so outlines and marks alone; what they make of the ground are the areas."""
    line = "\"kind\" = 'contact-line'"
    rules = [Rule(line, "Contact line", "line", (_line(INK, 2.6, "9 4 2 4"),))]
    for code, (words, (fill, edge)) in _CLASS.items():
        own = f"NOT ({line}) AND \"land_class\" = '{code}'"
        dash = {"indication": "dot", "SHA": "dash"}.get(code, "solid")
        rules += [
            Rule(own, f"{words}, as reported", "area", (_fill(fill, edge, 1.2, opacity=0.12, dash=dash),)),
            Rule(own, f"{words}, as reported", "line", (_line(edge, 1.6),)),
            Rule(own, f"{words}, as reported", "point", (_marker("diamond", fill, edge, 9, 1.2),)),
        ]
    return rules


def _tasks(columns: Collection[str]) -> list[Rule]:
    waits = '"rank" IS NOT NULL AND '
    shut = _fill("#9A9A9A", "#5A5A5A", 2, opacity=0.7, dash="dot")
    rules = [Rule('"rank" IS NULL', "Behind a gate: nobody may start", "area", (shut,))]
    if "priority_class" not in columns:
        for code, (words, (fill, edge)) in _CLASS.items():
            own = f"{waits}\"land_class\" = '{code}' AND "
            rules += [
                Rule(f'{own}"rank" <= 10', f"{words}, first ten", "area", (_fill(fill, edge, 3, opacity=0.25),)),
                Rule(f'{own}"rank" > 10', words, "area", (_fill("", edge, 0.7),)),
            ]
        return rules
    for code, (words, edge, px, tint) in _PRIORITY.items():
        # Where nobody can tell, the higher class counts: an outline must not play a hazard down.
        sure, unsure = f"\"priority_class\" = '{code}'", f"\"priority_class\" LIKE '{code}/%'"
        for test, said, dash, part in ((sure, words, "solid", 1.0), (unsure, f"{words}, unsure", "dash", 0.5)):
            far = _fill(edge, opacity=tint * part)
            rules += [
                Rule(
                    f'{waits}{test} AND "rank" <= 10',
                    f"{said}, first ten",
                    "area",
                    (_fill(edge, edge, 3, opacity=0.06, dash=dash),),
                    farthest=NEAR,
                ),
                Rule(
                    f'{waits}{test} AND "rank" > 10',
                    said,
                    "area",
                    (_fill(edge, edge, px, opacity=0.06, dash=dash),),
                    farthest=NEAR,
                ),
                Rule(
                    f'{waits}{test} AND "rank" <= 10',
                    f"{said}, first ten",
                    "area",
                    (far, _fill("", edge, 3)),
                    nearest=NEAR,
                ),
                Rule(f'{waits}{test} AND "rank" > 10', said, "area", (far,), nearest=NEAR),
            ]
    return rules


def _zones() -> list[Rule]:
    return [
        Rule("", "Places of return", "point", (_marker("circle", "#73A2C6", PLACE, 12, 2, opacity=0.9),)),
        Rule("", "Places of return", "area", (_fill("#73A2C6", PLACE, 2, opacity=0.35),)),
        Rule("", "Places of return", "line", (_line(PLACE, 2),)),
    ]


def _surveys() -> list[Rule]:
    """Ground to be surveyed before people may come back: no hazard is claimed there, so nothing is filled."""
    return [Rule("", "Survey of a place, before it opens", "area", (_fill("", PLACE, 1.2, dash="dash"),))]


def _accidents() -> list[Rule]:
    size = _driven("size", 3, f"if(@map_scale > {NEAR}, {_mm(5)}, {_mm(9)})")
    return [Rule("", "Accidents", "point", (_marker("cross2", INK, INK, 9, 1.3, extra=size),))]


def _lifelines() -> list[Rule]:
    rules = []
    for code, words, px in (("yes", "Lifeline, essential", 2.4), ("no", "Lifeline, adds value", 1.2)):
        own, dash = f"\"essential\" = '{code}'", "" if code == "yes" else "5 3"
        rules += [
            Rule(own, words, "line", (_line("#FFFFFF", px + 2), _line(PLACE, px, dash))),
            Rule(own, words, "point", (_marker("diamond", "#FFFFFF", PLACE, 10, px),)),
            Rule(own, words, "area", (_fill("#73A2C6", PLACE, px, opacity=0.12, dash="dash" if dash else "solid"),)),
        ]
    return rules


def _releases() -> list[Rule]:
    return [
        Rule(f"\"action\" = '{code}'", words, "area", (_fill("", line, 1.6, dash=dash), _hatch(line, 0.8, 7, 90)))
        for code, (words, line, dash) in _RELEASE.items()
    ]


def _record_versions() -> list[Rule]:
    rules = []
    for test, words, line, px, dash in (
        ('"current"', "Minefield record", RECORD, 2, "solid"),
        ('NOT "current"', "Minefield record, older version", "#767676", 1, "dash"),
    ):
        rules += [
            Rule(test, words, "area", (_fill("", line, px, dash=dash),)),
            Rule(test, words, "line", (_line(line, px, "" if dash == "solid" else "5 3"),)),
            Rule(test, words, "point", (_marker("circle", line, line, 6, 1),)),
        ]
    return rules


def _record_points(columns: Collection[str]) -> list[Rule]:
    """Reference points, corners, and the ring that holds each point; its radius is in metres on the ground."""
    newest = 'NOT "is_check" AND "version" = maximum("version", "record_id") AND '
    ring = "ring_m" if "ring_m" in columns else "r95_m"

    def circle(dash: str) -> Layer:
        of, options, _ = _marker("circle", "", RECORD, 9, 1.2)
        told = {"size_unit": "MapUnit", "outline_style": dash}
        return of, {**options, **told}, _driven("size", 3, f'2 * coalesce("{ring}", 0)')

    small = _driven("size", 3, f"if(@map_scale > {NEAR}, {_mm(6.5)}, {_mm(13)})")
    point = {
        True: _marker("triangle", "#FFFFFF", RECORD, 13, 1.6, extra=small),
        False: _marker("circle", RECORD, RECORD, 3, 0),
    }
    return [
        Rule(
            f"{newest}\"point_kind\" = 'reference'",
            "Reference point, and ring that holds it (95 %)",
            "point",
            (circle("solid"), point[True]),
        ),
        Rule(
            f"{newest}\"point_kind\" <> 'reference'",
            "Corner of a record, and ring that holds it (95 %)",
            "point",
            (circle("dash"), point[False]),
        ),
    ]


def _ground(layer: str) -> list[Rule]:
    """What lies under the hazards and is none."""
    water = "#6F9FB8"
    return {
        "districts": [Rule("", "District", "area", (_fill("", "#6B6B6B", 0.8, dash="dash"),))],
        "countries": [Rule("", "Country", "area", (_fill("", "#444444", 1.6),))],
        "rivers": [Rule("", "River", "line", (_line(water, 1.2),))],
        "lakes": [Rule("", "Lake", "area", (_fill("#B9D5E3", water, 0.6),))],
    }[layer]


GROUND = ("districts", "countries", "rivers", "lakes")
STYLED = (
    "hazards",
    "areas",
    "tasks",
    "zones",
    "surveys",
    "accidents",
    "lifelines",
    "releases",
    "record_points",
    "record_versions",
    *GROUND,
)


def _rules(layer: str, columns: Collection[str]) -> list[Rule]:
    if layer in GROUND:
        return _ground(layer)
    if layer in ("areas", "tasks", "record_points"):
        return {"areas": _areas, "tasks": _tasks, "record_points": _record_points}[layer](columns)
    return {
        "hazards": _hazards,
        "zones": _zones,
        "surveys": _surveys,
        "accidents": _accidents,
        "lifelines": _lifelines,
        "releases": _releases,
        "record_versions": _record_versions,
    }[layer]()


# --- labels


def _label(text: str, *, size: float, ink: str, place: str, box: str = "", bold: bool = False, first: str = "") -> str:
    """Settings of labels: ``text`` is an expression over columns, and what it gives is never HTML."""
    style = (
        f'<text-style fieldName={quoteattr(text)} isExpression="1" allowHtml="0" fontFamily="Noto Sans" '
        f'fontSize="{size:g}" fontSizeUnit="Point" fontWeight="{75 if bold else 50}" textColor="{colour(ink)}" '
        f'multilineHeight="1" namedStyle="{"Bold" if bold else "Regular"}">'
    )
    buffer = '<text-buffer bufferDraw="1" bufferSize="0.7" bufferSizeUnits="MM" bufferColor="255,255,255,224"/>'
    driven = _driven("Priority", 87, first).replace("data_defined_properties", "dd_properties") if first else ""
    return (
        f'<settings>{style}{box or buffer}</text-style><text-format multilineAlign="0"/>{place}'
        f'<rendering obstacle="0" displayAll="0" drawLabels="1"/>{driven}</settings>'
    )


def _number_box(kind: int, fill: str) -> str:
    return (
        f'<background shapeDraw="1" shapeType="{kind}" shapeSizeType="0" shapeSizeX="0.5" shapeSizeY="0.5" '
        f'shapeSizeUnit="MM" shapeFillColor="{colour(fill)}" shapeBorderColor="{colour(INK)}" '
        'shapeBorderWidth="0.5" shapeBorderWidthUnit="MM"/>'
    )


def _labels(layer: str) -> str:
    right = '<placement placement="1" quadOffset="5" xOffset="2.2" yOffset="0" offsetUnits="MM" priority="5"/>'
    inner = '<placement placement="1" quadOffset="4" centroidInside="1" priority="9"/>'
    if layer == "zones":
        # A layer may lack a column that attribute() asks for: then it is blank.
        home = "coalesce(format_number(attribute('already_home'), 0, 'en') || ' home, ', '')"
        star = "if(attribute('people_basis') = 'illustrative', '* wait', ' wait')"
        people = f"{home} || coalesce(format_number(\"people\", 0, 'en') || {star}, 'waiting: unknown')"
        most = 'coalesce(scale_linear("people", 0, maximum("people"), 1, 10), 1)'
        text = f'coalesce("name", "zone_id") || \'\\n\' || {people}'
        own = _label(text, size=8, ink="#00265C", place=right, bold=True, first=most)
        return f'<labeling type="simple">{own}</labeling>'
    if layer == "tasks":
        marks = (("survey", 3, "#FFFFFF", INK), ("clearance", 1, INK, "#FFFFFF"))
        first = '"queue" = \'{}\' AND "rank" <= 10'
        rules = "".join(
            f'<rule key="l{k}" filter={quoteattr(first.format(queue))} '
            f'description="{queue}, first ten" active="1">'
            + _label(
                '"rank"', size=8, ink=ink, place=inner, box=_number_box(kind, fill), bold=True, first='10 - "rank"'
            )
            + "</rule>"
            for k, (queue, kind, fill, ink) in enumerate(marks)
        )
        return f'<labeling type="rule-based"><rules key="labels">{rules}</rules></labeling>'
    if layer == "record_versions":
        own = _label('"record_id"', size=8, ink=RECORD, place=inner, bold=True)
        near = (
            '<rendering obstacle="0" displayAll="0" drawLabels="1" scaleVisibility="1" scaleMin="0" scaleMax="50000"/>'
        )
        plain = '<rendering obstacle="0" displayAll="0" drawLabels="1"/>'
        return f'<labeling type="simple">{own.replace(plain, near)}</labeling>'
    return ""


# --- whole styles


def style_parts(layer: str, columns: Collection[str], kinds: Collection[str]) -> str:
    """Renderer and labels of a layer as XML, for a style or a project; '' where it has none.

    Parameters
    ----------
    layer : str
        Name of a layer of plan.gpkg.
    columns : collection of str
        Its columns: rules speak only of what is there.
    kinds : collection of 'area', 'line', 'point'
        What its shapes are; where they are several, each rule asks for its own.

    >>> style_parts("teams", [], ["point"])
    ''
    >>> "244,167,24,128" in style_parts("areas", ["land_class"], ["area"])
    True
    """
    if layer not in STYLED:
        return ""
    rules = [rule for rule in _rules(layer, columns) if rule.kind in kinds]
    if not rules:
        return ""
    if len(set(kinds)) > 1:
        typed = (f"geometry_type($geometry) = '{_TYPE[rule.kind]}'" for rule in rules)
        rules = [
            replace(rule, condition=f"{test} AND ({rule.condition})" if rule.condition else test)
            for test, rule in zip(typed, rules, strict=True)
        ]
    return _renderer(rules, '"rank"' if layer == "tasks" else "") + _labels(layer)


def aliases(shown: Mapping[str, str]) -> str:
    """Names with units, as readers of an attribute table see them, by column; a GeoPackage's fid stands first.

    >>> aliases({"area_m2": "area_m2 [m2]", "queue": ""})
    '<aliases><alias field="area_m2" name="area_m2 [m2]" index="1"/><alias field="queue" name="" index="2"/></aliases>'
    """
    rows = "".join(
        f'<alias field={quoteattr(name)} name={quoteattr(alias)} index="{k}"/>'
        for k, (name, alias) in enumerate(shown.items(), start=1)
    )
    return f"<aliases>{rows}</aliases>"


def qml(parts: str, fields: str = "") -> str:
    """A whole style from its parts; ``fields`` are aliases and comments of columns."""
    told = "Symbology|Labeling|Fields" if fields else "Symbology|Labeling"
    on = int("<labeling" in parts)
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        f'<qgis version="3.22" styleCategories="{told}" labelsEnabled="{on}">{parts}{fields}</qgis>'
    )
