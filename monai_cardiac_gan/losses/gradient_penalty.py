"""Gradient penalty of the Wasserstein GAN (Gulrajani et al. 2017, algorithm 1, lines 6-7)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "GradientPenalty",
    "chain_of",
    "differentiable_input_gradient",
    "input_gradient",
    "input_gradient_piecewise_linear",
]


class GradientPenalty(nn.Module):
    r"""Penalise a critic whose slope between real and generated images is not one.

    .. math:: \lambda \, \frac{1}{N} \sum_n \left(\lVert \nabla_{\hat x_n} D(\hat x_n) \rVert_2 - 1\right)^2,
        \quad \hat x_n = \epsilon_n x_n + (1 - \epsilon_n) \tilde x_n, \quad \epsilon_n \sim U(0, 1)

    The norm is taken per sample, over all of its pixels. A critic that is, or that shows as its attribute ``chain``,
    an ``nn.Sequential`` of plain convolutions and leaky rectifiers in turn is differentiated without a second
    backward pass; ``chain`` promises that the critic's score is ``chain(images).flatten()``.

    Args:
        weight: :math:`\lambda`, at least 0; the paper uses 10 for every experiment.

    Raises:
        ValueError: when the weight is negative.

    Example:
        A critic that sums four pixels has slope 2 everywhere, so its penalty is ``10 * (2 - 1) ** 2``:

        >>> reals, fakes = torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2)
        >>> GradientPenalty()(lambda images: images.flatten(1).sum(1), reals, fakes)
        (tensor(10.), tensor([2., 2., 2.]))
    """

    def __init__(self, weight: float = 10.0) -> None:
        super().__init__()
        if not weight >= 0:
            raise ValueError(f"weight is {weight}, expected 0 or more: a negative one would reward steep critics.")
        self.weight = weight

    def forward(
        self,
        critic: nn.Module,
        reals: Tensor,
        fakes: Tensor,
        generator: torch.Generator | None = None,
        epsilon: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """
        Args:
            critic: maps images (N, C, H, W) to one score per image (N,); must not mix samples (no batch normalisation).
            reals: training images (N, C, H, W).
            fakes: generated images of the same shape; no gradient flows into them.
            generator: source of the interpolation weights, on any device, for reproducible penalties.
            epsilon: the interpolation weights themselves (N,), 0 to 1, for those who drew them already.

        Returns:
            The weighted penalty, a scalar that can be differentiated with respect to the critic's parameters, and
            the norm of each sample's gradient (N,), detached.

        Raises:
            ValueError: when reals and fakes differ in shape.
        """
        if reals.shape != fakes.shape:
            raise ValueError(
                f"reals {tuple(reals.shape)} and fakes {tuple(fakes.shape)} differ in shape: "
                "draw as many latents as the batch has real images (the last batch may be shorter)."
            )
        if epsilon is None:
            source = reals.device if generator is None else generator.device
            epsilon = torch.rand(len(reals), device=source, dtype=reals.dtype, generator=generator)
        between = torch.lerp(fakes.detach(), reals.detach(), epsilon.to(reals).reshape(-1, 1, 1, 1))
        slope = differentiable_input_gradient(critic, between).flatten(1).norm(dim=1)
        return self.weight * (slope - 1).square().mean(), slope.detach()


def differentiable_input_gradient(critic: nn.Module, images: Tensor) -> Tensor:
    """Gradient of each image's score with respect to that image, (N, C, H, W), by the faster way that fits the critic."""
    chain = chain_of(critic)
    return input_gradient(critic, images) if chain is None else input_gradient_piecewise_linear(chain, images)


def input_gradient(critic: nn.Module, images: Tensor) -> Tensor:
    """Gradient of each image's score with respect to that image, (N, C, H, W), for any critic; differentiable again."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return gradient


def input_gradient_piecewise_linear(chain: nn.Sequential, images: Tensor) -> Tensor:
    """The same gradient for a chain of convolutions and leaky rectifiers, without differentiating twice.

    Such a critic is linear around each image. Its gradient is therefore one pass of transposed convolutions through
    slopes that do not change, and an ordinary backward pass through it is exact: a rectifier's second derivative is
    zero.
    """
    inputs, rectified, hidden = [], [], images
    with torch.no_grad():  # only the signs and shapes of this pass are needed
        for layer in chain:
            if isinstance(layer, nn.Conv2d):
                inputs.append(hidden.shape)
                hidden = layer(hidden)
            elif isinstance(layer, nn.LeakyReLU):
                hidden = F.leaky_relu_(hidden, layer.negative_slope)  # in place: the sign stays
                rectified.append((hidden, layer.negative_slope))
    convolutions = [layer for layer in chain if isinstance(layer, nn.Conv2d)]
    gradient = torch.ones_like(hidden)
    for depth in reversed(range(len(convolutions))):
        layer = convolutions[depth]
        if depth < len(rectified):
            gradient = torch.ops.aten.leaky_relu_backward(gradient, *rectified[depth], True)
        left_over = _rows_left_over(layer, inputs[depth], gradient)
        gradient = F.conv_transpose2d(gradient, layer.weight, None, layer.stride, _padding(layer), left_over)
    return gradient


def chain_of(critic: nn.Module) -> nn.Sequential | None:
    """The plain convolutions with a leaky rectifier between each two that make up the critic, None if it has others."""
    chain = getattr(critic, "chain", critic)
    if not isinstance(chain, nn.Sequential) or len(chain) == 0:
        return None
    kinds = [(nn.Conv2d, nn.LeakyReLU)[place % 2] for place in range(len(chain))]
    plain = [type(layer) for layer in chain] == kinds and all(map(_is_plain, chain))
    return chain if plain else None


def _is_plain(layer: nn.Module) -> bool:
    # a hook may change weights or outputs (the older weight normalisation does), unseen by the transposed pass
    if layer._forward_pre_hooks or layer._forward_hooks:
        return False
    if isinstance(layer, nn.Conv2d):
        zero_padded = layer.padding_mode == "zeros" and isinstance(layer.padding, tuple)
        return zero_padded and layer.groups == 1 and layer.dilation == (1, 1)
    # a slope below zero would turn the sign that the pass back has to read
    return isinstance(layer, nn.LeakyReLU) and layer.negative_slope >= 0


def _padding(layer: nn.Conv2d) -> tuple[int, ...]:
    """Rows and columns of zeros on each side; a chain holds no layer whose padding is a word."""
    return layer.padding if isinstance(layer.padding, tuple) else (0, 0)


def _rows_left_over(layer: nn.Conv2d, before: torch.Size, after: Tensor) -> list[int]:
    """Rows and columns that the strided convolution never reached: the transposed one has to add them back."""
    return [
        before[axis] - ((after.shape[axis] - 1) * stride - 2 * padding + kernel)
        for axis, stride, padding, kernel in zip((2, 3), layer.stride, _padding(layer), layer.kernel_size, strict=True)
    ]
