"""The public names are there, and importing the package costs next to nothing."""

from __future__ import annotations

import subprocess
import sys

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
