import torch
from torch import nn

from monai_cardiac_gan.evaluation.comparison import FEATURE_METRICS, IMAGE_METRICS, numbers_of
from monai_cardiac_gan.evaluation.patch_measures import measure_patches, patch_measures

FEATURES = nn.Sequential(nn.AvgPool2d(16), nn.Flatten())


def patches(count, seed):
    random = torch.Generator().manual_seed(seed)
    distance = torch.hypot(*torch.meshgrid(*[torch.arange(64.0) - 31.5] * 2, indexing="ij"))
    radius = 9 + 3 * torch.rand(count, 1, 1, 1, generator=random)
    disc = (radius - distance).clamp(0, 1) - 0.5
    return (disc + 0.1 * torch.randn(count, 1, 64, 64, generator=random)).clamp(-1, 1)


def test_every_metric_of_images_and_features_is_measured():
    names = [name for measure in patch_measures(FEATURES, 64).values() for name in measure.metrics]
    assert len(names) == len(set(names))
    assert set(names) == {*IMAGE_METRICS, *FEATURE_METRICS, "radiomic"}


def test_numbers_from_what_was_kept_of_a_selection_are_those_of_the_selected_patches():
    pool, other = patches(20, 0), patches(12, 1)
    kept, of_other = (measure_patches(patch_measures(FEATURES, 64), each) for each in (pool, other))
    chosen = torch.tensor([3, 7, 8, 12, 15, 16, 17, 19])
    for name, measure in patch_measures(FEATURES, 64).items():
        found = numbers_of(measure.metrics, kept[name][chosen], of_other[name])
        if name == "neighbourhoods":  # its pixels are drawn for the patches of a pool
            continue
        assert found == numbers_of(measure.metrics, measure.of(pool[chosen]), of_other[name])


def test_neighbourhoods_of_the_pool_give_no_distance_to_themselves_and_a_larger_one_to_blurred_patches():
    measure = patch_measures(FEATURES, 64)["neighbourhoods"]
    pool, other = patches(30, 0), patches(30, 1)
    blurred = nn.functional.avg_pool2d(other, 3, 1, 1)
    same, near, far = (
        numbers_of(measure.metrics, measure.of(each), measure.of(pool)) for each in (pool, other, blurred)
    )
    assert set(same.values()) == {0.0}
    assert near["sliced_wasserstein/sliced_wasserstein_64"] < far["sliced_wasserstein/sliced_wasserstein_64"]
