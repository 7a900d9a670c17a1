"""One patient on disk: a Zarr v3 group with a group for each case, a chunk for each slice.

    patients/<patient>.zarr/<case>/images   (S, C, H, W) float16, normalised, cropped to the head
                                  /labels   (S, H', W') uint8, not cropped

The labels keep their whole slices, so that a score on the original grid misses nothing that the
crop of the images left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gliomask.core import atomic
from gliomask.core.case import Case
from gliomask.core.geometry import Orientation, Plane, to_reading, turned_world, voxel_ml
from gliomask.core.identity import safe_name
from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.slices import SliceStack, StackRecord, to_slices
from gliomask.core.volume import Volume
from gliomask.errors import StoreError
from gliomask.jobs.control import SILENT, Control
from gliomask.store.manifest import PATIENTS, StoredCase

if TYPE_CHECKING:
    import zarr

ABSENT = {"images": float("nan"), "labels": 255}
"""Value that no slice of an array contains, and that a slice without a file reads as."""
_SLICES = 16
"""Written at once; between them is a moment to stop."""
_UNREADABLE = (OSError, KeyError, ValueError, TypeError)
"""Errors of Zarr, its JSON and our checks for a damaged group."""


@dataclass(frozen=True, eq=False)
class LoadedCase:
    """A case that has been read: what goes into a store.

    Attributes:
        case: source of the images.
        volume: its sequences.
        labels: (I, J, K) our labels on the volume's grid.
        fingerprint: fingerprint of the source.
        plane: of the slices to store.
    """

    case: Case
    volume: Volume
    labels: LabelArray
    fingerprint: str
    plane: Plane = "axial"

    def cut(self, plane: Plane) -> LoadedCase:
        """The same images in slices of another plane, as a case of its own.

        Its id has a plus sign, which no other id contains (``identity.safe_name``).
        """
        case = replace(self.case, id=f"{self.case.id}+{plane}")
        volume = replace(self.volume, affine=turned_world(self.volume.affine, plane))
        return replace(self, case=case, volume=volume, plane=plane)


def patient_path(store: Path, patient: str) -> Path:
    """Path of the group of a patient."""
    return store / PATIENTS / f"{safe_name(patient)}.zarr"


def write_patient(
    store: Path, patient: str, cases: Sequence[LoadedCase], control: Control = SILENT
) -> None:
    """Writes one patient's cases, all of them or none; what stood there before is replaced.

    Args:
        store: its path.
        patient: patient of the cases.
        cases: all of the patient's.
        control: reports the slices of images and labels.

    Raises:
        ValueError: a case whose image is constant or whose affine is singular.
    """
    import zarr

    control.start(2 * len(cases), "writing")
    with atomic.atomic_folder(patient_path(store, patient)) as folder:
        root = zarr.open_group(str(folder), mode="w", zarr_format=3)
        for loaded in cases:
            stack = to_slices(loaded.volume, control.check)
            group = root.create_group(loaded.case.id)
            _write(group, "images", stack.array.astype(np.float16), control)
            turned = to_reading(loaded.labels, stack.record.turn)
            _write(group, "labels", np.ascontiguousarray(turned), control)
            entry = _describe(loaded, stack)
            group.attrs.update({"case": entry.model_dump(mode="json"), **_plain(stack.record)})


def stored_cases(store: Path, patient: str) -> tuple[StoredCase, ...] | None:
    """Stored cases of a patient; None if there is no complete group.

    A group that can't be read, as a power cut may leave it, is not complete.
    """
    path = patient_path(store, patient)
    if not (path / "zarr.json").is_file():
        return None
    import zarr

    try:
        root = zarr.open_group(str(path), mode="r")
        entries = [group.attrs["case"] for _, group in sorted(root.groups())]
        return tuple(StoredCase.model_validate(entry) for entry in entries)
    except _UNREADABLE:
        return None


def open_case(
    store: Path, case: StoredCase
) -> tuple[zarr.Array[Any], zarr.Array[Any], StackRecord]:
    """The image array, the label array and the record of a stored case, without reading pixels.

    Raises:
        StoreError: the case's group is missing or damaged.
    """
    import zarr

    path = patient_path(store, case.patient)
    try:
        group = zarr.open_group(str(path), mode="r", path=case.id)
        images, labels = group["images"], group["labels"]
        record = _record(dict(group.attrs))
    except _UNREADABLE as problem:
        raise StoreError(f"case {case.id} can't be read: {problem}", path=path) from None
    if not isinstance(images, zarr.Array) or not isinstance(labels, zarr.Array):
        raise StoreError(f"case {case.id} contains no arrays", path=path)
    return images, labels, record


def _write(group: zarr.Group, name: str, array: np.ndarray[Any, Any], control: Control) -> None:
    from zarr.codecs import BloscCodec, Crc32cCodec

    target = group.create_array(
        name,
        shape=array.shape,
        chunks=(1, *array.shape[1:]),
        dtype=array.dtype,
        compressors=[BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle"), Crc32cCodec()],
        # Zarr reads a missing chunk as the fill value: one that no slice contains.
        fill_value=ABSENT[name],
    )
    for first in range(0, len(array), _SLICES):
        some = slice(first, min(first + _SLICES, len(array)))
        target[some] = array[some]
        share = (some.stop - some.start) / len(array)
        control.advance(share, f"{name}: slice {some.stop} of {len(array)}")


def _describe(loaded: LoadedCase, stack: SliceStack) -> StoredCase:
    case, record = loaded.case, stack.record
    slices, _, height, width = stack.array.shape
    whole = to_reading(region_masks(loaded.labels, ("whole",))[0], record.turn)
    per_slice = whole.sum(axis=(1, 2))
    return StoredCase(
        id=case.id,
        patient=case.patient,
        site=case.site,
        source=case.source,
        sequences=stack.sequences,
        shape=(slices, height, width),
        grid=record.shape,
        pixel_mm=record.pixel_mm,
        slice_mm=record.slice_mm,
        has_world=record.has_world,
        tumour_px=tuple(int(n) for n in per_slice),
        tumour_ml=float(per_slice.sum()) * voxel_ml(record.affine),
        annotated=tuple(bool(n) for n in per_slice > 0) if case.sparse else (True,) * slices,
        regions=case.regions,
        licence=case.licence,
        synthetic=case.synthetic,
        notes=case.notes,
        fingerprint=loaded.fingerprint,
        training_only=case.training_only,
        plane=loaded.plane,
    )


def _plain(record: StackRecord) -> dict[str, Any]:
    return {
        "shape": list(record.shape),
        "affine": record.affine.tolist(),
        "axes": list(record.turn.axes),
        "flips": list(record.turn.flips),
        "box": list(record.box),
        "has_world": record.has_world,
    }


def _record(keys: dict[str, Any]) -> StackRecord:
    turn = Orientation(tuple(keys["axes"]), tuple(keys["flips"]))
    affine = np.array(keys["affine"], np.float64)
    return StackRecord(tuple(keys["shape"]), affine, turn, tuple(keys["box"]), keys["has_world"])
