"""Tables to the report of a run: what people file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from clearplan.core.errors import TableError
from clearplan.core.imprint import Imprint
from clearplan.outputs.charts.results import draw_bridge, draw_published_release
from clearplan.outputs.facts import Bridge, Facts
from clearplan.outputs.report.data import data_section
from clearplan.outputs.report.html import Page, head, page, table
from clearplan.outputs.report.order import order_section
from clearplan.priority.why import Why
from clearplan.tables.check import each_row
from clearplan.tables.codes import CLASSES, EVERY_KIND
from clearplan.treaty.filed import DECLARED

#: Columns of the ledger and of the bridge in words.
STATES = {
    "reported_m2": "reported",
    "remaining_m2": "remaining",
    "cancelled_m2": "cancelled",
    "reduced_m2": "reduced",
    "cleared_m2": "cleared",
    "closed_m2": "closed by status",
    "planning_m2": "planning ground that remains",
    "planning_released_m2": "planning ground released beyond reported borders",
}
FLOWS = {
    "opening_m2": "opening",
    "newly_found_m2": "+ newly found",
    "cancelled_m2": "\u2212 cancelled",
    "reduced_m2": "\u2212 reduced",
    "cleared_m2": "\u2212 cleared",
    "resurvey_m2": "\u00b1 re-survey",
    "closing_m2": "closing",
}
_RESURVEY = {"reopened_m2": 1, "changed_in_m2": 1, "changed_out_m2": -1, "closed_m2": -1, "withdrawn_m2": -1}


def draw_report(
    imprint: Imprint,
    facts: Facts,
    *,
    books: Mapping[str, pd.DataFrame],
    tasks: pd.DataFrame | None = None,
    why: Why | None = None,
    notes: Sequence[str] = (),
    further: Sequence[str] = (),
) -> Page:
    """The report of a run: what must be read first, order of the tasks, ledger, bridge, expected ground, data.

    Parameters
    ----------
    imprint : Imprint
        Title and warning at the head, notice at the foot.
    facts : Facts
        Figures of the head line, and sums of the books by class.
    books : mapping
        ``ledger``; ``bridge`` and ``expected`` where there are such (``Study.books``) [m2]; ``published``: release as
        an agency published it (breakdown, name, hectares, source; year), beside ``released`` and ``planned`` by year.
    tasks : DataFrame, optional
        Ranked TASKS; with them the section "Why this order".
    why : Why, optional
        What is said of the whole list.
    notes : list of text
        What must be read first.
    further : list of HTML, optional
        Sections of other rooms, such as the plan of work; they come after the order.
    """
    parts = head(imprint, notes)
    parts.append(
        '<dl class="figures">'
        + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in head_figures(facts))
        + "</dl>"
    )
    if tasks is not None:
        parts.append(order_section(tasks, why))
    parts += further
    parts.append("<section><h2>Land release: where every reported square metre stands</h2>")
    parts.append(
        "<p>Net of overlap: ground that remains in any area is remaining, in the strongest class among those in which "
        "it remains. Reported ground lies within the borders as reported: reported = remaining + cancelled + reduced + "
        "cleared + closed by status. Planning ground is grown by position errors and margins, or drawn round lines and "
        "points that have no surveyed border; what is released of it is no cancelled area. Areas in km².</p>"
    )
    parts.append(_standing(facts))
    parts.append("<h3>By district</h3>" + _by_district(books["ledger"], STATES))
    parts.append("</section>")
    if "bridge" in books and facts.bridge is not None:
        parts.append(_bridge(books["bridge"], facts.bridge))
    if "expected" in books:
        parts.append(_expected(books["expected"]))
    if "published" in books:
        parts.append(_published(books["published"], pace_rows(books)))
    parts.append(data_section(facts.balances, facts.repairs))
    return page(imprint.title, "\n".join(parts), notice=imprint.foot)


def head_figures(facts: Facts) -> list[tuple[str, str]]:
    """The head line of a run: ground that remains by class, what was released, who waits; (label, figure)."""
    people = facts.people
    released = [] if facts.released is None else [f"{facts.released.total_m2 / 1e6:,.1f} km²"]
    return [
        ("Confirmed hazardous (CHA), reported", _counted(facts, "CHA")),
        ("Suspected hazardous (SHA), reported", _counted(facts, "SHA")),
        ("Indication, planning ground to survey", f"{facts.counted_m2('indication') / 1e6:,.0f} km²"),
        *(("Released by decisions", words) for words in released),
        ("People already home", people.already_home.words),
        ("People who wait to return", people.waiting.words),
        *(("Return target of the whole region, in no sum", target.short) for target in people.targets),
    ]


def _counted(facts: Facts, land_class: str) -> str:
    """Ground of a class, and how many of its hazards have no area that anybody stated: unknown is not 0."""
    unknown = sum(ground.no_area for ground in facts.ground if ground.land_class == land_class)
    words = f"{facts.counted_m2(land_class) / 1e6:,.1f} km²"
    return f"{words}; {unknown} of unknown area" if unknown else words


def _km2(value: float) -> str:
    """Square kilometres as HTML; what is little is not nothing.

    >>> _km2(2_500_000), _km2(120.0), _km2(0.0)
    ('2.50', '&lt; 0.01', '0.00')
    """
    return "&lt; 0.01" if 1 <= value < 5000 else f"{value / 1e6:,.2f}"


def _standing(facts: Facts) -> str:
    """Where the reported ground of each class stands."""
    rows = [[escape(row.land_class), *(_km2(getattr(row, name)) for name in STATES)] for row in facts.standing]
    return table(["class", *STATES.values()], rows)


def _moved(bridge: Bridge) -> str:
    """What moved the ground of each class, re-survey in one signed column."""
    there = {row.land_class for row in bridge.rows}
    rows = []
    for moved in (bridge.of_class(name) for name in CLASSES if name in there):
        resurvey = sum(sign * moved.terms[name] for name, sign in _RESURVEY.items())
        sums = {"opening_m2": moved.opening_m2, **moved.terms, "resurvey_m2": resurvey, "closing_m2": moved.closing_m2}
        rows.append([escape(moved.land_class), *(_km2(sums[name]) for name in FLOWS)])
    return table(["class", *FLOWS.values()], rows)


def _by(rows: pd.DataFrame, column: str, label: str, columns: Mapping[str, str]) -> str:
    sums = rows.groupby(column, sort=False, dropna=False)[list(columns)].sum()
    cells = [[escape(str(name)), *map(_km2, row)] for name, row in zip(sums.index, sums.to_numpy(), strict=True)]
    return table([label, *columns.values()], cells)


def _by_district(rows: pd.DataFrame, columns: Mapping[str, str]) -> str:
    """District by class, the districts with the most reported ground first; empty rows left out."""
    own = rows[(rows[list(columns)].abs() >= 1).any(axis=1)]  # overlay noise is below a square metre
    most = own.groupby("district")[next(iter(columns))].sum().sort_values(ascending=False, kind="stable")
    order = {name: k for k, name in enumerate(most.index)}
    own = own.groupby(["district", "land_class"], sort=False, as_index=False)[list(columns)].sum()
    own = own.sort_values("district", key=lambda names: names.map(order), kind="stable")
    cells = [
        [escape(str(row["district"])), escape(str(row["land_class"])), *(_km2(row[name]) for name in columns)]
        for row in own.to_dict("records")
    ]
    return table(["district", "class", *columns.values()], cells)


def with_resurvey(bridge: pd.DataFrame) -> pd.DataFrame:
    """The bridge with what re-survey and corrections moved in one signed column [m2].

    >>> rows = pd.DataFrame({"reopened_m2": [5.0], "changed_in_m2": [2.0], "changed_out_m2": [3.0], "closed_m2": [1.0],
    ...                      "withdrawn_m2": [0.0]})
    >>> with_resurvey(rows)["resurvey_m2"].tolist()
    [3.0]
    """
    return bridge.assign(resurvey_m2=sum(sign * bridge[name] for name, sign in _RESURVEY.items()))


def _bridge(bridge: pd.DataFrame, facts: Bridge) -> str:
    whole = with_resurvey(bridge)
    when = f" from {facts.days[0]} to {facts.days[1]}" if facts.days is not None else ""
    parts = [f"<section><h2>What moved the remaining ground{escape(when)}</h2>"]
    whole = whole.sort_values("land_class", key=lambda names: names.map(CLASSES.index), kind="stable")
    for land_class in CLASSES:
        own = whole[whole["land_class"] == land_class]
        if not own[list(FLOWS)].to_numpy().any():
            continue
        # One chart a class: an indication's thousand km2 would flatten all that was surveyed and cleared.
        chart = draw_bridge(own, title=f"{land_class}: opening to closing")
        parts.append(f'<figure class="chart">{_own_ids(chart, str(land_class))}</figure>')
    parts.append(
        "<p>Re-survey: ground re-opened or of another class or ordnance than before, less what was closed by status. "
        "Every term is measured on the map, none is a residual.</p>"
    )
    parts.append(_moved(facts))
    if set(whole["ordnance"]) - {EVERY_KIND}:
        parts.append("<h3>By ordnance</h3>" + _by(whole, "ordnance", "ordnance", FLOWS))
    parts.append("<h3>By district</h3>" + _by_district(whole, FLOWS) + "</section>")
    return "\n".join(parts)


def _own_ids(chart: str, name: str) -> str:
    """Ids of a chart that is drawn several times in one page."""
    return chart.replace("bridge-", f"bridge-{name.lower()}-")


def _expected(expected: pd.DataFrame) -> str:
    told = expected.sort_values("expected_m2", ascending=False, kind="stable")
    cells = [
        [
            escape(str(r.district)),
            *("nobody knows" if pd.isna(v) else _km2(v) for v in (r.expected_m2, r.low_m2, r.high_m2)),
            _km2(r.known_m2),
            _km2(r.unknown_m2),
        ]
        for r in each_row(told)
    ]
    header = ["district", "expected", "low (5 %)", "high (95 %)", "known ground", "nobody knows"]
    return (
        "<section><h2>How much ground is expected to be contaminated</h2><p>Sums of the surface, the share of the "
        "ground that is expected to be contaminated, with a 90 % interval from draws over its strengths. An "
        "expectation over weak evidence is not a measurement, and of ground of which nobody knows nothing is said. "
        "Areas in km².</p>" + table(header, cells) + "</section>"
    )


def pace_rows(books: Mapping[str, pd.DataFrame]) -> list[tuple[str, str, float]]:
    """Ground released in a year as published, in the ledger and by the plan: (year, by whom it is stated, m2).

    Of ledger and plan hazardous areas alone: what is cancelled of indications was no hazardous area.

    >>> published = pd.DataFrame({"breakdown": ["district", "operator"], "year": 2023, "hectares": [100.0, 100.0]})
    >>> released = pd.DataFrame({"year": [2023], "cha_m2": [2e5], "sha_m2": [1e5], "indication_m2": [7.0]})
    >>> pace_rows({"published": published, "released": released})
    [('2023', 'published', 1000000.0), ('2023', 'ledger of this run', 300000.0)]
    """
    rows: list[tuple[str, str, float]] = []
    published, released, planned = (books.get(name) for name in ("published", "released", "planned"))
    if published is not None and "year" in published.columns:
        one = published[published["breakdown"] == published["breakdown"].iloc[0]]  # each break-down sums to the same
        rows += _by_year(one["year"], one["hectares"] * 1e4, "published")
    if released is not None:
        m2 = released[[f"{name.lower()}_m2" for name in DECLARED]].sum(axis=1)
        rows += _by_year(released["year"], m2, "ledger of this run")
    if planned is not None:
        hazardous = planned[planned["land_class"].isin(DECLARED)]
        rows += _by_year(hazardous["year"], hazardous["planned_m2"], "plan of work of this run")
    return sorted(rows, key=lambda row: row[0])


def _by_year(years: pd.Series, m2: pd.Series, stated_by: str) -> list[tuple[str, str, float]]:
    """Sums of ground by year; rows without a year are in none."""
    sums = m2.groupby(pd.to_numeric(years)).sum()
    return [(f"{year:.0f}", stated_by, float(total)) for year, total in zip(sums.index, sums, strict=True)]


def _pace(rows: Sequence[tuple[str, str, float]]) -> str:
    """The pace of the run beside the published one: a reader must see at once where a sample is far from the field."""
    published = {year: m2 for year, who, m2 in rows if who == "published"}
    if not published or len(published) == len(rows):
        return ""
    cells = [(year, who, f"{m2 / 1e6:,.2f}") for year, who, m2 in rows]
    latest = max(published)
    here = sum(m2 for year, who, m2 in rows if year == latest and who == "ledger of this run")
    sentence = (
        f"In {latest} the ledger of this run releases {here / 1e6:,.2f} km²; {published[latest] / 1e6:,.2f} km² were "
        "published for that year. Ledger and plan count hazardous areas (CHA, SHA), not indications. Where the two are "
        "far apart, the hazards and teams of this run stand for a part of "
        "the programme only, and its dates say nothing about the pace of the whole."
    )
    return f"<h3>The pace of release</h3><p>{sentence}</p>" + table(["year", "stated by", "released, km²"], cells)


def _published(published: pd.DataFrame, pace: Sequence[tuple[str, str, float]]) -> str:
    missing = [name for name in ("breakdown", "name", "hectares", "source") if name not in published.columns]
    if missing:
        raise TableError(f"published releases lack the column {missing[0]}; give breakdown, name, hectares, source")
    plain = published.assign(breakdown=published["breakdown"].str.replace("_", " "))
    sources = "; ".join(dict.fromkeys(plain["source"].astype(str)))
    return (
        "<section><h2>Published release figures</h2>"
        f'<figure class="chart">{draw_published_release(plain, source=sources)}</figure>'
        f"<p>Source: {escape(sources)}. Published figures, not computed here.</p>{_pace(pace)}</section>"
    )
