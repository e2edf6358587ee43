"""Words of the map page in other languages: one table a language, and which of its sentences a page can use.

The English sentence is the key, as in gettext; ``{name}`` in it is filled in by the page, and ``one|other`` are its
plural forms: a language gives as many as CLDR's rules for it have, and the browser knows which goes with a count.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

#: Each language by the name that its readers call it; the first is the one in which the page is written.
LANGUAGES = {"en": "English", "az": "Azərbaycanca", "hy": "Հայերեն", "ru": "Русский"}


def read_words(language: str) -> dict[str, dict[str, str]]:
    """Catalogue of a language: its rows (``english``, ``text``, ``status``, ``source``) by their English sentence.

    ``status`` is ``official`` where a named source published the text, ``draft`` where no speaker has reviewed it yet.
    """
    path = files("clearplan.outputs.page").joinpath("words", f"{language}.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines(), strict=True)
    return {row["english"]: row for row in rows}


def page_words(script: str, body: str, data: str) -> dict[str, Any]:
    """What a page can say in each other language; sentences that it can't use don't travel.

    Parameters
    ----------
    script, body, data : str
        The page's script, its HTML and its data as JSON.

    Returns
    -------
    dict
        By language: its ``name``, ``words`` by English sentence, and how many of them are ``drafts``.
    """
    keys = set(script_keys(script)) | set(body_keys(body))
    catalogues = {language: read_words(language) for language in list(LANGUAGES)[1:]}
    # Sentences of ours also travel as data (disclaimers, criteria): each is looked for as a whole JSON string.
    others = {english for rows in catalogues.values() for english in rows} - keys
    keys |= {english for english in others if json.dumps(english, ensure_ascii=False) in data}
    found: dict[str, Any] = {}
    for language, rows in catalogues.items():
        own = [row for english, row in rows.items() if english in keys]
        found[language] = {
            "name": LANGUAGES[language],
            "words": {row["english"]: row["text"] for row in own},
            "drafts": sum(row["status"] == "draft" for row in own),
        }
    return found


def side_by_side(words: Mapping[str, Any]) -> dict[str, Any]:
    """Words of a page as it carries them: each English sentence once, not once for each language.

    >>> side_by_side({"az": {"name": "A", "drafts": 1, "words": {"One": "Bir"}}, "ru": {"name": "R", "words": {}}})
    {'languages': {'az': {'name': 'A', 'drafts': 1}, 'ru': {'name': 'R'}}, 'sentences': [['One', 'Bir', None]]}
    """
    english = dict.fromkeys(sentence for own in words.values() for sentence in own["words"])
    return {
        "languages": {code: {k: v for k, v in own.items() if k != "words"} for code, own in words.items()},
        "sentences": [[sentence, *(own["words"].get(sentence) for own in words.values())] for sentence in english],
    }


_CALL = re.compile(r"\b(?:say|term)\(")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[()\[\]{},]|[^"()\[\]{},]+', flags=re.DOTALL)


def script_keys(script: str) -> Iterator[str]:
    r"""English sentences that a script says: the string literals in the first argument of ``say`` and ``term``.

    >>> list(script_keys('say("One " + "two") + say(odd ? "A" : "B", { a: "x" }) + say(data["no"]) + term("C")'))
    ['One two', 'A', 'B', 'C']
    """
    for call in _CALL.finditer(script):
        depth, joined, last = 0, "", ""
        for token in _TOKEN.finditer(script, call.end()):
            part = token.group()
            if part in "([{":
                depth += 1
            elif part in ")]}" or (part == "," and not depth):
                depth -= 1
            elif part[0] == '"' and last != "[":
                if joined and last != "+":
                    yield joined
                    joined = ""
                joined += json.loads(part)
            if depth < 0:
                break
            last = part.strip() or last
        if joined:
            yield joined


def body_keys(body: str) -> list[str]:
    """English sentences that stand in the HTML: text of ``data-say``, ``aria-label`` of ``data-say-label``.

    >>> body_keys('<p data-say>One</p><p>no</p><b data-say-label aria-label="Two">x</b>')
    ['One', 'Two']
    """
    reader = _Reader()
    reader.feed(body)
    return reader.keys


class _Reader(HTMLParser):
    """Collects the marked sentences; marked elements hold text alone."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = dict(attrs)
        self._inside = "data-say" in own
        if "data-say-label" in own:
            self.keys.append(own["aria-label"] or "")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.keys.append(data)
            self._inside = False
