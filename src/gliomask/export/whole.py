"""Complete pipeline as one ONNX graph: raw intensities in, mask out.

    images --levels, head box--> once for the examination
    each slice --crop, normalise, fit--> network --sigmoid, unfit, temperature, place--> probability
    probability --threshold--> mask

Where neighbouring slices are combined, the temperature comes after that.

The slices go through one by one (``Loop``), so memory does not grow with the network. The numbers
are those of ``core.intensity``, ``core.slices`` and the card; tests compare every step with them.
"""

from __future__ import annotations

import numpy as np
import onnx

from gliomask.export.grid import grid
from gliomask.export.head_box import head_box
from gliomask.export.intensity import Levels, levels
from gliomask.export.labels import labels
from gliomask.export.nodes import GraphBuilder, Nodes, Value, axes, typed
from gliomask.export.one_slice import ExaminationValues, slice_graph, tempered
from gliomask.export.through_slices import close_slices, smoothed
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import write_network


def takes_some(card: ModelCard) -> bool:
    """Return True for a model with sequence dropout; its graph has the input ``present``."""
    return card.input_mode == "each" or card.sequence_dropout


def needs_slice_mm(card: ModelCard) -> bool:
    """Return True for a model that combines neighbouring slices; its graph has the input
    ``slice_mm``."""
    return card.slice_smoothing_mm > 0


def network_of(arrays: Arrays, card: ModelCard) -> GraphBuilder:
    """Writer of the network of a card with its weights."""
    return lambda writer, inputs: write_network(writer, arrays, card, inputs)[0]


def whole_graph(card: ModelCard, network: GraphBuilder) -> onnx.ModelProto:
    """The graph of a model.

    Inputs: ``images`` (C, S, H, W) float32, finite, the card's sequences in order, axial slices in
    the reading frame (feet to head; rows front to back, columns patient's right to left);
    ``pixel_mm`` (2,) float32, (row, column) spacing; ``slice_mm`` (1,) float32 where
    ``needs_slice_mm``, distance between slices, 0 if unknown; ``present`` (C,) bool where
    ``takes_some``, which sequences are there (any numbers may stand for the others).

    Outputs: ``probability`` (R, S, H, W) float32 in [0, 1]; ``mask`` (S, H, W) uint8; ``contrast``
    (C,) bool, False for an image that is constant: nothing else that comes out means anything then.

    Args:
        card: of the model.
        network: writes what lies between the prepared slices and their logits.
    """
    nodes = Nodes("bundle")
    present = "present" if takes_some(card) else None
    levels_found = levels(nodes, "images")
    box = head_box(nodes, "images", _heads(nodes, card, levels_found.tissue, present))
    sides = (nodes.add("Sub", box.bottom, box.top), nodes.add("Sub", box.right, box.left))
    close = close_slices(nodes, "images", "slice_mm") if needs_slice_mm(card) else None
    about = ExaminationValues(
        mean=nodes.add("Unsqueeze", levels_found.mean, axes(2)),
        inverse=nodes.add("Unsqueeze", levels_found.inverse, axes(2)),
        box=box,
        grid=grid(nodes, sides, "pixel_mm", card.size),
        present=present,
        close=close,
    )
    probability = _through(nodes, slice_graph(card, network, about))
    if close is not None:
        sigma = card.slice_smoothing_mm
        smooth = smoothed(nodes, probability, "slice_mm", close, sigma)
        clipped = nodes.add("Clip", smooth, np.float32(0), np.float32(1))
        probability = tempered(nodes, clipped, card.temperature)
    nodes.output(probability, "probability")
    nodes.output(labels(nodes, card, "probability"), "mask")
    nodes.output(_contrast(nodes, levels_found, present), "contrast")
    return _model(nodes, card)


def _heads(nodes: Nodes, card: ModelCard, tissue: Value, present: Value | None) -> list[Value]:
    """(S, H, W) bool for each sequence: what is surely tissue; nothing of one that is not there."""
    heads = []
    for channel in range(len(card.sequences)):
        at = np.int64(channel)
        image, level = (nodes.add("Gather", value, at, axis=0) for value in ("images", tissue))
        head = nodes.add("Greater", image, level)
        if present is not None:
            head = nodes.add("And", head, nodes.add("Gather", present, at, axis=0))
        heads.append(head)
    return heads


def _through(nodes: Nodes, body: onnx.GraphProto) -> Value:
    """(R, S, H, W): the body's (R, H, W) for each slice.

    A Loop, not a Scan: OpenVINO reads no Scan whose body uses outer values.
    """
    masks = nodes.add("Loop", nodes.side("images", 1), np.True_, body=body)
    return nodes.add("Transpose", masks, perm=[1, 0, 2, 3])


def _contrast(nodes: Nodes, image_levels: Levels, present: Value | None) -> Value:
    contrast = nodes.add("Squeeze", image_levels.contrast, axes(1))
    if present is None:
        return contrast
    return nodes.add("Or", contrast, nodes.add("Not", present))


def _model(nodes: Nodes, card: ModelCard) -> onnx.ModelProto:
    channels, regions = len(card.sequences), len(card.regions)
    inputs = [
        typed("images", np.float32, [channels, "S", "H", "W"]),
        typed("pixel_mm", np.float32, [2]),
    ]
    if needs_slice_mm(card):
        inputs.append(typed("slice_mm", np.float32, [1]))
    if takes_some(card):
        inputs.append(typed("present", np.bool_, [channels]))
    outputs = [
        typed("probability", np.float32, [regions, "S", "H", "W"]),
        typed("mask", np.uint8, ["S", "H", "W"]),
        typed("contrast", np.bool_, [channels]),
    ]
    return nodes.model(inputs, outputs)
