"""Devices of a training: processors, GPUs, several machines."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from lightning_fabric.utilities.warnings import PossibleUserWarning

from gliomask.config import Recipe
from gliomask.errors import ConfigError, MachineError, same_with
from gliomask.jobs.worker_process import portable
from gliomask.machine.processors import read_processors

Precision = Literal["32-true", "16-mixed", "bf16-mixed"]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Machines:
    """Devices and machines for a training.

    Attributes:
        device: ``auto`` uses CUDA if available.
        devices: processes on each machine, each with its own device; None uses the value of
            ``torchrun``, or 1.
        nodes: machines; None likewise.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: int | None = None
    nodes: int | None = None

    @property
    def local(self) -> int:
        """Processes on this machine."""
        return self.devices or int(os.environ.get("LOCAL_WORLD_SIZE", "1"))

    @property
    def machines(self) -> int:
        """Number of machines of this training."""
        return self.nodes or int(os.environ.get("GROUP_WORLD_SIZE", "1"))


def start_fabric(machines: Machines, recipe: Recipe) -> Fabric:
    """Launch Fabric; from here on every process runs the same code.

    With several devices, and without ``torchrun`` or SLURM, Fabric starts the command line of this
    process again for each further device.

    Raises:
        MachineError: a requested device does not exist.
        ConfigError: the batch can't be divided among the devices, or the precision is not
            supported.
    """
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it prints a long greeting
    device, devices, nodes = _device(machines), machines.local, machines.machines
    _check(device, devices, nodes, recipe)
    if device == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    with warnings.catch_warnings():
        # If srun is installed, Lightning warns that it is not used.
        warnings.filterwarnings("ignore", "The `srun` command", PossibleUserWarning)
        fabric = Fabric(
            accelerator=device,
            devices=devices,
            num_nodes=nodes,
            strategy=_many() if devices * nodes > 1 else "auto",
            precision=_precision(recipe.precision, device),
        )
    fabric.launch()
    return fabric


def on_first(fabric: Fabric, work: Callable[[], Result]) -> Result:
    """Result of ``work`` in the first process, for every process; exceptions likewise."""
    outcome: list[Result] | Exception = []
    if fabric.is_global_zero:
        try:
            outcome = [work()]
        except Exception as problem:
            fabric.broadcast(portable(problem))  # or the others would wait for a result
            raise
    outcome = fabric.broadcast(outcome)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome[0]


def _many() -> DDPStrategy:
    """Options for DDP.

    Every process uses the same layers in every step, so unused parameters are not searched. Running
    statistics of batch norm are not synchronised in each step: they are not used in training, and
    before validation all processes get those of the first one (``across.copy_buffers``).
    """
    return DDPStrategy(gradient_as_bucket_view=True, static_graph=True, broadcast_buffers=False)


def _device(machines: Machines) -> Literal["cpu", "cuda"]:
    available = torch.cuda.is_available()
    if machines.device == "cuda" and not available:
        raise MachineError("there is no CUDA device", option="device", found="cuda")
    return "cuda" if available and machines.device != "cpu" else "cpu"


def _check(device: str, devices: int, nodes: int, recipe: Recipe) -> None:
    if device == "cuda" and devices > torch.cuda.device_count():
        available = torch.cuda.device_count()
        raise MachineError(
            "too few CUDA devices", option="devices", found=devices, allowed=f"up to {available}"
        )
    if recipe.batch_size % (devices * nodes):
        raise ConfigError(
            "a batch can't be divided evenly among the devices",
            field="batch_size",
            found=recipe.batch_size,
            allowed=f"a multiple of {devices * nodes}",
            hint=f"use {same_with(('changes', f'batch_size={devices * nodes}'))}",
        )
    if device == "cpu" and recipe.precision == "16-mixed":
        raise ConfigError(
            "only a GPU has this precision",
            field="precision",
            found=recipe.precision,
            allowed="auto, 32-true, bf16-mixed",
            hint=f"use {same_with(('changes', 'precision=auto'))}",
        )


def _precision(precision: Literal["auto"] | Precision, device: str) -> Precision:
    if precision != "auto":
        return precision
    supported = torch.cuda.is_bf16_supported() if device == "cuda" else read_processors().bfloat16
    return "bf16-mixed" if supported else "32-true"
