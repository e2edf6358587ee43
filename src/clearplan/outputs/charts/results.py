"""Tables to charts as SVG text: how well the surface foretells, what land was released, what changed, why this order.

Every chart is the same text for the same table, holds no date, and needs no font of the reader's: letters are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from clearplan.core.errors import TableError
from clearplan.outputs.charts.style import GRID, INK, MUTED, SOFT, need, note, to_svg
from clearplan.priority.rank import criteria_of, in_queue, meaning_of

#: Colour of each rung of the ladder; others take the spare ones in order.
RUNG_COLOURS = {
    "belt only": "#bbbbbb",
    "nearest hazard": "#ddaa33",
    "nearest past accident": "#cc6677",
    "density of past accidents": "#882255",
    "logistic regression": "#999933",
    "gradient boosting": "#117733",
    "all terms (expert)": "#66aac8",
    "all terms (fitted)": "#004488",
}
_SPARE = ("#bb5566", "#117733", "#882255", "#999933")
_DOWN, _UP, _WHOLE = "#44789c", "#bb5566", "#444444"
_PANELS = {
    "recall_10": "Accidents in the top\n10 % of the ground",
    "roc_auc": "ROC-AUC\n",
    "average_precision": "Average precision\n",
    "slope": "Calibration slope\n(1 is right)",
}
#: Columns of a bridge in their order: what they are called, and how they count.
BRIDGE = {
    "opening_m2": ("Opening", 1),
    "newly_found_m2": ("Newly found", 1),
    "cancelled_m2": ("Cancelled", -1),
    "reduced_m2": ("Reduced", -1),
    "cleared_m2": ("Cleared", -1),
    "resurvey_m2": ("Re-survey", 1),
    "closing_m2": ("Closing", 1),
}
#: Colour and mark of each change between two runs, in the order of the legend.
CHANGES = {
    "LOST from the table": (INK, "X"),
    "new": ("#bb5566", "^"),
    "re-opened": ("#882255", "v"),
    "ground re-opened": ("#882255", "<"),
    "moved": ("#ddaa33", "D"),
    "class": ("#999933", "P"),
    "status": ("#777777", "h"),
    "footprint": ("#777777", "*"),
    "released": ("#66aac8", "o"),
    "closed": ("#004488", "s"),
}


def draw_ladder(ladder: pd.DataFrame, *, title: str = "How well each way predicts accidents it has not seen") -> str:
    """Dots with 90 % intervals, a panel per figure and a line per rung.

    Parameters
    ----------
    ladder : DataFrame
        ``evaluation_tables(...)["ladder"]``: rung, figure, mean, low, high.

    Returns
    -------
    str
        SVG, with a title and a description for those who can't see it.
    """
    need(ladder, "rung", "figure", "mean", "low", "high")
    rungs = list(dict.fromkeys(ladder["rung"]))
    told = ladder.set_index(["rung", "figure"])

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, len(_PANELS), sharey=True)
        for axis, (name, words) in zip(axes, _PANELS.items(), strict=True):
            for k, rung in enumerate(rungs):
                mean, low, high = (told[c].astype(float).loc[(rung, name)] for c in ("mean", "low", "high"))
                if not np.isfinite(mean):
                    axis.text(0.02, k, "none", color=SOFT, va="center", transform=axis.get_yaxis_transform())
                    continue
                axis.plot([low, high], [k, k], color=_colour(rung, rungs), lw=4, alpha=0.45, solid_capstyle="butt")
                axis.plot(mean, k, "o", color=_colour(rung, rungs), ms=9, mec=INK, mew=0.8)
                axis.annotate(
                    _figure(name, mean),
                    (mean, k),
                    (0, 9),
                    textcoords="offset points",
                    ha="center",
                    fontsize=9.5,
                    bbox={"fc": "white", "ec": "none", "pad": 0.6},
                )
            axis.set_title(words, fontsize=10)
            axis.set_ylim(len(rungs) - 0.5, -0.7)
            axis.grid(axis="x", color=GRID, lw=0.8)
            axis.set_axisbelow(True)
            axis.tick_params(axis="y", length=0)
            _frame(axis, name, told)
        axes[0].set_yticks(range(len(rungs)), rungs)
        note(
            figure,
            "Bar: 90 % interval, blocks drawn afresh; dashed: by chance, or 1.",
        )

    lines = [f"{rung}: " + _in_words(told, rung) for rung in rungs]
    return to_svg("ladder", (10.2, 1.6 + 0.55 * len(rungs)), title, " ".join(lines), draw)


def _frame(axis: Any, name: str, told: pd.DataFrame) -> None:
    """Limits that hold all ranges, and the line that means nothing was learned, or all is right."""
    low, high = (told.xs(name, level="figure")[c].astype(float) for c in ("low", "high"))
    edges = [low.min(), high.max(), {"roc_auc": 0.5, "slope": 1.0}.get(name, 0.0)]
    first, last = np.nanmin(edges), np.nanmax(edges)
    room = max(last - first, 0.05) * 0.14
    axis.set_xlim(first - (room if first > 0 else room * 0.6), last + room)
    if name in ("roc_auc", "slope"):
        axis.axvline({"roc_auc": 0.5, "slope": 1.0}[name], color=SOFT, lw=1, ls="--")
    if name.startswith("recall"):
        axis.axvline(int(name.split("_")[1]) / 100, color=SOFT, lw=1, ls="--")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
    axis.locator_params(axis="x", nbins=4)


def _in_words(told: pd.DataFrame, rung: str) -> str:
    parts = []
    for name, words in _PANELS.items():
        value = told["mean"].astype(float).loc[(rung, name)]
        parts.append(f"{' '.join(words.split())} {_figure(name, value)}")
    return ", ".join(parts) + "."


def _figure(name: str, value: float) -> str:
    if not np.isfinite(value):
        return "none"
    if name.startswith("recall"):
        return f"{value:.0%}"
    return f"{value:.1e}" if name == "average_precision" and value < 0.01 else f"{value:.2f}"


def draw_recall(ladder: pd.DataFrame, *, title: str = "Accidents inside the highest-ranked ground") -> str:
    """Lines: share of the judged accidents in the top 1, 5, 10 and 20 % of the known ground, one for each rung.

    Parameters
    ----------
    ladder : DataFrame
        ``evaluation_tables(...)["ladder"]``, of one way to judge and one ranking.
    """
    need(ladder, "rung", "figure", "mean")
    rungs = list(dict.fromkeys(ladder["rung"]))
    means = ladder.set_index(["rung", "figure"])["mean"].astype(float)
    tops = (1, 5, 10, 20)

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        for rung in rungs:
            found = [means[rung, f"recall_{top}"] for top in tops]
            axis.plot((0, *tops), (0, *found), "o-", color=_colour(rung, rungs), ms=5, lw=2, label=rung)
        axis.plot((0, 20), (0, 0.2), color=SOFT, lw=1, ls="--", label="by chance")
        axis.set_xticks(tops, [f"{top} %" for top in tops])
        axis.set_xlabel("part of the known ground, the highest-ranked first")
        axis.set_ylabel("accidents in it")
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}")
        axis.set_xlim(0, 20.5)
        axis.set_ylim(0, None)
        axis.grid(color=GRID, lw=0.8)
        axis.set_axisbelow(True)
        axis.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False)

    lines = []
    for rung in rungs:
        lines.append(f"{rung}: " + ", ".join(f"top {top} %: {means[rung, f'recall_{top}']:.0%}" for top in tops))
    return to_svg("recall", (9.4, 4.6), title, ". ".join(lines) + ".", draw)


def draw_calibration(calibration: pd.DataFrame, *, title: str = "Accidents expected and observed") -> str:
    """Expected against observed accidents per 100 km2 in ten parts of equal area, a panel per rung.

    Parameters
    ----------
    calibration : DataFrame
        ``evaluation_tables(...)["calibration"]``: rung, bin, expected_per_100_km2, observed_per_100_km2, observed.
    """
    need(calibration, "rung", "bin", "expected_per_100_km2", "observed_per_100_km2", "observed", "area_km2")
    rungs = list(dict.fromkeys(calibration["rung"]))
    said, seen = calibration["expected_per_100_km2"], calibration["observed_per_100_km2"]
    values = np.concatenate([said[said > 0], seen[seen > 0]])
    low, high = (values.min() / 2, values.max() * 2) if len(values) else (0.1, 10.0)
    across = min(4, len(rungs))
    deep = math.ceil(len(rungs) / across)

    def draw(figure: Any) -> None:
        axes = figure.subplots(deep, across, sharex=True, sharey=True, squeeze=False)
        for spare in axes.ravel()[len(rungs) :]:
            spare.axis("off")
        for axis, rung in zip(axes.ravel(), rungs, strict=False):
            rows = calibration[calibration["rung"] == rung]
            x, count, area = (rows[c].to_numpy(float) for c in ("expected_per_100_km2", "observed", "area_km2"))
            spread = np.sqrt(np.maximum(count, 1)) * 1.96
            bottom, top = (np.clip(count + s * spread, 0, None) / area * 100 for s in (-1, 1))
            axis.plot([low, high], [low, high], color=SOFT, lw=1, ls="--")
            axis.vlines(x, np.maximum(bottom, low), top, color=_colour(rung, rungs), lw=2, alpha=0.5)
            shown = np.maximum(count / area * 100, low * 1.08)
            axis.plot(x, shown, "o", color=_colour(rung, rungs), ms=7, mec=INK, mew=0.7, clip_on=False)
            axis.plot(x[count == 0], shown[count == 0], "o", color="white", ms=7, mec=INK, mew=0.9)
            axis.set(xscale="log", yscale="log", xlim=(low, high), ylim=(low, high), aspect="equal")
            for ticks in (axis.xaxis, axis.yaxis):
                ticks.set_major_formatter(lambda v, _: f"{v:g}")
                ticks.set_minor_formatter(lambda v, _: "")
            axis.grid(color=GRID, lw=0.8)
            axis.set_axisbelow(True)
            axis.set_title(rung, fontsize=10)
            axis.set_xlabel("expected per 100 km²")
        for axis in axes[:, 0]:
            axis.set_ylabel("observed per 100 km²")
        note(
            figure,
            "On the dashed line both agree. A dot is a tenth of the ground, a line 95 % by chance; "
            "hollow: no accident.",
        )

    top = calibration.sort_values("bin").groupby("rung", sort=False).tail(1).set_index("rung")
    lines = [
        f"{rung}: in the highest part {top.loc[rung, 'expected_per_100_km2']:.3g} expected and "
        f"{top.loc[rung, 'observed_per_100_km2']:.3g} observed per 100 square kilometres."
        for rung in rungs
    ]
    return to_svg("calibration", (max(2.75 * across, 5.0), 0.6 + 3.3 * deep), title, " ".join(lines), draw)


def draw_published_release(table: pd.DataFrame, *, source: str) -> str:
    """Bars of the land that an agency released, by district, operator and land use [ha], with the source below.

    Parameters
    ----------
    table : DataFrame
        breakdown ('district', 'operator' or 'land use'), name, hectares [ha]; each break-down sums to the same. Where
        there is a column ``year``, the title names the year, or the first and the last of several.
    source : str
        Where the figures are from; printed below.
    """
    need(table, "breakdown", "name", "hectares")
    names = list(dict.fromkeys(table["breakdown"]))
    parts = [_sorted_bars(table[table["breakdown"] == name]) for name in names]
    sums = [float(part["hectares"].sum()) for part in parts]
    if max(sums) - min(sums) > 1e-6 * max(sums):
        told = ", ".join(f"{n} {s:,.1f}" for n, s in zip(names, sums, strict=True))
        raise TableError(f"release: the break-downs do not sum to the same area: {told} ha; correct the table")

    largest = float(table["hectares"].max())

    def draw(figure: Any) -> None:
        axes = np.atleast_1d(figure.subplots(1, len(parts)))
        for axis, part, name in zip(axes, parts, names, strict=True):
            axis.barh(range(len(part)), part["hectares"], color=_DOWN, height=0.72)
            for k, value in enumerate(part["hectares"]):
                axis.annotate(
                    f"{value:,.1f}", (value, k), (4, 0), textcoords="offset points", va="center", fontsize=9.5
                )
            axis.set_yticks(range(len(part)), part["name"])
            axis.set_ylim(max(len(p) for p in parts) - 0.4, -0.6)
            axis.set_xlim(0, largest * 1.32)  # one scale, so that bars of all panels compare
            axis.set_title(f"by {name} [ha]")
            axis.set_xticks([])
            axis.spines["bottom"].set_visible(False)
            axis.tick_params(axis="y", length=0)
        note(
            figure,
            f"Source: {source}.\nAs published: not split into cancelled, reduced and cleared. All bars on one scale.",
        )

    lines = [
        f"By {name}: " + ", ".join(f"{n} {v:,.1f}" for n, v in zip(p["name"], p["hectares"], strict=True)) + "."
        for name, p in zip(names, parts, strict=True)
    ]
    lines.insert(0, f"Source: {source}.")
    title = f"Land released{_years(table)}: {sums[0]:,.1f} hectares"
    tall = 1.5 + 0.3 * max(len(p) for p in parts)
    return to_svg("published-release", (11.2, tall), title, " ".join(lines), draw)


def _years(table: pd.DataFrame) -> str:
    """The year of published figures, or the years; nothing where the table states none.

    >>> _years(pd.DataFrame({"year": ["2023", "2023"]})), _years(pd.DataFrame({"year": [2022, 2024, None]}))
    (' in 2023', ' from 2022 to 2024')
    >>> _years(pd.DataFrame({"name": ["Fizuli"]}))
    ''
    """
    years = pd.to_numeric(table["year"]).dropna().astype(int) if "year" in table.columns else pd.Series(dtype=int)
    if not len(years):
        return ""
    first, last = years.min(), years.max()
    return f" in {first}" if first == last else f" from {first} to {last}"


def _sorted_bars(part: pd.DataFrame) -> pd.DataFrame:
    """From the largest; what is called other stands last."""
    other = part["name"].str.lower().str.startswith("other")
    order = np.lexsort((part["name"], -part["hectares"].to_numpy(float), other))
    return part.iloc[order]


def draw_bridge(table: pd.DataFrame, *, title: str = "From opening to closing: what changed") -> str:
    """Waterfall: opening + newly found - cancelled - reduced - cleared +/- re-survey = closing.

    Parameters
    ----------
    table : DataFrame
        The columns of ``BRIDGE`` [m2], rows are summed; re-survey has its own sign, the others are not negative.

    Raises
    ------
    TableError
        A column is missing, or opening and changes do not make closing.
    """
    need(table, *BRIDGE)
    sums = table[list(BRIDGE)].sum().to_dict()
    signed = {name: sums[name] * BRIDGE[name][1] for name in list(BRIDGE)[:-1]}
    off = sum(signed.values()) - sums["closing_m2"]
    if abs(off) > 1e-6 * max(abs(v) for v in (*sums.values(), 1.0)):
        raise TableError(f"bridge: opening and changes make {off:+,.1f} m2 more than closing; correct the table")
    unit, per = ("km²", 1e6) if max(map(abs, sums.values())) >= 1e7 else ("ha", 1e4)
    labels = [words for words, _ in BRIDGE.values()]

    low, cut = _floor(list(signed.values()), sums["closing_m2"])

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        level = 0.0
        for k, (name, change) in enumerate((signed | {"closing_m2": sums["closing_m2"]}).items()):
            whole = name in ("opening_m2", "closing_m2")
            bottom, top = (low, change) if whole else (min(level, level + change), max(level, level + change))
            colour = _WHOLE if whole else _UP if change > 0 else _DOWN
            axis.bar(k, (top - bottom) / per, 0.66, bottom / per, color=colour, hatch="///" if whole and cut else None)
            text = f"{change / per:,.1f}" if whole else f"{change / per:+,.1f}".replace("-", "\u2212")
            axis.annotate(text, (k, top / per), (0, 4), textcoords="offset points", ha="center")
            level = change if whole else level + change
            if k < len(labels) - 1:
                axis.hlines(level / per, k + 0.33, k + 0.67, color=SOFT, lw=1)
        axis.set_xticks(range(len(labels)), labels)
        axis.tick_params(axis="x", length=0)
        axis.set_ylabel(f"area [{unit}]")
        high = max(axis.dataLim.y1, low / per + 1e-6)
        axis.set_ylim(low / per, low / per + (high - low / per) * 1.12)
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}" if axis.get_ylim()[1] > 20 else f"{v:g}")
        words = "Cancelled: by non-technical survey; reduced: by technical survey; cleared: by clearance."
        note(figure, words + ("\nHatched: the axis is cut and does not begin at 0." if cut else ""))

    told = ", ".join(f"{w.lower()} {sums[n] / per:,.2f}" for n, (w, _) in BRIDGE.items())
    return to_svg("bridge", (8.6, 4.2), title, f"In {unit}: {told}.", draw)


def draw_changes(
    changes: gpd.GeoDataFrame,
    ground: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    title: str = "What changed, and where",
) -> str:
    """Map of what changed from one run to another: a mark at each hazard, over the ground that remains.

    Parameters
    ----------
    changes : GeoDataFrame
        change (one of ``CHANGES``), geometry [m]; rows without a place are counted below.
    ground, zones : GeoDataFrame
        AREAS and ZONES of the later run in the same CRS.
    """
    need(changes, "change")
    shaped = ~(changes.geometry.isna() | changes.geometry.is_empty)
    points = changes.loc[shaped].geometry.representative_point()
    west, south, east, north = changes.loc[shaped].total_bounds if shaped.any() else ground.total_bounds
    side = max(east - west, north - south, 1_000.0)
    middle = (west + east) / 2, (south + north) / 2
    wide, room = (max(length, 0.6 * side) * 0.56 for length in (east - west, north - south))
    counts = changes["change"].value_counts(sort=False)
    named = [name for name in CHANGES if name in counts.index] + [n for n in counts.index if n not in CHANGES]

    def draw(figure: Any) -> None:
        axis = figure.subplots()
        open_ = ground[(ground["status"] != "closed") & ~ground.geometry.isna()]
        simple = open_.geometry.simplify(side / 800)
        for land_class, shade in (("indication", "#eeeeee"), ("SHA", "#d8d8d8"), ("CHA", "#bbbbbb")):
            own = simple[(open_["land_class"] == land_class) & ~simple.is_empty]
            if len(own):
                own.plot(ax=axis, color=shade, edgecolor=shade, linewidth=0.6, aspect=None)
        places = zones[~zones.geometry.isna()].geometry.representative_point()
        axis.plot(places.x, places.y, "s", color="white", mec=SOFT, mew=0.7, ms=3.2, ls="none", label="zone")
        for name in named:
            colour, mark = CHANGES.get(name, (INK, "x"))
            own = points[changes.loc[shaped, "change"] == name]
            axis.plot(
                own.x,
                own.y,
                mark,
                color=colour,
                mec="white" if mark not in "x+" else colour,
                mew=0.6,
                ms=8,
                ls="none",
                label=f"{name} ({counts[name]})",
            )
        axis.set(xlim=(middle[0] - wide, middle[0] + wide), ylim=(middle[1] - room, middle[1] + room), aspect="equal")
        axis.set(xticks=[], yticks=[], xlabel="", ylabel="")
        for spine in axis.spines.values():
            spine.set_visible(True)
        _scale_bar(axis, 2 * wide)
        figure.legend(loc="outside right upper", frameon=False)
        lost = int((~shaped).sum())
        note(
            figure,
            "Grey: ground that remains (palest: indication). North is up."
            + (f" {lost} changes have no place on the map." if lost else ""),
        )

    told = ", ".join(f"{counts[name]} {name}" for name in named)
    tall = 6.4 if wide >= room else 7.6
    return to_svg("changes", (tall * wide / room + 2.4, tall + 0.8), title, f"Hazards: {told}.", draw)


def draw_order(tasks: pd.DataFrame, queue: str, *, first: int = 15, title: str | None = None) -> str:
    """Points by criterion of the first tasks of a queue as stacked bars, and beside them how sure each rank is.

    Parameters
    ----------
    tasks : DataFrame
        TASKS as ranked by ``rank``; the second panel needs rank_low and rank_high, from ``robust``.
    queue : str
        'survey' or 'clearance'; tasks without a rank are left out.
    first : int
        How many tasks, from the first.

    Raises
    ------
    TableError
        A column is missing, or no task of the queue has a rank.
    """
    need(tasks, "task_id", "queue", "rank", "score")
    # By name within a rank, so that equal ranks stand in one order in chart and table.
    own = in_queue(tasks, queue).sort_values(["rank", "task_id"]).head(first)
    if not len(own):
        raise TableError(f"chart: no task of the {queue} queue has a rank; there is nothing to draw")
    places = {name: k for k, name in enumerate(criteria_of(tasks))}
    points = {name: own[f"c_{name}_points"].fillna(0.0).to_numpy(float) for name in places}
    points = {name: values for name, values in points.items() if values.any()}
    labels = {name: meaning_of(tasks, name).label for name in points}
    ranged = {"rank_low", "rank_high"} <= set(tasks.columns) and bool(own["rank_low"].notna().any())

    def draw(figure: Any) -> None:
        axes = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1.5)) if ranged else [figure.subplots()]
        _stack(axes[0], own, points, places, labels)
        if ranged:
            _intervals(axes[1], own)
        legend = axes[0].get_legend_handles_labels()
        figure.legend(*legend, loc="outside lower left", ncols=2, frameon=False, fontsize=9)

    lines = [_order_words(row, points, labels, k, ranged) for k, row in enumerate(own.to_dict("records"))]
    title = title or f"The first {len(own)} tasks of the {queue} queue"
    tall = 1.7 + 0.3 * len(own) + 0.22 * (len(points) + 1) // 2
    return to_svg(f"order-{queue}", (10.2, tall), title, " ".join(lines), draw)


def _stack(
    axis: Any, own: pd.DataFrame, points: dict[str, Any], places: dict[str, int], labels: dict[str, str]
) -> None:
    """Bars of points, a colour a criterion by its place in the plan, later ones hatched, with the score at the end."""
    at, left = np.arange(len(own)), np.zeros(len(own))
    for name, values in points.items():
        again = places[name] // len(MUTED)
        axis.barh(
            at,
            values,
            0.72,
            left,
            color=MUTED[places[name] % len(MUTED)],
            edgecolor="white",
            linewidth=0.6,
            hatch="///" if again else None,
            label=labels[name],
        )
        left += values
    for k, score in enumerate(own["score"]):
        axis.annotate(f"{score:.1f}", (left[k], k), (4, 0), textcoords="offset points", va="center", fontsize=9.5)
    axis.set_yticks(at, [f"{row.task_id}  {row.rank:>3}" for row in own.itertuples()])
    axis.set_ylim(len(own) - 0.4, -0.6)
    axis.set_xlim(0, max(float(left.max()), 1e-6) * 1.12)
    axis.set_title("Points of 100 by criterion", fontsize=10)
    axis.tick_params(axis="y", length=0)


def _intervals(axis: Any, own: pd.DataFrame) -> None:
    """A line from the lowest to the highest rank in 90 % of the draws, a dot at the rank."""
    low, high = (own[name].to_numpy(float, na_value=np.nan) for name in ("rank_low", "rank_high"))
    rank, at = own["rank"].to_numpy(float), np.arange(len(own))
    axis.hlines(at, low, high, color=_DOWN, lw=4, alpha=0.55)
    axis.plot(rank, at, "o", color=INK, ms=5)
    most = float(np.nanmax(np.append(high, rank)))
    # Few tasks of thousands have wide ranges: on an even scale all others would be one dot.
    if most > 60:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
        axis.xaxis.set_minor_formatter(lambda v, _: "")
    axis.set_xlim(0.8 if most > 60 else 0, most * (3.2 if most > 60 else 1.35))
    for k, (a, b) in enumerate(zip(low, high, strict=True)):
        if np.isfinite(a):
            words = f"{a:.0f}" if a == b else f"{a:.0f} to {b:.0f}"
            end = max(b, rank[k])
            axis.annotate(words, (end, k), (6, 0), textcoords="offset points", va="center", fontsize=9)
    axis.set_title("Dot: rank; line: 90 % of the draws", fontsize=10)
    axis.grid(axis="x", color=GRID, lw=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(axis="y", length=0)


def _order_words(row: dict[Any, Any], points: dict[str, Any], labels: dict[str, str], k: int, ranged: bool) -> str:
    parts = ", ".join(f"{labels[name].lower()} {values[k]:.1f}" for name, values in points.items() if values[k])
    between = ""
    if ranged and pd.notna(row["rank_low"]):
        between = f", rank between {row['rank_low']} and {row['rank_high']} in 90 % of the draws"
    return f"Rank {row['rank']}, {row['task_id']}: {row['score']:.1f} points ({parts}){between}."


def _scale_bar(axis: Any, width_m: float) -> None:
    """A bar of 1, 2 or 5 times a power of ten, about a fifth of the width."""
    power = 10 ** np.floor(np.log10(width_m / 5))
    length = power * max(step for step in (1, 2, 5) if step * power <= width_m / 5)
    (x, _), (y, top) = axis.get_xlim(), axis.get_ylim()
    x, y = x + width_m * 0.03, y + (top - y) * 0.03
    axis.plot([x, x + length], [y, y], color=INK, lw=3, solid_capstyle="butt")
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    axis.annotate(words, (x + length / 2, y), (0, 4), textcoords="offset points", ha="center", fontsize=9.5)


def _floor(changes: Sequence[float], closing: float) -> tuple[float, bool]:
    """Where the axis of a bridge begins [m2], and whether it is cut: small changes of much ground would not be seen."""
    levels = np.append(np.cumsum(changes), closing)
    span = float(levels.max() - levels.min())
    low = float(levels.min()) - 1.5 * span
    return (low, True) if span > 0 and low > 0.5 * levels.max() else (0.0, False)


def _colour(rung: str, rungs: Sequence[str]) -> str:
    return RUNG_COLOURS.get(rung, _SPARE[list(rungs).index(rung) % len(_SPARE)])
