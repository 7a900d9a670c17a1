"""Facts are judged by numbers that are given: no machine has to be short of anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.machine.checkup import (
    GIB,
    MIB,
    Finding,
    check_allocator,
    check_core,
    check_dicom,
    check_extras,
    check_folder,
    check_gpus,
    check_memory,
    check_processors,
    check_viewer,
)
from gliomask.machine.folders import Folder
from gliomask.machine.gpus import GPU, GPUs
from gliomask.machine.memory import Memory
from gliomask.machine.packages import Package
from gliomask.machine.processors import Processors

PYTHON = Package("Python", ">=3.11", "3.12.1")


def test_what_is_needed_breaks_if_it_is_absent_or_too_old() -> None:
    python, torch, numpy, scipy = check_core(
        PYTHON,
        [
            Package("torch", ">=2.10", "2.9.1"),
            Package("numpy", ">=2.0", None),
            Package("scipy", ">=1.15", "1.15.0"),
        ],
    )
    assert (python.level, scipy.level) == ("ok", "ok")
    assert (torch.level, torch.found) == ("breaks", "2.9.1")
    assert torch.remark == "gliomask needs >=2.10; pip install 'torch>=2.10'"
    assert (numpy.level, numpy.found) == ("breaks", "absent")
    assert numpy.remark == "pip install 'numpy>=2.0'"


def test_an_extra_that_is_absent_is_a_note_with_the_way_to_it() -> None:
    jpeg, tiff = check_extras(
        [
            Package("pylibjpeg", ">=2.1", "2.1", "jpeg"),
            Package("python-gdcm", ">=3.2.6", "3.0", "jpeg"),
            Package("imagecodecs", ">=2025.3", None, "tiff"),
        ]
    )
    assert jpeg.level == "note"
    assert jpeg.found == "pylibjpeg 2.1, python-gdcm 3.0"
    assert jpeg.remark == "needs python-gdcm >=3.2.6; pip install 'gliomask[jpeg]'"
    assert tiff == Finding(
        "extras", "tiff", "note", "imagecodecs absent", "pip install 'gliomask[tiff]'"
    )


@pytest.mark.parametrize(
    ("available", "level"),
    [(GIB - 1, "breaks"), (GIB, "note"), (4 * GIB - 1, "note"), (4 * GIB, "ok")],
)
def test_memory(available: int, level: str) -> None:
    *_, found = check_memory(Memory(64 * GIB, available))
    assert (found.name, found.level) == ("available", level)
    if level == "breaks":
        assert found.remark == "a prediction needs 1.0 GiB"


def test_a_container_leaves_less_than_the_machine_has() -> None:
    total, limit, found = check_memory(Memory(64 * GIB, 60 * GIB, 2 * GIB, 512 * MIB))
    assert (total.found, limit.found) == ("64.0 GiB", "2.0 GiB")
    assert (found.level, found.found) == ("breaks", "512 MiB")


def test_memory_that_the_system_does_not_tell() -> None:
    (found,) = check_memory(Memory(None, None))
    assert (found.level, found.found) == ("ok", "unknown on this system")


@pytest.mark.parametrize(
    ("folder", "level", "remark"),
    [
        (Folder(Path("/t"), 128 * MIB, None), "ok", ""),
        (Folder(Path("/t"), 128 * MIB - 1, None), "breaks", "unpacking needs 128 MiB"),
        (Folder(Path("/t"), None, "Read-only file system"), "breaks", "can't be written to: "),
    ],
)
def test_a_folder(folder: Folder, level: str, remark: str) -> None:
    found = check_folder("temporary files", folder, 128 * MIB, "unpacking")
    assert found.level == level
    assert found.remark.startswith(remark)


def test_threads_that_a_container_cannot_run() -> None:
    *_, usable, threads = check_processors(Processors("chip", 64, 64, 2.0, ()), 64)
    assert usable.found == "2 of 64"
    assert usable.remark == "container limit 2"
    assert (threads.level, threads.found) == ("note", "64")
    assert "OMP_NUM_THREADS=2" in threads.remark


def test_processors_that_are_all_used() -> None:
    found = check_processors(Processors("chip", 8, 8, None, ("AVX2",)), 8)
    assert [one.found for one in found] == ["chip", "8", "AVX2", "8"]
    assert all(one.level == "ok" for one in found)


def test_a_gpu_that_is_there_and_not_used_is_a_note() -> None:
    (used,) = check_gpus(GPUs((GPU("H100", 80 * GIB, "9.0"),), "12.8", "550.54"))
    assert (used.level, used.name, used.found) == ("ok", "H100", "80.0 GiB")
    assert used.remark == "driver 550.54, CUDA 12.8, compute capability 9.0"
    (unused,) = check_gpus(GPUs((), None, "550.54"))
    assert (unused.level, "without CUDA" in unused.remark) == ("note", True)
    (old,) = check_gpus(GPUs((), "12.8", "390.1"))
    assert (old.level, "too old" in old.remark) == ("note", True)
    (none,) = check_gpus(GPUs((), None, None))
    assert none.level == "ok"


def test_compressions_that_are_not_read() -> None:
    found = check_dicom({"RLE": True, "JPEG 2000": False})
    assert (found.level, found.found) == ("note", "uncompressed, RLE")
    assert found.remark == "not JPEG 2000; pip install 'gliomask[jpeg]'"
    assert check_dicom({"RLE": True}).level == "ok"


def test_a_viewer_that_was_not_installed(tmp_path: Path) -> None:
    assert check_viewer(tmp_path / "viewer.js").level == "breaks"
    (tmp_path / "viewer.js").write_bytes(b"x" * MIB)
    assert check_viewer(tmp_path / "viewer.js").found == "1 MiB"


def test_an_allocator_that_cannot_be_told() -> None:
    assert check_allocator("glibc", "2.36").level == "ok"
    assert check_allocator("", "").level == "note"
