"""The plan of work as SVG text: who works where and when places open, people at home, budgets, chances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clearplan.core.errors import TableError
from clearplan.core.reason import Reason
from clearplan.outputs.charts.style import GRID, INK, MUTED, SOFT, need, note, spread, to_svg
from clearplan.outputs.plan_facts import place_names
from clearplan.planning.planned import BEST
from clearplan.priority.sensitivity import share_words
from clearplan.tables.check import each_row
from clearplan.tables.people import nobody_waits

Array = NDArray[Any]

#: Colour, dashes and width of each strategy's line; dashes and width tell them apart without colour.
_LINES: dict[str, tuple[str, Any, float]] = {
    "ranked list": ("#777777", (0, (1, 1.4)), 2.2),
    "value per area": ("#a67c00", (0, (6, 2, 1.2, 2)), 1.8),
    "greedy unlock": ("#bb5566", (0, (5, 2)), 1.8),
    BEST: ("#004488", "-", 3.4),
}
#: Colour and hatch of the districts with the most work; no two are the same in grey.
_FILLS = tuple(zip(MUTED[:9], ("", "", "", "//", "//", "\\\\", "||", "xx", "++"), strict=True))
_OTHER, _NOWHERE = ("#cfcfcf", "\\\\"), ("#ffffff", "")
_UNUSED = "#eeeeee"
#: A name is written into bars where it has at least this part of the days [1].
_MOSTLY = 0.6
#: Names of places that have room side by side above the lanes.
_NAMED = 48
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def draw_gantt(
    work: pd.DataFrame,
    tasks: pd.DataFrame,
    zones: pd.DataFrame | None = None,
    *,
    use: pd.DataFrame | None = None,
    by: str = "district",
    first: int | None = None,
    title: str | None = None,
) -> str:
    """A lane for each team and a bar for each period, as high as the share of the team's capacity that is used.

    Parameters
    ----------
    work : DataFrame
        Table ``work``: task_id, kind, team_id, period, starts_on, ends_on, days [team-days].
    tasks : DataFrame
        TASKS: task_id, and the column ``by``.
    zones : DataFrame, optional
        ZONES of the plan: zone_id, name, people, opens_in (period; blank: not in the plan). Openings stand above the
        lanes.
    use : DataFrame, optional
        team_id, kind, period, available [team-days]; without it a bar fills its lane.
    by : str
        Column of TASKS that colours the bars; tasks in which it is blank are kept apart.
    first : int, optional
        Only so many lanes, those with the most days; unset: all.

    Returns
    -------
    str
        SVG, with a title and a description for those who can't see it.

    Raises
    ------
    TableError
        A column is missing, or there is no work.
    """
    need(work, "task_id", "kind", "team_id", "period", "starts_on", "ends_on", "days")
    need(tasks, "task_id", by)
    named_in = ["team_id", "kind", "period"]
    if use is not None:
        need(use, *named_in, "available")
    # Work of a team that USE lacks is drawn too: nothing is dropped.
    table = work[named_in] if use is None else pd.concat([use[named_in], work[named_in]])
    blank = f"no {by.replace('_', ' ')}"
    days = _days_by(work, tasks, by, blank)
    room = None if use is None else _capacity(use)
    lanes = _lanes(work, table, first)
    openings = _openings(zones)
    periods = int(max(work["period"].max(), table["period"].max(), *(period for period, *_ in openings), 1))
    starts = _starts(work, periods)
    fills = _fills(days, blank)
    named = _named(openings)
    reach = 0.3 + 0.06 * max(len(name) for _, name in named) if named else 0.0
    high = 0.36 * max(len(lanes), 3)
    title = title or ("Who works where, and when places open" if named else "Who works where")

    def draw(figure: Any) -> None:
        if named:
            top, axis = figure.subplots(2, 1, sharex=True, height_ratios=(reach, high))
            _opening_lane(top, openings, named, periods, reach)
        else:
            axis = figure.subplots()
        _team_lanes(axis, days, room, lanes, fills, periods)
        _date_ticks(axis, starts)
        told = _gantt_note(room is not None, zones, len(openings) - len(named), len(set(table["team_id"])) - len(lanes))
        axis.set_xlabel(told, loc="left", fontsize=9, color=SOFT)
        figure.legend(
            handles=_keys(fills, by, room is not None, bool(openings)),
            loc="outside lower left",
            ncols=5,
            frameon=False,
            fontsize=9,
        )

    tall = reach + 1.7 + high + 0.2 * -(-(len(set(fills.values())) + 2) // 5)
    return to_svg("gantt", (11.0, tall), title, _gantt_words(days, room, lanes, openings, starts), draw)


def _days_by(work: pd.DataFrame, tasks: pd.DataFrame, by: str, blank: str) -> pd.DataFrame:
    """Team-days by team, period and what colours them."""
    names = tasks.drop_duplicates("task_id").set_index("task_id")[by]
    where = work["task_id"].map(names).map(_word, na_action="ignore").fillna(blank)
    own = pd.DataFrame(
        {
            "team_id": work["team_id"].astype(str),
            "period": work["period"].astype(int),
            "where": where,
            "days": work["days"].astype(float),
        }
    )
    return own.groupby(["team_id", "period", "where"])["days"].sum().reset_index()


def _word(value: Any) -> str:
    """A name on one line, cut where it would take the room of others."""
    text = " ".join(str(value).split())
    return text if len(text) <= 26 else f"{text[:25].rstrip()}…"


def _capacity(use: pd.DataFrame) -> dict[tuple[str, int], float]:
    keys = zip(use["team_id"].astype(str), use["period"].astype(int), strict=True)
    return dict(zip(keys, use["available"].astype(float), strict=True))


def _lanes(work: pd.DataFrame, table: pd.DataFrame, first: int | None) -> list[tuple[str, str]]:
    """Teams with their kinds, in the order of the table that names them."""
    named = table.drop_duplicates("team_id")[["team_id", "kind"]]
    if first is not None:
        most = work.groupby("team_id")["days"].sum().reindex(named["team_id"], fill_value=0.0)
        named = named[named["team_id"].isin(most.sort_values(ascending=False, kind="stable").index[:first])]
    return [(str(team), str(kind)) for team, kind in named.to_numpy()]


def _openings(zones: pd.DataFrame | None) -> list[tuple[int, str, float]]:
    """Period, name and people of each zone that opens, in the order of opening."""
    if zones is None:
        return []
    need(zones, "zone_id", "name", "people", "opens_in")
    own = zones[zones["opens_in"].notna()]
    names = place_names(zones)[own.index].map(_word)
    people = own["people"].astype("Float64").fillna(0.0).astype(float)
    return sorted(zip(own["opens_in"].astype(int), names, people, strict=True))


def _named(openings: Sequence[tuple[int, str, float]]) -> list[tuple[int, str]]:
    """The openings whose names are written: where there is no room for all, those of the most people."""
    most = sorted(openings, key=lambda one: -one[2])[:_NAMED]
    return sorted((period, name) for period, name, _ in most)


def _starts(work: pd.DataFrame, periods: int) -> list[pd.Timestamp]:
    """First day of each period, and the day after the last one; periods without work lie between the others."""
    row = work.sort_values("period").iloc[0]
    begins, after = pd.Timestamp(row["starts_on"]), pd.Timestamp(row["ends_on"]) + pd.Timedelta(days=1)
    months = (after.year - begins.year) * 12 + after.month - begins.month
    return [begins + pd.DateOffset(months=months * (k + 1 - int(row["period"]))) for k in range(periods + 1)]


def _fills(days: pd.DataFrame, blank: str) -> dict[str, tuple[str, str]]:
    """Colour and hatch of each name, the one with the most days first; beyond nine they share one."""
    most = days[days["where"] != blank].groupby("where")["days"].sum()
    names = most.sort_values(ascending=False, kind="stable").index.tolist()
    own = len(_FILLS) if len(names) <= len(_FILLS) else len(_FILLS) - 1
    fills = dict(zip(names[:own], _FILLS, strict=False)) | dict.fromkeys(names[own:], _OTHER)
    return fills | ({blank: _NOWHERE} if (days["where"] == blank).any() else {})


def _opening_lane(
    axis: Any, openings: Sequence[tuple[int, str, float]], named: Sequence[tuple[int, str]], periods: int, reach: float
) -> None:
    """A mark at the end of each period in which a place opens, and the places' names above it, side by side."""
    axis.set_ylim(0, reach)  # inches, about: leads and names start as high in all charts
    axis.axis("off")
    at = sorted({period for period, *_ in openings})
    axis.plot(at, np.full(len(at), 0.02), "v", color=INK, ms=6, clip_on=False)
    mark = np.array([period for period, _ in named], dtype=float)
    places = spread(mark, periods / 50, 0.0, float(periods))
    for x, foot, (_, name) in zip(places, mark, named, strict=True):
        axis.plot([foot, x], [0.09, 0.21], color=SOFT, lw=0.7, clip_on=False)
        axis.text(x, 0.24, name, rotation=60, rotation_mode="anchor", ha="left", va="center", fontsize=8.5)


