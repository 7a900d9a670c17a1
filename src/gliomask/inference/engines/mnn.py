"""MNN as an engine: convolutions by Winograd's method, the fastest on a processor that we found.

Its package is small and needs nothing but numpy. Two things in it are kept at a distance. Its
command ``mnnconvert`` installs packages and sends logs to its makers: the library beneath, which
does the work and neither of these, is called directly. And its libraries print to the standard
output, which belongs to our results.
"""

from __future__ import annotations

import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.errors import MachineError
from gliomask.inference.engines.engine import usable_threads
from gliomask.inference.engines.quiet import quiet_stdout
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import INPUT, LOGITS, MAPS, network_graph

with quiet_stdout():
    import _tools
    from MNN import expr, nn

_OUTPUTS = (LOGITS, MAPS)


class MNNEngine:
    """Runs a network with MNN on the processor, in float32.

    Args:
        arrays: the weights of the network; card: of it.
        threads: that it uses; those that this process may use if it is not given.

    Raises:
        MachineError: MNN can't convert the network.
    """

    batch = 1
    """One input at a time stays in the processor's cache; more at once are slower."""

    def __init__(self, arrays: Arrays, card: ModelCard, threads: int | None = None) -> None:
        self.threads = threads or usable_threads()
        with tempfile.TemporaryDirectory() as folder:
            self._module = _load(_converted(Path(folder), arrays, card), self.threads)

    @property
    def name(self) -> str:
        return f"MNN {metadata.version('MNN')} on cpu, {self.threads} threads"

    def logits(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.logits``."""
        return self._run(inputs, _OUTPUTS.index(LOGITS))

    def maps(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.maps``."""
        return self._run(inputs, _OUTPUTS.index(MAPS))

    def _run(self, inputs: FloatArray, output: int) -> FloatArray:
        found = [self._one(one[None], output) for one in inputs]
        return np.concatenate(found)

    def _one(self, image: FloatArray, output: int) -> FloatArray:
        variable = expr.placeholder(list(image.shape), expr.NCHW, expr.float)
        variable.write(np.ascontiguousarray(image))
        answer = self._module.forward([variable])[output]
        plain: FloatArray = np.array(expr.convert(answer, expr.NCHW).read(), np.float32)
        return plain


def _converted(folder: Path, arrays: Arrays, card: ModelCard) -> Path:
    """A file in MNN's own format. Its converter reads and writes files only."""
    source, made = folder / "network.onnx", folder / "network.mnn"
    source.write_bytes(network_graph(arrays, card).SerializeToString())
    words = ["", "-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(made)]
    with quiet_stdout():
        _tools.mnnconvert([*words, "--bizCode", "gliomask"])
    if not made.is_file():
        raise MachineError(f"MNN can't convert the network {card.network}")
    return made


def _load(path: Path, threads: int) -> Any:
    settings = {"backend": "CPU", "numThread": threads, "precision": "high"}
    with quiet_stdout():
        runtime = nn.create_runtime_manager((settings,))
        return nn.load_module_from_file(
            str(path), [INPUT], list(_OUTPUTS), runtime_manager=runtime, shape_mutable=True
        )
