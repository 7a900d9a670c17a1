"""OpenVINO as an engine: Intel's runtime, from an extra.

The network is read from the graph in memory by the runtime itself. OpenVINO's command-line tools,
which may report their use to its makers, are not touched.
"""

from __future__ import annotations

import numpy as np
import openvino

from gliomask.core.volume import FloatArray
from gliomask.inference.engines.engine import usable_threads
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import LOGITS, MAPS, network_graph


class OpenVINOEngine:
    """Runs a network with OpenVINO on the processor, in float32.

    Args:
        arrays: the weights of the network; card: of it.
        threads: that it uses; those that this process may use if it is not given.
    """

    batch = 1
    """One input at a time stays in the processor's cache; more at once are slower."""

    def __init__(self, arrays: Arrays, card: ModelCard, threads: int | None = None) -> None:
        self.threads = threads or usable_threads()
        core = openvino.Core()
        graph = core.read_model(network_graph(arrays, card).SerializeToString())
        # Where a processor has half-precision arithmetic OpenVINO would use it unasked.
        wanted = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": self.threads}
        self._model = core.compile_model(graph, "CPU", wanted)

    @property
    def name(self) -> str:
        version = openvino.get_version().split("-")[0]
        return f"OpenVINO {version} on cpu, {self.threads} threads"

    def logits(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.logits``."""
        return self._run(inputs, LOGITS)

    def maps(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.maps``."""
        return self._run(inputs, MAPS)

    def _run(self, inputs: FloatArray, output: str) -> FloatArray:
        ready = np.ascontiguousarray(inputs)
        # Each answer lives in memory that the next one overwrites.
        found = [np.array(self._model([one[None]])[output]) for one in ready]
        return np.concatenate(found)
