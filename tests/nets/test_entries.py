"""What the spec says of the weights, against the network itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.errors import ModelError
from gliomask.nets.entries import WeightEntry, check_entries, count_entries, weight_entries
from gliomask.nets.specs import SPECS
from gliomask.nets.weights import entry_of, skeleton


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("channels", "regions"), [(3, 1), (1, 3)])
def test_they_are_those_of_the_network(name: str, channels: int, regions: int) -> None:
    model = skeleton(name, channels, regions)
    expected = {key: entry_of(value) for key, value in model.state_dict().items()}
    assert list(weight_entries(SPECS[name], channels, regions).items()) == list(expected.items())
    learned = sum(parameter.numel() for parameter in model.parameters())
    assert count_entries(SPECS[name], channels, regions) == learned


def test_the_papers_numbers() -> None:
    assert count_entries(SPECS["u2net"], 3, 1) == 44_009_869
    assert count_entries(SPECS["u2netp"], 3, 1) == 1_131_181


def test_a_difference_is_named() -> None:
    due = {"a": WeightEntry((2, 3)), "b": WeightEntry((), "int64")}
    check_entries(Path("w"), due, due)
    with pytest.raises(ModelError, match=r"a=2x4 float32, allowed 2x3 float32"):
        check_entries(Path("w"), {**due, "a": WeightEntry((2, 4))}, due)
    with pytest.raises(ModelError, match=r"b=scalar float32, allowed scalar int64"):
        check_entries(Path("w"), {**due, "b": WeightEntry(())}, due)
    with pytest.raises(ModelError, match="lack entry 'b'"):
        check_entries(Path("w"), {"a": due["a"]}, due)
