"""The option ``--labels``: what the numbers in masks mean."""

from __future__ import annotations

from typing import Annotated

import typer

AUTO = "auto"
"""Go by what is stated, the names and the numbers; ask where these leave doubt."""
LabelsOption = Annotated[
    str,
    typer.Option(
        metavar="SCHEME",
        help="What numbers in masks mean: binary, brats2021, brats2023, brats2024, brats-ped2024, "
        "msd, ..., threshold=128, or 1=oedema,2=necrosis,3=enhancing (default: auto).",
    ),
]
