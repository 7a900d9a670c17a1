"""Prediction folders around masks of one's own, written as ``predict`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from gliomask.core.case import Case, ImageFile
from gliomask.core.geometry import orientation, to_reading
from gliomask.core.labels import LabelArray
from gliomask.core.prediction import Prediction, VolumeInterval
from gliomask.core.region_maps import RegionMaps
from gliomask.core.regions import region_masks
from gliomask.core.slices import StackRecord
from gliomask.core.volume import Affine, FloatArray, Volume
from gliomask.results.prediction.outcome import Outcome
from gliomask.results.prediction.write import write_outputs

NO_DIGEST = "0" * 64


def write_prediction(
    folder: Path,
    mask: LabelArray,
    affine: Affine,
    *,
    case: str = "",
    regions: tuple[str, ...] = ("whole",),
    intervals: Mapping[str, VolumeInterval] | None = None,
    probabilities: FloatArray | None = None,
    patient: str = "",
    study_date: date | None = None,
) -> Path:
    """The mask (NIfTI) and the record of a case that is called as its folder, if not otherwise.

    Args:
        folder: is made.
        mask: (I, J, K) with the numbers of ``core.regions.mask_numbers``.
        affine: (4, 4), voxel index to RAS+ mm.
        case: its id; regions: of the model; intervals: of their volumes.
        probabilities: (R, I, J, K), written too; the threshold is 0.5.
        patient: the case's id if it is not given; study_date: of the examination.
    """
    outcome = outcome_of(
        case or folder.name,
        mask,
        affine,
        regions=regions,
        intervals=intervals,
        probabilities=probabilities,
        patient=patient,
        study_date=study_date,
    )
    folder.mkdir(parents=True, exist_ok=True)
    write_outputs(folder, outcome, ("nifti",))
    return folder


def outcome_of(
    case: str,
    mask: LabelArray,
    affine: Affine,
    *,
    regions: tuple[str, ...] = ("whole",),
    intervals: Mapping[str, VolumeInterval] | None = None,
    probabilities: FloatArray | None = None,
    patient: str = "",
    study_date: date | None = None,
) -> Outcome:
    """What such a folder is written from."""
    volume = Volume(np.ones((1, *mask.shape), np.float32), affine, ("flair",))
    counts = region_masks(mask, regions).sum(axis=(1, 2, 3)).tolist()
    prediction = Prediction(
        case=case,
        mask=mask,
        regions=regions,
        probability_maps=None if probabilities is None else region_maps(probabilities, affine),
        affine=affine,
        has_world=True,
        voxels=dict(zip(regions, counts, strict=True)),
        used=("flair",),
        missing=(),
        model="fake",
        provenance={"threshold": 0.5},
        intervals=intervals or {},
    )
    images = {"flair": ImageFile((Path(f"{case}_flair.nii.gz"),))}
    return Outcome(
        case=Case(case, patient or case, images, study_date=study_date),
        volume=volume,
        prediction=prediction,
        layers=() if probabilities is None else ("probability",),
        timings_s={},
        result=NO_DIGEST,
        key=NO_DIGEST,
    )


def region_maps(maps: FloatArray, affine: Affine) -> RegionMaps:
    """Maps (R, I, J, K) on the grid of a volume with this affine, without a crop."""
    turn = orientation(affine)
    cropped = to_reading(maps, turn)
    shape = (maps.shape[1], maps.shape[2], maps.shape[3])
    box = (0, cropped.shape[-2], 0, cropped.shape[-1])
    return RegionMaps(cropped, StackRecord(shape, affine, turn, box, has_world=True))
