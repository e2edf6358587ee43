"""The report's answer to "who goes where, when, and what does it buy?": charts, tables and sentences, as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.outputs.charts.plan import draw_budgets, draw_chances, draw_gantt, draw_home
from clearplan.outputs.plan_facts import place_names
from clearplan.outputs.report.html import table
from clearplan.planning.planned import BEST, RANKED, Planned
from clearplan.priority.sensitivity import share_words
from clearplan.tables.people import already_home, nobody_waits

#: What each strategy does, in words.
STRATEGIES = {
    RANKED: "tasks in the order of their rank, one after the other",
    "value per area": "tasks that are worth most for each square metre first",
    "greedy unlock": "always the place that gives most people a home for the least work",
    BEST: "all teams, periods and places weighed against one another by a search",
}
#: A team is fully used in a period from this part of its capacity on [1].
_FULL = 0.995


def workplan_section(planned: Planned, tasks: pd.DataFrame, zones: pd.DataFrame) -> str:
    """The section "Who goes where, when, and what it buys".

    Parameters
    ----------
    planned : Planned
    tasks, zones : DataFrame
        TASKS and ZONES with what the plan says of each, from :func:`clearplan.planning.planned.with_plan`.

    Raises
    ------
    TableError
        A chart's table lacks a column.
    """
    breaches = planned.judgement.breaches
    judged = "<p>Judged again from its tables alone, the plan keeps every rule that it was given.</p>"
    parts = [
        "<section><h2>Who goes where, when, and what it buys</h2>",
        _breaches(breaches) if len(breaches) else "",
        f"<p><b>{escape(lead(planned.comparison))}</b></p>",
        "" if len(breaches) else judged,
        _strategies(planned),
        _levers(planned, zones),
        _openings(zones),
        _left_out(zones),
        _lived_in(zones),
        _near_homes(zones),
        _teams_at_work(planned, tasks, zones),
        _use(planned),
        _budgets(planned),
        _programme(planned),
        _what_if(planned),
        _notes(planned.notes),
    ]
    return "\n".join(part for part in parts if part) + "</section>"


def lead(comparison: pd.DataFrame) -> str:
    """What the best plan buys against the ranked list, in plain words.

    >>> print(lead(pd.DataFrame({"strategy": ["ranked list", "best plan found"], "people_home": [800.0, 1200.0],
    ...     "zones_open": [3, 5], "person_months": [20_000.0, 30_000.0], "gap": [float("nan"), 0.004]})))
    Under the best plan found, 1,200 people who wait for 5 places can be home when the plan ends; by the ranked list,
    with the same teams and money, 800 people who wait for 3 places. Counted over all months that is 30,000
    person-months at home instead of 20,000: 10,000 more (+50 %). The search proved this plan to be within 0.4 % of the
    best that there can be.
    """
    rows = {str(row["strategy"]): row for row in comparison.to_dict("records")}
    best, ranked = rows.get(BEST), rows.get(RANKED)
    if best is None:
        return "No plan was found."
    told = f"Under the best plan found, {_homes(best)} can be home when the plan ends"
    if ranked is not None:
        here, there = float(best["person_months"]), float(ranked["person_months"])
        more = round(here) - round(there)
        against = f"{_whole(here)} person-months at home instead of {_whole(there)}"
        if more:
            part = f" ({_signed(100 * more / there)} %)" if there else ""
            against += f": {_whole(abs(more))} {'more' if more > 0 else 'fewer'}{part}"
        told += (
            f"; by the ranked list, with the same teams and money, {_homes(ranked)}. Counted over all months that is "
        )
        told += against
    return f"{told}. {_proof(best.get('gap'))}"


def _homes(row: Mapping[Any, Any]) -> str:
    people, places = round(float(row["people_home"])), int(row["zones_open"])
    who = "person who waits" if people == 1 else "people who wait"
    return f"{people:,} {who} for {places:,} {'place' if places == 1 else 'places'}"


def _proof(gap: Any) -> str:
    if pd.isna(gap):
        return "How near it is to the best that there can be was not proven."
    if float(gap) <= 0:
        return "The search proved that there is none better."
    return f"The search proved this plan to be within {100 * float(gap):.2g} % of the best that there can be."


# --- figures as people read them


def _whole(value: Any, blank: str = "not known") -> str:
    """A whole number with separators.

    >>> _whole(1234.6), _whole(None), _whole(-0.2)
    ('1,235', 'not known', '0')
    """
    return blank if pd.isna(value) else f"{round(float(value)):,}".replace("-", "\u2212")


def _signed(value: Any) -> str:
    """A difference with its sign.

    >>> _signed(1234.6), _signed(-2), _signed(0.1)
    ('+1,235', '−2', '0')
    """
    if pd.isna(value):
        return "not known"
    return f"{round(float(value)):+,}".replace("-", "\u2212") if round(float(value)) else "0"


def _day(value: Any, blank: str) -> str:
    return blank if pd.isna(value) else f"{pd.Timestamp(value):%Y-%m-%d}"


def _text(value: Any, blank: str = "") -> str:
    return blank if pd.isna(value) else str(value)


def _km2(value: Any) -> str:
    """Square kilometres; what is little is not nothing."""
    if pd.isna(value):
        return "not known"
    return "< 0.01" if 1 <= value < 5000 else f"{value / 1e6:,.2f}"


def _money(values: pd.Series, currency: str) -> tuple[str, list[str]]:
    """Unit and figures of a column of money: millions from a million on.

    >>> _money(pd.Series([2_500_000.0, 40_000.0]), "USD"), _money(pd.Series([900.0]), "")
    ((' [million USD]', ['2.50', '0.04']), ('', ['900']))
    """
    millions = bool((values >= 1e6).any())
    unit = " ".join(word for word in ("million" if millions else "", currency) if word)
    figures = [("not known" if pd.isna(v) else f"{v / 1e6:,.2f}") if millions else _whole(v) for v in values]
    return (f" [{unit}]" if unit else ""), figures


def _table(
    columns: Mapping[str, Sequence[str]], names: Sequence[str] = (), sentences: Sequence[str] = (), wide: bool = False
) -> str:
    """A table of plain text; all columns but those of names and sentences hold figures and days."""
    rows = [[escape(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    kinds = {k: "k" if name in names else "w" if name in sentences else "n" for k, name in enumerate(columns)}
    told = table(map(escape, columns), rows, kinds)
    return f'<div class="wide">{told}</div>' if wide else told


def _chart(svg: str) -> str:
    return f'<figure class="chart wide" tabindex="0">{svg}</figure>'


# --- the parts


def _breaches(breaches: pd.DataFrame) -> str:
    number = "is 1 breach" if len(breaches) == 1 else f"are {len(breaches):,} breaches"
    cells = {str(c).replace("_", " "): [_cell(v) for v in breaches[c]] for c in breaches.columns}
    return (
        f'<p class="loud">Do not use this plan: judged again from its tables alone, there {number} of its rules.</p>'
        + _table(cells, [name for name in cells if name != "words"], ["words"])
    )


def _cell(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return f"{value:,.6g}" if isinstance(value, float) and not pd.isna(value) else _text(value)


def _strategies(planned: Planned) -> str:
    known = [name for name in planned.comparison["strategy"] if name in STRATEGIES]
    parts = [
        "<h3>What the plan buys, beside simpler ways</h3>",
        _chart(draw_home(planned.home, waiting=planned.waiting)) if len(planned.home) else "",
        "<p>All ways have the same teams, seasons and money. Person-months at home: each person who waits counts for "
        "every month from the opening of the place; those already home don't. Range: from places of which nobody knows "
        "how many people wait.</p>",
        _comparison(planned),
        "<ul>" + "".join(f"<li><b>{name}</b>: {STRATEGIES[name]}</li>" for name in known) + "</ul>",
    ]
    return "".join(parts)


def _comparison(planned: Planned) -> str:
    ways = planned.comparison
    ranked = ways.loc[ways["strategy"] == RANKED, "person_months"]
    unit, costs = _money(ways["cost"], planned.case.settings.currency)
    columns = {
        "way": ways["strategy"].astype(str).tolist(),
        "of those who wait, home at the end": [_whole(v) for v in ways["people_home"]],
        "places open": [_whole(v) for v in ways["zones_open"]],
        "person-months at home": [_whole(v) for v in ways["person_months"]],
    }
    ranges = [
        _range(low, high) for low, high in zip(ways["person_months_low"], ways["person_months_high"], strict=True)
    ]
    if any(ranges):
        columns["range"] = ranges
    if "price" in ways.columns and ways["price"].notna().any():
        columns["price of the lever"] = [_text("" if pd.isna(v) else _whole(v)) for v in ways["price"]]
    if len(ranked):
        columns["against the ranked list"] = [_signed(v - ranked.iloc[0]) for v in ways["person_months"]]
    columns |= {
        "already home, all near ground released": [
            f"{_whole(done)} of {_whole(near)}"
            for done, near in zip(ways["people_near_released"], ways["people_near_hazard"], strict=True)
        ],
        "ground finished [km²]": [_km2(v) for v in ways["m2_finished"]],
        "team-days": [_whole(v) for v in ways["days"]],
        f"cost{unit}": costs,
    }
    return _table(columns, ["way"], wide=True)


def _levers(planned: Planned, zones: pd.DataFrame) -> str:
    """What fairness costs, and which places a floor can't reach; nothing where no lever is stated."""
    told = [(lever, sentence) for lever in planned.levers if (sentence := lever.sentence) is not None]
    if not told:
        return ""
    in_force, waiting = planned.case.settings.lever, len(zones) - len(planned.case.lived_in)
    parts = ["<h3>What fairness would cost</h3><ul>"]
    for lever, sentence in told:
        within = lever.totals.get("zones_in_time")
        words = [f"{sentence}."]
        if lever.name == "floor" and within is not None:
            more = "no plan opens more of them by then" if lever.most else "that no more of them can was not proven"
            words.append(f"By it {within:,.0f} of {waiting:,} places open within the floor; {more}.")
        if lever.name == in_force:
            words.append("This lever is in force: the plan is made by it.")
        parts.append(f"<li>{escape(' '.join(words))}</li>")
    parts.append("</ul>")
    names = dict(zip(zones["zone_id"].astype(str), place_names(zones), strict=True))
    rows = [(names.get(zone, zone), str(why)) for lever, _ in told for zone, why in lever.misses.items()]
    if rows:
        columns = {"place": [name for name, _ in rows], "why it can't open within the floor": [why for _, why in rows]}
        parts.append(_table(columns, ["place"], ["why it can't open within the floor"]))
    return "".join(parts)


