"""The public statistics."""

from __future__ import annotations

import doctest
import inspect
import subprocess
import sys

from gliomask import statistics


def test_the_example_in_the_docstring() -> None:
    result = doctest.testmod(statistics)
    assert (result.failed, result.attempted) == (0, 2)


def test_every_name_is_documented() -> None:
    assert sorted(statistics.__all__) == statistics.__all__
    for name in statistics.__all__:
        text = inspect.getdoc(getattr(statistics, name))
        assert text, name
        assert not text.startswith(f"{name}("), name  # what a dataclass says of itself


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, gliomask.statistics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
