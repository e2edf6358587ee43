"""How large an input may be: so generous that only mistakes and attacks meet it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from clearplan.settings.base import Settings


class LimitSettings(Settings):
    """Limits of every input file; each refusal names the setting that raises it."""

    max_file_mb: Annotated[int, Field(ge=1)] = Field(
        default=2_000, description="Largest file, and to how much an archive may unpack [MB]."
    )
    max_rows: Annotated[int, Field(ge=1)] = Field(
        default=2_000_000, description="Most rows of a file, by what the file says of itself or by its rows."
    )
    max_unpack_factor: Annotated[int, Field(ge=1)] = Field(
        default=100, description="To how many times its own size an archive may unpack, above 64 MB."
    )
    max_seconds: Annotated[int, Field(ge=1)] = Field(
        default=600, description="How long reading one file of more than 64 MB may take [s]."
    )
