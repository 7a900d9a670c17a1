"""The options of ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.choices import DeviceOption


class TrainOptions(Options):
    """Options of ``train``."""

    store: Path
    """Store written by prepare."""
    out: Path
    """Run folder to write."""
    recipe: str | None = None
    """Training recipe: a name or a YAML file (default: the recipe called default, or when resuming
    the one of the run)."""
    changes: tuple[str, ...] = ()
    """Change a value of the recipe, e.g. optimiser.lr=0.0003."""
    fold: Annotated[int, Field(ge=0)] | None = None
    """Fold of the cross-validation to hold out as test patients (default: the hold-out split)."""
    all_patients: bool = False
    """Train on all patients of the store and keep the last epoch: there are no validation patients.
    Calibrate the model afterwards with the run folders of a cross-validation."""
    calibration: bool = True
    """Calibrate the probabilities on the validation patients at the end."""
    start: Path | None = None
    """Model or weight file to start from, instead of random weights."""
    teacher: Path | None = None
    """Model to distil from; loss.teacher in the recipe is its weight in the training target."""
    resume: bool = False
    """Resume an interrupted training in the run folder."""
    device: DeviceOption = "auto"
    devices: Annotated[int, Field(ge=1)] | None = None
    """Number of devices on each machine (default: 1, or as set by torchrun)."""
    nodes: Annotated[int, Field(ge=1)] | None = None
    """Number of machines (default: 1, or as set by torchrun)."""
    workers: Annotated[int, Field(ge=0)] | None = None
    """Number of threads that prepare batches (default: as many as are useful)."""
    execution: Literal["auto", "eager", "graph", "compiled"] = "auto"
    """Execution of training steps on a GPU: eager, graph (recorded CUDA graph) or compiled (graph
    and torch.compile); auto is graph on a single GPU."""
