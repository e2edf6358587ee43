"""The chain of decisions: what earlier runs knew of land release, so that nothing is rewritten in silence.

``.clearplan/decisions.jsonl`` has one entry per line. An entry holds the decisions that were added or changed, the
names of those that are gone, the day of the run, the reason if a rewriting was accepted, and the digest of the entry
before; its own digest covers all of it. All entries together give the decisions that are held. The file is state, no
result: it lies in no folder of results, and the law of same bytes does not count for it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from clearplan.core.errors import OutputError, ReadError, RewrittenError
from clearplan.core.reason import Reason
from clearplan.core.writing import write_whole
from clearplan.land.decisions import Decisions, changes_between, decisions_of
from clearplan.read.readers import Reading
from clearplan.tables.check import fault, fault_table

#: Folder of all lasting state of a project, beside plan.toml.
STATE = ".clearplan"
FILE = "decisions.jsonl"
_PACKAGE = Path(__file__).resolve().parents[1]
#: Where the sample project lies: in the wheel, and beside the sources in a clone. Its folder stays as it is delivered.
SAMPLE_FOLDERS = (_PACKAGE / "sample" / "karabakh", _PACKAGE.parents[1] / "sample_data" / "karabakh")
#: Names in a sentence; more are counted.
_NAMED = 8


@dataclass(frozen=True)
class Entry:
    """What one run added to the chain.

    on : day of the run
    decisions : those that were added or changed, as they are from then on
    gone : names of those that are held no more
    rewritten : names of earlier decisions that were changed or are gone
    reason : why that was accepted; None where nothing was rewritten
    edited : where a file that did not hold together was put, before this entry began a new one
    """

    on: str
    decisions: Decisions
    gone: list[str] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)
    reason: str | None = None
    edited: str | None = None


@dataclass(frozen=True)
class Home:
    """Folder of a project, and how a run is held to the decisions that earlier ones knew.

    folder : folder of plan.toml
    accepted : reason for which rewritten decisions are accepted
    changed : sections that this run has otherwise than plan.toml
    """

    folder: Path
    accepted: str | None = None
    changed: tuple[str, ...] = ()

    @property
    def state(self) -> Path | None:
        """The chain's file; None where no chain is kept: the sample, and decisions that are not those of plan.toml."""
        apart = self.folder in SAMPLE_FOLDERS or self.what_if
        return None if apart else self.folder / STATE / FILE

    @property
    def what_if(self) -> list[str]:
        """Sections of decisions that this run has otherwise than plan.toml."""
        return [name for name in self.changed if name in ("releases", "history")]


@dataclass(frozen=True)
class Chain:
    """Decisions of a run, held to those of the runs before it.

    home : of the project
    decisions : all that the run read, of whatever day
    entries : the chain, with what this run adds to it
    fresh : whether the last entry is this run's and stands in no file yet
    """

    home: Home
    decisions: Decisions
    entries: tuple[Entry, ...] = ()
    fresh: bool = False

    @property
    def notes(self) -> list[Reason]:
        """What a reader of the run must know first: every rewriting that was accepted, by whatever run."""
        notes = [_note(entry) for entry in self.entries if entry.reason is not None]
        if self.home.what_if:
            notes.append(Reason("decisions.apart", section=" and ".join(self.home.what_if)))
        return notes

    @property
    def words(self) -> str:
        """What this run added to the chain, as the terminal shows it."""
        last = self.entries[-1]
        begun = ", which begins with this run" if len(self.entries) == 1 else ""
        return (
            f"Decisions of land release: {len(self.decisions):,}, of which {len(last.decisions):,} are new or changed, "
            f"and {len(last.gone):,} more are gone; kept in {STATE}/{FILE} beside plan.toml{begun}"
        )


def hold(home: Home, decisions: Decisions) -> Chain:
    """Hold the decisions of a run to those of the runs before it; nothing is written.

    Parameters
    ----------
    home : Home
    decisions : Decisions
        Of all days: a run as at an earlier day loses none.

    Raises
    ------
    RewrittenError
        Earlier decisions are changed or gone, or the chain itself was edited, and no reason is given to accept it.
    ReadError
        The chain can't be read.
    """
    path = home.state
    if path is None:
        return Chain(home, decisions)
    today = dt.date.today().isoformat()
    try:
        entries = read_chain(path)
    except RewrittenError:
        if home.accepted is None:
            raise
        begun = Entry(today, decisions, reason=home.accepted, edited=_free_name(path).name)
        return Chain(home, decisions, (begun,), fresh=True)
    changes = changes_between(held(entries), decisions)
    if changes.rewritten and home.accepted is None:
        raise _rewritten(home.folder, changes.rows, list(changes.rewritten))
    if not changes.rewritten and not changes.added:
        return Chain(home, decisions, tuple(entries))
    altered = {name: decisions[name] for name in changes.rewritten if name in decisions}
    reason = home.accepted if changes.rewritten else None
    added = Entry(today, changes.added | altered, changes.gone, list(changes.rewritten), reason)
    return Chain(home, decisions, (*entries, added), fresh=True)


