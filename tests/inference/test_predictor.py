"""Prediction with an engine that is no network: it marks what is bright in FLAIR."""

from __future__ import annotations

import numpy as np
import pytest

from gliomask.core.prediction import Prediction
from gliomask.core.slices import VERSION
from gliomask.core.volume import FloatArray, Volume
from gliomask.errors import CaseError, ModelError
from gliomask.inference.predictor import Predictor
from gliomask.nets.measures import CleanUp, KindFacts, RegionFacts, ValidationFacts, VolumeFit
from gliomask.statistics.temperature import adjusted_threshold
from tests.fakes import BrightEngine, fake_card, head_volume, world_points

ORDERS = [
    ((0, 1, 2), ()),
    ((0, 1, 2), (0,)),  # LAS
    ((0, 1, 2), (0, 1)),  # LPS
    ((0, 1, 2), (2,)),  # RAI
    ((2, 0, 1), ()),
    ((1, 2, 0), (0, 2)),
    ((2, 1, 0), (0, 1, 2)),
]


def kept(found: Prediction) -> FloatArray:
    """The probabilities of a prediction that must have some."""
    assert found.probabilities is not None
    return found.probabilities


@pytest.mark.parametrize(("axes", "flips"), ORDERS)
def test_the_same_head_in_any_order_gets_the_same_mask(
    axes: tuple[int, ...], flips: tuple[int, ...]
) -> None:
    predictor = Predictor(BrightEngine(), fake_card())
    plain = predictor.predict(head_volume())
    volume = head_volume(axes, flips)
    found = predictor.predict(volume)
    assert found.mask.shape == volume.shape
    assert np.array_equal(found.affine, volume.affine)
    assert found.voxels == plain.voxels
    assert world_points(found.mask, found.affine) == world_points(plain.mask, plain.affine)


def test_finds_the_bright_box_on_the_grid_of_the_input() -> None:
    volume = head_volume()
    found = Predictor(BrightEngine(), fake_card(size=64)).predict(volume)
    truth = np.zeros(volume.shape, bool)
    truth[12:18, 10:15, 4:7] = True
    assert (found.mask.astype(bool) & truth).sum() / (found.mask.astype(bool) | truth).sum() > 0.7
    assert found.mask.dtype == np.uint8
    assert set(np.unique(found.mask)) == {0, 1}


def test_volume_is_voxels_times_their_size() -> None:
    found = Predictor(BrightEngine(), fake_card()).predict(head_volume())
    assert found.voxels["whole"] == int((found.mask > 0).sum()) > 0
    assert found.volumes_ml is not None
    assert found.volumes_ml["whole"] == pytest.approx(found.voxels["whole"] * 3.6 / 1000)


def test_probabilities_are_finite_shares() -> None:
    predictor = Predictor(BrightEngine(), fake_card())
    found = predictor.predict(head_volume((1, 0, 2), (1,)), maps=True)
    assert kept(found).shape == (1, *found.mask.shape)
    assert kept(found).dtype == np.float32
    assert 0 <= kept(found).min() <= kept(found).max() <= 1
    assert np.array_equal(kept(found)[0] >= 0.5, found.mask > 0)


def test_probabilities_are_not_kept_unasked() -> None:
    assert Predictor(BrightEngine(), fake_card()).predict(head_volume()).probabilities is None


def test_an_empty_slice_stays_empty() -> None:
    """No rescaling: where the network is sure of nothing, nothing is found."""
    quiet = Predictor(BrightEngine(level=50.0), fake_card())
    found = quiet.predict(head_volume(), maps=True)
    assert not found.mask.any()
    assert kept(found).max() < 1e-6


def test_slices_do_not_depend_on_their_batch() -> None:
    volume = head_volume()
    one, some, all_at_once = (
        kept(Predictor(BrightEngine(batch=batch), fake_card()).predict(volume, maps=True))
        for batch in (1, 3, 100)
    )
    np.testing.assert_allclose(some, one, atol=1e-5)  # sums are rounded in another order
    np.testing.assert_allclose(all_at_once, one, atol=1e-5)


def test_memory_is_bounded_by_the_batch() -> None:
    engine = BrightEngine(batch=3)
    Predictor(engine, fake_card()).predict(head_volume())
    assert engine.shapes == [(3, 2, 32, 32), (3, 2, 32, 32), (2, 2, 32, 32)]


