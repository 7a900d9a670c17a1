"""Combination of neighbouring slices: smoothing across slices, every second slice mirrored.

The network sees one slice at a time, so its mistakes differ from slice to slice, and from a slice
to its mirror image. Where slices are close, the tumour hardly changes between them: a Gaussian
across them averages the mistakes out, of mirrored slices too if every second one is mirrored. This
costs no additional pass of the network.
"""

from __future__ import annotations

import numpy as np
from threadpoolctl import threadpool_limits

from gliomask.core.slices import SliceStack
from gliomask.core.volume import FloatArray
from gliomask.nets.cards import CLOSE_MM, HEAD_MM, ModelCard


def combines(stack: SliceStack, card: ModelCard) -> bool:
    """Return True if neighbouring slices are combined: of a model that has a smoothing, and where
    the slices follow each other at a known distance of at most ``CLOSE_MM`` over at least
    ``HEAD_MM``."""
    close = covers_head(stack) and stack.record.slice_mm <= CLOSE_MM
    return card.slice_smoothing_mm > 0 and close


def covers_head(stack: SliceStack) -> bool:
    """Return True if the slices follow each other at a known distance over at least ``HEAD_MM``."""
    height = len(stack.array) * stack.record.slice_mm
    return stack.consecutive and stack.record.has_world and height >= HEAD_MM


def smooth(maps: FloatArray, slice_mm: float, sigma_mm: float) -> None:
    """Smooth maps (R, S, H, W) along S in place, by a Gaussian.

    Its weights sum to 1 at the first and the last slice too.

    Args:
        maps: float32.
        slice_mm: distance between slices.
        sigma_mm: standard deviation, positive.
    """
    weights = gaussian_weights(maps.shape[1], slice_mm, sigma_mm)
    # The last digit would depend on the number of threads.
    with threadpool_limits(1, "blas"):
        for region in maps:
            region[:] = (weights @ region.reshape(len(region), -1)).reshape(region.shape)


def gaussian_weights(count: int, slice_mm: float, sigma_mm: float, step: int = 1) -> FloatArray:
    """(count, n) float32: weights of every ``step``-th slice, n in all, for each of the ``count``
    slices; rows sum to 1."""
    place = np.arange(count, dtype=np.float64) * slice_mm
    squares = ((place[:, None] - place[::step]) / sigma_mm) ** 2
    # Of a narrow Gaussian all weights of a row could be 0.
    weights = np.exp(-0.5 * (squares - squares.min(axis=1, keepdims=True)))
    shares: FloatArray = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares
