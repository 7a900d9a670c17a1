"""What a prediction leaves on disk: the mask on the input's own grid, a picture, the figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from gliomask.core.atomic import write_text
from gliomask.core.case import Case
from gliomask.core.geometry import axis_codes, spacing_mm
from gliomask.core.labels import LabelArray
from gliomask.core.prediction import RESEARCH_USE_ONLY, Prediction
from gliomask.core.volume import FloatArray, Volume
from gliomask.errors import CaseError, GliomaskError
from gliomask.formats.nifti import read_header, read_nifti_labels, write_nifti
from gliomask.formats.pictures import read_picture_masks, write_picture
from gliomask.inference.uncertainty import LEVEL
from gliomask.report.preview import draw_preview
from gliomask.workflows.provenance import software

_WHITE = 255


def write_outputs(
    folder: Path,
    case: Case,
    volume: Volume,
    prediction: Prediction,
    write: Sequence[str],
) -> None:
    """Writes the files of one case into a folder, and checks the mask by reading it again.

    Args:
        folder: an empty folder.
        case: where the volume came from.
        volume: that was segmented.
        prediction: of it.
        write: any of ``nifti`` and ``png``; the figures (JSON) are always written. The mask of
            pictures is a folder of pictures named after them. Probabilities and disagreement are
            written when the prediction holds them, for volumes with a world.

    Raises:
        CaseError: two pictures of the case have the same name.
        GliomaskError: what was written is not what was meant.
    """
    if "nifti" in write:
        if volume.has_world:
            _write_volume(folder / f"{case.id}_mask.nii.gz", prediction.mask, volume)
        else:
            _write_pictures(folder / f"{case.id}_mask", case, prediction)
    if volume.has_world:
        _write_layers(folder, f"{case.id}_probability", prediction.probabilities, prediction)
        _write_layers(folder, f"{case.id}_disagreement", prediction.disagreement, prediction)
    if "png" in write:
        draw_preview(prediction, volume, folder / f"{case.id}.png")
    keys = _keys(case, prediction)
    keys["files"] = sorted(entry.name for entry in folder.iterdir())
    write_text(folder / f"{case.id}.json", json.dumps(keys, indent=1, allow_nan=False) + "\n")


def _write_volume(path: Path, mask: LabelArray, volume: Volume) -> None:
    write_nifti(path, mask, volume.affine, RESEARCH_USE_ONLY)
    written, affine = read_nifti_labels(path)
    # A NIfTI header holds an affine in single precision.
    same_place = np.array_equal(affine, volume.affine.astype(np.float32))
    if mask.shape != volume.shape or not same_place or not np.array_equal(written, mask):
        raise GliomaskError("the written mask is not on the grid of the input", path=path.name)
    if read_header(path).shape != volume.shape:
        raise GliomaskError("the written mask has another shape than the input", path=path.name)


def _write_layers(
    folder: Path, name: str, layers: FloatArray | None, prediction: Prediction
) -> None:
    """A file for each region, if there is anything to write."""
    if layers is None:
        return
    for region, layer in zip(prediction.regions, layers, strict=True):
        write_nifti(folder / f"{name}_{region}.nii.gz", layer, prediction.affine, RESEARCH_USE_ONLY)


def measured_ml(prediction: Prediction) -> dict[str, tuple[float, float]]:
    """Region name -> (low, high) in millilitres of the intervals that hold nine in ten truths."""
    every = prediction.intervals_ml or {}
    return {r: bounds for r, bounds in every.items() if prediction.intervals[r].level == LEVEL}


def _intervals(prediction: Prediction) -> dict[str, object]:
    """All intervals, with what they are worth."""
    in_ml = prediction.intervals_ml or {}
    return {
        region: {
            "voxels": [one.low, one.high],
            "ml": list(in_ml[region]) if region in in_ml else None,
            "level": one.level,
            "patients": one.patients,
            "calibrated": one.calibrated,
        }
        for region, one in prediction.intervals.items()
    }


def _write_pictures(folder: Path, case: Case, prediction: Prediction) -> None:
    """A picture for each slice: white is tumour, or the label itself where regions are told."""
    slices = case.images[prediction.used[0]].paths
    paths = [folder / f"{path.stem}_mask.png" for path in slices]
    if len(set(paths)) < len(paths):
        raise CaseError(f"{case.id}: two pictures have the same name", path=slices[0].parent)
    scale = _WHITE if prediction.regions == ("whole",) else 1
    pictures = (prediction.mask * np.uint8(scale)).swapaxes(0, 1)
    for k, path in enumerate(paths):
        write_picture(path, np.ascontiguousarray(pictures[:, :, k]))
    if not np.array_equal(read_picture_masks(paths), prediction.mask > 0):
        raise GliomaskError("the written mask is not that of the input", path=folder.name)


def _keys(case: Case, prediction: Prediction) -> dict[str, object]:
    volumes = prediction.volumes_ml
    has_world = prediction.has_world
    return {
        "notice": RESEARCH_USE_ONLY,
        "case": case.id,
        "patient": case.patient,
        "tumour_found": bool(prediction.mask.any()),
        "volumes_ml": None if volumes is None else dict(volumes),
        "volumes_ml_90": {r: list(bounds) for r, bounds in measured_ml(prediction).items()},
        "voxels": dict(prediction.voxels),
        "intervals": _intervals(prediction),
        "reliability": prediction.reliability.plain if prediction.reliability else None,
        "mask_values": _mask_values(prediction.regions, has_world),
        "shape": list(prediction.mask.shape),
        "spacing_mm": list(spacing_mm(prediction.affine)) if has_world else None,
        "axes": axis_codes(prediction.affine) if has_world else None,
        "sequences_used": list(prediction.used),
        "sequences_missing": list(prediction.missing),
        "images": {name: str(image) for name, image in case.images.items()},
        "model": prediction.model,
        "synthetic_training": prediction.synthetic,
        "synthetic_data": case.synthetic,
        "notes": [*prediction.notes, *case.notes],
        "provenance": {**prediction.provenance, "software": software()},
    }


def _mask_values(regions: tuple[str, ...], has_world: bool) -> Mapping[str, str]:
    """What the numbers in the mask mean."""
    if regions == ("whole",):
        return {"1" if has_world else str(_WHITE): "tumour"}
    told = {
        "1": "core" if "core" in regions else "",
        "2": "whole" if "whole" in regions else "",
        "3": "enhancing" if "enhancing" in regions else "",
    }
    return {
        number: f"{region}, and no region inside it" for number, region in told.items() if region
    }
