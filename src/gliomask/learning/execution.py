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
        note: what a person should know; empty if nothing.
    """

    compiled: bool = False
    graph: bool = False
    note: str = ""


def choose_execution(mode: ExecutionMode, fabric: Fabric) -> Execution:
    """Execution mode that the devices of ``fabric`` support.

    ``auto`` records on one GPU and does nothing special elsewhere. ``graph`` records.
    ``compiled`` fuses, and records as well on one GPU; without triton it only records. Neither is
    for processors (fused kernels need a C++ compiler there, and were slower than PyTorch's own),
    nor can several GPUs be recorded, or half precision with its scale (``16-mixed``), which is
    looked at in every step.

    Raises:
        ConfigError: what is wanted can't be had.
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
            f"this execution needs {need}",
            option="execution",
            found=mode,
            allowed="auto, eager",
        )
    if mode == "compiled" and find_spec("triton") is None:
        return Execution(graph=single, note=_NO_TRITON)
    return Execution(compiled=mode == "compiled", graph=single)


@dataclass(frozen=True, eq=False)
class Stepper:
    """A network that is set up to learn.

    Attributes:
        model: the network as it is called; optimiser: that moves its weights.
        step: takes images and target, gives losses.
        execution: how.
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
    """Brings the network to its device, its teacher too, and makes what moves its weights.

    Channels lie side by side in memory, on every device: the convolutions are quicker so.
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
