"""``core.intensity`` as nodes: how bright the air, the head and the tissue of each sequence are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.core.intensity import HEAD_SHARE, ROBUST, SAMPLE, TISSUE_SHARE
from gliomask.export.nodes import Nodes, Value, axes
from gliomask.nets.onnx_bytes import Node


@dataclass(frozen=True)
class Levels:
    """Values of the graph, for C sequences.

    Attributes:
        tissue: (C, 1) float32, above which a voxel is surely tissue.
        mean: (C, 1) float32, of the head.
        inverse: (C, 1) float32, one over the head's standard deviation.
        contrast: (C, 1) bool, False for a constant image; its other values mean nothing.
    """

    tissue: Value
    mean: Value
    inverse: Value
    contrast: Value


def levels(nodes: Nodes, images: Value) -> Levels:
    """The levels of images (C, S, H, W) float32.

    Sums are taken in double precision, so they differ from numpy's in the last bit of a float32.
    """
    sample = _sample(nodes, images)
    count = nodes.side(sample, 1)
    ranked = _ranked(nodes, sample, count)
    low, high = (_percentile(nodes, ranked, count, percent) for percent in ROBUST)
    span = nodes.add("Mul", nodes.add("Sub", high, low), np.float64(HEAD_SHARE))
    level = nodes.cast(nodes.add("Add", low, span), np.float32)
    head = nodes.add("Greater", sample, level)
    inside = nodes.add("ReduceSum", nodes.cast(head, np.int64), axes(1), keepdims=1)
    middle = _median(nodes, ranked, count, inside)
    share = nodes.add("Mul", nodes.add("Sub", middle, low), np.float64(TISSUE_SHARE))
    some = nodes.add("Greater", inside, axes(0))
    tissue = nodes.add("Add", low, nodes.add("Where", some, share, np.float64(0)))
    mean, deviation = _moments(nodes, sample, head, inside)
    varies = nodes.add("Greater", deviation, np.float32(0))
    return Levels(
        tissue=nodes.cast(tissue, np.float32),
        mean=mean,
        inverse=nodes.add("Div", np.float32(1), deviation),
        contrast=nodes.add("And", some, varies),
    )


def _sample(nodes: Nodes, images: Value) -> Value:
    """(C, n): every so manieth voxel."""
    flat = nodes.add("Flatten", images, axis=1)
    step = nodes.add("Div", nodes.side(flat, 1), np.int64(SAMPLE))
    every = nodes.add("Unsqueeze", nodes.add("Max", step, np.int64(1)), axes(0))
    end = axes(np.iinfo(np.int64).max)
    return nodes.add("Slice", flat, axes(0), end, axes(1), every)


def _ranked(nodes: Nodes, sample: Value, count: Value) -> Value:
    """The sample sorted, the darkest first."""
    ranked = f"{sample}_ranked"
    inputs = sample, nodes.add("Unsqueeze", count, axes(0))
    attributes = {"axis": 1, "largest": 0, "sorted": 1}
    ranking = Node("TopK", inputs, (ranked, f"{ranked}_at"), attributes)
    nodes.writer.nodes.append(ranking)
    return ranked


def _percentile(nodes: Nodes, ranked: Value, count: Value, percent: int) -> Value:
    """(C, 1) float64 between the two nearest ranks, linearly, as numpy does it."""
    last = nodes.add("Sub", count, np.int64(1))
    hundredfold = nodes.add("Mul", last, np.int64(percent))
    below = nodes.add("Div", hundredfold, np.int64(100))
    above = nodes.add("Min", nodes.add("Add", below, np.int64(1)), last)
    rest = nodes.cast(nodes.add("Mod", hundredfold, np.int64(100)), np.float64)
    low, high = (_rank(nodes, ranked, at) for at in (below, above))
    part = nodes.add("Mul", nodes.add("Sub", high, low), nodes.add("Div", rest, np.float64(100)))
    return nodes.add("Add", low, part)


def _rank(nodes: Nodes, ranked: Value, at: Value) -> Value:
    """(C, 1) float64: the value of the same rank in each row."""
    rank = nodes.add("Unsqueeze", at, axes(0))
    return nodes.cast(nodes.add("Gather", ranked, rank, axis=1), np.float64)


def _median(nodes: Nodes, ranked: Value, count: Value, inside: Value) -> Value:
    """(C, 1) float64: of the brightest ``inside`` values of each row."""
    first = nodes.add("Sub", count, inside)
    halves = []
    for shift in (-1, 0):
        half = nodes.add("Div", nodes.add("Add", inside, np.int64(shift)), np.int64(2))
        # A row without a head has no median; its rank is kept within bounds.
        at = nodes.add("Min", nodes.add("Add", first, half), nodes.add("Sub", count, np.int64(1)))
        value = nodes.add("GatherElements", ranked, at, axis=1)
        halves.append(nodes.cast(value, np.float64))
    return nodes.add("Mul", nodes.add("Add", *halves), np.float64(0.5))


def _moments(nodes: Nodes, sample: Value, head: Value, inside: Value) -> tuple[Value, Value]:
    """Mean and standard deviation of the head's voxels, (C, 1) float32 each."""
    wide, number = nodes.cast(sample, np.float64), nodes.cast(inside, np.float64)
    mean = nodes.add("Div", _sum_where(nodes, head, wide), number)
    apart = nodes.add("Sub", wide, mean)
    squares = _sum_where(nodes, head, nodes.add("Mul", apart, apart))
    deviation = nodes.add("Sqrt", nodes.add("Div", squares, number))
    return nodes.cast(mean, np.float32), nodes.cast(deviation, np.float32)


def _sum_where(nodes: Nodes, head: Value, values: Value) -> Value:
    chosen = nodes.add("Where", head, values, np.float64(0))
    return nodes.add("ReduceSum", chosen, axes(1), keepdims=1)
