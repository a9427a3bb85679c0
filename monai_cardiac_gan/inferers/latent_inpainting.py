"""Inpainting by a search through a generator's latent space (Yeh et al. 2017), many patches at once."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from monai.inferers import Inferer
from torch import Tensor, nn
from tqdm import tqdm

from monai_cardiac_gan.inferers.masks import checked_holes, checked_patches, square_hole
from monai_cardiac_gan.inferers.result import DescentTraces, InpaintingResult, StartImages
from monai_cardiac_gan.losses.contextual import masked_l1

__all__ = ["LatentInpaintingInferer"]

OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
STEP_SIZES = {"sgd": 1.0, "adam": 0.01}
"""Default steps. The mean over pixels changes by about 0.01 per unit of one latent component, so that both move a
component by about a hundredth of its standard deviation per iteration."""
PERCEPTUAL_WEIGHT = 1e-3
"""Default weight of the critic. The contextual term has slope 1 / sqrt(15759) = 0.008 in the space of images, a critic
trained with gradient penalty has slope 1: at this weight the perceptual term is an eighth of the contextual one."""


class LatentInpaintingInferer(Inferer):
    r"""Paint the expected anatomy into the hole of a patch.

    .. math:: z^* = \arg\min_z \frac{1}{K} \lVert M \circ G(z) - M \circ y \rVert_1 - \lambda \, D(G(z))

    with :math:`M` one outside the hole and :math:`K` the number of known pixels. Of ``start_batches * start_batch_size``
    latents drawn from a standard normal, those with the lowest contextual term start a gradient descent each.

    The result of a patch does not depend on the other patches of its batch: all share the same start latents, and their
    losses are summed, so that no gradient reaches from one to another.

    Args:
        critic: maps images (N, 1, H, W) to one score per image (N,), higher for more real; must not mix samples.
        latent_size: length of a latent.
        start_batches: batches of latents that are tried as starts; the publication uses 20.
        start_batch_size: latents in each; the publication uses 49.
        iterations: steps of the descent; the publication uses 8000.
        step_size: step of the descent; by default 1 for ``"sgd"`` and 0.01 for ``"adam"``. Steps along the publication's
            sum over the pixels are K times larger than these (see `masked_l1`).
        perceptual_weight: :math:`\lambda`; the publication's is K times larger.
        snapshots: images kept of the best descent, evenly spaced, the first and the last iteration among them.
        starts: how many of the best starts are descended independently, for each patch.
        seed: seed of the starts.
        progress: whether a bar is shown.
        optimiser: ``"sgd"``, plain gradient descent as published, or ``"adam"``.

    Raises:
        ValueError: when a count is below its least, a step is not positive, or the optimiser is not known.

    Example:
        A generator that adds its four latents to four pixels, one of which is hidden, finds the three others:

        >>> critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
        >>> inferer = LatentInpaintingInferer(
        ...     critic=critic, latent_size=4, iterations=400, step_size=0.01, perceptual_weight=0.0, progress=False
        ... )
        >>> patch = torch.tensor([[[[0.5, -0.5], [0.25, 0.0]]]])
        >>> result = inferer.search(patch, torch.tensor([[False, False], [False, True]]), nn.Unflatten(1, (1, 2, 2)))
        >>> bool(result.losses < 0.01)
        True
    """

    def __init__(
        self,
        *,
        critic: nn.Module,
        latent_size: int = 100,
        start_batches: int = 20,
        start_batch_size: int = 49,
        iterations: int = 8000,
        step_size: float | None = None,
        perceptual_weight: float = PERCEPTUAL_WEIGHT,
        snapshots: int = 100,
        starts: int = 1,
        seed: int = 0,
        progress: bool = True,
        optimiser: str = "sgd",
    ) -> None:
        super().__init__()
        self.critic = critic
        self.latent_size = latent_size
        self.start_batches = start_batches
        self.start_batch_size = start_batch_size
        self.iterations = iterations
        self.step_size = STEP_SIZES.get(optimiser, 1.0) if step_size is None else step_size
        self.perceptual_weight = perceptual_weight
        self.snapshots = snapshots
        self.starts = starts
        self.seed = seed
        self.progress = progress
        self.optimiser = optimiser
        self._check_settings()

    def __call__(  # type: ignore[override, unused-ignore]
        self, inputs: Tensor, network: nn.Module, holes: Tensor | None = None, *args: Any, **kwargs: Any
    ) -> Tensor:
        """
        Args:
            inputs: patches (N, 1, H, W), -1 to 1.
            network: the generator, (N, latent_size) to (N, 1, H, W).
            holes: see `search`.

        Returns:
            The patches with the hole painted, from the best start; all other pixels are those of the input, bit by bit.
        """
        return self.search(inputs, holes, network).best_inpainted().to(inputs.device)

    def search(self, patches: Tensor, holes: Tensor | None, generator: nn.Module) -> InpaintingResult:
        """Search the latents of a whole batch of patches at once.

        The networks must lie on the patches' device. During the search they are in evaluation mode and their parameters
        are frozen; afterwards both is as it was.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            holes: (N, 1, H, W), (1, 1, H, W) or (H, W) bool, true where pixels are to be painted; without it the
                publication's square of 25 x 25 pixels in the middle.
            generator: (N, latent_size) to (N, 1, H, W).

        Raises:
            ValueError: when the patches are not (N, 1, H, W), not finite or beyond -1 to 1, a hole hides nothing or
                everything, or a network gives the wrong shape or NaN for the starts.
        """
        began = time.perf_counter()
        patches = checked_patches(patches)
        holes = square_hole(shape=patches.shape[2:]) if holes is None else holes
        # a MetaTensor becomes a plain tensor here
        holes = checked_holes(holes.as_subclass(Tensor).to(patches.device), patches.shape).expand_as(patches)
        with _frozen(generator, self.critic), torch.inference_mode(False):
            starts, start_images = self._best_starts(patches, ~holes, generator)
            latents, losses, traces, path = self._descend(starts, patches, ~holes, generator)
            with torch.no_grad():
                generated = generator(latents.flatten(0, 1)).unflatten(0, latents.shape[:2])
                snapshots = self._snapshots(path, losses.argmin(1), generator)
        return InpaintingResult(
            patches=patches.cpu(),
            holes=holes.cpu(),
            latents=latents.cpu(),
            generated=generated.cpu(),
            inpainted=torch.where(holes[:, None], generated, patches[:, None]).cpu(),
            losses=losses.cpu(),
            traces=traces,
            start_images=start_images,
            snapshots=snapshots,
            snapshot_iterations=torch.as_tensor(self._snapshot_iterations()),
            seed=self.seed,
            iterations=self.iterations,
            seconds=time.perf_counter() - began,
        )

    @torch.no_grad()
    def _best_starts(self, patches: Tensor, known: Tensor, generator: nn.Module) -> tuple[Tensor, StartImages]:
        """The latents (N, S, L) of lowest contextual loss, batch by batch so that memory does not grow with their number."""
        source = torch.Generator().manual_seed(self.seed)
        tried: list[Tensor] = []
        scores: list[Tensor] = []
        for _ in range(self.start_batches):
            latents = torch.randn(self.start_batch_size, self.latent_size, generator=source).to(patches)
            images = generator(latents)
            if images.shape[1:] != patches.shape[1:] or len(images) != len(latents):
                raise ValueError(
                    f"the generator makes images {tuple(images.shape)} of {len(latents)} latents: expected "
                    f"{(len(latents), *patches.shape[1:])}, the shape of the patches."
                )
            if not tried:
                first = images
            tried.append(latents)
            pairs = zip(patches[:, None], known[:, None], strict=True)
            scores.append(torch.stack([masked_l1(images, patch, mask) for patch, mask in pairs]))
        losses = torch.cat(scores, 1)
        if not bool(torch.isfinite(losses).all()):
            raise ValueError("the generator gives NaN or infinity for some starts: check the weights that were loaded.")
        best, places = losses.topk(self.starts, dim=1, largest=False)
        chosen = torch.cat(tried)[places]
        images = generator(chosen.flatten(0, 1)).unflatten(0, places.shape)
        return chosen, StartImages(
            first_batch=first.cpu(),
            first_losses=scores[0].cpu(),
            chosen=images.cpu(),
            chosen_losses=best.cpu(),
            chosen_places=places.cpu(),
            candidates=losses.shape[1],
        )

    def _descend(
        self, starts: Tensor, patches: Tensor, known: Tensor, generator: nn.Module
    ) -> tuple[Tensor, Tensor, DescentTraces, Tensor]:
        """All descents as one batch: best latents (N, S, L), their losses (N, S), traces, latents on the way (F, N, S, L)."""
        targets, known = (values.repeat_interleave(self.starts, 0) for values in (patches, known))
        latents = starts.flatten(0, 1).clone().requires_grad_()
        optimiser = OPTIMISERS[self.optimiser]([latents], lr=self.step_size)
        keep = set(self._snapshot_iterations().tolist())
        traces = latents.new_empty(3, self.iterations + 1, len(latents))
        best, lowest, path = starts.flatten(0, 1), latents.new_full((len(latents),), torch.inf), []
        for step in tqdm(range(self.iterations + 1), desc="latent search", disable=not self.progress):
            with torch.enable_grad():
                terms = self._loss(generator(latents), targets, known)
                (gradient,) = torch.autograd.grad(terms[2].sum(), latents)
            with torch.no_grad():
                traces[:, step] = terms
                better = terms[2] < lowest
                lowest = torch.where(better, terms[2], lowest)
                best = torch.where(better[:, None], latents, best)
            if step in keep:
                path.append(latents.detach().clone())
            latents.grad = gradient
            if step < self.iterations:
                optimiser.step()
        shape = starts.shape[:2]
        kept = DescentTraces(*traces.unflatten(2, shape).cpu())
        _warn_of_lost_descents(kept.total)
        return best.unflatten(0, shape), lowest.unflatten(0, shape), kept, torch.stack(path).unflatten(1, shape)

    def _loss(self, images: Tensor, targets: Tensor, known: Tensor) -> Tensor:
        """Contextual, perceptual and total loss of each image, (3, N)."""
        scores = self.critic(images)
        if scores.shape != (len(images),):
            raise ValueError(
                f"the critic gives scores {tuple(scores.shape)} for {len(images)} images: expected ({len(images)},), one each."
            )
        contextual = masked_l1(images, targets, known)
        return torch.stack([contextual, -scores, contextual - self.perceptual_weight * scores])

    def _snapshot_iterations(self) -> np.ndarray:
        count = min(self.snapshots, self.iterations + 1)
        return np.linspace(0, self.iterations, count).round().astype(np.int64)

    def _snapshots(self, path: Tensor, best: Tensor, generator: nn.Module) -> Tensor:
        """Images (F, N, H, W) uint8 of each patch's best descent; made anew from latents, 100 times smaller to keep."""
        frames = []
        for latents in path[:, torch.arange(len(best), device=best.device), best]:
            images = generator(latents)[:, 0]
            frames.append(((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu())
        return torch.stack(frames)

    def _check_settings(self) -> None:
        for name, least in (("latent_size", 1), ("start_batches", 1), ("start_batch_size", 1), ("iterations", 0)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {value}: expected at least {least}.")
        if not 1 <= self.starts <= self.start_batches * self.start_batch_size:
            raise ValueError(
                f"starts is {self.starts}: expected 1 to {self.start_batches * self.start_batch_size}, as many as are tried."
            )
        if self.snapshots < 2:
            raise ValueError(f"snapshots is {self.snapshots}: expected at least 2, the first and the last iteration.")
        if self.optimiser not in OPTIMISERS:
            raise ValueError(f"the optimiser is '{self.optimiser}': expected one of {', '.join(OPTIMISERS)}.")
        if not 0 < self.step_size < math.inf or not 0 <= self.perceptual_weight < math.inf:
            raise ValueError(
                f"step_size {self.step_size} and perceptual_weight {self.perceptual_weight}: expected a finite step above 0 "
                "and a finite weight of at least 0."
            )


@contextmanager
def _frozen(*networks: nn.Module) -> Iterator[None]:
    """Evaluation mode and frozen parameters inside, every flag of every part as before outside."""
    modes = [(part, part.training) for network in networks for part in network.modules()]
    parameters = [(weight, weight.requires_grad) for network in networks for weight in network.parameters()]
    try:
        for network in networks:
            network.eval().requires_grad_(False)
        yield
    finally:
        for part, training in modes:
            part.training = training
        for weight, requires_grad in parameters:
            weight.requires_grad_(requires_grad)


def _warn_of_lost_descents(total: Tensor) -> None:
    lost = int((~torch.isfinite(total[-1])).sum())
    if lost:
        warnings.warn(
            f"{lost} of {total[-1].numel()} descents left the finite numbers; their best iterate before is returned: "
            "make step_size smaller.",
            RuntimeWarning,
            stacklevel=3,
        )