def _team_lanes(
    axis: Any,
    days: pd.DataFrame,
    room: Mapping[tuple[str, int], float] | None,
    lanes: Sequence[tuple[str, str]],
    fills: Mapping[str, tuple[str, str]],
    periods: int,
) -> None:
    rows = {team: k for k, (team, _) in enumerate(lanes)}
    order = {name: k for k, name in enumerate(fills)}
    own = days[days["team_id"].isin(rows)].sort_values("where", key=lambda names: names.map(order), kind="stable")
    groups = own.groupby(["team_id", "period"])
    whole = groups["days"].transform("sum").to_numpy()
    if room is not None:
        keys = zip(own["team_id"], own["period"], strict=True)
        whole = np.maximum(whole, [room.get(key, 0.0) for key in keys])
        free = [(t - 1, rows[team]) for (team, t), much in room.items() if team in rows and much > 0]
        _boxes(axis, free, np.zeros(len(free)), np.ones(len(free)), (_UNUSED, ""))
    own = own.assign(part=own["days"] / np.maximum(whole, 1e-12), lane=own["team_id"].map(rows))
    own["below"] = own.groupby(["team_id", "period"])["part"].cumsum() - own["part"]
    for fill in dict.fromkeys(fills.values()):
        part = own[np.array([fills[name] == fill for name in own["where"]], dtype=bool)]
        at = list(zip(part["period"] - 1, part["lane"], strict=True))
        _boxes(axis, at, part["below"].to_numpy(), part["part"].to_numpy(), fill)
    _names_in_bars(axis, own, periods)
    axis.set_yticks(range(len(lanes)), [team if team == kind else f"{_word(team)}  ({kind})" for team, kind in lanes])
    axis.set_ylim(len(lanes) - 0.45, -0.55)
    axis.set_xlim(0, periods)
    axis.tick_params(axis="y", length=0)
    axis.hlines(np.arange(1, len(lanes)) - 0.5, 0, periods, color=GRID, lw=0.6)


