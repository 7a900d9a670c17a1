"""A stack of slices through the network, once or in several ways.

    plain:     slices -> fused map
    uncertainty:  slices -> fused map, six side maps; of those that may show a tumour also
               mirrored slices -> fused map, mirrored back

The probability that is shown and thresholded is that of the fused map in both. If the card says
``mirrored``, the plain pass mirrors too, and it is the mean of the fused maps. Of the other maps
only counts and the disagreement are kept, so that memory does not grow with their number.

Most slices of a head show no tumour, and all seven maps agree on that. On those the mirrored pass,
which doubles the cost, is skipped: see ``NEARLY``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from gliomask.core.regions import labels_of_regions, region_masks
from gliomask.core.resample import fit, unfit
from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray
from gliomask.errors import ModelError
from gliomask.inference.engines.engine import Engine
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import COLUMNS, ModelCard

Counts = npt.NDArray[np.int64]
Answer = TypeVar("Answer")
_SIDES = 6
NEARLY: Final = 0.5
"""Share of the threshold. A slice on which neither the fused map nor a side map reaches it, for any
region, counts as free of tumour in the mirrored passes too, which are not made."""


@dataclass(frozen=True, eq=False)
class Opinions:
    """M alternative predictions for a stack, in addition to the plain one.

    Attributes:
        probabilities: (R, S, H, W) float32 of the plain pass, on the cropped slices.
        disagreement: (R, S, H, W) float32, the standard deviation of the M other maps'
            probabilities, 0 on slices without tumour (``NEARLY``); None if it was not requested.
        names: M ways: ``side 1`` (the finest) to ``side 6``, ``left-right``, ``front-back``.
        plain: (R,) voxels of the plain mask.
        voxels: (M, R) voxels of the masks of the others.
        shared: (M, R) voxels that each shares with the plain mask.
    """

    probabilities: FloatArray
    disagreement: FloatArray | None
    names: tuple[str, ...]
    plain: Counts
    voxels: Counts
    shared: Counts


@dataclass(frozen=True, eq=False)
class _Looks:
    """Outputs of a network for N slices.

    Attributes:
        fused: (N, R, size, size), the map that counts.
        near: (K,) which of them may show a tumour.
        others: of those, M times (K, R, size, size): side maps, then mirrored ones.
    """

    fused: FloatArray
    near: npt.NDArray[np.intp]
    others: tuple[FloatArray, ...]


def disagreement(opinions: Opinions, region: int) -> float:
    """1 - mean Dice between the plain mask of a region (its index) and the M others, in [0, 1].

    Two empty masks agree.
    """
    both = opinions.plain[region] + opinions.voxels[:, region]
    dice = np.where(both > 0, 2 * opinions.shared[:, region] / np.maximum(both, 1), 1.0)
    return float(1.0 - dice.mean())


class Passes:
    """An engine with the card of its network.

    Args:
        engine: runs the network.
        card: how it wants its inputs, and what its outputs mean.
    """

    def __init__(self, engine: Engine, card: ModelCard) -> None:
        self.engine, self.card = engine, card

    def plain(
        self, stack: SliceStack, used: tuple[str, ...], control: Control = SILENT
    ) -> FloatArray:
        """(R, S, H, W) float32 in [0, 1] on the cropped slices, tempered.

        Args:
            stack: the slices.
            used: those of its sequences that the network gets, in the card's order.
            control: reports the slices; stops between the calls of the engine.

        Raises:
            ModelError: the network gives NaN or infinity.
        """
        maps = self._empty(stack)
        flips = self.card.flips if self.card.mirrored else ()

        def ask(fitted: FloatArray) -> FloatArray:
            return self._fused(fitted, used, flips, control)

        for at, fused in self._answers(stack, used, ask, control):
            maps[:, at] = self._back(fused, stack)
        return maps

    def thorough(
        self,
        stack: SliceStack,
        used: tuple[str, ...],
        *,
        disagreement: bool = False,
        control: Control = SILENT,
    ) -> Opinions:
        """The same and what the side maps and the mirrored slices say; see ``plain``."""
        flips = self.card.flips
        sides = tuple(f"side {k}" for k in range(1, _SIDES + 1))
        mirrored = tuple("left-right" if axis == COLUMNS else "front-back" for axis in flips)
        names = sides + mirrored
        maps = self._empty(stack)
        apart = self._empty(stack) if disagreement else None
        regions = len(self.card.regions)
        plain = np.zeros(regions, np.int64)
        voxels, shared = np.zeros((2, len(names), regions), np.int64)

        def ask(fitted: FloatArray) -> _Looks:
            return self._several(fitted, used, flips, control)

        for at, looks in self._answers(stack, used, ask, control):
            maps[:, at] = self._back(looks.fused, stack)
            near = at[looks.near]
            others = [self._back(maps_of_look, stack) for maps_of_look in looks.others]
            masks = np.stack(
                [self.masks(maps_of_look) for maps_of_look in (maps[:, near], *others)]
            )
            plain += _count(masks[0])
            voxels += _count(masks[1:])
            shared += _count(masks[1:] & masks[0])
            if apart is not None:
                apart[:, near] = np.std(others, axis=0)
        return Opinions(maps, apart, names, plain, voxels, shared)

    def masks(self, probabilities: FloatArray) -> npt.NDArray[np.bool_]:
        """(R, ...) bool: the regions at the card's threshold, an inner one within the outer."""
        regions = self.card.regions
        return region_masks(
            labels_of_regions(probabilities >= self.card.threshold, regions), regions
        )

    def _empty(self, stack: SliceStack) -> FloatArray:
        slices, _, height, width = stack.array.shape
        return np.zeros((len(self.card.regions), slices, height, width), np.float32)

    def _answers(
        self,
        stack: SliceStack,
        used: tuple[str, ...],
        ask: Callable[[FloatArray], Answer],
        control: Control,
    ) -> Iterator[tuple[npt.NDArray[np.intp], Answer]]:
        """Positions of slices in the stack, and the outputs of ``ask`` for them.

        The engine works on the next ones while the caller works on these. It has all processors,
        so products of matrices here stay on one: theirs are small, and their threads would wait
        for each other at its cost.
        """
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(1) as pool:
            before: tuple[npt.NDArray[np.intp], Future[Answer]] | None = None
            for at, fitted in self._batches(stack, used, control):
                future = pool.submit(ask, fitted)
                if before is not None:
                    yield before[0], before[1].result()
                    control.advance(len(before[0]))
                before = at, future
            if before is not None:
                yield before[0], before[1].result()
                control.advance(len(before[0]))

    def _batches(
        self, stack: SliceStack, used: tuple[str, ...], control: Control
    ) -> Iterator[tuple[npt.NDArray[np.intp], FloatArray]]:
        """Positions of slices in the stack, and the input of the network for them.

        Slices that show nothing are left out: they keep a probability of 0.
        """
        index = [stack.sequences.index(name) for name in used]
        single = self.card.input_mode == "each"
        step = max(1, self.engine.batch // (len(used) if single else 1))
        varying = np.flatnonzero(shows_something(stack, index))
        control.start(len(varying), "slice")
        for start in range(0, len(varying), step):
            at = varying[start : start + step]
            slices = stack.array[at[:, None], index]
            yield at, fit(slices, stack.record.pixel_mm, self.card.size)

    def _several(
        self, fitted: FloatArray, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> _Looks:
        """All maps of the slices, and the mirrored ones of those that may show a tumour."""
        seven = self._ask(fitted, used, sides=True)
        most = tempered(seven.max(axis=(1, 2, 3, 4)), self.card.temperature)
        near = np.flatnonzero(most >= NEARLY * self.card.threshold)
        everywhere = np.arange(len(fitted)) if self.card.mirrored else near
        mirrored = []
        for axis in flips:
            control.check()
            mirrored.append(self._mirrored(fitted[everywhere], used, axis)[:, 0])
        if self.card.mirrored:
            fused: FloatArray = np.mean([seven[:, 0], *mirrored], axis=0)
            mirrored = [flipped[near] for flipped in mirrored]
        else:
            fused = seven[:, 0]
        sides = [seven[near, k] for k in range(1, 1 + _SIDES)]
        return _Looks(fused, near, (*sides, *mirrored))

    def _fused(
        self, fitted: FloatArray, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> FloatArray:
        """(N, R, size, size): the map that counts, a mean with the mirrored ones if any."""
        looks = [self._ask(fitted, used)]
        for axis in flips:
            control.check()
            looks.append(self._mirrored(fitted, used, axis))
        mean: FloatArray = np.mean([look[:, 0] for look in looks], axis=0)
        return mean if flips else looks[0][:, 0]

    def _mirrored(self, fitted: FloatArray, used: tuple[str, ...], axis: int) -> FloatArray:
        turned = np.ascontiguousarray(np.flip(fitted, axis))
        return np.flip(self._ask(turned, used), axis)

    def _back(self, maps: FloatArray, stack: SliceStack) -> FloatArray:
        """(N, R, size, size) to (R, N, H, W) on the slices' own grid, tempered."""
        back = unfit(maps, stack.record.pixel_mm, stack.array.shape[-2:]).swapaxes(0, 1)
        # Interpolation may leave the interval by a rounding error.
        return tempered(np.clip(back, 0.0, 1.0), self.card.temperature)

    def _ask(self, fitted: FloatArray, used: tuple[str, ...], *, sides: bool = False) -> FloatArray:
        """(N, U, size, size) to probabilities (N, 1 or 7, R, size, size)."""
        if self.card.input_mode == "each":
            return self._each(fitted, sides)
        size = self.card.size
        inputs = np.zeros((len(fitted), len(self.card.sequences), size, size), np.float32)
        # What the network expects of a missing sequence is 0, its mean.
        inputs[:, [self.card.sequences.index(name) for name in used]] = fitted
        return self._said(inputs, sides)

    def _each(self, fitted: FloatArray, sides: bool) -> FloatArray:
        """The same by the mean of what the network says of each sequence alone."""
        count, used, size, _ = fitted.shape
        inputs = np.ascontiguousarray(fitted.reshape(count * used, 1, size, size))
        probabilities = self._said(inputs, sides)
        mean: FloatArray = probabilities.reshape(count, used, *probabilities.shape[1:]).mean(axis=1)
        return mean

    def _said(self, inputs: FloatArray, sides: bool) -> FloatArray:
        engine = self.engine
        if not len(inputs):  # no engine takes nothing
            size = self.card.size
            maps = 1 + _SIDES if sides else 1
            return np.zeros((0, maps, len(self.card.regions), size, size), np.float32)
        logits = engine.maps(inputs) if sides else engine.logits(inputs)[:, None]
        if not np.isfinite(logits).all():
            raise ModelError(f"the model {self.card.name} returns values that are not finite")
        return _sigmoid(logits)


def shows_something(stack: SliceStack, sequences: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(S,) bool: whether any of these sequences (their indices) varies within a slice.

    Above and below the head a skull-stripped volume holds one value throughout.
    """
    array = stack.array
    varies = np.zeros(len(array), bool)
    for k in sequences:
        varies |= array[:, k].max(axis=(1, 2)) > array[:, k].min(axis=(1, 2))
    return varies


def tempered(probabilities: FloatArray, temperature: float) -> FloatArray:
    """Probabilities with their logits divided by the temperature (Guo et al., ICML 2017).

    It is done last, on the maps that are shown: so the same mask comes out at the threshold that
    is moved along (``evaluation.temperature.adjusted_threshold``), to the voxel.

    Args:
        probabilities: any shape, float32 in [0, 1].
        temperature: positive; 1 gives the probabilities themselves.
    """
    if temperature == 1.0:
        return probabilities
    with np.errstate(divide="ignore"):
        logits: FloatArray = np.log(probabilities) - np.log1p(-probabilities)
    return _sigmoid(logits / np.float32(temperature))


def _sigmoid(logits: FloatArray) -> FloatArray:
    half = np.float32(0.5)
    # The hyperbolic tangent does not overflow where the exponential does.
    probabilities: FloatArray = half + half * np.tanh(half * logits)
    return probabilities


def _count(masks: npt.NDArray[np.bool_]) -> Counts:
    """(..., S, H, W) to (...): how many voxels."""
    counts: Counts = np.count_nonzero(masks, axis=(-3, -2, -1)).astype(np.int64)
    return counts
