"""The weights of a U²-Net in a Keras file, of Keras 2 or 3."""

from __future__ import annotations

from pathlib import Path

from gliomask.nets.foreign.keras_file import KerasFile, opened_keras
from gliomask.nets.foreign.keras_graph import KerasGraph, UnreadGraphError, read_graph
from gliomask.nets.foreign.keras_order import KERAS_EPSILON, Sides, match_layers
from gliomask.nets.foreign.matching import match_graph
from gliomask.nets.foreign.network_kind import find_kind
from gliomask.nets.foreign.weights import ForeignWeights, arrays_of

_ASSUMED = "the order of layers and concatenated maps is assumed to be that of the authors' code"


def read_keras(path: Path, sides: Sides | None = None) -> ForeignWeights:
    """The weights of a Keras file under our names.

    Args:
        path: of one of the layouts of ``keras_file``.
        sides: the order of the side outputs in the file, for a file whose shapes are ambiguous.

    Raises:
        ModelError: damaged, no Keras file, or not the weights of a U²-Net.
        QuestionError: several orders of the side outputs are possible.
        MachineError: h5py is not installed.
    """
    with opened_keras(path) as file:
        kind = find_kind(path, file.layers)
        graph, unread = _graph(path, file)
        if graph is not None:
            match = match_graph(path, graph.operations, kind)
            # A graph calls layers by name, which is the last part of their place in the file.
            layers = {layer.name: layer for layer in file.layers}
            evidence = "verified with the graph of the model in the file"
        else:
            match = match_layers(path, file, kind, sides)
            layers = {layer.path: layer for layer in file.layers}
            why = f"; its graph can't be read: {unread}" if unread else ""
            evidence = f"by names or order: {_ASSUMED}{why}"
        epsilon = match.epsilon or KERAS_EPSILON
        return ForeignWeights(
            arrays=arrays_of(path, layers, match, kind, epsilon),
            kind=kind,
            epsilon=epsilon,
            size=graph.size if graph else None,
            layout=file.layout,
            evidence=evidence,
            proved=graph is not None,
        )


def _graph(path: Path, file: KerasFile) -> tuple[KerasGraph | None, str]:
    """The graph, or why there is none to be read."""
    if file.config is None:
        return None, ""
    try:
        return read_graph(path, file.config), ""
    except UnreadGraphError as problem:
        return None, str(problem)