def _boxes(axis: Any, at: Sequence[tuple[int, int]], below: Array, high: Array, fill: tuple[str, str]) -> None:
    """Boxes as one path: thousands of single ones would swell the page."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    if not at:
        return
    corners = []
    for (x, lane), low, part in zip(at, below, high, strict=True):
        bottom, top = lane + 0.44 - 0.88 * low, lane + 0.44 - 0.88 * (low + part)
        corners += [(x + 0.03, bottom), (x + 0.97, bottom), (x + 0.97, top), (x + 0.03, top), (x + 0.03, bottom)]
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY] * len(at)
    axis.add_patch(PathPatch(Path(corners, codes), **_paint(fill), linewidth=0.5))


def _paint(fill: tuple[str, str]) -> dict[str, Any]:
    """How bars and their keys in the legend are filled; hatches are white, white fills have a grey line."""
    colour, hatch = fill
    return {"facecolor": colour, "hatch": hatch, "edgecolor": "#8a8a8a" if fill == _NOWHERE else "white"}


def _names_in_bars(axis: Any, own: pd.DataFrame, periods: int) -> None:
    """The name of what a team mostly works on, once in each run of periods that has room for it."""
    whole = own.groupby(["team_id", "period"])["part"].transform("sum")
    mostly = own[(own["part"] >= _MOSTLY * whole) & (own["part"] >= 0.4)].sort_values(["lane", "period"])
    told = mostly[["lane", "where"]]
    new = (mostly["period"].diff() != 1) | (told.shift() != told).any(axis=1)
    for _, run in mostly.groupby(new.cumsum()):
        first, last = run["period"].iloc[0] - 1, run["period"].iloc[-1]
        name = str(run["where"].iloc[0])
        if len(name) * 4.6 > (last - first) / periods * 610:
            continue
        # A run's bars differ in height: at the middle of the lowest one the name lies within all of them.
        least = float((run["below"] + run["part"]).min())
        middle = run["lane"].iloc[0] + 0.44 - 0.44 * (float(run["below"].max()) + least)
        axis.text(
            (first + last) / 2,
            middle,
            name,
            ha="center",
            va="center",
            fontsize=7.5,
            bbox={"fc": "white", "ec": "none", "pad": 0.8, "alpha": 0.9},
        )


def _date_ticks(axis: Any, starts: Sequence[pd.Timestamp]) -> None:
    """Months at the periods' borders, the year where it is new; so many that they don't touch."""
    after = starts[min(1, len(starts) - 1)]
    months = max((after.year - starts[0].year) * 12 + after.month - starts[0].month, 1)
    even = [k for k in range(1, len(starts) + 1) if k == 1 or 12 % (k * months) == 0 or k * months % 12 == 0]
    step = next((k for k in even if (len(starts) - 1) / k <= 16), even[-1])
    shown = range(0, len(starts), step)
    axis.set_xticks(shown, _month_words([starts[k] for k in shown]))
    axis.set_xticks(range(len(starts)), minor=True)


def _month_words(days: Sequence[pd.Timestamp]) -> list[str]:
    years = [None, *(day.year for day in days)]
    return [
        _MONTHS[day.month - 1] + (f"\n{day.year}" if day.year != before else "")
        for day, before in zip(days, years, strict=False)
    ]


def _keys(fills: Mapping[str, tuple[str, str]], by: str, room: bool, openings: bool) -> list[Any]:
    """The legend: one key for each name, one for all that share a fill."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    names = {fill: name for name, fill in fills.items()}
    if rest := sum(fill == _OTHER for fill in fills.values()):
        names[_OTHER] = f"{rest} others ({by.replace('_', ' ')})"
    keys: list[Any] = [Patch(**_paint(fill), label=name) for fill, name in names.items()]
    if room:
        keys.append(Patch(facecolor=_UNUSED, label="capacity not used"))
    if openings:
        keys.append(Line2D([], [], marker="v", color=INK, ls="none", label="a place opens"))
    return keys


