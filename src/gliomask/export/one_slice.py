"""``inference.passes.Passes.plain`` as nodes: one slice through the network and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from gliomask.core.intensity import CLIP
from gliomask.export.grid import SliceMatrices
from gliomask.export.head_box import HeadBox
from gliomask.export.nodes import GraphBuilder, Nodes, Value, axes, typed
from gliomask.nets.cards import ModelCard

_NUMBER, _GOES_ON = "slice/number", "slice/goes_on"
"""Inputs of the body of a loop."""


@dataclass(frozen=True)
class ExaminationValues:
    """Values of the graph that are the same for all slices.

    Attributes:
        mean: (C, 1, 1) float32, of each sequence's head.
        inverse: (C, 1, 1) float32, one over its standard deviation.
        box: bounds of the crop.
        grid: the way onto the network's grid and back.
        present: (C,) bool, which sequences are there; None if all must be.
        close: bool without axes, whether neighbouring slices are combined; None if never.
    """

    mean: Value
    inverse: Value
    box: HeadBox
    grid: SliceMatrices
    present: Value | None
    close: Value | None


def slice_graph(
    card: ModelCard, network: GraphBuilder, about: ExaminationValues
) -> onnx.GraphProto:
    """The body of the loop: a slice of ``images`` to its probabilities (R, H, W) float32.

    They have the temperature, unless neighbouring slices may be combined, which comes before it.
    """
    nodes = Nodes("slice")
    image = nodes.add("Gather", "images", _NUMBER, axis=1)
    images = _prepared(nodes, card, about, image)
    inputs = _inputs(nodes, card, about, images)
    flips = card.flips if card.mirrored else ()
    turned = _turned(nodes, card, about)
    inputs = _turn(nodes, card, inputs, turned)
    probabilities = _sigmoid(
        nodes, network(nodes.writer, _with_mirror_images(nodes, inputs, flips))
    )
    probabilities = _turn(nodes, card, probabilities, turned)
    if flips:
        probabilities = _mean_of_flips(nodes, card, probabilities, flips)
    if card.input_mode == "each":
        maps = nodes.add("ReduceMean", probabilities, axes=[0], keepdims=0)
    else:
        maps = nodes.add("Squeeze", probabilities, axes(0))
    back = _apply(nodes, maps, about.grid.rows_back, about.grid.columns_back)
    # Interpolation may leave the interval by a rounding error.
    clipped = nodes.add("Clip", back, np.float32(0), np.float32(1))
    if about.close is None:
        clipped = tempered(nodes, clipped, card.temperature)
    masked = nodes.add("Where", _shows_something(nodes, images), clipped, np.float32(0))
    placed = _placed(nodes, masked, about.box)
    goes_on = nodes.add("Identity", _GOES_ON)
    inputs_of_loop = [typed(_NUMBER, np.int64, []), typed(_GOES_ON, np.bool_, [])]
    result = typed(placed, np.float32, [len(card.regions), "H", "W"])
    return nodes.graph(inputs_of_loop, [typed(goes_on, np.bool_, []), result])


def _prepared(nodes: Nodes, card: ModelCard, about: ExaminationValues, image: Value) -> Value:
    """(C, h, w): cropped and normalised, 0 for a sequence that is not there (``each``: without)."""
    box, each = about.box, card.input_mode == "each"
    corners = (nodes.vector(box.top, box.left), nodes.vector(box.bottom, box.right))
    head = nodes.add("Slice", image, *corners, axes(1, 2))
    scaled = nodes.add("Mul", nodes.add("Sub", head, about.mean), about.inverse)
    images = nodes.half(nodes.add("Clip", scaled, np.float32(-CLIP), np.float32(CLIP)))
    if about.present is not None and each:
        images = nodes.add("Compress", images, about.present, axis=0)
    elif about.present is not None:
        present = nodes.add("Unsqueeze", about.present, axes(1, 2))
        images = nodes.add("Where", present, images, np.float32(0))
    return images


def _inputs(nodes: Nodes, card: ModelCard, about: ExaminationValues, images: Value) -> Value:
    """Input of the network: (1, C, size, size), or (present sequences, 1, size, size)."""
    fitted = nodes.half(_apply(nodes, images, about.grid.rows, about.grid.columns))
    return nodes.add("Unsqueeze", fitted, axes(1 if card.input_mode == "each" else 0))


def _turned(nodes: Nodes, card: ModelCard, about: ExaminationValues) -> Value | None:
    """bool without axes: whether the slice goes through the network mirrored; None if none does."""
    if about.close is None or card.mirrored or not card.flips:
        return None
    odd = nodes.add("Equal", nodes.add("Mod", _NUMBER, np.int64(2)), np.int64(1))
    return nodes.add("And", odd, about.close)


def _turn(nodes: Nodes, card: ModelCard, images: Value, turned: Value | None) -> Value:
    """(N, C, H, W), mirrored if the slice is."""
    if turned is None:
        return images
    return nodes.add("Where", turned, _mirrored(nodes, images, card.flips[0]), images)


def _with_mirror_images(nodes: Nodes, inputs: Value, flips: tuple[int, ...]) -> Value:
    """(N, ...) to ((1 + flips) N, ...): as they are, then mirrored along each axis."""
    if not flips:
        return inputs
    return nodes.add("Concat", inputs, *(_mirrored(nodes, inputs, f) for f in flips), axis=0)


def _mean_of_flips(
    nodes: Nodes, card: ModelCard, probabilities: Value, flips: tuple[int, ...]
) -> Value:
    """The way back: each part mirrored back, and their mean."""
    shape = axes(1 + len(flips), -1, len(card.regions), card.size, card.size)
    parts = nodes.add("Reshape", probabilities, shape)
    plain, *turned = (
        nodes.add("Gather", parts, np.int64(k), axis=0) for k in range(1 + len(flips))
    )
    back = (_mirrored(nodes, part, axis) for part, axis in zip(turned, flips, strict=True))
    return nodes.add("Mean", plain, *back)


def _mirrored(nodes: Nodes, images: Value, axis: int) -> Value:
    """(N, C, H, W) with its rows (-2) or columns (-1) the other way round."""
    last, before_first = axes(-1), axes(np.iinfo(np.int64).min)
    return nodes.add("Slice", images, last, before_first, axes(4 + axis), axes(-1))


def _shows_something(nodes: Nodes, images: Value) -> Value:
    """bool without axes: whether any image varies, see ``inference.passes.shows_something``."""
    most, least = (
        nodes.add(kind, images, axes=[1, 2], keepdims=0) for kind in ("ReduceMax", "ReduceMin")
    )
    varies = nodes.cast(nodes.add("Greater", most, least), np.int64)
    some = nodes.add("ReduceMax", varies, axes=[0], keepdims=0)
    return nodes.add("Greater", some, np.int64(0))


def _apply(nodes: Nodes, images: Value, rows: Value, columns: Value) -> Value:
    return nodes.add("MatMul", rows, nodes.add("MatMul", images, columns))


def _sigmoid(nodes: Nodes, logits: Value) -> Value:
    half = np.float32(0.5)
    bent = nodes.add("Tanh", nodes.add("Mul", logits, half))
    return nodes.add("Add", nodes.add("Mul", bent, half), half)


def tempered(nodes: Nodes, probabilities: Value, temperature: float) -> Value:
    """See ``inference.passes.tempered``."""
    if temperature == 1.0:
        return probabilities
    rest = nodes.add("Sub", np.float32(1), probabilities)
    logits = nodes.add("Sub", nodes.add("Log", probabilities), nodes.add("Log", rest))
    return _sigmoid(nodes, nodes.add("Div", logits, np.float32(temperature)))


def _placed(nodes: Nodes, maps: Value, box: HeadBox) -> Value:
    """(R, h, w) of the crop as (R, H, W): 0 where the crop took away."""
    below = nodes.add("Sub", box.height, box.bottom)
    beside = nodes.add("Sub", box.width, box.right)
    none = nodes.constant(np.int64(0))
    pads = nodes.vector(none, box.top, box.left, none, below, beside)
    return nodes.add("Pad", maps, pads, np.float32(0))
