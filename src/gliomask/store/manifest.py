"""Manifest of a store: one JSON file that is read before any pixel."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gliomask.config import allowed
from gliomask.core import atomic
from gliomask.core.geometry import Plane
from gliomask.core.slices import VERSION as PREPROCESSING
from gliomask.core.split import FoldBy, Parts, Split
from gliomask.errors import StoreError

FORMAT = 1
"""Of the store: another one can't be read."""
MANIFEST, SPLIT, PATIENTS = "manifest.json", "split.json", "patients"
_MAX_BYTES = 256 * 2**20


class StoredCase(BaseModel):
    """One case of a store.

    Attributes:
        id: of the case; patient: the key of its patient.
        site: hospital or scanner, where known; source: layout that it came from.
        sequences: of its image array, in order.
        shape: (S, H, W) of its cropped slices.
        grid: (I, J, K) of its original volume.
        pixel_mm: (row, column) spacing; slice_mm: between slices; 1 where there is no world.
        has_world: whether millimetres mean anything.
        tumour_px: pixels of tumour (region ``whole``) in each slice, cropped or not.
        tumour_ml: volume of the tumour; in pixels/1000 where there is no world.
        annotated: for each slice, whether someone looked for tumour in it.
        regions: in its mask.
        training_only: its patient takes no part in validation and test.
        plane: of its slices, which are the axial ones after ``core.geometry.turned_world``.
        licence: of its data; synthetic: made by the phantom; notes: of the reader.
        fingerprint: SHA-256 of the files and rules that it was made from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    patient: str
    site: str | None
    source: str
    sequences: tuple[str, ...]
    shape: tuple[int, int, int]
    grid: tuple[int, int, int]
    pixel_mm: tuple[float, float]
    slice_mm: float
    has_world: bool
    tumour_px: tuple[int, ...]
    tumour_ml: float
    annotated: tuple[bool, ...]
    regions: tuple[str, ...]
    licence: str | None
    synthetic: bool
    notes: tuple[str, ...]
    fingerprint: str
    training_only: bool = False
    plane: Plane = "axial"


class StoreManifest(BaseModel):
    """A whole store.

    Attributes:
        format: of the store; preprocessing: of ``core.slices``.
        name: display name.
        sequences: of all cases together, in canonical order.
        regions: regions that the mask of at least one case labels (each case lists its own).
        licences: of the data, each once; synthetic: all of it was made by the phantom.
        cases: sorted by id.
        crossing: coronal and sagittal slices of some of these cases, for training, sorted by id.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = FORMAT
    preprocessing: int = PREPROCESSING
    name: str
    sequences: tuple[str, ...]
    regions: tuple[str, ...]
    licences: tuple[str, ...]
    synthetic: bool
    cases: Annotated[tuple[StoredCase, ...], Field(min_length=1)]
    crossing: tuple[StoredCase, ...] = ()


class _PartsFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


class _SplitFile(_PartsFile):
    seed: int
    folds: tuple[_PartsFile, ...] = ()
    fold_by: FoldBy = "size"
    fold_names: tuple[str, ...] = ()


def read_manifest(store: Path) -> StoreManifest:
    """The manifest of a store.

    Raises:
        StoreError: there is none, it is damaged, or it is of another version.
    """
    path = store / MANIFEST
    if not path.is_file():
        hint = "make one from a data set with `gliomask prepare`"
        raise StoreError(f"not a store: it contains no {MANIFEST}", path=store, hint=hint)
    keys = _load(path)
    for field, expected in (("format", FORMAT), ("preprocessing", PREPROCESSING)):
        if keys.get(field) != expected:
            raise StoreError(
                "a store of another version",
                path=path,
                field=field,
                found=keys.get(field),
                allowed=str(expected),
                hint="recreate it with `gliomask prepare`",
            )
    try:
        return StoreManifest.model_validate(keys)
    except ValidationError as problem:
        raise _unfit(path, problem) from None


def write_manifest(store: Path, manifest: StoreManifest) -> None:
    """Write the manifest atomically."""
    atomic.write_text(store / MANIFEST, manifest.model_dump_json(indent=1) + "\n")


def read_split(path: Path) -> Split:
    """A split file.

    Raises:
        StoreError: it is absent or damaged, or a patient is on two sides of it.
    """
    if not path.is_file():
        raise StoreError("no such split file", path=path)
    try:
        file = _SplitFile.model_validate(_load(path))
    except ValidationError as problem:
        raise _unfit(path, problem) from None
    try:
        holdout, *folds = (Parts(p.train, p.validation, p.test) for p in (file, *file.folds))
    except ValueError as problem:
        raise StoreError(f"a patient is in two parts of the split: {problem}", path=path) from None
    try:
        return Split(holdout, tuple(folds), file.seed, file.fold_by, file.fold_names)
    except ValueError as problem:
        raise StoreError(str(problem), path=path) from None


def write_split(path: Path, split: Split) -> None:
    """Write a split file atomically."""
    keys = {
        "seed": split.seed,
        "fold_by": split.fold_by,
        "fold_names": split.fold_names,
        **dict(split.holdout.named()),
        "folds": [dict(fold.named()) for fold in split.folds],
    }
    atomic.write_text(path, json.dumps(keys, indent=1) + "\n")


def _load(path: Path) -> dict[str, object]:
    if path.stat().st_size > _MAX_BYTES:
        raise StoreError("too large to be read", path=path)
    try:
        keys = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as problem:
        raise StoreError(f"not JSON: {problem}", path=path) from None
    if not isinstance(keys, dict):
        raise StoreError("not a JSON object", path=path)
    return keys


def _unfit(path: Path, problem: ValidationError) -> StoreError:
    first = problem.errors()[0]
    field = ".".join(str(part) for part in first["loc"])
    return StoreError(
        "damaged", path=path, field=field, found=first["input"], allowed=allowed(first)
    )
