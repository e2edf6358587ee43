"""What every output states of itself: title, day, disclaimers, fingerprint, CRS, and for whom it is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

#: Sentences that stand on every output.
ILLUSTRATIVE = "Illustrative data, not for operational use."
NOT_FOR_ENTRY = "Not for navigation or entry. Unmarked land is unknown land, not land without hazard."
BOUNDARIES = "The boundaries and names shown and the designations used do not imply official endorsement or acceptance."


@dataclass(frozen=True)
class Imprint:
    """What every output states of itself.

    Parameters
    ----------
    title : str
        Of the output.
    as_at : date
        The day that everything in it describes.
    notice : str
        Disclaimers and fingerprint in full, as they stand at its foot or in a column.
    fingerprint : str
        Of the run.
    crs : str
        The working CRS in words.
    illustrative : bool
        Whether any input is made up, which the output then states loudly.
    tier : str
        For whom the output is, in words.
    """

    title: str
    as_at: dt.date
    notice: str
    fingerprint: str
    crs: str = ""
    illustrative: bool = False
    tier: str = ""

    @property
    def warning(self) -> str:
        """The loud sentence of an output with made-up input; blank where all of it is real.

        >>> Imprint("Fizuli", dt.date(2024, 6, 30), "", "abc", illustrative=True).warning
        'Illustrative data, not for operational use.'
        """
        return ILLUSTRATIVE if self.illustrative else ""

    @property
    def foot(self) -> str:
        """The notice, never without the disclaimers that all outputs carry, the day and the fingerprint.

        >>> Imprint("Fizuli", dt.date(2024, 6, 30), "Made up.", "abc").foot
        'Made up. Not for navigation or entry. ... or acceptance. As at 2024-06-30. Fingerprint abc.'
        """
        lacking = [words for words in (NOT_FOR_ENTRY, BOUNDARIES) if words not in self.notice]
        if self.fingerprint not in self.notice:
            lacking.append(f"As at {self.as_at}. Fingerprint {self.fingerprint}.")
        return " ".join([self.notice, *lacking]).strip()
