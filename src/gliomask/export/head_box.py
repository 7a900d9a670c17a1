"""``core.slices`` as nodes: the rows and columns of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.core.slices import MARGIN, STRAY
from gliomask.export.nodes import Nodes, Value, axes


@dataclass(frozen=True)
class HeadBox:
    """Values of the graph, int64 without axes: what the crop keeps of an image, and its size."""

    top: Value
    bottom: Value
    left: Value
    right: Value
    height: Value
    width: Value


def head_box(nodes: Nodes, images: Value, heads: list[Value]) -> HeadBox:
    """The box over all sequences and slices.

    Args:
        nodes: of the graph.
        images: (C, S, H, W).
        heads: for each sequence that may be there, (S, H, W) bool: what is surely tissue in it.
    """
    head = heads[0]
    for other in heads[1:]:
        head = nodes.add("Or", head, other)
    count = nodes.add("ReduceSum", nodes.cast(head, np.int64), axes(0), keepdims=0)
    height, width = nodes.side(images, 2), nodes.side(images, 3)
    top, bottom = _span(nodes, nodes.add("ReduceSum", count, axes(1), keepdims=0), height)
    left, right = _span(nodes, nodes.add("ReduceSum", count, axes(0), keepdims=0), width)
    return HeadBox(top, bottom, left, right, height, width)


def _span(nodes: Nodes, profile: Value, size: Value) -> tuple[Value, Value]:
    """First and last index where a profile contains more than stray pixels, with the margin."""
    most = nodes.add("ReduceMax", profile, axes=[0], keepdims=0)
    stray = nodes.add("Mul", nodes.cast(most, np.float64), np.float64(STRAY))
    occupied = nodes.add("Greater", nodes.cast(profile, np.float64), stray)
    index = nodes.counting(size)
    first = nodes.add("ReduceMin", nodes.add("Where", occupied, index, size), axes=[0], keepdims=0)
    last = nodes.add(
        "ReduceMax", nodes.add("Where", occupied, index, np.int64(-1)), axes=[0], keepdims=0
    )
    low = nodes.add("Max", nodes.add("Sub", first, np.int64(MARGIN)), np.int64(0))
    high = nodes.add("Min", nodes.add("Add", last, np.int64(MARGIN + 1)), size)
    some = nodes.add("Greater", most, np.int64(0))
    return nodes.add("Where", some, low, np.int64(0)), nodes.add("Where", some, high, size)
