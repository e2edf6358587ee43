"""A page of ours as PDF to print and file: the same text on A4, with bookmarks, and the notice at every page's foot.

No browser is needed. Sections with wide tables lie across; heads of tables stand on each of their pages; charts stay
drawings, and what is said of them for those who can't see them can be found and read out.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from clearplan.core.writing import whole
from clearplan.outputs.charts.style import font_files
from clearplan.outputs.report.elements import Element, read_page
from clearplan.outputs.report.html import Page
from clearplan.outputs.report.outlines import read_drawing
from clearplan.outputs.report.pdf_charts import chart_on_paper

#: Margins and the room of the foot [points]; 72 to the inch.
_MARGIN, _FOOT_GAP = 40.0, 8.0
#: A4 across and upright [points]: 210 by 297 mm.
_SHORT, _LONG = 210 / 25.4 * 72, 297 / 25.4 * 72
#: Longest line of plain text [points]: longer ones are hard to read.
_LINE = 530.0
#: White space inside a cell, at each side [points]; narrowest column; letters of a cell [points].
_PAD, _NARROWEST, _CELL = 2.5, 18.0, 7.0
#: Tallest chart on a sheet that lies upright and across [points]: its heading and some words fit beside it.
_TALLEST, _TALLEST_ACROSS = 600.0, 330.0
#: A chart wider than this lies across: upright, its letters would be too small [points].
_WIDE_CHART = 780.0
#: Room below a heading for the first rows of a table [points].
_ROWS = 60.0
_INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i", "sub": "sub", "sup": "super"}
_GREY, _RULE, _HEAD = "#444444", "#bbbbbb", "#f0f0ec"


def save_paper(page: Page, path: str | Path) -> None:
    """A page of ours as PDF; the same page makes the same bytes, and a file of that name is replaced.

    Parameters
    ----------
    page : Page
        As ``markup.page`` makes it, with charts as inline SVG; its footer goes to the foot of every sheet.
    path : path

    Raises
    ------
    OutputError
        It can't be written.
    TableError
        A drawing in the page is no chart of ours.
    """
    content = print_page(page.html)
    with whole(Path(path)) as fresh:
        fresh.write_bytes(content)


def print_page(html: str) -> bytes:
    """The PDF of a page's HTML."""
    tree = read_page(html)
    body, title, footer = tree.first("body") or tree, tree.first("title"), tree.first("footer")
    told = _Told(
        title="" if title is None else title.text,
        foot="" if footer is None else footer.text,
        lang=(tree.first("html") or tree).attributes.get("lang", "en"),
    )
    style = _styles()
    story = _story([part for part in body.inside if part is not footer], style)
    out = io.BytesIO()
    _document(out, told, style).build(story, canvasmaker=_numbered_canvas(told, style))
    return out.getvalue()


@dataclass(frozen=True)
class _Told:
    """What is said of the whole page: its title, its foot, its language."""

    title: str
    foot: str
    lang: str


# --- letters and pages


def _styles() -> dict[str, Any]:
    """Styles of paragraphs by the element or the class that has them; fonts are embedded."""
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    names = {kind: f"clearplan-{kind}" for kind in font_files()}
    for kind, file in font_files().items():
        if names[kind] not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(names[kind], str(file)))
    plain, bold = names["normal"], names["bold"]
    pdfmetrics.registerFontFamily(plain, plain, bold, names["italic"], names["bold-italic"])
    pdfmetrics.registerFontFamily(bold, bold, bold, names["bold-italic"], names["bold-italic"])
    text = ParagraphStyle("p", fontName=plain, fontSize=8.5, leading=11.5, spaceAfter=5)

    def like(name: str, **other: Any) -> Any:
        return ParagraphStyle(name, parent=text, **other)

    return {
        "p": text,
        "h1": like("h1", fontName=bold, fontSize=15, leading=19, spaceAfter=8),
        "h2": like("h2", fontName=bold, fontSize=12.5, leading=16, spaceAfter=6),
        "h3": like("h3", fontName=bold, fontSize=9.5, leading=13, spaceBefore=9, spaceAfter=4),
        "li": like("li", leftIndent=12, bulletIndent=2, spaceAfter=2),
        "loud": like("loud", fontName=bold, backColor="#fff3d6", borderPadding=5, spaceBefore=5, spaceAfter=10),
        "summary": like("summary", fontSize=8, spaceBefore=5, spaceAfter=3, textColor=_GREY),
        "cell": like("cell", fontSize=_CELL, leading=9, spaceAfter=0),
        "n": like("n", fontSize=_CELL, leading=9, spaceAfter=0, alignment=2),
        "th": like("th", fontName=bold, fontSize=_CELL, leading=8.8, spaceAfter=0),
        "th-n": like("th-n", fontName=bold, fontSize=_CELL, leading=8.8, spaceAfter=0, alignment=2),
        "dt": like("dt", fontSize=7, leading=9, textColor=_GREY, spaceAfter=0),
        "dd": like("dd", fontName=bold, fontSize=11, leading=14, spaceAfter=0),
        "foot": like("foot", fontSize=6.2, leading=7.6, textColor=_GREY, spaceAfter=0),
    }


