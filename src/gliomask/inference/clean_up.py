"""Clean-up of a mask: fragments separate from the main tumour that are probably false.

A fragment is a connected part of the mask, whatever its labels. A small one that the network
is nowhere sure of is mostly a mistake; a second tumour focus is larger, or has a confident centre.
The largest part always stays, so a mask with tumour never becomes empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from gliomask.core.labels import LabelArray
from gliomask.core.volume import FloatArray
from gliomask.nets.measures import CleanUp

_MUCH: Final = 0.1
"""Share of what stays of a mask from which on removed fragments are a reason to look."""
_TOUCHING: Final = np.ones((3, 3, 3), np.uint8)
"""Voxels that share a corner are of one fragment."""


@dataclass(frozen=True, eq=False)
class Fragments:
    """The P connected parts of a mask.

    Attributes:
        box: bounding box of the fragments in the volume.
        numbered: the volume in the box, each voxel with the number of its fragment from 1 on.
        voxels: (P,) their sizes.
        peak: (P,) the highest probability in each.
    """

    box: tuple[slice, ...]
    numbered: npt.NDArray[np.int32]
    voxels: npt.NDArray[np.int64]
    peak: npt.NDArray[np.float32]


def describe_clean_up(rule: CleanUp | None) -> str:
    """Description of a rule."""
    if rule is None:
        return "none"
    by_probability = f" below probability {rule.below_probability:.2f}"
    sure = "" if rule.below_probability == 1.0 else by_probability
    by_size = [f"fragments of less than {rule.below_ml:g} ml{sure}"] if rule.below_ml else []
    of_largest = f"fragments smaller than {rule.below_share:g} of the largest part"
    return " and ".join([*by_size, *([of_largest] if rule.below_share else [])]) or "none"


def find_fragments(labels: LabelArray, probabilities: FloatArray) -> Fragments | None:
    """The connected parts of a mask; None of an empty one.

    Args:
        labels: (I, J, K), 0 where there is no tumour.
        probabilities: (I, J, K) of tumour.
    """
    marked = labels > 0
    (box,) = ndimage.find_objects(marked.view(np.uint8)) or (None,)
    if box is None:
        return None
    numbered, count = ndimage.label(marked[box], _TOUCHING)
    peak = ndimage.maximum(probabilities[box], numbered, np.arange(1, count + 1))
    sizes = np.bincount(numbered.ravel())[1:].astype(np.int64)
    return Fragments(box, numbered, sizes, np.asarray(peak, np.float32))


def removed(fragments: Fragments, rule: CleanUp, voxel_ml: float) -> npt.NDArray[np.bool_]:
    """(P,) which fragments a rule removes."""
    sizes, largest = fragments.voxels, fragments.voxels.max()
    small = sizes * voxel_ml < rule.below_ml
    unsure = (fragments.peak < rule.below_probability) | (rule.below_probability == 1.0)
    fragments_to_remove: npt.NDArray[np.bool_] = (small & unsure) | (
        sizes < rule.below_share * largest
    )
    fragments_to_remove &= sizes < largest
    return fragments_to_remove


def removed_much(before: float, kept: float) -> bool:
    """True if the clean-up of a region is a reason to look at the mask.

    Args:
        before: voxels of the region in the mask as it came from the network.
        kept: voxels that stay.
    """
    return before > kept and before - kept >= _MUCH * kept


def clean_up(
    labels: LabelArray, probabilities: FloatArray, rule: CleanUp | None, voxel_ml: float
) -> LabelArray:
    """A mask without the fragments that a rule removes.

    Args:
        labels: (I, J, K), 0 where there is no tumour; it is not changed.
        probabilities: (I, J, K) of tumour.
        rule: of the model; None keeps everything.
        voxel_ml: volume of a voxel.
    """
    fragments = find_fragments(labels, probabilities) if rule else None
    if rule is None or fragments is None:
        return labels
    fragments_to_remove = removed(fragments, rule, voxel_ml)
    return without(labels, fragments, fragments_to_remove) if fragments_to_remove.any() else labels


def without(
    labels: LabelArray,
    fragments: Fragments,
    fragments_to_remove: npt.NDArray[np.bool_] | Sequence[bool],
) -> LabelArray:
    """A copy of a mask without some of its fragments (P,)."""
    kept = labels.copy()
    kept[fragments.box][np.concatenate([[False], fragments_to_remove])[fragments.numbered]] = 0
    return kept