def _gantt_note(room: bool, zones: pd.DataFrame | None, unnamed: int, hidden: int) -> str:
    told = []
    if room:
        told.append("Height of a bar: share of the team's capacity that is used. White: no capacity, as out of season.")
    if hidden:
        told.append(f"{_count(hidden, 'team')} with less work not shown.")
    if unnamed:
        told.append(f"{_count(unnamed, 'place')} of fewer people open without a name here, for want of room.")
    if zones is not None and (left := int(zones["opens_in"].isna().sum())):
        told.append(f"{_count(left, 'place')} not in the plan.")
    return "\n".join(told)


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _gantt_words(
    days: pd.DataFrame,
    room: Mapping[tuple[str, int], float] | None,
    lanes: Sequence[tuple[str, str]],
    openings: Sequence[tuple[int, str, float]],
    starts: Sequence[pd.Timestamp],
) -> str:
    """Teams with their days and where they mostly work; places by the day on which they open."""
    told = []
    for team, _ in lanes:
        own = days[days["team_id"] == team]
        spent = float(own["days"].sum())
        most = own.groupby("where")["days"].sum().sort_values(ascending=False, kind="stable").index[:3]
        there = sum(much for (name, _), much in (room or {}).items() if name == team)
        share = f", {100 * spent / there:.0f} % of its capacity" if there else ""
        told.append(f"{team}: {spent:,.0f} team-days{share}" + (f", most in {', '.join(most)}." if len(most) else "."))
    for period in dict.fromkeys(period for period, *_ in openings):
        names = ", ".join(name for at, name, _ in openings if at == period)
        day = starts[0] if period == 0 else starts[period] - pd.Timedelta(days=1)
        told.append(f"Open on {day:%Y-%m-%d}: {names}.")
    return " ".join(told)


