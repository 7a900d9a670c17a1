"""Model folders: ``weights.safetensors`` and the model card.

safetensors files contain only numbers, so reading a model executes no code. The card contains the
checksum of the weights, which is verified before they are parsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_safetensors
from torch import Tensor

from gliomask.config.shipped import find_model
from gliomask.errors import ModelError
from gliomask.nets.arrays import WEIGHTS_FILE, not_finite, read_arrays, write_model
from gliomask.nets.cards import ModelCard
from gliomask.nets.eight_bit import pack, unpack
from gliomask.nets.entries import WeightEntry, check_entries
from gliomask.nets.specs import TORCH_EPSILON
from gliomask.nets.u2net import U2Net, build_model


def save_model(
    folder: Path, model: U2Net, card: ModelCard, *, eight_bit: bool = False
) -> ModelCard:
    """Write the weights and the card to ``folder`` (created if missing), see ``write_model``.

    Args:
        folder: of the model; other files in it are left alone.
        model: on any device; it is not changed.
        card: of this model; its ``weights_sha256`` is replaced.
        eight_bit: weights of convolutions are rounded to 8 bits, see ``eight_bit``.

    Returns:
        the card as written, with the checksum.

    Raises:
        ModelError: the card is of another network, or a weight is NaN or infinite; nothing is
            written.
    """
    path = folder / WEIGHTS_FILE
    _check_card(path, model, card)
    tensors = {name: value.cpu().contiguous() for name, value in model.state_dict().items()}
    check_tensors(path, tensors, shapes(card.network, card.in_channels, len(card.regions)))
    arrays = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    return write_model(folder, pack(arrays) if eight_bit else arrays, card)


def load_model(model: str | Path, card: ModelCard | None = None) -> tuple[U2Net, ModelCard]:
    """Read a model that was written by ``save_model``.

    Args:
        model: its folder, or the name of an included or added model; see ``find_model``.
        card: its card, if it has been read already.

    Returns:
        the network on the CPU in evaluation mode, float32, and its card.

    Raises:
        ModelError: there is no such model, a file is missing or damaged (checksum), the card is
            not valid, or the weights are not those of the network that the card names.
    """
    arrays, card = read_arrays(find_model(model), card)
    network = skeleton_of(card)
    tensors = {name: torch.tensor(array) for name, array in sorted(arrays.items())}
    network.load_state_dict(tensors, strict=True, assign=True)
    return network.eval(), card


def skeleton(
    name: str, in_channels: int, out_channels: int, epsilon: float = TORCH_EPSILON
) -> U2Net:
    """Network with names and shapes but without memory for weights, which are assigned later."""
    with torch.device("meta"):
        return build_model(
            name, in_channels=in_channels, out_channels=out_channels, epsilon=epsilon
        )


@lru_cache(maxsize=16)
def shapes(name: str, in_channels: int, out_channels: int) -> Mapping[str, Tensor]:
    """Tensors of a network by name, without memory; to build it takes a tenth of a second."""
    return skeleton(name, in_channels, out_channels).state_dict()


def skeleton_of(card: ModelCard) -> U2Net:
    """The network of a card, without memory for weights."""
    return skeleton(card.network, card.in_channels, len(card.regions), card.norm_epsilon)


def parse_tensors(path: Path, data: bytes) -> dict[str, Tensor]:
    """The tensors of safetensors bytes sorted by name; ``path`` is for the error.

    8-bit weights of ``save_model`` become float32.

    Raises:
        ModelError: the bytes are not those of a safetensors file.
    """
    try:
        tensors = parse_safetensors(data)
    except SafetensorError as error:
        raise ModelError(f"not a safetensors file: {error}", path=path) from None
    of_pack = {
        name: tensors.pop(name).numpy()
        for name, value in list(tensors.items())
        if value.dtype in (torch.int8, torch.float32)
    }
    unpacked = {name: torch.from_numpy(array) for name, array in unpack(of_pack).items()}
    return dict(sorted((tensors | unpacked).items()))


def check_tensors(
    path: Path, tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor]
) -> None:
    """Refuse tensors that differ from the expected ones, or contain NaN or infinity.

    Args:
        path: of the file, for the error.
        tensors: by name.
        expected: tensors of the right shape and dtype; their values don't matter.

    Raises:
        ModelError: the first name that is missing or too many, the first shape or dtype that
            differs, the first value that is not finite.
    """
    entries, due = (
        {name: entry_of(tensor) for name, tensor in tensors_of.items()}
        for tensors_of in (tensors, expected)
    )
    check_entries(path, entries, due)
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise not_finite(path, name)


def entry_of(tensor: Tensor) -> WeightEntry:
    """Shape and dtype of a tensor."""
    return WeightEntry(tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))


def _check_card(path: Path, model: U2Net, card: ModelCard) -> None:
    of_card = (card.network, card.in_channels, len(card.regions), card.norm_epsilon)
    of_model = (model.spec.name, model.in_channels, model.out_channels, model.epsilon)
    if of_card != of_model:
        raise ModelError(
            "the card is of another network",
            path=path,
            field="network, channels, regions, norm_epsilon",
            found=of_card,
            allowed=str(of_model),
        )
