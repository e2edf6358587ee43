"""Texts of PDFs as pypdf finds them."""

from unittest import mock

from pypdf import PdfReader
from pypdf.generic import DictionaryObject
from pypdf.generic._font import Font


def texts_of_pages(paper: PdfReader) -> list[str]:
    """Text of each page.

    pypdf reads all fonts of a page again for each form on it, of which a page of charts has hundreds: here once.
    """
    fonts: dict[int, tuple[DictionaryObject, Font]] = {}
    read = Font.from_font_resource

    def read_once(resource: DictionaryObject) -> Font:
        if id(resource) not in fonts:
            fonts[id(resource)] = (resource, read(resource))
        return fonts[id(resource)][1]

    with mock.patch.object(Font, "from_font_resource", read_once):
        return [page.extract_text() for page in paper.pages]
