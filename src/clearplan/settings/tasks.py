"""Settings of the tasks: how areas are cut into workable pieces."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from clearplan.settings.base import QUEUES, Metres, Queue, Settings


class TaskSettings(Settings):
    """How areas are cut into workable pieces."""

    influence_m: Metres = Field(description="A zone is affected by what lies within this distance [m].")
    max_task_ha: dict[Queue, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        description="Largest task per queue [ha]."
    )
    min_task_m2: float = Field(ge=0, allow_inf_nan=False, description="Smaller pieces join a neighbour [m2].")
    join_within_m: Metres = Field(
        description="Smaller pieces join others of their class and district within this distance [m]; 0: that they "
        "touch."
    )

    home_m: Metres | None = Field(
        default=None,
        description="Where there is no plan of work: ground within this distance of a zone is the place itself, and "
        "tasks are cut along it [m]; else planning.home_m says so.",
    )

    @model_validator(mode="after")
    def _room_for_slivers(self) -> Self:
        for queue in QUEUES:
            if queue not in self.max_task_ha:
                raise ValueError(f"max_task_ha.{queue} is missing")
            if self.max_task_ha[queue] * 1e4 < 8 * self.min_task_m2:
                raise ValueError(f"max_task_ha.{queue} must be at least 8 x min_task_m2")
        return self
