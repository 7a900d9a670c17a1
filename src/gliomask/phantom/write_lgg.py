"""Cohorts laid out like the two sets of whole heads: kaggle_3m and LGG-1p19qDeletion.

Their quirks are kept, since they are what readers stumble over: copied channels, names that vary
from patient to patient, arrays that run either way, unannotated slices.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import orientation, to_reading
from gliomask.core.volume import FloatArray
from gliomask.formats.pictures import write_picture
from gliomask.phantom.layout import (
    LayoutWriter,
    SyntheticPatient,
    flipped,
    write_image,
    write_labels,
)

_CHANNELS = ("t1", "flair", "t1ce")
_NO_POST, _NO_PRE = 12, 18
"""About every so many patients lack a series (9 and 6 of 110 do)."""


def _kaggle(folder: Path, patient: SyntheticPatient) -> None:
    """Slices from feet to head as RGB TIFF: pre-contrast, FLAIR, post-contrast; masks 0 or 255."""
    name = f"TCGA_PH_{patient.number:04d}_20000101"
    turn = orientation(patient.volume.affine)
    images = patient.volume.select(_channels(patient.number)).array
    slices = np.stack([_as_bytes(to_reading(image, turn)) for image in images], axis=-1)
    masks = np.where(to_reading(patient.labels, turn) > 0, 255, 0).astype(np.uint8)
    for number, (picture, mask) in enumerate(zip(slices, masks, strict=True), start=1):
        write_picture(folder / name / f"{name}_{number}.tif", picture)
        write_picture(folder / name / f"{name}_{number}_mask.tif", mask)


def _channels(number: int) -> tuple[str, ...]:
    """The sequences in the three channels: one that is missing is replaced by FLAIR."""
    if number % _NO_POST == 7:
        return ("t1", "flair", "flair")
    if number % _NO_PRE == 4:
        return ("flair", "flair", "t1ce")
    return _CHANNELS


def _as_bytes(image: FloatArray) -> npt.NDArray[np.uint8]:
    """0 to 255 for a whole volume, the brightest thousandth cut off."""
    top = np.percentile(image, 99.9)
    return np.asarray(np.rint(np.clip(image / top, 0, 1) * 255), np.uint8)


def _1p19q(folder: Path, patient: SyntheticPatient) -> None:
    """Post-contrast T1, T2, and a mask of three slices: the largest and its neighbours."""
    name = f"LGG-{900 + patient.number}"
    hyphens = patient.number % 3 == 0
    image_mark, mask_mark = ("-", "_") if hyphens else ("_", "-")
    turned = flipped(patient, (0,) if patient.number % 2 else (0, 1))
    for sequence, word in (("t1ce", "T1"), ("t2", "T2")):
        image = turned.volume.select((sequence,)).array[0]
        path = folder / name / f"{name}{image_mark}{word}.nii.gz"
        write_image(path, image, turned.volume.affine)
    areas = (turned.labels > 0).sum(axis=(0, 1))
    middle = int(np.clip(np.argmax(areas), 1, areas.size - 2))
    annotated = np.zeros_like(turned.labels)
    annotated[..., middle - 1 : middle + 2] = turned.labels[..., middle - 1 : middle + 2] > 0
    mask = folder / name / f"{name}{mask_mark}Segmentation.nii.gz"
    write_labels(mask, annotated, turned.volume.affine, {1: 1})


WRITERS = {
    "lgg_kaggle": LayoutWriter(_kaggle, skull=True),
    "lgg_1p19q": LayoutWriter(_1p19q, skull=True),
}
"""Layout -> how it is written."""
