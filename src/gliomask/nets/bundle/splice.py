"""One graph's nodes inside another: the network in the body of the loop over slices."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from gliomask.nets.bundle.nodes import Nodes, Value


def splice(nodes: Nodes, network: onnx.ModelProto, given: Value, wanted: str) -> Value:
    """Adds what an output of a network needs of it, with its weights.

    Args:
        nodes: to add to.
        network: has one input; its names get a prefix, so that they meet no others.
        given: takes the place of its input.
        wanted: the name of the output.

    Returns:
        the output's new name.
    """
    graph = network.graph
    names = {"": "", graph.input[0].name: given}
    needed = _needed(graph, wanted)
    used = {name for node in needed for name in node.input}
    for weights in graph.initializer:
        if weights.name in used:
            nodes.constants.append(_renamed_tensor(nodes, names, weights))
    for node in needed:
        nodes.nodes.append(_renamed_node(nodes, names, node))
    return names[wanted]


def _needed(graph: onnx.GraphProto, wanted: str) -> list[onnx.NodeProto]:
    """The nodes that an output depends on, in order."""
    needed, due = [], {wanted}
    for node in reversed(graph.node):
        if due.intersection(node.output):
            needed.append(node)
            due.update(node.input)
    return needed[::-1]


def _renamed_tensor(
    nodes: Nodes, names: dict[str, str], weights: onnx.TensorProto
) -> onnx.TensorProto:
    copy = onnx.TensorProto()
    copy.CopyFrom(weights)
    (copy.name,) = _fresh(nodes, names, (weights.name,))
    return copy


def _renamed_node(nodes: Nodes, names: dict[str, str], node: onnx.NodeProto) -> onnx.NodeProto:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [names[name] for name in node.input]
    copy.output[:] = _fresh(nodes, names, node.output)
    copy.name = copy.output[0]
    return copy


def _fresh(nodes: Nodes, names: dict[str, str], old: Iterable[str]) -> list[str]:
    names.update({name: f"{nodes.name}/network/{name}" for name in old if name})
    return [names[name] for name in old]
