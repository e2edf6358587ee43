"""Tables to the evaluation of a surface as a page: how well it predicts accidents that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd

from clearplan.core.imprint import Imprint
from clearplan.outputs.charts.results import draw_calibration, draw_ladder, draw_recall
from clearplan.outputs.report.html import Page, head, page, table
from clearplan.tables.check import each_row

#: Figures of the ladder that are parts of a whole, shown in per cent.
_PARTS = ("recall_1", "recall_5", "recall_10", "recall_20", "coverage")
_SHOWN = {
    "recall_1": "top 1 %",
    "recall_5": "top 5 %",
    "recall_10": "top 10 %",
    "recall_20": "top 20 %",
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "slope": "slope",
    "coverage": "within 90 %",
}
#: How each way to judge is put in words.
WAYS = {
    "blocks": "Blocks of ground held out: each is predicted from the others",
    "forward": "Forward in time: accidents after the day, predicted from what was known by it",
    "both": "Both: accidents after the day, in blocks that nothing was learned from",
}


def draw_evaluation(
    tables: Mapping[str, pd.DataFrame],
    imprint: Imprint,
    *,
    notes: Sequence[str] = (),
    strengths: pd.DataFrame | None = None,
) -> Page:
    """How well the surface predicts accidents that it has not seen, beside simpler ways.

    Parameters
    ----------
    tables : mapping
        From ``evaluation_tables``.
    imprint : Imprint
        Title and warning at the head, notice at the foot.
    notes : list of text
        What must be read first.
    strengths : DataFrame, optional
        ``Fit.table``: what was learned.
    """
    ladder, calibration = tables["ladder"], tables["calibration"]
    parts = head(imprint, notes)
    parts.append(
        "<section><p>Each line of a table is one way to rank the ground, from the simplest to all evidence. It is "
        "judged by accidents that it has not seen: how many of them fell in the ground that it ranks highest. A figure "
        "is followed by one standard error; ways that differ by less than two of them are not told apart.</p></section>"
    )
    for judged in dict.fromkeys(ladder["judged"]):
        own = ladder[ladder["judged"] == judged]
        ranked = own[own["ranked_by"] == "accidents"]
        parts.append(f"<section><h2>{WAYS[judged]}</h2>")
        parts.append(f'<figure class="chart">{draw_ladder(ranked)}</figure>')
        parts.append(ladder_table(own, tables["figures"]))
        parts.append(f'<figure class="chart">{draw_recall(ranked)}</figure>')
        curves = calibration[calibration["judged"] == judged]
        parts.append(f'<figure class="chart">{draw_calibration(curves)}</figure></section>')
    parts.append("<section><h2>Accidents outside every known polygon</h2>" + outside_table(tables["outside"]))
    parts.append("</section>")
    if strengths is not None:
        cells = [[escape(_cell(value)) for value in row] for row in each_row(strengths)]
        parts.append("<section><h2>Strengths learned</h2>" + table(map(str, strengths.columns), cells) + "</section>")
    return page(imprint.title, "\n".join(parts), notice=imprint.foot)


def _cell(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def ladder_cells(ladder: pd.DataFrame) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and rows of the ladder in words: a row for each rung and ranking, with one standard error.

    A rung that ranks alike by share and by accidents stands once; one that leaves terms out names them.
    """
    wide: dict[tuple[str, str, str], dict[str, dict[Any, Any]]] = {}
    for row in ladder.to_dict("records"):
        wide.setdefault((row["rung"], row["ranked_by"], row["without"]), {})[row["figure"]] = row
    rows = []
    for (rung, ranked_by, without), found in wide.items():
        by_share, by_accidents = (wide.get((rung, by, without), {}) for by in _BY)
        alike = all(_same(by_share.get(name), by_accidents.get(name)) for name in _SHOWN)
        if alike and ranked_by == "accidents":
            continue
        name = rung if alike else f"{rung}, by {_BY[ranked_by]}"
        name += f" (without {without})" if without else ""
        rows.append((name, *(_figure(found.get(figure), figure in _PARTS) for figure in _SHOWN)))
    return ("way", *_SHOWN.values()), rows


_BY = {"share": "share of ground", "accidents": "expected accidents"}


def _same(one: Mapping[Any, Any] | None, other: Mapping[Any, Any] | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one["mean"] == other["mean"] or (pd.isna(one["mean"]) and pd.isna(other["mean"])))


def ladder_table(ladder: pd.DataFrame, meanings: pd.DataFrame) -> str:
    """Rungs by figures, and what each figure is."""
    header, rows = ladder_cells(ladder)
    words = dict(zip(meanings["figure"], meanings["meaning"], strict=True))
    said = "".join(f"<li><b>{label}</b>: {escape(words[name])}</li>" for name, label in _SHOWN.items() if name in words)
    return table(header, [[escape(cell) for cell in row] for row in rows]) + f"<ul>{said}</ul>"


def _figure(row: Mapping[Any, Any] | None, part: bool) -> str:
    if row is None or pd.isna(row["mean"]):
        return ""
    mean, error = row["mean"], row["se"]
    if part:
        return f"{100 * mean:.0f} %" if pd.isna(error) else f"{100 * mean:.0f} ± {100 * error:.0f} %"
    return f"{mean:.3g}" if pd.isna(error) else f"{mean:.2f} ± {error:.2f}"


def outside_table(outside: pd.DataFrame) -> str:
    """Accidents inside and outside."""
    cells = [
        [escape(str(r.what)), f"{r.accidents:,}", f"{r.outside:,}", f"{100 * r.share:.0f} %"] for r in each_row(outside)
    ]
    return table(["outside of", "accidents", "outside", "share"], cells)
