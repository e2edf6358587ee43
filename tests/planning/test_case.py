"""A case of tables: what blocks each zone is found, and which zones never open is known."""

from dataclasses import FrozenInstanceError, replace

import pytest

from clearplan.planning.blockers import waits_for
from clearplan.planning.case import make_case
from tests.planning.test_blockers import tasks
from tests.planning.test_blockers import zones as places
from tests.worlds import settings, teams


def zones(**changes):
    """The places of ``test_blockers``, surveyed."""
    return places(**changes).assign(survey_status="surveyed", surveyed_on="2025-01-01", surveyed_by="test")


def test_a_case_finds_what_blocks_each_zone():
    case = make_case(tasks(), zones(), teams({}), settings(home_m=10), unknown_people=(1, 2, 3))
    assert waits_for(case.blockers) == {"Y": ["A"], "Z": ["C"]}
    assert case.never_open == {}
    assert (case.unknown_people, case.commitments, case.previous) == ((1, 2, 3), None, None)


def test_zones_of_which_nobody_knows_what_blocks_them_never_open():
    # Z has no place; Y opens after it. A reason that is stated counts before one that is worked out.
    lost = zones(after=("Z", None)).assign(deferred=[None, "no coordinates"])
    why = "has no place on the map: no coordinates"
    case = make_case(tasks(), lost, teams({}), settings(home_m=10))
    assert {zone: str(reason) for zone, reason in case.never_open.items()} == {
        "Z": why,
        "Y": f"opens after Z, which {why}",
    }
    assert replace(case, without_place={}).never_open == case.never_open
    assert replace(case, without_place={"Y": "its road has no place"}).never_open["Y"] == "its road has no place"
    bare = replace(case, zones=lost.drop(columns="deferred"), without_place={"Y": "its road has no place"})
    assert bare.never_open == {"Y": "its road has no place"}


def test_another_case_is_made_and_the_first_stays():
    case = make_case(tasks(), zones(), teams({}), settings(home_m=10))
    other = replace(case, teams=teams({"number": 2}))
    assert (case.teams["number"].tolist(), other.teams["number"].tolist()) == ([1], [2])
    assert other.blockers is case.blockers
    with pytest.raises(FrozenInstanceError):
        case.teams = other.teams
