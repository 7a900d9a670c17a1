"""The public names are there, and importing the package costs next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import gliomask


@pytest.mark.parametrize("name", gliomask.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    assert getattr(gliomask, name).__doc__


def test_the_list_of_names_is_sorted_and_complete() -> None:
    assert sorted(gliomask.__all__) == gliomask.__all__
    assert set(gliomask.__all__) <= set(dir(gliomask))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'tumor'"):
        gliomask.tumor  # noqa: B018


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import gliomask",
        "import gliomask.cli.main",
    ],
)
def test_importing_loads_nothing_heavy(code: str) -> None:
    heavy = {"torch", "nibabel", "pydicom", "zarr", "matplotlib", "scipy", "nilearn", "pydantic"}
    assert not heavy & loaded_by(code)


def libraries_loaded_at(home: Path) -> str:
    """What stands on stderr when the libraries with minds of their own are loaded there."""
    code = (
        "import gliomask, onnxruntime, matplotlib.font_manager\n"
        "from gliomask.inference.engines import onnx_runtime"
    )
    kept = {"PATH", "PYTHONPATH", "TMPDIR", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_START"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr


@pytest.mark.skipif(not Path("/sys").is_dir(), reason="no /sys, where root may not write either")
def test_a_home_that_can_not_be_written_to_is_nobodys_business() -> None:
    assert libraries_loaded_at(Path("/sys/nobody")) == ""


def test_no_library_reports_its_use_to_its_makers(tmp_path: Path) -> None:
    """ONNX Runtime keeps the number by which it reports a machine in the home folder."""
    assert libraries_loaded_at(tmp_path) == ""
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if "matplotlib" not in path.parts]


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is not installed")
def test_openvino_reports_nothing(tmp_path: Path) -> None:
    """Its converter, loaded with it, would send an event from a second process."""
    watched = ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "os.fork")
    code = (
        "import sys\n"
        f"heard = lambda name, _: name in {watched} and print(name, flush=True)\n"
        "sys.addaudithook(heard)\n"
        "from gliomask.inference.engines import openvino\n"
        "assert openvino.openvino.Core().available_devices"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""
    assert not (tmp_path / "intel").exists()
