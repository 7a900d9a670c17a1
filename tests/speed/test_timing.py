"""Timing on a clock of our own: every figure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator

from gliomask.speed.timing import MOST, Budget, RunTimes, time_runs


class Hands:
    """A clock that goes on only when work is done."""

    def __init__(self, *seconds: float) -> None:
        self.now, self._seconds = 0.0, self._last(seconds)

    def __call__(self) -> float:
        return self.now

    def work(self) -> None:
        self.now += next(self._seconds)

    @staticmethod
    def _last(seconds: tuple[float, ...]) -> Iterator[float]:
        yield from seconds
        while True:
            yield seconds[-1]


def test_the_first_run_only_warms_up() -> None:
    hands = Hands(5.0, 1.0, 3.0, 2.0, 50.0)
    timing = time_runs(hands.work, 12.0, hands)
    assert timing == RunTimes(median=2.0, best=1.0, n=3, warm=True)
    assert hands.now == 11.0


def test_a_run_that_would_not_fit_is_not_begun() -> None:
    hands = Hands(2.0)
    assert time_runs(hands.work, 7.9, hands) == RunTimes(2.0, 2.0, 2, warm=True)
    assert hands.now == 6.0


def test_where_there_is_no_time_the_first_run_counts_and_is_called_cold() -> None:
    hands = Hands(4.0)
    assert time_runs(hands.work, 0.0, hands) == RunTimes(4.0, 4.0, 1, warm=False)
    assert hands.now == 4.0


def test_quick_work_is_not_repeated_for_ever() -> None:
    hands = Hands(0.001)
    assert time_runs(hands.work, 1000.0, hands).n == MOST


def test_a_budget_runs_from_when_it_is_made() -> None:
    hands = Hands(3.0)
    hands.work()
    budget = Budget(5.0, hands)
    assert (budget.used, budget.left) == (0.0, 5.0)
    hands.work()
    assert (budget.used, budget.left) == (3.0, 2.0)
    hands.work()
    assert budget.left == 0.0