def _range(low: Any, high: Any) -> str:
    """A range in words, nothing where it is none.

    >>> _range(1000, 2000), _range(1000, 1000)
    ('1,000 to 2,000', '')
    """
    return "" if pd.isna(low) or pd.isna(high) or _whole(low) == _whole(high) else f"{_whole(low)} to {_whole(high)}"


def _openings(zones: pd.DataFrame) -> str:
    """Every place in the plan with its date, how sure it is, and what hangs on it."""
    own = zones.assign(place=place_names(zones))[zones["opens_in"].notna()]
    if not len(own):
        return "<h3>When places open</h3><p>No place opens in the plan.</p>"
    own = own.sort_values(["opens_on", "place"], kind="stable")
    drawn = {"probability", "p50_on", "p80_on"} <= set(own.columns) and bool(own["probability"].notna().any())
    columns = {
        "place": own["place"].tolist(),
        **_people(own),
        "survey status": _survey_status(own),
        "opens on": [
            "the first day" if t == 0 else _day(day, "not known")
            for t, day in zip(own["opens_in"], own["opens_on"], strict=True)
        ],
    }
    if drawn:
        columns |= {
            "chance": ["not drawn" if pd.isna(v) else share_words(float(v)) for v in own["probability"]],
            "half of the draws by": [_day(v, "beyond the plan") for v in own["p50_on"]],
            "four fifths by": [_day(v, "beyond the plan") for v in own["p80_on"]],
        }
    columns |= {
        "waits for tasks": [_whole(v) for v in own["waits_for"]],
        "why then": [_text(v) for v in own["why"]],
        "what would bring it forward": [_text(v) for v in own["sooner"]],
    }
    return (
        "<h3>When places open</h3><p>A place opens after the period in which the last of the work that it waits for is "
        "finished, its survey too if nobody has surveyed it yet, and after its handover; on that day the plan proposes "
        "it, and the authorities decide. It opens for those who wait: people already home live there whatever the plan "
        "says."
        + (" *: illustrative, made up." if _made_up(own).any() else "")
        + (
            " Chance: share of the draws, with other rates, efforts and outcomes of survey, in which it is open by "
            "then.</p>" + _chart(draw_chances(zones))
            if drawn
            else "</p>"
        )
        + _table(columns, ["place"], ["why then", "what would bring it forward"], wide=True)
    )


