"""The options of ``bench``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gliomask.config.base import Options
from gliomask.config.model import Model


class BenchOptions(Options):
    """Options of ``bench``."""

    models: tuple[Model, ...] = ()
    """Model to measure at its own input size: a run folder, or the name of a model.
    Without any, networks with random weights are measured."""
    everything: bool = False
    """Measure the small network for tests and demos, too."""
    quick: bool = False
    """Measure at 128 pixels only, in a third of the time."""
    threads: Annotated[int, Field(ge=1)] | None = None
    """Number of threads (default: as many as a prediction uses)."""
    seconds: Annotated[float, Field(gt=0)] = 100.0
    """Time budget in seconds."""
