"""Networks, their weights from files, and batch normalisation over several processes."""

from monai_cardiac_gan.networks.checkpoint import load_network
from monai_cardiac_gan.networks.frozen import frozen
from monai_cardiac_gan.networks.synchronise import SharedBatchNorm2d, synchronise_batch_norm

__all__ = ["SharedBatchNorm2d", "frozen", "load_network", "synchronise_batch_norm"]
