"""Tables and sentences of the terminal at any width: ids stay whole, and nothing is lost."""

import os
import pty
import subprocess
import sys

import pandas as pd
import pytest

from clearplan.cli.terminal import print_faults, print_table, say
from clearplan.tables.check import fault, fault_table

#: 60 characters; ids of a national database may hold spaces.
LONG = "AZ-2021/0034 Aghdam, northern belt, sector 12 of 40, seen".ljust(59, "x") + "."
OTHER = LONG.replace("12", "13")
SHORT = "38SPK4713-SHA-1"
WIDTHS = [pytest.param(width, id=width or "pipe") for width in ("80", "60", "")]


@pytest.fixture(params=WIDTHS)
def width(request, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    if request.param:
        monkeypatch.setenv("COLUMNS", request.param)
    return int(request.param or 10_000)


def printed(capsys) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_ids_stay_in_one_line(width, capsys):
    assert len(LONG) == 60
    header = ("rank", "task", "score", "class", "among the first", "90 % of ranks", "tied with")
    for task, ties in ((SHORT, [f"38SPJ{k}-SHA-1" for k in range(5000, 5004)]), (LONG, [OTHER, LONG]), (LONG, [])):
        print_table(header, [("1", task, "70.8", "high", "over 99 %", "1 to 8", "; ".join(ties)), ("2", *[""] * 6)])
        lines = printed(capsys)
        assert max(len(line.rstrip(";")) for line in lines) <= width
        for identifier in (task, *ties):
            assert any(identifier in line for line in lines), (identifier, lines)
        assert all(line == line.rstrip() for line in lines)


def test_every_word_of_a_table_is_printed_at_every_width(width, capsys):
    rows = [(f"H-{k}", "moved", "before this ran along the river " * 3, f"{k} words") for k in range(3)]
    print_table(("hazard", "change", "before", "after"), rows)
    words = " ".join(printed(capsys)).split()
    for cell in (cell for row in rows for cell in row):
        assert set(cell.split()) <= set(words)


def test_a_table_goes_to_blocks_where_it_does_not_fit(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    print_table(("task", "score"), [(LONG, "1.0"), (SHORT, "")])
    assert printed(capsys) == ["task:", LONG, "score: 1.0", "", f"task: {SHORT}", "score:", ""]
    monkeypatch.setenv("COLUMNS", "80")
    print_table(("task", "score"), [(LONG, "1.0"), (SHORT, "")])
    assert printed(capsys) == ["task".ljust(60) + "  score", f"{LONG}  1.0", SHORT]


def test_a_row_of_a_pipe_is_one_line(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(("task", "tied with"), [(LONG, f"{OTHER}; {SHORT}")])
    assert printed(capsys)[1] == f"{LONG}  {OTHER}; {SHORT}"
    print_table(("hazard", "before"), [("H", "x" * 5_000)])
    assert max(map(len, printed(capsys))) < 200, "what no id can be is folded"


def test_faults_hold_their_ids_and_name_their_file(width, capsys):
    rule = "names a zone that ZONES lacks: it counts for no task"
    rows = [("gates.csv", 2, LONG), ("gates.csv", None, SHORT)]
    faults = fault_table([fault(file, row, "zone_id", value, rule, "error", "correct it") for file, row, value in rows])
    print_faults(faults)
    lines = printed(capsys)
    assert lines[0] == "In gates.csv:"
    assert any(LONG in line for line in lines)
    assert "<NA>" not in "".join(lines)
    two = pd.concat([faults, faults.assign(file="zones.csv")], ignore_index=True)
    print_faults(two, records={("gates.csv", 2): OTHER})
    lines = printed(capsys)
    assert any(OTHER in line for line in lines)
    assert any("zones.csv" in line for line in lines)


def test_sentences_break_between_words(width, capsys):
    sentence = f"Tied with {SHORT}: their order flips too often to tell them apart. " * 2
    say(sentence.strip())
    lines = printed(capsys)
    assert " ".join(lines) == sentence.strip()
    assert max(map(len, lines)) <= width
    say("a\x1b[2Jb\nc")
    assert printed(capsys) == ["a [2Jb c"]


@pytest.mark.skipif(sys.platform == "win32", reason="asks a terminal of POSIX")
def test_a_real_terminal_shows_markup_of_data_as_text():
    """In a terminal the heads are bold; text from data is neither markup nor a control code."""
    code = "from clearplan.cli.terminal import print_table; print_table(('task', 'b'), [('[red]X[/red]', '\\x1b[2J')])"
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=slave, env=os.environ | {"TERM": "xterm"}, check=True
        )
        shown = os.read(master, 10_000).decode()
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == 0
    assert "[red]X[/red]" in shown
    assert "\x1b[2J" not in shown
