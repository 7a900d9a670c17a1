"""Values and descriptions of options that several use cases share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

Device = Literal["auto", "cpu", "cuda"]
EngineName = Literal["auto", "mnn", "onnxruntime", "openvino", "torch"]
Part = Literal["train", "validation", "test", "all"]
"""A part of a store's split."""
AUTO: Final = "auto"
"""Default value of ``labels``: the meaning of the numbers in masks is not stated."""

DeviceOption = Annotated[
    Device, Field(description="Device to compute on; auto uses a GPU if there is one.")
]
EngineOption = Annotated[
    EngineName,
    Field(description="Library that runs the network; auto uses the fastest that is installed."),
]
LabelsOption = Annotated[
    str,
    Field(
        description="Meaning of the numbers in the masks: binary, brats2021, brats2023, brats2024, "
        "brats-ped2024, msd, ..., threshold=128, or 1=oedema,2=necrosis,3=enhancing; auto decides "
        "by file names and numbers, and stops if they are ambiguous."
    ),
]
ProcessesOption = Annotated[
    Annotated[int, Field(ge=1)] | None,
    Field(description="Number of worker processes (default: one per processor)."),
]
SeedOption = Annotated[int, Field(ge=0)]
FiguresOption = Annotated[
    int,
    Field(ge=0, description="Number of cases to draw, spread from the worst to the best."),
]
ReportOption = Annotated[
    bool, Field(description="Write the report and its figures, not only the numbers.")
]
TableOption = Annotated[
    Path | None,
    Field(description="CSV table of patients (column patient) whose columns can group scores."),
]
ByOption = Annotated[
    tuple[str, ...], Field(description="Column of the table of patients to group scores by.")
]
