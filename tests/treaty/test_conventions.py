"""Days and years of the conventions, by hand."""

from datetime import date

import pytest

from clearplan.core.errors import SettingsError
from clearplan.treaty.conventions import entry_into_force, obligations, years_after, years_between


@pytest.mark.parametrize(
    ("deposited", "starts"),
    [
        (date(2026, 1, 1), date(2026, 7, 1)),
        (date(2026, 1, 31), date(2026, 7, 1)),
        (date(2026, 6, 30), date(2026, 12, 1)),
        (date(2026, 7, 1), date(2027, 1, 1)),
        (date(2017, 12, 13), date(2018, 6, 1)),  # Sri Lanka, APMBC: apminebanconvention.org, press release of 2017
    ],
)
def test_a_later_state_is_bound_from_the_sixth_month_on(deposited, starts):
    assert entry_into_force(deposited) == starts


@pytest.mark.parametrize(
    ("first", "years", "last"),
    [
        (date(2026, 1, 1), 2.0, date(2028, 1, 1)),
        (date(2026, 1, 1), 2.5, date(2028, 7, 2)),  # half of 366 days is 183
        (date(2028, 1, 1), 1.5, date(2029, 7, 3)),  # half of 365 days is 182.5: the begun day is whole
        (date(2028, 2, 29), 1.0, date(2029, 2, 28)),
        (date(2028, 2, 29), 4.0, date(2032, 2, 29)),
        (date(2026, 1, 1), 0.0, date(2026, 1, 1)),
        (date(2026, 1, 1), 1000.5, None),
        (date(2026, 1, 1), float("inf"), None),
    ],
)
def test_years_are_calendar_years(first, years, last):
    assert years_after(first, years) == last
    if last is not None and years != 1.5:
        assert years_between(first, last) == pytest.approx(years)


def test_obligations_state_years_and_articles():
    told = obligations().set_index(["convention", "article"])["years"]
    assert told["APMBC", "5(1)"] == 10
    assert told["APMBC", "4"] == 4
    assert told["CCM", "4(1)(a)"] == 10
    assert told["CCM", "3(2)"] == 8
    assert set(obligations("CCM")["convention"]) == {"CCM"}
    with pytest.raises(SettingsError, match="write one of APMBC, CCM"):
        obligations("CCW")
