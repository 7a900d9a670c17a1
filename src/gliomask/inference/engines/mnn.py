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
from gliomask.inference.engines.compiled import CompiledEngine
from gliomask.inference.engines.quiet import quiet_stdout
from gliomask.machine.allocator import give_back_memory
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import INPUT, LOGITS, MAPS, network_graph

with quiet_stdout():
    import _tools
    from MNN import expr, nn

_OUTPUTS = (LOGITS, MAPS)
_SETTINGS = {"backend": "CPU", "numThread": 1, "precision": "high"}


def open_network(arrays: Arrays, card: ModelCard, threads: int) -> CompiledEngine:
    """A network in float32 on the processor.

    Args:
        arrays: its weights; card: of it.
        threads: that work at once.

    Raises:
        MachineError: MNN can't convert the network.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = _converted(Path(folder), arrays, card)
        give_back_memory()  # converting holds the weights several times over
        runners = [_Runner(path) for _ in range(threads)]
    return CompiledEngine(f"MNN {metadata.version('MNN')}", runners)


class _Runner:
    """See ``compiled.Runner``."""

    def __init__(self, path: Path) -> None:
        with quiet_stdout():
            runtime = nn.create_runtime_manager((_SETTINGS,))
            self._module: Any = nn.load_module_from_file(
                str(path), [INPUT], list(_OUTPUTS), runtime_manager=runtime, shape_mutable=True
            )

    def __call__(self, image: FloatArray, output: str) -> FloatArray:
        variable = expr.placeholder(list(image.shape), expr.NCHW, expr.float)
        variable.write(image)
        answer = self._module.forward([variable])[_OUTPUTS.index(output)]
        own: FloatArray = np.array(expr.convert(answer, expr.NCHW).read(), np.float32)
        return own


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
