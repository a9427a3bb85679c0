"""What each layer of a network puts out, and how many parameters it holds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["LayerRow", "format_layer_table", "layer_table"]


@dataclass(frozen=True)
class LayerRow:
    """One layer, in the order in which it is called."""

    name: str
    """Path inside the network, such as ``layers.3``."""
    kind: str
    """Class of the layer."""
    output_shape: tuple[int, ...]
    """Shape of its output, batch axis included."""
    parameters: int
    """Weights and biases that can be learnt."""


def layer_table(network: nn.Module, example: Tensor) -> list[LayerRow]:
    """List the layers that an example passes through.

    The network is run once in evaluation mode without gradients, so that no running statistics change; its modes are
    put back afterwards. A layer that is called twice has two rows.

    Args:
        network: any module whose leaves put out one tensor each.
        example: an input of the network.

    Returns:
        One row for each call of a module without children.

    Example:
        >>> [row.parameters for row in layer_table(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), torch.zeros(1, 3))]
        [8, 0]
    """
    rows: list[LayerRow] = []
    names = {module: name for name, module in network.named_modules()}

    def note(module: nn.Module, _: object, output: Tensor) -> None:
        parameters = sum(parameter.numel() for parameter in module.parameters())
        rows.append(LayerRow(names[module], type(module).__name__, tuple(output.shape), parameters))

    leaves = [module for module in names if not any(module.children())]
    modes = {module: module.training for module in names}
    hooks = [module.register_forward_hook(note) for module in leaves]
    try:
        with torch.no_grad():
            network.eval()(example)
    finally:
        for hook in hooks:
            hook.remove()
        for module, mode in modes.items():
            module.training = mode
    return rows


def format_layer_table(rows: list[LayerRow]) -> str:
    """Set the rows as lines of text with a sum below.

    Example:
        >>> rows = layer_table(nn.Sequential(nn.Linear(3, 2)), torch.zeros(1, 3))
        >>> format_layer_table(rows).splitlines()[1].split()
        ['0', 'Linear', '1', 'x', '2', '8']
    """
    cells = [("layer", "kind", "output", "parameters")]
    cells += [(row.name, row.kind, " x ".join(map(str, row.output_shape)), str(row.parameters)) for row in rows]
    cells.append(("", "", "sum", str(sum(row.parameters for row in rows))))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells)
