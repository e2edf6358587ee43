"""Charts on paper: the outlines of our SVG drawn into a PDF, letters once each, and what is said of them unseen."""

from __future__ import annotations

from typing import Any

from clearplan.outputs.report.outlines import Drawing, Outline, Step

#: Size of letters that are there to be found and read out, and are not seen [points].
_UNSEEN = 2.0


def chart_on_paper(drawing: Drawing, width: float, height: float, font: str) -> Any:
    """A chart as something that flows over sheets of paper, no larger than it was drawn.

    Parameters
    ----------
    drawing : Drawing
    width, height : float
        Room that there is at most [points].
    font : text
        A registered font, for the unseen words.
    """
    from reportlab.platypus import Flowable

    class Chart(Flowable):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.scale = min(1.0, width / drawing.width, height / drawing.height)
            self.width, self.height = self.scale * drawing.width, self.scale * drawing.height
            self.spaceBefore, self.spaceAfter = 4, 8

        def wrap(self, *_: float) -> tuple[float, float]:
            return self.width, self.height

        def draw(self) -> None:
            _say(self.canv, drawing, self.width, self.height, font)
            self.canv.saveState()
            self.canv.transform(self.scale, 0, 0, -self.scale, 0, self.height)  # a drawing's y points down
            for outline in drawing.outlines:
                _paint(self.canv, outline)
            self.canv.restoreState()

    return Chart()


def _say(canvas: Any, drawing: Drawing, width: float, height: float, font: str) -> None:
    """Title and description as text that is not seen."""
    from reportlab.lib.utils import simpleSplit

    told = canvas.beginText(0, height - _UNSEEN)
    told.setTextRenderMode(3)
    told.setFont(font, _UNSEEN, _UNSEEN)
    for words in (drawing.title, drawing.description):
        for line in simpleSplit(words, font, _UNSEEN, width):
            told.textLine(line)
    told.setTextRenderMode(0)
    canvas.drawText(told)


def _paint(canvas: Any, outline: Outline) -> None:
    canvas.saveState()
    for clip in outline.clips:
        canvas.clipPath(_path(canvas, clip), stroke=0, fill=0)
    canvas.transform(*outline.matrix)
    if outline.fill is not None:
        canvas.setFillColorRGB(*outline.fill, alpha=outline.fill_opacity)
    if outline.stroke is not None:
        canvas.setStrokeColorRGB(*outline.stroke, alpha=outline.stroke_opacity)
        canvas.setLineWidth(outline.width)
        canvas.setLineCap(outline.cap)
        canvas.setLineJoin(outline.join)
        if outline.dash:
            canvas.setDash(list(outline.dash), outline.dash_from)
    if outline.key:
        _draw_again(canvas, outline)
    else:
        _draw(canvas, outline)
    canvas.restoreState()


def _draw(canvas: Any, outline: Outline) -> None:
    stroked, filled = outline.stroke is not None, outline.fill is not None
    if stroked or filled:
        canvas.drawPath(_path(canvas, outline.steps), stroke=int(stroked), fill=int(filled), fillMode=1)


def _draw_again(canvas: Any, outline: Outline) -> None:
    """An outline that is used again and again: kept in the file once."""
    name = f"{outline.key}-{int(outline.fill is not None)}{int(outline.stroke is not None)}"
    if not canvas.hasForm(name):
        numbers = [number for _, values in outline.steps for number in values]
        reach = max(map(abs, numbers), default=1.0) + 10 * outline.width
        canvas.beginForm(name, -reach, -reach, reach, reach)
        _draw(canvas, outline)
        canvas.endForm()
    canvas.doForm(name)


def _path(canvas: Any, steps: tuple[Step, ...]) -> Any:
    path = canvas.beginPath()
    for name, values in steps:
        if name == "M":
            path.moveTo(*values)
        elif name == "L":
            path.lineTo(*values)
        elif name == "C":
            path.curveTo(*values)
        else:
            path.close()
    return path