def _survey_status(zones: pd.DataFrame) -> list[str]:
    """Whether each place was surveyed; where a tier leaves it out, that."""
    if "survey_status" not in zones.columns:
        return ["not stated here"] * len(zones)
    return [_text(status, "not surveyed").replace("-", " ") for status in zones["survey_status"]]


def _left_out(zones: pd.DataFrame) -> str:
    left = zones["opens_in"].isna() & ~nobody_waits(zones)
    own = zones.assign(place=place_names(zones))[left].sort_values("place", kind="stable")
    if not len(own):
        return "<p>No place that people wait for is left out of the plan.</p>"
    columns = {
        "place": own["place"].tolist(),
        **_people(own),
        "survey status": _survey_status(own),
        "why": [_text(v, "no reason given") for v in own["why"]],
        "what would bring it in": [_text(v) for v in own["sooner"]],
    }
    number = f"{len(own):,} {'place' if len(own) == 1 else 'places'}"
    return (
        f"<h3>Not in the plan: {number}</h3><p>The plan has no date for these places, for the reason beside each.</p>"
        + _table(columns, ["place"], ["why", "what would bring it in"])
    )


def _people(zones: pd.DataFrame) -> dict[str, list[str]]:
    """People already home and people who wait, a column each; a star marks an illustrative number."""
    rows = zip(zones["people"], _made_up(zones), strict=True)
    return {
        "already home": [_whole(v, "unknown") for v in already_home(zones)],
        "who wait": [_whole(v, "unknown") + ("*" if made_up else "") for v, made_up in rows],
    }


