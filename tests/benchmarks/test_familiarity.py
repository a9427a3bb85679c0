import numpy as np
import pytest
import torch
from familiarity import brightness_changes, widened


def disc(radius):
    rows, columns = np.mgrid[:128, :128] - 64.0
    return torch.from_numpy(np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1)).float()[None, None]


@pytest.mark.parametrize("factor", [1.0, 1.3, 1.6])
def test_a_vessel_is_widened_by_the_stated_factor_and_the_rest_stays(factor):
    patches = disc(10)
    changed = widened(patches, factor)
    assert float(changed.sum() / patches.sum()) == pytest.approx(factor**2, rel=0.06)
    ramp = torch.arange(128.0).expand(1, 1, 128, 128)
    edge = (widened(ramp, factor) - ramp)[..., :, :4].abs()
    assert float(edge.max()) < 1e-2


def test_changes_of_brightness_do_what_they_are_called():
    values = torch.tensor([0.0, 0.1, 0.8, 1.0]).view(1, 4, 1, 1)
    changed = {name: change(values).flatten() for name, change in brightness_changes(0.8).items()}
    torch.testing.assert_close(changed["turned round"], torch.tensor([1.0, 0.9, 0.2, 0.0]))
    assert changed["black blood"][2:].max() < 0.01 < changed["black blood"][1]
    assert changed["as in CT"][0] == 0
    torch.testing.assert_close(changed["to the power 2"], torch.tensor([0.0, 0.01, 0.64, 1.0]))
