"""Processors, memory and GPUs, from tables like the kernel's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gliomask.machine.gpus import read_gpus
from gliomask.machine.memory import Memory, read_memory
from gliomask.machine.processors import Processors, read_processors
from tests.machine.test_cgroups import grow

X86 = "processor\t: 0\nmodel name\t: A Chip 9000\nflags\t\t: fpu avx2 fma avx512f\n\nprocessor\t: 1"
ARM = "processor\t: 0\nFeatures\t: fp asimd sve\n"


def test_an_x86_processor(tmp_path: Path) -> None:
    found = read_processors(grow(tmp_path, {"proc/cpuinfo": X86}))
    assert found.model == "A Chip 9000"
    assert found.vectors == ("AVX2", "FMA", "AVX-512")
    assert found.present == os.cpu_count()
    assert found.quota is None


def test_an_arm_processor(tmp_path: Path) -> None:
    assert read_processors(grow(tmp_path, {"proc/cpuinfo": ARM})).vectors == ("NEON", "SVE")


@pytest.mark.parametrize(
    ("allowed", "quota", "usable"),
    [(16, None, 16), (16, 2.0, 2), (16, 1.5, 2), (4, 8.0, 4), (16, 0.2, 1)],
)
def test_usable_is_the_smaller_of_affinity_and_quota(
    allowed: int, quota: float | None, usable: int
) -> None:
    assert Processors("chip", 32, allowed, quota, ()).usable == usable


def test_affinity_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    found = read_processors(tmp_path)
    assert (found.present, found.allowed, found.usable) == (64, 2, 2)


def test_memory_in_kibibytes(tmp_path: Path) -> None:
    root = grow(tmp_path, {"proc/meminfo": "MemTotal:  2048 kB\nMemAvailable: 1024 kB\nHuge: 0"})
    assert read_memory(root) == Memory(2 * 2**20, 2**20)


def test_usable_memory_is_the_smaller_of_what_is_free_and_what_the_limit_leaves() -> None:
    assert Memory(100, 50, 40, 10).usable == 10
    assert Memory(100, 5, 40, 10).usable == 5
    assert Memory(100, 50).usable == 50
    assert Memory(100, None).usable is None


def test_a_system_without_the_table_still_knows_its_pages(tmp_path: Path) -> None:
    assert read_memory(tmp_path).available is None
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert read_memory(tmp_path).total == total


@pytest.mark.parametrize(
    "line",
    [
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  550.54.15  Release Build  (x)",
    ],
)
def test_the_driver_is_told_by_the_kernel(tmp_path: Path, line: str) -> None:
    root = grow(tmp_path, {"proc/driver/nvidia/version": f"{line}\nGCC version: 13.2.0"})
    assert read_gpus(root).driver == "550.54.15"


def test_no_driver(tmp_path: Path) -> None:
    assert read_gpus(tmp_path).driver is None
