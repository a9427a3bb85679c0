"""Networks, a table of what is inside one, and batch normalisation over several processes."""

from monai_cardiac_gan.networks.layer_table import LayerRow, format_layer_table, layer_table
from monai_cardiac_gan.networks.synchronise import SharedBatchNorm2d, synchronise_batch_norm

__all__ = ["LayerRow", "SharedBatchNorm2d", "format_layer_table", "layer_table", "synchronise_batch_norm"]
