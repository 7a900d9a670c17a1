"""A process that runs networks with MNN for ``mnn``: it reads images and writes logits.

Called as ``python -m gliomask.inference.engines.mnn_child INPUT OUTPUT...``, with the names that
the network has for these. What it reads and writes are pipes of
its parent's, so plain numbers in the machine's own order do:

    first     lengths of two paths (2 x int32), the paths: a network of ONNX to be converted, or
              nothing, and one in MNN's format, which is made of the former or there already
    response  one byte: 1, ready; 0, it can't be done
    then      an image: shape and number of the output (5 x int32), float32 values
    response  shape (5 x int32, the last ones 1), float32 values

It ends when its input does.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

PATHS: Final = struct.Struct("=2i")
SHAPE: Final = struct.Struct("=5i")
READY: Final = b"\x01"
_SETTINGS = {"backend": "CPU", "numThread": 1, "precision": "high"}


def main(graph_path: str, outputs: list[str]) -> None:
    """Serves until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    responses = _own_stdout()
    requests = sys.stdin.buffer
    lengths = PATHS.unpack(requests.read(PATHS.size))
    source, network = (os.fsdecode(requests.read(length)) for length in lengths)
    if source:
        _convert(Path(source), Path(network))
    module = _load(Path(network), graph_path, outputs) if Path(network).is_file() else None
    responses.write(READY if module else b"\x00")
    responses.flush()
    if module:
        _serve(requests, responses, module)


def _own_stdout() -> IO[bytes]:
    """The pipe to the parent; what MNN prints goes nowhere instead."""
    pipe = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    return pipe


def _convert(source: Path, network: Path) -> None:
    import _tools

    words = ["", "-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(network)]
    _tools.mnnconvert([*words, "--bizCode", "gliomask"])


def _load(network: Path, graph_path: str, outputs: list[str]) -> Any:
    from MNN import nn

    runtime = nn.create_runtime_manager((_SETTINGS,))
    return nn.load_module_from_file(
        str(network), [graph_path], outputs, runtime_manager=runtime, shape_mutable=True
    )


def _serve(requests: IO[bytes], responses: IO[bytes], module: Any) -> None:
    from MNN import expr

    while header := requests.read(SHAPE.size):
        *shape, output = SHAPE.unpack(header)
        image = np.frombuffer(requests.read(4 * int(np.prod(shape))), np.float32).reshape(shape)
        variable = expr.placeholder(shape, expr.NCHW, expr.float)
        variable.write(image)
        response = module.forward([variable])[output]
        logits: npt.NDArray[np.float32] = np.array(expr.convert(response, expr.NCHW).read())
        responses.write(SHAPE.pack(*logits.shape, *[1] * (5 - logits.ndim)))
        responses.write(np.ascontiguousarray(logits, np.float32).tobytes())
        responses.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
