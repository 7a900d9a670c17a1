"""Data of a training: training and validation patients, and the storage of their pixels."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import torch

from gliomask.config import Recipe
from gliomask.core.split import Parts
from gliomask.errors import ConfigError, StoreError
from gliomask.jobs.control import Control
from gliomask.learning.catalogue import Catalogue, choose_sequences, list_slices
from gliomask.learning.dataset import Slices, StoreSlices, keep, needed_bytes
from gliomask.learning.memory import device_budget, memory_budget
from gliomask.machine.processors import read_processors
from gliomask.store.store import Store

_MOST_READERS = 8


@dataclass(frozen=True, eq=False)
class TrainingSelection:
    """Part of a store that a training uses.

    Attributes:
        store: the store.
        parts: the case ids.
        fold: their fold, None for the hold-out split and for all patients.
        sequences: C names.
        training, validation: the slices of both parts; without validation if all patients are used
            for training.
    """

    store: Store
    parts: Parts
    fold: int | None
    sequences: tuple[str, ...]
    training: Catalogue
    validation: Catalogue | None

    @property
    def identity(self) -> dict[str, Any]:
        """Values that must be equal on resume: store, split and fold."""
        manifest = self.store.manifest.model_dump_json()
        named = json.dumps(self.parts.named())
        return {
            "store": hashlib.sha256(manifest.encode()).hexdigest(),
            "split": hashlib.sha256(named.encode()).hexdigest(),
            "fold": self.fold,
        }

    @property
    def validation_patients(self) -> tuple[str, ...]:
        """Validation patients, sorted; may be empty."""
        return self.validation.patients if self.validation is not None else ()


def choose_data(
    store: Store, recipe: Recipe, fold: int | None = None, *, all_patients: bool = False
) -> TrainingSelection:
    """Select the training data, without reading pixels.

    Args:
        store: the store.
        recipe: its sequences and regions.
        fold: fold with the test patients; the hold-out split if None.
        all_patients: train on all patients of the store instead.

    Raises:
        StoreError: the fold does not exist, or a part is empty or contains no tumour.
        ConfigError: the store lacks a sequence or a region of the recipe.
        CasesError: cases lack sequences that the recipe needs.
    """
    unknown = [region for region in recipe.regions if region not in store.manifest.regions]
    if unknown:
        raise ConfigError(
            "the masks of the store do not label this region",
            path=store.path,
            field="regions",
            found=unknown[0],
            allowed=", ".join(store.manifest.regions),
        )
    all_ids = tuple(case.id for case in store.cases)
    parts = Parts(all_ids, (), ()) if all_patients else store.parts(fold)
    for name, ids in (("train", parts.train), ("validation", parts.validation)):
        if not ids and not all_patients:
            where = "hold-out split" if fold is None else f"split of fold {fold}"
            raise StoreError(
                f"the {where} has no {name} patients",
                path=store.path,
                hint="prepare a store with more patients",
            )
    sequences = choose_sequences(store, recipe.input.sequences)
    needed = recipe.input.mode == "stacked" and recipe.input.dropout == 0
    patients = {store.case(case_id).patient for case_id in parts.train}
    crossing = [case.id for case in store.manifest.crossing if case.patient in patients]
    training = list_slices(store, (*parts.train, *crossing), sequences, all_needed=needed)
    validation = None
    if parts.validation:
        validation = list_slices(
            store, parts.validation, sequences, all_needed=needed, part="validation"
        )
    return TrainingSelection(store, parts, fold, sequences, training, validation)


def open_slices(
    choice: TrainingSelection,
    recipe: Recipe,
    device: torch.device,
    processes: int,
    control: Control,
) -> tuple[Slices, Slices | None]:
    """Open the pixels of training and validation: on the device if they fit, else in memory or on
    disk.

    Args:
        choice: the slices.
        recipe: size and regions.
        device: device of the network.
        processes: number of processes on this machine; each keeps all slices.
        control: receives the progress of reading.

    Raises:
        StoreError: a case can't be read.
    """
    size = recipe.input.size
    both = [part for part in (choice.training, choice.validation) if part is not None]
    sources = [StoreSlices(choice.store, part, size, recipe.regions) for part in both]
    needed = sum(needed_bytes(part, size) for part in both)
    if needed <= device_budget(device):
        target = device
    elif needed <= memory_budget(processes):
        target = torch.device("cpu")
    else:
        return sources[0], sources[1] if len(sources) > 1 else None
    threads = min(_MOST_READERS, read_processors().usable)
    control.start(sum(len(part.cases) for part in both), "reading slices")
    storage = [keep(source, target, threads, control) for source in sources]
    return storage[0], storage[1] if len(storage) > 1 else None
