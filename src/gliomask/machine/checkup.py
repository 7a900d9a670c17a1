"""Assessment of a machine: findings that are fine, notes, and errors.

Only assessment is done here, on numbers that are given, so that every limit can be tested without a
machine that is short of something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gliomask.machine.folders import Folder
from gliomask.machine.gpus import GPUs
from gliomask.machine.memory import Memory
from gliomask.machine.packages import Package
from gliomask.machine.processors import Processors

Level = Literal["ok", "note", "breaks"]

MIB: Final = 2**20
GIB: Final = 2**30
PREDICTION_MEMORY: Final = 1 * GIB
"""At its peak, the prediction of a DICOM study of three series of 200 slices used 821 MiB
(``docs/explanation/performance.md``), and the network's two processes 174."""
TRAINING_MEMORY: Final = 4 * GIB
"""U²-NetP at 256² keeps 352 MiB of activations for each of 8 slices, 2.8 GiB; the rest is the
process itself."""
PREDICTION_DISK: Final = 32 * MIB
"""The outputs of one BraTS case took 10 MiB, most of it the page with its viewer; a file stands
next to the one that it replaces until it is complete."""
TEMPORARY_DISK: Final = 128 * MIB
"""A zip archive is unpacked there: three DICOM series of 200 slices of 256 x 256 take 75 MiB."""


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        part: of the machine or the installation that it belongs to.
        name: name of the check.
        level: ``ok``; ``note``, something is less than it could be; ``breaks``, work would fail.
        found: result, in a few words.
        remark: consequence, or what to do; may be empty.
    """

    part: str
    name: str
    level: Level
    found: str
    remark: str = ""


def check_core(python: Package, packages: Sequence[Package]) -> tuple[Finding, ...]:
    """Python and what gliomask can't do without."""
    return tuple(_core(package) for package in (python, *packages))


def check_extras(packages: Sequence[Package]) -> tuple[Finding, ...]:
    """One finding for each extra, in the order in which they come."""
    extras = dict.fromkeys(package.extra or "" for package in packages)
    return tuple(_extra(name, [p for p in packages if p.extra == name]) for name in extras)


def check_processors(processors: Processors, threads: int | None) -> tuple[Finding, ...]:
    """The processors, and whether as many threads are used as can run at once.

    Args:
        processors: the processors.
        threads: number of threads to be used; None if unknown.
    """
    few = processors.usable < processors.present
    usable = f"{processors.usable} of {processors.present}" if few else str(processors.usable)
    why = f"container limit {processors.quota:g}" if processors.quota is not None else ""
    model = Finding("processors", "model", "ok", processors.model or "unknown on this system")
    rows = [model, Finding("processors", "usable", "ok", usable, why)]
    if processors.vectors:
        rows.append(Finding("processors", "vectors", "ok", ", ".join(processors.vectors)))
    if threads is not None:
        rows.append(_threads(processors.usable, threads))
    return tuple(rows)


def check_memory(memory: Memory) -> tuple[Finding, ...]:
    """Check that the memory is sufficient for prediction and training."""
    if memory.usable is None:
        total = "unknown on this system" if memory.total is None else size(memory.total)
        return (Finding("memory", "total", "ok", total),)
    rows = []
    if memory.total is not None:
        rows.append(Finding("memory", "total", "ok", size(memory.total)))
    if memory.limit is not None:
        rows.append(Finding("memory", "container's limit", "ok", size(memory.limit)))
    level, remark = _memory_level(memory.usable)
    return (*rows, Finding("memory", "available", level, size(memory.usable), remark))


def check_allocator(library: str, version: str) -> Finding:
    """Check that the C library can keep freed memory (``machine.allocator``)."""
    if library == "glibc":
        return Finding("memory", "allocator", "ok", f"glibc {version}", "keeps freed memory")
    remark = "can't keep freed memory: training steps are slower"
    return Finding("memory", "allocator", "note", library or "not glibc", remark)


