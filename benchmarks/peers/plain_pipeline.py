"""Baseline pipeline from a case to a mask, as in most scripts for a 2D network.

    python -m benchmarks.peers.plain_pipeline --model RUN --out FILE [--authors CHECKOUT] IMAGE...

Volumes with nibabel as float64, each normalised over what is not 0; slice by slice resized with
scikit-image, through the network in PyTorch's eager mode (the authors' code where their checkout
is given), resized back and thresholded; the mask written as float64. IMAGE are the model's
sequences in its order. It is what ``case_speed`` compares with, and no part of gliomask.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from benchmarks.peers.networks import authors_with_our_weights
from gliomask.nets.weights import load_model

Volume = npt.NDArray[np.float64]


def read(path: Path) -> tuple[Volume, Any]:
    """A volume (I, J, K) with mean 0 and deviation 1 over what is not 0, and its affine."""
    file: Any = nibabel.load(path)
    image: Volume = file.get_fdata()
    head = image[image != 0]
    scaled: Volume = (image - head.mean()) / head.std()
    return scaled, file.affine


def probability(network: nn.Module, images: Volume, *, logits: bool) -> Volume:
    """One slice (C, I, J) through the network, as it is: (size, size) of the first region."""
    output = network(torch.from_numpy(images[None]).float())[0]
    if logits:
        output = torch.sigmoid(output)
    first: Volume = output[0, 0].detach().numpy().astype(np.float64)
    return first


def resized(image: Volume, shape: tuple[int, int]) -> Volume:
    """An image resized by scikit-image, with its default antialiasing."""
    picture: Volume = import_module("skimage.transform").resize(image, shape)
    return picture


def segment(network: nn.Module, volume: Volume, size: int, *, logits: bool) -> Volume:
    """(C, I, J, K) to probabilities (I, J, K), along the last axis."""
    _, rows, columns, slices = volume.shape
    probabilities: Volume = np.zeros((rows, columns, slices))
    for k in range(slices):
        fitted = np.stack([resized(image[:, :, k], (size, size)) for image in volume])
        slice_map = probability(network, fitted, logits=logits)
        probabilities[:, :, k] = resized(slice_map, (rows, columns))
    return probabilities


def main() -> None:
    """Writes the mask."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--authors", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    own, card = load_model(options.model)
    checkout = options.authors
    network = own if checkout is None else authors_with_our_weights(checkout, options.model)
    volumes, affines = zip(*map(read, options.images), strict=True)
    volume: Volume = np.stack(volumes)
    probabilities = segment(network, volume, card.size, logits=checkout is None)
    mask = (probabilities >= card.threshold).astype(np.float64)
    nibabel.save(nibabel.Nifti1Image(mask, affines[0]), options.out)


if __name__ == "__main__":
    main()
