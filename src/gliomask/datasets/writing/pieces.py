"""Written parts of a case: the whole case, or the runs of its annotated slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gliomask.core.case import Case
from gliomask.core.geometry import orientation, to_reading
from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.volume import Affine, Volume
from gliomask.datasets.mask_labels.read import read_by_scheme
from gliomask.datasets.mask_labels.resolve import BOTH
from gliomask.errors import InputError


@dataclass(frozen=True)
class Piece:
    """A part of a case that is written as a separate case.

    Attributes:
        case: the case, with the id of the piece.
        run: index of the run of annotated slices; None for the whole case.
    """

    case: Case
    run: int | None = None


def annotated_voxels(labels: LabelArray, affine: Affine) -> npt.NDArray[np.bool_]:
    """Annotated voxels of a sparse mask (I, J, K): all slices with tumour."""
    tumour = region_masks(labels, ("whole",))[0]
    slices = to_reading(tumour, orientation(affine)).any(axis=(1, 2))
    known = np.zeros(labels.shape, np.bool_)
    to_reading(known, orientation(affine))[slices] = True  # a view
    return known


def pieces_of(cases: Sequence[Case]) -> list[Piece]:
    """Divide sparse cases into the runs of their annotated slices.

    A case with an unreadable mask is not divided; the reader reports it.
    """
    return [piece for case in cases for piece in _pieces(case)]


def cut(volume: Volume, labels: LabelArray, run: int) -> tuple[Volume, LabelArray]:
    """Slices of a run, with their position in space."""
    span = _runs(labels, volume.affine)[run]
    axis = orientation(volume.affine).axes[0]
    first, last = span
    index: list[slice] = [slice(None)] * 3
    index[axis] = slice(first, last)
    affine = volume.affine.copy()
    affine[:3, 3] += first * affine[:3, axis]
    part = np.ascontiguousarray(volume.array[(slice(None), *index)])
    return replace(volume, array=part, affine=affine), np.ascontiguousarray(labels[tuple(index)])


def _pieces(case: Case) -> Iterator[Piece]:
    if not case.sparse or case.label is None or case.scheme is None:
        yield Piece(case)
        return
    try:
        labels, affine = read_by_scheme(case.label, case.scheme, BOTH)
        count = len(_runs(labels, affine))
    except InputError:
        count = 0
    for run in range(count):
        name = case.id if count == 1 else f"{case.id}-part{run + 1}"
        yield Piece(replace(case, id=name), run)
    if not count:
        yield Piece(case)


def _runs(labels: LabelArray, affine: Affine) -> list[tuple[int, int]]:
    """Range of voxel indices of each run of slices with tumour."""
    axis = orientation(affine).axes[0]
    others = tuple(n for n in range(3) if n != axis)
    known = region_masks(labels, ("whole",))[0].any(axis=others)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], known.astype(np.int8), [0]))))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
