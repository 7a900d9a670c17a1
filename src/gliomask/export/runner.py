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
sys.excepthook = lambda _, problem, trace: sys.stderr.write(f"error: {problem}\n")
bundle = json.loads((here / "bundle.json").read_text(encoding="utf-8"))
for name, due in bundle["sha256"].items():
    if hashlib.sha256((here / name).read_bytes()).hexdigest() != due:
        sys.exit(f"error: {name} is damaged: its checksum is not that of bundle.json")
names = bundle["sequences"]
pairs = [image.split("=", 1) if "=" in image else ["", image] for image in arguments.images]
whole = len(pairs) == 1 and not pairs[0][0]
parts = list(np.load(pairs[0][1])) if whole else [np.load(file) for _, file in pairs]
keys = names if whole else [key for key, _ in pairs]
fit = len(keys) == len(parts) == len(set(keys) & set(names)) and len({p.shape for p in parts}) == 1
if not fit or parts[0].ndim != 3 or (len(keys) < len(names) and not bundle["some_suffice"]):
    sys.exit(f"error: the model takes images of one shape (S, H, W): {bundle['takes']}")
images = np.stack([parts[keys.index(n)] if n in keys else 0 * parts[0] for n in names], dtype="f4")
mm = np.array([*arguments.pixel_mm, arguments.slice_mm], np.float32)
if not (images.size and np.isfinite(images).all() and mm.min() >= 0.01 and mm.max() <= 100):
    sys.exit("error: NaN or nothing in an image, or --pixel-mm or --slice-mm not 0.01 to 100")
feeds = {"images": images, "pixel_mm": mm[:2], "slice_mm": mm[2:], "present": np.isin(names, keys)}
inputs = {name: feeds[name] for name in bundle["inputs"]}
probability, mask, contrast = onnxruntime.InferenceSession(here / "model.onnx").run(None, inputs)
contrast.all() or sys.exit("error: an image is constant: it has no contrast")
if (rule := bundle["clean_up"]) and mask.any():
    from scipy import ndimage

    numbered, count = ndimage.label(mask > 0, np.ones((3, 3, 3)))
    sizes = np.bincount(numbered.ravel())[1:]
    peak = np.array(ndimage.maximum(probability.max(axis=0), numbered, range(1, count + 1)), "f4")
    small = sizes * np.prod([*arguments.pixel_mm, arguments.slice_mm]) / 1000 < rule["below_ml"]
    unsure = (peak < rule["below_probability"]) | (rule["below_probability"] == 1)
    fragments = (small & unsure) | (sizes < rule["below_share"] * sizes.max())
    mask[np.isin(numbered, 1 + np.flatnonzero(fragments & (sizes < sizes.max())))] = 0
arguments.out.mkdir(parents=True, exist_ok=True)
np.save(arguments.out / "probability.npy", probability)
np.save(arguments.out / "mask.npy", mask)
