"""Table of the label numbers of published data sets, and of the names that identify these sets.

Sources: the BraTS challenges' pages and papers (2012 and 2013: Menze et al. 2015; 2017 to 2021:
Bakas et al. 2018, Baid et al. 2021; 2023: Adewole, LaBella, Moawad, Kazerooni et al. 2023; 2024:
de Verdier, Kazerooni, LaBella et al. 2024), UCSF-PDGM (Calabrese et al. 2022), UPENN-GBM (Bakas
et al. 2022), UCSD-PTGBM (part of BraTS 2024), the ``dataset.json`` of the Medical Segmentation
Decathlon, nnU-Net's converters and HD-GLIO (Kickingereder et al. 2019).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gliomask.core.label_scheme import BINARY, BRATS_2021, BRATS_2023, BRATS_2024, LabelScheme
from gliomask.core.labels import CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR

SCHEMES: Mapping[str, LabelScheme] = MappingProxyType(
    {
        "binary": BINARY,
        "brats2012": LabelScheme("BraTS 2012", ((1, OEDEMA), (2, CORE))),
        "brats2013": LabelScheme(
            "BraTS 2013-2016", ((1, NECROSIS), (2, OEDEMA), (3, NECROSIS), (4, ENHANCING))
        ),
        "brats2021": BRATS_2021,
        "brats2023": BRATS_2023,
        "brats2024": BRATS_2024,
        "brats-ped2024": LabelScheme(
            "BraTS-PED 2024-2026", ((1, ENHANCING), (2, NECROSIS), (3, NECROSIS), (4, OEDEMA))
        ),
        "brats-men-rt": LabelScheme("BraTS-MEN-RT", ((1, TUMOUR),)),
        "msd": LabelScheme(
            "Medical Segmentation Decathlon", ((1, OEDEMA), (2, NECROSIS), (3, ENHANCING))
        ),
        "hd-glio": LabelScheme("HD-GLIO", ((1, OEDEMA), (2, ENHANCING))),
    }
)
"""Value of the option ``labels`` -> scheme. nnU-Net's BraTS numbers are ``msd``."""
BY_NUMBERS = ("brats2013", "brats2021", "brats2023", "brats2024", "brats-ped2024", "msd", "hd-glio")
"""Possible schemes of masks without any other evidence."""


@dataclass(frozen=True)
class Challenge:
    """A published set that is recognised by names of files or folders.

    Attributes:
        name: display name.
        pattern: pattern anywhere in a name, but not within a word.
        schemes: possible schemes of its masks, keys of ``SCHEMES``. BraTS 2023 has no separate
            name: its numbers are those of 2024 without the cavity.
    """

    name: str
    pattern: re.Pattern[str]
    schemes: tuple[str, ...]


def _challenge(name: str, pattern: str, *schemes: str) -> Challenge:
    return Challenge(name, re.compile(rf"(?<![a-z0-9])(?:{pattern})", re.IGNORECASE), schemes)


CHALLENGES = (
    _challenge("BraTS-PED", r"brats-ped-\d", "brats2023", "brats-ped2024"),
    _challenge("BraTS-MEN-RT", r"brats-men-rt-\d", "brats-men-rt"),
    _challenge("BraTS-GLI", r"brats-gli-\d", "brats2024"),
    _challenge("BraTS-MET", r"brats-mets?-\d", "brats2024"),
    _challenge("BraTS 2023 or later", r"brats-(?:ssa|men|goat)-\d", "brats2023"),
    _challenge(
        "BraTS 2017-2022", r"(?:brats(?:20)?(?:1[7-9]|2[0-2])|fets202[12])[_-]", "brats2021"
    ),
    _challenge("BraTS 2013-2016", r"brats_(?:2013|tcia)_pat\d", "brats2013"),
    _challenge("BraTS 2012 or 2013", r"brats_[hl]g\d{4}", "brats2012", "brats2013"),
    _challenge("Medical Segmentation Decathlon", r"brats_\d{3}(?!\d)", "msd"),
    _challenge("UCSF-PDGM", r"ucsf-pdgm-\d", "brats2021"),
    _challenge("UPENN-GBM", r"upenn-gbm-\d", "brats2021"),
    _challenge("UCSD-PTGBM", r"ucsd-ptgbm-\d{4}_\d+_brats", "brats2024"),
    _challenge("BraTS-TCGA", r"tcga-\w\w-\w{4}_[\d.]+_glistrboost", "brats2021"),
)


def challenge_in(names: Iterable[str]) -> Challenge | None:
    """Published set that is identified by the first name that contains one.

    >>> challenge_in(["pred_BraTS-PED-00001-000.nii.gz"]).name
    'BraTS-PED'
    """
    challenges = (
        challenge for name in names for challenge in CHALLENGES if challenge.pattern.search(name)
    )
    return next(challenges, None)
