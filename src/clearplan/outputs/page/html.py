"""The page round the map: one HTML file with its script, style and data, that loads nothing from anywhere.

folium makes the map object; nothing else passes through it. Text from data travels as JSON and is shown by
``textContent``: folium and branca would render it as a template on the planner's machine.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from clearplan.core.writing import write_whole
from clearplan.outputs.page.translations import page_words, side_by_side

#: Parts of the page's script, in the order in which they run; they share one scope.
SCRIPTS = (
    "words",
    "open",
    "helpers",
    "columns",
    "layers",
    "filters",
    "patterns",
    "surface",
    "picture",
    "ground",
    "tasks",
    "plan",
    "cards",
    "places",
    "records",
    "controls",
    "panel",
    "slider",
    "legend",
    "foot",
    "geodesy",
    "tools",
    "search",
    "measure",
    "grid",
    "readout",
    "charts",
    "figures",
    "keys",
    "filtering",
    "print",
    "languages",
    "link",
)
#: Its styles; a later one overrides an earlier one.
STYLES = ("map", "words", "tools", "figures", "print")


#: Height of a map in a notebook's cell [pixels].
FRAME_PX = 640


@dataclass(frozen=True, repr=False)
class MapPage:
    """A finished page; as the last line of a notebook's cell it shows the map."""

    html: str

    def __repr__(self) -> str:
        # A notebook keeps the plain text beside the map: the page must not stand in it twice.
        return f"MapPage({len(self.html.encode()) / 1e6:.1f} MB of HTML; save(path) writes it)"

    def _repr_html_(self) -> str:
        return framed(self.html)

    def save(self, path: str | Path) -> None:
        """Write the page as UTF-8, whole or not at all; OutputError where that can't be."""
        write_whole(path, self.html)


def framed(html: str, height_px: int = FRAME_PX) -> str:
    """A page inside another one, apart from its scripts, styles and storage; nothing is loaded.

    The frame may run the page's script and nothing else: no forms, no windows, no reach into the page around it.

    >>> print(framed("<p>it is Ana's</p>", 300))
    <iframe sandbox="allow-scripts" ... srcdoc='<p>it is Ana&#39;s</p>'></iframe>
    """
    # Within single quotes only these two marks end or bend the text; pages hold thousands of the double ones.
    inner = html.replace("&", "&amp;").replace("'", "&#39;")
    style = f"width:100%;height:{height_px}px;border:1px solid #c9c9c9"
    return f'<iframe sandbox="allow-scripts" style="{style}" title="clearplan map" srcdoc=\'{inner}\'></iframe>'


#: Nothing may be loaded from anywhere: the page and its pictures are all there is.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
)


def make_page(data: dict[str, Any]) -> MapPage:
    """folium's skeleton, filled by plain string joining after it was rendered."""
    head, body = _skeleton().split("</head>", 1)
    planned = "plan" in data
    before, after = _asset("map.html", planned).split("<!--map-->")
    leaflet_js, leaflet_css = _leaflet()
    style = "\n".join(_asset(f"{name}.css", planned) for name in STYLES)
    title = f"<title>{escape(data['about']['title'])}</title>"
    head = head.replace("<head>", f"<head>\n{_POLICY}\n{title}", 1)
    # folium forbids zooming by hand, which readers of small print need.
    head = re.sub(r"maximum-scale=1\.0, user-scalable=no", "viewport-fit=cover", head)
    head += f"<style>{leaflet_css}\n{style}</style>\n<script>{leaflet_js}</script>\n"
    body = body.replace("<body>", f"<body>\n{before}", 1).replace("</body>", f"{after}</body>", 1)
    told, script = _json(data), _script(planned)
    words = _json(side_by_side(page_words(script, before + after, told)))
    end = (
        f'<script type="application/json" id="clearplan-data">{told}</script>\n'
        f'<script type="application/json" id="clearplan-languages">{words}</script>\n'
        f"<script>{script}</script>\n</html>"
    )
    page = f"{head}</head>{body}"
    return MapPage(page[: page.rindex("</html>")] + end + "\n")


def _skeleton() -> str:
    import folium

    chart = folium.Map(location=(0, 0), zoom_start=2, tiles=None, zoom_control=True)
    chart.default_js, chart.default_css = [], []
    chart._id = "clearplan"  # random otherwise, and the file would differ at each run
    root = chart.get_root()
    root._id = "page"
    return str(root.render()).replace("<html>", '<html lang="en">', 1)


def _leaflet() -> tuple[str, str]:
    """Leaflet's script and style, its pictures as data URIs."""
    from xstatic.pkg import leaflet

    folder = Path(leaflet.BASE_DIR)
    script = (folder / "leaflet.js").read_text(encoding="utf-8")
    script = re.sub(r"//# sourceMappingURL=.*", "", script)
    style = (folder / "leaflet.css").read_text(encoding="utf-8")

    def inlined(match: re.Match[str]) -> str:
        picture = folder / match.group(1)
        return f"url(data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()})"

    return script, re.sub(r"url\((images/[\w.-]+\.png)\)", inlined, style)


#: Lines of the page that show a plan of work, between the comments "plan {" and "} plan".
_PLAN_LINES = re.compile(
    r"^ *(?://|/\*|<!--) plan \{[^\n]*\n(.*?)^ *(?://|/\*|<!--) \} plan[^\n]*\n\n?", flags=re.MULTILINE | re.DOTALL
)


def _script(planned: bool) -> str:
    """All parts in one scope; text from data is only ever set as textContent."""
    parts = "\n".join(_asset(f"{name}.js", planned) for name in SCRIPTS)
    return f'(function () {{\n"use strict";\n{parts}\ndocument.documentElement.dataset.ready = "yes";\n}})();\n'


def _asset(name: str, planned: bool) -> str:
    """A part of the page; without a plan it carries nothing that could speak of one."""
    text = files("clearplan.outputs.page").joinpath("assets", name).read_text(encoding="utf-8")
    return _PLAN_LINES.sub(r"\1" if planned else "", text)


def _json(data: dict[str, Any]) -> str:
    """JSON that can't end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text
