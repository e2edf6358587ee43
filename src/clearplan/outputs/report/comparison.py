"""Tables of two runs to a page: a map of what changed, and the tables behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import geopandas as gpd

from clearplan.core.imprint import Imprint
from clearplan.outputs.charts.results import draw_changes
from clearplan.outputs.report.html import Page, head, page, table


def draw_comparison(
    tables: Mapping[str, tuple[Sequence[str], Sequence[Sequence[str]]]],
    imprint: Imprint,
    *,
    words: Sequence[str],
    changes: gpd.GeoDataFrame,
    ground: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
) -> Page:
    """Two runs side by side: a map of what changed, and the tables behind it.

    Parameters
    ----------
    tables : mapping
        Heading to (header, rows) of text, in the order of the page; empty ones are left out.
    imprint : Imprint
        Title and warning at the head, notice at the foot.
    words : list of text
        The comparison in sentences, what is wrong first.
    changes, ground, zones : GeoDataFrame
        As in ``draw_changes``.
    """
    parts = head(imprint, words)
    if len(changes):
        parts.append(f'<figure class="chart">{draw_changes(changes, ground, zones)}</figure>')
    for heading, (header, rows) in tables.items():
        if rows:
            cells = [[escape(cell) for cell in row] for row in rows]
            parts.append(f"<section><h2>{escape(heading)}</h2>{table(header, cells)}</section>")
    return page(imprint.title, "\n".join(parts), notice=imprint.foot)
