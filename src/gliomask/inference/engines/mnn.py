"""MNN engine: convolutions by Winograd's method, the fastest engine on processors.

Each thread has a separate MNN process (``mnn_child``), for three reasons. The Python binding does
not release the GIL while it computes, so two threads are no faster than one. Its libraries print to
stdout, which is reserved for results. A crash of MNN does not end this process. The package is
small and only needs numpy. Its command ``mnnconvert`` is not used, because it installs packages and
sends logs to its vendor; the converter library, which does neither, is called directly.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NoReturn, cast

import numpy as np

from gliomask.core.volume import FloatArray
from gliomask.errors import MachineError, option
from gliomask.inference.engines.compiled import CompiledEngine
from gliomask.inference.engines.mnn_child import PATHS, READY, SHAPE
from gliomask.nets.arrays import Arrays
from gliomask.nets.cards import ModelCard
from gliomask.nets.graph import INPUT, LOGITS, MAPS, network_graph

if find_spec("MNN") is None:
    raise ImportError("No module named 'MNN'")

CHILD = "gliomask.inference.engines.mnn_child"
_OUTPUTS = (LOGITS, MAPS)


def open_network(arrays: Arrays, card: ModelCard, threads: int) -> CompiledEngine:
    """A network in float32 on the processor.

    Args:
        arrays: its weights.
        card: card of the model.
        threads: number of simultaneous threads, each a process.

    Raises:
        MachineError: MNN can't convert the network, or its processes don't start.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, network = Path(folder) / "network.onnx", Path(folder) / "network.mnn"
        source.write_bytes(network_graph(arrays, card))
        runners = [_Runner(source, network)]
        runners += [_Runner(None, network) for _ in range(threads - 1)]
        for runner in runners[1:]:
            runner.wait()
    return CompiledEngine(f"MNN {metadata.version('MNN')}", runners)


class _Runner:
    """See ``CompiledNetwork``: a child and the pipes to it.

    Args:
        source: a network of ONNX, to be converted at once; None takes one that is.
        network: in MNN's format.
    """

    def __init__(self, source: Path | None, network: Path) -> None:
        # -P: do not import from the working folder.
        words = [sys.executable, "-P", "-m", CHILD, INPUT, *_OUTPUTS]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=nowhere)  # noqa: S603
        self._requests = cast(IO[bytes], self._process.stdin)
        self._responses = cast(IO[bytes], self._process.stdout)
        weakref.finalize(self, _end, self._process)
        paths = [os.fsencode(source or ""), os.fsencode(network)]
        self._send(PATHS.pack(*map(len, paths)), *paths)
        if source is not None:
            self.wait()

    def wait(self) -> None:
        """Wait until it is ready.

        Raises:
            MachineError: it can't.
        """
        if self._responses.read(1) != READY:
            raise MachineError("MNN can't read the network")

    def __call__(self, image: FloatArray, output: str) -> FloatArray:
        self._send(SHAPE.pack(*image.shape, _OUTPUTS.index(output)), image.tobytes())
        shape = SHAPE.unpack(self._receive(SHAPE.size))[: 4 + _OUTPUTS.index(output)]
        values = self._receive(4 * int(np.prod(shape)))
        return np.frombuffer(values, np.float32).reshape(shape)

    def _receive(self, size: int) -> bytes:
        content = self._responses.read(size)
        if len(content) < size:
            self._died()
        return content

    def _send(self, *parts: bytes) -> None:
        try:
            for part in parts:
                self._requests.write(part)
            self._requests.flush()
        except BrokenPipeError:
            self._died()

    def _died(self) -> NoReturn:
        code = self._process.wait()
        others = " or ".join(option("engine", name) for name in ("onnxruntime", "torch"))
        raise MachineError(f"MNN's process ended unexpectedly (code {code})", hint=f"use {others}")


def _end(process: subprocess.Popen[bytes]) -> None:
    ends: list[Callable[[], object]] = [process.kill, process.wait]
    ends += [pipe.close for pipe in (process.stdin, process.stdout) if pipe]
    for end in ends:
        try:
            end()
        except OSError:
            continue  # it has ended already, with bytes left in the pipe
