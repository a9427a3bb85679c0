import numpy as np

from monai_cardiac_gan.aorta.fit_track import fit_track
from monai_cardiac_gan.aorta.tubes import Tube


def test_a_scrap_between_two_thick_slices_is_no_track():
    """The search has a slice every 3 mm; a tube on one of them may touch no slice of the volume."""
    volume = np.random.default_rng(0).normal(100, 20, (80, 80, 2))
    tube = Tube(np.array([5]), np.array([[60.0, 60.0]]), np.array([10.0]), np.array([0.8]), 0.3)
    assert len(fit_track(volume, np.array([1.5, 1.5, 30.0]), tube, np.array([15.0]), 1.0)) == 0


def test_slices_whose_rim_is_far_lower_than_the_others_are_not_believed(tube):
    """The coils' signal fades towards the feet: to a fifth of its height on the lowest slices, and rims with it."""
    shape, spacing = (80, 80, 60), (1.3, 1.3, 2.5)
    vessel = tube(shape, spacing, lambda z: np.stack([50 + 0 * z, 50 + 0 * z]), 22.0)
    contrast = np.interp(np.arange(60), [0, 8, 20], [0.15, 0.15, 1.0])
    faded = 200 + (vessel - vessel.min()) * contrast
    course = Tube(np.arange(50), np.full((50, 2), 50.0), np.full(50, 11.0), np.full(50, 0.9), 20.0)
    track = fit_track(faded, np.array(spacing), course, np.arange(50) * 3.0, 0.8)
    assert 9 <= track.slices[0] <= 13  # 0.25 of the height is reached at 9.4, 0.5 at 12.9
    assert track.slices[-1] >= 57
    assert 0.7 < track.track_confidence <= 0.8
