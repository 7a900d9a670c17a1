"""Writer of an editable case: images, mask and probabilities on one grid, for corrections.

    case.json                        see ``formats.editable_case``
    mask.nii.gz                      the network's mask
    image-<sequence>.nii.gz          on the grid of the mask, intensities as they were read
    probability-<region>.nii.gz      0 to 255; 128 and more is what the network marked
    source/00000.dcm ...             headers, without pixels, of the series that the mask lies on
    first.seg.dcm, first.rtstruct.dcm   the network's own DICOM objects, where they were written

Probabilities are stored so that the network's threshold, whatever it is, lies between 127 and 128:
a border that is not moved is exactly the network's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from gliomask.core.atomic import write_text
from gliomask.core.geometry import voxel_ml
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.core.regions import REGIONS, region_numbers
from gliomask.core.slices import place
from gliomask.core.volume import FloatArray, best_shown
from gliomask.errors import InputError
from gliomask.formats.editable_case import (
    ENDING,
    FILE,
    FIRST,
    IMAGE_LAYER,
    MASK_LAYER,
    PROBABILITY_LAYER,
    SOURCE,
    EditableCase,
    EditableRegion,
)
from gliomask.formats.nifti import write_nifti
from gliomask.results.prediction.dicom import is_dicom_case, source_files
from gliomask.results.prediction.outcome import Outcome

MARKED: Final = 128
"""Smallest stored probability above the network's threshold."""
_MOST: Final = 255
_INTEGERS: Final = np.iinfo(np.int16)
DICOM_ENDINGS: Final = (".seg.dcm", ".rtstruct.dcm")


def write_editable_case(folder: Path, outcome: Outcome, written: Path) -> EditableCase | None:
    """Write the editable case of an examination.

    Args:
        folder: a new one.
        outcome: of the examination.
        written: the folder with the files of its result.

    Returns:
        None for pictures, which have no millimetres and can't be corrected.
    """
    prediction = outcome.prediction
    if not prediction.has_world:
        return None
    folder.mkdir(parents=True)
    path = folder / f"{MASK_LAYER}{ENDING}"
    write_nifti(path, prediction.mask, prediction.affine, RESEARCH_USE_ONLY)
    for name, image in zip(outcome.volume.sequences, outcome.volume.array, strict=True):
        write_nifti(folder / f"{IMAGE_LAYER}{name}{ENDING}", _compact(image), prediction.affine)
    maps = _write_probabilities(folder, prediction)
    _write_source(folder, outcome)
    for ending in DICOM_ENDINGS:
        first = written / f"{outcome.case.id}{ending}"
        if first.is_file():
            _link(first, folder / f"{FIRST}{ending}")
    record = _described(outcome, maps, hashlib.sha256(path.read_bytes()).hexdigest())
    write_text(folder / FILE, record.model_dump_json(indent=1))
    return record


def stored_probability(values: FloatArray, threshold: float) -> npt.NDArray[np.uint8]:
    """Probabilities (...) as 0 to 255: ``MARKED`` and more just where they reach the threshold.

    Below it they run from 0 to 127 and above it to 255, both evenly.
    """
    low = np.minimum(values / threshold * MARKED, MARKED - 1)
    span = max(1.0 - threshold, 1e-6)
    high = MARKED + (values - threshold) / span * (_MOST - MARKED)
    stored = np.where(values >= threshold, high, low)
    return np.clip(stored, 0, _MOST).astype(np.uint8)


def _described(outcome: Outcome, maps: tuple[str, ...], digest: str) -> EditableCase:
    prediction, case = outcome.prediction, outcome.case
    numbers = region_numbers(prediction.regions)
    names = list(outcome.volume.sequences)
    first = best_shown(outcome.volume.sequences)
    return EditableCase(
        case=case.id,
        patient=case.patient,
        study="" if case.study_date is None else case.study_date.isoformat(),
        sequences=(first, *(name for name in names if name != first)),
        regions=tuple(
            EditableRegion(
                name=name, title=REGIONS[name].title, number=number, colour=REGIONS[name].colour
            )
            for name, number in numbers.items()
        ),
        probabilities=maps,
        model=prediction.model,
        weights=str(prediction.provenance.get("weights_sha256") or ""),
        synthetic=case.synthetic,
        voxel_ml=voxel_ml(prediction.affine),
        sha256=digest,
    )


def _write_probabilities(folder: Path, prediction: Prediction) -> tuple[str, ...]:
    """Regions with a map."""
    threshold = prediction.provenance.get("threshold")
    maps = prediction.probability_maps
    if maps is None or not isinstance(threshold, int | float):
        return ()
    for region, slices in zip(prediction.regions, maps.cropped, strict=True):
        # Slice by slice, because a whole map takes much memory.
        planes = [stored_probability(values, float(threshold)) for values in slices]
        stored = place(np.stack(planes), maps.record)
        write_nifti(folder / f"{PROBABILITY_LAYER}{region}{ENDING}", stored, prediction.affine)
    return tuple(region_numbers(prediction.regions))


def _write_source(folder: Path, outcome: Outcome) -> None:
    """Headers for the DICOM objects of corrections; none if these can't be written."""
    if not is_dicom_case(outcome.case):
        return
    from gliomask.formats.dicom_out.source_header import copy_headers

    try:
        copy_headers(source_files(outcome.case, outcome.volume), folder / SOURCE)
    except InputError:
        shutil.rmtree(folder / SOURCE, ignore_errors=True)


def _compact(image: FloatArray) -> npt.NDArray[np.int16] | FloatArray:
    """Store integers as such: exact, and half the size."""
    if image.min() < _INTEGERS.min or image.max() > _INTEGERS.max:
        return image
    whole = image.astype(np.int16)
    return whole if np.array_equal(whole, image) else image


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except OSError:  # a file system without links
        shutil.copyfile(path, place)
