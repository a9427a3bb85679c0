"""The ways to train that are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from textbook_wgan_gp import TextbookWganGp
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_cardiac_gan.augmentation import DifferentiableAugmentation
from monai_cardiac_gan.engines import Execution, GenerativeAdversarialTrainer, WganGpTrainer
from monai_cardiac_gan.losses import RelativisticLoss, ZeroCentredPenalty
from monai_cardiac_gan.networks.nets import PatchCritic, PatchGenerator, ResidualCritic, ResidualGenerator

LATENT_SIZE, RATE, BETAS, CRITIC_UPDATES = 100, 1e-4, (0.0, 0.9), 5
"""Gulrajani et al. 2017, algorithm 1."""
RELATIVISTIC_RATE, RELATIVISTIC_BETAS, MOST_CHANNELS = 1e-3, (0.0, 0.99), 128
PENALTY_EVERY = 8
"""Of the relativistic preset, as `train.json` has them."""
BOTH = ("cpu", "cuda")


@dataclass(frozen=True)
class Variant:
    """One way to train; without an execution it is the textbook's."""

    name: str
    execution: Execution | None = None
    fused: bool = False
    dtype: torch.dtype = torch.float32
    devices: tuple[str, ...] = BOTH
    relativistic: bool = False

    def eager(self) -> Variant:
        """The same without compilation."""
        return replace(self, execution=self.execution and replace(self.execution, compile_mode=None))


def of_trainer(
    name: str, fused: bool = True, devices: tuple[str, ...] = BOTH, relativistic: bool = False, **options: Any
) -> Variant:
    """A variant of this package's trainer, with options of `Execution`."""
    execution = Execution(**options)
    return Variant(name, execution, fused, execution.dtype or torch.float32, devices, relativistic)


LAST: dict[str, Any] = {"channels_last": True}
HALF: dict[str, Any] = LAST | {"autocast": "bfloat16"}
GRAPHS: dict[str, Any] = {"devices": ("cuda",), "compile_mode": "reduce-overhead"}
VARIANTS = (
    Variant("textbook"),
    of_trainer("trainer", fused=False),
    of_trainer("trainer, channels last", fused=False, **LAST),
    of_trainer("trainer, channels last, fused Adam", **LAST),
    of_trainer("the same, compiled", compile_mode="default", **LAST),
    of_trainer("the same, CUDA graphs", **GRAPHS, **LAST),
    Variant("textbook, bfloat16", dtype=torch.bfloat16),
    of_trainer("trainer, bfloat16, channels last, fused Adam", **HALF),
    of_trainer("the same in bfloat16, compiled", compile_mode="default", **HALF),
    of_trainer("the same in bfloat16, CUDA graphs", **GRAPHS, **HALF),
    of_trainer("relativistic preset", relativistic=True, **LAST),
    of_trainer("relativistic preset, bfloat16", relativistic=True, **HALF),
    of_trainer("relativistic preset, bfloat16, CUDA graphs", relativistic=True, **GRAPHS, **HALF),
)


@dataclass
class Loop:
    """The two networks of one variant, their steps, ready to run, and the trainer if it has one."""

    networks: tuple[nn.Module, nn.Module]
    critic_step: Callable[[], Any]
    generator_step: Callable[[], Any]
    trainer: GenerativeAdversarialTrainer | None = None
    period: int = 1
    """Updates of the critic after which what they compute repeats itself."""


def build(variant: Variant, width: int, batch: int, device: torch.device) -> Loop:
    """Fresh networks, always with the same first weights, one batch of noise, and the steps that train on it."""
    torch.manual_seed(0)
    generator, critic = (network.to(device) for network in networks_of(variant, width))
    reals = torch.rand(batch, 1, 128, 128).to(device) * 2 - 1
    options: dict[str, Any] = {"fused": True} if variant.fused else {}
    rate, betas = (RELATIVISTIC_RATE, RELATIVISTIC_BETAS) if variant.relativistic else (RATE, BETAS)
    optimizers = [torch.optim.Adam(network.parameters(), rate, betas, **options) for network in (generator, critic)]
    if variant.execution is None:
        return textbook_loop(variant, generator, critic, optimizers, reals)
    return trainer_loop(variant, generator, critic, optimizers, reals)


def networks_of(variant: Variant, width: int) -> tuple[nn.Module, nn.Module]:
    """Generator and critic of its preset."""
    if not variant.relativistic:
        return PatchGenerator(LATENT_SIZE, width), PatchCritic(width)
    sizes = {"width": width, "max_channels": MOST_CHANNELS}
    return ResidualGenerator(LATENT_SIZE, noise=True, **sizes), ResidualCritic(**sizes)


def textbook_loop(
    variant: Variant, generator: nn.Module, critic: nn.Module, optimizers: list[Optimizer], reals: Tensor
) -> Loop:
    """The usual loop; it draws where it computes."""
    autocast = None if variant.dtype == torch.float32 else variant.dtype
    random = torch.Generator(reals.device).manual_seed(0)
    loop = TextbookWganGp(generator, critic, *optimizers, random, LATENT_SIZE, autocast)
    return Loop((generator, critic), lambda: loop.critic_step(reals), lambda: loop.generator_step(len(reals)))


def trainer_loop(
    variant: Variant, generator: nn.Module, critic: nn.Module, optimizers: list[Optimizer], reals: Tensor
) -> Loop:
    """The trainer's two steps, called without its engine."""
    kind: Callable[..., GenerativeAdversarialTrainer] = WganGpTrainer
    if variant.relativistic:
        kind = partial(
            GenerativeAdversarialTrainer,
            loss=RelativisticLoss(),
            gradient_penalty=ZeroCentredPenalty(),
            penalty_every=PENALTY_EVERY,
            augment=DifferentiableAugmentation(cutout=0.25, brightness=0.2, contrast=0.25, probability=0.5),
        )
    trainer = kind(
        device=reals.device,
        max_epochs=1,
        train_data_loader=[reals],
        generator=generator,
        critic=critic,
        generator_optimizer=optimizers[0],
        critic_optimizer=optimizers[1],
        latent_size=LATENT_SIZE,
        n_critic=CRITIC_UPDATES,
        execution=variant.execution,
    )
    trainer.run()  # lays out, compiles and checks the networks
    laid_out = trainer.execution.lay_out(reals)
    steps = (lambda: trainer._update_critic(laid_out), lambda: trainer._update_generator(laid_out))
    return Loop((generator, critic), *steps, trainer, PENALTY_EVERY if variant.relativistic else 1)
