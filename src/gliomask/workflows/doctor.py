"""``doctor``: check of the machine and the installation.

It must work on broken installations, so packages outside the standard library are imported by the
check that needs them, and a failed import is a finding.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from gliomask.config import shipped
from gliomask.config.doctor import DoctorOptions as DoctorOptions
from gliomask.core.extras import has_extra, install_hint
from gliomask.jobs.control import SILENT, Control
from gliomask.machine.checkup import (
    PREDICTION_DISK,
    TEMPORARY_DISK,
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
from gliomask.machine.folders import Folder, try_folder, try_temporary
from gliomask.machine.gpus import GPUs, read_gpus
from gliomask.machine.memory import Memory, read_memory
from gliomask.machine.packages import Package, core_packages, extra_packages, own_version, python
from gliomask.machine.processors import Processors, read_processors

if TYPE_CHECKING:
    from gliomask.inference.engines.checkup import Engines

Fact = TypeVar("Fact")

_VIEWER: Final = "report/vendor/niivue/niivue.umd.js.gz"


@dataclass(frozen=True)
class Checkup:
    """Result of ``doctor``; unknown values are None.

    Attributes:
        gliomask: its version.
        system: operating system and architecture.
        findings: the findings, in display order.
        python, packages, extras: required and installed versions.
        engines, processors, memory, temporary, out, gpus: data behind the findings.
        seconds: duration.
    """

    gliomask: str
    system: str
    findings: tuple[Finding, ...]
    python: Package
    packages: tuple[Package, ...]
    extras: tuple[Package, ...]
    engines: Engines | None
    processors: Processors
    memory: Memory
    temporary: Folder
    out: Folder
    gpus: GPUs | None
    seconds: float

    @property
    def broken(self) -> tuple[Finding, ...]:
        """Problems that would make commands fail."""
        return tuple(finding for finding in self.findings if finding.level == "breaks")


_ANYWHERE: Final = DoctorOptions()


def doctor(options: DoctorOptions = _ANYWHERE, control: Control = SILENT) -> Checkup:
    """Check the machine and the installation, without changes.

    Raises:
        MachineError: the list of packages of the installation can't be read.
    """
    started = time.perf_counter()
    interpreter, packages, extras = python(), core_packages(), extra_packages()
    processors, memory = read_processors(), read_memory()
    temporary, there = try_temporary(), try_folder(options.out)
    control.check()
    torch_findings, gpus = _torch()
    control.check()
    engine_findings, engines = _engines(torch_findings)
    findings = (
        *check_core(interpreter, packages),
        *check_extras(extras),
        *engine_findings,
        *torch_findings,
        *check_processors(processors, engines.threads if engines else None),
        *check_memory(memory),
        check_allocator(*platform.libc_ver()),
        check_folder("temporary files", temporary, TEMPORARY_DISK, "unpacking a zipped study"),
        check_folder("results", there, PREDICTION_DISK, "a prediction"),
        *_files(),
    )
    return Checkup(
        gliomask=own_version(),
        system=f"{platform.system()} {platform.machine()}",
        findings=findings,
        python=interpreter,
        packages=packages,
        extras=extras,
        engines=engines,
        processors=processors,
        memory=memory,
        temporary=temporary,
        out=there,
        gpus=gpus,
        seconds=time.perf_counter() - started,
    )


def _torch() -> tuple[tuple[Finding, ...], GPUs | None]:
    """GPUs that torch finds, or the reason why it can't be imported."""
    if not has_extra("torch"):
        remark = f"only training and GPUs need it; {install_hint('torch')}"
        return (Finding("GPU", "torch", "ok", "absent", remark),), None
    problem, gpus = _attempt(read_gpus)
    if gpus is None:
        return (Finding("GPU", "torch", "breaks", "can't be imported", problem),), None
    return check_gpus(gpus), gpus


def _engines(torch: tuple[Finding, ...]) -> tuple[tuple[Finding, ...], Engines | None]:
    """Check the engines; without torch there is no reference for comparison."""
    if any(finding.level == "breaks" for finding in torch):
        return (Finding("engines", "all", "note", "not tried", "torch is the reference"),), None
    if not has_extra("torch"):
        return _run_engines(), None
    problem, checked = _attempt(_check_engines)
    if checked is None:
        return (Finding("engines", "all", "breaks", "can't be tried", problem),), None
    return checked


def _run_engines() -> tuple[Finding, ...]:
    from gliomask.inference.engines.first_run import run_engines

    problem, checked = _attempt(lambda: run_engines(shipped.HOME / shipped.DEFAULT))
    return checked or (Finding("engines", "all", "breaks", "can't be tried", problem),)


def _check_engines() -> tuple[tuple[Finding, ...], Engines]:
    from gliomask.inference.engines.checkup import check_engines, engine_findings

    engines = check_engines()
    return engine_findings(engines), engines


def _files() -> tuple[Finding, ...]:
    """Check of the included files and of the readable file formats."""
    home = Path(str(resources.files("gliomask")))
    return (*_dicom(), check_viewer(home / _VIEWER), *_models())


def _dicom() -> tuple[Finding, ...]:
    problem, checked = _attempt(_readable)
    if checked is None:
        return (Finding("files", "DICOM", "breaks", "can't be read", problem),)
    return (check_dicom(checked),)


def _readable() -> dict[str, bool]:
    from gliomask.formats.dicom.decoders import readable

    return readable()


def _models() -> tuple[Finding, ...]:
    """Check the checksums of the included and added models."""
    return tuple(_model(name, folder) for name, folder in shipped.named_folders().items())


def _model(name: str, folder: Path) -> Finding:
    from gliomask.nets.arrays import read_arrays

    problem, checked = _attempt(lambda: read_arrays(folder))
    if checked is None:
        remark = f"{problem}; {shipped.remedy(name)}"
        return Finding("files", f"model {name}", "breaks", "damaged", remark)
    return Finding("files", f"model {name}", "ok", checked[1].network, "checksum as in its card")


def _attempt(check: Callable[[], Fact]) -> tuple[str, Fact | None]:
    """(problem, result) of a check: any exception of a broken installation is reported."""
    try:
        return "", check()
    except Exception as problem:
        text = " ".join(str(problem).split()) or type(problem).__name__
        return text[:300], None
