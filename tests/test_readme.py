"""The README's Python runs as it stands."""

import re
from pathlib import Path

import numpy as np

README = Path(__file__).resolve().parents[1] / "README.md"


def test_the_example_runs_through_to_a_batch(write_tube, tmp_path):
    for number in range(2):
        write_tube(f"{number}.nii.gz", seed=number, folder=tmp_path / "hearts")
    (code,) = re.findall(r"^```python\n(.*?)^```", README.read_text(encoding="utf-8"), re.M | re.S)
    names: dict = {}
    exec(code.replace("/data/hearts", str(tmp_path / "hearts")), names)
    patches = names["patches"]
    # 30 slices of 3 mm lie 0 to 87 mm up, and half a slice further; every second millimetre, in both volumes
    assert patches.shape == (2 * 45, 1, 128, 128)
    corner = patches.affine.numpy()[0] @ [64, 64, 0, 1]
    np.testing.assert_allclose(corner[:2], [50, 60], atol=1.0)  # the tube's centre lies in the middle
