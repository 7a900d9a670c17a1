"""Choice of the inference engine: the fastest available one, or the requested one.

On a GPU that is PyTorch. On a processor the order is that of measured speed
(docs/explanation/performance.md); an unusable one is skipped, with a note.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from gliomask.config.choices import EngineName as EngineName
from gliomask.errors import GliomaskError, MachineError, option
from gliomask.inference.engines.engine import Device, Engine, usable_threads
from gliomask.nets.arrays import Arrays, read_arrays
from gliomask.nets.cards import ModelCard


@dataclass(frozen=True)
class EngineStatus:
    """Status of an engine.

    Attributes:
        name: as it is requested.
        version: of its package; None if that is not installed.
        problem: reason why it can't be used; empty if it can.
    """

    name: EngineName
    version: str | None
    problem: str


@dataclass(frozen=True)
class Opened:
    """A model with what runs it.

    Attributes:
        engine: with the network in it.
        card: of the model.
        note: one line where another engine than the fastest had to be taken; else empty.
    """

    engine: Engine
    card: ModelCard
    note: str = ""


@dataclass(frozen=True)
class _Runtime:
    """An inference runtime: its package, its module and its installation hint."""

    package: str
    module: str
    how: str


_RUNTIMES: Final[dict[EngineName, _Runtime]] = {
    "mnn": _Runtime("MNN", "mnn", "pip install MNN"),
    "onnxruntime": _Runtime("onnxruntime", "onnx_runtime", "pip install 'gliomask[onnx]'"),
    "openvino": _Runtime("openvino", "openvino", "pip install 'gliomask[openvino]'"),
    "torch": _Runtime("torch", "pytorch", "pip install torch"),
}
"""The fastest on a processor first."""
_Model = tuple[Arrays, ModelCard]
_COMPILED: Final = tuple(name for name in _RUNTIMES if name != "torch")


def open_engine(
    folder: Path,
    choice: EngineName = "auto",
    device: Device = "auto",
    threads: int | None = None,
    card: ModelCard | None = None,
) -> Opened:
    """A model folder, ready to run.

    Args:
        folder: of the model.
        choice: ``auto`` takes PyTorch on a GPU, else the fastest engine that works.
        device: ``auto`` takes a CUDA device where there is one; only PyTorch runs on it.
        threads: of a compiled engine, those that the process may use if it is not given; PyTorch
            always uses the latter.
        card: of the model, if it has been read already.

    Raises:
        ModelError: no such folder, or a damaged card or weights.
        MachineError: the engine that was requested can't be used, or not on that device.
    """
    if choice == "torch" or device == "cuda" or (device == "auto" and has_gpu()):
        if choice not in ("torch", "auto"):
            allowed = f"torch, or {option('device', 'cpu')}"
            raise MachineError(
                "only torch runs on a GPU",
                option="engine",
                found=choice,
                allowed=allowed,
            )
        return _torch(folder, device, card)
    model = read_arrays(folder, card)
    if choice != "auto":
        return _compiled(model, choice, threads)
    return _fastest(folder, model, threads)


def engine_statuses() -> tuple[EngineStatus, ...]:
    """All engines, the fastest on a processor first. A compiled one is imported to check it."""
    return tuple(_status(name, runtime) for name, runtime in _RUNTIMES.items())


def _fastest(folder: Path, model: _Model, threads: int | None) -> Opened:
    problems = []
    for name in _COMPILED:
        try:
            opened = _compiled(model, name, threads)
        except MachineError as problem:
            problems.append(problem)
            continue
        return Opened(opened.engine, opened.card, _note(problems, opened.engine))
    opened = _torch(folder, "cpu", model[1])
    return Opened(opened.engine, opened.card, _note(problems, opened.engine))


def _note(problems: list[MachineError], engine: Engine) -> str:
    """Note if the default engine is missing; the others are extras."""
    return f"{problems[0].what}: slower, by {engine.name}" if problems else ""


def _compiled(model: _Model, name: EngineName, threads: int | None) -> Opened:
    runtime, (arrays, card) = _RUNTIMES[name], model
    try:
        opened = _module(runtime).open_network(arrays, card, threads or usable_threads())
        return Opened(opened, card)
    except GliomaskError:
        raise
    except Exception as problem:
        # A foreign library may raise any exception; the next engine is used.
        what = f"the engine {name} can't be used ({_line(problem)})"
        raise MachineError(what, option="engine", found=name, hint=runtime.how) from problem


def _torch(folder: Path, device: Device, card: ModelCard | None) -> Opened:
    from gliomask.inference.engines.pytorch import TorchEngine
    from gliomask.nets.weights import load_model

    network, read = load_model(folder, card)
    return Opened(TorchEngine(network, device), read)


def _status(name: EngineName, runtime: _Runtime) -> EngineStatus:
    try:
        version = metadata.version(runtime.package)
    except metadata.PackageNotFoundError:
        return EngineStatus(name, None, f"not installed ({runtime.how})")
    try:
        _module(runtime)
    except Exception as problem:
        return EngineStatus(name, version, _line(problem))
    return EngineStatus(name, version, "")


def _module(runtime: _Runtime) -> Any:
    return import_module(f"gliomask.inference.engines.{runtime.module}")


def _line(problem: Exception) -> str:
    lines = str(problem).splitlines()
    return lines[0] if lines else type(problem).__name__


def has_gpu() -> bool:
    """Return True if there is a CUDA device, without importing torch where there can't be one."""
    if find_spec("torch") is None or not _may_have_gpu():
        return False
    import torch

    return torch.cuda.is_available()


def _may_have_gpu() -> bool:
    """A CUDA device shows in the file system of Linux; elsewhere torch detects it."""
    return not sys.platform.startswith("linux") or any(
        Path(place).exists() for place in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
    )
