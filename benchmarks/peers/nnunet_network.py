"""Adapter of nnU-Net's 2D network to the interface of a U²-Net."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.peers.networks import nnunet_network
from gliomask.config import Recipe
from gliomask.learning.randomness import Purpose, stream

NAME = "nnU-Net 2D"


class PeerNetwork(nn.Module):
    """Images (n, C, H, W) to maps of logits (n, R, H, W), the finest first.

    nnU-Net's side maps are as small as their stages; here they are brought to full size as
    U²-Net's are, so that the loss of both is the same.
    """

    def __init__(self, channels: int, regions: int, size: int) -> None:
        super().__init__()
        self.network = nnunet_network(channels, regions, size, background=False, sides=True)

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        finest, *sides = self.network(images)
        place = finest.shape[2:]
        larger = (
            F.interpolate(side, place, mode="bilinear", align_corners=False) for side in sides
        )
        return (finest, *larger)

    def state_dict(self, *args: Any, **keys: Any) -> dict[str, Any]:  # type: ignore[override]
        """Every weight by its first name only.

        Its modules contain each other under several names (a convolution is in a block and in the
        block's list), so a moving average over all names would move a weight several times.
        """
        first = {name for name, _ in self.named_parameters()}
        state = super().state_dict(*args, **keys)
        return {name: value for name, value in state.items() if name in first}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Loads the result of ``state_dict``.

        Raises:
            RuntimeError: names or shapes differ.
        """
        wanted = self.state_dict().keys()
        if strict and state_dict.keys() != wanted:
            raise RuntimeError(f"other weights than expected: {min(state_dict.keys() ^ wanted)}")
        return super().load_state_dict(state_dict, strict=False, assign=assign)


def first_network(recipe: Recipe, channels: int) -> PeerNetwork:
    """With nnU-Net's first weights (He et al. 2015), a function of the recipe's seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(recipe.seed, Purpose.WEIGHTS).integers(2**63)))
        peer = PeerNetwork(channels, len(recipe.regions), recipe.input.size)
        return peer.apply(cast(Any, peer.network).initialize)
