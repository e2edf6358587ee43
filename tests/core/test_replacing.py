"""What of an earlier run stays in a folder that another run takes: nothing that was written for others."""

import json

import pytest

from clearplan.core.errors import OutputError, SettingsError
from clearplan.core.folders import refuse_narrower
from clearplan.core.replacing import replaced
from clearplan.study.outputs import ALL_OUTPUTS, OUTPUTS, PLAN_OUTPUTS
from clearplan.study.run import plan_study, refuse_folder, run_study
from clearplan.tables.tiers import TIERS
from tests.conftest import SAMPLE

BESIDE = ("plan.gpkg-wal", "plan.gpkg-shm", "plan.gpkg-journal", "surface.tif.aux.xml", "surface.tif.ovr")


def held(folder, tier, *names):
    """A folder as a run of a tier leaves it, with files of these names."""
    folder.mkdir()
    told = {"fingerprint": "0" * 12} | ({} if tier is None else {"tier": tier})
    (folder / "run.json").write_text(json.dumps(told), encoding="utf-8")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("exact", encoding="utf-8")
    return folder


@pytest.mark.parametrize("ours", [OUTPUTS, PLAN_OUTPUTS])
def test_no_file_of_an_earlier_run_stays_be_it_of_a_run_or_of_a_plan_alone(tmp_path, ours):
    folder = held(tmp_path / "out", "restricted", *(name for name in ours if name != "run.json"), *BESIDE, "mine.txt")
    with replaced(folder, ALL_OUTPUTS) as fresh:
        (fresh / "run.json").write_text("{}", encoding="utf-8")
    assert sorted(path.name for path in folder.iterdir()) == ["mine.txt", "run.json"]


@pytest.mark.parametrize("before", ["restricted", None])
def test_a_public_run_takes_no_folder_in_which_exports_of_a_narrower_run_would_stay(tmp_path, before):
    folder = held(tmp_path / "out", before, "map.html", *BESIDE)
    refuse_narrower(folder, "public", ALL_OUTPUTS, TIERS)
    (folder / "hazards.zip").write_text("exact", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds a restricted run and files that no run wrote, such as hazards\.zip"):
        refuse_folder(folder, "public")
    with pytest.raises(OutputError, match="name a new folder"):
        refuse_folder(folder, "partner")
    refuse_folder(folder, "restricted")


def test_a_folder_whose_run_was_for_as_many_readers_keeps_the_files_of_its_user(tmp_path):
    folder = held(tmp_path / "out", "public", "notes.txt")
    for tier in TIERS:
        refuse_folder(folder, tier)


@pytest.mark.parametrize("work", [run_study, plan_study])
def test_a_tier_that_does_not_exist_is_refused_before_any_work(tmp_path, work):
    stages = []
    with pytest.raises(SettingsError, match="must be one of public, partner, restricted"):
        work(SAMPLE / "plan.toml", tmp_path / "out", tier="publc", progress=stages.append)
    assert stages == []
    assert list(tmp_path.iterdir()) == []
