"""A job as it goes to a worker process, and what the worker says of it."""

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
    """Name of the model, of those that the server offers; the first if none is named."""
    sequences: Mapping[Sequence, int] = Field(default_factory=dict)
    """Sequence name -> number of the file that holds it, where names don't tell the sequence."""
    series: Mapping[Sequence, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to take for it."""


class InspectSpec(Options):
    """Specification of an audit of an upload; nothing is segmented."""

    series: Mapping[Sequence, str] = Field(default_factory=dict)
    """Sequence name -> number, UID or description of the DICOM series to take for it."""
    full: bool = False
    """Read every voxel, not only names and headers."""


class TaskFile(Options):
    """Input of a worker for its task.

    A job of thousands of files would not fit through a pipe whose other end is dead.
    """

    kind: Literal["predict", "inspect", "correct", "follow"]
    """What to do."""
    files: tuple[tuple[int, str, Path], ...] = ()
    """Number, name and place of each uploaded file."""
    spec: dict[str, Any]
    """``PredictSpec``, ``InspectSpec`` or ``CorrectOptions`` or ``FollowOptions``."""
    model: Path = Path()
    """The folder of the model that is to segment."""
    device: Device = "auto"
    """What computes."""
    engine: EngineName = "auto"
    """What runs the network."""


@dataclass(frozen=True)
class Task:
    """A job for a worker.

    Attributes:
        id: of the job; folder: of it, which holds a ``TaskFile`` and gets the result.
    """

    id: str
    folder: Path

    @property
    def file(self) -> Path:
        """Path of the ``TaskFile``."""
        return self.folder / "task.json"

    def write(self, content: TaskFile) -> None:
        """Writes down what there is to do."""
        write_text(self.file, content.model_dump_json())

    def read(self) -> TaskFile:
        """Read the specification of the task."""
        return TaskFile.model_validate_json(self.file.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Answer:
    """Result of a worker for a task.

    Attributes:
        end: ``done``, or ``failed`` for good.
        code: of an error; text: of it.
        result: of what is done, as JSON holds it.
    """

    end: Literal["done", "failed"]
    code: str = ""
    text: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
