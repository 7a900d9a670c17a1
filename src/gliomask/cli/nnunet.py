"""``gliomask nnunet``, with the options of ``nnUNetv2_predict``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from gliomask.cli.command import JSON, Command, Extra
from gliomask.cli.fields import Typed
from gliomask.config.shipped import DEFAULT
from gliomask.core.counted import counted

if TYPE_CHECKING:
    from gliomask.config.nnunet import NnunetOptions

_OF_NNUNET = "Option of nnU-Net's own models; accepted and ignored."
_WITH_VALUE = ("d", "c", "p", "tr", "f", "chk", "npp", "nps", "step_size")
_FLAGS = ("verbose", "disable_progress_bar")


def run(
    options: NnunetOptions,
    *,
    json: bool,
    rest: Sequence[str] | None,
    **nnunet_only: str | bool | None,
) -> None:
    """Runs the command.

    Args:
        options: options of the use case.
        json: print the result as JSON.
        rest: arguments that belong to no option.
        nnunet_only: name of an option of nnU-Net that is ignored -> its value.
    """
    from gliomask.cli import render
    from gliomask.workflows.nnunet import predict_nnunet

    _check_rest(rest or (), nnunet_only["f"])
    with render.control() as control:
        result = predict_nnunet(options, control)
    ignored = [f"-{name}" for name in _WITH_VALUE if nnunet_only[name] is not None]
    if ignored:
        listed = ", ".join(ignored)
        typer.echo(f"ignored options: {listed} (the model is {result.model})", err=True)
    if json:
        render.as_json(result)
        return
    existing = f", {len(result.earlier)} already complete" if result.earlier else ""
    render.lines(f"{counted(len(result.done), 'mask')} by {result.model}{existing}: {result.out}")


def _check_rest(rest: Sequence[str], folds: str | bool | None) -> None:
    """``-f 0 1 2`` is the only option of nnU-Net with several values."""
    if folds is not None and all(word.isdecimal() or word == "all" for word in rest):
        return
    if rest:
        raise typer.BadParameter(f"unexpected: {' '.join(rest)[:80]}")


COMMAND = Command(
    name="nnunet",
    help="Segment an nnU-Net folder of images. Replaces nnUNetv2_predict.",
    options="NnunetOptions",
    run=run,
    typed={
        "folder": Typed("-i"),
        "out": Typed("-o"),
        "model": Typed(metavar="MODEL", default=DEFAULT),
        "description": Typed("--dataset-json"),
        "quick": Typed("--disable_tta"),
        "probabilities": Typed("--save_probabilities"),
        "keep_done": Typed("--continue_prediction", old="--c"),
        "parts": Typed("-num_parts"),
        "part": Typed("-part_id"),
        "device": Typed("-device"),
    },
    extra={
        **{name: Extra(_OF_NNUNET, metavar="TEXT", flag=f"-{name}") for name in _WITH_VALUE},
        **{name: Extra(_OF_NNUNET) for name in _FLAGS},
        "rest": Extra("Further folds of -f; ignored.", metavar="FOLD", argument=True),
        **JSON,
    },
)
