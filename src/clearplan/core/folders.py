"""What lies in the folder of a run's results: which files are ours, for whom they are, and who may take the folder."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path

from clearplan.core.errors import OutputError

#: The record of a run, by which its folder is known as one of ours.
RECORD = "run.json"
#: What other programs lay beside a layer or a raster: it holds parts of it, and is none without it.
_BESIDE = ("-wal", "-shm", "-journal", ".aux.xml", ".ovr", ".msk")


# --- what lies in a folder


def names_in(folder: Path, ours: Collection[str]) -> list[str]:
    """Names of what lies in a folder; of a folder that a run writes, of what lies in it."""
    inner, names = inner_folders(ours), list[str]()
    for name in sorted(os.listdir(folder)):
        if name in inner and is_folder(folder / name):
            names += [f"{name}/{file}" for file in sorted(os.listdir(folder / name))]
        else:
            names.append(name)
    return names


def inner_folders(ours: Collection[str]) -> set[str]:
    """Names of the folders that a run writes in its own."""
    return {name.rpartition("/")[0] for name in ours} - {""}


def is_folder(path: Path) -> bool:
    """Whether a path is a folder itself, not a link to one."""
    return path.is_dir() and not path.is_symlink()


def is_ours(folder: Path, name: str, ours: Collection[str]) -> bool:
    """Whether a run's folder may lose a file with the run: one of its own, or what belongs to one."""
    named = name in ours or any(name.endswith(end) and name.removesuffix(end) in ours for end in _BESIDE)
    return named and not is_folder(folder / name)


def ours_in(folder: Path, ours: Collection[str]) -> list[str]:
    """Our files in a folder; the record of the run is first."""
    names = [name for name in names_in(folder, ours) if is_ours(folder, name, ours)]
    return sorted(names, key=lambda name: name != RECORD)


# --- who may take a folder


def refuse_unfit(folder: Path, tier: str | None, ours: Collection[str], tiers: Sequence[str]) -> None:
    """The folder is new, empty or a run's; nothing is in the way of ours, and no file of a narrower tier would stay."""
    if tier is not None:
        refuse_foreign(folder)
        refuse_narrower(folder, tier, ours, tiers)
    for name in sorted({*ours, *inner_folders(ours)}):
        path, is_inner = folder / name, name in inner_folders(ours)
        if os.path.lexists(path) and is_folder(path) != is_inner:
            things = ("no folder of its own", "folder") if is_inner else ("a folder", "file")
            raise OutputError(f"{path}: is {things[0]}, and a run writes a {things[1]} of this name; move it")


def refuse_foreign(folder: Path) -> None:
    """An output folder is new, empty, or one of ours: nobody's files are in the way."""
    if os.path.lexists(folder) and not folder.is_dir():
        raise OutputError(f"{folder}: is {'a file' if folder.is_file() else 'no folder'}; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not is_record(folder / RECORD):
        raise OutputError(f"{folder}: holds files that no run has made; name a new or empty folder")


def refuse_narrower(
    folder: Path, tier: str, ours: Collection[str], tiers: Sequence[str], *, record: Path | None = None
) -> None:
    """A run for a wider circle of readers takes no folder in which files of a narrower one would stay.

    Files that no run wrote stay in a folder; beside a restricted run they may be exports of it, or what another program
    saved of its layers.

    Parameters
    ----------
    folder : path
        Folder that shall hold the results.
    tier : str
        Tier of the new run.
    ours : collection of str
        Names of the files that runs write.
    tiers : sequence of str
        From the widest circle to the narrowest.
    record : path, optional
        Record of the last run, where it has left the folder.

    Raises
    ------
    OutputError
        A narrower run, or one of which nobody knows the tier, lies there, and files that would stay.
    """
    record = record or folder / RECORD
    if not record.exists():
        return
    held = tier_of(record, tiers)
    left = [name for name in names_in(folder, ours) if not is_ours(folder, name, ours)]
    if left and tiers.index(tier) < tiers.index(held):
        raise OutputError(
            f"{folder}: holds a {held} run and files that no run wrote, such as {left[0]}, which would stay beside "
            f"files of the tier {tier}; name a new folder, or move them"
        )


def is_record(path: Path) -> bool:
    """Whether a file is the record of a run."""
    return path.is_file() and '"fingerprint"' in path.read_text(encoding="utf-8", errors="replace")


def tier_of(record: Path, tiers: Sequence[str]) -> str:
    """Tier of the run that lies in a folder; the narrowest where its record doesn't say."""
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return tiers[-1]
    tier = content.get("tier") if isinstance(content, dict) else None
    return next((known for known in tiers if known == tier), tiers[-1])


def refuse_wider(path: Path, tier: str, tiers: Sequence[str]) -> None:
    """No file of a tier lies in a folder of a run for a wider circle of readers.

    Parameters
    ----------
    path : path
        The file.
    tier, tiers
        Tier of the run that it comes from, and all from the widest to the narrowest.

    Raises
    ------
    OutputError
        One of its folders holds such a run.
    """
    for folder in Path(os.path.realpath(path)).parents:
        record = folder / RECORD
        if is_record(record) and tiers.index(tier_of(record, tiers)) < tiers.index(tier):
            held = tier_of(record, tiers)
            raise OutputError(f"{path}: {folder} holds a {held} run, and this file is {tier}; name another folder")
