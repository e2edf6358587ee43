"""Settings of the folders that a run writes on request."""

from __future__ import annotations

from pydantic import Field

from clearplan.settings.base import Settings


class OutputSettings(Settings):
    """Which folders a run writes beside its map, report, layers and tables; they decide no figure."""

    field: bool = Field(
        default=False,
        description="Folder 'field', for teams: tasks for handhelds (GPX, KMZ), dossiers of the first tasks, maps on "
        "paper. clearplan export writes each of them from a finished run.",
    )
    formats: bool = Field(
        default=False,
        description="Folder 'formats', for other systems: GeoParquet, shapefiles, IMSMA import sheets. clearplan "
        "export writes each of them from a finished run.",
    )
