"""A stack of slices through the network, once or in several ways.

    plain:        slices -> fused map
    uncertainty:  slices -> fused map, six side maps; of those that may show a tumour also
                  mirrored slices -> fused map, mirrored back

The probability that is shown and thresholded is that of the fused map in both. If the card says
``mirrored``, the plain pass mirrors too, and it is the mean of the fused maps. Of the other maps
only counts on the network's own grid are kept (``opinions``), so that neither memory nor time grows
with their number.

Most slices of a head show no tumour, and all seven maps agree on that: those are not mirrored
(``NEARLY``). Of the others a sample is (``SAMPLE``), because neighbouring slices are alike.
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
from gliomask.inference.opinions import Opinions, OtherMaps, Tally
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import COLUMNS, ModelCard
from gliomask.statistics.temperature import adjusted_threshold

Output = TypeVar("Output")
_SIDES = 6
NEARLY: Final = 0.5
"""Share of the threshold. A slice on which neither the fused map nor a side map reaches it, for any
region, counts as free of tumour in the mirrored passes too, which are not made."""
SAMPLE: Final = 16
"""Mirrored slices of a stack that shows tumour throughout, evenly spaced; of another one fewer. The
spread of volumes (``uncertainty``) from this sample differs from that of all slices by 0.3 % in the
median of 64 regions of held-out cases, and by 5 % at most."""


@dataclass(frozen=True, eq=False)
class _AllMaps:
    """Probabilities of a network for N slices, before the temperature.

    Attributes:
        fused: (N, R, size, size), the fused map.
        near: (K,) which of them may show a tumour.
        others: the other maps of those.
    """

    fused: FloatArray
    near: npt.NDArray[np.intp]
    others: OtherMaps


class Passes:
    """An engine with the card of its network.

    Args:
        engine: runs the network.
        card: describes its inputs and outputs.
    """

    def __init__(self, engine: Engine, card: ModelCard) -> None:
        self.engine, self.card = engine, card

    def plain(
        self, stack: SliceStack, used: tuple[str, ...], control: Control = SILENT
    ) -> FloatArray:
        """(R, S, H, W) float32 in [0, 1] on the cropped slices, tempered.

        Args:
            stack: the slices.
            used: sequences for the network, in the card's order.
            control: reports the slices; stops between the calls of the engine.

        Raises:
            ModelError: the network gives NaN or infinity.
        """
        maps = self._empty(stack)
        flips = self.card.flips if self.card.mirrored else ()

        def fused_maps(fitted: FloatArray) -> FloatArray:
            return self._fused(fitted, used, flips, control)

        for at, fused in self._outputs(stack, used, fused_maps, control):
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
        """Probabilities with the opinions of side maps and mirrored slices; see ``plain``."""
        flips = self.card.flips
        sides = tuple(f"side {k}" for k in range(1, _SIDES + 1))
        mirrored = tuple("left-right" if axis == COLUMNS else "front-back" for axis in flips)
        maps = self._empty(stack)
        apart = self._empty(stack) if disagreement else None
        tally = Tally(stack, self.card, len(sides), len(mirrored))
        step = max(1, len(stack.array) // SAMPLE)
        samples = 0

        def all_maps(fitted: FloatArray) -> _AllMaps:
            nonlocal samples
            batch = self._several(fitted, used, control, pick=slice(-samples % step, None, step))
            samples += len(batch.near)
            return batch

        for at, batch in self._outputs(stack, used, all_maps, control):
            maps[:, at] = self._back(batch.fused, stack)
            near = at[batch.near]
            tally.add(
                self.masks(maps[:, near]),
                batch.fused[batch.near],
                batch.others,
            )
            if apart is not None:
                apart[:, near] = self._unfitted(self._deviation(batch.others.sides), stack)
        return tally.opinions(maps, apart, sides + mirrored)

    def masks(self, probabilities: FloatArray) -> npt.NDArray[np.bool_]:
        """(R, ...) bool: the regions at the card's threshold, an inner one within the outer."""
        regions = self.card.regions
        return region_masks(
            labels_of_regions(probabilities >= self.card.threshold, regions), regions
        )

    def _empty(self, stack: SliceStack) -> FloatArray:
        slices, _, height, width = stack.array.shape
        return np.zeros((len(self.card.regions), slices, height, width), np.float32)

    def _outputs(
        self,
        stack: SliceStack,
        used: tuple[str, ...],
        run: Callable[[FloatArray], Output],
        control: Control,
    ) -> Iterator[tuple[npt.NDArray[np.intp], Output]]:
        """Positions of slices in the stack, and the outputs of ``run`` for them.

        The engine works on the next ones while the caller works on these. It has all processors,
        so products of matrices here stay on one: theirs are small, and their threads would wait
        for each other at its cost.
        """
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(1) as pool:
            before: tuple[npt.NDArray[np.intp], Future[Output]] | None = None
            for at, fitted in self._batches(stack, used, control):
                future = pool.submit(run, fitted)
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
        self, fitted: FloatArray, used: tuple[str, ...], control: Control, *, pick: slice
    ) -> _AllMaps:
        """All maps of the slices.

        Args:
            fitted: the slices; used: their sequences; control: stops between calls of the engine.
            pick: of those that may show a tumour, which are mirrored.
        """
        logits = self._logits(fitted, used, sides=True)
        level = adjusted_threshold(NEARLY * self.card.threshold, 1 / self.card.temperature)
        near = np.flatnonzero(logits.max(axis=(1, 2, 3, 4, 5)) >= np.log(level / (1 - level)))
        picked = np.arange(len(near))[pick]
        fused, flips = _mean(logits[:, :, 0]), self.card.flips
        sides = tuple(_mean(logits[near, :, k]) for k in range(1, 1 + _SIDES))
        if self.card.mirrored:
            everywhere = self._mirrored(fitted, used, flips, control)
            fused = np.mean([fused, *everywhere], axis=0)
            mirrored = [flipped[near[picked]] for flipped in everywhere]
        else:
            mirrored = self._mirrored(fitted[near[picked]], used, flips, control)
        return _AllMaps(fused, near, OtherMaps(sides, picked, tuple(mirrored)))

    def _fused(
        self, fitted: FloatArray, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> FloatArray:
        """(N, R, size, size): the fused map, a mean with the mirrored ones if any."""
        plain = _mean(self._logits(fitted, used)[:, :, 0])
        mirrored = self._mirrored(fitted, used, flips, control)
        return np.mean([plain, *mirrored], axis=0) if mirrored else plain

    def _mirrored(
        self, fitted: FloatArray, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> list[FloatArray]:
        """The fused map of the slices mirrored along each of these axes, mirrored back."""
        maps = []
        for axis in flips:
            control.check()
            turned = np.ascontiguousarray(np.flip(fitted, axis))
            maps.append(np.flip(_mean(self._logits(turned, used)[:, :, 0]), axis))
        return maps

    def _back(self, maps: FloatArray, stack: SliceStack) -> FloatArray:
        """(N, R, size, size) to (R, N, H, W) on the slices' own grid, tempered."""
        # Interpolation may leave the interval by a rounding error.
        back = np.clip(self._unfitted(maps, stack), 0.0, 1.0)
        return tempered(back, self.card.temperature)

    def _unfitted(self, maps: FloatArray, stack: SliceStack) -> FloatArray:
        """(N, R, size, size) to (R, N, H, W) on the slices' own grid."""
        return unfit(maps, stack.record.pixel_mm, stack.array.shape[-2:]).swapaxes(0, 1)

    def _deviation(self, sides: Sequence[FloatArray]) -> FloatArray:
        """(N, R, size, size): the standard deviation of several maps, tempered.

        Slice by slice: for all slices of a batch at once it takes 150 MB.
        """
        deviation = np.empty_like(sides[0])
        for number, slice_deviation in enumerate(deviation):
            maps = [tempered(side[number], self.card.temperature) for side in sides]
            np.std(maps, axis=0, out=slice_deviation)
        return deviation

    def _logits(
        self, fitted: FloatArray, used: tuple[str, ...], *, sides: bool = False
    ) -> FloatArray:
        """(N, U, size, size) to logits (N, P, 1 or 7, R, size, size).

        P is 1, or U for a model that is run on each sequence alone.
        """
        count, size, single = len(fitted), self.card.size, self.card.input_mode == "each"
        if single:
            inputs = np.ascontiguousarray(fitted.reshape(-1, 1, size, size))
        else:
            # What the network expects of a missing sequence is 0, its mean.
            inputs = np.zeros((count, len(self.card.sequences), size, size), np.float32)
            inputs[:, [self.card.sequences.index(name) for name in used]] = fitted
        logits = self._run(inputs, sides)
        return logits.reshape(count, len(used) if single else 1, *logits.shape[1:])

    def _run(self, inputs: FloatArray, sides: bool) -> FloatArray:
        engine = self.engine
        if not len(inputs):  # no engine takes nothing
            size = self.card.size
            maps = 1 + _SIDES if sides else 1
            return np.zeros((0, maps, len(self.card.regions), size, size), np.float32)
        logits = engine.maps(inputs) if sides else engine.logits(inputs)[:, None]
        if not np.isfinite(logits).all():
            raise ModelError(f"the model {self.card.name} returns values that are not finite")
        return logits


def _mean(logits: FloatArray) -> FloatArray:
    """(N, P, ...) to probabilities (N, ...): the mean over P, of one the probability itself."""
    if logits.shape[1] == 1:
        return _sigmoid(logits[:, 0])
    mean: FloatArray = _sigmoid(logits).mean(axis=1)
    return mean


def shows_something(stack: SliceStack, sequences: Sequence[int]) -> npt.NDArray[np.bool_]:
    """(S,) bool: whether any of these sequences (their indices) varies within a slice.

    Above and below the head a skull-stripped volume has one value throughout.
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
        # The difference from 1 is exact where it is small, and log1p takes twice as long as log.
        logits: FloatArray = np.log(probabilities) - np.log(np.float32(1.0) - probabilities)
    return _sigmoid(logits / np.float32(temperature))


def _sigmoid(logits: FloatArray) -> FloatArray:
    half = np.float32(0.5)
    # The hyperbolic tangent does not overflow where the exponential does.
    probabilities: FloatArray = half * logits
    np.tanh(probabilities, out=probabilities)
    probabilities *= half
    probabilities += half
    return probabilities
