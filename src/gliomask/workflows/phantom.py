"""``phantom``: a synthetic cohort in the layout of a published data set."""

from __future__ import annotations

from pathlib import Path

from gliomask.config.phantom import PhantomOptions as PhantomOptions
from gliomask.jobs.control import SILENT, Control
from gliomask.phantom.cohort import write_cohort


def phantom(options: PhantomOptions, control: Control = SILENT) -> Path:
    """Writes a cohort and returns the root of the data set.

    Raises:
        ConfigError: an unknown layout.
        InputError: the folder is not empty.
    """
    return write_cohort(
        options.out, options.layout, options.patients, options.seed, control=control
    )
