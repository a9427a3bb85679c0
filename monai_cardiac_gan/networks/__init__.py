"""Networks, their weights from files, and batch normalisation over several processes."""

from monai_cardiac_gan.networks.checkpoint import find_weights, load_network
from monai_cardiac_gan.networks.frozen import frozen
from monai_cardiac_gan.networks.synchronise import SharedBatchNorm2d, synchronise_batch_norm

__all__ = ["SharedBatchNorm2d", "find_weights", "frozen", "load_network", "synchronise_batch_norm"]
