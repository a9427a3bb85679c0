import numpy as np
import pytest
import torch

from monai_cardiac_gan.data import AortaPatchDataset, CachedPatches, ResumableBatches
from monai_cardiac_gan.keys import Field, PatchColumn

SIDE = 16
HALF_STEP = 2.0**-12
"""Rounding error of float16 below 1."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, patch_set_maker):
    """Three volumes with 4, 1 and 3 patches."""
    folder = tmp_path_factory.mktemp("patches") / "set"
    maker, rng = patch_set_maker(folder), np.random.default_rng(0)
    for name, split, count in (("a", "train", 4), ("b", "test", 1), ("c", "train", 3)):
        patches = list(rng.uniform(-1, 1, (count, SIDE, SIDE)))
        row = dict.fromkeys(
            (
                PatchColumn.CENTRE_X,
                PatchColumn.CENTRE_Y,
                PatchColumn.DIAMETER,
                PatchColumn.CONFIDENCE,
                PatchColumn.PADDED,
            ),
            0.5,
        )
        rows = [{PatchColumn.SLICE: level, **row} for level in range(count)]
        maker.add(name, patches, [np.eye(4)] * count, rows, split)
    return maker.finish()


def one_by_one(dataset):
    return torch.stack([item[Field.IMAGE].as_tensor() for item in dataset])


@pytest.mark.parametrize("split", ["train", "test", None])
@pytest.mark.parametrize("limit", [None, 1, 2, 3, 5, 100])
def test_all_patches_are_those_read_one_by_one(folder, split, limit):
    dataset = AortaPatchDataset(folder, split, limit=limit)
    patches = dataset.all_patches()
    assert patches.shape == (min(limit or 100, {"train": 7, "test": 1, None: 8}[split]), 1, SIDE, SIDE)
    assert patches.dtype == torch.float16  # what is on disk
    assert torch.equal(patches.float(), one_by_one(dataset))


def test_all_patches_are_a_copy(folder):
    dataset = AortaPatchDataset(folder)
    before = one_by_one(dataset)
    dataset.all_patches().zero_()
    assert torch.equal(one_by_one(dataset), before)


def test_batches_are_the_patches_in_the_sampler_s_order(folder):
    dataset = AortaPatchDataset(folder, "train")
    loader = CachedPatches(dataset, ResumableBatches(dataset, 3, seed=4), size=SIDE)
    again, patches = ResumableBatches(dataset, 3, seed=4), one_by_one(dataset)
    for _ in range(2):  # two epochs, each in an order of its own
        for batch, indices in zip(loader, again, strict=True):
            assert batch.keys() == {Field.IMAGE, Field.VALID}
            assert batch[Field.VALID].shape == batch[Field.IMAGE].shape
            assert batch[Field.VALID].all()
            assert batch[Field.IMAGE].dtype == torch.float32
            assert torch.equal(batch[Field.IMAGE], patches[indices])


def test_a_resumed_epoch_goes_on(folder):
    dataset = AortaPatchDataset(folder)
    loader = CachedPatches(dataset, ResumableBatches(dataset, 3), size=SIDE)
    straight = [batch[Field.IMAGE] for batch in loader]
    loader.batch_sampler.continue_from(epoch=0, batch=1)
    resumed = [batch[Field.IMAGE] for batch in loader]
    assert len(resumed) == 2
    assert all(torch.equal(a, b) for a, b in zip(resumed, straight[1:], strict=True))


def test_changing_a_batch_leaves_the_patches_alone(folder):
    loader = CachedPatches(AortaPatchDataset(folder), [[0, 1, 2, 3, 4, 5, 6, 7]], size=SIDE)
    before = next(iter(loader))[Field.IMAGE].clone()
    next(iter(loader))[Field.IMAGE].zero_()
    assert torch.equal(next(iter(loader))[Field.IMAGE], before)


@pytest.mark.parametrize("size", [1, 2, 8])
def test_smaller_patches_are_means_of_blocks(folder, size):
    dataset = AortaPatchDataset(folder)
    loader = CachedPatches(dataset, [list(range(8))], size=size)
    block = SIDE // size
    means = one_by_one(dataset).numpy().reshape(8, 1, size, block, size, block).mean((3, 5))
    np.testing.assert_allclose(next(iter(loader))[Field.IMAGE].numpy(), means, rtol=0, atol=HALF_STEP)


def test_they_stay_at_half_precision(folder):
    dataset = AortaPatchDataset(folder)
    assert CachedPatches(dataset, [[0]], size=SIDE).patches.dtype == torch.float16
    assert CachedPatches(dataset, [[0]], size=4).patches.dtype == torch.float16


def test_the_dataset_s_transform_is_not_applied(folder):
    dataset = AortaPatchDataset(folder, transform=lambda item: {Field.IMAGE: 0 * item[Field.IMAGE]})
    assert next(iter(CachedPatches(dataset, [[0]], size=SIDE)))[Field.IMAGE].any()


@pytest.mark.parametrize(
    ("count", "chosen"), [(1, [0]), (2, [0, 7]), (3, [0, 4, 7]), (8, list(range(8))), (99, list(range(8)))]
)
def test_some_patches_are_spread_over_all(folder, count, chosen):
    dataset = AortaPatchDataset(folder)
    spread = CachedPatches(dataset, [[0]], size=SIDE).evenly_spaced(count)
    assert spread.dtype == torch.float32
    assert torch.equal(spread, one_by_one(dataset)[chosen])


@pytest.mark.parametrize("limit", [None, 3])
def test_subjects_are_in_the_order_of_the_patches(folder, limit):
    dataset = AortaPatchDataset(folder, limit=limit)
    assert dataset.subjects() == [item[Field.SUBJECT] for item in dataset]


def test_weights_belong_to_subjects_by_pattern(folder):
    dataset = AortaPatchDataset(folder)
    assert dataset.weights({"b": 3.0, "[ab]": 0.5}) == [0.5] * 4 + [3.0] + [1.0] * 3  # the first that fits
    assert dataset.weights({"*": 2.0}) == [2.0] * 8
    assert dataset.weights({}) is None
    with pytest.raises(
        ValueError, match=r"no subject is called like \['la_\*'\]: expected patterns of names such as 'a'"
    ):
        dataset.weights({"a": 1.0, "la_*": 2.0})


def test_the_length_is_that_of_the_sampler(folder):
    dataset = AortaPatchDataset(folder)
    assert len(CachedPatches(dataset, ResumableBatches(dataset, 3), size=SIDE)) == 3
    assert len(CachedPatches(dataset, ResumableBatches(dataset, 3, drop_last=True), size=SIDE)) == 2
    with pytest.raises(TypeError, match="generator has no length: give an epoch_length to the trainer"):
        len(CachedPatches(dataset, ([0] for _ in range(2)), size=SIDE))


@pytest.mark.parametrize("size", [0, -4, 5, 32, 128])
def test_sizes_that_do_not_divide_are_refused(folder, size):
    with pytest.raises(ValueError, match=f"size is {size}, expected a divisor of the patches' side 16: such as 8"):
        CachedPatches(AortaPatchDataset(folder), [[0]], size=size)
