"""Options that resolve an ambiguous sequence of a file or series."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from gliomask.core.volume import SEQUENCES
from gliomask.errors import option
from gliomask.formats.dicom.tags import SeriesTags

_COLUMNS = f"columns patient, {', '.join(SEQUENCES)}, mask"
TABLE = f"; for many cases list the files in a table ({_COLUMNS})"
"""Hint if many cases are ambiguous."""
IN_A_TABLE = f"list the files to use in a CSV table ({_COLUMNS}) and give that table instead"
"""Hint for a case whose files do not match its layout."""


def ask_file(path: Path, candidates: Collection[str] = ()) -> str:
    """Hint with the options that state the sequence of a file; all without candidates.

    >>> ask_file(Path("a.nii"), {"t1"})
    'state which it is, `predict t1=a.nii`, and the other files in the same way'
    """
    meant = _ordered(candidates) or SEQUENCES
    options = " or ".join(option(sequence, path, command="predict") for sequence in meant)
    return f"state which it is, {options}, and the other files in the same way"


def ask_files(paths: Iterable[Path], sequence: str) -> str:
    """Hint with the options that choose one of several files for a sequence."""
    options = " or ".join(option(sequence, path, command="predict") for path in paths)
    return f"state which one, {options}, and the other files in the same way"


def ask_series(
    tags: SeriesTags, candidates: Collection[str], where: str = "if it is one, state it"
) -> str:
    """Hint with the options that state the sequence of a series."""
    called = tags.series_number if tags.series_number.isdecimal() else tags.series_uid
    meant = _ordered(candidates) if len(candidates) <= 2 else ["SEQUENCE"]
    options = " or ".join(option("series", f"{sequence}={called}") for sequence in meant)
    return f"{where}: {options}"


def _ordered(candidates: Collection[str]) -> list[str]:
    return [sequence for sequence in SEQUENCES if sequence in candidates]
