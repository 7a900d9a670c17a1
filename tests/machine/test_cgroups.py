"""Limits of control groups, read from a tree like the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.machine.cgroups import cpu_quota, memory_room

GIB = 2**30


def grow(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n", encoding="ascii")
    return root


def test_the_second_version_and_the_group_above_that_leaves_less(tmp_path: Path) -> None:
    root = grow(
        tmp_path,
        {
            "proc/self/cgroup": "0::/job/step",
            "sys/fs/cgroup/job/step/cpu.max": "max 100000",
            "sys/fs/cgroup/job/cpu.max": "150000 100000",
            "sys/fs/cgroup/job/step/memory.max": "max",
            "sys/fs/cgroup/job/step/memory.current": "1000",
            "sys/fs/cgroup/job/memory.max": str(4 * GIB),
            "sys/fs/cgroup/job/memory.current": str(3 * GIB),
        },
    )
    assert cpu_quota(root) == 1.5
    assert memory_room(root) == (4 * GIB, GIB)


def test_what_the_kernel_would_give_back_is_left(tmp_path: Path) -> None:
    root = grow(
        tmp_path,
        {
            "proc/self/cgroup": "0::/",
            "sys/fs/cgroup/memory.max": str(4 * GIB),
            "sys/fs/cgroup/memory.current": str(4 * GIB),
            "sys/fs/cgroup/memory.stat": f"anon {GIB}\ninactive_file {3 * GIB}",
        },
    )
    assert memory_room(root) == (4 * GIB, 3 * GIB)


def test_the_first_version_in_a_container_that_does_not_see_its_own_path(tmp_path: Path) -> None:
    root = grow(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/abc\n1:cpu,cpuacct:/docker/abc",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2 * GIB),
            "sys/fs/cgroup/memory/memory.usage_in_bytes": str(GIB // 2),
        },
    )
    assert cpu_quota(root) == 0.5
    assert memory_room(root) == (2 * GIB, 3 * GIB // 2)


@pytest.mark.parametrize("limit", ["9223372036854771712", "max"])
def test_no_limit_is_none(tmp_path: Path, limit: str) -> None:
    root = grow(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu:/",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": limit,
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "17",
        },
    )
    assert cpu_quota(root) is None
    assert memory_room(root) is None


def test_a_path_that_leads_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/../../proc", "proc/cpu.max": "100000 100000"}
    root = grow(tmp_path, {**files, "sys/fs/cgroup/cgroup.procs": ""})
    assert cpu_quota(root) is None


def test_a_system_without_control_groups(tmp_path: Path) -> None:
    assert cpu_quota(tmp_path) is None
    assert memory_room(tmp_path) is None