def draw_home(
    home: pd.DataFrame, *, waiting: float | None = None, title: str = "People who come home over time"
) -> str:
    """People who come home by strategy as stepped lines; for the best plan, the range from unknown numbers of people.

    Parameters
    ----------
    home : DataFrame
        strategy, period, on (day), people, people_low, people_high.
    waiting : float, optional
        All people waiting to return; a dashed line.

    Raises
    ------
    TableError
        A column is missing, or the table is empty.
    """
    need(home, "strategy", "period", "on", "people", "people_low", "people_high")
    names = [n for n in _LINES if n in set(home["strategy"])]
    names += [n for n in dict.fromkeys(home["strategy"]) if n not in _LINES]
    lines = {name: home[home["strategy"] == name].sort_values("period") for name in names}
    longest = max(lines.values(), key=len)
    days = [pd.Timestamp(day) + pd.Timedelta(days=int(k > 0)) for k, day in enumerate(longest["on"])]
    most = max(float(home[["people", "people_high"]].max().max()), waiting or 0.0, 1.0) * 1.08
    last = float(home["period"].max())

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        # Past the end of the last period a little, so that what opens in it is seen as a step.
        end = last + 0.03 * max(last, 1.0)
        for name, own in lines.items():
            colour, dashes, width = _LINES.get(name, (INK, (0, (3, 3)), 1.4))
            x, people = np.append(own["period"], end), own["people"].to_numpy(float)
            axis.step(
                x,
                np.append(people, people[-1]),
                where="post",
                color=colour,
                ls=dashes,
                lw=width,
                zorder=2 if name == BEST else 3,
            )
            if name == BEST:
                low, high = (own[c].to_numpy(float) for c in ("people_low", "people_high"))
                axis.fill_between(
                    x,
                    np.append(low, low[-1]),
                    np.append(high, high[-1]),
                    step="post",
                    color="#004488",
                    alpha=0.16,
                    lw=0,
                )
        _end_labels(axis, {name: float(own["people"].iloc[-1]) for name, own in lines.items()}, end, most)
        if waiting is not None:
            axis.axhline(waiting, color=INK, lw=1.1, ls=(0, (8, 4)))
            axis.annotate(
                f"all people waiting: {waiting:,.0f}",
                (0, waiting),
                (5, -4),
                textcoords="offset points",
                va="top",
                fontsize=9.5,
            )
        axis.set(xlim=(0, end), ylim=(0, most), ylabel="people who have come home")
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
        axis.grid(axis="y", color=GRID, lw=0.8)
        axis.set_axisbelow(True)
        _date_ticks(axis, days)
        if BEST in lines and (lines[BEST]["people_high"] > lines[BEST]["people_low"]).any():
            note(
                figure,
                "Band: the best plan found, if in places of unknown number the fewest or the most people wait "
                "that are thought possible.",
            )

    told = [_home_words(name, own.iloc[-1]) for name, own in lines.items()]
    if waiting is not None:
        told.append(f"All people waiting: {waiting:,.0f}.")
    return to_svg("home", (10.2, 4.6), title, " ".join(told), draw)


def _end_labels(axis: Any, ends: Mapping[str, float], end: float, most: float) -> None:
    """Each line's name and last figure at its end, in the order of the lines and never on one another."""
    names = sorted(ends, key=lambda name: (ends[name], name == BEST))
    places = spread(np.array([ends[name] for name in names]), most * 0.062, most * 0.02, most * 0.98)
    for name, place in zip(names, places, strict=True):
        colour, dashes, width = _LINES.get(name, (INK, (0, (3, 3)), 1.4))
        axis.plot(
            [end, end * 1.02, end * 1.055],
            [ends[name], place, place],
            color=colour,
            ls=dashes,
            lw=width * 0.8,
            clip_on=False,
        )
        axis.text(
            end * 1.062,
            place,
            f"{name}: {ends[name]:,.0f}",
            va="center",
            fontsize=9.5,
            fontweight="bold" if name == BEST else "normal",
        )


def _home_words(name: str, row: Any) -> str:
    low, high = float(row["people_low"]), float(row["people_high"])
    between = f" ({low:,.0f} to {high:,.0f})" if name == BEST and high > low else ""
    return f"{name}: {row['people']:,.0f} of those who wait home{between} on {pd.Timestamp(row['on']):%Y-%m-%d}."


