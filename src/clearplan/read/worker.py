"""A large file is parsed in a process of its own, which a crash or a hang of a library can't take further."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from clearplan.core.errors import ReadError
from clearplan.read.archives import members
from clearplan.settings.limits import LimitSettings

LARGE_BYTES = 64 << 20  # below, starting a process takes longer than reading

_CODE = """
import importlib, pickle, sys
from pathlib import Path
module, name, place = sys.argv[1:]
arguments = pickle.loads(Path(place, "arguments").read_bytes())
try:
    answer = getattr(importlib.import_module(module), name)(*arguments)
except Exception as error:
    answer = error
Path(place, "answer").write_bytes(pickle.dumps(answer))
"""


def is_large(path: Path) -> bool:
    """Whether a file holds much, packed or unpacked."""
    if path.suffix.lower() in (".zip", ".kmz", ".xlsx"):
        return sum(entry.file_size for entry in members(path)) > LARGE_BYTES
    return path.is_file() and path.stat().st_size > LARGE_BYTES


def apart(module: str, name: str, path: Path, *more: object, limits: LimitSettings) -> object:
    """What a function of a module returns for a file, worked out in a process that is ended when its time is over.

    Raises
    ------
    ReadError
        It takes longer than the limit, or its process ends before it answers.
    """
    with TemporaryDirectory(prefix="clearplan-") as place:
        Path(place, "arguments").write_bytes(pickle.dumps((path, *more)))
        # -P: no module of the user's folder takes the place of a library.
        command = [sys.executable, "-P", "-c", _CODE, module, name, place]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limits.max_seconds)
        except subprocess.TimeoutExpired:
            raise ReadError(
                f"{path}: takes more than {limits.max_seconds:,} s to read (max_seconds in [limits]); make it smaller"
            ) from None
        answer = Path(place, "answer")
        if not answer.is_file():
            raise ReadError(f"{path}: can't be read (its reader ended with code {done.returncode}); save it again")
        result: object = pickle.loads(answer.read_bytes())
    if isinstance(result, Exception):
        raise result
    return result
