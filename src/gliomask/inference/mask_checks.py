"""Plausibility checks of a mask: tiny components, and a tumour at the edge of the scan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gliomask.core.geometry import is_larger, to_reading, voxel_ml
from gliomask.core.prediction import Prediction
from gliomask.core.reliability import Reason
from gliomask.core.slices import StackRecord
from gliomask.metrics.lesions import SMALLEST_MM3

_MM3 = 1000.0


def components(prediction: Prediction) -> Iterator[Reason]:
    """Reason for tiny components: up to ``SMALLEST_MM3``, the limit of BraTS.

    For pictures a voxel counts as 1 mm³. If all components are tiny, the case is amber; tiny
    components in addition to a tumour are for information.
    """
    from scipy.ndimage import find_objects, generate_binary_structure, label

    marked = prediction.mask > 0
    (box,) = find_objects(marked.view(np.uint8)) or (None,)
    if box is None:
        return
    parts, count = label(marked[box], generate_binary_structure(3, 3))
    each = voxel_ml(prediction.affine) * _MM3 if prediction.has_world else 1.0
    sizes = np.bincount(parts.reshape(-1), minlength=count + 1)[1:] * each
    tiny = count - int(is_larger(sizes, SMALLEST_MM3).sum())
    if not tiny:
        return
    limit = f"{SMALLEST_MM3 / _MM3:g} ml" if prediction.has_world else f"{SMALLEST_MM3:g} voxels"
    if tiny == count:
        note = f"all components are tiny: {count} of at most {limit} each"
        yield Reason("amber", "only_specks", note)
    else:
        text = f"{tiny} of {count} components are tiny (at most {limit} each)"
        yield Reason("green", "specks", text)


def edges(mask: npt.NDArray[np.bool_], record: StackRecord) -> Iterator[Reason]:
    """Reasons for a mask at the edge of the scan, or of the crop to the head, where it may be cut
    off.

    Args:
        mask: (I, J, K) of the input.
        record: of its slices.
    """
    where = to_reading(mask, record.turn)
    top, bottom, left, right = record.box
    ends = (
        ("lowest slice", where[0]),
        ("highest slice", where[-1]),
        ("front edge of the head crop", where[:, top]),
        ("back edge of the head crop", where[:, bottom - 1]),
        ("right edge of the head crop", where[:, :, left]),
        ("left edge of the head crop", where[:, :, right - 1]),
    )
    for name, plane in ends:
        touching = int(np.count_nonzero(plane))
        if touching:
            text = f"the mask touches the {name} ({touching} voxels): it may be cut off there"
            yield Reason("amber", "touches_edge", text)
