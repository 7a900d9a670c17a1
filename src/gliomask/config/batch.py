"""The options of ``batch``."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gliomask.config.base import Options
from gliomask.config.predict import PredictOptions
from gliomask.errors import ConfigError, option

Plain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:.-]+$")]


_OF_SBATCH: Final = re.compile(r'--[a-z][a-z0-9-]*([= ](?!.* --)[^"\\]*)?')


def _single_option(text: str) -> str:
    """Check an option of sbatch that becomes a line of a job script, as a validator of pydantic.

    Raises:
        ValueError: it can't be quoted there, or is more than one option.
    """
    if not text.isprintable() or _OF_SBATCH.fullmatch(text) is None:
        raise ValueError("one option without double quotes and backslashes, e.g. --partition=long")
    return text


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
    more: tuple[Annotated[str, AfterValidator(_single_option)], ...] = ()
    """Another option for sbatch, including its dashes."""


_OF_SLURM: Final = tuple(f"job.{name}" for name in JobOptions.model_fields)
_OF_A_RUN: Final = ("workers", "shard", "tries", "minutes", "retry", "predict.limit_memory")
_UNUSED: Final = {
    "local": (*_OF_SLURM, "ray_address"),
    "ray": _OF_SLURM,
    "slurm": (*_OF_A_RUN, "ray_address"),
}
"""Execution engine -> options that it does not use."""
_INSTEAD: Final = {
    **dict.fromkeys(_OF_SLURM, f"use {option('executor', 'slurm')}"),
    **dict.fromkeys(_OF_A_RUN, "add it to the command in the job script"),
    "ray_address": f"use {option('executor', 'ray')}",
    "workers": f"use {option('job.cpus')}",
    "shard": f"use {option('job.tasks')}",
}


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

    @model_validator(mode="after")
    def _engine_uses_all(self) -> Self:
        """Refuse an option that the execution engine would ignore."""
        for name in _UNUSED[self.executor]:
            group, _, own = name.rpartition(".")
            options: Options = getattr(self, group) if group else self
            value = getattr(options, own)
            if value != type(options).model_fields[own].default:
                what = f"the engine {self.executor} does not use this option"
                raise ConfigError(what, option=name, found=value, hint=_INSTEAD[name])
        return self
