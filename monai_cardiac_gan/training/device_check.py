"""Whether a device computes the networks as float64 does."""

from __future__ import annotations

import copy
import logging
from typing import Any

import torch
from torch import Tensor, nn

from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator

__all__ = ["check_device", "describe_device"]

logger = logging.getLogger(__name__)

TOLERANCES = {"float32": 5e-3, "bfloat16": 0.2}
"""Largest relative error of images, scores and slopes. Convolutions in TF32 keep ten bits of mantissa, bfloat16 seven (0.1 for
slopes through a dozen layers); a wrong kernel is off by a hundred per cent."""
COUNT = 4
WIDTH, SIDE = 4, 32
"""Of the networks that describe a device."""


def check_device(
    generator: nn.Module, critic: nn.Module, device: torch.device, latent_size: int = 100, precision: str = "float32"
) -> float:
    r"""Compare images, scores and the critic's slopes on a device with those in float64 on the CPU.

    Args:
        generator: latents (N, latent_size) to images, without random pixel noise.
        critic: images to scores.
        device: where it is computed.
        latent_size: numbers in a latent.
        precision: ``"float32"``, or ``"bfloat16"`` under autocast.

    Returns:
        The largest of three relative errors, each :math:`\lVert a - b \rVert_2 / \lVert b \rVert_2` with b in float64.

    Raises:
        RuntimeError: when it is above the tolerance of the precision (float32: 0.005, bfloat16: 0.2).
    """
    latents = torch.randn(COUNT, latent_size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    exact = _answers(generator, critic, latents, torch.device("cpu"), None)
    dtype = None if precision == "float32" else getattr(torch, precision)
    found = _answers(generator, critic, latents.float(), device, dtype)
    errors = [((a - b).norm() / b.norm()).item() for a, b in zip(found, exact, strict=True)]
    largest = max(errors)
    if not largest <= TOLERANCES[precision]:
        raise RuntimeError(
            f"{device} computes in {precision} with a relative error of {largest:.3g}, expected at most "
            f"{TOLERANCES[precision]}: update the driver or PyTorch, or train on another device."
        )
    return largest


def _answers(
    generator: nn.Module, critic: nn.Module, latents: Tensor, device: torch.device, dtype: torch.dtype | None
) -> list[Tensor]:
    """Images, scores and slopes, in float64 on the CPU."""
    generator, critic = (copy.deepcopy(each).to(device, latents.dtype).eval() for each in (generator, critic))
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
        images = generator(latents.to(device)).detach().requires_grad_()
        scores = critic(images)
    (slopes,) = torch.autograd.grad(scores.float().sum() if dtype else scores.sum(), images)
    return [each.detach().double().cpu() for each in (images, scores, slopes)]


def describe_device(device: torch.device) -> dict[str, Any]:
    """Name of a device, and the errors (`check_device`) of small networks by precision; bfloat16 only where a GPU has it."""
    networks = ResidualGenerator(width=WIDTH, size=SIDE).double(), ResidualCritic(width=WIDTH, size=SIDE).double()
    errors = {"float32": check_device(*networks, device)}
    if device.type == "cpu":
        return {"name": f"CPU, {torch.get_num_threads()} threads", "errors": errors}
    try:
        errors["bfloat16"] = check_device(*networks, device, precision="bfloat16")
    except RuntimeError as error:
        logger.warning("no bfloat16: %s", error)
    return {"name": torch.cuda.get_device_name(device), "errors": errors}
