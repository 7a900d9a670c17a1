"""What is said of a Ray that can't be started or reached; no Ray runs here."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gliomask.cluster import ray_cluster as module
from gliomask.errors import MachineError


class BrokenRay:
    """A package whose clusters don't start."""

    _private = SimpleNamespace(worker=SimpleNamespace(_global_node=None))

    def __init__(self, problem: BaseException) -> None:
        self.problem, self.shut_down = problem, 0

    def init(self, **_: object) -> None:
        raise self.problem

    def shutdown(self) -> None:
        self.shut_down += 1


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "RAY_USAGE_STATS_ENABLED",
        "RAY_AUTH_MODE",
        "RAY_AUTH_TOKEN",
        "RAY_worker_niceness",
    ):
        monkeypatch.setenv(name, "")  # so that what is set is taken back


@pytest.mark.parametrize(
    ("problem", "address", "text"),
    [
        (Exception("the node timed out\nduring startup"), None, "be started: the node timed out"),
        (OSError("no room"), None, "be started: no room"),
        (AssertionError(), None, "be started: AssertionError"),
        (Exception("nobody there"), "auto", "auto: Ray can't be reached: nobody there"),
    ],
)
def test_any_error_of_ray_is_one_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, address: str | None, text: str
) -> None:
    ray = BrokenRay(problem)
    monkeypatch.setattr(module, "load_extra", lambda _: ray)
    with pytest.raises(MachineError) as raised, module.ray_cluster(address, 2):
        pass
    assert text in str(raised.value)
    assert ("`executor=local`" in str(raised.value)) == (address is None)
    assert ray.shut_down == 1


def test_a_stop_by_the_user_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "load_extra", lambda _: BrokenRay(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt), module.ray_cluster(None, 2):
        pass
