import resource
import sys

import numpy as np
import pytest
import torch

from monai_cardiac_gan.data import (
    AortaPatchDataset,
    CachedPatches,
    ResumableBatches,
    StreamedPatches,
    WindowedBatches,
    patch_loader,
)
from monai_cardiac_gan.data.free_memory import free_bytes
from monai_cardiac_gan.keys import Field, PatchColumn

SIDE = 16


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, patch_set_maker):
    maker, rng = patch_set_maker(tmp_path_factory.mktemp("patches") / "set"), np.random.default_rng(0)
    names = (
        PatchColumn.SLICE, PatchColumn.CENTRE_X, PatchColumn.CENTRE_Y, PatchColumn.DIAMETER, PatchColumn.CONFIDENCE,
        PatchColumn.PADDED,
    )  # fmt: skip
    for number, count in enumerate((4, 1, 3, 5)):
        valid = {PatchColumn.VALID_X_START: 0, PatchColumn.VALID_X_STOP: SIDE - 2 * number}
        rows = [
            {**dict.fromkeys(names, 0), **valid, PatchColumn.VALID_Y_START: 0, PatchColumn.VALID_Y_STOP: SIDE}
        ] * count
        maker.add(str(number), list(rng.uniform(-1, 1, (count, SIDE, SIDE))), [np.eye(4)] * count, rows)
    return AortaPatchDataset(maker.finish())


@pytest.mark.parametrize("size", [SIDE, 4])
@pytest.mark.parametrize("ahead", [1, 3, 99])
def test_batches_are_those_of_cached_patches(dataset, size, ahead):
    streamed = StreamedPatches(dataset, ResumableBatches(dataset, 3, seed=2), size, ahead)
    cached = CachedPatches(dataset, ResumableBatches(dataset, 3, seed=2), size)
    assert len(streamed) == len(cached) == 5
    for _ in range(2):
        for one, other in zip(streamed, cached, strict=True):
            assert torch.equal(one[Field.VALID], other[Field.VALID])
            torch.testing.assert_close(one[Field.IMAGE], other[Field.IMAGE], rtol=0, atol=2**-11)
    torch.testing.assert_close(streamed.evenly_spaced(4), cached.evenly_spaced(4), rtol=0, atol=2**-11)
    items = [dataset[index][Field.VALID] for index in (0, 4, 8, 12)]
    assert torch.equal(streamed.evenly_spaced_valid(4), cached.evenly_spaced_valid(4))
    if streamed.evenly_spaced(1).shape[-1] == SIDE:
        assert torch.equal(streamed.evenly_spaced_valid(4), torch.stack(items))


def test_a_pass_that_is_given_up_leaves_the_next_one_whole(dataset):
    loader = StreamedPatches(dataset, ResumableBatches(dataset, 3, shuffle=False), SIDE)
    next(iter(loader))
    assert sum(len(batch[Field.IMAGE]) for batch in loader) == len(dataset)


def test_the_loader_is_chosen_by_what_fits(dataset, monkeypatch):
    assert isinstance(patch_loader(dataset, 3, size=SIDE), CachedPatches)
    streamed = patch_loader(dataset, 3, size=SIDE, memory_share=0.0)
    assert isinstance(streamed, StreamedPatches)
    assert isinstance(streamed.batch_sampler, WindowedBatches)
    room = {"cpu": 10**9, "meta": 100}
    module = sys.modules["monai_cardiac_gan.data.fitting_loader"]
    monkeypatch.setattr(module, "free_bytes", lambda device: room[str(device)])
    assert patch_loader(dataset, 3, size=SIDE, device="meta").patches.device.type == "cpu"
    room["meta"] = 10**9
    assert patch_loader(dataset, 3, size=SIDE, device="meta").patches.device.type == "meta"


def test_memory_of_the_machine_is_at_least_what_this_process_takes():
    assert free_bytes("cpu") > 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 4


def test_odd_arguments_are_refused(dataset):
    with pytest.raises(ValueError, match="ahead is 0: expected at least 1 batch"):
        StreamedPatches(dataset, [], ahead=0)
    with pytest.raises(ValueError, match="memory_share is 2: expected 0"):
        patch_loader(dataset, 3, memory_share=2)
    with pytest.raises(ValueError, match="weights are given"):
        patch_loader(dataset, 3, memory_share=0.0, weights=[1.0] * len(dataset))
    with pytest.raises(TypeError, match="generator has no length: give an epoch_length"):
        len(StreamedPatches(dataset, (batch for batch in [])))
