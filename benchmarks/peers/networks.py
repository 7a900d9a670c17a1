"""Compared networks: gliomask's, the authors' code, nnU-Net's and MONAI's.

Each peer is built by its own package, or imported from the authors' checkout; nothing is copied.
The authors' network loads our weights unchanged, because the names are the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gliomask.nets.weights import load_model

AUTHORS_CLASS = {"u2net": "U2NET", "u2netp": "U2NETP"}
"""Our network -> its name in the authors' code."""
_NNUNET_WIDTHS = (32, 64, 128, 256, 512, 512, 512)
_NNUNET_SMALLEST = 4
"""nnU-Net halves the plane until a side has 4 pixels: 7 stages at 256, 6 at 128."""


@dataclass(frozen=True)
class Arithmetic:
    """Size of a network.

    Attributes:
        parameters: trainable numbers.
        gmac: billions of multiplications with an addition, convolutions as they are defined.
    """

    parameters: int
    gmac: float


def arithmetic(network: nn.Module, channels: int, size: int) -> Arithmetic:
    """Counts one slice (1, channels, size, size)."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network.eval()(torch.zeros(1, channels, size, size))
    parameters = sum(p.numel() for p in network.parameters())
    return Arithmetic(parameters, counter.get_total_flops() / 2e9)


def authors_module(checkout: Path, name: str) -> types.ModuleType:
    """A module of the authors' checkout, e.g. ``model/u2net.py``, imported from where it lies.

    Raises:
        FileNotFoundError: there is no such file.
    """
    path = checkout / name
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no checkout of xuebinqin/U-2-Net")
    spec = importlib.util.spec_from_file_location(f"authors_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def authors_network(checkout: Path, name: str, channels: int, regions: int) -> nn.Module:
    """The authors' network with initial weights; it returns seven probability maps, fused first."""
    # Its calls are older than PyTorch's: every one of them warns.
    warnings.filterwarnings("ignore", message=".*(upsample|align_corners|Default upsampling).*")
    network: nn.Module = getattr(authors_module(checkout, "model/u2net.py"), AUTHORS_CLASS[name])(
        channels, regions
    )
    return network


def authors_with_our_weights(checkout: Path, model: Path) -> nn.Module:
    """The authors' network with the weights of a run folder."""
    network_with_weights, card = load_model(model)
    network = authors_network(checkout, card.network, card.in_channels, len(card.regions))
    network.load_state_dict(network_with_weights.state_dict(), strict=True)
    return network.eval()


def authors_loader(checkout: Path) -> types.ModuleType:
    """The authors' ``data_loader.py``; its unused import of torchvision gets an empty module."""
    if importlib.util.find_spec("torchvision") is None:
        empty = types.ModuleType("torchvision")
        parts = {name: types.ModuleType(f"torchvision.{name}") for name in ("transforms", "utils")}
        vars(empty).update(parts)
        sys.modules["torchvision"] = empty
    return authors_module(checkout, "data_loader.py")


def nnunet_network(
    channels: int, regions: int, size: int, *, background: bool = True, sides: bool = False
) -> nn.Module:
    """nnU-Net's plain 2D network as it plans it for slices of this size.

    Two convolutions a stage, instance norm, leaky ReLU (Isensee et al., Nature Methods 2021).

    Args:
        channels: of the input.
        regions: number of regions.
        size: side of the square input in pixels.
        background: whether background is a separate class, as with nnU-Net's softmax; without it
            there is a logit for each region, as with its training on regions.
        sides: whether it returns a list of maps, one for each decoder stage, the finest first.

    Raises:
        ImportError: the package dynamic-network-architectures is not installed.
    """
    unet = importlib.import_module("dynamic_network_architectures.architectures.unet")
    stages = min(len(_NNUNET_WIDTHS), (size // _NNUNET_SMALLEST).bit_length())
    network: nn.Module = unet.PlainConvUNet(
        input_channels=channels,
        n_stages=stages,
        features_per_stage=list(_NNUNET_WIDTHS[:stages]),
        conv_op=nn.Conv2d,
        kernel_sizes=3,
        strides=[1, *[2] * (stages - 1)],
        n_conv_per_stage=2,
        num_classes=regions + background,
        n_conv_per_stage_decoder=2,
        conv_bias=True,
        norm_op=nn.InstanceNorm2d,
        norm_op_kwargs={"eps": 1e-5, "affine": True},
        nonlin=nn.LeakyReLU,
        nonlin_kwargs={"inplace": True},
        deep_supervision=sides,
    )
    return network


def monai_network(channels: int, regions: int) -> nn.Module:
    """MONAI's U-Net of five levels, 32 to 512 channels, with two residual units each."""
    from monai.networks.nets.unet import UNet

    widths = (32, 64, 128, 256, 512)
    network: nn.Module = UNet(2, channels, regions, widths, (2, 2, 2, 2), num_res_units=2)
    return network


def first_map(output: Any) -> Tensor:
    """The fused map of a network that returns one or several."""
    fused: Tensor = output if isinstance(output, Tensor) else output[0]
    return fused