def _document(out: Any, told: _Told, style: dict[str, Any]) -> Any:
    """Pages upright and across, with bookmarks of the headings that pass by."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    class Document(BaseDocTemplate):  # type: ignore[misc]
        def afterFlowable(self, flowable: Any) -> None:  # noqa: N802 (reportlab calls it so)
            level = getattr(flowable, "level_in_outline", None)
            if level is not None:
                key = f"heading-{self.seq.nextf('heading')}"
                self.canv.bookmarkPage(key)
                self.canv.addOutlineEntry(flowable.text_in_outline, key, level)

    def template(name: str, width: float, height: float) -> Any:
        low = _MARGIN + _foot(told, style, width).height + _FOOT_GAP
        frame = Frame(_MARGIN, low, width - 2 * _MARGIN, height - _MARGIN - low, 0, 0, 0, 0, id=name)
        return PageTemplate(id=name, frames=[frame], pagesize=(width, height))

    return Document(
        out,
        pageTemplates=[template("upright", _SHORT, _LONG), template("across", _LONG, _SHORT)],
        title=told.title,
        author="clearplan",
        subject=told.title,
        creator="clearplan",
        producer="clearplan",
        lang=told.lang,
        displayDocTitle=True,
        invariant=1,
    )


def _foot(told: _Told, style: dict[str, Any], width: float) -> Any:
    """The notice, as wide as a sheet, with its height beside it."""
    from reportlab.platypus import Paragraph

    paragraph = Paragraph(escape(told.foot), style["foot"])
    paragraph.wrap(width - 2 * _MARGIN - 50, 1000)
    return paragraph


def _numbered_canvas(told: _Told, style: dict[str, Any]) -> Any:
    """A canvas that knows how many sheets there are when it draws the foot of each."""
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.sheets: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 (reportlab calls it so)
            self.sheets.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, sheet in enumerate(self.sheets, start=1):
                self.__dict__.update(sheet)
                self._draw_foot(number, len(self.sheets))
                super().showPage()
            super().save()

        def _draw_foot(self, number: int, of: int) -> None:
            width = self._pagesize[0]
            foot = _foot(told, style, width)
            self.setStrokeColor(_RULE)
            self.setLineWidth(0.5)
            top = _MARGIN - 12 + foot.height
            self.line(_MARGIN, top + 2, width - _MARGIN, top + 2)
            foot.drawOn(self, _MARGIN, _MARGIN - 12)
            self.setFont(style["foot"].fontName, style["foot"].fontSize)
            self.setFillColor(_GREY)
            self.drawRightString(width - _MARGIN, top - 7, f"{number} / {of}")

    return Numbered


# --- from elements to what stands on paper


def _story(parts: Sequence[Element | str], style: dict[str, Any]) -> list[Any]:
    """All of a page: each section begins a sheet, upright or across as its tables ask."""
    from reportlab.platypus import NextPageTemplate, PageBreak

    story: list[Any] = []
    for part in parts:
        if not isinstance(part, Element):
            continue
        if part.tag != "section":
            story += _kept(_flow(part, style, _SHORT - 2 * _MARGIN), _SHORT - 2 * _MARGIN)
            continue
        across = _lies_across(part, style)
        width = (_LONG if across else _SHORT) - 2 * _MARGIN
        story += [
            NextPageTemplate("across" if across else "upright"),
            PageBreak(),
            *_kept(_flow(part, style, width), width),
        ]
    return story


def _kept(flow: list[Any], width: float) -> list[Any]:
    """The same with a new sheet before a heading that would stand apart from what it is about."""
    from reportlab.platypus import CondPageBreak, LongTable, Paragraph

    out: list[Any] = []
    for k, one in enumerate(flow):
        if k and isinstance(one, Paragraph) and one.style.name in ("h2", "h3", "summary"):
            need = 0.0
            for other in flow[k:]:
                if isinstance(other, LongTable):
                    need += _ROWS
                    break
                need += other.wrap(width, _LONG)[1] + other.getSpaceAfter()
                if other is not one and not isinstance(other, Paragraph):
                    break
                if need > _TALLEST_ACROSS:
                    break
            out.append(CondPageBreak(need))
        out.append(one)
    return out


def _lies_across(section: Element, style: dict[str, Any]) -> bool:
    """Whether a table of a section is marked as wide, or is wider than an upright sheet."""
    if any("wide" in div.classes and div.first("table") is not None for div in section.every("div")):
        return True
    if any(_points_across(svg.source) > _WIDE_CHART for svg in section.every("svg")):
        return True
    return any(sum(_least(_cells(table), style)) > _SHORT - 2 * _MARGIN for table in section.every("table"))


def _points_across(svg: str) -> float:
    """Width of a chart [points], from the head of its text."""
    found = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+)', svg[:1000])
    return float(found[1]) if found else 0.0


def _flow(element: Element, style: dict[str, Any], width: float) -> list[Any]:
    """What an element is on paper."""
    from reportlab.platypus import Paragraph

    tag = element.tag
    if tag in ("h1", "h2", "h3"):
        heading = Paragraph(_words(element), style[tag])
        heading.level_in_outline, heading.text_in_outline = {"h1": 0, "h2": 0, "h3": 1}[tag], element.text
        return [heading]
    if tag in ("p", "summary"):
        kind = "loud" if "loud" in element.classes else tag
        return [_narrow(Paragraph(_words(element), style[kind]), width)]
    if tag in ("ul", "ol"):
        items = [part for part in element.inside if isinstance(part, Element) and part.tag == "li"]
        marks = [f"{k}." if tag == "ol" else "\u2022" for k in range(1, len(items) + 1)]
        return [
            _narrow(Paragraph(_words(item), style["li"], bulletText=mark), width)
            for item, mark in zip(items, marks, strict=True)
        ]
    if tag == "dl":
        return [_figures(element, style, width)]
    if tag == "table":
        return [_table(_cells(element), style, width)]
    if tag == "figure":
        tall = _TALLEST if width < _LONG - 2 * _MARGIN else _TALLEST_ACROSS
        return [
            chart_on_paper(read_drawing(svg.source), width, tall, style["p"].fontName) for svg in element.every("svg")
        ]
    return [own for part in element.inside if isinstance(part, Element) for own in _flow(part, style, width)]


def _words(element: Element) -> str:
    """Text of an element with its emphasis, in reportlab's own markup, in which text is escaped."""
    out = []
    for part in element.inside:
        if isinstance(part, str):
            out.append(escape(" ".join(part.split()) if part.strip() else " ", quote=False))
            out[-1] = (" " if part[:1].isspace() else "") + out[-1].strip() + (" " if part[-1:].isspace() else "")
        elif part.tag == "br":
            out.append("<br/>")
        else:
            own, mark = _words(part), _INLINE.get(part.tag)
            out.append(f"<{mark}>{own}</{mark}>" if mark else own)
    return "".join(out).strip()


