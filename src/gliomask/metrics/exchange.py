"""Detection of predictions that belong to another case, such as files in another order.

For every case a fingerprint of its two masks is stored, a few hundred bytes. At the end the cases
with a low Dice are compared with each other. The result is a hint, not a proof.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gliomask.core.regions import region_masks
from gliomask.metrics.case_score import CaseScore
from gliomask.metrics.mismatch import far_better, suspect
from gliomask.metrics.overlap_counts import Mask
from gliomask.metrics.policy import Score
from gliomask.metrics.scores import MaskPair

GOOD = 0.7
"""Minimum Dice with another case's reference if the match is not mutual: among many patients some
tumours have similar positions by chance."""
CLEAR = 0.1
"""Minimum margin over any third case for such a match."""
CELLS = 32
"""Maximum number of cells of a fingerprint along each axis."""

_Cells = npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Partner:
    """Case whose reference matches a prediction best, its Dice, and the margin over others."""

    case: str
    dice: float
    lead: float


@dataclass(frozen=True)
class Fingerprint:
    """Approximate position of a mask on a coarse grid, serialisable as JSON.

    Attributes:
        shape: (S, H, W) of the mask; only masks of the same shape can have been exchanged.
        cells: one bit for each cell of a grid of at most 32 x 32 x 32, packed, deflated and in
            base 64. A cell is set if the mask fills half of it, or half as much of it as of the
            cell that it fills most.
    """

    shape: tuple[int, int, int]
    cells: str


@dataclass(frozen=True)
class Fit:
    """Data of a case for the detection of exchanged masks.

    Attributes:
        case: its id.
        dice: Dice of its masks; None if both are empty.
        reference, predicted: fingerprints of its masks.
    """

    case: str
    dice: Score
    reference: Fingerprint
    predicted: Fingerprint


@dataclass(frozen=True)
class Exchange:
    """A prediction that matches the reference of another case.

    Attributes:
        case: its case.
        other: case of the matching reference.
        own: Dice with its own reference.
        dice: approximate Dice with the other reference, from the fingerprints.
        mutual: whether the other's prediction also matches this case's reference.
    """

    case: str
    other: str
    own: float
    dice: float
    mutual: bool

    @property
    def text(self) -> str:
        """Text for reports."""
        better = f"Dice about {self.dice:.2f} instead of {self.own:.2f}"
        if self.mutual:
            return f"the predictions of {self.case} and {self.other} appear exchanged ({better})"
        return f"the prediction of {self.case} fits the reference of {self.other} ({better})"


def fingerprint(mask: Mask) -> Fingerprint:
    """Fingerprint of a mask (S, H, W); all cells are 0 for an empty mask."""
    sides = [min(CELLS, length) for length in mask.shape]
    places = np.argwhere(mask) * sides // np.maximum(mask.shape, 1)
    numbers = (places[:, 0] * sides[1] + places[:, 1]) * sides[2] + places[:, 2]
    sizes = _cell_sizes(mask.shape, sides)
    filled = np.bincount(numbers, minlength=sizes.size) / sizes
    occupied = (filled > 0) & (filled >= min(0.5, filled.max(initial=0.0) / 2))
    packed = zlib.compress(np.packbits(occupied).tobytes(), 9)
    slices, height, width = mask.shape
    return Fingerprint((slices, height, width), base64.b64encode(packed).decode("ascii"))


def exchange_fit(pair: MaskPair, score: CaseScore) -> Fit | None:
    """Data to store for a case, for the region of ``score``.

    None for a case with unannotated slices.
    """
    if pair.annotated is not None and not pair.annotated.all():
        return None
    reference_fingerprint, predicted_fingerprint = (
        fingerprint(region_masks(mask, (score.region,))[0])
        for mask in (pair.reference, pair.predicted)
    )
    return Fit(pair.case, score.overlap.dice, reference_fingerprint, predicted_fingerprint)


def find_exchanges(fits: Iterable[Fit]) -> list[Exchange]:
    """Find predictions that match the reference of another case much better than their own.

    A prediction is only compared with a case whose own Dice is low, too. A pair is only reported if
    each is the best match of the other. Two mutually matching cases are reported once. A one-sided
    match must be good, much better than any third case, and the other case's prediction must match
    another case: shifted files form chains, whereas chance matches of poor predictions do not.

    Args:
        fits: data of all cases; the result is in their order.
    """
    suspects = {fit.case: fit for fit in fits if suspect(fit.dice)}
    partners: dict[str, _Partner] = {}
    for shape in {fit.reference.shape for fit in suspects.values()}:
        partners |= _partners([fit for fit in suspects.values() if fit.reference.shape == shape])
    own = {case: fit.dice or 0.0 for case, fit in suspects.items()}
    fair = {case: fit.case for case, fit in partners.items() if far_better(fit.dice, own[case])}
    sure = {
        case
        for case, fit in partners.items()
        if far_better(fit.dice, own[case], GOOD) and fit.lead >= CLEAR
    }
    exchanges: dict[str, Exchange] = {}
    for case in (case for case in suspects if case in fair):
        other = partners[case].case
        mutual = fair.get(other) == case
        if (mutual and other not in exchanges) or (not mutual and {case, other} <= sure):
            exchanges[case] = Exchange(case, other, own[case], partners[case].dice, mutual)
    return list(exchanges.values())


def _cell_sizes(shape: Sequence[int], sides: Sequence[int]) -> npt.NDArray[np.int_]:
    """Number of voxels in each cell of the coarse grid."""
    s, h, w = (
        np.bincount(np.arange(length) * side // max(length, 1), minlength=side)
        for length, side in zip(shape, sides, strict=True)
    )
    return (s[:, None, None] * h[:, None] * w).reshape(-1)


def _cells(fingerprint: Fingerprint) -> _Cells:
    """Indices of the cells that are set."""
    packed = zlib.decompressobj().decompress(base64.b64decode(fingerprint.cells), CELLS**3 // 8)
    return np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8)))


def _partners(suspects: Sequence[Fit]) -> dict[str, _Partner]:
    """Partner of each case, if its prediction is also the best match of the partner's reference."""
    reference_cells = [_cells(suspect_fit.reference) for suspect_fit in suspects]
    predicted_cells = [_cells(suspect_fit.predicted) for suspect_fit in suspects]
    sizes = np.array([len(cells) for cells in predicted_cells])[:, None] + [
        len(cells) for cells in reference_cells
    ]
    dice = 2 * _shared(predicted_cells, reference_cells) / np.maximum(sizes, 1)
    np.fill_diagonal(dice, 0.0)
    best, ranked = dice.argmax(axis=1), np.sort(dice, axis=1)
    return {
        suspects[row].case: _Partner(
            suspects[column].case, float(ranked[row, -1]), float(ranked[row, -1] - ranked[row, -2])
        )
        for row, column in enumerate(best.tolist())
        if ranked[row, -1] > 0 and ranked[row, -1] == dice[:, column].max()
    }


def _shared(
    predicted_cells: Sequence[_Cells], reference_cells: Sequence[_Cells]
) -> npt.NDArray[np.float64]:
    """Matrix of the numbers of common cells."""
    from scipy.sparse import csr_array

    rows = []
    for sets in (predicted_cells, reference_cells):
        ends = np.cumsum([0, *(len(cells) for cells in sets)])
        cells = np.concatenate(sets)
        rows.append(csr_array((np.ones(len(cells)), cells, ends), shape=(len(sets), CELLS**3)))
    shared: npt.NDArray[np.float64] = (rows[0] @ rows[1].T).toarray()
    return shared
