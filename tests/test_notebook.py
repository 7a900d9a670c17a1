"""The notebook is committed without outputs, and runs from its first cell to its last."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import gliomask

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "gliomask.ipynb"


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]


def test_it_is_valid_and_has_no_outputs() -> None:
    notebook = read()
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 8
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    assert "colab-badge.svg" in notebook.cells[0].source
    assert "For research use only" in notebook.cells[0].source


@pytest.mark.slow
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer patients and epochs than a reader's."""
    notebook = read()
    (parameters,) = [cell for cell in notebook.cells if "PATIENTS = 12" in cell.source]
    parameters.source = parameters.source.replace("= 12", "= 8").replace("= 10", "= 2")
    source = str(Path(gliomask.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([source, *sys.path[1:]]))
    client = NotebookClient(
        notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    texts = "".join(output.text for output in outputs if output.output_type == "stream")
    assert "best validation Dice" in texts
    assert "Dice 0." in texts
    pictures = [output for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 2  # the curves and the six panels
    assert (tmp_path / "gliomask-notebook" / "judged" / "report.html").is_file()
