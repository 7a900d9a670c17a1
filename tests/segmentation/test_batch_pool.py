"""What a batch asks Ray for. GPUs are not needed: Ray's own module is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from gliomask.config.batch import BatchOptions
from gliomask.config.predict import PredictOptions
from gliomask.errors import MachineError
from gliomask.results.batch.manifest import Manifest
from gliomask.segmentation import batch_pool

MANY = 1000


def asked(
    monkeypatch: pytest.MonkeyPatch,
    cluster: dict[str, float],
    device: str,
    **options: Any,
) -> tuple[int, dict[str, Any], int]:
    """Number of actors, what Ray reserves for each, and its threads."""
    ray = MagicMock()
    ray.cluster_resources.return_value = cluster

    @contextmanager
    def connected(_address: str | None, _processors: int) -> Iterator[MagicMock]:
        yield ray

    monkeypatch.setattr(batch_pool, "ray_cluster", connected)
    predict = PredictOptions(out=Path("out"), write=("nifti",))
    batch = BatchOptions(predict=predict, executor="ray", ray_address="auto", **options)
    manifest = Manifest(Path("manifest"), {"device": device}, "", (), ())
    with batch_pool.case_pool(batch, manifest, MANY) as (_workers, count):
        started = ray.remote.return_value.return_value.remote.call_args_list
        assert len(started) == count
    assert ray.kill.call_count == count
    environment = next(each for each in started[0].args if isinstance(each, dict))
    return count, ray.remote.call_args.kwargs, int(environment["OMP_NUM_THREADS"])


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_two_actors_share_a_gpu(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    """Ray sets CUDA_VISIBLE_DEVICES for an actor that has reserved a part of a GPU."""
    count, kind, threads = asked(monkeypatch, {"CPU": 32, "GPU": 4}, device)
    assert (count, kind["num_cpus"], kind["num_gpus"], threads) == (8, 0, 0.5, 4)
    assert (kind["max_restarts"], kind["max_task_retries"]) == (0, 0)


def test_processors_are_used_where_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    count, kind, threads = asked(monkeypatch, {"CPU": 6}, "auto")
    assert (count, kind["num_cpus"], kind["num_gpus"], threads) == (6, 1, 0, 1)


def test_processors_are_used_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    count, kind, threads = asked(monkeypatch, {"CPU": 8, "GPU": 1}, "cpu", workers=2)
    assert (count, kind["num_cpus"], kind["num_gpus"], threads) == (2, 4, 0, 4)


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MachineError, match="the Ray cluster has no GPU"):
        asked(monkeypatch, {"CPU": 8}, "cuda")
