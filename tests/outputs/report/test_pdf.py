"""The report on paper: the same words as on the screen, in the same order, with the notice on every sheet."""

import io
import time

import pypdf
import pytest

from clearplan.core.errors import TableError
from clearplan.outputs.charts.results import draw_bridge
from clearplan.outputs.charts.style import to_svg
from clearplan.outputs.report.elements import read_page
from clearplan.outputs.report.html import Page, page, table
from clearplan.outputs.report.outlines import read_drawing
from clearplan.outputs.report.pdf import print_page, save_paper
from tests.pdf import texts_of_pages

NOTICE = "Illustrative data. Not for navigation or entry. Fingerprint 0123456789ab."
NAMES = "Ağdərə / Мартакерт / Մարտակերտ / Şuşa <b>&amp; 5 > 3"


def plain(text):
    """Text without white space: where lines are broken, and words that are wider than their column, is no matter."""
    return "".join(text.split())


def sheets(content):
    """Sheets of a PDF, as pypdf reads them."""
    return pypdf.PdfReader(io.BytesIO(content))


def same_words(html, content):
    """Every block of the page stands on paper, in its order; what is there besides is heads of tables and feet."""
    tree, pdf = read_page(html), sheets(content)
    foot = plain(tree.first("footer").text)
    numbers = [f"{k}/{len(pdf.pages)}" for k in range(1, len(pdf.pages) + 1)]
    texts = [plain(text) for text in texts_of_pages(pdf)]
    assert all(foot in text for text in texts)
    told = "".join(text.replace(foot, "").replace(number, "") for text, number in zip(texts, numbers, strict=True))
    blocks, at, spare = [], 0, 0
    for block in tree.first("body").every("h1", "h2", "h3", "p", "li", "dt", "dd", "th", "td", "summary", "svg"):
        if block.tag == "svg":
            drawing = read_drawing(block.source)
            blocks += [drawing.title, drawing.description]
        else:
            blocks.append(block.text)
    for block in map(plain, blocks):
        found = told.find(block, at)
        assert found >= 0, (block[:80], told[at : at + 80])
        spare += found - at
        at = found + len(block)
    heads = max((sum(len(plain(h.text)) for h in t.every("th")) for t in tree.every("table")), default=0)
    bullets = sum(1 for _ in tree.every("li"))
    assert spare + len(told) - at <= heads * len(pdf.pages) + bullets
    return pdf


def made(body, title="A title", lang="en"):
    return page(title, body, notice=NOTICE, lang=lang).html


def titles(outline, level=0):
    for one in outline:
        if isinstance(one, list):
            yield from titles(one, level + 1)
        else:
            yield level, one.title


def test_the_report_of_the_sample_has_the_same_words_on_paper(sample):
    html = (sample[1] / "report.html").read_text(encoding="utf-8")
    begun = time.perf_counter()
    content = print_page(html)
    assert time.perf_counter() - begun < 60  # some seconds on a machine that does nothing else
    pdf = same_words(html, content)
    assert pdf.metadata.title == read_page(html).first("title").text
    assert pdf.trailer["/Root"]["/Lang"] == "en"
    headings = [(0 if h.tag != "h3" else 1, h.text) for h in read_page(html).every("h1", "h2", "h3")]
    assert list(titles(pdf.outline)) == headings
    shapes = {tuple(round(float(v)) for v in sheet.mediabox[2:]) for sheet in pdf.pages}
    assert shapes == {(595, 842), (842, 595)}  # A4, upright and across


