"""``correct``: check of a corrected mask, and writing of its files."""

from __future__ import annotations

from gliomask.config.correct import CorrectOptions as CorrectOptions
from gliomask.formats.editable_case import read_editable_case
from gliomask.jobs.control import SILENT, Control
from gliomask.results.correction.corrected import CorrectedMask, write_corrected


def correct(options: CorrectOptions, control: Control = SILENT) -> CorrectedMask:
    """Check a corrected mask and write its files.

    Raises:
        FormatError, CaseError: see ``write_corrected``.
    """
    control.check()
    return write_corrected(options, read_editable_case(options.case))
