"""Reader of a store: cases by id, slices by index."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.core.slices import SliceStack, StackRecord
from gliomask.core.split import Parts, Split
from gliomask.core.volume import FloatArray
from gliomask.errors import StoreError
from gliomask.store.manifest import SPLIT, StoredCase, StoreManifest, read_manifest, read_split
from gliomask.store.patient import ABSENT, open_case, patient_path

if TYPE_CHECKING:
    import zarr

Index = slice | Sequence[int] | None


class Store:
    """Prepared slices, read by case and slice. Safe to use from several processes.

    Attributes:
        path: of the store.
        manifest: its manifest.
        cases: its cases, sorted by id.
        split: by patient.
    """

    def __init__(self, path: Path, manifest: StoreManifest, split: Split) -> None:
        self.path, self.manifest, self.split = path, manifest, split
        self.cases: tuple[StoredCase, ...] = manifest.cases
        self._by_id = {case.id: case for case in (*self.cases, *manifest.crossing)}
        self._open = lru_cache(maxsize=256)(self._open_case)

    def __reduce__(self) -> tuple[Any, ...]:
        return Store, (self.path, self.manifest, self.split)

    def case(self, case_id: str) -> StoredCase:
        """One case's entry.

        Raises:
            StoreError: there is no such case.
        """
        if case_id not in self._by_id:
            raise StoreError(f"no case {case_id!r} in the store", path=self.path)
        return self._by_id[case_id]

    def parts(self, fold: int | None = None) -> Parts:
        """The case ids of train, validation and test, of the hold-out split or of a fold.

        Raises:
            StoreError: there is no such fold.
        """
        if fold is not None and not 0 <= fold < len(self.split.folds):
            last = len(self.split.folds) - 1
            raise StoreError(
                "no such fold", path=self.path, field="fold", found=fold, allowed=f"0 to {last}"
            )
        parts = self.split.parts(fold)
        train, validation, test = (self._cases_of(ids) for _, ids in parts.named())
        return Parts(train, validation, test)

    def images(self, case_id: str, slices: Index = None) -> FloatArray:
        """(S, C, H, W) float32: slices of the case's own sequences, normalised and cropped.

        Raises:
            StoreError: the case is missing or damaged (also for ``labels``, ``stack`` and
                ``reference``).
        """
        images = self._read(case_id, "images", slices).astype(np.float32)
        if np.isnan(images).any():
            raise self._damaged(case_id, "a slice is missing")
        return images

    def labels(self, case_id: str, slices: Index = None) -> LabelArray:
        """(S, H, W) uint8: our labels, cropped like the images."""
        top, bottom, left, right = self._open(case_id)[2].box
        return self._labels(case_id, slices)[:, top:bottom, left:right]

    def stack(self, case_id: str) -> SliceStack:
        """The whole case as input of prediction, with the record that undoes the preprocessing."""
        _, _, record = self._open(case_id)
        return SliceStack(self.images(case_id), self.case(case_id).sequences, record)

    def reference(self, case_id: str) -> LabelArray:
        """(S, H, W) uint8: our labels of its whole slices, which are not cropped."""
        return self._labels(case_id, None)

    def _labels(self, case_id: str, slices: Index) -> LabelArray:
        labels: LabelArray = self._read(case_id, "labels", slices)
        if (labels == ABSENT["labels"]).any():
            raise self._damaged(case_id, "a slice of the mask is missing")
        return labels

    def _read(self, case_id: str, name: str, slices: Index) -> np.ndarray[Any, Any]:
        images, labels, _ = self._open(case_id)
        try:
            return _pick(images if name == "images" else labels, slices)
        except (RuntimeError, ValueError, OSError) as problem:
            raise self._damaged(case_id, f"{name}: {problem}") from None

    def _damaged(self, case_id: str, what: str) -> StoreError:
        path = patient_path(self.path, self.case(case_id).patient)
        return StoreError(f"case {case_id} is damaged: {what}", path=path)

    def _cases_of(self, patients: tuple[str, ...]) -> tuple[str, ...]:
        names = set(patients)
        return tuple(case.id for case in self.cases if case.patient in names)

    def _open_case(self, case_id: str) -> tuple[zarr.Array[Any], zarr.Array[Any], StackRecord]:
        return open_case(self.path, self.case(case_id))


def open_store(path: str | Path) -> Store:
    """Opens a store: its manifest and split are read and checked, no pixels yet.

    Raises:
        StoreError: it is none, of another version, damaged, or its split names a patient on two
            sides or one that is not in the store.
    """
    path = Path(path)
    manifest = read_manifest(path)
    split = read_split(path / SPLIT)
    known = {case.patient for case in manifest.cases}
    for parts in (split.holdout, *split.folds):
        for name, patients in parts.named():
            unknown = set(patients) - known
            if unknown:
                raise StoreError(
                    f"patient {min(unknown)!r} in {name} is not in the store", path=path / SPLIT
                )
    return Store(path, manifest, split)


def _pick(array: zarr.Array[Any], slices: Index) -> np.ndarray[Any, Any]:
    if slices is None or isinstance(slices, slice):
        return np.asarray(array[slices if slices is not None else slice(None)])
    if not len(slices):
        return np.asarray(array[0:0])
    return np.stack([np.asarray(array[int(index)]) for index in slices])
