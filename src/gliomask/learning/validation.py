"""Validation: accuracy of the network on the validation patients.

The Dice is computed for each patient over all annotated slices on the network's grid, and averaged
over patients: as in an evaluation, but on a coarser grid.

The losses are those of training, on batches of the same size. If a region is empty in reference and
prediction, or not labelled in the patient's data set, there is no Dice; if it is empty in only one
of them, the Dice is 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gliomask.config import Recipe
from gliomask.errors import StoreError
from gliomask.learning.batches import Worker, ahead, channels_last
from gliomask.learning.catalogue import BoolArray, Catalogue, IntArray
from gliomask.learning.dataset import Slices, region_maps
from gliomask.learning.losses import SegmentationLoss
from gliomask.learning.randomness import Purpose, stream


@dataclass(frozen=True)
class ValidationScore:
    """Result of a validation.

    Attributes:
        loss, dice_loss: means over the samples.
        batches: (loss, Dice loss) of each batch in order.
        dice: mean over the patients with a Dice, for each region; NaN if there are none.
        mean_dice: mean over the regions; NaN if there are none.
    """

    loss: float
    dice_loss: float
    batches: tuple[tuple[float, float], ...]
    dice: tuple[float, ...]
    mean_dice: float


@dataclass(frozen=True, eq=False)
class _Inputs:
    """Input of the network for n slices; all on its device, int64.

    Attributes:
        owner: (m,) index of the slice of each input.
        channel: (m,) index of the sequence; None if an input has all sequences.
        each: (n,) number of inputs of each slice.
        patient: (n,) index of the patient.
        labelled: (n, R) float32, 1 where the slice's data set labels the region.
    """

    owner: Tensor
    channel: Tensor | None
    each: Tensor
    patient: Tensor
    labelled: Tensor


class Validation:
    """Evaluation of a network on the validation patients.

    Args:
        slices: their pixels.
        catalogue: list of the slices.
        recipe: mode, regions, threshold, batch size.
        worker: process of these batches.
    """

    def __init__(
        self, slices: Slices, catalogue: Catalogue, recipe: Recipe, worker: Worker
    ) -> None:
        self.slices, self.catalogue, self.recipe, self.worker = slices, catalogue, recipe, worker
        self.device = worker.device
        self.loss = SegmentationLoss(recipe.loss)
        # Shuffled, in the same way in every epoch: a batch of neighbouring slices may contain no
        # tumour, and its Dice loss would not be comparable with that of training.
        order = stream(recipe.seed, Purpose.VALIDATION).permutation(len(catalogue))
        starts = range(0, len(order), recipe.batch_size)
        self.rows: list[IntArray] = [order[i : i + recipe.batch_size] for i in starts]
        self._inputs = [self._prepare(rows) for rows in self.rows]

    @property
    def rounds(self) -> int:
        """Validation batches of one device."""
        return -(-len(self.rows) // self.worker.world)

    @torch.no_grad()
    def evaluate(
        self,
        network: nn.Module,
        total: Callable[[Tensor], Tensor],
        each_round: Callable[[int], None],
    ) -> ValidationScore:
        """Evaluate ``network``, which must be in evaluation mode.

        Args:
            network: network on the device.
            total: sums a tensor over all devices.
            each_round: called with the number of slices after each batch, equally often on every
                device; its exceptions end the validation.

        Raises:
            StoreError: a slice can't be read, or no patient has any of the regions.
        """
        regions, patients = len(self.recipe.regions), len(self.catalogue.patients)
        counts = torch.zeros(3, patients, regions, dtype=torch.float64, device=self.device)
        table = torch.zeros(len(self.rows), 3, dtype=torch.float64, device=self.device)
        own_rows = range(self.worker.rank, len(self.rows), self.worker.world)
        fetched = ahead(lambda k: self.slices.fetch(self.rows[k]), own_rows, self.worker.threads)
        for k, (images, bits) in zip(own_rows, fetched, strict=True):
            target = region_maps(bits.to(self.device, non_blocking=True), regions)
            images = images.to(self.device, non_blocking=True).float()
            predicted, table[k] = self._batch(network, images, target, self._inputs[k])
            self._count(counts, predicted, target > 0.5, self._inputs[k])
            each_round(len(self.rows[k]))
        if len(own_rows) < self.rounds:
            each_round(0)
        counts, table = total(counts).cpu(), total(table).cpu()
        if not counts[2].any():
            names = " or ".join(self.recipe.regions)
            raise StoreError(f"no validation patient has {names}: validation is impossible")
        return _score_of_counts(counts, table)

    def _batch(
        self, network: nn.Module, images: Tensor, target: Tensor, inputs: _Inputs
    ) -> tuple[Tensor, Tensor]:
        """The masks (n, R, H, W) bool and (3,): loss, Dice loss, samples."""
        owner = inputs.owner
        if inputs.channel is not None:
            images = images[owner, inputs.channel].unsqueeze(1)
        maps = network(channels_last(images))
        value = self.loss.value(self.loss.sums(maps, target[owner], inputs.labelled[owner]))
        probabilities = torch.sigmoid(maps[0].float())
        mean = torch.zeros_like(target).index_add_(0, owner, probabilities)
        mean /= inputs.each.view(-1, 1, 1, 1)
        samples = torch.full((1,), len(owner), device=self.device)
        return mean >= self.recipe.threshold, torch.cat([value, samples])

    def _prepare(self, rows: IntArray) -> _Inputs:
        """Table of the inputs, copied to the device only once."""
        patient = self.catalogue.patient_of_rows(rows)
        owner, channel = np.arange(len(rows)), None
        if self.recipe.input.mode == "each":
            owner, channel = np.nonzero(self.catalogue.present[self.catalogue.case[rows]])
        each = np.bincount(owner, minlength=len(rows))
        chosen = None if channel is None else self._on_device(channel)
        labelled = self._on_device(self.catalogue.labels(rows, self.recipe.regions)).float()
        present = self._on_device
        return _Inputs(present(owner), chosen, present(each), present(patient), labelled)

    def _on_device(self, array: IntArray | BoolArray) -> Tensor:
        return torch.from_numpy(array).to(self.device)

    def _count(self, counts: Tensor, predicted: Tensor, reference: Tensor, inputs: _Inputs) -> None:
        """Adds the labelled pixels of the overlap and of both masks to each patient's (3, P, R)."""
        for kind, mask in enumerate((predicted & reference, predicted, reference)):
            pixels = mask.sum((2, 3)).double() * inputs.labelled
            counts[kind].index_add_(0, inputs.patient, pixels)


def no_score(regions: int) -> ValidationScore:
    """Result without validation patients."""
    return ValidationScore(math.nan, math.nan, (), (math.nan,) * regions, math.nan)


def _score_of_counts(counts: Tensor, table: Tensor) -> ValidationScore:
    overlap, predicted, reference = counts.unbind(0)
    dice = (2 * overlap / (predicted + reference)).numpy()  # NaN where both are empty
    regions = tuple(_mean(dice[:, region]) for region in range(dice.shape[1]))
    samples = table[:, 2]
    loss, dice_loss = ((table[:, k] * samples).sum() / samples.sum() for k in (0, 1))
    batches = tuple((float(row[0]), float(row[1])) for row in table)
    return ValidationScore(
        float(loss), float(dice_loss), batches, regions, _mean(np.array(regions))
    )


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else math.nan