def _narrow(paragraph: Any, width: float) -> Any:
    """Plain text no longer than a line that can be read."""
    if width > _LINE:
        paragraph.style = paragraph.style.clone(paragraph.style.name, rightIndent=width - _LINE)
    return paragraph


def _figures(element: Element, style: dict[str, Any], width: float) -> Any:
    """Head figures side by side, each below its name."""
    from reportlab.platypus import Paragraph, Table

    pairs = [
        [Paragraph(_words(part), style[part.tag]) for part in (div.first("dt"), div.first("dd")) if part is not None]
        for div in element.every("div")
    ]
    across = min(len(pairs), 3) or 1
    rows = [pairs[k : k + across] for k in range(0, len(pairs), across)] or [[[]]]
    rows = [[*row, *([[]] * (across - len(row)))] for row in rows]
    return Table(
        rows,
        [width / across] * across,
        spaceAfter=8,
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)],
    )


# --- tables


@dataclass(frozen=True)
class _Cell:
    """Words of a cell in reportlab's markup and as they are read; whether it is a head, and holds a figure."""

    words: str
    text: str
    head: bool
    figure: bool

    @property
    def kind(self) -> str:
        """Style of its paragraph."""
        return ("th-n" if self.figure else "th") if self.head else ("n" if self.figure else "cell")


