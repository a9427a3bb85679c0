import pytest
import torch
from monai.data import DataLoader as MonaiDataLoader
from monai.data import Dataset as MonaiDataset
from torch.utils.data import DataLoader, Dataset, IterableDataset

from monai_cardiac_gan.data import CachedPatches, ResumableBatches
from monai_cardiac_gan.handlers.fixed_images import fixed_images


class Numbered(Dataset):
    """Image n holds the number n, and noise if asked for."""

    def __init__(self, count, noise=0.0):
        self.count, self.noise = count, noise

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        return {"image": torch.full((1, 2, 2), float(index)) + self.noise * torch.rand(()), "subject": "a"}

    def all_patches(self):
        return torch.stack([self[index]["image"] for index in range(self.count)]).half()


def numbers(images):
    return images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [0]), (3, [0, 5, 10]), (11, list(range(11))), (99, list(range(11)))]
)
def test_images_of_a_data_set_lie_evenly_apart(count, expected):
    loader = DataLoader(Numbered(11), batch_size=4, shuffle=True)
    assert numbers(fixed_images(loader, count)) == expected


def test_images_of_cached_patches_lie_evenly_apart():
    loader = CachedPatches(Numbered(11), ResumableBatches(range(11), 4), size=2)
    images = fixed_images(loader, 3)
    assert numbers(images) == [0, 5, 10]
    assert images.dtype == torch.float32
    assert loader.batch_sampler.epoch == 0


def test_the_order_of_the_training_is_left_alone():
    data = Numbered(11)
    loader = DataLoader(data, batch_sampler=ResumableBatches(data, 4))
    fixed_images(loader, 5)
    assert loader.batch_sampler.epoch == 0
    twin = DataLoader(data, batch_sampler=ResumableBatches(data, 4))
    assert [batch["image"].tolist() for batch in loader] == [batch["image"].tolist() for batch in twin]


def test_random_transforms_give_the_same_in_each_run_and_draw_nothing_from_the_training():
    loader = DataLoader(Numbered(11, noise=0.5), batch_size=2, shuffle=True)
    torch.manual_seed(1)
    first, after = fixed_images(loader, 5), torch.rand(3)
    torch.manual_seed(2)
    assert torch.equal(fixed_images(loader, 5), first)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), after)


def test_monai_loaders_and_plain_lists_work_too():
    data = [{"image": torch.full((1, 2, 2), float(number))} for number in range(5)]
    assert numbers(fixed_images(MonaiDataLoader(MonaiDataset(data), batch_size=2), 3)) == [0, 2, 4]
    batches = [torch.full((2, 1, 2, 2), float(number)) for number in range(3)]
    assert numbers(fixed_images(batches, 3)) == [0, 0, 1]
    assert numbers(fixed_images(torch.cat(batches), 5)) == [0, 0, 1, 1, 2]


def test_a_stream_gives_its_first_images():
    class Stream(IterableDataset):
        def __iter__(self):
            return iter(torch.full((1, 2, 2), float(number)) for number in range(9))

    assert numbers(fixed_images(DataLoader(Stream(), batch_size=2), 3)) == [0, 1, 2]


def test_a_source_without_images_is_refused():
    with pytest.raises(ValueError, match="the source has no images: give a loader of at least one batch"):
        fixed_images([], 3)
