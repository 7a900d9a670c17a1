"""Data of the viewer in a case page: its layers, their colours, the initial position.

The viewer is NiiVue, driven by ``static/case_viewer.js``; both travel inside the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gliomask.core.prediction import Prediction
from gliomask.core.regions import REGIONS
from gliomask.core.sequence_titles import SEQUENCE_TITLES
from gliomask.core.volume import Volume, best_shown
from gliomask.jobs.control import SILENT, Control
from gliomask.report.case.layers import (
    LayerGrid,
    ViewerLayer,
    grid_of,
    image_layer,
    largest_slice,
    map_layer,
    mask_layer,
)


@dataclass(frozen=True)
class ViewerData:
    """Data of the viewer in a page.

    Attributes:
        settings: for JSON.
        blobs: id of an element -> the layer in it, base64.
    """

    settings: Mapping[str, object]
    blobs: Mapping[str, str]


def viewer_data(
    prediction: Prediction,
    volume: Volume,
    control: Control = SILENT,
) -> ViewerData:
    """Encodes all layers of one examination.

    Args:
        prediction: of ``volume``.
        volume: the examination.
        control: a stop ends it between two layers.
    """
    grid = grid_of(volume, prediction.mask)
    blobs: dict[str, str] = {}
    images = []
    for name, image, level in zip(volume.sequences, volume.array, grid.levels, strict=True):
        control.check()
        layer = image_layer(image, grid, level)
        images.append(_entry(blobs, f"image-{name}", sequence_name(name), layer))
    control.check()
    mask = _entry(blobs, "mask", "Mask", mask_layer(prediction.mask, grid))
    settings = {
        "case": prediction.case,
        "hasWorld": prediction.has_world,
        "shape": grid.shape,
        "whole": grid.whole,
        "start": grid.start,
        "step": grid.step,
        "affine": grid.affine.tolist(),
        "toInput": np.rint(grid.to_input).astype(int).tolist(),
        "open": largest_slice(prediction.mask, grid),
        "first": f"image-{best_shown(volume.sequences)}",
        "found": bool(prediction.mask.any()),
        "images": images,
        "mask": mask,
        "maps": _maps(blobs, prediction, grid),
        "regions": _regions(prediction.regions),
        "labels": _labels(prediction.regions),
    }
    return ViewerData(settings, blobs)


def sequence_name(name: str) -> str:
    """Display name of a sequence."""
    return SEQUENCE_TITLES.get(name, name)


def _entry(blobs: dict[str, str], key: str, title: str, layer: ViewerLayer) -> dict[str, object]:
    blobs[key] = layer.data
    limits = {"low": layer.low, "high": layer.high, "black": layer.black, "white": layer.white}
    return {"id": key, "title": title, **limits}


def _maps(
    blobs: dict[str, str], prediction: Prediction, grid: LayerGrid
) -> list[dict[str, object]]:
    entries, disagreement = [], prediction.disagreement_maps
    if prediction.probability_maps is not None:
        for region, values in zip(prediction.regions, prediction.probability_maps, strict=True):
            title = f"Probability of {REGIONS[region].title}"
            entry = _entry(blobs, f"probability-{region}", title, map_layer(values, grid))
            entries.append({**entry, "colours": "viridis", "region": region})
    if disagreement is not None:
        layer = map_layer(disagreement.maximum(), grid, max(disagreement.max(), 1e-6))
        entry = _entry(blobs, "disagreement", "Disagreement of outputs", layer)
        entries.append({**entry, "colours": "plasma", "region": None})
    return entries


def _regions(regions: tuple[str, ...]) -> list[dict[str, object]]:
    return [
        {"name": name, "title": REGIONS[name].title, "colour": REGIONS[name].colour}
        for name in regions
    ]


def _labels(regions: tuple[str, ...]) -> dict[str, list[str]]:
    """Number in a mask -> the regions that it belongs to, the innermost first."""
    labels = {}
    for number in (1, 2, 3):
        nested = [
            name for name, region in REGIONS.items() if name in regions and number in region.labels
        ]
        if nested:
            labels[str(number)] = nested[::-1]
    return labels
