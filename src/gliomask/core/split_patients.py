"""Patients of a split, from their cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol

import numpy as np

from gliomask.core.split import Patient


class SplitCase(Protocol):
    """Properties of a case that a split depends on, see ``Case``."""

    @property
    def id(self) -> str: ...
    @property
    def patient(self) -> str: ...
    @property
    def site(self) -> str | None: ...
    @property
    def source(self) -> str: ...
    @property
    def training_only(self) -> bool: ...


def split_patients(cases: Iterable[tuple[SplitCase, float]]) -> list[Patient]:
    """Patients with the mean tumour size of their cases and the site of the first one by its id.

    Args:
        cases: each with the size of its tumour, in any unit and any order.
    """
    by_patient: dict[str, list[tuple[SplitCase, float]]] = defaultdict(list)
    for case, size in sorted(cases, key=lambda pair: pair[0].id):
        by_patient[case.patient].append((case, size))
    return [
        Patient(
            name,
            sized[0][0].site or sized[0][0].source,
            float(np.mean([size for _, size in sized])),
            any(case.training_only for case, _ in sized),
        )
        for name, sized in by_patient.items()
    ]