def rewritten_faults(home: Home, name: str, reading: Reading, *, alone: bool) -> pd.DataFrame:
    """Decisions of one file that an earlier run knew otherwise, as faults.

    Parameters
    ----------
    home : Home
    name : 'releases' or 'history'
    reading : Reading
        Of the file.
    alone : bool
        Whether the table has no other file: a decision that this one lacks is gone.

    Raises
    ------
    RewrittenError, ReadError
        The chain itself was edited, or can't be read.
    """
    if home.state is None or not len(reading.table):
        return fault_table([])
    none = reading.table.iloc[:0]
    releases, history = (reading.table, none) if name == "releases" else (none, reading.table)
    decisions = decisions_of(releases, history)
    what = "release " if name == "releases" else "change "
    earlier = held(read_chain(home.state))
    known = {key: row for key, row in earlier.items() if key.startswith(what) and (alone or key in decisions)}
    file = reading.table.index[0][0]
    remedy = "put it back, or run with --accept-rewritten"
    return fault_table(
        [
            fault(file, None, column, f"{key}: {after}", f"an earlier run knew it as {before}", "error", remedy)
            for key, column, before, after in changes_between(known, decisions).rows
        ]
    )


def keep(chain: Chain) -> tuple[Chain, Reason | None]:
    """Write what a run adds to the chain; the chain as it then is, and a note where it can't be written.

    Raises
    ------
    RewrittenError, ReadError
        As :func:`hold`, of what another run wrote in the meantime.
    """
    chain = hold(chain.home, chain.decisions)
    path = chain.home.state
    if path is None or not chain.fresh:
        return chain, None
    try:
        if chain.entries[0].edited is not None and len(chain.entries) == 1 and path.exists():
            path.rename(path.with_name(chain.entries[0].edited))
        written = path.read_text(encoding="utf-8") if path.exists() else ""
        write_whole(path, written + _line(chain.entries[-1], _last_digest(written)) + "\n")
    except (OutputError, OSError):
        return replace(chain, fresh=False), Reason("decisions.not_kept", file=f"{STATE}/{FILE}")
    return chain, None


def held(entries: list[Entry]) -> Decisions:
    """Decisions that a chain holds, as its last entry left them."""
    decisions: Decisions = {}
    for entry in entries:
        decisions |= entry.decisions
        for name in entry.gone:
            decisions.pop(name, None)
    return decisions


def read_chain(path: Path) -> list[Entry]:
    """Entries of a chain, each held to its digest and to the entry before; none where there is no file.

    Raises
    ------
    RewrittenError
        A line was edited, moved or taken out after it was written.
    ReadError
        The file can't be read.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ReadError(f"{path}: can't be read ({error.strerror}); give yourself the right to read it") from None
    entries: list[Entry] = []
    before = ""
    for number, line in enumerate(_lines(text), start=1):
        entry, before = _checked(path, number, line, before)
        entries.append(entry)
    if not entries:
        raise _edited(path, "it is empty")
    return entries


def _checked(path: Path, number: int, line: str, before: str) -> tuple[Entry, str]:
    """The entry of a line, and its digest."""
    try:
        values = json.loads(line)
        digest = values.pop("digest")
        linked = values.pop("before") == before and digest == _digest(values, before)
        entry = Entry(**values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _edited(path, f"line {number} is no entry") from None
    if not linked:
        raise _edited(path, f"the digest of line {number} does not hold")
    return entry, digest


def _digest(values: Mapping[str, object], before: str) -> str:
    """SHA-256 of an entry and of the digest before it."""
    text = json.dumps([before, values], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", errors="surrogatepass")).hexdigest()


def _line(entry: Entry, before: str) -> str:
    values = {name: value for name, value in vars(entry).items() if value not in (None, [])}
    return json.dumps({"digest": _digest(values, before), "before": before} | values, ensure_ascii=False)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _last_digest(text: str) -> str:
    lines = _lines(text)
    return str(json.loads(lines[-1])["digest"]) if lines else ""


def _free_name(path: Path) -> Path:
    """A name beside the chain that no file bears, for one that does not hold together."""
    number = 1
    while (beside := path.with_name(f"decisions-edited-{number}.jsonl")).exists():
        number += 1
    return beside


def _few(names: list[str]) -> list[str]:
    more = len(names) - _NAMED
    return names if more <= 0 else [*names[:_NAMED], f"{more:,} more"]


def _rewritten(folder: Path, rows: list[tuple[str, str, str, str]], names: list[str]) -> RewrittenError:
    are, them, they = ("decision is", "it", "it was") if len(names) == 1 else ("decisions are", "them", "they were")
    return RewrittenError(
        f"{folder / 'plan.toml'}: HISTORY WAS REWRITTEN: {len(names):,} earlier {are} changed or gone "
        f"({', '.join(_few(names))}); put {them} back as {they} and enter what is new as a decision of its own, or say "
        'why with clearplan run --accept-rewritten "reason"',
        rows,
    )


def _edited(path: Path, why: str) -> RewrittenError:
    return RewrittenError(
        f"{path}: THE CHAIN OF DECISIONS WAS EDITED: {why}; put the file back as it was, or begin a new one with "
        'clearplan run --accept-rewritten "reason"',
        [],
    )


def _note(entry: Entry) -> Reason:
    day, reason = dt.date.fromisoformat(entry.on), str(entry.reason)
    if entry.edited is not None:
        return Reason("decisions.chain_edited", day=day, acceptance=reason)
    names = _few(entry.rewritten)
    return Reason("decisions.rewritten", count=len(entry.rewritten), day=day, decisions=names, acceptance=reason)
