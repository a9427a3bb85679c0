"""Networks, and a table of what is inside one."""

from monai_cardiac_gan.networks.layer_table import LayerRow, format_layer_table, layer_table

__all__ = ["LayerRow", "format_layer_table", "layer_table"]
