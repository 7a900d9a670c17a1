"""The engine that is advised is right, and the fastest."""

from __future__ import annotations

from gliomask.inference.engines.choice import EngineName
from gliomask.speed.advice import advise
from gliomask.speed.slices import EngineSpeed, SliceSpeed, slice_speed
from gliomask.speed.timing import RunTimes


def speed(size: int, seconds: float) -> SliceSpeed:
    return slice_speed(1e9, (1, 3, size, size), RunTimes(seconds, seconds, 3, True), 100.0)


def tried(name: EngineName, problem: str, *speeds: SliceSpeed) -> EngineSpeed:
    return EngineSpeed("m", name, "cpu", name, 0.1, 1e-5, problem, speeds)


def test_what_a_timing_means() -> None:
    """Four slices of 10 GFLOP in half a second: 80 GFLOP/s."""
    found = slice_speed(10e9, (4, 3, 256, 256), RunTimes(0.5, 0.4, 3, True), 160.0)
    assert (found.size, found.batch) == (256, 4)
    assert found.slice_s == 0.125
    assert found.case_s == 155 * 0.125
    assert found.gflops == 80.0
    assert found.of_peak == 0.5


def test_the_fastest_of_those_that_are_right() -> None:
    found = advise(
        "m",
        [
            tried("torch", "", speed(128, 0.3), speed(256, 1.2)),
            tried("mnn", "its output differs by 0.5", speed(128, 0.01), speed(256, 0.1)),
            tried("openvino", "", speed(128, 0.2), speed(256, 0.4)),
        ],
    )
    assert (found.engine, found.device) == ("openvino", "cpu")
    assert "of 2 engines with probabilities correct to" in found.why
    assert "3.0 times as fast as torch at 256 pixels" in found.why


def test_engines_are_compared_where_most_were_measured() -> None:
    """torch alone got to 256 pixels: that says nothing of the others."""
    found = advise(
        "m",
        [
            tried("torch", "", speed(128, 0.3), speed(256, 1.2)),
            tried("mnn", "", speed(128, 0.1)),
        ],
    )
    assert found.engine == "mnn"
    assert "at 128 pixels" in found.why


def test_nothing_right_is_no_advice() -> None:
    found = advise("m", [tried("torch", ""), tried("mnn", "damaged", speed(128, 0.1))])
    assert (found.engine, found.device) == (None, None)