def _made_up(zones: pd.DataFrame) -> pd.Series:
    """Whether the number of people who wait is illustrative."""
    basis = zones["people_basis"] if "people_basis" in zones.columns else pd.Series(None, index=zones.index)
    return (basis == "illustrative") & zones["people"].notna()


def _near_homes(zones: pd.DataFrame) -> str:
    """Places where people are already home with tasks near, and what of it the plan releases: no opening."""
    if "near_tasks" not in zones.columns:
        return ""
    own = zones.assign(place=place_names(zones))[zones["near_tasks"].notna()].sort_values("place", kind="stable")
    if not len(own):
        return ""
    columns = {
        "place": own["place"].tolist(),
        "already home": [_whole(v, "unknown") for v in already_home(own)],
        "tasks near": [_whole(v) for v in own["near_tasks"]],
        "released by the plan's end": [share_words(float(v)) for v in own["near_released"]],
    }
    return (
        "<h3>Risk near people already home</h3><p>Their place is the ground within home_m and its position error. "
        "Released: of what is expected to be contaminated there. This is a benefit of its own: it is no opening, and "
        "these people stand in no figure of those who come home.</p>" + _table(columns, ["place"])
    )


def _lived_in(zones: pd.DataFrame) -> str:
    """Places where people are already home and for which nobody waits: they are no openings."""
    own = zones.assign(place=place_names(zones))[nobody_waits(zones)].sort_values("place", kind="stable")
    if not len(own):
        return ""
    rows = zip(own["place"], already_home(own), strict=True)
    named = "; ".join(f"{place} ({_whole(people)} already home)" for place, people in rows)
    return f"<h3>Lived in, nobody waits</h3><p>Nothing opens here, and no person-month counts: {escape(named)}.</p>"


