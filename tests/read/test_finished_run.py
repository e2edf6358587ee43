"""What is read back out of a run's folder."""

import numpy as np
import pandas as pd
import pytest

from clearplan.core.errors import TableError
from clearplan.read.finished_run import read_work

WORK = """task_id,team_id,starts_on,ends_on,days,cost
#activity+id,#org,#date+start,#date+end,#capacity,#value
T1,HANDS,2026-01-01,2026-03-31,3,
T2,HANDS,2026-04-01,2026-06-30,0.5,250
"""


def test_work_comes_back_as_days_and_amounts(tmp_path):
    (tmp_path / "work.csv").write_text(WORK)
    work = read_work(tmp_path / "work.csv", ("ends_on", "cost", "m2"))
    assert work["days"].tolist() == [3, 0.5]
    assert work["ends_on"].tolist() == [pd.Timestamp("2026-03-31"), pd.Timestamp("2026-06-30")]
    assert work["cost"].isna().tolist() == [True, False]  # a blank beside days and where they begin stays unknown
    assert np.isclose(work["cost"].iloc[1], 250)
    assert "m2" not in work.columns
    assert read_work(tmp_path / "work.csv")["cost"].iloc[1] == "250"  # what nobody asked for stays as it stands


@pytest.mark.parametrize(
    ("there", "instead", "told"),
    [("2026-06-30", "soon", "row 4: ends_on 'soon' is no day"), ("0.5,250", "0.5,-1", "row 4: cost '-1' is no amount"),
     ("0.5,250", ",250", "row 4: days .* is no amount"), ("team_id", "team", "has no column 'team_id'")],
)  # fmt: skip
def test_what_is_no_day_and_no_amount_is_told_with_its_row(tmp_path, there, instead, told):
    (tmp_path / "work.csv").write_text(WORK.replace(there, instead))
    with pytest.raises(TableError, match=told):
        read_work(tmp_path / "work.csv", ("ends_on", "cost"))