def draw_budgets(
    budgets: pd.DataFrame, *, budget: float | None = None, currency: str = "", title: str = "What more money buys"
) -> str:
    """People at home, person-months, and what the last million bought, by budget.

    Parameters
    ----------
    budgets : DataFrame
        budget [currency], people_home, person_months, per_million [person-months a million], sorted by budget.
    budget : float, optional
        The plan's own; a dashed line [currency].
    currency : str
        Its name, such as USD.

    Raises
    ------
    TableError
        A column is missing, or the table is empty.
    """
    need(budgets, "budget", "people_home", "person_months", "per_million")
    own = budgets.sort_values("budget")
    at = own["budget"].to_numpy(float)
    unit, per = ("million", 1e6) if at.max() >= 1e6 else ("thousand", 1e3)
    x = at / per

    def draw(figure: Any) -> None:
        axes = figure.subplots(3, 1, sharex=True)
        for axis, name, words in zip(
            axes,
            ("people_home", "person_months"),
            ("People who have come home at the plan's end", "Person-months at home"),
            strict=False,
        ):
            values = own[name].to_numpy(float)
            axis.plot(x, values, "-", color="#9db4cc", lw=1.4)
            axis.plot(x, values, "o", color="#004488", ms=6, zorder=4)
            _above(axis, x, values, x.max())
            axis.set_title(words, fontsize=10)
        values, before = own["per_million"].to_numpy(float), np.append(0.0, x[:-1])
        axes[2].bar(before, values, x - before, align="edge", color="#66aac8", edgecolor="white", linewidth=1.0)
        axes[2].axhline(0, color=SOFT, lw=0.8)
        _above(axes[2], (before + x) / 2, values, x.max())
        axes[2].set_title("Person-months that each million between two budgets bought", fontsize=10)
        axes[2].set_xlabel(f"budget [{' '.join((unit, currency)).strip()}]")
        for axis in axes:
            low, high = min(0.0, axis.dataLim.y0), max(axis.dataLim.y1, 1e-6)
            axis.set_ylim(low * 1.3, high * 1.3)
            axis.set_xlim(0, max(x.max() * 1.05, 1e-6))
            axis.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}")
            axis.locator_params(axis="y", nbins=4)
            axis.grid(axis="y", color=GRID, lw=0.8)
            axis.set_axisbelow(True)
            if budget is not None:
                axis.axvline(budget / per, color=INK, lw=1.1, ls=(0, (6, 3)), zorder=1)
        axes[2].set_xticks(_apart(x, x.max() / 22))
        axes[2].xaxis.set_major_formatter(lambda v, _: f"{v:,.4g}")
        told = ["Each dot is a plan of its own for this budget."]
        if budget is not None:
            told.append("Dashed: the plan's budget.")
        if "note" in own.columns and own["note"].notna().any():
            told.append("No bar: too close to call, below the proven gap.")
        if (values < 0).any():
            told.append("Below 0: the search ended before it found as good a plan as with less money.")
        note(figure, " ".join(told))

    told = [
        f"With {row.budget / per:,.4g} {' '.join((unit, currency)).strip()}: {row.people_home:,.0f} of those who wait "
        f"home, {row.person_months:,.0f} person-months, {_bought(row.per_million, why_not)} for each million more."
        for row, why_not in zip(each_row(own), own["note"] if "note" in own.columns else [None] * len(own), strict=True)
    ]
    return to_svg("budgets", (10.2, 6.2), title, " ".join(told), draw)


def _apart(values: Array, room: float) -> list[float]:
    """Rising values without those that are too near to the one before."""
    kept: list[float] = []
    for value in values.tolist():
        if not kept or value - kept[-1] >= room:
            kept.append(value)
    return kept


def _bought(value: float, why_not: object = None) -> str:
    """What a million more bought, or why it is not stated."""
    if isinstance(why_not, Reason | str):
        return str(why_not)
    return "not known" if not np.isfinite(value) else f"{value:,.0f}".replace("-", "\u2212")


def _above(axis: Any, x: Array, values: Array, wide: float) -> None:
    """Figures over their dots, but for those that would touch the one before."""
    end = -np.inf
    for at, value in zip(x, values, strict=True):
        words = _bought(value)
        half = 0.0052 * (len(words) + 1) * wide
        if np.isfinite(value) and at - half > end:
            axis.annotate(
                words,
                (at, max(value, 0.0)),
                (0, 7),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                bbox={"fc": "white", "ec": "none", "pad": 0.4},
            )
            end = at + half


