"""MONAI Label's own client code, unchanged, from the installed package ``monailabel``.

    pip install --no-deps monailabel==0.8.5

Its dependencies would replace ours, and are not needed for its client. It is no part of any extra.
"""

from __future__ import annotations

import importlib.util
import warnings
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from types import ModuleType

import pytest

SLICER = "slicer/MONAILabel/MONAILabelLib/client.py"
"""What 3D Slicer's extension talks through."""


def load_client(ending: str = SLICER) -> ModuleType:
    """A file of the package as a module; skips where it is not installed."""
    for needed in ("requests", "cgi"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"MONAI Label's client needs {needed}, which is not here")
    path = packaged(ending)
    spec = importlib.util.spec_from_file_location(f"monai_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports cgi
        spec.loader.exec_module(module)
    return module


def packaged(ending: str) -> Path:
    """A file of the package by the end of its path; skips where it is not installed."""
    try:
        listed = files("monailabel") or []
    except PackageNotFoundError:
        pytest.skip("not installed: pip install --no-deps monailabel==0.8.5")
    (found,) = (one for one in listed if one.as_posix().endswith(ending))
    return Path(str(found.locate())).resolve()