def test_elements_of_a_page(tmp_path):
    rows = [[str(k), "x" * (k % 7), f"{k:,.1f}"] for k in range(150)]
    body = (
        f'<h1>Title</h1><p class="loud">Loud</p><p>{NAMES}</b></p>'
        '<dl class="figures"><div><dt>people</dt><dd>4,081</dd></div>'
        "<div><dt>area</dt><dd>&lt; 0.01 km²</dd></div></dl>"
        "<section><h2>One</h2><ul><li>first <b>bold</b></li><li>second</li></ul>"
        f"{table(['number', 'text', 'value'], rows, {2: 'n'})}</section>"
        f"<section><h2>Two</h2><ol><li>a</li></ol><h3>More</h3><details><summary>Fold</summary>"
        f'<p>inside</p></details><div class="wide">{table(["a", "b"], [["1", ""], ["", ""]])}</div></section>'
    )
    html = made(body)
    pdf = same_words(html, print_page(html))
    heads = [sheet.extract_text().count("number") for sheet in pdf.pages]
    assert len(heads) > 3
    assert heads[1:-1] == [1] * (len(heads) - 2)  # on every sheet of the table, once
    assert list(titles(pdf.outline)) == [(0, "Title"), (0, "One"), (0, "Two"), (1, "More")]
    save_paper(Page(html), tmp_path / "a.pdf")
    save_paper(Page(html), tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    assert b"2026" not in b"".join((tmp_path / "a.pdf").read_bytes().split(b"stream")[::2])  # nothing of the clock


@pytest.mark.parametrize("lang", ["en", "az", "ru", "hy"])
def test_language_and_letters(lang):
    text = "Ağdərə Şuşa ı Мартакерт Ёж Մարտակերտ և ﬓ 38°20′ m² − ± ≤ …"
    html = made(f"<h1>{text}</h1><p>{text}</p>", title=text, lang=lang)
    pdf = sheets(print_page(html))
    assert pdf.trailer["/Root"]["/Lang"] == lang
    assert pdf.metadata.title == text
    for word in text.split():
        assert pdf.pages[0].extract_text().count(word) == 2, word
    fonts = pdf.pages[0]["/Resources"]["/Font"].values()
    named = [font.get_object() for font in fonts]
    assert {str(font["/BaseFont"]).split("+")[-1] for font in named if font["/Subtype"] == "/TrueType"} == {
        "DejaVuSans", "DejaVuSans-Bold",
    }  # fmt: skip


@pytest.mark.parametrize(
    "hostile",
    ["<para>x</para>", '<img src="file:///etc/passwd"/>', "<a href='http://x'>y</a>", "&lt;font size=50&gt;", "]]>",
     "<onDraw name='x'/>", "{{7*7}}", "=1+1", "<br/>" * 3],
)  # fmt: skip
def test_text_from_data_stays_text(hostile):
    from html import escape

    body = f"<h1>{escape(hostile)}</h1><p>{escape(hostile)}</p>{table([escape(hostile)], [[escape(hostile)]])}"
    html = page(hostile, body, notice=hostile).html
    pdf = sheets(print_page(html))
    assert plain(pdf.pages[0].extract_text()).count(plain(hostile)) == 5
    assert "/Annots" not in pdf.pages[0]
    for name in ("/URI", "/JavaScript", "/OpenAction", "/EmbeddedFiles"):
        assert name not in str(pdf.trailer["/Root"])


def test_rows_higher_than_a_sheet_and_words_wider_than_it_are_split_and_whole():
    html = made(f"<h1>T</h1><section><h2>S</h2>{table(['a', 'b'], [['word ' * 4000, 'x' * 900], ['', '']])}</section>")
    content = print_page(html)
    text = plain("".join(texts_of_pages(sheets(content))))
    assert text.count("word") == 4000
    assert text.count("x") >= 900


def test_an_empty_page_and_an_empty_table():
    html = made("<h1>T</h1>" + table([], []) + table(["only a head"], []))
    assert "only a head" in sheets(print_page(html)).pages[0].extract_text()
    assert len(sheets(print_page(made(""))).pages) >= 0


def square(figure):
    axis = figure.subplots()
    axis.fill([0, 1, 1, 0], [0, 0, 1, 1], color="#ff0000", hatch="//", alpha=0.5)
    axis.plot([0, 1], [0, 1], ls="--", lw=2, color="#0000ff")
    axis.scatter([0.2, 0.8], [0.5, 0.5])
    axis.set_title("Letters: ağ Ж Հ")


def test_a_chart_is_read_back_as_it_was_drawn():
    drawing = read_drawing(to_svg("demo", (4, 3), "Title <&>", "What is told.", square))
    assert (drawing.width, drawing.height) == (288.0, 216.0)  # 4 by 3 inches of 72 points
    assert (drawing.title, drawing.description) == ("Title <&>", "What is told.")
    dashed = [one for one in drawing.outlines if one.dash]
    assert [(one.stroke, one.width) for one in dashed] == [((0.0, 0.0, 1.0), 2.0)]
    assert any(one.clips for one in drawing.outlines)
    letters = [one for one in drawing.outlines if "DejaVu" in one.key]
    assert len({one.key for one in letters}) > 10
    assert {one.fill for one in letters} == {(34 / 255,) * 3}  # INK


def test_maps_of_an_svg_by_hand():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10"><defs>'
        '<path id="p" d="M 0 0 L 1 0 Q 1 1 0 1 z" transform="scale(2)"/><clipPath id="c"><rect x="1" y="1" width="2" '
        'height="3"/></clipPath></defs><g transform="translate(5 6)" style="opacity: 0.5"><use xlink:href="#p" x="1" '
        'y="2" clip-path="url(#c)" style="fill: #00ff00; stroke: #000; fill-opacity: 0.5"/></g></svg>'
    )
    (one,) = read_drawing(svg).outlines
    assert one.matrix == (2, 0, 0, 2, 6, 8)
    assert one.steps[2][0] == "C"
    assert one.steps[2][1] == pytest.approx((1, 2 / 3, 2 / 3, 1, 0, 1))  # a quadratic curve raised to a cubic one
    assert (one.fill, one.stroke) == ((0, 1, 0), (0, 0, 0))
    assert (one.fill_opacity, one.stroke_opacity) == (0.25, 0.5)
    assert one.clips[0][0] == ("M", (6, 7))
    assert one.clips[0][2] == ("L", (8, 10))


EMPTY = '<svg xmlns="http://www.w3.org/2000/svg"'


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        ("<svg", "can't be read as SVG"),
        ('<svg xmlns="http://www.w3.org/2000/svg"/>', "can't be read as SVG"),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><image/></svg>', "draws with <image>"),
        (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M 0 0 A 1 1 0 0 0 1 1"/></svg>',
            "step 'A'",
        ),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><g transform="skewX(3)"/></svg>', "is no map"),
    ],
)
def test_what_is_no_chart_of_ours_is_refused(svg, words):
    with pytest.raises(TableError, match=words):
        read_drawing(svg)


def test_a_bridge_on_paper_is_a_drawing(tmp_path):
    import pandas as pd

    flows = {"opening_m2": [5e6], "newly_found_m2": [1e6], "cancelled_m2": [2e6], "reduced_m2": [0.0],
             "cleared_m2": [1e6], "resurvey_m2": [0.0], "closing_m2": [3e6]}  # fmt: skip
    chart = draw_bridge(pd.DataFrame(flows))
    html = made(f'<h1>T</h1><section><h2>B</h2><figure class="chart">{chart}</figure></section>')
    pdf = same_words(html, print_page(html))
    resources = pdf.pages[1]["/Resources"]["/XObject"]
    kinds = {resources[name].get_object()["/Subtype"] for name in resources}
    assert kinds == {"/Form"}  # letters as outlines, and no picture of dots
