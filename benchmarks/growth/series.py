"""Series of points of ``growth``, and their input data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from benchmarks.examinations import make_nifti, synthetic_head
from benchmarks.growth.cohorts import masks_to_score, tiny_cohort
from benchmarks.harness import Clock
from benchmarks.random_model import random_model
from gliomask.core.resample import fit
from gliomask.core.slices import to_slices
from gliomask.core.volume import FloatArray, Volume

SEQUENCES = ("flair",)
TINY, SMALL = "u2net-tiny", "u2netp"


@dataclass(frozen=True)
class Extent:
    """Size of a run: the values of each axis, and constants.

    Attributes:
        slices: of an examination; all_slices: where everything is written, slices_small: with
            U²-NetP.
        sides: of a slice and of the network's grid; depth: slices of each.
        channels: of the input; forward: slices that are timed, forward_side: their side.
        patients: of a store.
        processes: at work on ``prepared`` patients, on ``scored`` masks.
    """

    slices: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 10000)
    all_slices: tuple[int, ...] = (10, 30, 100, 300, 1000)
    slices_small: tuple[int, ...] = (10, 30, 100, 300, 1000)
    side: int = 64
    sides: tuple[int, ...] = (64, 96, 128, 192, 256, 384, 512)
    depth: int = 8
    channels: tuple[int, ...] = (1, 2, 3, 4, 6, 8)
    forward: int = 8
    forward_side: int = 128
    patients: tuple[int, ...] = (10, 30, 100, 300, 1000, 3000, 5000)
    processes: tuple[int, ...] = (1, 2)
    prepared: int = 1000
    scored: int = 60
    scored_side: int = 96


LITTLE = Extent(
    slices=(4, 8),
    all_slices=(),
    slices_small=(),
    side=32,
    sides=(32, 48),
    depth=4,
    channels=(1, 2),
    forward=2,
    forward_side=32,
    patients=(10, 20),
    prepared=12,
    scored=10,
    scored_side=24,
)
"""For tests: a minute at most."""


@dataclass(frozen=True)
class Series:
    """Points along one axis.

    Attributes:
        name: what is done; unit: what grows.
        values: the points, rising.
        words: value -> the words for ``growth_points``; what they need on disk is made first.
        clock: that counts.
        scale: value -> independent variable of the fit, e.g. pixels instead of sides.
    """

    name: str
    unit: str
    values: tuple[int, ...]
    words: Callable[[int], list[str]]
    clock: Clock = "cpu"
    scale: Callable[[int], int] = int


def all_series(extent: Extent, place: Path) -> Iterator[Series]:
    """Every series that has points."""
    inputs, e = _Inputs(extent, place), extent
    parts = (
        Series(f"mask, {TINY}", "slice", e.slices, partial(inputs.mask, TINY)),
        Series(f"mask, {SMALL}", "slice", e.slices_small, partial(inputs.mask, SMALL)),
        Series(f"all outputs, {TINY}", "slice", e.all_slices, inputs.everything),
        Series(f"mask, {SMALL}", "pixel", e.sides, inputs.resolution, scale=lambda side: side**2),
        Series(f"network, {SMALL}", "channel", e.channels, inputs.channels),
        Series("prepare", "patient", e.patients, inputs.prepare),
        Series("first batch", "patient", e.patients, inputs.first_batch),
        Series("prepare", "process", e.processes, inputs.prepare_with, clock="wall"),
        Series("score", "process", e.processes, inputs.score_with, clock="wall"),
    )
    yield from (series for series in parts if series.values)


class _Inputs:
    """Input data of the points, each created once.

    Args:
        extent: size of the run; place: folder for the data.
    """

    def __init__(self, extent: Extent, place: Path) -> None:
        self.extent, self.place = extent, place
        self.model, self.case = cache(self._model), cache(self._case)
        self.cohort = cache(lambda n: tiny_cohort(place / f"cohort{n}", n))
        self._outputs = 0

    def mask(self, network: str, slices: int) -> list[str]:
        side = self.extent.side
        return ["predict_mask", self.case(side, slices), self.model(network, side, 1), self._out()]

    def everything(self, slices: int) -> list[str]:
        return ["predict_all", *self.mask(TINY, slices)[1:]]

    def resolution(self, side: int) -> list[str]:
        case, model = self.case(side, self.extent.depth), self.model(SMALL, side, 1)
        return ["predict_mask", case, model, self._out()]

    def channels(self, number: int) -> list[str]:
        model = self.model(SMALL, self.extent.forward_side, number)
        return ["forward", model, str(self.extent.forward)]

    def prepare(self, patients: int) -> list[str]:
        return ["prepare", str(self.cohort(patients)), str(self._store(patients)), "1"]

    def first_batch(self, patients: int) -> list[str]:
        """Of the store that ``prepare`` has inputs."""
        return ["first_batch", str(self._store(patients)), "32"]

    def prepare_with(self, processes: int) -> list[str]:
        source = str(self.cohort(self.extent.prepared))
        return ["prepare", source, self._out(), str(processes)]

    def score_with(self, processes: int) -> list[str]:
        folders = self.place / "references", self.place / "predictions"
        if not folders[0].is_dir():
            shape = (self.extent.scored_side,) * 3
            masks_to_score(self.place, self.extent.scored, shape)
        return ["score", *map(str, folders), self._out(), str(processes)]

    def _store(self, patients: int) -> Path:
        return self.place / f"store{patients}"

    def _out(self) -> str:
        self._outputs += 1
        return str(self.place / f"out{self._outputs}")

    def _case(self, side: int, slices: int) -> str:
        place = self.place / f"case{side}x{slices}"
        return str(make_nifti(place, (side, side, slices), SEQUENCES))

    def _model(self, network: str, side: int, channels: int) -> str:
        names = SEQUENCES if channels == 1 else tuple(f"s{k}" for k in range(channels))
        images = np.repeat(_head_slices(side, self.extent.depth), channels, axis=1)
        folder = self.place / f"{network}-{side}-{channels}"
        return str(random_model(folder, network, images, names))


def _head_slices(side: int, depth: int) -> FloatArray:
    """(depth, 1, side, side): slices of a synthetic head as input of the network."""
    head = synthetic_head((side, side, depth), SEQUENCES[0]).astype(np.float32)
    stack = to_slices(Volume(head[None], np.diag([-1.0, -1, 1, 1]), SEQUENCES))
    return fit(stack.array, stack.record.pixel_mm, side)
