"""Small predictions for the tests of the case page."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from gliomask.core.labels import LabelArray
from gliomask.core.prediction import Prediction
from gliomask.core.regions import region_masks
from gliomask.core.volume import FloatArray, Volume
from tests.fakes import head_labels, head_volume
from tests.predictions import region_maps

NESTED = ("whole", "core", "enhancing")


def predicted(mask: LabelArray, volume: Volume, regions: tuple[str, ...]) -> Prediction:
    """A prediction that says this mask of this volume."""
    sizes = region_masks(mask, regions).sum(axis=(1, 2, 3))
    return Prediction(
        case="patient-7",
        mask=mask,
        regions=regions,
        probability_maps=None,
        affine=volume.affine,
        has_world=volume.has_world,
        voxels=dict(zip(regions, map(int, sizes), strict=True)),
        used=volume.sequences,
        missing=("t2",),
        model="a-model",
        notes=("predicted without t2",),
        provenance=MappingProxyType(
            {"model": "a-model", "weights_sha256": "ab" * 32, "licence": "CC0", "threshold": 0.5}
        ),
    )


def whole_prediction(found: bool = True, probabilities: FloatArray | None = None) -> Prediction:
    """Of the head: its box of 6 x 5 x 3 voxels of 3.6 mm³ as whole tumour, or nothing."""
    prediction = predicted(head_labels() * np.uint8(found), head_volume(), ("whole",))
    if probabilities is None:
        return prediction
    return replace(prediction, probability_maps=region_maps(probabilities, prediction.affine))


def nested_prediction() -> Prediction:
    """The same box with all regions: slices 4 oedema, 5 necrosis, 6 enhancing."""
    mask = head_labels()
    mask[..., 4] *= 2
    mask[..., 6] *= 3
    return predicted(mask, head_volume(), NESTED)
