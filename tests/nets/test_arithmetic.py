"""Multiply-adds counted from the spec, against figures known otherwise and a count by torch."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from gliomask.nets.arithmetic import count_macs
from gliomask.nets.specs import SPECS, U2NET, U2NETP, U2NetSpec
from gliomask.nets.u2net import U2Net


@pytest.mark.parametrize(
    ("spec", "channels", "size", "gmac"),
    [
        (U2NETP, 3, 128, 3.161),
        (U2NETP, 3, 256, 12.644),
        (U2NET, 3, 128, 9.376),
        (U2NET, 3, 256, 37.503),
        (U2NETP, 1, 320, 19.638),
        (U2NET, 1, 128, 9.357),
    ],
)
def test_known_figures(spec: U2NetSpec, channels: int, size: int, gmac: float) -> None:
    assert count_macs(spec, channels, 1, size) / 1e9 == pytest.approx(gmac, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "channels", "regions", "size"),
    [
        *((name, 3, 1, 64) for name in SPECS),
        ("u2net-tiny", 2, 3, 50),
        ("u2net-tiny", 1, 2, 33),
    ],
)
def test_torch_counts_the_same(name: str, channels: int, regions: int, size: int) -> None:
    """On sides that don't halve evenly too; torch counts a multiply-add as two."""
    with torch.device("meta"):
        network = U2Net(SPECS[name], channels, regions).eval()
        inputs = torch.empty(1, channels, size, size)
    with FlopCounterMode(display=False) as counter:
        network(inputs)
    assert 2 * count_macs(SPECS[name], channels, regions, size) == counter.get_total_flops()
