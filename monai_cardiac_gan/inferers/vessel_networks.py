"""The networks that paint vessels, as settings that travel to other processes and are loaded there once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from monai_cardiac_gan.data import settings_digest
from monai_cardiac_gan.inferers.amortised import AmortisedInferer
from monai_cardiac_gan.inferers.amortised_vessel import AmortisedVessel
from monai_cardiac_gan.inferers.latent_bank import LatentBank
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.inferers.loaded_once import LoadedOnce
from monai_cardiac_gan.inferers.search_digests import search_digests
from monai_cardiac_gan.inferers.search_parts import load_search_parts
from monai_cardiac_gan.inferers.search_presets import COARSE_SIZE, lbfgs_search
from monai_cardiac_gan.inferers.vessel_search import COUPLING_WEIGHT, VesselSearch
from monai_cardiac_gan.networks import load_network

__all__ = ["AmortisedNetworks", "LoadedNetworks", "VesselNetworks"]

COARSE_EVALUATIONS, EVALUATIONS = 40, 10
"""Gradients of a vessel's search at the smaller size and at the full one."""
NEAREST = 8
"""Latents of the bank that are tried as starts of each level."""
CHUNK = 8
"""Images at once: on one CPU core more take memory and save no time."""
PRESET = "lbfgs"
ANSWERS = 1
"""Drawn by the amortised preset at the levels of each vessel, beside the typical images; the report shows none of them."""
OF_ANSWERS = ("starts", "latent_size", "spread")
"""What a vessel's typical images do not depend on."""
SNAPSHOTS = 2
"""Of a search's way, the fewest that it keeps; a report shows none."""


@dataclass(frozen=True)
class LoadedNetworks:
    """Networks with their weights.

    Attributes:
        search: paints a vessel.
        generator: its generator.
        digests: part of the search -> what stands for its settings and weights (`search_digests`).
    """

    search: VesselSearch | AmortisedVessel
    generator: nn.Module
    digests: dict[str, str]


class VesselNetworks:
    """How the networks of a vessel's search are made, and where their weights lie; nothing is loaded before it is asked for.

    Args:
        generator: makes the generator.
        critic: makes the critic.
        bank: makes the bank of latents; it becomes as large as its file says.
        encoder: makes the encoder.
        inpainting_unet: makes the U-Net that proposes what lies in the hole.
        generator_path: weights of each, see `load_search_parts`.
        critic_path: see above.
        bank_path: see above.
        encoder_path: see above.
        inpainting_unet_path: see above.
        starts: searches of each vessel; the best is taken.
        coarse_evaluations: gradients at half the size.
        evaluations: gradients at the full size.
        coupling_weight: see `VesselObjective`.
        device: where they go.
    """

    def __init__(
        self,
        generator: Callable[[], nn.Module],
        critic: Callable[[], nn.Module],
        bank: Callable[[], LatentBank],
        encoder: Callable[[], nn.Module],
        inpainting_unet: Callable[[], nn.Module],
        generator_path: str,
        critic_path: str,
        bank_path: str,
        encoder_path: str,
        inpainting_unet_path: str,
        starts: int = 1,
        coarse_evaluations: int = COARSE_EVALUATIONS,
        evaluations: int = EVALUATIONS,
        coupling_weight: float = COUPLING_WEIGHT,
        device: str = "cpu",
    ) -> None:
        self.generator, self.critic, self.bank = generator, critic, bank
        self.encoder, self.inpainting_unet = encoder, inpainting_unet
        self.generator_path, self.critic_path, self.bank_path = generator_path, critic_path, bank_path
        self.encoder_path, self.inpainting_unet_path = encoder_path, inpainting_unet_path
        self.starts, self.coarse_evaluations, self.evaluations = starts, coarse_evaluations, evaluations
        self.coupling_weight, self.device = coupling_weight, str(device)

    def load(self) -> LoadedNetworks:
        """The networks with their weights, once for each process; weights that changed meanwhile are loaded anew.

        Raises:
            FileNotFoundError: when weights are missing.
            ValueError: when weights do not fit.
        """
        paths = (self.generator_path, self.critic_path, self.bank_path, self.encoder_path, self.inpainting_unet_path)
        return _LOADED.of(self, paths, self._load)

    def _load(self) -> LoadedNetworks:
        generator, critic, bank = self.generator(), self.critic(), self.bank()
        encoder, unet = self.encoder(), self.inpainting_unet()
        load_network(generator, self.generator_path, self.device)
        load_network(critic, self.critic_path, self.device)
        load_search_parts(
            PRESET,
            generator,
            bank,
            self.bank_path,
            encoder,
            self.encoder_path,
            unet,
            self.inpainting_unet_path,
            self.device,
        )
        for network in (generator, critic):
            network.to(torch.device(self.device)).eval()
        inferer = self._inferer(critic, bank, encoder, unet)
        search = VesselSearch(inferer, self.coupling_weight)
        coupling = {"coupling": settings_digest(self.coupling_weight)}
        return LoadedNetworks(search, generator, search_digests(inferer, generator) | coupling)

    def _inferer(
        self, critic: nn.Module, bank: LatentBank, encoder: nn.Module, unet: nn.Module
    ) -> LatentInpaintingInferer:
        return lbfgs_search(
            critic=critic,
            bank=bank,
            encoder=encoder,
            inpainting_unet=unet,
            nearest=NEAREST,
            coarse_evaluations=self.coarse_evaluations,
            evaluations=self.evaluations,
            coarse_size=COARSE_SIZE,
            starts=self.starts,
            snapshots=SNAPSHOTS,
            chunk=CHUNK,
            progress=False,
        )


class AmortisedNetworks:
    """The same of a generator that is conditioned on the slices: one file, and nothing is searched.

    Args:
        generator: makes the generator, such as `ComodulatedGenerator`.
        generator_path: its weights.
        answers: drawn for each vessel, see `AmortisedVessel`.
        seed: of the latents.
        device: where it goes.
    """

    def __init__(
        self,
        generator: Callable[[], nn.Module],
        generator_path: str,
        answers: int = ANSWERS,
        seed: int = 0,
        device: str = "cpu",
    ) -> None:
        self.generator, self.generator_path = generator, generator_path
        self.answers, self.seed, self.device = answers, seed, str(device)

    def load(self) -> LoadedNetworks:
        """The generator with its weights, once for each process; weights that changed meanwhile are loaded anew.

        Raises:
            FileNotFoundError: when weights are missing.
            ValueError: when weights do not fit.
        """
        return _LOADED.of(self, (self.generator_path,), self._load)

    def _load(self) -> LoadedNetworks:
        generator: Any = self.generator()
        load_network(generator, self.generator_path, self.device)
        generator.to(torch.device(self.device)).eval()
        inferer = AmortisedInferer(generator.latent_size, self.answers, seed=self.seed)
        vessel = AmortisedVessel(inferer)
        smoothing = {"smoothing": settings_digest(vessel.smoothing_mm)}
        used = {name: each for name, each in search_digests(inferer, generator).items() if name not in OF_ANSWERS}
        return LoadedNetworks(vessel, generator, used | smoothing)


_LOADED: LoadedOnce[LoadedNetworks] = LoadedOnce()
