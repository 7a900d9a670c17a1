"""The options of ``batch``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gliomask.config.base import Options
from gliomask.config.predict import PredictOptions

Plain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:.-]+$")]


class JobOptions(Options):
    """Resources of a SLURM array job."""

    tasks: Annotated[int, Field(ge=1, le=100_000)] = 1
    """Number of tasks of the SLURM array; each does every n-th case."""
    at_once: Annotated[int, Field(ge=1)] | None = None
    """Number of SLURM tasks that may run at a time (default: as SLURM decides)."""
    cpus: Annotated[int, Field(ge=1)] = 4
    """Processors of a SLURM task, with a worker process on each."""
    memory: Plain = "8G"
    """Memory of a SLURM task: about 1G for each processor, and more for large scans."""
    time: Plain = "4:00:00"
    """Time limit of a SLURM task, after which it is queued again."""
    more: tuple[Annotated[str, StringConstraints(pattern=r"^--[a-z][^\n\r]*$")], ...] = ()
    """Another option for sbatch, including its dashes."""


class BatchOptions(Options):
    """Options of ``batch``."""

    predict: PredictOptions
    """Inputs, folder and options of the prediction. Without inputs, the batch in the folder is
    continued."""
    executor: Literal["local", "ray", "slurm"] = "local"
    """Execution engine: local, worker processes on this machine; ray, Ray actors on this
    machine or on a cluster; slurm, a job script for SLURM, which is written but not submitted."""
    ray_address: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:\[\]-]+$")] | None = None
    """Running Ray cluster that this machine belongs to, auto or HOST:PORT (default: a new cluster
    on this machine, which ends with the batch)."""
    shard: str = "1/1"
    """Part of the cases to process: k/n is every n-th case from the k-th."""
    workers: Annotated[int, Field(ge=1)] | None = None
    """Number of worker processes, each with its own copy of the model (default: one per processor,
    fewer if memory is short, two on a GPU)."""
    tries: Annotated[int, Field(ge=1)] = 3
    """Number of crashed workers after which a case is excluded."""
    minutes: Annotated[float, Field(gt=0)] = 60.0
    """Time limit of a case in minutes; its worker is then ended, which counts as a crash."""
    retry: bool = False
    """Retry failed and excluded cases."""
    job: JobOptions = JobOptions()
    """Resources that the job script requests from SLURM."""
