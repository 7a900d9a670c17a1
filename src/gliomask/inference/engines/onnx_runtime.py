"""ONNX Runtime as an engine: the runtime that most places have already."""

from __future__ import annotations

import numpy as np
import onnxruntime

from gliomask.core.volume import FloatArray
from gliomask.inference.engines.engine import usable_threads
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import INPUT, LOGITS, MAPS, network_graph


class ONNXRuntimeEngine:
    """Runs a network with ONNX Runtime on the processor, in float32.

    Args:
        arrays: the weights of the network; card: of it.
        threads: that it uses; those that this process may use if it is not given.
    """

    batch = 1
    """One input at a time stays in the processor's cache; more at once are slower."""

    def __init__(self, arrays: Arrays, card: ModelCard, threads: int | None = None) -> None:
        self.threads = threads or usable_threads()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 3  # errors; its warnings tell of its own optimiser
        self._session = onnxruntime.InferenceSession(
            network_graph(arrays, card).SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
        )

    @property
    def name(self) -> str:
        return f"ONNX Runtime {onnxruntime.__version__} on cpu, {self.threads} threads"

    def logits(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.logits``."""
        return self._run(inputs, LOGITS)

    def maps(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.maps``."""
        return self._run(inputs, MAPS)

    def _run(self, inputs: FloatArray, output: str) -> FloatArray:
        ready = np.ascontiguousarray(inputs)
        found = [self._session.run([output], {INPUT: one[None]})[0] for one in ready]
        return np.concatenate(found)
