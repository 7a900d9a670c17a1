"""Jobs and results exchanged with worker processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from gliomask.config import Options
from gliomask.config.choices import Device, EngineName
from gliomask.config.segment import SegmentOptions, Sequence
from gliomask.core.atomic import write_text


class PredictSpec(SegmentOptions):
    """Specification of a segmentation; the options are those of ``gliomask predict``."""

    model: str | None = None
    """Name of a model of the server (default: the first)."""
    sequences: Mapping[Sequence, int] = Field(default_factory=dict)
    """Sequence name -> number of its file, if the file name does not contain the sequence."""
    series: Mapping[Sequence, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to use."""


class InspectSpec(Options):
    """Specification of an audit of an upload, without segmentation."""

    series: Mapping[Sequence, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to use."""
    full: bool = False
    """Read every voxel, not only names and headers."""


class TaskFile(Options):
    """Input of a worker for its task.

    It is a file, because a job with thousands of files would block the pipe to a dead worker.
    """

    kind: Literal["predict", "inspect", "correct", "follow"]
    """Kind of task."""
    files: tuple[tuple[int, str, Path], ...] = ()
    """Number, name and path of each uploaded file."""
    spec: dict[str, Any]
    """``PredictSpec``, ``InspectSpec`` or ``CorrectOptions`` or ``FollowOptions``."""
    model: Path = Path()
    """Folder of the model."""
    device: Device = "auto"
    """Device."""
    engine: EngineName = "auto"
    """Inference engine."""


@dataclass(frozen=True)
class Task:
    """A job for a worker.

    Attributes:
        id: of the job.
        folder: its folder, which contains a ``TaskFile`` and gets the result.
    """

    id: str
    folder: Path

    @property
    def file(self) -> Path:
        """Path of the ``TaskFile``."""
        return self.folder / "task.json"

    def write(self, content: TaskFile) -> None:
        """Write the ``TaskFile``."""
        write_text(self.file, content.model_dump_json())

    def read(self) -> TaskFile:
        """Read the specification of the task."""
        return TaskFile.model_validate_json(self.file.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class TaskResult:
    """Result of a worker for a task.

    Attributes:
        end: ``done``, or ``failed`` for good.
        code: code of the error.
        text: message of the error.
        result: JSON values of the result.
    """

    end: Literal["done", "failed"]
    code: str = ""
    text: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
