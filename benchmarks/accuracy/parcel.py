"""Splitting of a folder into parts of limited size, and their reassembly.

    python -m benchmarks.accuracy.parcel pack FOLDER PARTS [--mib 60]
    python -m benchmarks.accuracy.parcel unpack PARTS FOLDER

For moving a store to a machine with a GPU, and runs back from it. On that machine:

    python -m benchmarks.accuracy.parcel unpack PARTS STORE &&
    python -m benchmarks.accuracy.folds STORE OUT shipped --jobs 1 --minutes 9 &&
    python -m benchmarks.accuracy.parcel pack OUT BACK

Parts may be transferred one at a time, in any order; ``parcel.json`` lists them with their
checksums. A packed run can be resumed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import tempfile
import zipfile
from pathlib import Path

LIST = "parcel.json"
_MIB = 2**20


def pack(folder: Path, parts: Path, mib: int = 60) -> list[Path]:
    """Writes ``folder`` as parts of at most so many MiB, and their list.

    Raises:
        FileExistsError: ``parts`` exists.
    """
    parts.mkdir(parents=True)
    written: dict[str, str] = {}
    with tempfile.TemporaryFile() as whole:
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for path in sorted(folder.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        whole.seek(0)
        while data := whole.read(mib * _MIB):
            name = f"part{len(written):03d}"
            (parts / name).write_bytes(data)
            written[name] = hashlib.sha256(data).hexdigest()
    (parts / LIST).write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    return [parts / name for name in (*written, LIST)]


def unpack(parts: Path, folder: Path) -> None:
    """Reassembles parts atomically.

    Raises:
        FileExistsError: ``folder`` exists.
        ValueError: a part is missing or damaged.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} already exists")
    listed: dict[str, str] = json.loads((parts / LIST).read_text(encoding="utf-8"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".parcel-", dir=folder.parent))
    try:
        with tempfile.TemporaryFile() as whole:
            for name, due in listed.items():
                path = parts / Path(name).name
                data = path.read_bytes() if path.is_file() else b""
                if hashlib.sha256(data).hexdigest() != due:
                    raise ValueError(f"{path}: {'damaged' if data else 'missing'}")
                whole.write(data)
            whole.seek(0)
            with zipfile.ZipFile(whole) as archive:
                archive.extractall(unfinished)  # never outside the folder
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pack", "unpack"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--mib", type=int, default=60, help="of a part, at most")
    options = parser.parse_args()
    if options.what == "pack":
        for path in pack(options.source, options.target, options.mib):
            print(path, path.stat().st_size)
    else:
        unpack(options.source, options.target)


if __name__ == "__main__":
    main()
