"""List of the slices for training, without their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gliomask.errors import CasesError, ConfigError, StoreError, nearest, option
from gliomask.store.manifest import StoredCase
from gliomask.store.store import Store

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_NAMED = 5
"""Maximum number of patients in an error message."""


@dataclass(frozen=True, eq=False)
class Catalogue:
    """The M annotated slices of some cases, sorted by case.

    Unannotated slices are not included: they are unknown, not background.

    Attributes:
        cases: K cases, sorted by id.
        sequences: C names, the channels of an image in order.
        present: (K, C), whether a case has the sequence.
        case: (M,) index into ``cases`` of each slice.
        slice: (M,) index of the slice within its case.
        tumour: (M,), whether the slice contains tumour.
    """

    cases: tuple[StoredCase, ...]
    sequences: tuple[str, ...]
    present: BoolArray
    case: IntArray
    slice: IntArray
    tumour: BoolArray

    def __len__(self) -> int:
        return len(self.case)

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients of the cases, sorted."""
        return tuple(sorted({case.patient for case in self.cases}))

    def patient_of_rows(self, rows: IntArray) -> IntArray:
        """(n,) index into ``patients`` for each of these slices."""
        order = {patient: index for index, patient in enumerate(self.patients)}
        of_case = np.array([order[case.patient] for case in self.cases], np.int64)
        return of_case[self.case[rows]]

    def labels(self, rows: IntArray, regions: Sequence[str]) -> BoolArray:
        """(n, R), whether the masks of these slices' data sets label each region."""
        known = [[region in case.regions for region in regions] for case in self.cases]
        return np.array(known, bool).reshape(len(self.cases), len(regions))[self.case[rows]]

    def rows_of(self, case: int) -> IntArray:
        """Rows of a case, which are consecutive."""
        first, last = np.searchsorted(self.case, [case, case + 1])
        return np.arange(first, last)

    def beside(self, rows: IntArray, side: Literal[-1, 1]) -> IntArray:
        """(n,) rows of the neighbouring slices, below or above; the slice itself if the neighbour
        does not exist or is not annotated."""
        next_to = np.clip(rows + side, 0, len(self) - 1)
        adjoins = self.slice[next_to] == self.slice[rows] + side
        return np.where(adjoins & (self.case[next_to] == self.case[rows]), next_to, rows)

    def name(self, row: int) -> str:
        """Name of a slice in messages: its case and its number from 1."""
        return f"{self.cases[self.case[row]].id} slice {self.slice[row] + 1}"


_MISSING = (
    f"train with sequence dropout, {option('changes', 'input.dropout=0.2')}, or on others, "
    f"{option('changes', 'input.sequences=[t1, flair]')}"
)


def choose_sequences(store: Store, sequences: tuple[str, ...] | None) -> tuple[str, ...]:
    """Sequences of the recipe, or all sequences of the store.

    Raises:
        ConfigError: the store does not contain this sequence.
    """
    known = store.manifest.sequences
    for name in sequences or ():
        if name not in known:
            raise ConfigError(
                "the store does not contain this sequence",
                field="input.sequences",
                found=name,
                allowed=", ".join(known),
                hint=nearest(name, known),
            )
    return known if sequences is None else sequences


def list_slices(
    store: Store,
    case_ids: Sequence[str],
    sequences: tuple[str, ...],
    *,
    all_needed: bool,
    part: str = "training",
) -> Catalogue:
    """Collect the annotated slices of cases.

    Args:
        store: store of the cases.
        case_ids: cases of a part of its split.
        sequences: the channels.
        all_needed: whether a case must have every sequence (otherwise one is enough).
        part: name of the part, for errors.

    Raises:
        CasesError: cases lack required sequences.
        StoreError: there is no slice, or no slice with tumour.
    """
    cases = tuple(store.case(case_id) for case_id in sorted(case_ids))
    present = np.array([[s in case.sequences for s in sequences] for case in cases], bool)
    present = present.reshape(len(cases), len(sequences))
    _check_sequences(store, cases, sequences, present, all_needed)
    annotated = [np.flatnonzero(case.annotated) for case in cases]
    counts = [len(slices) for slices in annotated]
    tumour = [np.array(c.tumour_px)[a] > 0 for c, a in zip(cases, annotated, strict=True)]
    if not any(has_tumour.any() for has_tumour in tumour):
        names = ", ".join(sorted({case.patient for case in cases})[:_NAMED]) or "none"
        what = f"no slice with tumour in the {len(cases)} cases of the {part} patients"
        hint = (
            "prepare a store with tumour in every part of the split: "
            f"{option('seed', 1, command='prepare')}, or another share or split"
        )
        raise StoreError(what, path=store.path, field="patients", found=names, hint=hint)
    return Catalogue(
        cases=cases,
        sequences=sequences,
        present=present,
        case=np.repeat(np.arange(len(cases)), counts),
        slice=np.concatenate(annotated).astype(np.int64),
        tumour=np.concatenate(tumour),
    )


def _check_sequences(
    store: Store,
    cases: tuple[StoredCase, ...],
    sequences: tuple[str, ...],
    present: BoolArray,
    all_needed: bool,
) -> None:
    enough = np.all if all_needed else np.any
    problems = []
    for case, sequences_present in zip(cases, present, strict=True):
        if not enough(sequences_present):
            missing = [name for name in sequences if name not in case.sequences]
            problems.append((case.id, f"has no {', '.join(missing)}"))
    if problems:
        raise CasesError(
            f"{len(problems)} of {len(cases)} cases lack sequences, first {problems[0][0]}",
            problems,
            path=store.path,
            hint=_MISSING if all_needed else None,
        )
