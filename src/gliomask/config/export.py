"""The options of ``export``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gliomask.config.base import Options
from gliomask.config.model import Model


class ExportOptions(Options):
    """Options of ``export``."""

    model: Model
    """Run folder, or name of an included or added model."""
    out: Path
    """Folder to write; it must not exist yet."""
    to: Literal["onnx", "openvino"] = "onnx"
    """Format of the exported network."""
