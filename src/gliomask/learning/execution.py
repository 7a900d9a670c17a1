"""Execution modes of training steps: eager, recorded as a CUDA graph, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, cast

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from gliomask.config import Recipe
from gliomask.errors import ConfigError
from gliomask.learning.graphed import CudaRecorder, GraphedStep
from gliomask.learning.losses import SegmentationLoss
from gliomask.learning.optimiser import make_optimiser
from gliomask.learning.step import Step
from gliomask.learning.teacher import Teacher
from gliomask.nets.u2net import U2Net

ExecutionMode = Literal["auto", "eager", "graph", "compiled"]
_NO_TRITON = "triton is not installed, so the network is not compiled"


@dataclass(frozen=True)
class Execution:
    """Execution mode of training steps.

    Attributes:
        compiled: kernels of the network are fused by ``torch.compile``.
        graph: steps are recorded, see ``graphed``.
        note: note for users; may be empty.
    """

    compiled: bool = False
    graph: bool = False
    note: str = ""


def choose_execution(mode: ExecutionMode, fabric: Fabric) -> Execution:
    """Execution mode that the devices of ``fabric`` support.

    ``auto`` records on one GPU, and is eager otherwise. ``graph`` records. ``compiled`` fuses
    kernels, and also records on one GPU; without triton it only records. Neither is available on
    processors (fused kernels need a C++ compiler and were slower than PyTorch's kernels). Several
    GPUs can't be recorded, nor half precision with loss scaling (``16-mixed``), whose scale is read
    in every step.

    Raises:
        ConfigError: the mode is not supported.
    """
    cuda = fabric.device.type == "cuda"
    scaled = fabric.strategy.precision.precision == "16-mixed"
    single = cuda and fabric.world_size == 1 and not scaled
    if mode == "auto":
        return Execution(graph=single)
    if mode == "eager":
        return Execution()
    if not cuda or (mode == "graph" and not single):
        need = "a GPU" if mode == "compiled" else "one GPU, and another precision than 16-mixed"
        raise ConfigError(
            f"this execution mode needs {need}",
            option="execution",
            found=mode,
            allowed="auto, eager",
        )
    if mode == "compiled" and find_spec("triton") is None:
        return Execution(graph=single, note=_NO_TRITON)
    return Execution(compiled=mode == "compiled", graph=single)


@dataclass(frozen=True, eq=False)
class Stepper:
    """A network that is set up for training.

    Attributes:
        model: the callable network.
        optimiser: its optimiser.
        step: function of images and target that returns losses.
        execution: execution mode.
    """

    model: nn.Module
    optimiser: torch.optim.Optimizer
    step: Step | GraphedStep
    execution: Execution

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for users on the execution of the steps."""
        recorded = self.step.note if isinstance(self.step, GraphedStep) else ""
        return tuple(note for note in (self.execution.note, recorded) if note)


def set_up(
    fabric: Fabric,
    network: U2Net,
    recipe: Recipe,
    how: Execution,
    teacher: U2Net | None = None,
) -> Stepper:
    """Move network and teacher to the device, and create the optimiser.

    The memory format is channels-last on every device, in which convolutions are faster.
    """
    for part in (network, teacher):
        if part is not None:
            convert_conv2d_weight_memory_format(part.to(fabric.device), torch.channels_last)
    fused = recipe.precision != "16-mixed"
    optimiser = make_optimiser(network, recipe.optimiser, fused=fused, recordable=how.graph)
    module = cast(nn.Module, torch.compile(network, dynamic=False)) if how.compiled else network
    model, ready = fabric.setup(module, optimiser)
    taught = None if teacher is None else Teacher(teacher.eval(), recipe.loss.teacher)
    loss, clip = SegmentationLoss(recipe.loss), recipe.optimiser.clip
    step = Step(fabric, model, ready, loss, clip, taught)
    return Stepper(model, ready, GraphedStep(step, CudaRecorder()) if how.graph else step, how)
