"""What a state would file of a study: its treaty clock, and the tables of what remains, was released and is planned."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from clearplan.core.reason import Reason
from clearplan.treaty.clock import Clock


@dataclass(frozen=True)
class Dossier:
    """The treaty clock of a study (:mod:`clearplan.treaty.clock`) and its tables.

    Those of the past are of :mod:`clearplan.treaty.filed`, those of the plan of :mod:`clearplan.treaty.milestones`.

    clock : with the ground that counts and the rates
    obligations : what the convention asks of its states parties
    remaining, released : ground by district, class and ordnance, and what was released of it in each year
    milestones, planned : what the plan asks of its teams and means to release; None without a plan of work
    achieved : what came of the plan in force; None without one
    currency : of the costs
    notes : what a reader must know beside the clock's sentences
    """

    clock: Clock
    obligations: pd.DataFrame
    remaining: pd.DataFrame
    released: pd.DataFrame
    milestones: pd.DataFrame | None = None
    planned: pd.DataFrame | None = None
    achieved: pd.DataFrame | None = None
    currency: str = ""
    notes: tuple[Reason, ...] = ()

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables to file that there are, by name."""
        names = ("remaining", "released", "milestones", "planned", "achieved")
        return {name: table for name in names if (table := getattr(self, name)) is not None}
