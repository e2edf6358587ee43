"""Which process left a file, and whether it has ended: of this computer that can be asked, of another it can't."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

#: The space of process numbers that is not inside a container, by Linux's name (include/linux/proc_ns.h).
_OUTERMOST = "pid:[4026531836]"


@dataclass(frozen=True)
class Process:
    """A process, as its files name it.

    host : name of the computer or container
    machine : id of the installation, by which two computers of one name differ
    space : space of process numbers; each container has its own
    boot : id of the start of the computer
    pid : number, used again after the process has ended
    ticks : start of the process since the start of the computer [clock ticks]; blank where the system doesn't say
    started_at : start of the process, for people; of the file where the system doesn't say
    """

    host: str
    machine: str
    space: str
    boot: str
    pid: int
    ticks: str
    started_at: str

    @property
    def text(self) -> str:
        """As JSON, which :func:`process_of` reads."""
        return json.dumps(asdict(self)) + "\n"

    @property
    def place(self) -> str:
        """Short digest of where the process runs: only there its number means anything."""
        return hashlib.sha256(f"{self.host}|{self.machine}|{self.space}".encode()).hexdigest()[:8]


def this_process() -> Process:
    """The process that asks.

    >>> has_ended(this_process())
    False
    """
    pid = os.getpid()
    ticks = _ticks(pid)
    return Process(
        host=platform.node(),
        machine=_line("/etc/machine-id"),
        space=_space(),
        boot=_line("/proc/sys/kernel/random/boot_id"),
        pid=pid,
        ticks=ticks,
        started_at=_time_of(ticks),
    )


def process_of(text: str) -> Process | None:
    """The process that a file names; None where it names none."""
    try:
        process = Process(**json.loads(text))
    except (ValueError, TypeError):
        return None
    return process if isinstance(process.pid, int) else None


def has_ended(process: Process) -> bool:
    """Whether a process is known to have ended: never of another computer or container, which can't be asked.

    A number that was given to a process of another start is that of another process.
    """
    here = this_process()
    if os.name != "posix" or process.place != here.place:
        return False
    if process.boot != here.boot:
        return here.space == _OUTERMOST  # a container may have moved to another computer and still run
    return not is_running(process.pid, process.ticks)


def is_running(pid: int, ticks: str) -> bool:
    """Whether a process with this number and start may run on this computer.

    >>> is_running(os.getpid(), "0")
    False
    """
    if os.name != "posix":
        return True  # there the question would end the process
    try:
        os.kill(pid, 0)  # signal 0 asks and does nothing
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    now = _ticks(pid)
    return not now or not ticks or now == ticks


def _ticks(pid: int) -> str:
    """Start of a process; another text for one that has ended and was not yet taken off the list; else blank."""
    words = _line(f"/proc/{pid}/stat").rpartition(")")[2].split()  # proc(5): state is field 3, start field 22
    if len(words) < 20:
        return ""
    return "ended" if words[0] in "ZX" else words[19]


def _space() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _line(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _time_of(ticks: str) -> str:
    """Start as a time in UTC; now where it isn't known."""
    now = time.time()
    if ticks.isdigit():
        now += int(ticks) / os.sysconf("SC_CLK_TCK") - time.clock_gettime(time.CLOCK_BOOTTIME)
    return dt.datetime.fromtimestamp(now, dt.UTC).isoformat(sep=" ", timespec="seconds")
