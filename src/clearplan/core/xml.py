"""XML that every parser takes: text from data as text, elements in their order, the same bytes at every run."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

#: Characters that no XML 1.0 document may hold (https://www.w3.org/TR/xml/#charsets), and the mark in their place.
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARK = "\ufffd"


def xml_text(value: object) -> str:
    """A value as text that XML can hold; what it can't is marked, never dropped.

    >>> xml_text("a\\x00b"), xml_text("<b>&")
    ('a\ufffdb', '<b>&')
    """
    return _FORBIDDEN.sub(_MARK, str(value))


def add(parent: Element, name: str, text: object = None, /, **attributes: object) -> Element:
    """A new last child of an element, with text and attributes; both are escaped when the file is written.

    >>> from xml.etree.ElementTree import Element, tostring
    >>> root = Element("a")
    >>> _ = add(root, "b", "1 < 2", id="x")
    >>> tostring(root).decode()
    '<a><b id="x">1 &lt; 2</b></a>'
    """
    child = SubElement(parent, name, {key: xml_text(value) for key, value in attributes.items()})
    if text is not None:
        child.text = xml_text(text)
    return child


def xml_bytes(root: Element) -> bytes:
    """The whole file in UTF-8, indented, with its declaration."""
    indent(root, " ")
    told: Any = tostring(root, encoding="UTF-8", xml_declaration=True)
    return bytes(told) + b"\n"
