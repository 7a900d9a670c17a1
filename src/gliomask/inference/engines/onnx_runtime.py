"""ONNX Runtime engine."""

from __future__ import annotations

import onnxruntime

from gliomask.core.volume import FloatArray
from gliomask.inference.engines.compiled import CompiledEngine
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import INPUT, network_graph


def open_network(arrays: Arrays, card: ModelCard, threads: int) -> CompiledEngine:
    """A network in float32 on the processor.

    Args:
        arrays: its weights.
        card: card of the model.
        threads: number of simultaneous threads.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # errors; its warnings are about its own optimiser
    session = onnxruntime.InferenceSession(
        network_graph(arrays, card),
        options,
        providers=["CPUExecutionProvider"],
    )

    def run(image: FloatArray, output: str) -> FloatArray:
        logits: FloatArray = session.run([output], {INPUT: image})[0]
        return logits

    # A session may be used by many threads.
    return CompiledEngine(f"ONNX Runtime {onnxruntime.__version__}", [run] * threads)
