"""What of a reason leaves at which tier: by the names of its values, never by what its sentence says."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given

from clearplan.core.reason import Reason, one_decimal
from clearplan.priority.robustness import cut_reason
from clearplan.publishing.reasons import NOT_PUBLIC, narrowed, reason_at, reasons_at
from clearplan.tables.reasons import VALUES
from clearplan.tables.tiers import TIERS
from tests.core.test_reason import reasons

TASK, TEAM, QUOTED = "KB-0127-SHA-3", "Harutyunyan's team", "x = 12 bad"
HOME = Reason("blocker.part", count=2, blocker=Reason("blocker.home"))


def values_in(reason: Reason) -> list[tuple[str, object]]:
    """Every value of a reason by its name, at any depth."""
    found = []
    for name, value in reason.values:
        for one in value if isinstance(value, tuple) else (value,):
            found += values_in(one) if isinstance(one, Reason) else [(name, one)]
    return found


def test_the_task_behind_a_cell_does_not_leave():
    waits = Reason("zone.waits", count=2, parts=[HOME], tasks=["KB-0126-SHA-1", TASK])
    assert (
        str(waits) == f"It waits for 2 tasks (2 for the place itself); the last to be finished: KB-0126-SHA-1; {TASK}."
    )
    public = reason_at(waits, "public")
    assert str(public) == "It waits for 2 tasks on ground near it."
    assert TASK not in repr(public)
    assert reason_at(waits, "partner") == waits
    shut = Reason(
        "zone.shut", reason=Reason("shut.task", task=TASK, reason=Reason("left_out.no_method", land_class="SHA"))
    )
    assert reason_at(shut, "public") is None  # without the task there is nothing to say


def test_the_rate_of_a_team_does_not_leave():
    amounts = {name: one_decimal(figure) for name, figure in (("days", 2.0), ("rate", 350.0), ("ground", 700.0))}
    fault = Reason("fault.ground", team=TEAM, worked=one_decimal(699.0), **amounts)
    assert "350.0" in str(fault)
    assert reason_at(fault, "public", teams={TEAM: "manual 1"}) is None
    table = Reason("breach.table", where="W1", fault=fault)
    assert reasons_at([Reason("plan.breaks", breach=table)], "public") == ()


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_a_count_of_accidents_does_not_leave_below_the_limit_of_suppression_nor_above(count):
    note = Reason("accidents.one_place", accidents=count)
    assert f"All {count} accidents" in str(note)
    assert reason_at(note, "public") is None
    assert reason_at(note, "partner") == note


def test_a_team_leaves_under_its_public_name_alone():
    lack = Reason("lack.takes", lacks=[Reason("lack.days", count=12, team=TEAM)])
    sooner = Reason("sooner.lacks", day=dt.date(2026, 12, 31), lack=lack)
    public = reason_at(sooner, "public", teams={TEAM: "manual 1"})
    assert str(public) == (
        "To open it by 2026-12-31, with all others as planned, it takes at least 12 more team-days of manual 1."
    )
    assert TEAM not in repr(public)
    # Of several things that would do, one without a name can't be left out: the others would say too much.
    either = Reason("lack.money", money=5_000, currency="USD")
    lacks = [Reason("lack.days", count=12, team=TEAM), either]
    for teams in ({}, {"another": "manual 1"}, None):
        assert reason_at(Reason("lack.takes", lacks=lacks), "public", teams=teams) is None
    assert reason_at(Reason("lack.takes", lacks=[either]), "public") is not None


def test_what_was_entered_stays_in_the_house():
    lost = Reason("zone.shut", reason=Reason("zone.unplaced", deferred=QUOTED))
    partner = reason_at(lost, "partner")
    assert str(partner) == "Can't open in this plan: has no place on the map."
    assert QUOTED not in repr(partner)
    assert reason_at(lost, "restricted") == lost


def test_gates_leave_in_the_words_of_the_code_list():
    gate = Reason("gate", gate_kind="dispute", meaning="the land is claimed", gate_reason="A. and B.", until="May")
    held = Reason("task.gated", gates=[gate])
    assert str(held) == "dispute: A. and B. (until May)"
    public = reason_at(held, "public")
    assert str(public) == "dispute: the land is claimed (until that has changed)"
    assert "A. and B." not in repr(public)


@pytest.mark.parametrize("tier", TIERS)
@given(reason=reasons())
def test_no_value_leaves_before_its_tier(tier, reason):
    narrower = reason_at(reason, tier, teams={})
    if narrower is None:
        return
    assert narrower.has_sentence
    for name, _ in values_in(narrower):
        assert TIERS.index(tier) >= TIERS.index(VALUES[name].leaves), name
        assert (tier, name) != ("public", "team")  # no team has a public name here
    assert tier != "restricted" or narrower == reason


def test_a_value_that_nobody_declared_stays_in_the_house():
    reason = Reason("zone.waits", count=1, victim="a name")
    assert reason_at(reason, "restricted") == reason
    for tier in ("public", "partner"):
        assert reason_at(reason, tier) == Reason("zone.waits", count=1)


def test_reasons_of_a_table_are_narrowed_and_text_in_their_place_is_not_public():
    waits = Reason("zone.waits", count=2, parts=[HOME], tasks=[TASK])
    zones = pd.DataFrame({"zone_id": ["A", "B", "C"], "why": [waits, f"It waits for {TASK}.", None]})
    assert [None if why is None else str(why) for why in narrowed(zones, "zones", "public")["why"]] == [
        "It waits for 2 tasks on ground near it.", None, None,
    ]  # fmt: skip
    assert narrowed(zones, "zones", "partner")["why"].tolist() == zones["why"].tolist()
    assert narrowed(zones, "zones", "restricted") is zones


@pytest.mark.parametrize("code", NOT_PUBLIC)
def test_some_reasons_are_not_public_though_their_values_may_be(code):
    reason = Reason(code, day=dt.date(2026, 12, 31)) if code == "sooner.nothing_lacks" else Reason(code)
    if code == "classes.cut":
        side = {"after": 9, "wanted": 10, "uncertain": 2, "most_uncertain": 6}
        reason = cut_reason("survey", {"high": side, "medium": side, "of": 1_449, "tasks": {"high": 8}})
    assert reason_at(reason, "public") is None
    assert reason_at(reason, "partner") == reason


def test_a_reason_that_is_not_public_is_none_inside_another_either():
    lack = Reason("sooner.lacks", day=dt.date(2026, 12, 31), lack=Reason("lack.time"))
    assert reason_at(lack, "public") is None
