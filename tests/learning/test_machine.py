"""What is asked of the machine: memory, devices, precision."""

from __future__ import annotations

import os
import pickle
import platform
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from lightning_fabric import Fabric

from gliomask.config import Recipe
from gliomask.errors import CasesError, ConfigError, InputError, MachineError
from gliomask.jobs.control import SILENT, Control
from gliomask.learning.data import choose_data, open_slices
from gliomask.learning.dataset import StoreSlices
from gliomask.learning.devices import Machines, on_first, start_fabric
from gliomask.learning.memory import device_budget, memory_budget
from gliomask.machine.allocator import keep_freed_memory
from gliomask.machine.processors import read_processors
from gliomask.workflows.train import TrainingJob, _threads
from tests.learning.stores import write_store

CPU = Machines("cpu")


def test_the_budget_is_half_of_what_is_free_for_each_process() -> None:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert 0 < memory_budget(1) < total / 2
    assert memory_budget(4) < memory_budget(1) / 2
    assert device_budget(torch.device("cpu")) == 0


def test_the_allocator_is_told_only_where_it_is_glibc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_freed_memory() is False


@pytest.mark.parametrize(
    ("vectors", "precision"),
    [(("AVX2",), "32-true"), (("AVX2", "AVX-512 BF16"), "bf16-mixed"), (("AMX",), "bf16-mixed")],
    ids=["plain", "avx512", "amx"],
)
def test_one_cpu(vectors: tuple[str, ...], precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    processors = replace(read_processors(), vectors=vectors)
    monkeypatch.setattr("gliomask.learning.devices.read_processors", lambda: processors)
    fabric = start_fabric(CPU, Recipe())
    assert (fabric.world_size, fabric.device.type) == (1, "cpu")
    assert fabric.strategy.precision.precision == precision


def test_a_batch_must_be_dealt_evenly() -> None:
    with pytest.raises(ConfigError, match=r"batch_size=8, allowed a multiple of 3"):
        start_fabric(Machines("cpu", devices=3), Recipe(batch_size=8))


def test_half_precision_needs_a_gpu() -> None:
    with pytest.raises(ConfigError, match="only a GPU"):
        start_fabric(CPU, Recipe(precision="16-mixed"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_device_that_is_not_there() -> None:
    with pytest.raises(MachineError, match="no CUDA device"):
        start_fabric(Machines("cuda"), Recipe())


def test_a_machine_with_slurm_is_not_told_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning warns wherever ``srun`` is on the PATH; here warnings are errors."""
    srun = tmp_path / "srun"
    srun.write_text("#!/bin/sh\n")
    srun.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        monkeypatch.delenv(name)
    assert start_fabric(CPU, Recipe()).world_size == 1


def test_torchrun_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
    assert (Machines().local, Machines().machines) == (4, 2)
    assert (Machines(devices=1).local, Machines(nodes=1).machines) == (1, 1)


def test_what_the_first_process_finds_is_found_by_all() -> None:
    fabric = start_fabric(CPU, Recipe())
    assert on_first(fabric, lambda: (1, "two")) == (1, "two")

    def refuse() -> None:
        raise ConfigError("no")

    with pytest.raises(ConfigError, match="no"):
        on_first(fabric, refuse)


@dataclass
class Ranks:
    """Fabric of one of several processes; ``channel`` is what goes between them, pickled."""

    is_global_zero: bool
    channel: list[bytes]

    def broadcast(self, value: object) -> object:
        if self.is_global_zero:
            self.channel.append(pickle.dumps(value))
            return value
        return pickle.loads(self.channel.pop())  # noqa: S301 (our own)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (InputError("not empty", path="run"), InputError),
        (PermissionError(13, "Permission denied", "run"), PermissionError),
        (MachineError("no space left"), MachineError),
        (CasesError("2 cases can't be used", [("a", "b")]), InputError),
        (KeyError("network"), KeyError),
    ],
    ids=["input", "system", "machine", "cases", "bug"],
)
def test_an_error_of_the_first_process_ends_all(problem: Exception, kind: type[Exception]) -> None:
    channel: list[bytes] = []

    def fail() -> None:
        raise problem

    with pytest.raises(type(problem)) as caught:
        on_first(cast(Fabric, Ranks(is_global_zero=True, channel=channel)), fail)
    assert caught.value is problem
    with pytest.raises(kind) as caught:
        on_first(cast(Fabric, Ranks(is_global_zero=False, channel=channel)), fail)
    assert str(caught.value) == str(problem)
    assert channel == []


def test_a_result_of_the_first_process_goes_to_all() -> None:
    channel: list[bytes] = []
    for first in (True, False):
        fabric = cast(Fabric, Ranks(is_global_zero=first, channel=channel))
        assert on_first(fabric, lambda: (1, "two")) == (1, "two")


def test_threads_keep_to_the_limit_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    monkeypatch.setattr("gliomask.machine.processors.cpu_quota", lambda _: 1.5)
    counts: list[int] = []

    def count(source: StoreSlices, _device: torch.device, threads: int, _: Control) -> StoreSlices:
        counts.append(threads)
        return source

    monkeypatch.setattr("gliomask.learning.data.keep", count)
    choice = choose_data(write_store(tmp_path, train=1, validation=1), Recipe())
    slices, _ = open_slices(choice, Recipe(), torch.device("cpu"), 1, SILENT)
    job = SimpleNamespace(options=SimpleNamespace(workers=None))
    assert _threads(cast(TrainingJob, job), slices) == 2
    assert counts == [2, 2]