def _teams_at_work(planned: Planned, tasks: pd.DataFrame, zones: pd.DataFrame) -> str:
    work, heading = planned.schedule.work, "<h3>Who works where</h3>"
    if not len(work):
        return f"{heading}<p>No work is planned.</p>"
    number = f"{work['task_id'].nunique():,} {'task' if work['task_id'].nunique() == 1 else 'tasks'}"
    return (
        f"{heading}<p>{number} in {_whole(work['days'].sum())} team-days. Work is dated to the period, not to the day."
        f"</p>{_chart(draw_gantt(work, tasks, zones, use=planned.judgement.use))}"
    )


def _use(planned: Planned) -> str:
    """Each team's days beside those it has, and in how many periods it has none to spare."""
    use = planned.judgement.use
    full = (use["days"] >= _FULL * use["available"]) & (use["available"] > 0)
    by_team = use.assign(full=full, there=use["available"] > 0).groupby(["team_id", "kind"], sort=False, as_index=False)
    sums = by_team[["days", "available", "cost", "full", "there"]].sum()
    unit, costs = _money(sums["cost"], planned.case.settings.currency)
    share = sums["days"] / sums["available"].where(sums["available"] > 0)
    columns: dict[str, list[str]] = {
        "team": sums["team_id"].astype(str).tolist(),
        "kind": sums["kind"].astype(str).tolist(),
        "team-days planned": [_whole(v) for v in sums["days"]],
        "team-days there are": [_whole(v) for v in sums["available"]],
        "share used": ["no capacity" if pd.isna(v) else share_words(float(v)) for v in share],
        "periods fully used": [f"{a} of {b}" for a, b in zip(sums["full"], sums["there"], strict=True)],
        f"cost{unit}": costs,
    }
    spent = sums.loc[share >= _FULL, "team_id"].astype(str).tolist()
    none_to_spare = f"<p>No day to spare: {escape(', '.join(spent))}. What they do sets the pace.</p>" if spent else ""
    by_whom = "".join(_by_whom(sums, planned, name) for name in ("operator", "donor"))
    return "<h3>How far the teams are used</h3>" + none_to_spare + _table(columns, ["team", "kind"]) + by_whom


def _by_whom(sums: pd.DataFrame, planned: Planned, name: str) -> str:
    """Days and cost of the teams of each operator, or of each donor; nothing where TEAMS state none."""
    teams = planned.case.teams
    if name not in teams.columns or teams[name].isna().all():
        return ""
    whose = teams.set_index("team_id")[name].fillna("not stated")
    own = sums.assign(whose=sums["team_id"].map(whose)).groupby("whose", sort=True)
    days, (unit, costs) = own["days"].sum(), _money(own["cost"].sum(), planned.case.settings.currency)
    teams_of = own["team_id"].agg(lambda ids: ", ".join(ids.astype(str)))
    columns: dict[str, list[str]] = {
        name: days.index.astype(str).tolist(),
        "teams": teams_of.tolist(),
        "team-days planned": [_whole(v) for v in days],
        f"cost{unit}": costs,
    }
    return _table(columns, [name, "teams"])


