"""Seeded whole-heart MR phantoms with an exactly known descending aorta."""

from monai_cardiac_gan.data.phantom.labels import PhantomLabel
from monai_cardiac_gan.data.phantom.phantom import PhantomVolume, WholeHeartPhantom

__all__ = ["PhantomLabel", "PhantomVolume", "WholeHeartPhantom"]
