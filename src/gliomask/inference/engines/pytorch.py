"""PyTorch engine: the reference on processors, and the engine for GPUs."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.utils import convert_conv2d_weight_memory_format

from gliomask.core.volume import FloatArray
from gliomask.errors import MachineError, option
from gliomask.inference.engines.engine import Device
from gliomask.machine.allocator import keep_freed_memory
from gliomask.nets.u2net import U2Net

_CPU_BATCH, _GPU_BATCH = 4, 32


class TorchEngine:
    """Runs a network with PyTorch, in float32 and channels-last memory format.

    Args:
        model: the network; it is moved to the device and set to evaluation.
        device: ``auto`` takes a CUDA device where there is one.

    Raises:
        MachineError: ``cuda`` was requested and there is none.
    """

    def __init__(self, model: U2Net, device: Device = "auto") -> None:
        self._device = _find(device)
        if self._device.type == "cpu":
            keep_freed_memory()  # otherwise a tenth of the time is spent on allocating it again
        placed = model.eval().to(self._device)
        self._model = convert_conv2d_weight_memory_format(placed, torch.channels_last)

    @property
    def name(self) -> str:
        return f"torch {torch.__version__} on {self._device.type}"

    @property
    def batch(self) -> int:
        return _CPU_BATCH if self._device.type == "cpu" else _GPU_BATCH

    @torch.inference_mode()
    def logits(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.logits``."""
        return _plain(self._run(inputs)[0])

    @torch.inference_mode()
    def maps(self, inputs: FloatArray) -> FloatArray:
        """See ``Engine.maps``."""
        return _plain(torch.stack(self._run(inputs), dim=1))

    def _run(self, inputs: FloatArray) -> tuple[torch.Tensor, ...]:
        ready = torch.from_numpy(np.ascontiguousarray(inputs))
        batch = ready.contiguous(memory_format=torch.channels_last)
        try:
            outputs: tuple[torch.Tensor, ...] = self._model(batch.to(self._device))
        except torch.OutOfMemoryError:
            raise MachineError(
                "not enough memory on the device", hint=f"free it, or use {option('device', 'cpu')}"
            ) from None
        return outputs


def _plain(logits: torch.Tensor) -> FloatArray:
    logits_array: FloatArray = logits.float().contiguous().cpu().numpy()
    return logits_array


def _find(device: Device) -> torch.device:
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise MachineError("there is no CUDA device", option="device", found=device)
    return torch.device("cuda" if available and device != "cpu" else "cpu")
