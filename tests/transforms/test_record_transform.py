import numpy as np
import pytest
import torch
from monai.data import DataLoader as MonaiDataLoader
from monai.data import Dataset, MetaTensor, list_data_collate, pad_list_data_collate
from monai.transforms import Compose
from torch.utils.data import DataLoader

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import GradeImageQualityd, LocaliseAortad


@pytest.fixture(scope="module")
def records(tube):
    shape, spacing = (90, 90, 30), (1.5, 1.5, 3.0)
    volumes = [tube(shape, spacing, lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0, seed=seed) for seed in range(2)]
    affine = torch.diag(torch.tensor([*spacing, 1.0]))
    return [{Field.IMAGE: MetaTensor(torch.as_tensor(volume)[None], affine=affine)} for volume in volumes]


@pytest.mark.parametrize(
    ("loader", "settings"),
    [
        (DataLoader, {}),
        (DataLoader, {"num_workers": 1}),
        (DataLoader, {"collate_fn": list_data_collate}),
        (DataLoader, {"collate_fn": pad_list_data_collate}),
        (MonaiDataLoader, {}),
    ],
    ids=["torch", "worker", "list", "pad", "monai"],
)
def test_records_with_reports_and_tracks_are_collated(records, loader, settings):
    find = Compose([GradeImageQualityd(Field.IMAGE), LocaliseAortad(Field.IMAGE)])
    (batch,) = loader(Dataset(records, find), batch_size=2, **settings)
    assert batch[Field.IMAGE].shape == (2, 1, 90, 90, 30)
    for index, record in enumerate(records):
        alone = find(record)
        assert batch[Field.QUALITY][index] == alone[Field.QUALITY]
        np.testing.assert_array_equal(batch[Field.AORTA][index].centres_mm, alone[Field.AORTA].centres_mm)
