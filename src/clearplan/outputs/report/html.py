"""HTML pages without a script: skeleton, tables, pictures; text from data is escaped by whoever puts it in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path

from clearplan.core.imprint import Imprint
from clearplan.core.writing import write_whole

#: Nothing may be loaded from anywhere, and no script runs.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; base-uri 'none'; form-action 'none'\">"
)


@dataclass(frozen=True)
class Page:
    """A finished page."""

    html: str

    def save(self, path: str | Path) -> None:
        """Write the page as UTF-8, whole or not at all."""
        write_whole(Path(path), self.html)


def page(title: str, body: str, *, notice: str, lang: str = "en") -> Page:
    """A page of its own from finished HTML; ``title`` and ``notice`` are plain text.

    >>> "<title>a &amp; b</title>" in page("a & b", "<p>x</p>", notice="").html
    True
    """
    style = files("clearplan.outputs.report").joinpath("report.css").read_text(encoding="utf-8")
    return Page(
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n{POLICY}\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        f"<footer>{escape(notice)}</footer>\n</body>\n</html>\n"
    )


def table(header: Iterable[str], rows: Iterable[Iterable[str]], kinds: Mapping[int, str] | None = None) -> str:
    """A table of cells that are HTML already.

    ``kinds`` says which columns, counted from 0, hold figures ("n"), names ("k") or sentences ("w").

    >>> table(["a"], [["1"]])
    '<div class="scroll" tabindex="0"><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody>...'
    """
    kind = {k: f' class="{name}"' for k, name in (kinds or {}).items()}
    head = "".join(f"<th{kind.get(k, '')}>{name}</th>" for k, name in enumerate(header))
    body = "".join(
        "<tr>" + "".join(f"<td{kind.get(k, '')}>{cell}</td>" for k, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f'<div class="scroll" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def head(imprint: Imprint, notes: Sequence[str]) -> list[str]:
    """Title, warning, and what must be read first, as the first parts of a page."""
    parts = [f'<h1 id="top">{escape(imprint.title)}</h1>']
    if imprint.warning:
        parts.append(f'<p class="loud">{escape(imprint.warning)}</p>')
    if notes:
        parts.append("<h3>Read first</h3><ul>" + "".join(f"<li>{escape(note)}</li>" for note in notes) + "</ul>")
    return parts


def draw_sections(sections: Sequence[str], imprint: Imprint, *, notes: Sequence[str] = ()) -> Page:
    """A page of finished sections of HTML, below what must be read first."""
    return page(imprint.title, "\n".join([*head(imprint, notes), *sections]), notice=imprint.foot)
