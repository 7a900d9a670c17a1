"""Labels of a tumour mask inside gliomask."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # the server, which reads no images, shows labels too
    import numpy as np
    import numpy.typing as npt

LabelArray: TypeAlias = "npt.NDArray[np.uint8]"

BACKGROUND = 0
NECROSIS = 1
"""Necrotic or non-enhancing tumour core."""
OEDEMA = 2
"""Oedema, or FLAIR hyperintensity around the core."""
ENHANCING = 3
"""Tumour that enhances after gadolinium."""
CAVITY = 4
"""Resection cavity (BraTS 2024). Not tumour."""
TUMOUR = 5
"""Tumour without labelled parts."""
CORE = 6
"""Tumour core (tumour without oedema) without labelled parts."""
