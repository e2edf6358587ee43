"""Tables to the evaluation of a surface as a page: how well it foretells accidents that it has not seen."""

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
_PARTS = ("recall_5", "recall_10", "recall_20")
_SHOWN = {
    "recall_5": "top 5 %",
    "recall_10": "top 10 %",
    "recall_20": "top 20 %",
    "roc_auc": "ROC-AUC",
    "average_precision": "average precision",
    "pr_auc": "PR-AUC",
    "slope": "slope",
}


def draw_evaluation(
    tables: Mapping[str, pd.DataFrame],
    imprint: Imprint,
    *,
    notes: Sequence[str] = (),
    strengths: pd.DataFrame | None = None,
) -> Page:
    """How well the surface foretells accidents that it has not seen, held against simpler ways.

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
    ladder = tables["ladder"]
    parts = head(imprint, notes)
    parts.append(
        "<section><h2>The ladder</h2><p>Whole blocks of ground are held out in turn, never single points: neighbours "
        "would tell on one another. Mean over the folds, lowest and highest in brackets.</p>"
    )
    parts.append(f'<figure class="chart">{draw_ladder(ladder)}</figure>')
    parts.append(ladder_table(ladder, tables["figures"]))
    parts.append(f'<figure class="chart">{draw_recall(ladder)}</figure></section>')
    parts.append("<section><h2>Calibration</h2>")
    parts.append(f'<figure class="chart">{draw_calibration(tables["calibration"])}</figure></section>')
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
    """Header and rows of the ladder in words: a rung a row, mean (lowest to highest) a figure."""
    pairs = zip(ladder["rung"], ladder["figure"], strict=True)
    wide = dict(zip(pairs, ladder.to_dict("records"), strict=True))
    rows = [
        (rung, *(_figure(wide.get((rung, name)), name in _PARTS) for name in _SHOWN))
        for rung in dict.fromkeys(ladder["rung"])
    ]
    return ("rung", *_SHOWN.values()), rows


def ladder_table(ladder: pd.DataFrame, meanings: pd.DataFrame) -> str:
    """Rungs by figures, and what each figure is."""
    header, rows = ladder_cells(ladder)
    words = dict(zip(meanings["figure"], meanings["meaning"], strict=True))
    told = "".join(f"<li><b>{label}</b>: {escape(words[name])}</li>" for name, label in _SHOWN.items() if name in words)
    return table(header, [[escape(cell) for cell in row] for row in rows]) + f"<ul>{told}</ul>"


def _figure(row: Mapping[Any, Any] | None, part: bool) -> str:
    if row is None or pd.isna(row["mean"]):
        return "not defined"
    mean, low, high = (f"{100 * row[k]:.0f} %" if part else f"{row[k]:.3g}" for k in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})"


def outside_table(outside: pd.DataFrame) -> str:
    """Accidents inside and outside."""
    cells = [
        [escape(str(r.what)), f"{r.accidents:,}", f"{r.outside:,}", f"{100 * r.share:.0f} %"] for r in each_row(outside)
    ]
    return table(["outside of", "accidents", "outside", "share"], cells)
