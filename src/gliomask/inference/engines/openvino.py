"""OpenVINO engine (Intel), from an extra.

The runtime reads the graph from memory. ``import gliomask`` has disabled OpenVINO's telemetry.
"""

from __future__ import annotations

import numpy as np
import openvino

from gliomask.core.volume import FloatArray
from gliomask.inference.engines.compiled import CompiledEngine, CompiledNetwork
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import LOGITS, network_graph


def open_network(arrays: Arrays, card: ModelCard, threads: int) -> CompiledEngine:
    """A network in float32 on the processor.

    Args:
        arrays: its weights.
        card: card of the model.
        threads: number of simultaneous threads.
    """
    core = openvino.Core()
    graph = core.read_model(network_graph(arrays, card))
    settings = {
        # OpenVINO would use half precision by default if the processor supports it.
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": threads,
    }
    model = core.compile_model(graph, "CPU", settings)
    runners = [_Runner(model) for _ in range(threads)]
    _settle(runners[0], card.in_channels)
    version = openvino.get_version().split("-")[0]
    return CompiledEngine(f"OpenVINO {version}", runners)


def _settle(runner: CompiledNetwork, channels: int) -> None:
    """Process one small image before several threads start.

    OpenVINO's Python binding initialises on first use and releases the GIL meanwhile; two threads
    at the same time would deadlock.
    """
    runner(np.zeros((1, channels, 32, 32), np.float32), LOGITS)


class _Runner:
    """See ``CompiledNetwork``."""

    def __init__(self, model: openvino.CompiledModel) -> None:
        self._request = model.create_infer_request()

    def __call__(self, image: FloatArray, output: str) -> FloatArray:
        result = self._request.infer([image])
        # The output is in memory that the next call overwrites.
        return np.array(result[output])
