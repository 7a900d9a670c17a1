"""Predictions that belong to another case: files in another order, a number shifted by one.

Of every case only a fingerprint of its two masks is kept, a few hundred bytes. In the end the
cases with a low Dice are compared with each other; those are few unless the model is poor, and
sparse sets keep the work near to linear even then. It is a hint, no proof.
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
"""The least Dice of a prediction with another case's reference where that case's prediction does
not fit in return: among many patients some tumours lie alike by chance."""
CLEAR = 0.1
"""By how much it must then be better than with any third case."""
CELLS = 32
"""Cells of a fingerprint along each axis, at most."""

_Cells = npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Partner:
    """The case whose reference a prediction fits best: with which Dice, how far before others."""

    case: str
    dice: float
    lead: float


@dataclass(frozen=True)
class Fingerprint:
    """Roughly where a mask lies: which cells of a coarse grid it fills. Plain, to go into JSON.

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
    """The facts of a case by which exchanged masks are found.

    Attributes:
        case: its id.
        dice: of its masks; None if both are empty.
        reference, predicted: of its masks.
    """

    case: str
    dice: Score
    reference: Fingerprint
    predicted: Fingerprint


@dataclass(frozen=True)
class Exchange:
    """A prediction that fits another case's reference.

    Attributes:
        case: whose prediction it is said to be.
        other: whose reference it fits.
        own: its Dice with its own reference.
        dice: its Dice with the other's; from the fingerprints, so not exact.
        mutual: whether the other's prediction fits this case's reference as well.
    """

    case: str
    other: str
    own: float
    dice: float
    mutual: bool

    @property
    def text(self) -> str:
        """For people."""
        better = f"Dice about {self.dice:.2f} instead of {self.own:.2f}"
        if self.mutual:
            return f"the predictions of {self.case} and {self.other} appear exchanged ({better})"
        return f"the prediction of {self.case} fits the reference of {self.other} ({better})"


def fingerprint(mask: Mask) -> Fingerprint:
    """The fingerprint of a mask (S, H, W); that of an empty one has no cell set."""
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
    """The facts to keep of a case, by the region that ``score`` is of.

    None for a case with unannotated slices: another case's tumour may lie in those.
    """
    if pair.annotated is not None and not pair.annotated.all():
        return None
    drawn, predicted_fingerprint = (
        fingerprint(region_masks(mask, (score.region,))[0])
        for mask in (pair.reference, pair.predicted)
    )
    return Fit(pair.case, score.overlap.dice, drawn, predicted_fingerprint)


def find_exchanges(fits: Iterable[Fit]) -> list[Exchange]:
    """The predictions that fit another case's reference far better than their own.

    A prediction is only compared with a case whose own Dice is low, too. A pair is reported only
    if each is the best that there is for the other. Two cases whose predictions fit crosswise are
    told once. A prediction that fits one way only must fit well, and no third case nearly as well,
    and the other case's prediction must do so somewhere else: files that were shifted form chains,
    while poor predictions that meet some tumour by chance stand alone.

    Args:
        fits: of all cases; the result comes in their order.
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
    """Voxels in each cell of the coarse grid, in the order of their numbers."""
    s, h, w = (
        np.bincount(np.arange(length) * side // max(length, 1), minlength=side)
        for length, side in zip(shape, sides, strict=True)
    )
    return (s[:, None, None] * h[:, None] * w).reshape(-1)


def _cells(fingerprint: Fingerprint) -> _Cells:
    """The numbers of the cells that are set."""
    packed = zlib.decompressobj().decompress(base64.b64decode(fingerprint.cells), CELLS**3 // 8)
    return np.flatnonzero(np.unpackbits(np.frombuffer(packed, np.uint8)))


def _partners(suspects: Sequence[Fit]) -> dict[str, _Partner]:
    """The partner of each case, if the prediction is also the best for that partner's reference."""
    drawn = [_cells(suspect_fit.reference) for suspect_fit in suspects]
    predicted_cells = [_cells(suspect_fit.predicted) for suspect_fit in suspects]
    sizes = np.array([len(cells) for cells in predicted_cells])[:, None] + [
        len(cells) for cells in drawn
    ]
    dice = 2 * _shared(predicted_cells, drawn) / np.maximum(sizes, 1)
    np.fill_diagonal(dice, 0.0)
    best, ranked = dice.argmax(axis=1), np.sort(dice, axis=1)
    return {
        suspects[row].case: _Partner(
            suspects[column].case, float(ranked[row, -1]), float(ranked[row, -1] - ranked[row, -2])
        )
        for row, column in enumerate(best.tolist())
        if ranked[row, -1] > 0 and ranked[row, -1] == dice[:, column].max()
    }


def _shared(predicted_cells: Sequence[_Cells], drawn: Sequence[_Cells]) -> npt.NDArray[np.float64]:
    """Matrix of the numbers of cells that ``predicted_cells`` and ``drawn`` share."""
    from scipy.sparse import csr_array

    rows = []
    for sets in (predicted_cells, drawn):
        ends = np.cumsum([0, *(len(cells) for cells in sets)])
        cells = np.concatenate(sets)
        rows.append(csr_array((np.ones(len(cells)), cells, ends), shape=(len(sets), CELLS**3)))
    shared: npt.NDArray[np.float64] = (rows[0] @ rows[1].T).toarray()
    return shared
