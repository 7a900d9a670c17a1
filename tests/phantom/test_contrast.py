from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.core.volume import SEQUENCES
from gliomask.phantom.contrast import Protocol, PulseTiming, acquire, draw_protocol, rician, signals
from gliomask.phantom.fields import PhantomGrid
from gliomask.phantom.tissues import RELAXATION, Tissue

T1, T1CE, T2, FLAIR = range(4)
TEXTBOOK = {  # T1 in ms, T2 in ms, proton density at 3 T
    Tissue.CSF: (3000, 350, 1.0),
    Tissue.GM: (1331, 110, 0.86),
    Tissue.WM: (832, 79.6, 0.77),
    Tissue.TUMOUR: (1850, 115, 0.9),
    Tissue.RIM: (1850, 115, 0.9),
}


def textbook() -> Protocol:
    relaxation = RELAXATION.copy()
    for tissue, values in TEXTBOOK.items():
        relaxation[tissue] = values
    gadolinium = np.zeros(len(Tissue), np.float32)
    gadolinium[Tissue.RIM] = 0.1
    return Protocol(
        timings=(
            PulseTiming(500, 14),
            PulseTiming(500, 14),
            PulseTiming(4000, 100),
            PulseTiming(9000, 110, 2500),
        ),
        relaxation=relaxation,
        gadolinium_mm=gadolinium,
        noise=(0.0,) * 4,
        blur_mm=0.0,
        bias=0.0,
        scale=(1.0,) * 4,
    )


@pytest.mark.parametrize(
    ("sequence", "tissue", "expected"),
    [
        (T1, Tissue.WM, 0.292),
        (T1, Tissue.GM, 0.237),
        (T1, Tissue.CSF, 0.147),
        (T1, Tissue.TUMOUR, 0.189),
        (T1CE, Tissue.TUMOUR, 0.189),
        (T1CE, Tissue.RIM, 0.311),
        (T2, Tissue.WM, 0.217),
        (T2, Tissue.GM, 0.329),
        (T2, Tissue.CSF, 0.553),
        (T2, Tissue.TUMOUR, 0.334),
        (FLAIR, Tissue.GM, 0.220),
        (FLAIR, Tissue.TUMOUR, 0.169),
    ],
)
def test_signals_computed_by_hand(sequence: int, tissue: Tissue, expected: float) -> None:
    assert signals(textbook())[sequence, tissue] == pytest.approx(expected, abs=0.001)


def test_every_scanner_shows_the_textbook_order() -> None:
    for seed in range(40):
        protocol = draw_protocol(np.random.default_rng(seed))
        t1, t1ce, t2, flair = signals(protocol)
        assert t1[Tissue.WM] > t1[Tissue.GM] > t1[Tissue.CSF]
        assert t1ce[Tissue.RIM] > 1.2 * t1[Tissue.RIM]
        assert t1ce[Tissue.WM] == pytest.approx(t1[Tissue.WM])
        assert t2[Tissue.CSF] > t2[Tissue.GM] > t2[Tissue.WM]
        assert flair[Tissue.CSF] < 0.4 * flair[Tissue.WM]
        assert flair[Tissue.GM] > 0.8 * flair[Tissue.WM]
        assert flair[Tissue.OEDEMA] > 1.1 * flair[[Tissue.GM, Tissue.WM]].max()


def test_scanners_differ() -> None:
    one, other = (draw_protocol(np.random.default_rng(seed)) for seed in (1, 2))
    assert one.timings != other.timings
    assert one.scale != other.scale
    assert not np.array_equal(one.relaxation, other.relaxation)


def fractions_of(
    tissue: Tissue, grid: PhantomGrid
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    fractions = np.zeros((len(Tissue), *grid.shape), np.float32)
    fractions[tissue] = 1
    return fractions


def test_a_scan_without_noise_is_the_signal_but_for_the_grain() -> None:
    grid = PhantomGrid((24, 24, 3), (4.0, 4.0, 6.0), (0, 0, 0))
    protocol = dataclasses.replace(textbook(), scale=(10.0, 20.0, 30.0, 40.0))
    images = acquire(np.random.default_rng(0), grid, fractions_of(Tissue.GM, grid), protocol)
    table = signals(protocol)
    for index in range(len(SEQUENCES)):
        expected = protocol.scale[index] * table[index, Tissue.GM] / table[index, Tissue.WM]
        assert images[index].mean() == pytest.approx(expected, rel=0.02)
        assert 0 < images[index].std() < 0.1 * expected


def test_half_and_half_gives_the_mean_of_the_signals() -> None:
    grid = PhantomGrid((16, 16, 3), (4.0, 4.0, 6.0), (0, 0, 0))
    mixed = 0.5 * fractions_of(Tissue.CSF, grid) + 0.5 * fractions_of(Tissue.WM, grid)
    table = signals(textbook())
    expected = 0.5 + 0.5 * table[T2, Tissue.CSF] / table[T2, Tissue.WM]
    images = acquire(np.random.default_rng(0), grid, mixed, textbook())
    assert images[T2].mean() == pytest.approx(expected, rel=0.02)


def test_the_bias_field_shades_slowly() -> None:
    grid = PhantomGrid((40, 40, 3), (5.0, 5.0, 6.0), (0, 0, 0))
    shaded = dataclasses.replace(textbook(), bias=0.3, blur_mm=30.0)  # the blur removes the grain
    image = acquire(np.random.default_rng(0), grid, fractions_of(Tissue.WM, grid), shaded)[T1]
    assert image.max() > 1.15 * image.min()
    assert np.abs(np.diff(np.log(image), axis=0)).max() < 0.1


@settings(deadline=None, max_examples=25)
@given(sigma=st.floats(0, 5), level=st.floats(0, 10), seed=st.integers(0, 2**31))
def test_rician_noise_is_never_negative(sigma: float, level: float, seed: int) -> None:
    noisy = rician(np.random.default_rng(seed), np.full((5, 6), level, np.float32), sigma)
    assert noisy.dtype == np.float32
    assert (noisy >= 0).all()


def test_rician_noise_on_air_is_rayleigh() -> None:
    noisy = rician(np.random.default_rng(0), np.zeros((300, 300), np.float32), 2.0)
    assert noisy.mean() == pytest.approx(2 * np.sqrt(np.pi / 2), rel=0.01)


def test_no_noise_leaves_the_image() -> None:
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert rician(np.random.default_rng(0), image, 0.0).tolist() == image.tolist()