def test_nested_regions_have_the_numbers_of_brats() -> None:
    regions = ("whole", "core", "enhancing")
    found = Predictor(BrightEngine(level=1.0, regions=3), fake_card(regions=regions)).predict(
        head_volume()
    )
    assert found.voxels["whole"] >= found.voxels["core"] >= found.voxels["enhancing"]
    assert found.voxels["enhancing"] == int((found.mask == 3).sum())
    assert found.voxels["core"] == int(np.isin(found.mask, (1, 3)).sum())


def test_temperature_softens() -> None:
    volume = head_volume()
    sharp = kept(Predictor(BrightEngine(), fake_card()).predict(volume, maps=True))
    card = fake_card(temperature=4.0, threshold=0.5)
    soft = kept(Predictor(BrightEngine(), card).predict(volume, maps=True))
    unsure = (sharp > 0.01) & (sharp < 0.99)
    assert unsure.any()
    odds = sharp[unsure] / (1 - sharp[unsure])
    np.testing.assert_allclose(soft[unsure], 1 / (1 + odds ** (-1 / 4)), atol=1e-5)


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.83])
def test_a_temperature_with_its_threshold_leaves_the_mask(threshold: float) -> None:
    volume = head_volume()
    plain = Predictor(BrightEngine(), fake_card(threshold=threshold)).predict(volume)
    moved = adjusted_threshold(threshold, 2.5)
    card = fake_card(temperature=2.5, threshold=moved)
    np.testing.assert_array_equal(Predictor(BrightEngine(), card).predict(volume).mask, plain.mask)


def test_sigmoid_by_hand() -> None:
    """One constant logit of ln 3 everywhere is the probability 3/4."""

    class Constant(BrightEngine):
        def logits(self, inputs: FloatArray) -> FloatArray:
            return np.full((len(inputs), 1, 32, 32), np.log(3), np.float32)

    found = Predictor(Constant(), fake_card()).predict(head_volume(), maps=True)
    inside = kept(found)[kept(found) > 0]
    np.testing.assert_allclose(inside, 0.75, rtol=1e-5)


def test_missing_sequence_refused() -> None:
    volume = head_volume().select(("flair",))
    with pytest.raises(CaseError, match="needs t1"):
        Predictor(BrightEngine(), fake_card()).predict(volume)


def test_missing_sequence_allowed_after_dropout_and_said() -> None:
    volume = head_volume().select(("flair",))
    found = Predictor(BrightEngine(), fake_card(sequence_dropout=True)).predict(volume)
    assert (found.used, found.missing) == (("flair",), ("t1",))
    assert any("without t1" in note for note in found.notes)


def test_missing_channel_is_zero() -> None:
    class Reads(BrightEngine):
        def logits(self, inputs: FloatArray) -> FloatArray:
            assert not inputs[:, 0].any()
            assert inputs[:, 1].any()
            return super().logits(inputs)

    volume = head_volume().select(("flair",))
    Predictor(Reads(), fake_card(sequence_dropout=True)).predict(volume)


def test_no_known_sequence() -> None:
    volume = head_volume().select(("flair",))
    other = fake_card(sequences=("t1", "t2"), sequence_dropout=True)
    with pytest.raises(CaseError, match="needs t1 and t2"):
        Predictor(BrightEngine(), other).predict(volume)


def test_each_averages_the_sequences() -> None:
    single = fake_card(input_mode="each", in_channels=1)
    engine = BrightEngine(batch=5)
    volume = head_volume()
    both = Predictor(engine, single).predict(volume, maps=True)
    assert engine.shapes[0] == (4, 1, 32, 32)  # two slices of two sequences
    alone = [
        Predictor(BrightEngine(), single).predict(volume.select((name,)), maps=True)
        for name in ("t1", "flair")
    ]
    assert alone[0].missing == ("flair",)
    mean = (kept(alone[0]) + kept(alone[1])) / 2
    np.testing.assert_allclose(kept(both), mean, atol=1e-5)


def test_another_order_of_sequences_is_the_same() -> None:
    volume = head_volume()
    predictor = Predictor(BrightEngine(), fake_card())
    turned = predictor.predict(volume.select(("flair", "t1")))
    assert np.array_equal(turned.mask, predictor.predict(volume).mask)


def test_constant_sequence_is_a_bad_case() -> None:
    volume = head_volume()
    flat = Volume(np.stack([volume.array[0] * 0, volume.array[1]]), volume.affine, ("t1", "flair"))
    with pytest.raises(CaseError, match="t1: the image is constant"):
        Predictor(BrightEngine(), fake_card()).predict(flat)


