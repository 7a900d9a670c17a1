"""Modules that a worker of a batch needs, for ``jobs.fork_server``; importing this is quick."""

from __future__ import annotations

from typing import Final

PRELOAD: Final = (
    "gliomask.jobs.worker_process",
    "gliomask.segmentation.batch_worker",
    "gliomask.inference.engines.mnn",
    "gliomask.results.prediction.page",
    "gliomask.report.preview",
    "contourpy",
    "jinja2",
    "scipy.ndimage",
    "scipy.spatial",
)
"""The second half would be loaded with the first case otherwise."""
