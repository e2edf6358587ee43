"""Reasons: plain data that survives, a catalogue that has a sentence for every code of the source, and no other."""

import ast
import csv
import datetime as dt
import functools
import pickle
import re
from pathlib import Path
from string import Formatter
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearplan.core.reason import Reason, catalogue, sentence, square_km
from clearplan.tables.reasons import VALUES, in_words
from tests.conftest import ROOT

SRC = ROOT / "src" / "clearplan"


class Call(NamedTuple):
    where: str
    code: str
    names: frozenset[str]


@functools.cache
def calls() -> list[Call]:
    """Every ``Reason(...)`` of the source."""
    found = []
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                found.append(_call(path, node))
    return [call for call in found if call is not None]


def _call(path: Path, node: ast.Call) -> Call | None:
    where = f"{path.relative_to(SRC)}:{node.lineno}"
    if any(word.arg is None for word in node.keywords):
        assert path.name == "reason.py", f"{where}: values of a reason are named where it is made"
        return None
    code = node.args[0]
    assert isinstance(code, ast.Constant), f"{where}: the code of a reason stands where it is made"
    return Call(where, code.value, frozenset(word.arg for word in node.keywords))


def test_every_code_of_the_source_has_its_sentence_and_every_sentence_its_code():
    assert {call.code for call in calls()} == set(catalogue("en"))


@pytest.mark.parametrize("call", calls(), ids=lambda call: call.where)
def test_a_sentence_has_the_values_that_its_reason_is_made_with(call):
    texts = catalogue("en")[call.code]
    assert any(text.needs <= call.names for text in texts), f"no sentence of {call.code} for {sorted(call.names)}"
    unused = call.names - frozenset().union(*(text.needs for text in texts))
    assert not unused, f"{call.where}: no sentence of {call.code} has {sorted(unused)}"


def test_every_name_of_a_value_is_declared_and_none_besides():
    texts = [text for texts in catalogue("en").values() for text in texts]
    assert frozenset().union(*(text.needs for text in texts)) == set(VALUES)


def test_rows_of_a_code_stand_together_and_the_first_needs_most():
    file = SRC / "core" / "sentences" / "en.csv"
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    codes = [row["code"] for row in rows]
    assert [one for k, one in enumerate(codes) if k == 0 or codes[k - 1] != one] == list(dict.fromkeys(codes))
    for code, texts in catalogue("en").items():
        for k, text in enumerate(texts):
            assert not any(earlier.needs <= text.needs for earlier in texts[:k]), f"{code}: row {k + 1} is never taken"


# --- what reasons are


WORDS = st.text("abcdefgh ABC-0123456789.,;|{}é", max_size=12)
NUMBERS = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))


def _values(name: str, spec: str) -> st.SearchStrategy:
    """Values that a text can hold in a place: whole numbers, numbers, lists, or anything worded."""
    if name in ("count", "digits"):
        return st.integers(0, 4) if name == "digits" else st.integers(0, 10**6)
    if spec and spec[-1] in "fg,":
        return NUMBERS
    if spec:
        return st.lists(WORDS | st.just(square_km(2e6)), max_size=4)
    return WORDS | DAYS | st.integers() | st.just(square_km(3e6))


@st.composite
def reasons(draw: st.DrawFn) -> Reason:
    """Any reason of the catalogue, with values that fit one of its texts."""
    code = draw(st.sampled_from(sorted(catalogue("en"))))
    text = draw(st.sampled_from(catalogue("en")[code]))
    fields = {"count": ""} if len(text.forms) > 1 else {}
    for form in text.forms:
        fields |= {name: spec for _, name, spec, _ in Formatter().parse(form) if name}
    fields |= dict.fromkeys(text.needs - set(fields), "")
    return Reason(code, **{name: draw(_values(name, spec)) for name, spec in fields.items()})


@given(reasons())
def test_any_reason_survives_and_has_a_sentence(reason):
    again = pickle.loads(pickle.dumps(reason))
    assert again == reason
    assert hash(again) == hash(reason)
    assert repr(again) == repr(reason)
    words = sentence(reason)
    assert words == str(reason)
    assert reason.has_sentence
    assert not re.search(r"\b(nan|None|NaT|Reason)\b|<NA>", words)


@given(reasons(), reasons())
def test_reasons_stand_in_the_order_of_their_sentences(one, other):
    assert [str(reason) for reason in sorted([one, other])] == sorted([str(one), str(other)])
    assert one != other or str(one) == str(other)


@pytest.mark.parametrize("blank", [None, np.nan, float("inf"), pd.NaT, pd.NA, object(), {"a": 1}, [1, None]])
def test_a_blank_is_no_value(blank):
    with pytest.raises(TypeError, match=r"area\.km2: km2: "):
        Reason("area.km2", km2=blank)


def test_values_of_other_libraries_become_plain_ones():
    reason = Reason(
        "any", a=np.float64(2.5), b=np.int64(3), c=pd.Timestamp("2026-05-31"), d=np.array(["x"])[0], e=["y"]
    )
    assert dict(reason.values) == {"a": 2.5, "b": 3, "c": dt.date(2026, 5, 31), "d": "x", "e": ("y",)}
    assert [type(value) for _, value in reason.values] == [float, int, dt.date, str, tuple]


@pytest.mark.parametrize("reason", [Reason("no.such"), Reason("area.km2"), Reason("change.leaves", first=3)])
def test_a_code_or_value_that_the_catalogue_lacks_is_an_error(reason):
    assert not reason.has_sentence
    with pytest.raises(LookupError, match=reason.code):
        str(reason)


def test_a_count_chooses_the_plural_form():
    assert str(Reason("zone.waits", count=1)) == "It waits for 1 task on ground near it."
    assert str(Reason("zone.waits", count=0)) == "It waits for 0 tasks on ground near it."


# --- what leaves


CELL = Reason("cell.holds", grounds=[Reason("cell.ground", land_class="SHA", area=square_km(2e6))])


def test_a_value_is_taken_out_or_renamed_at_any_depth():
    assert str(CELL.replaced(land_class={"SHA": "suspected"})) == (
        "In this cell, net of overlap: suspected 2.00 km². Where in it is not shown."
    )
    for lost in (CELL.without("km2"), CELL.without("grounds"), CELL.replaced(land_class={"CHA": "confirmed"})):
        assert lost == Reason("cell.holds")  # ground without its size or class says nothing, nor do the others
        assert "SHA" not in repr(lost)
    assert CELL.without("team").replaced(team={}) == CELL


# --- doors out


def test_a_table_in_words_is_the_table_with_sentences():
    table = pd.DataFrame({"task_id": ["a", "b", "c"], "told": [CELL, None, "text of a file"], "n": [1.0, np.nan, 2.0]})
    worded = in_words(table)
    assert worded["told"].tolist() == [str(CELL), None, "text of a file"]
    pd.testing.assert_frame_equal(worded.drop(columns="told"), table.drop(columns="told"))
    assert table["told"].iloc[0] is CELL
    assert in_words(worded) is worded
