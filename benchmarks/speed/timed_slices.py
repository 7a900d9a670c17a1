"""Slices for time measurements of networks: from a given store, or of a phantom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import FloatArray
from gliomask.learning.catalogue import Catalogue, list_slices
from gliomask.learning.dataset import StoreSlices
from gliomask.store.store import Store, open_store

REGION = "whole"
PHANTOM_PATIENTS = 8
"""Enough for a split with a patient in each part."""


@dataclass(frozen=True, eq=False)
class Slices:
    """Slices with tumour on the network's grid.

    Attributes:
        images: (N, C, size, size) float32; masks: (N, size, size) bool.
    """

    images: FloatArray
    masks: npt.NDArray[np.bool_]


def phantom_store(folder: Path, patients: int = PHANTOM_PATIENTS) -> Path:
    """A store of synthetic patients with four sequences: its path."""
    from gliomask.phantom.cohort import write_cohort
    from gliomask.workflows.prepare import PrepareOptions, prepare

    cohort = write_cohort(folder / "cohort", "brats", patients, seed=0)
    prepare(PrepareOptions(sources=(cohort,), out=folder / "store", workers=1))
    return folder / "store"


def tumour_slices(path: Path, sequences: tuple[str, ...], size: int, count: int) -> Slices:
    """So many slices with tumour, evenly spread over the cases that have all the sequences.

    Raises:
        StoreError: it is no store, or there is no slice with tumour.
        ValueError: no case has all the sequences.
    """
    store = open_store(path)
    catalogue = _catalogue(store, sequences)
    rows = np.flatnonzero(catalogue.tumour)
    rows = rows[np.linspace(0, len(rows) - 1, count).round().astype(np.int64)]
    images, bits = StoreSlices(store, catalogue, size, (REGION,)).fetch(rows)
    return Slices(images.float().numpy(), bits.numpy() > 0)


def _catalogue(store: Store, sequences: tuple[str, ...]) -> Catalogue:
    able = [case.id for case in store.cases if set(sequences) <= set(case.sequences)]
    if not able:
        raise ValueError(f"{store.path}: no case has all of {', '.join(sequences)}")
    return list_slices(store, able, sequences, all_needed=True)
