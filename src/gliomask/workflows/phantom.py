"""``phantom``: a synthetic cohort in the layout of a published data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from gliomask.config import Options
from gliomask.jobs.control import SILENT, Control
from gliomask.phantom.cohort import write_cohort


class PhantomOptions(Options):
    """What ``phantom`` is asked to make."""

    out: Path
    """A new or empty folder."""
    layout: str = "brats"
    """The data set whose layout to write."""
    patients: Annotated[int, Field(ge=1)] = 12
    """How many."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Same seed, same cohort."""


def phantom(options: PhantomOptions, control: Control = SILENT) -> Path:
    """Writes a cohort and returns the root of the data set.

    Raises:
        ConfigError: an unknown layout.
        InputError: the folder is not empty.
    """
    return write_cohort(
        options.out, options.layout, options.patients, options.seed, control=control
    )
