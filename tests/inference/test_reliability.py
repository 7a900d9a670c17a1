"""Each check by a case that it must speak of and one that it must not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gliomask.core.reliability import Reason, Reliability
from gliomask.core.slices import to_slices
from gliomask.core.volume import Volume
from gliomask.inference.predictor import Predictor
from gliomask.inference.training_distance import describe_intensities, head_quantiles
from gliomask.nets.measures import (
    CleanUp,
    KindFacts,
    Range,
    RegionFacts,
    TrainingData,
    ValidationFacts,
    VolumeFit,
    range_of,
)
from tests.fakes import BrightEngine, fake_card, head_volume

SEQUENCES = ("t1", "flair")


def spread(*values: float) -> Range:
    found = range_of(values)
    assert found is not None
    return found


def validation(
    *disagreements: float, missed: int = 0, stripped: bool = False, **changes: Any
) -> ValidationFacts:
    """Of 13 patients with both sequences and with each of them alone."""

    def kind(sequences: Sequence[str], dice: float) -> KindFacts:
        keys: dict[str, Any] = {
            "tumours": 13,
            "missed": missed,
            "dice": dice,
            "disagreement": spread(*disagreements) if disagreements else None,
            "volume": VolumeFit(level=0.9, stretch=2.0, patients=13),
        }
        return KindFacts(
            skull_stripped=stripped,
            sequences=tuple(sequences),
            patients=13,
            regions={"whole": RegionFacts(**keys | changes)},
        )

    kinds = (kind(SEQUENCES, 0.85), kind(("flair",), 0.8), kind(("t1",), 0.4))
    return ValidationFacts(patients=13, ways=(), kinds=kinds)


def training(volume: Volume, **changes: Any) -> TrainingData:
    """Of the volume itself and noisier ones, in the same voxels."""
    rows = [head_quantiles(to_slices(volume))]
    for seed in range(8):
        noise = np.random.default_rng(seed).normal(0, 1, volume.array.shape).astype(np.float32)
        rows.append(head_quantiles(to_slices(replace(volume, array=volume.array + noise))))
    keys: dict[str, Any] = {
        "patients": 8,
        "slices": spread(8),
        "pixel_mm": spread(1.0, 1.2),
        "slice_mm": spread(3.0, 3.0),
        "intensities": describe_intensities(rows),
    }
    return TrainingData(**keys | changes)


def flag(volume: Volume, engine: BrightEngine | None = None, **changes: object) -> Reliability:
    keys = {"training_data": training(head_volume()), "validation": validation(0.0, 0.1)}
    card = fake_card(sequence_dropout=True, **keys | changes)
    found = Predictor(engine or BrightEngine(), card).predict(volume, uncertainty=True).reliability
    assert found is not None
    return found


def reason(found: Reliability, code: str) -> Reason | None:
    return next((one for one in found.reasons if one.code == code), None)


def told(found: Reliability, code: str) -> Reason:
    one = reason(found, code)
    assert one is not None
    return one


def test_a_case_like_those_of_the_training_is_green() -> None:
    found = flag(head_volume())
    assert (found.level, found.reasons) == ("green", ())


def test_a_synthetic_model_is_red() -> None:
    found = flag(head_volume(), synthetic=True)
    assert found.level == told(found, "synthetic_model").level == "red"


def test_a_model_that_was_not_calibrated_is_amber() -> None:
    for lacking in ({"training_data": None}, {"validation": None}, {"validation": validation()}):
        found = flag(head_volume(), **lacking)
        assert found.level == "amber"
        assert told(found, "not_measured").text == (
            "the model was not calibrated: how reliable its masks are was not measured"
        )
        assert reason(found, "not_checked") is None


def test_single_values_that_a_card_lacks_are_said_once_and_alarm_nobody() -> None:
    known = training(head_volume())
    only = known.model_copy(update={"intensities": {"flair": known.intensities["flair"]}})
    regions = {"regions": ("whole", "core")}
    found = flag(head_volume(), BrightEngine(regions=2), training_data=only, **regions)
    assert reason(found, "not_measured") is None
    one = told(found, "not_checked")
    assert one.level == "green"
    assert one.text == (
        "not checked, because the model card has no values: intensities of t1, "
        "difference of the side outputs for core"
    )


def test_a_volume_without_an_interval_says_why() -> None:
    """Core was not measured on whole heads; all volumes of images unlike any other are unsure."""
    engine, regions = BrightEngine(regions=2), {"regions": ("whole", "core")}
    one = told(flag(head_volume(), engine, **regions), "no_interval")
    assert one.level == "green"
    assert one.text == (
        "no 90 % interval for core: too few volumes were measured on whole heads with t1, flair"
    )
    assert reason(flag(head_volume()), "no_interval") is None
    card = training(head_volume(), slice_mm=spread(4.0, 5.0))
    found = flag(head_volume(), engine, training_data=card, **regions)
    assert told(found, "no_interval").text == (
        "no 90 % interval for whole, core: these images differ from all known cases "
        "(distance between slices)"
    )


@pytest.mark.parametrize(("width", "level"), [(3, "amber"), (1, "green")])
def test_much_that_was_removed_is_said(width: int, level: str) -> None:
    """Beside the box of about 90 voxels a second one of about 16 or 5."""
    volume = head_volume()
    volume.array[1, 4:8, 5:9, 1 : 1 + width] += 80 if width > 1 else 0
    volume.array[1, 5:7, 5:7, 1] += 80 if width == 1 else 0
    whole = Predictor(BrightEngine(), fake_card()).predict(volume)
    rule = CleanUp(below_ml=1.0, below_probability=1.0)
    kept = Predictor(BrightEngine(), fake_card(clean_up=rule)).predict(volume)
    count = whole.voxels["whole"] - kept.voxels["whole"]
    ml = count * 0.0036  # voxels of 1 x 1.2 x 3 mm
    amount = f"{ml:.1f} ml" if ml >= 0.05 else "less than 0.05 ml"
    assert kept.notes == (f"removed {amount} of fragments separate from the main tumour",)
    everything = Predictor(BrightEngine(), fake_card(clean_up=rule)).keeping_all()
    assert everything.predict(volume).voxels == whole.voxels
    found = flag(volume, clean_up=rule, training_data=training(volume))
    one = reason(found, "fragments_removed")
    assert (one.level if one else "green") == level
    assert (count >= 0.1 * kept.voxels["whole"]) == (level == "amber")


@pytest.mark.parametrize(
    ("held", "level", "dice"), [(("flair",), "green", "0.80"), (("t1",), "red", "0.40")]
)
def test_missing_sequences_tell_their_cost(held: tuple[str], level: str, dice: str) -> None:
    one = told(flag(head_volume().select(held), BrightEngine(1.0)), "missing_sequences")
    assert one.level == level
    assert f"13 held-out patients: mean Dice {dice} instead of 0.85 (whole)" in one.text


def test_a_costly_sequence_is_amber_while_the_masks_are_good() -> None:
    known = validation(0.0, 0.1)
    region = known.kinds[1].regions["whole"].model_copy(update={"dice": 0.74})
    flair = known.kinds[1].model_copy(update={"regions": {"whole": region}})
    dearer = known.model_copy(update={"kinds": (known.kinds[0], flair, known.kinds[2])})
    found = flag(head_volume().select(("flair",)), BrightEngine(1.0), validation=dearer)
    assert told(found, "missing_sequences").level == "amber"


def test_a_cost_that_was_not_measured_is_said() -> None:
    one = told(flag(head_volume().select(("flair",)), validation=None), "missing_sequences")
    assert one.level == "amber"
    assert one.text == "predicted without t1; the loss of accuracy was not measured"


@pytest.mark.parametrize(
    ("most", "largest", "level"), [(1.1, 1.1, None), (0.0, 1.05, "amber"), (0.0, 0.9, "red")]
)
def test_disagreement_is_held_against_validation(
    most: float, largest: float, level: str | None
) -> None:
    """Beyond 90 % of the validation patients amber, beyond all of them red."""
    engine = BrightEngine(apart=1.0)
    card = fake_card(recipe={})
    opinions = Predictor(engine, card).opinions(to_slices(head_volume()))
    known = float(np.mean(1 - opinions.dice[:, 0]))
    found = flag(head_volume(), engine, validation=validation(*[most * known] * 8, largest * known))
    one = reason(found, "maps_disagree")
    assert (one.level if one else None) == level
    assert one is None or f"differ from the mask by {known:.2f}" in one.text


def test_a_limit_that_was_chosen_counts_instead_of_nine_in_ten() -> None:
    engine = BrightEngine(apart=1.0)
    for alarm, expected in ((0.0, "amber"), (1.0, None)):
        known = validation(*[0.0] * 8, 1.0, alarm=alarm)
        one = reason(flag(head_volume(), engine, validation=known), "maps_disagree")
        assert (one.level if one else None) == expected


def test_figures_of_another_kind_of_image_are_said() -> None:
    """The head's background is noise: it is a whole head."""
    found = flag(head_volume(), validation=validation(0.0, 0.1, stripped=True))
    one = told(found, "image_kind")
    assert one.level == "amber"
    assert one.text == (
        "these are images of whole heads; the model was evaluated on other images only"
    )
    assert reason(flag(head_volume()), "image_kind") is None


