"""``gliomask nnunet``: the options of ``nnUNetv2_predict``, spelt as there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_IGNORED = "Of nnU-Net's own models; without meaning here."


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("nnunet", context_settings={"allow_extra_args": True})(run)


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Option("-i", help="Images: CASE_0000.nii.gz, CASE_0001 ...")],
    out: Annotated[Path, typer.Option("-o", help="The folder to write CASE.nii.gz into.")],
    model: Annotated[
        str | None, typer.Option(help="A run folder, or a model of `gliomask models`.")
    ] = None,
    description: Annotated[
        Path | None,
        typer.Option("--dataset-json", help="The dataset.json (default: in IN or beside it)."),
    ] = None,
    own_labels: Annotated[
        bool, typer.Option("--own-labels", help="Write the model's numbers, not dataset.json's.")
    ] = False,
    disable_tta: Annotated[
        bool, typer.Option("--disable_tta", help="No mirrored slices: faster.")
    ] = False,
    probabilities: Annotated[
        bool, typer.Option("--save_probabilities", help="Write CASE.npz too.")
    ] = False,
    keep_done: Annotated[
        bool, typer.Option("--continue_prediction", "--c", help="Leave out what is done.")
    ] = False,
    device: Annotated[str, typer.Option("-device", help="cpu, cuda, or auto.")] = "auto",
    parts: Annotated[int, typer.Option("-num_parts", help="Parts of the cases.")] = 1,
    part: Annotated[int, typer.Option("-part_id", help="Which part to do, from 0.")] = 0,
    d: Annotated[str | None, typer.Option("-d", help=_IGNORED)] = None,
    c: Annotated[str | None, typer.Option("-c", help=_IGNORED)] = None,
    p: Annotated[str | None, typer.Option("-p", help=_IGNORED)] = None,
    tr: Annotated[str | None, typer.Option("-tr", help=_IGNORED)] = None,
    f: Annotated[str | None, typer.Option("-f", help=_IGNORED)] = None,
    chk: Annotated[str | None, typer.Option("-chk", help=_IGNORED)] = None,
    npp: Annotated[str | None, typer.Option("-npp", help=_IGNORED)] = None,
    nps: Annotated[str | None, typer.Option("-nps", help=_IGNORED)] = None,
    step_size: Annotated[str | None, typer.Option("-step_size", help=_IGNORED)] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help=_IGNORED)] = False,
    no_bar: Annotated[bool, typer.Option("--disable_progress_bar", help=_IGNORED)] = False,
    json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Segment an nnU-Net folder of images. Takes the place of nnUNetv2_predict."""
    from gliomask.cli import render
    from gliomask.config import build
    from gliomask.workflows.nnunet import NnunetOptions, predict_nnunet

    _check_extra(context.args, f)
    theirs = {"d": d, "c": c, "p": p, "tr": tr, "f": f, "chk": chk}
    theirs |= {"npp": npp, "nps": nps, "step_size": step_size}
    ignored = [f"-{name}" for name, value in theirs.items() if value is not None]
    if ignored:
        named = f"gliomask's model {model}" if model else "gliomask's own model"
        typer.echo(f"without meaning here: {', '.join(ignored)} ({named} is used)", err=True)
    given: dict[str, object] = {
        "folder": folder,
        "out": out,
        "description": description,
        "own_labels": own_labels,
        "quick": disable_tta,
        "probabilities": probabilities,
        "keep_done": keep_done,
        "parts": parts,
        "part": part,
        "device": device,
    }
    if model is not None:
        given["model"] = model
    options = build(NnunetOptions, given, "nnunet")
    with render.control() as control:
        result = predict_nnunet(options, control)
    if json:
        render.as_json(result)
        return
    there = f", {len(result.earlier)} were there" if result.earlier else ""
    render.lines(f"{len(result.done)} masks by {result.model}{there}: {result.out}")


def _check_extra(extra: list[str], folds: str | None) -> None:
    """``-f 0 1 2`` is the only option of nnU-Net with several values."""
    if folds is not None and all(one.isdecimal() or one == "all" for one in extra):
        return
    if extra:
        raise typer.BadParameter(f"unexpected: {' '.join(extra)[:80]}")
