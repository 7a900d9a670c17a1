"""A stand-in for a checkout of the authors' repository: our networks under their names.

Ours and theirs have the same parameters; what matters here is that files are imported from a path
that is given, not what is in them.
"""

from __future__ import annotations

from pathlib import Path

_NETWORKS = """
import torch

from gliomask.nets.specs import find_spec
from gliomask.nets.u2net import U2Net


class U2NETP(U2Net):
    def __init__(self, channels=3, regions=1):
        super().__init__(find_spec("u2netp"), channels, regions)

    def forward(self, x):
        return tuple(torch.sigmoid(one) for one in super().forward(x))
"""
_LOADER = """
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset
from torchvision import transforms, utils


class Changed:
    def __init__(self, *args, **named):
        pass

    def __call__(self, sample):
        return sample


class RescaleT(Changed):
    pass


class RandomCrop(Changed):
    pass


class ToTensorLab:
    def __init__(self, flag=0):
        pass

    def __call__(self, sample):
        image, label = sample["image"], sample["label"]
        return {"image": torch.from_numpy(image.transpose(2, 0, 1) / 255),
                "label": torch.from_numpy(label[None] / 255)}


class SalObjDataset(Dataset):
    def __init__(self, img_name_list, lbl_name_list, transform=None):
        self.files, self.transform = list(zip(img_name_list, lbl_name_list)), transform

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        image, label = (np.asarray(Image.open(path)) for path in self.files[index])
        return self.transform({"image": image, "label": label})
"""


def write_stand_in(folder: Path) -> Path:
    """Writes the two files that the benchmarks import: the checkout."""
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "u2net.py").write_text(_NETWORKS)
    (folder / "data_loader.py").write_text(_LOADER)
    return folder
