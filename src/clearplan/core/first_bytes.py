"""What a file is, by its first bytes, in words for a message."""

from __future__ import annotations

import re

HEAD_BYTES = 1 << 16  # in which the root of an XML file must stand

#: First bytes of binary formats.
_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a ZIP archive (XLSX and KMZ files are such)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old XLS workbook, or one with a password"),
    (b"SQLite format 3\x00", "an SQLite database or GeoPackage"),
    (b"\x00\x00\x27\x0a", "a shapefile"),
    (b"PAR1", "a Parquet file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"fgb", "a FlatGeobuf file"),
)


def what_is(head: bytes) -> str:
    """What first bytes say that a file is, in words."""
    text = plain_head(head)
    if what := binary_format(head):
        return what
    if not head:
        return "empty"
    root = root_of(text)
    if (root is not None and root.casefold() == "html") or text.lstrip()[:14].lower() == b"<!doctype html":
        return "a web page (perhaps one that asks to sign in)"
    if root is not None:
        return f"XML with the root {root}"
    if text.lstrip()[:1] in (b"{", b"["):
        return "JSON"
    return "something else"


def plain_head(head: bytes) -> bytes:
    """First bytes as ASCII or UTF-8 without a mark of their order."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace").encode()
    while head.startswith(b"\xef\xbb\xbf"):
        head = head[3:]
    return head


def root_of(text: bytes) -> str | None:
    """Name of the root element of XML, without its prefix; None where no element opens the text.

    >>> root_of(b'<?xml version="1.0"?><!-- a --><k:kml xmlns:k="x">'), root_of(b"a,b")
    ('kml', None)
    """
    before = rb"(?:\s+|<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)*"
    match = re.match(before + rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", text, re.S)
    return match.group(1).decode("ascii", "replace") if match else None


def binary_format(head: bytes) -> str | None:
    """The binary format that first bytes are of, in words; None for text and all else."""
    return next((what for magic, what in _FORMATS if head.startswith(magic)), None)
