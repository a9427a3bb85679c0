import numpy as np
from streaming import PER_VOLUME, epoch, write_set

from monai_cardiac_gan.data import AortaPatchDataset


def test_an_epoch_reads_each_patch_of_the_set_once(tmp_path):
    write_set(tmp_path / "set", volumes=3)
    dataset = AortaPatchDataset(tmp_path / "set")
    count, seconds, waits = epoch(dataset)
    assert count == len(dataset) == 3 * PER_VOLUME
    assert len(waits) == -(-count // 49)
    assert waits.sum() <= seconds
    # two volumes are two stretches of the same stack
    np.testing.assert_array_equal(dataset[1]["image"].numpy(), dataset[PER_VOLUME]["image"].numpy())
