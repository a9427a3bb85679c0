"""Ways from trained networks to images: painting the expected aorta into a hole."""

from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.masks import square_hole
from monai_cardiac_gan.inferers.result import DescentTraces, InpaintingResult, StartImages

__all__ = ["DescentTraces", "InpaintingResult", "LatentInpaintingInferer", "StartImages", "square_hole"]
