"""The section of the treaty's tables: every table is there, with its unknowns, and every tag is closed."""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

from clearplan.outputs.report.treaty import treaty_section
from clearplan.treaty.clock import Ground, clock
from clearplan.treaty.filed import UNKNOWN_TASK, UNPLACED
from tests.treaty.books import (
    PARTY,
    STEADY,
    SUPPOSED,
    filed,
)


class _Reader(HTMLParser):
    """Rows of all tables, and tags that stay open."""

    def __init__(self):
        super().__init__()
        self.rows, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


def rows_of(html):
    reader = _Reader()
    reader.feed(html)
    assert reader.open == []
    return reader.rows


def test_the_section_holds_every_table():
    told = clock(PARTY, Ground(1000.0), STEADY, date(2024, 6, 1))
    rows = rows_of(treaty_section(filed(told)))
    assert ["West <&>", "CHA", "AP", "2", "1,234,567"] in rows
    assert ["East", "CHA", "AV", "1", "< 1"] in rows
    assert [UNPLACED, "SHA", "AP", "3", "nobody knows"] in rows
    assert ["CHA", "all", "3", "1,234,567"] in rows
    assert ["CHA", "AV", "1", "< 1"] in rows
    assert ["SHA", "all", "3", "nobody knows"] in rows
    assert ["2023", "all", "cleared", "30", "0", "0", "2", "AP 3; 1 of 2 decisions not stated"] in rows
    assert ["2026", "manual", "1", "8,000", "80", "4.0 (2.0 to 8.0)", "800 (400 to 1,600)"] in rows
    assert ["2026", "SHA", "cancelled", "1", "500", "300", "60 %", ""] in rows
    assert ["2026", UNKNOWN_TASK, "cleared", "2", "nobody knows", "", "", ""] in rows
    assert ["APMBC 4", "destroy stockpiled anti-personnel mines", "4", "none in the convention",
            "what may be kept for training: 3(1)"] in rows  # fmt: skip


def test_the_section_of_a_state_outside_and_without_some_tables():
    dossier = filed(clock(SUPPOSED, Ground(1000.0), STEADY, date(2026, 1, 1)))
    html = treaty_section(dossier)
    rows_of(html)
    assert "APMBC: if Ruritania acceded on 2026-01-01" in html
    assert "deadline" not in html.casefold()
    bare = treaty_section(replace(dossier, milestones=None, planned=None, achieved=None))
    assert "class" in [row[0] for row in rows_of(bare)]
    assert not [words for words in ("Milestones", "Plan in force", "What to know") if words in bare]
    assert "No calendar year" in treaty_section(replace(dossier, achieved=dossier.achieved.iloc[:0]))
