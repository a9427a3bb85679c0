"""One call each that trains a network beside the GAN, or lets the GAN's networks grow."""

from monai_cardiac_gan.training.fine_tune import start_from_weights
from monai_cardiac_gan.training.fit_output_filter import FitOutputFilter
from monai_cardiac_gan.training.growth import grow_networks
from monai_cardiac_gan.training.learn_familiarity import LearnFamiliarity
from monai_cardiac_gan.training.train_encoder import TrainLatentEncoder
from monai_cardiac_gan.training.train_features import TrainPatchFeatures
from monai_cardiac_gan.training.train_inpainting_unet import TrainInpaintingUNet

__all__ = [
    "FitOutputFilter",
    "LearnFamiliarity",
    "TrainInpaintingUNet",
    "TrainLatentEncoder",
    "TrainPatchFeatures",
    "grow_networks",
    "start_from_weights",
]
