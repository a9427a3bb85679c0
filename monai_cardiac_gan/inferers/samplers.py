"""Ways to inpaint one patch several times: samples of what may be hidden instead of one answer."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn

from monai_cardiac_gan.inferers.latent_initializers import RandomInitializer
from monai_cardiac_gan.inferers.latent_inpainting import LatentInpaintingInferer
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["ConditionalGenerator", "NetworkSampler", "Sampler", "SearchSampler", "check_count", "seeded"]


@runtime_checkable
class Sampler(Protocol):
    """Paints what lies behind the masks of patches several times, each time as it may have been.

    A deterministic `Inpainter` is the limit of one sample.
    """

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None, *, count: int, seed: int) -> Tensor:
        """Inpaint patches; all other pixels stay bit by bit, and so does the global random state.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            masks: the same shape, bool, true where pixels are hidden.
            valid: the same shape, bool, true inside the field of view; None takes all.
            count: samples of each patch.
            seed: of all that is drawn: the same seed and batch give the same samples.

        Returns:
            (N, count, 1, H, W), -1 to 1.

        Raises:
            ValueError: when count is below 1.
        """
        ...


class ConditionalGenerator(Protocol):
    """A network that paints a patch from what is known of it and from a latent, in evaluation mode as its user sets it.

    Attributes:
        latent_size: numbers in a latent.
    """

    latent_size: int

    def encode(self, patches: Tensor, masks: Tensor) -> list[Tensor]:
        """What is known of patches (N, 1, H, W) with masks (bool, true where hidden); shared by all their samples."""
        ...

    def decode(self, encoded: list[Tensor], latents: Tensor) -> Tensor:
        """Patches (N, 1, H, W), -1 to 1, for latents (N, latent_size)."""
        ...


class NetworkSampler:
    """Samples of a network that has a latent: encoded once, decoded for each latent.

    Hidden pixels are 0 before the network sees them. What it draws itself, such as pixel noise, is seeded as well.

    Args:
        network: encodes and decodes, an `nn.Module`.

    Example:
        >>> class Shift(nn.Module):
        ...     latent_size = 1
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.scale = nn.Parameter(torch.tensor(0.1))
        ...     def encode(self, patches, masks):
        ...         return [patches]
        ...     def decode(self, encoded, latents):
        ...         return encoded[0] + self.scale * latents[:, :, None, None]
        >>> mask = torch.tensor([[[[True, False]]]])
        >>> samples = NetworkSampler(Shift())(torch.full((1, 1, 1, 2), 0.5), mask, count=3, seed=0)
        >>> samples[0, :, 0, 0, 1].tolist(), len(samples[0, :, 0, 0, 0].unique())
        ([0.5, 0.5, 0.5], 3)
    """

    def __init__(self, network: ConditionalGenerator) -> None:
        self.network = network

    @torch.no_grad()
    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None, *, count: int, seed: int) -> Tensor:
        """See `Sampler`."""
        check_count(count)
        module = cast(nn.Module, self.network)
        device = next(module.parameters()).device
        source = torch.Generator().manual_seed(seed)
        latents = torch.randn(count, len(patches), self.network.latent_size, generator=source).to(device)
        with frozen(module, evaluate=True), seeded(seed):
            encoded = self.network.encode(torch.where(masks, 0.0, patches).to(device), masks.to(device))
            painted = torch.stack([self.network.decode(encoded, each).to(patches) for each in latents], 1)
        return torch.where(masks[:, None], painted.clamp(-1, 1), patches[:, None])


class SearchSampler:
    """Samples of a latent search: the images of its starts, best start first.

    They differ as far as the minima do that the starts lead to. An `EncoderBankInitializer` draws nothing, so that the seed
    changes only what the generator itself draws; a `RandomInitializer` takes the seed.

    Args:
        inferer: searches, see `LatentInpaintingInferer`; its own number of starts does not count.
        generator: latents to images.
    """

    def __init__(self, inferer: LatentInpaintingInferer, generator: nn.Module) -> None:
        self.inferer, self.generator = inferer, generator

    def __call__(self, patches: Tensor, masks: Tensor, valid: Tensor | None = None, *, count: int, seed: int) -> Tensor:
        """See `Sampler`.

        Raises:
            ValueError: when count is below 1 or above the number of latents that the search tries as starts.
        """
        check_count(count)
        if count > self.inferer.initializer.count:
            raise ValueError(
                f"count is {count}, and the search tries {self.inferer.initializer.count} initial latents: let it try more "
                "(nearest, start_batches), or ask for fewer samples."
            )
        device = next(self.generator.parameters()).device
        search = copy.copy(self.inferer)
        search.starts, search.seed = count, seed
        if isinstance(search.initializer, RandomInitializer):
            search.initializer = copy.copy(search.initializer)
            search.initializer.seed = seed
        with seeded(seed):
            found = search.search(patches.to(device), masks.to(device), self.generator, valid)
        best_first = found.losses.argsort(1)
        samples = torch.stack([own[order] for own, order in zip(found.inpainted, best_first, strict=True)]).to(patches)
        return torch.where(masks[:, None], samples.clamp(-1, 1), patches[:, None])


def check_count(count: int) -> None:
    """Refuse a number of samples below 1.

    Raises:
        ValueError: when it is.
    """
    if count < 1:
        raise ValueError(f"count is {count}: expected at least 1 sample of each patch.")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """The global random state, on all devices, from a seed inside and as before outside.

    Example:
        >>> before = torch.get_rng_state()
        >>> with seeded(0):
        ...     one = torch.rand(1)
        >>> torch.equal(torch.get_rng_state(), before), one == torch.rand(1, generator=torch.Generator().manual_seed(0))
        (True, tensor([True]))
    """
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield
