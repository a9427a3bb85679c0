"""One law for every two-sample metric: it is its function of all samples, however they arrive."""

import inspect
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import monai_cardiac_gan.metrics as room
from monai_cardiac_gan.metrics import TwoSampleMetric

CLASSES = sorted(
    (kind for kind in vars(room).values() if inspect.isclass(kind) and issubclass(kind, TwoSampleMetric)),
    key=lambda kind: kind.__name__,
)
CLASSES.remove(TwoSampleMetric)
IMAGE_CLASSES = [kind for kind in CLASSES if "features" not in inspect.signature(kind).parameters]
GENERATED, REAL = 9, 7
P_VALUE = "p_value"
"""Estimated by shuffles of a seed, so known to three standard errors of 999 of them."""
ESTIMATED = 3 * np.sqrt(0.25 / 999)


def function_of(kind):
    """The public function of the class's module that compares generated with real samples."""
    module = sys.modules[kind.__module__]
    found = [
        function
        for function in (getattr(module, name) for name in module.__all__)
        if inspect.isfunction(function)
        and [name.removesuffix("_features") for name in inspect.signature(function).parameters][:2]
        == ["generated", "real"]
    ]
    assert len(found) == 1, f"{kind.__name__}: {found}"
    return found[0]


def discs(count, seed):
    rng = np.random.default_rng(seed)
    grid = np.arange(64) - 31.5
    distance = np.hypot(grid[:, None] - rng.normal(0, 2, (count, 1, 1, 1)), grid - rng.normal(0, 2, (count, 1, 1, 1)))
    images = np.clip(rng.uniform(8, 12, (count, 1, 1, 1)) - distance, 0, 1) + rng.normal(
        0, 0.03 + 0.02 * seed, distance.shape
    )
    return torch.from_numpy(np.clip(images - 0.5, -1, 1))


def samples(kind, count, seed):
    images = discs(count, seed)
    return images if kind in IMAGE_CLASSES else images[..., ::8, ::8].flatten(1)


def collected(kind, generated_batches, real_batches):
    metric = kind()
    for generated, real in zip(generated_batches, real_batches, strict=True):
        metric(y_pred=generated, y=real)
    return metric.aggregate()


def by_name(numbers):
    return numbers if isinstance(numbers, dict) else {"": numbers}


def assert_same(first, second):
    first, second = dict(by_name(first)), dict(by_name(second))
    if P_VALUE in first:
        assert first.pop(P_VALUE) == pytest.approx(second.pop(P_VALUE), abs=ESTIMATED)
    assert first == pytest.approx(second, rel=1e-6, abs=1e-9)


@st.composite
def batches(draw):
    """Lengths of as many generated as real batches."""
    number = draw(st.integers(1, REAL))
    cuts = [
        sorted(draw(st.sets(st.integers(1, size - 1), min_size=number - 1, max_size=number - 1)))
        for size in (GENERATED, REAL)
    ]
    return [np.diff([0, *cut, size]).tolist() for cut, size in zip(cuts, (GENERATED, REAL), strict=True)]


def test_all_classes_were_found():
    names = {kind.__name__ for kind in IMAGE_CLASSES}
    assert names == {
        "AortaGeometryMetric",
        "DiversityMetric",
        "PowerSpectrumMetric",
        "RadiomicMetric",
        "SlicedWassersteinMetric",
    }
    assert len(CLASSES) >= len(names) + 5


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_is_its_function_whatever_the_batches(kind):
    generated, real = samples(kind, GENERATED, 1), samples(kind, REAL, 0)
    expected = room.as_numbers(function_of(kind)(generated, real))

    @settings(max_examples=4, deadline=None)
    @given(lengths=batches())
    def check(lengths):
        assert_same(collected(kind, generated.split(lengths[0]), real.split(lengths[1])), expected)

    check()
    assert any(by_name(expected).values())


@pytest.mark.parametrize("kind", CLASSES)
def test_decollated_lists_are_as_good_as_batches(kind):
    generated, real = samples(kind, GENERATED, 1), samples(kind, REAL, 0)
    assert_same(collected(kind, [list(generated)], [list(real)]), collected(kind, [generated], [real]))


@pytest.mark.parametrize("kind", CLASSES)
def test_the_order_of_samples_does_not_matter(kind):
    generated, real = samples(kind, GENERATED, 1), samples(kind, REAL, 0)
    expected = collected(kind, [generated], [real])
    order = torch.randperm(GENERATED, generator=torch.Generator().manual_seed(0))
    assert_same(collected(kind, [generated[order]], [real.flip(0)]), expected)


@pytest.mark.parametrize("kind", CLASSES)
def test_reset_empties(kind):
    generated, real = samples(kind, GENERATED, 1), samples(kind, REAL, 0)
    metric = kind()
    metric(y_pred=generated.flip(1), y=generated)
    metric.reset()
    assert metric.get_buffer() is None
    with pytest.raises(ValueError, match="has collected nothing"):
        metric.aggregate()
    metric(y_pred=generated, y=real)
    assert_same(metric.aggregate(), collected(kind, [generated], [real]))


@pytest.mark.parametrize("kind", IMAGE_CLASSES)
def test_a_sample_has_no_distance_to_itself(kind):
    images = samples(kind, GENERATED, 1)
    numbers = by_name(collected(kind, [images], [images.flip(0)]))
    distances = {name: number for name, number in numbers.items() if not name.endswith(("_generated", "_real"))}
    assert distances
    assert distances == pytest.approx(dict.fromkeys(distances, 0.0), abs=1e-9)
    for name in numbers.keys() - distances.keys():
        assert numbers[name] == numbers[name.replace("_generated", "_real")]


def test_numbers_are_plain_and_have_names_of_their_own():
    """An engine writes the numbers of all metrics into one dictionary."""
    names = []
    for kind in CLASSES:
        numbers = collected(kind, [samples(kind, GENERATED, 1)], [samples(kind, REAL, 0)])
        assert {type(number) for number in by_name(numbers).values()} == {float}
        if isinstance(numbers, dict):
            names += numbers
            metric = kind(part=names[-1])
            metric(y_pred=samples(kind, GENERATED, 1), y=samples(kind, REAL, 0))
            assert metric.aggregate() == numbers[names[-1]]
    assert len(names) == len(set(names)) >= 10


@pytest.mark.parametrize("kind", IMAGE_CLASSES)
@pytest.mark.parametrize("shape", [(3, 3, 64, 64), (3, 64, 64), (3, 1, 8, 64), (3, 4096)])
def test_what_is_no_batch_of_images_is_refused_at_once(kind, shape):
    with pytest.raises(ValueError, match=r"images are \[.*\], expected \(N, 1, H, W\)"):
        kind()(y_pred=torch.zeros(shape), y=torch.zeros(shape))


@pytest.mark.parametrize("kind", CLASSES)
def test_samples_of_two_shapes_are_refused(kind):
    generated = samples(kind, GENERATED, 1)
    with pytest.raises(
        ValueError, match=r"one generated or real sample is .* and another .*, expected one shape for all"
    ):
        kind()(y_pred=generated, y=generated[..., :-1])
    with pytest.raises(ValueError, match=r"expected|pass both"):
        function_of(kind)(generated, generated[..., :-1])


@pytest.mark.parametrize("kind", CLASSES)
def test_values_that_are_not_finite_are_refused(kind):
    generated = samples(kind, GENERATED, 1)
    broken = generated.clone()
    broken[2, ..., 3] = float("nan")
    with pytest.raises(ValueError, match="values that are not finite: look for"):
        collected(kind, [generated], [broken])


@pytest.mark.parametrize("kind", CLASSES)
def test_names_do_not_clash_with_monai(kind):
    import monai.metrics

    assert kind.__name__.endswith("Metric")
    assert not hasattr(monai.metrics, kind.__name__)