def test_sequences_that_were_never_measured_together_are_said() -> None:
    known = validation(0.0, 0.1)
    only = known.model_copy(update={"kinds": known.kinds[1:]})
    one = told(flag(head_volume(), validation=only), "image_kind")
    assert one.text == "the model was not evaluated on whole heads with exactly t1, flair"


@pytest.mark.parametrize("stripped", [True, False])
@pytest.mark.parametrize("given", [("t1", "flair"), ("t1",), ("flair",)])
@pytest.mark.parametrize("measured", [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_only_what_was_measured_is_green(
    measured: tuple[int, ...], given: tuple[str, ...], *, stripped: bool
) -> None:
    """Whatever is given and whatever was measured, on this kind of image or the other."""
    known = validation(0.0, 0.1, stripped=stripped)
    kinds = tuple(known.kinds[k] for k in measured)
    card = {"validation": known.model_copy(update={"kinds": kinds})}
    found = flag(head_volume().select(given), BrightEngine(1.0), **card)
    here = not stripped and given in {kind.sequences for kind in kinds}
    assert here or found.level != "green"
    assert (reason(found, "image_kind") is None) == (here or not kinds)


def test_more_sequences_than_were_measured_are_not_green() -> None:
    """Of four sequences one is missing, and no two of the three were measured with the third."""
    sequences = ("t1", "t1ce", "t2", "flair")
    head = head_volume()
    volume = replace(head, array=head.array[[0, 0, 1]], sequences=("t1", "t2", "flair"))
    keys: dict[str, Any] = {"sequences": sequences, "in_channels": 4}
    found = flag(volume, training_data=training(volume), **keys)
    assert reason(found, "missing_sequences") is None
    one = told(found, "image_kind")
    assert (one.level, found.level) == ("amber", "amber")
    assert one.text == "the model was not evaluated on whole heads with exactly t1, t2, flair"


def test_a_kind_without_a_reference_for_the_outermost_region_is_not_green() -> None:
    """Only the maps were compared on it: how good its masks are is not known."""
    known = validation(0.0, 0.1, tumours=0, dice=None, volume=None)
    one = told(flag(head_volume(), validation=known), "image_kind")
    assert one.level == "amber"
    assert one.text == "whole tumour was not evaluated on whole heads with t1, flair"


def test_nothing_is_missing_where_no_case_of_the_kind_had_more() -> None:
    known = validation(0.0, 0.1)
    only = known.model_copy(update={"kinds": known.kinds[1:2]})
    found = flag(head_volume().select(("flair",)), validation=only)
    assert reason(found, "missing_sequences") is None


def test_few_validation_patients_make_no_case_red() -> None:
    found = flag(head_volume(), BrightEngine(apart=1.0), validation=validation(*[0.0] * 8))
    assert told(found, "maps_disagree").level == "amber"


def test_sizes_are_held_against_training() -> None:
    """The head has pixels of sqrt(1 x 1.2) = 1.10 mm and slices 3 mm apart."""
    card = training(head_volume(), pixel_mm=spread(0.4, 0.5), slice_mm=spread(4.0, 5.0))
    found = flag(head_volume(), training_data=card)
    assert told(found, "pixel_size").level == "red"
    assert told(found, "slice_distance").level == "amber"
    text = "the pixel size is 1.10 mm; in the training data it was 0.40 to 0.50 mm (n = 2)"
    assert told(found, "pixel_size").text == text


def test_without_millimetres_sizes_are_not_checked_and_that_is_said() -> None:
    pictures = replace(head_volume(), has_world=False)
    one = told(flag(pictures), "sizes_unknown")
    assert one.level == "green"
    assert "the images have no voxel size" in one.text
    card = training(head_volume(), slice_mm=None)
    assert (
        "part of the training data has"
        in told(flag(head_volume(), training_data=card), one.code).text
    )


def test_a_strange_contrast_is_told_by_its_sequence() -> None:
    volume = head_volume()
    strange = volume.array.copy()
    strange[0] = np.exp(strange[0] / 20)
    found = flag(replace(volume, array=strange))
    (one,) = [one for one in found.reasons if one.code == "intensities"]
    assert one.level == "red"
    assert "the intensities of t1 differ from the training data" in one.text


def test_nothing_found_tells_its_evidence() -> None:
    found = flag(head_volume(), BrightEngine(50.0), validation=validation(0.1, missed=2))
    assert found.level == "amber"
    text = told(found, "empty_mask_reasons").text
    assert text.startswith("no tumour found: largest probability 0.00 (threshold 0.50)")
    assert "0.00 ml at 0.25 or more; 0.00 ml at 0.05 or more" in text
    assert "0 of 6 other maps contain more than a tiny component" in text
    assert "it missed 2 of 13 tumours in the validation" in text


def test_nothing_found_is_red_where_the_other_maps_find_something() -> None:
    class Doubting(BrightEngine):
        """Its fused map is blind, its side maps are not."""

        def logits(self, inputs: np.ndarray) -> np.ndarray:
            return super().logits(inputs) - 100

        def maps(self, inputs: np.ndarray) -> np.ndarray:
            found = super().maps(inputs)
            found[:, 1:5] += 100
            return found

    one = told(flag(head_volume(), Doubting()), "empty_mask_reasons")
    assert one.level == "red"
    assert "4 of 6 other maps contain more than a tiny component" in one.text


def test_nothing_found_without_validation() -> None:
    one = told(flag(head_volume(), BrightEngine(50.0), validation=None), "empty_mask_reasons")
    assert "the false-negative rate of the model was not measured" in one.text