def _cells(table: Element) -> list[list[_Cell]]:
    """Rows of a table, its heads first; rows of one length."""
    rows = [
        [
            _Cell(_words(cell), cell.text, cell.tag == "th", "n" in cell.classes)
            for cell in row.inside
            if isinstance(cell, Element) and cell.tag in ("th", "td")
        ]
        for row in table.every("tr")
    ]
    most = max(map(len, rows), default=0)
    return [[*row, *([_Cell("", "", False, False)] * (most - len(row)))] for row in rows]


def _wide(text: str, cell: _Cell, style: dict[str, Any]) -> float:
    """Width of some text of a cell [points]."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    bold = cell.head or "<b>" in cell.words
    return float(stringWidth(text, style["th" if bold else "cell"].fontName, _CELL))


def _least(rows: Sequence[Sequence[_Cell]], style: dict[str, Any]) -> list[float]:
    """Width that each column can't do without: its longest word [points]."""
    return [
        max((_wide(word, cell, style) for cell in column for word in cell.text.split()), default=0) + 2 * _PAD + 1
        for column in zip(*rows, strict=True)
    ]


def _most(rows: Sequence[Sequence[_Cell]], style: dict[str, Any]) -> list[float]:
    """Width of each column without any break [points]."""
    return [max(_wide(cell.text, cell, style) for cell in column) + 2 * _PAD + 1 for column in zip(*rows, strict=True)]


def _widths(rows: Sequence[Sequence[_Cell]], style: dict[str, Any], width: float) -> list[float]:
    """Widths of columns: as wide as their longest lines if there is room, else what is left shared by what is wanted.

    The least that columns need goes first; where not even that fits, words are broken in the widest.
    """
    least, most = _least(rows, style), _most(rows, style)
    if sum(most) <= width:
        return most
    while sum(least) > width:
        longest = max(least)
        others = [v for v in least if v < longest]
        number = len(least) - len(others)
        down = max((width - sum(others)) / number, max(others, default=0.0), _NARROWEST)
        least = [min(v, down) for v in least]
        if down <= _NARROWEST:
            break
    spare, wanted = max(width - sum(least), 0.0), [max(m - v, 0.0) for m, v in zip(most, least, strict=True)]
    return [v + spare * want / (sum(wanted) or 1) for v, want in zip(least, wanted, strict=True)]


def _table(rows: list[list[_Cell]], style: dict[str, Any], width: float) -> Any:
    """A table that goes on over sheets with its heads on each; a row that is higher than a sheet is split."""
    from reportlab.platypus import LongTable, Paragraph, Spacer

    if not rows or not rows[0]:
        return Spacer(0, 0)
    widths = _widths(rows, style, width)
    heads = sum(1 for row in rows if row and all(cell.head for cell in row))
    data = [[Paragraph(cell.words, style[cell.kind]) for cell in row] for row in rows]
    return LongTable(
        data,
        widths,
        repeatRows=heads,
        splitInRow=1,
        hAlign="LEFT",
        spaceAfter=7,
        style=[
            ("GRID", (0, 0), (-1, -1), 0.4, _RULE),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("BACKGROUND", (0, 0), (-1, heads - 1), _HEAD) if heads else ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
            ("RIGHTPADDING", (0, 0), (-1, -1), _PAD),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ],
    )
