"""Segments an examination with the exported model, see README.md. For research use only."""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # no usage data is sent
import onnxruntime

here = Path(__file__).resolve().parent
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("images", nargs="+", help="(C, S, H, W).npy, or NAME=FILE.npy (S, H, W) each")
parser.add_argument("--pixel-mm", nargs=2, type=float, required=True, metavar=("ROW", "COLUMN"))
parser.add_argument("--slice-mm", type=float, required=True, help="between slices")
parser.add_argument("--out", type=Path, default=Path(), help="folder to write into")
arguments = parser.parse_args()
np.seterr(over="ignore")  # values that become infinity are refused
bundle = json.loads((here / "bundle.json").read_text(encoding="utf-8"))
for name, due in bundle["sha256"].items():
    if hashlib.sha256((here / name).read_bytes()).hexdigest() != due:
        sys.exit(f"error: {name} is damaged: its checksum is not that of bundle.json")
sizes_mm = [*arguments.pixel_mm, arguments.slice_mm]
if not all(0.01 <= size <= 100 for size in sizes_mm):
    sys.exit(f"error: --pixel-mm and --slice-mm are {sizes_mm}, allowed 0.01 to 100 mm each")
if arguments.out.exists() and not arguments.out.is_dir():
    sys.exit(f"error: --out {arguments.out} is a file, allowed a folder")
names, takes = bundle["sequences"], f"images of one shape (S, H, W): {bundle['takes']}"
keys, parts = [], []
for image in arguments.images:
    named = image.split("=")[0] in names and "=" in image
    key, _, file = image.partition("=") if named else ("", "", image)
    try:
        with Path(file).open("rb") as stream:
            parts.append(np.lib.format.read_array(stream).astype(np.float32, casting="same_kind"))
    except Exception as problem:
        reason = getattr(problem, "strerror", None) or "not a .npy file of numbers"
        sys.exit(f"error: {file}: {reason}; the model takes {takes}")
    keys.append(key)
if keys == [""] and parts[0].ndim == 4:
    keys, parts = names, list(parts[0])
fit = len(keys) == len(parts) == len(set(keys) & set(names)) and len({p.shape for p in parts}) == 1
few = len(keys) < len(names) and not bundle["some_suffice"]
if not fit or few or parts[0].ndim != 3 or not parts[0].size:
    sys.exit(f"error: the model takes {takes}; these are {[part.shape for part in parts]}")
arrays = dict(zip(keys, parts, strict=True))
images = np.stack([arrays.get(name, np.zeros_like(parts[0])) for name in names])
if not np.isfinite(images).all():
    sys.exit("error: the images have NaN, infinity or values outside the range of float32")
mm = np.array(sizes_mm, np.float32)
feeds = {"images": images, "pixel_mm": mm[:2], "slice_mm": mm[2:], "present": np.isin(names, keys)}
inputs = {name: feeds[name] for name in bundle["inputs"]}
probability, mask, contrast = onnxruntime.InferenceSession(here / "model.onnx").run(None, inputs)
if not contrast.all():
    sys.exit("error: an image is constant: it has no contrast")
if (rule := bundle["clean_up"]) and mask.any():
    from scipy import ndimage

    numbered, count = ndimage.label(mask > 0, np.ones((3, 3, 3)))
    sizes = np.bincount(numbered.ravel())[1:]
    peak = np.array(ndimage.maximum(probability.max(axis=0), numbered, range(1, count + 1)), "f4")
    small = sizes * np.prod(sizes_mm) / 1000 < rule["below_ml"]
    unsure = (peak < rule["below_probability"]) | (rule["below_probability"] == 1)
    fragments = (small & unsure) | (sizes < rule["below_share"] * sizes.max())
    mask[np.isin(numbered, 1 + np.flatnonzero(fragments & (sizes < sizes.max())))] = 0
try:
    arguments.out.mkdir(parents=True, exist_ok=True)
    np.save(arguments.out / "probability.npy", probability)
    np.save(arguments.out / "mask.npy", mask)
except OSError as problem:
    sys.exit(f"error: --out {arguments.out}: {problem.strerror or problem}")