def test_pictures_have_no_volume() -> None:
    volume = head_volume()
    pictures = Volume(volume.array, volume.affine, volume.sequences, has_world=False)
    found = Predictor(BrightEngine(), fake_card()).predict(pictures)
    assert found.volumes_ml is None
    assert found.voxels["whole"] > 0


def test_synthetic_model_is_said() -> None:
    found = Predictor(BrightEngine(), fake_card(synthetic=True)).predict(head_volume())
    assert found.synthetic
    assert any("synthetic" in note for note in found.notes)


def test_another_preprocessing_is_refused() -> None:
    for version in ({"version": VERSION + 1}, {}):
        with pytest.raises(ModelError, match="another preprocessing"):
            Predictor(BrightEngine(), fake_card(preprocess=version))


def test_unknown_region_is_refused() -> None:
    with pytest.raises(ModelError, match="regions=liver"):
        Predictor(BrightEngine(), fake_card(regions=("liver",)))


def test_values_that_are_not_finite_are_refused() -> None:
    class Broken(BrightEngine):
        def logits(self, inputs: FloatArray) -> FloatArray:
            return np.full((len(inputs), 1, 32, 32), np.nan, np.float32)

    with pytest.raises(ModelError, match="not finite"):
        Predictor(Broken(), fake_card()).predict(head_volume())


REGIONS = ("whole", "core", "enhancing")


def measured(*regions: str) -> ValidationFacts:
    fit = VolumeFit(level=0.9, stretch=3.0, patients=20)
    one = RegionFacts(tumours=20, missed=0, disagreement=None, volume=fit)
    kind = KindFacts(
        skull_stripped=False,
        sequences=("t1", "flair"),
        patients=20,
        regions=dict.fromkeys(regions, one),
    )
    return ValidationFacts(patients=20, ways=(), kinds=(kind,))


def test_a_thorough_look_changes_neither_mask_nor_probabilities() -> None:
    predictor = Predictor(BrightEngine(apart=2.0), fake_card(temperature=1.3))
    plain = predictor.predict(head_volume(), maps=True)
    found = predictor.predict(head_volume(), maps=True, uncertainty=True)
    assert np.array_equal(found.mask, plain.mask)
    assert np.array_equal(kept(found), kept(plain))
    assert found.disagreement is not None
    assert found.disagreement.shape == kept(found).shape
    assert found.disagreement.dtype == np.float32
    assert plain.reliability is None
    assert plain.disagreement is None
    assert predictor.predict(head_volume(), uncertainty=True).disagreement is None


def test_each_region_that_was_found_has_an_interval() -> None:
    """The third region lies above all intensities."""
    card = fake_card(regions=REGIONS, validation=measured("whole", "core"))
    found = Predictor(BrightEngine(2.5, regions=3), card).predict(head_volume(), uncertainty=True)
    assert found.voxels["enhancing"] == 0
    assert set(found.intervals) == {"whole", "core"}
    for region, one in found.intervals.items():
        assert one.voxels[0] < found.voxels[region] < one.voxels[1]
        assert (one.level, one.patients) == (0.9, 20)


def test_an_interval_that_was_measured_with_all_sequences_holds_for_them_only() -> None:
    card = fake_card(sequence_dropout=True, validation=measured("whole"))
    predictor = Predictor(BrightEngine(), card)
    assert predictor.predict(head_volume(), uncertainty=True).intervals["whole"].level == 0.9
    lacking = predictor.predict(head_volume().select(("flair",)), uncertainty=True)
    assert lacking.intervals["whole"].level is None


@pytest.mark.parametrize(("stripped", "removed"), [(False, True), (True, False)])
def test_clean_up_is_for_the_kind_of_image_that_it_was_chosen_on(
    stripped: bool, removed: bool
) -> None:
    """A whole head with a speck beside the tumour, and a rule that removes it."""
    volume = head_volume()
    volume.array[1, 5:7, 5:7, 1] += 80
    known = measured("whole")
    kinds = tuple(k.model_copy(update={"skull_stripped": stripped}) for k in known.kinds)
    card = fake_card(
        clean_up=CleanUp(below_share=0.5), validation=known.model_copy(update={"kinds": kinds})
    )
    everything = Predictor(BrightEngine(), fake_card()).predict(volume)
    found = Predictor(BrightEngine(), card).predict(volume)
    assert (found.voxels["whole"] < everything.voxels["whole"]) == removed
    assert any("fragments" in note for note in found.notes) == removed
