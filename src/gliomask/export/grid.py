"""``core.resample`` as nodes: the matrices that bring a slice onto the network's grid and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gliomask.export.nodes import Nodes, Value, axes


@dataclass(frozen=True)
class SliceMatrices:
    """Values of the graph, float32 matrices that a slice is multiplied with.

    Attributes:
        rows: (size, height), from the left, onto the grid.
        columns: (width, size), from the right, onto the grid.
        rows_back: (height, size), from the left, back.
        columns_back: (size, width), from the right, back.
    """

    rows: Value
    columns: Value
    rows_back: Value
    columns_back: Value


def grid(nodes: Nodes, sides: tuple[Value, Value], pixel_mm: Value, size: int) -> SliceMatrices:
    """The matrices for slices of one shape.

    Args:
        nodes: of the graph.
        sides: rows and columns of the slice, int64 without axes.
        pixel_mm: (2,) float32, (row, column) spacing.
        size: side of the network's grid.
    """
    wide = nodes.cast(pixel_mm, np.float64)
    extents = nodes.add("Mul", nodes.cast(nodes.vector(*sides), np.float64), wide)
    longest = nodes.add("ReduceMax", extents, axes=[0], keepdims=1)
    scales = nodes.add("Div", nodes.add("Mul", wide, np.float64(size)), longest)
    forth, back = [], []
    for axis, side in enumerate(sides):
        scale = nodes.add("Gather", scales, np.int64(axis))
        inverse = nodes.add("Div", np.float64(1), scale)
        whole = nodes.constant(np.int64(size))
        forth.append(_weights(nodes, side, whole, scale))
        back.append(_weights(nodes, whole, side, inverse))
    columns, columns_back = (
        nodes.add("Transpose", matrix, perm=[1, 0]) for matrix in (forth[1], back[1])
    )
    return SliceMatrices(forth[0], columns, back[0], columns_back)


def _weights(nodes: Nodes, n_in: Value, n_out: Value, scale: Value) -> Value:
    """(n_out, n_in) float32: the triangle of each output pixel, see ``core.resample._weights``."""
    centre = nodes.add("Unsqueeze", _source(nodes, n_in, n_out, scale), axes(1))
    reach = nodes.add("Max", nodes.add("Div", np.float64(1), scale), np.float64(1))
    first = nodes.cast(nodes.add("Floor", nodes.add("Sub", centre, reach)), np.int64)
    index = nodes.add("Add", first, _offsets(nodes, reach))
    away = nodes.add("Abs", nodes.add("Sub", nodes.cast(index, np.float64), centre))
    fall = nodes.add("Sub", np.float64(1), nodes.add("Div", away, reach))
    weight = nodes.add("Max", fall, np.float64(0))
    last = nodes.add("Sub", n_in, np.int64(1))
    inside = nodes.add("Min", nodes.add("Max", index, np.int64(0)), last)
    empty = nodes.add("Expand", np.float64(0), nodes.vector(n_out, n_in))
    matrix = nodes.add("ScatterElements", empty, inside, weight, axis=1, reduction="add")
    total = nodes.add("ReduceSum", matrix, axes(1), keepdims=1)
    return nodes.cast(nodes.add("Div", matrix, total), np.float32)


def _source(nodes: Nodes, n_in: Value, n_out: Value, scale: Value) -> Value:
    """(n_out,) float64: where the centre of each output pixel lies among the input's indices."""
    half, sides = np.float64(0.5), [nodes.cast(n, np.float64) for n in (n_in, n_out)]
    middle_in, middle_out = (nodes.add("Mul", side, half) for side in sides)
    index = nodes.cast(nodes.counting(n_out), np.float64)
    from_middle = nodes.add("Sub", nodes.add("Add", index, half), middle_out)
    at = nodes.add("Add", nodes.add("Div", from_middle, scale), middle_in)
    return nodes.add("Sub", at, half)


def _offsets(nodes: Nodes, reach: Value) -> Value:
    """(1, K) int64: enough neighbours for the triangle."""
    width = nodes.add("Ceil", nodes.add("Mul", reach, np.float64(2)))
    count = nodes.add("Add", nodes.cast(width, np.int64), np.int64(2))
    return nodes.add("Unsqueeze", nodes.counting(count), axes(0))
