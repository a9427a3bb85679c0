"""Finding and measuring the descending aorta: arrays in, frozen results out."""

from monai_cardiac_gan.aorta.disc import AortaDisc, measure_disc
from monai_cardiac_gan.aorta.ellipse import AortaEllipse, fit_ellipse
from monai_cardiac_gan.aorta.labels import track_from_labels
from monai_cardiac_gan.aorta.localise import localise_aorta
from monai_cardiac_gan.aorta.lumen import Lumen, measure_lumen, measure_lumens
from monai_cardiac_gan.aorta.track import AortaTrack

__all__ = [
    "AortaDisc",
    "AortaEllipse",
    "AortaTrack",
    "Lumen",
    "fit_ellipse",
    "localise_aorta",
    "measure_disc",
    "measure_lumen",
    "measure_lumens",
    "track_from_labels",
]
