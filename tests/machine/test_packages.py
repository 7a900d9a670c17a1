"""Which packages are asked for is read from the metadata of gliomask alone."""

from __future__ import annotations

from email.message import Message
from importlib.metadata import PackageNotFoundError

import pytest

from gliomask.machine import packages
from gliomask.machine.packages import Package, core_packages, extra_packages, python

REQUIRES = [
    "torch>=2.10",
    "numpy>=2.0",
    "pywin32>=300; sys_platform == 'win32'",
    "imagecodecs>=2025.3; extra == 'tiff'",
    "gliomask[tiff]; extra == 'all'",
    "pytest>=8; extra == 'dev'",
]
THERE = {"torch": "2.9.1", "numpy": "2.4.0rc1", "pytest": "9.0"}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name not in THERE:
            raise PackageNotFoundError(name)
        return THERE[name]

    message = Message()
    for extra in ("tiff", "all", "dev"):
        message["Provides-Extra"] = extra
    message["Requires-Python"] = ">=3.99"
    monkeypatch.setattr(packages, "requires", lambda name: REQUIRES)
    monkeypatch.setattr(packages, "version", version)
    monkeypatch.setattr(packages, "metadata", lambda name: message)


@pytest.mark.usefixtures("installed")
def test_bounds_and_versions() -> None:
    assert core_packages() == (
        Package("torch", ">=2.10", "2.9.1"),
        Package("numpy", ">=2.0", "2.4.0rc1"),
    )
    assert [package.fits for package in core_packages()] == [False, True]


@pytest.mark.usefixtures("installed")
def test_extras_without_that_for_developers() -> None:
    (found,) = extra_packages()
    assert found == Package("imagecodecs", ">=2025.3", None, "tiff")
    assert not found.fits
    assert found.install == "pip install 'gliomask[tiff]'"


@pytest.mark.usefixtures("installed")
def test_an_old_python() -> None:
    assert python().bound == ">=3.99"
    assert not python().fits


def test_a_local_version_counts_as_its_release() -> None:
    assert Package("torch", ">=2.10", "2.13.0+cpu").fits
    assert not Package("torch", ">=2.10", "2.9.9+cpu").fits


def test_this_installation_fits() -> None:
    """The tests would not run on another one; so the reading of the real metadata is right."""
    found = core_packages()
    assert {"MNN", "numpy", "pydicom"} <= {package.name for package in found}
    assert all(package.fits and package.bound for package in found)
    assert python().fits
    assert {"tiff", "jpeg"} <= {package.extra for package in extra_packages()}
