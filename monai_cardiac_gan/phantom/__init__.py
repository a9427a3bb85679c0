"""Seeded whole-heart MR phantoms with an exactly known descending aorta."""

from monai_cardiac_gan.phantom.labels import PhantomLabel
from monai_cardiac_gan.phantom.phantom import WholeHeartPhantom
from monai_cardiac_gan.phantom.phantom_volume import PhantomVolume

__all__ = ["PhantomLabel", "PhantomVolume", "WholeHeartPhantom"]
