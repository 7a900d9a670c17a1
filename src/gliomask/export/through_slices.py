"""``inference.through_slices`` as nodes: neighbouring slices are combined where they are close."""

from __future__ import annotations

import numpy as np

from gliomask.export.nodes import Nodes, Value, axes
from gliomask.nets.cards import CLOSE_MM, HEAD_MM


def close_slices(nodes: Nodes, images: Value, slice_mm: Value) -> Value:
    """bool without axes: whether slices at this distance are combined; 0 is an unknown one.

    Args:
        nodes: of the graph.
        images: (C, S, H, W).
        slice_mm: (1,) float32.
    """
    distance = nodes.add("Squeeze", slice_mm, axes(0))
    count = nodes.cast(nodes.side(images, 1), np.float32)
    height = nodes.add("Mul", count, distance)
    known = nodes.add("GreaterOrEqual", height, np.float32(HEAD_MM))
    return nodes.add("And", known, nodes.add("LessOrEqual", distance, np.float32(CLOSE_MM)))


def smoothed(nodes: Nodes, maps: Value, slice_mm: Value, close: Value, sigma_mm: float) -> Value:
    """Maps (R, S, H, W) smoothed along S if the slices are close, else as they are."""
    index = nodes.cast(nodes.counting(nodes.side(maps, 1)), np.float32)
    place = nodes.add("Mul", index, nodes.add("Div", slice_mm, np.float32(sigma_mm)))
    away = nodes.add("Sub", nodes.add("Unsqueeze", place, axes(1)), place)
    fall = nodes.add("Mul", nodes.add("Mul", away, away), np.float32(-0.5))
    bell = nodes.add("Exp", fall)
    gaussian = nodes.add("Div", bell, nodes.add("ReduceSum", bell, axes(1), keepdims=1))
    same = nodes.add("Equal", nodes.add("Unsqueeze", index, axes(1)), index)
    weights = nodes.add("Where", close, gaussian, nodes.cast(same, np.float32))
    flat = nodes.add("Reshape", maps, axes(0, 0, -1))
    product = nodes.add("MatMul", weights, flat)
    return nodes.add("Reshape", product, nodes.add("Shape", maps))