def check_folder(name: str, folder: Folder, needed: int, what: str) -> Finding:
    """Check that a folder is writable and has free space.

    Args:
        name: of the finding.
        folder: as it was tried.
        needed: bytes.
        what: description of the operation that needs them.
    """
    if folder.problem is not None or folder.free is None:
        return Finding(
            "disk", name, "breaks", str(folder.path), f"can't be written to: {folder.problem}"
        )
    free_space = f"{size(folder.free)} free in {folder.path.absolute()}"
    if folder.free < needed:
        return Finding("disk", name, "breaks", free_space, f"{what} needs {size(needed)}")
    return Finding("disk", name, "ok", free_space)


def check_gpus(gpus: GPUs) -> tuple[Finding, ...]:
    """The GPUs; one that has a driver and is not used is a note."""
    driver = f"driver {gpus.driver}, " if gpus.driver else ""
    if gpus.found:
        detail = f"{driver}CUDA {gpus.cuda}, compute capability "
        return tuple(
            Finding("GPU", gpu.name, "ok", size(gpu.memory), detail + gpu.capability)
            for gpu in gpus.found
        )
    if gpus.driver is None:
        return (Finding("GPU", "NVIDIA", "ok", "none", "the CPU is used"),)
    why = (
        "torch was built without CUDA; see pytorch.org for how to install one with it"
        if gpus.cuda is None
        else f"torch was built for CUDA {gpus.cuda} and detects no device; is the driver too old?"
    )
    return (Finding("GPU", "NVIDIA", "note", f"driver {gpus.driver}, not used", why),)


def check_viewer(file: Path) -> Finding:
    """The viewer's script, which every page of a case contains."""
    if file.is_file() and file.stat().st_size > 0:
        return Finding("files", "browser viewer", "ok", size(file.stat().st_size))
    return Finding(
        "files", "browser viewer", "breaks", "missing", f"no {file}; install gliomask again"
    )


def check_dicom(readable: Mapping[str, bool]) -> Finding:
    """Check the decoders for compressed DICOM pixels; uncompressed ones are always read."""
    missing = [name for name, readable_now in readable.items() if not readable_now]
    methods = ", ".join(
        ["uncompressed", *(name for name, readable_now in readable.items() if readable_now)]
    )
    if not missing:
        return Finding("files", "DICOM", "ok", methods)
    remark = f"not {', '.join(missing)}; pip install 'gliomask[jpeg]'"
    return Finding("files", "DICOM", "note", methods, remark)


def size(count: int) -> str:
    """Bytes as people read them: ``12 MiB``, ``3.4 GiB``."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"


def _core(package: Package) -> Finding:
    if package.found is None:
        return Finding("packages", package.name, "breaks", "absent", package.install)
    if package.fits:
        return Finding("packages", package.name, "ok", package.found)
    remark = f"gliomask needs {package.bound}; {package.install}"
    return Finding("packages", package.name, "breaks", package.found, remark)


def _extra(name: str, packages: Sequence[Package]) -> Finding:
    """An extra that is there in part or too old is a note: only what needs it would fail."""
    wrong = [package for package in packages if not package.fits]
    versions = ", ".join(f"{p.name} {p.found or 'absent'}" for p in packages)
    if not wrong:
        return Finding("extras", name, "ok", versions)
    old = [f"{p.name} {p.bound}" for p in wrong if p.found is not None]
    too_old = f"needs {', '.join(old)}; " if old else ""
    return Finding("extras", name, "note", versions, too_old + wrong[0].install)


def _threads(usable: int, threads: int) -> Finding:
    if threads > usable:
        remark = f"too many threads slow each other down; set OMP_NUM_THREADS={usable}"
        return Finding("processors", "threads", "note", str(threads), remark)
    if threads < usable:
        remark = f"{usable} could run at once; is OMP_NUM_THREADS set?"
        return Finding("processors", "threads", "note", str(threads), remark)
    return Finding("processors", "threads", "ok", str(threads))


def _memory_level(usable: int) -> tuple[Level, str]:
    if usable < PREDICTION_MEMORY:
        return "breaks", f"a prediction needs {size(PREDICTION_MEMORY)}"
    if usable < TRAINING_MEMORY:
        return "note", f"a training at 256 pixels needs {size(TRAINING_MEMORY)}"
    return "ok", ""