def draw_chances(zones: pd.DataFrame, *, title: str = "How sure the dates are on which places open") -> str:
    """A row for each place in the plan: its date, the dates that half and four fifths of the draws meet, its chance.

    Parameters
    ----------
    zones : DataFrame
        zone_id, name, opens_on, p50_on, p80_on (days; blank: beyond the plan), probability [1]. Rows that are not in
        the plan (opens_on is blank) are left out and counted.

    Raises
    ------
    TableError
        A column is missing, or no place is in the plan.
    """
    need(zones, "zone_id", "name", "opens_on", "p50_on", "p80_on", "probability")
    zones = zones[~nobody_waits(zones)]
    own = zones.assign(name=place_names(zones).map(_word))[zones["opens_on"].notna()]
    if not len(own):
        raise TableError("chart: no place opens in the plan; there is nothing to draw")
    own = own.sort_values(["opens_on", "name"], kind="stable").reset_index(drop=True)
    dates = {c: pd.to_datetime(own[c]) for c in ("opens_on", "p50_on", "p80_on")}
    begin, end = (getattr(pd.concat(list(dates.values())), f)() for f in ("min", "max"))
    x = {c: (days - begin).dt.days.to_numpy(float) for c, days in dates.items()}
    span = max(float((end - begin).days), 30.0)
    beyond = span * 1.07

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        at = np.arange(len(own))
        late = {c: np.where(np.isnan(x[c]), beyond, x[c]) for c in x}
        axis.hlines(at, late["opens_on"], late["p80_on"], color="#9db4cc", lw=3)
        for column, mark, fill, size, words in (
            ("p80_on", "o", "white", 10, "open in four fifths of the draws"),
            ("p50_on", "o", "#004488", 7, "open in half of the draws"),
            ("opens_on", "|", INK, 13, "date in the plan"),
        ):
            there = ~np.isnan(x[column])
            axis.plot(
                late[column][there],
                at[there],
                mark,
                mfc=fill,
                mec=INK,
                mew=2.4 if mark == "|" else 1,
                ms=size,
                ls="none",
                label=words,
                zorder=3,
            )
            if not there.all():
                past = late[column][~there] - (0.03 * span if column == "p50_on" else 0.0)
                axis.plot(past, at[~there], ">", mfc=fill, mec=INK, ms=7, ls="none", clip_on=False, zorder=3)
        for k, chance in enumerate(own["probability"]):
            axis.text(1.012, k, _chance(chance), transform=axis.get_yaxis_transform(), va="center", fontsize=9.5)
        axis.text(
            1.012,
            -0.95,
            "chance to open\nby the plan's date",
            transform=axis.get_yaxis_transform(),
            va="bottom",
            fontsize=9,
            color=SOFT,
        )
        axis.set_yticks(at, own["name"])
        axis.set_ylim(len(own) - 0.4, -0.7)
        axis.set_xlim(-span * 0.02, beyond)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="both", color=GRID, lw=0.8)
        axis.set_axisbelow(True)
        _day_ticks(axis, begin, end)
        figure.legend(*axis.get_legend_handles_labels(), loc="outside lower left", ncols=3, frameon=False, fontsize=9)
        told = ["Arrow at the right: not within the plan."] if any(np.isnan(v).any() for v in x.values()) else []
        if left := len(zones) - len(own):
            told.append(f"{_count(left, 'place')} not in the plan.")
        axis.set_xlabel(" ".join(told), loc="left", fontsize=9, color=SOFT)

    told = [
        f"{row.name}: {pd.Timestamp(row.opens_on):%Y-%m-%d}, chance {_chance(row.probability)}, half of the draws by "
        f"{_by(row.p50_on)}, four fifths by {_by(row.p80_on)}."
        for row in each_row(own[["name", "opens_on", "probability", "p50_on", "p80_on"]])
    ]
    return to_svg("chances", (10.2, 1.9 + 0.28 * len(own)), title, " ".join(told), draw)


def _chance(value: Any) -> str:
    return "not drawn" if pd.isna(value) else share_words(float(value))


def _by(day: Any) -> str:
    return "no day of the plan" if pd.isna(day) else f"{pd.Timestamp(day):%Y-%m-%d}"


def _day_ticks(axis: Any, begin: pd.Timestamp, end: pd.Timestamp) -> None:
    """Firsts of months on an axis of days from ``begin``."""
    months = (end.year - begin.year) * 12 + end.month - begin.month
    step = next((k for k in (1, 3, 6, 12, 24) if months / k <= 14), 60)
    first = pd.Timestamp(begin.year, 1, 1)
    days = [first + pd.DateOffset(months=k) for k in range(0, months + 24, step)]
    days = [day for day in days if begin - pd.Timedelta(days=5) <= day <= end + pd.Timedelta(days=5)]
    axis.set_xticks([(day - begin).days for day in days], _month_words(days))
