"""Reader of model folders: weights as numpy arrays.

The checksum in the card is verified before anything is parsed, then names, shapes, dtypes, and that
all values are finite. 8-bit weights are converted to float32.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as format_safetensors

from gliomask.core.atomic import atomic_path
from gliomask.errors import ModelError
from gliomask.nets.cards import CARD_FILE, ModelCard, card_text, read_card
from gliomask.nets.eight_bit import unpack
from gliomask.nets.entries import WeightEntry, check_entries, weight_entries
from gliomask.nets.specs import find_spec

WEIGHTS_FILE: Final = "weights.safetensors"
MAX_WEIGHTS_BYTES: Final = 1 << 30
"""Maximum size of a weight file: six times the largest network."""
Arrays = dict[str, npt.NDArray[Any]]


def read_arrays(folder: Path, card: ModelCard | None = None) -> tuple[Arrays, ModelCard]:
    """Read the weights of a model folder by name, and its card.

    Args:
        folder: of the model.
        card: its card, if it has been read already.

    Returns:
        arrays as ``weight_entries`` lists them, float32 but for counters, read-only; and the card.

    Raises:
        ModelError: there is no such model, a file is missing or damaged (checksum), the card is
            not valid, or the weights are not those of the network that the card names.
    """
    card, data = read_model(folder, card)
    path = folder / WEIGHTS_FILE
    try:
        arrays = unpack(parse_safetensors(data))
    except SafetensorError as error:
        raise ModelError(f"not a safetensors file: {error}", path=path) from None
    except KeyError as error:
        raise ModelError("weights of a type that numpy lacks", path=path, found=error) from None
    _check_arrays(path, arrays, card)
    return arrays, card


def save_arrays(folder: Path, arrays: Arrays, card: ModelCard) -> ModelCard:
    """Writes the weights and the card of a model, as ``nets.weights.save_model`` does.

    Args:
        folder: folder of the model, created if missing.
        arrays: weights by name.
        card: card of the model; its ``weights_sha256`` is replaced.

    Returns:
        The card as written.

    Raises:
        ModelError: the weights are not those of the network in the card; nothing is written.
    """
    _check_arrays(folder / WEIGHTS_FILE, arrays, card)
    contiguous = {name: np.asarray(arrays[name], order="C") for name in arrays}
    return write_model(folder, contiguous, card)


def write_model(folder: Path, arrays: Arrays, card: ModelCard) -> ModelCard:
    """Write arrays without checks, and the card with their checksum; returns that card.

    Both files are complete before they are renamed. After a crash between the two renames, the
    checksum in the old card does not match the new weights.
    """
    data = format_safetensors(arrays)
    written = card.model_copy(update={"weights_sha256": hashlib.sha256(data).hexdigest()})
    with atomic_path(folder / CARD_FILE) as card_path:
        card_path.write_text(card_text(written), encoding="utf-8")
        with atomic_path(folder / WEIGHTS_FILE) as weights_path:
            weights_path.write_bytes(data)
    return written


def _check_arrays(path: Path, arrays: Arrays, card: ModelCard) -> None:
    entries = {name: WeightEntry(array.shape, array.dtype.name) for name, array in arrays.items()}
    spec = find_spec(card.network)
    check_entries(path, entries, weight_entries(spec, card.in_channels, len(card.regions)))
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise not_finite(path, name)


def read_model(folder: Path, card: ModelCard | None = None) -> tuple[ModelCard, bytes]:
    """Read the card of a model folder and the bytes of its weights, with a verified checksum.

    Args:
        folder: of the model.
        card: its card, if it has been read already.

    Raises:
        ModelError: no such folder or file, a card that is not valid, another checksum.
    """
    if not folder.is_dir():
        raise ModelError(
            "the model folder does not exist",
            path=folder,
            hint="use a run folder, or a model from the list of `gliomask models`",
        )
    if card is None:
        card = read_card(folder / CARD_FILE)
    path = folder / WEIGHTS_FILE
    data = read_weights(path)
    if card.weights_sha256 is None:
        raise ModelError("the card contains no checksum of the weights", path=path)
    if hashlib.sha256(data).hexdigest() != card.weights_sha256:
        raise ModelError(
            "damaged, or not the weights of this card: the checksum differs",
            path=path,
            hint="copy the model folder again",
        )
    return card, data


def read_weights(path: Path) -> bytes:
    """The bytes of a file of weights.

    Raises:
        ModelError: there is no such file, or it is larger than ``MAX_WEIGHTS_BYTES``.
    """
    if not path.is_file():
        raise ModelError("the weight file does not exist", path=path)
    if path.stat().st_size > MAX_WEIGHTS_BYTES:
        raise ModelError(
            f"larger than the limit for weights ({MAX_WEIGHTS_BYTES} bytes)", path=path
        )
    return path.read_bytes()


def not_finite(path: Path, name: str) -> ModelError:
    """Error for an entry with a value that is not finite."""
    return ModelError(f"the weights contain NaN or infinity in {name!r}", path=path)
