"""Pixels for training: slices on the network's grid, from memory if they fit, else from the store.

Both sources give the same values: images in half precision, like in the store, and for each pixel
its regions as the bits of a byte.
"""

from __future__ import annotations

import math
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gliomask.core.labels import LabelArray
from gliomask.core.regions import region_masks
from gliomask.core.resample import fit, fit_labels
from gliomask.jobs.control import Control
from gliomask.learning.catalogue import Catalogue, IntArray
from gliomask.store.store import Store

_BYTES_OF_PIXEL = 2
"""Bytes per pixel of an image in half precision; its label needs one more."""
_SLICES = 16
"""Number of slices to read at a time."""


class Slices(Protocol):
    """The slices of a catalogue by row.

    Attributes:
        where: description of the storage.
        device: device of the tensors from ``fetch``.
    """

    @property
    def where(self) -> str: ...

    @property
    def device(self) -> torch.device: ...

    def fetch(self, rows: IntArray) -> tuple[Tensor, Tensor]:
        """Images (n, C, size, size) float16, an absent sequence 0, and bits (n, size, size) uint8.

        Raises:
            StoreError: a slice can't be read.
        """


class StoreSlices:
    """Slices that are read from the store and resampled on each request.

    Args:
        store: the store.
        catalogue: list of the slices.
        size: side of the network's grid.
        regions: bit k of a label is set if the pixel belongs to region k.
    """

    where = "read from the store as needed"
    device = torch.device("cpu")

    def __init__(
        self, store: Store, catalogue: Catalogue, size: int, regions: tuple[str, ...]
    ) -> None:
        self.store, self.catalogue, self.size, self.regions = store, catalogue, size, regions

    def fetch(self, rows: IntArray) -> tuple[Tensor, Tensor]:
        """See ``Slices.fetch``."""
        shape = (len(rows), len(self.catalogue.sequences), self.size, self.size)
        images = torch.zeros(shape, dtype=torch.float16)
        bits = torch.zeros((shape[0], *shape[2:]), dtype=torch.uint8)
        for case in np.unique(self.catalogue.case[rows]):
            at = np.flatnonzero(self.catalogue.case[rows] == case)
            images[at], bits[at] = self._read(int(case), self.catalogue.slice[rows[at]])
        return images, bits

    def _read(self, number: int, slices: IntArray) -> tuple[Tensor, Tensor]:
        """Slices of one case, resampled."""
        case, known = self.catalogue.cases[number], self.catalogue.sequences
        sequences = [name for name in known if name in case.sequences]
        own = self.store.images(case.id, slices.tolist())
        chosen = own[:, [case.sequences.index(name) for name in sequences]]
        images = np.zeros((len(slices), len(known), self.size, self.size), np.float16)
        images[:, [known.index(name) for name in sequences]] = fit(chosen, case.pixel_mm, self.size)
        labels = self.store.labels(case.id, slices.tolist())
        fitted = fit_labels(labels, case.pixel_mm, self.size)
        return torch.from_numpy(images), torch.from_numpy(region_bits(fitted, self.regions))


class KeptSlices:
    """Slices that are all in main memory or in the memory of the device.

    Args:
        images: (M, C, size, size) float16.
        bits: (M, size, size) uint8, on the same device.
    """

    def __init__(self, images: Tensor, bits: Tensor) -> None:
        self.images, self.bits = images, bits

    @property
    def device(self) -> torch.device:
        """See ``Slices.device``."""
        return self.images.device

    @property
    def where(self) -> str:
        gigabytes = (self.images.nbytes + self.bits.nbytes) / 1e9
        return f"in memory ({self.images.device.type}, {gigabytes:.2f} GB)"

    def fetch(self, rows: IntArray) -> tuple[Tensor, Tensor]:
        """See ``Slices.fetch``."""
        index = torch.from_numpy(rows).to(self.images.device, non_blocking=True)
        return self.images[index], self.bits[index]


def needed_bytes(catalogue: Catalogue, size: int) -> int:
    """Number of bytes that ``keep`` needs."""
    channels = len(catalogue.sequences)
    return len(catalogue) * size * size * (channels * _BYTES_OF_PIXEL + 1)


def keep(source: StoreSlices, device: torch.device, threads: int, control: Control) -> KeptSlices:
    """Read all slices into the memory of ``device``.

    Args:
        source: source of the slices.
        device: target device.
        threads: number of reading threads.
        control: receives the progress within each case.

    Raises:
        StoreError: a case can't be read.
    """
    catalogue, size = source.catalogue, source.size
    shape = (len(catalogue), len(catalogue.sequences), size, size)
    images = torch.empty(shape, dtype=torch.float16, device=device)
    bits = torch.empty((shape[0], *shape[2:]), dtype=torch.uint8, device=device)
    rows = [catalogue.rows_of(case) for case in range(len(catalogue.cases))]
    parts = [(at, len(at) / max(len(own), 1)) for own in rows for at in _cut(own)]
    with ThreadPoolExecutor(threads) as pool:
        read = deque(pool.submit(source.fetch, at) for at, _ in parts)
        try:
            for at, share in parts:
                some, some_bits = read.popleft().result()
                images[at], bits[at] = some.to(device), some_bits.to(device)
                control.advance(share)
        finally:
            pool.shutdown(cancel_futures=True)
    return KeptSlices(images, bits)


def _cut(rows: IntArray) -> list[IntArray]:
    """Divide the slices of a case into groups, so that a stop does not wait for the whole case."""
    return np.array_split(rows, max(1, math.ceil(len(rows) / _SLICES)))


def region_bits(labels: LabelArray, regions: tuple[str, ...]) -> npt.NDArray[np.uint8]:
    """Convert labels (...) to a byte per pixel, (...) uint8: bit k is set in region k."""
    weights = np.array([1 << k for k in range(len(regions))], np.uint8)
    return np.tensordot(weights, region_masks(labels, regions), axes=1).astype(np.uint8)


def region_maps(bits: Tensor, count: int) -> Tensor:
    """Convert bits (n, H, W) uint8 to maps (n, count, H, W) float32 of 0 and 1."""
    shift = torch.arange(count, dtype=torch.uint8, device=bits.device).view(1, -1, 1, 1)
    return ((bits.unsqueeze(1) >> shift) & 1).float()
