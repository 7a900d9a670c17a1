"""The table of networks is the paper's."""

from __future__ import annotations

import pytest

from gliomask.errors import ConfigError
from gliomask.nets.specs import SPECS, U2NET, U2NET_TINY, U2NETP, RSUSpec, U2NetSpec, find_spec


def test_the_large_network_is_the_papers() -> None:
    assert U2NET.encoder == (
        RSUSpec(7, 32, 64),
        RSUSpec(6, 32, 128),
        RSUSpec(5, 64, 256),
        RSUSpec(4, 128, 512),
        RSUSpec(4, 256, 512, dilated=True),
        RSUSpec(4, 256, 512, dilated=True),
    )
    assert U2NET.decoder == (
        RSUSpec(4, 256, 512, dilated=True),
        RSUSpec(4, 128, 256),
        RSUSpec(5, 64, 128),
        RSUSpec(6, 32, 64),
        RSUSpec(7, 16, 64),
    )


@pytest.mark.parametrize("spec", [U2NETP, U2NET_TINY])
def test_the_others_have_its_topology(spec: U2NetSpec) -> None:
    def shape(found: U2NetSpec) -> list[tuple[int, bool]]:
        return [(block.height, block.dilated) for block in found.encoder + found.decoder]

    assert shape(spec) == shape(U2NET)


def test_every_network_is_found_by_its_name() -> None:
    assert [find_spec(name).name for name in SPECS] == ["u2net", "u2netp", "u2net-tiny"]


def test_an_unknown_name_lists_the_names_and_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        find_spec("u2netpp")
    assert str(caught.value) == (
        "unknown network (network=u2netpp, allowed u2net, u2netp, u2net-tiny); "
        "did you mean 'u2netp'?"
    )