def _budgets(planned: Planned) -> str:
    if planned.budgets is None or not len(planned.budgets):
        return ""
    curve, currency = planned.budgets.sort_values("budget"), planned.case.settings.currency
    unit, per = ("million", 1e6) if curve["budget"].max() >= 1e6 else ("", 1.0)
    spent_unit, spent = _money(curve["cost"], currency)
    columns = {
        f"budget [{' '.join((unit, currency)).strip()}]" if unit + currency else "budget": [
            f"{v / per:,.6g}" for v in curve["budget"]
        ],
        "of those who wait, home at the end": [_whole(v) for v in curve["people_home"]],
        "places open": [_whole(v) for v in curve["zones_open"]],
        "person-months at home": [_whole(v) for v in curve["person_months"]],
        "person-months for each million more": _per_million(curve),
        f"cost{spent_unit}": spent,
        "proven within": ["not proven" if pd.isna(v) else f"{100 * v:.2g} %" for v in curve["gap"]],
    }
    return (
        "<h3>What another million would buy</h3><p>The best plan found for each budget, with all else as it is.</p>"
        + _chart(draw_budgets(curve, budget=planned.case.settings.budget, currency=currency))
        + _table(columns, wide=True)
    )


def _per_million(curve: pd.DataFrame) -> list[str]:
    """What each million more bought, or why it is not stated."""
    notes = curve["note"] if "note" in curve.columns else [None] * len(curve)
    return [
        escape(str(note)) if isinstance(note, Reason | str) else _whole(value)
        for value, note in zip(curve["per_million"], notes, strict=True)
    ]


def _programme(planned: Planned) -> str:
    """Teams and money that the return programme takes."""
    programme, currency = planned.programme, planned.case.settings.currency
    if programme is None:
        return ""
    crew, zones = programme.teams, programme.judgement.zones
    unit, costs = _money(crew["cost"], currency)
    columns = {
        "team": crew["team_id"].astype(str).tolist(),
        "kind": crew["kind"].astype(str).tolist(),
        "teams there are": [_whole(v) for v in crew["number"]],
        "further teams": [_whole(v) for v in crew["further"]],
        "team-days": [_whole(v) for v in crew["days"]],
        f"cost{unit}": costs,
    }
    needed = programme.periods[programme.periods["cost"][::-1].cumsum()[::-1] > 0]  # until the last that takes money
    spent_unit, spent = _money(needed["cost"], currency)
    by_period = {
        "period": [str(v) for v in needed["period"]],
        "ends on": [_day(v, "") for v in needed["ends_on"]],
        f"money needed{spent_unit}": spent,
    }
    places = int((zones["opens_in"] > 0).sum())
    lacking = crew[crew["further"] > 0]
    teams = ", ".join(f"{row.further:,} more of {row.team_id}" for row in lacking.itertuples()) or "no further teams"
    notes = "".join(f"<li>{escape(str(note))}</li>" for note in programme.notes)
    return (
        "<h3>What the return programme would take</h3>"
        f"<p><b>To open {places:,} {'place' if places == 1 else 'places'} by the days that are asked takes "
        f"{_whole(programme.cost)} {escape(currency)} of work and {escape(teams)}</b>: first the further teams that "
        "cost least to keep, then the cheapest work with them. No budget holds here; seasons, districts, rates and the "
        "order of steps do.</p>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + _table(columns, ["team", "kind"])
        + "<p>When the money is needed:</p>"
        + _table(by_period, ["period"])
    )


def _what_if(planned: Planned) -> str:
    columns: dict[str, list[str]] = {"what if": planned.what_if["name"].astype(str).tolist()}
    best = planned.comparison[planned.comparison["strategy"] == BEST]
    figures = {
        "person_months": "person-months at home",
        "people_home": "of those who wait, home at the end",
        "zones_open": "places open",
    }
    for name, words in figures.items():
        columns[words] = [_whole(v) for v in planned.what_if[name]]
        if len(best):
            columns[f"{words}, against the plan"] = [_signed(v - best[name].iloc[0]) for v in planned.what_if[name]]
    return (
        "<h3>What if</h3><p>The best plan found where one thing is other than supposed: how much hangs on it.</p>"
        + _table(columns, sentences=["what if"], wide=True)
    )


def _notes(notes: Sequence[Reason]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li>{escape(str(note))}</li>" for note in notes)
    return f"<h3>What to know about these figures</h3><ul>{items}</ul>"
