"""A stack of slices through the network, once or in several ways.

    plain:        slices -> fused map
    uncertainty:  slices -> fused map, six side maps; of those that may show a tumour also
                  mirrored slices -> fused map, mirrored back

The probability that is shown and thresholded is that of the fused map in both, smoothed across
close slices (``through_slices``). If the card says ``mirrored``, the plain pass mirrors too, and it
is the mean of the fused maps. Of the other maps only counts on the network's own grid are kept
(``opinions``), so that neither memory nor time grows with their number.

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
from gliomask.inference.planes import PlaneView, views_of
from gliomask.inference.probabilities import mean_probability, tempered
from gliomask.inference.slice_batch import SliceBatch, Turn, shows_something
from gliomask.jobs.control import SILENT, Control
from gliomask.nets.cards import COLUMNS, ModelCard
from gliomask.statistics.temperature import adjusted_threshold

Output = TypeVar("Output")
_SIDES = 6
NEARLY: Final = 0.5
"""Share of the threshold. A slice on which neither the fused map nor a side map reaches it, for any
region, counts as free of tumour in the mirrored passes too, which are not made."""
_BLOCK: Final = 16
"""Slices that are processed together where no network is involved."""
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
        flips = self.card.flips if self.card.mirrored else ()

        def fused_maps(batch: SliceBatch) -> FloatArray:
            return self._fused(batch, used, flips, control)

        total = self._empty(stack)
        for view, varying in self._views(stack, used, control):
            maps = view.maps(total)
            shown = self._near_tumour(view, varying, total, control)
            for at, fused in self._outputs(view, shown, used, fused_maps, control):
                maps[:, at] = self._unfitted(fused, view.stack)
            view.add(maps, shown, total)
        return self._tempered(total)

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
        views = self._views(stack, used, control)
        step = max(1, sum(len(view.stack.array) for view, _ in views) // SAMPLE)
        samples = planes = 0

        def all_maps(batch: SliceBatch) -> _AllMaps:
            nonlocal samples
            several = self._several(batch, used, control, pick=slice(-samples % step, None, step))
            samples += len(several.near)
            return several

        tally = Tally(self.card, len(sides), len(mirrored))
        total = self._empty(stack)
        apart = self._empty(stack) if disagreement else None
        for view, varying in views:
            maps = view.maps(total)
            deviations = None if apart is None else view.maps(apart)
            shown = self._near_tumour(view, varying, total, control)
            planes += bool(len(shown))
            for at, several in self._outputs(view, shown, used, all_maps, control):
                maps[:, at] = self._unfitted(several.fused, view.stack)
                tally.add(view.stack, several.fused[several.near], several.others)
                if deviations is not None:
                    deviation = self._unfitted(self._deviation(several.others.sides), view.stack)
                    deviations[:, at[several.near]] = deviation
            view.add(maps, shown, total)
            if deviations is not None and apart is not None:
                view.add(deviations, shown, apart)
        probabilities = self._tempered(total)
        voxels = self._voxels(probabilities)
        # Where only the first plane was segmented, its slices stand for those of the others.
        share = max(planes, 1) / len(views)
        return tally.opinions(probabilities, apart, voxels, sides + mirrored, share)

    def masks(self, probabilities: FloatArray) -> npt.NDArray[np.bool_]:
        """(R, ...) bool: the regions at the card's threshold, an inner one within the outer."""
        regions = self.card.regions
        return region_masks(
            labels_of_regions(probabilities >= self.card.threshold, regions), regions
        )

    def _voxels(self, maps: FloatArray) -> npt.NDArray[np.int64]:
        """(R,) voxels of the masks of maps (R, S, H, W)."""
        blocks = (self.masks(maps[:, block]) for block in _blocks(maps))
        counts = [np.count_nonzero(mask, axis=(1, 2, 3)) for mask in blocks]
        total: npt.NDArray[np.int64] = np.sum(counts, axis=0, dtype=np.int64)
        return total

    def _views(
        self, stack: SliceStack, used: tuple[str, ...], control: Control
    ) -> list[tuple[PlaneView, npt.NDArray[np.intp]]]:
        """The views of a stack, each with those of its slices that may go through the network.

        Slices that show nothing are left out: their maps are 0, or the mean of earlier planes.
        """
        index = self._channels(stack, used)
        views = [
            (view, np.flatnonzero(shows_something(view.stack, index)))
            for view in views_of(stack, self.card)
        ]
        control.start(sum(len(varying) for _, varying in views), "slice")
        return views

    def _near_tumour(
        self,
        view: PlaneView,
        varying: npt.NDArray[np.intp],
        total: FloatArray,
        control: Control,
    ) -> npt.NDArray[np.intp]:
        """Those of these slices of a view that may show tumour according to the earlier planes."""
        near = varying[view.near_tumour(total)[varying]]
        control.advance(len(varying) - len(near))
        return near

    def _tempered(self, maps: FloatArray) -> FloatArray:
        """Apply the temperature to maps (R, S, H, W) in place."""
        for block in _blocks(maps):
            # Interpolation may leave the interval by a rounding error.
            clipped = np.clip(maps[:, block], 0.0, 1.0)
            maps[:, block] = tempered(clipped, self.card.temperature)
        return maps

    def _empty(self, stack: SliceStack) -> FloatArray:
        slices, _, height, width = stack.array.shape
        return np.zeros((len(self.card.regions), slices, height, width), np.float32)

    def _channels(self, stack: SliceStack, used: tuple[str, ...]) -> list[int]:
        return [stack.sequences.index(name) for name in used]

    def _outputs(
        self,
        view: PlaneView,
        varying: npt.NDArray[np.intp],
        used: tuple[str, ...],
        run: Callable[[SliceBatch], Output],
        control: Control,
    ) -> Iterator[tuple[npt.NDArray[np.intp], Output]]:
        """Positions of slices in the view's stack, and the outputs of ``run`` for them.

        The engine works on the next ones while the caller works on these. It has all processors,
        so products of matrices here stay on one: theirs are small, and their threads would wait
        for each other at its cost.
        """
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(1) as pool:
            before: tuple[npt.NDArray[np.intp], Future[Output]] | None = None
            for batch in self._batches(view, varying, used):
                future = pool.submit(run, batch)
                if before is not None:
                    yield before[0], before[1].result()
                    control.advance(len(before[0]))
                before = batch.at, future
            if before is not None:
                yield before[0], before[1].result()
                control.advance(len(before[0]))

    def _batches(
        self, view: PlaneView, varying: npt.NDArray[np.intp], used: tuple[str, ...]
    ) -> Iterator[SliceBatch]:
        """These slices of a view for the network."""
        stack = view.stack
        index = self._channels(stack, used)
        single = self.card.input_mode == "each"
        step = max(1, self.engine.batch // (len(used) if single else 1))
        for start in range(0, len(varying), step):
            at = varying[start : start + step]
            slices = stack.array[at[:, None], index]
            fitted = fit(slices, stack.record.pixel_mm, self.card.size)
            yield SliceBatch(at, fitted, self._turn(view, at))

    def _turn(self, view: PlaneView, at: npt.NDArray[np.intp]) -> Turn | None:
        """Every second slice where neighbours are combined, unless all are mirrored anyway."""
        if self.card.mirrored or not self.card.flips or not view.smoothing_mm:
            return None
        return Turn(self.card.flips[0], at % 2 == 1)

    def _several(
        self, batch: SliceBatch, used: tuple[str, ...], control: Control, *, pick: slice
    ) -> _AllMaps:
        """All maps of the slices.

        Args:
            batch: the slices; used: their sequences; control: stops between calls of the engine.
            pick: of those that may show a tumour, which are mirrored.
        """
        logits = self._logits(batch, used, sides=True)
        level = NEARLY * adjusted_threshold(self.card.threshold, 1 / self.card.temperature)
        near = np.flatnonzero(logits.max(axis=(1, 2, 3, 4, 5)) >= np.log(level / (1 - level)))
        picked = np.arange(len(near))[pick]
        fused, flips = mean_probability(logits[:, :, 0]), self.card.flips
        sides = tuple(mean_probability(logits[near, :, k]) for k in range(1, 1 + _SIDES))
        if self.card.mirrored:
            everywhere = self._mirrored(batch, used, flips, control)
            fused = np.mean([fused, *everywhere], axis=0)
            mirrored = [flipped[near[picked]] for flipped in everywhere]
        else:
            mirrored = self._mirrored(batch.some(near[picked]), used, flips, control)
        return _AllMaps(fused, near, OtherMaps(sides, picked, tuple(mirrored)))

    def _fused(
        self, batch: SliceBatch, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> FloatArray:
        """(N, R, size, size): the fused map, a mean with the mirrored ones if any."""
        plain = mean_probability(self._logits(batch, used)[:, :, 0])
        mirrored = self._mirrored(batch, used, flips, control)
        return np.mean([plain, *mirrored], axis=0) if mirrored else plain

    def _mirrored(
        self, batch: SliceBatch, used: tuple[str, ...], flips: Sequence[int], control: Control
    ) -> list[FloatArray]:
        """The fused map of the slices mirrored along each of these axes, mirrored back.

        Of a slice that was mirrored along this axis already, it is the map without.
        """
        maps = []
        for axis in flips:
            control.check()
            maps.append(mean_probability(self._logits(batch.mirrored(axis), used)[:, :, 0]))
        return maps

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
        self, batch: SliceBatch, used: tuple[str, ...], *, sides: bool = False
    ) -> FloatArray:
        """(N, U, size, size) to logits (N, P, 1 or 7, R, size, size).

        P is 1, or U for a model that is run on each sequence alone.
        """
        fitted = batch.fitted if batch.turn is None else batch.turn(batch.fitted)
        count, size, single = len(fitted), self.card.size, self.card.input_mode == "each"
        if single:
            inputs = np.ascontiguousarray(fitted.reshape(-1, 1, size, size))
        else:
            # What the network expects of a missing sequence is 0, its mean.
            inputs = np.zeros((count, len(self.card.sequences), size, size), np.float32)
            inputs[:, [self.card.sequences.index(name) for name in used]] = fitted
        logits = self._run(inputs, sides)
        shaped = logits.reshape(count, len(used) if single else 1, *logits.shape[1:])
        return shaped if batch.turn is None else batch.turn(shaped)

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


def _blocks(maps: FloatArray) -> Iterator[slice]:
    """Blocks of slices of maps (R, S, H, W), so that temporary arrays stay small."""
    return (slice(start, start + _BLOCK) for start in range(0, maps.shape[1], _BLOCK))
