"""Batches for training steps.

A batch is a pure function of (recipe, epoch, step). Threads prepare the parts in main memory ahead
of time (reading, drawing parameters); work on the device (transfer, augmentation) happens when the
batch is requested.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from gliomask.config import Recipe
from gliomask.learning.augment import draw_change
from gliomask.learning.augment_batch import Changes, arrange_batch
from gliomask.learning.augment_geometry import move
from gliomask.learning.augment_intensity import shade
from gliomask.learning.catalogue import BoolArray, Catalogue, IntArray
from gliomask.learning.dataset import Slices, region_maps
from gliomask.learning.sampling import (
    Samples,
    patient_odds,
    plan_epoch,
    single_samples,
    stacked_samples,
)

Made = TypeVar("Made")


@dataclass(frozen=True)
class Worker:
    """Index of a process, and its share of the work.

    Attributes:
        device: device of the network.
        rank, world: every ``world``-th item, starting with item ``rank``.
        threads: number of threads that prepare items ahead; with 0 they are prepared on request.
    """

    device: torch.device
    rank: int = 0
    world: int = 1
    threads: int = 0


@dataclass(frozen=True, eq=False)
class Batch:
    """Input of one device for a training step.

    Attributes:
        images: (n, C, size, size) float32.
        target: (n, R, size, size) float32, 0 or 1.
        labelled: (n, R) float32, 1 where the sample's data set labels the region.
    """

    images: Tensor
    target: Tensor
    labelled: Tensor


@dataclass(frozen=True, eq=False)
class _Raw:
    """Part of a batch in main memory; ``pixels`` is None if the slices are on the device."""

    samples: IntArray
    pixels: tuple[Tensor, Tensor] | None
    changes: Changes


class TrainingBatches:
    """The batches of each epoch.

    Args:
        slices: the pixels.
        catalogue: list of the slices.
        recipe: sampling and augmentation.
        worker: process whose samples are produced.
    """

    def __init__(
        self, slices: Slices, catalogue: Catalogue, recipe: Recipe, worker: Worker
    ) -> None:
        self.slices, self.catalogue, self.recipe, self.worker = slices, catalogue, recipe, worker
        each = recipe.input.mode == "each"
        self.samples: Samples = (single_samples if each else stacked_samples)(catalogue)
        self.odds = patient_odds(catalogue, self.samples, recipe.sampling)

    @property
    def steps(self) -> int:
        """Number of steps in an epoch."""
        count = self.recipe.sampling.slices or len(self.samples.row)
        return -(-count // self.recipe.batch_size)

    def epoch(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch (from 0), from step ``first`` on."""
        plan, steps = self._plan(epoch), range(first, self.steps)
        make = partial(self._prepare, plan, epoch)
        for raw in ahead(make, steps, self.worker.threads):
            yield self._finish(raw)

    def names(self, epoch: int, step: int) -> list[str]:
        """Names of the slices of a step over all devices, for messages."""
        rows = self.samples.row[self._plan(epoch)[self._places(step, rank=0, world=1)]]
        return [self.catalogue.name(row) for row in rows]

    def _plan(self, epoch: int) -> IntArray:
        recipe, tumour = self.recipe, self.samples.tumour
        options, batch = recipe.sampling, recipe.batch_size
        return plan_epoch(
            tumour, options, batch=batch, seed=recipe.seed, epoch=epoch, odds=self.odds
        )

    def _places(self, step: int, rank: int, world: int) -> IntArray:
        """Indices of the samples of a step."""
        batch = self.recipe.batch_size
        return np.arange(step * batch + rank, (step + 1) * batch, world)

    def _prepare(self, plan: IntArray, epoch: int, step: int) -> _Raw:
        places = self._places(step, self.worker.rank, self.worker.world)
        samples = plan[places]
        changes = self._draw(self._present(samples), epoch, places)
        pixels = self._fetch(samples, changes) if self.slices.device.type == "cpu" else None
        if pixels is not None and self.worker.device.type == "cuda":
            pixels = (pixels[0].pin_memory(), pixels[1].pin_memory())
        return _Raw(samples, pixels, changes)

    def _fetch(self, samples: IntArray, changes: Changes) -> tuple[Tensor, Tensor]:
        """Images (n, C, size, size) float16 and bits, on the device of the slices.

        ``changes`` is in main memory, where the rows are looked up.
        """
        rows = self.samples.row[samples]
        images, bits = self.slices.fetch(rows)
        if (drawn := changes.drawn("thick")) is not None:
            at = drawn[0].numpy()
            images[drawn[0]] = self._thicker(rows[at], images[drawn[0]], drawn[1])
        if self.samples.channel is None:
            return images, bits
        channel = torch.from_numpy(self.samples.channel[samples])
        channel = channel.to(images.device, non_blocking=True)
        each = torch.arange(len(samples), device=images.device)
        return images[each, channel].unsqueeze(1), bits

    def _thicker(self, rows: IntArray, images: Tensor, share: Tensor) -> Tensor:
        """Mix slices (m, C, size, size) with their neighbours, by weights (m,)."""
        below, above = (
            self.slices.fetch(self.catalogue.beside(rows, side))[0].float() for side in (-1, 1)
        )
        weight = share.to(images.device).view(-1, 1, 1, 1)
        return (images.float() * (1 - 2 * weight) + (below + above) * weight).half()

    def _present(self, samples: IntArray) -> BoolArray:
        """(n, C), whether the samples have the channels."""
        if self.samples.channel is not None:
            return np.ones((len(samples), 1), bool)
        return self.catalogue.present[self.catalogue.case[self.samples.row[samples]]]

    def _draw(self, present: BoolArray, epoch: int, places: IntArray) -> Changes:
        recipe = self.recipe
        dropout = recipe.input.dropout if recipe.input.mode == "stacked" else 0.0
        drawn = [
            draw_change(
                recipe.augment, dropout, sequences_present, (recipe.seed, epoch, int(place))
            )
            for sequences_present, place in zip(present, places, strict=True)
        ]
        return arrange_batch(drawn)

    def _finish(self, raw: _Raw) -> Batch:
        images, bits = raw.pixels or self._fetch(raw.samples, raw.changes)
        images = images.to(self.worker.device, non_blocking=True).float()
        bits = bits.to(self.worker.device, non_blocking=True)
        changes = raw.changes.on(self.worker.device)
        images, bits = move(images, bits, changes)
        images = shade(images, changes)
        target = region_maps(bits, len(self.recipe.regions))
        labelled = self.catalogue.labels(self.samples.row[raw.samples], self.recipe.regions)
        known = torch.from_numpy(labelled).to(self.worker.device, non_blocking=True).float()
        return Batch(channels_last(images), target, known)


def channels_last(images: Tensor) -> Tensor:
    """Copy in channels-last memory format, in which convolutions are fastest.

    For a single channel both formats have the same order, so ``contiguous`` would not change the
    strides, which determine the format of the network's outputs.
    """
    return images.clone(memory_format=torch.channels_last)


def ahead(make: Callable[[int], Made], items: Iterable[int], threads: int) -> Iterator[Made]:
    """Yield ``make(item)`` of each item in order; each thread works up to two items ahead.

    Without threads, items are made on request. Exceptions of ``make`` are raised here.
    """
    if not threads:
        yield from map(make, items)
        return
    source = iter(items)
    pool = ThreadPoolExecutor(threads)
    try:
        waiting = deque(pool.submit(make, item) for item in islice(source, 2 * threads))
        while waiting:
            item = waiting.popleft().result()
            waiting.extend(pool.submit(make, item) for item in islice(source, 1))
            yield item
    finally:
        pool.shutdown(cancel_futures=True)
