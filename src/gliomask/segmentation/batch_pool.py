"""Workers of a batch: processes of this machine, or Ray actors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from gliomask.cluster.ray_cluster import ray_cluster
from gliomask.cluster.ray_workers import ActorKind, RayWorkers
from gliomask.config.batch import BatchOptions
from gliomask.errors import MachineError
from gliomask.inference.engines.choice import has_gpu
from gliomask.inference.engines.engine import usable_threads
from gliomask.jobs.dispatch import Report
from gliomask.jobs.fork_server import SINGLE_THREAD
from gliomask.jobs.worker_events import Pool
from gliomask.jobs.worker_process import Work
from gliomask.jobs.workers import Workers
from gliomask.machine.memory import read_memory
from gliomask.results.batch.manifest import Manifest
from gliomask.segmentation.case_task import CaseTask
from gliomask.segmentation.preload import PRELOAD

_WORKER_BYTES: Final = 700 * 2**20
"""Memory of a worker and the process of its engine, with some room for the scan."""
_GPU_WORKERS: Final = 2
"""On a GPU: one reads and writes while the other one computes."""

_Make = Callable[[], Work[CaseTask, Report]]


@contextmanager
def case_pool(
    options: BatchOptions, manifest: Manifest, todo: int
) -> Iterator[tuple[Pool[CaseTask, Report], int]]:
    """Workers for a number of cases, and how many workers there are.

    Raises:
        PackageError, ConfigError, MachineError: no workers can be started.
    """
    make: _Make = partial(_open_folder, plain_options(options, manifest), manifest.path.absolute())
    limit_s = 60 * options.minutes
    if options.executor == "ray":
        with _on_ray(options, manifest.options["device"], make, todo) as pool:
            yield pool
        return
    count = _count(options, manifest.options["device"], todo)
    environment = _threads(usable_threads() // count)
    with Workers(make, count, environment, limit_s=limit_s, preload=PRELOAD) as workers:
        yield workers, count


def _open_folder(options: dict[str, Any], manifest: Path) -> Work[CaseTask, Report]:
    """See ``open_folder``: what it needs is imported in the workers alone."""
    from gliomask.segmentation.batch_worker import open_folder

    return open_folder(options, manifest)


def plain_options(options: BatchOptions, manifest: Manifest) -> dict[str, Any]:
    """Options of the prediction for the workers: those of the manifest and those of this run."""
    run = {"out": options.predict.out.absolute(), "limit_memory": options.predict.limit_memory}
    return {**manifest.options, **run}


@contextmanager
def _on_ray(
    options: BatchOptions, device: str, make: _Make, todo: int
) -> Iterator[tuple[Pool[CaseTask, Report], int]]:
    processors = max(usable_threads(), options.workers or 1)
    with ray_cluster(options.ray_address, processors) as ray:
        there: Mapping[str, float] = ray.cluster_resources()
        cpus, gpus = int(there.get("CPU", 0)), int(there.get("GPU", 0))
        if device == "cuda" and not gpus:
            raise MachineError("the Ray cluster has no GPU")
        on_gpu = device != "cpu" and gpus > 0
        if options.workers is not None or options.ray_address is None:
            count = _count(options, device, todo)
        else:
            count = max(1, min(todo, _GPU_WORKERS * gpus if on_gpu else cpus))
        share = max(1, cpus // count)
        kind = ActorKind(
            cpus=0 if on_gpu else share,
            gpus=1 / _GPU_WORKERS if on_gpu else 0,
            environment=_threads(share),
        )
        with RayWorkers(ray, make, count, kind, limit_s=60 * options.minutes) as workers:
            yield workers, count


def _threads(count: int) -> dict[str, str]:
    return dict.fromkeys(SINGLE_THREAD, str(max(1, count)))


def _count(options: BatchOptions, device: Any, todo: int) -> int:
    if options.workers is not None:
        return min(options.workers, todo)
    if device == "cuda" or (device == "auto" and has_gpu()):
        return min(_GPU_WORKERS, todo)
    usable = read_memory().usable
    fitting = usable_threads() if usable is None else usable // _WORKER_BYTES
    return max(1, min(usable_threads(), fitting, todo))
