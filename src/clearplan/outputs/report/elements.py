"""Our own HTML pages read back as trees of elements, for writers that need a page's text in another form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Elements that hold nothing.
_VOID = {"br", "meta", "link", "img", "hr"}
#: Elements whose text is not read.
_UNREAD = {"style", "script"}
_SVG = re.compile(r"<svg\b.*?</svg>", re.DOTALL)


@dataclass
class Element:
    """Tag, attributes, and what stands inside in its order; of a drawing (``svg``), its own text in ``source``."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)
    source: str = ""

    def every(self, *tags: str) -> Iterator[Element]:
        """Elements inside with one of these tags, in the order of the page."""
        for part in self.inside:
            if isinstance(part, Element):
                if part.tag in tags:
                    yield part
                yield from part.every(*tags)

    def first(self, tag: str) -> Element | None:
        """The first such element inside."""
        return next(self.every(tag), None)

    @property
    def classes(self) -> set[str]:
        """Its classes."""
        return set(self.attributes.get("class", "").split())

    @property
    def text(self) -> str:
        """All text inside, with single spaces."""
        parts = [part if isinstance(part, str) else part.text for part in self.inside if not _is_unread(part)]
        return " ".join("".join(parts).split())


def _is_unread(part: Element | str) -> bool:
    return isinstance(part, Element) and part.tag in _UNREAD


def read_page(html: str) -> Element:
    """The tree of a page that ``markup.page`` made.

    >>> page = read_page('<html lang="en"><body><p class="loud">a <b>b</b> &amp; c</p></body></html>')
    >>> page.first("p").text, page.first("html").attributes
    ('a b & c', {'lang': 'en'})
    """
    drawings = _SVG.findall(html)
    reader = _Reader(drawings)
    reader.feed(_SVG.sub("<svg></svg>", html))
    reader.close()
    return reader.root


class _Reader(HTMLParser):
    """Builds the tree; what is not closed ends with what it stands in."""

    def __init__(self, drawings: list[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self._open = [self.root]
        self._drawings = iter(drawings)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        made = Element(tag, {name: value or "" for name, value in attrs})
        if tag == "svg":
            made.source = next(self._drawings, "")
        self._open[-1].inside.append(made)
        if tag not in _VOID:
            self._open.append(made)

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and with it what is still open inside."""
        at = next((k for k in range(len(self._open) - 1, 0, -1) if self._open[k].tag == tag), 0)
        if at:
            del self._open[at:]

    def handle_data(self, data: str) -> None:
        """Text between elements."""
        self._open[-1].inside.append(data)
