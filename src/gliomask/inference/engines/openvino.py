"""OpenVINO as an engine: Intel's runtime, from an extra.

The network is read from the graph in memory by the runtime itself. OpenVINO's command-line tools,
which may report their use to its makers, are not touched.
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
        arrays: its weights; card: of it.
        threads: that work at once.
    """
    core = openvino.Core()
    graph = core.read_model(network_graph(arrays, card))
    settings = {
        # Where a processor has half-precision arithmetic OpenVINO would use it unasked.
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
    """Looks at one small image, before several threads do.

    OpenVINO's Python part makes some things when it is first used, and lets go of Python's lock
    while it does. Two threads that come there together wait for each other for ever.
    """
    runner(np.zeros((1, channels, 32, 32), np.float32), LOGITS)


class _Runner:
    """See ``compiled.Runner``."""

    def __init__(self, model: openvino.CompiledModel) -> None:
        self._request = model.create_infer_request()

    def __call__(self, image: FloatArray, output: str) -> FloatArray:
        result = self._request.infer([image])
        # The answer lives in memory that the next one overwrites.
        return np.array(result[output])
