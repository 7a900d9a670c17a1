"""Check that a table of patients is of the evaluated patients."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from gliomask.core.counted import listed
from gliomask.datasets.patient_table import PATIENT
from gliomask.errors import InputError, nearest

_SHOWN = 3


def check_trait_table(
    table: Path | None, listed_patients: Collection[str], evaluated: Iterable[str]
) -> tuple[str, ...]:
    """Refuse a table that lists none of the evaluated patients; it may list others too.

    Args:
        table: the file; None if there is none.
        listed_patients: patients in it.
        evaluated: patients to evaluate; without any there is nothing to check.

    Returns:
        a warning if it lists only some of them.

    Raises:
        InputError: it lists none of them.
    """
    patients = set(evaluated)
    if table is None or not patients:
        return ()
    unlisted = patients.difference(listed_patients)
    if unlisted != patients:
        return (_warning(table, unlisted, len(patients)),) if unlisted else ()
    first = min(listed_patients, default="")
    raise InputError(
        "contains none of the evaluated patients",
        path=table,
        field=PATIENT,
        found=first,
        allowed=listed(sorted(patients), _SHOWN),
        hint=nearest(first, patients),
    )


def _warning(table: Path, unlisted: Collection[str], patients: int) -> str:
    names = listed(sorted(unlisted), _SHOWN)
    return (
        f"{table.name} lacks {len(unlisted)} of the {patients} evaluated patients, so their values "
        f"are unknown: {names}"
    )
