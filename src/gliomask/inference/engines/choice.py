"""Which engine runs a model: the fastest that is there, or the one that was asked for.

On a GPU that is PyTorch. On a processor the order is that of measured speed (docs/performance.md);
what can't be used is passed over, and one line says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from gliomask.errors import GliomaskError, MachineError
from gliomask.inference.engines.engine import Device, Engine
from gliomask.nets.arrays import read_arrays
from gliomask.nets.cards import ModelCard

EngineName = Literal["auto", "mnn", "onnxruntime", "openvino", "torch"]


@dataclass(frozen=True)
class EngineStatus:
    """Whether an engine can be used.

    Attributes:
        name: as it is asked for.
        version: of its package; None if that is not installed.
        problem: why it can't be used; empty if it can.
    """

    name: EngineName
    version: str | None
    problem: str


@dataclass(frozen=True)
class Opened:
    """A model with what runs it.

    Attributes:
        engine: with the network in it; card: of the model.
        note: one line where another engine than the fastest had to be taken; else empty.
    """

    engine: Engine
    card: ModelCard
    note: str = ""


@dataclass(frozen=True)
class _Runtime:
    """A compiled runtime: its package, its module in here, its class and how to get it."""

    package: str
    module: str
    kind: str
    how: str


_COMPILED: Final[dict[EngineName, _Runtime]] = {
    "mnn": _Runtime("MNN", "mnn", "MNNEngine", "pip install MNN"),
    "onnxruntime": _Runtime(
        "onnxruntime", "onnx_runtime", "ONNXRuntimeEngine", "pip install 'gliomask[onnx]'"
    ),
    "openvino": _Runtime(
        "openvino", "openvino", "OpenVINOEngine", "pip install 'gliomask[openvino]'"
    ),
}
"""The fastest first."""


def open_engine(
    folder: Path,
    choice: EngineName = "auto",
    device: Device = "auto",
    threads: int | None = None,
) -> Opened:
    """A model folder, ready to run.

    Args:
        folder: of the model.
        choice: ``auto`` takes PyTorch on a GPU, else the fastest engine that works.
        device: ``auto`` takes a CUDA device where there is one; only PyTorch runs on it.
        threads: of a compiled engine; PyTorch uses those of the process.

    Raises:
        ModelError: no such folder, or a damaged card or weights.
        MachineError: the engine that was asked for can't be used, or not on that device.
    """
    if choice == "torch" or device == "cuda" or (device == "auto" and _has_gpu()):
        if choice not in ("torch", "auto"):
            allowed = "torch, or --device cpu"
            raise MachineError(
                "only torch runs on a GPU", field="--engine", found=choice, allowed=allowed
            )
        return _torch(folder, device)
    if choice != "auto":
        return _compiled(folder, choice, threads)
    return _fastest(folder, threads)


def engine_statuses() -> tuple[EngineStatus, ...]:
    """All engines, the fastest on a processor first. A compiled one is imported to know it."""
    names: tuple[EngineName, ...] = (*_COMPILED, "torch")
    return tuple(_status(name) for name in names)


def _fastest(folder: Path, threads: int | None) -> Opened:
    problems = []
    for name in _COMPILED:
        try:
            opened = _compiled(folder, name, threads)
        except MachineError as problem:
            problems.append(problem)
            continue
        return Opened(opened.engine, opened.card, _note(problems, opened.engine))
    opened = _torch(folder, "cpu")
    return Opened(opened.engine, opened.card, _note(problems, opened.engine))


def _note(problems: list[MachineError], engine: Engine) -> str:
    """Only the default engine is missed: the others are extras."""
    return f"{problems[0].what}: slower, by {engine.name}" if problems else ""


def _compiled(folder: Path, name: EngineName, threads: int | None) -> Opened:
    runtime = _COMPILED[name]
    arrays, card = read_arrays(folder)
    try:
        made: Callable[..., Engine] = getattr(_module(runtime), runtime.kind)
        return Opened(made(arrays, card, threads), card)
    except GliomaskError:
        raise
    except Exception as problem:
        # Whatever a foreign library raises on a machine it does not like: another one is taken.
        what = f"the engine {name} can't be used ({_line(problem)})"
        raise MachineError(what, field="--engine", found=name, hint=runtime.how) from problem


def _torch(folder: Path, device: Device) -> Opened:
    from gliomask.inference.engines.pytorch import TorchEngine
    from gliomask.nets.weights import load_model

    network, card = load_model(folder)
    return Opened(TorchEngine(network, device), card)


def _status(name: EngineName) -> EngineStatus:
    package = _COMPILED[name].package if name in _COMPILED else "torch"
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        how = _COMPILED[name].how if name in _COMPILED else "pip install torch"
        return EngineStatus(name, None, f"not installed ({how})")
    try:
        if name in _COMPILED:
            _module(_COMPILED[name])
        else:
            import_module("torch")
    except Exception as problem:
        return EngineStatus(name, version, _line(problem))
    return EngineStatus(name, version, "")


def _module(runtime: _Runtime) -> object:
    return import_module(f"gliomask.inference.engines.{runtime.module}")


def _line(problem: Exception) -> str:
    lines = str(problem).splitlines()
    return lines[0] if lines else type(problem).__name__


def _has_gpu() -> bool:
    """Whether there is a CUDA device, without loading torch where there can't be one."""
    if find_spec("torch") is None or not _may_have_gpu():
        return False
    import torch

    return torch.cuda.is_available()


def _may_have_gpu() -> bool:
    """A CUDA device shows in the file system of Linux; elsewhere torch must be asked."""
    import sys

    return not sys.platform.startswith("linux") or any(
        Path(place).exists() for place in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
    )
