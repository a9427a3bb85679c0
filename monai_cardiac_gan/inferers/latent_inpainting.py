"""Inpainting by a search through a generator's latent space (Yeh et al. 2017), many patches at once."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from monai.inferers import Inferer
from torch import Tensor, nn

from monai_cardiac_gan.engines.execution import Execution
from monai_cardiac_gan.inferers.blending import Blending, Paste
from monai_cardiac_gan.inferers.inpainted_patch import PatchOrigin
from monai_cardiac_gan.inferers.inpainting_result import InpaintingResult
from monai_cardiac_gan.inferers.latent_initializers import LatentInitializer
from monai_cardiac_gan.inferers.latent_optimizer import LatentOptimizer, OptimizationResult
from monai_cardiac_gan.inferers.masks import checked_masks, checked_patches, square_mask
from monai_cardiac_gan.inferers.objective import LatentObjective
from monai_cardiac_gan.inferers.proposals import Proposal
from monai_cardiac_gan.inferers.traces import LossTraces, StopReason
from monai_cardiac_gan.losses.contextual_terms import ProposalL1
from monai_cardiac_gan.losses.inpainting_loss import InpaintingLoss
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["LatentInpaintingInferer", "warn_of_lost_searches"]


class LatentInpaintingInferer(Inferer):
    r"""Paint the expected anatomy into the mask of a patch.

    .. math:: z^* = \arg\min_z \sum_i w_i \, \ell_i(G(z), z, y, M)

    with :math:`M` one outside the mask of the patch y. Initial latents are chosen for each patch, the loss is made small from
    each, and the image of the best latent is put behind the mask. The result of a patch does not depend on the other patches
    of its batch: their losses are summed, so that no gradient reaches from one to another.

    `gradient_descent_search` and `lbfgs_search` build the two presets.

    Args:
        loss: terms and weights, see `InpaintingLoss`.
        initializer: `RandomInitializer` as published, or `EncoderBankInitializer`.
        optimizer: `GradientDescent` as published, or `BatchedLBFGS`.
        starts: from how many initial latents each patch is searched.
        snapshots: images kept of the best search, evenly spaced, the first and the last iteration among them.
        proposal: what is expected behind the mask before the search, for the term `ProposalL1`; None for losses without it.
        blending: how the generated pixels are put behind the mask, `Paste` by default.
        chunk: at most this many images go through the networks at once, which bounds memory; None takes all.
        autocast: ``"bfloat16"`` for the forward passes of the optimiser, None for the type of the weights.
        channels_last: keep features with the channels innermost, as convolutions on a CPU and on tensor cores want them.
        seed: of the starts, noted in the result.
        progress: whether a bar is shown.

    Raises:
        ValueError: when there are fewer candidates than starts, fewer than two snapshots, no proposal for `ProposalL1`, or
            another type for the forward passes.

    Example:
        A generator that adds its four latents to four pixels, one of which is hidden, finds the three others:

        >>> from monai_cardiac_gan.inferers import BatchedLBFGS, RandomInitializer
        >>> from monai_cardiac_gan.losses import MaskedL2
        >>> inferer = LatentInpaintingInferer(
        ...     loss=InpaintingLoss({"contextual": MaskedL2()}),
        ...     initializer=RandomInitializer(latent_size=4),
        ...     optimizer=BatchedLBFGS(evaluations=20),
        ...     progress=False,
        ... )
        >>> patch = torch.tensor([[[[0.5, -0.5], [0.25, 0.0]]]])
        >>> result = inferer.search(patch, torch.tensor([[False, False], [False, True]]), nn.Unflatten(1, (1, 2, 2)))
        >>> bool(result.losses < 1e-6)
        True
    """

    def __init__(
        self,
        *,
        loss: InpaintingLoss,
        initializer: LatentInitializer,
        optimizer: LatentOptimizer,
        starts: int = 1,
        snapshots: int = 100,
        proposal: Proposal | None = None,
        blending: Blending | None = None,
        chunk: int | None = None,
        autocast: str | None = None,
        channels_last: bool = False,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        super().__init__()
        if not 1 <= starts <= initializer.count:
            raise ValueError(f"starts is {starts}: expected 1 to {initializer.count}, as many as are tried.")
        if snapshots < 2:
            raise ValueError(f"snapshots is {snapshots}: expected at least 2, the first and the last iteration.")
        if proposal is None and loss.has(ProposalL1):
            raise ValueError(
                "the loss has the term ProposalL1 and there is no proposal: give one, or leave the term out."
            )
        self.loss, self.initializer, self.optimizer, self.proposal = loss, initializer, optimizer, proposal
        self.starts, self.snapshots = starts, snapshots
        self.blending: Blending = Paste() if blending is None else blending
        self.chunk, self.channels_last = chunk, channels_last
        self.autocast = Execution(autocast=autocast).dtype  # refuses what loses gradients
        self.seed, self.progress = seed, progress

    def __call__(  # type: ignore[override, unused-ignore]
        self,
        inputs: Tensor,
        network: nn.Module,
        masks: Tensor | None = None,
        valid: Tensor | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Tensor:
        """
        Args:
            inputs: patches (N, 1, H, W), -1 to 1.
            network: the generator, (N, latent_size) to (N, 1, H, W).
            masks: see `search`.
            valid: see `search`; give it for patches that reach over the edge of the field of view.

        Returns:
            The patches with the mask painted, from the best start; all other pixels are those of the input, bit by bit.
        """
        return self.search(inputs, masks, network, valid).best_inpainted().to(inputs.device)

    def search(
        self, patches: Tensor, masks: Tensor | None, generator: nn.Module, valid: Tensor | None = None
    ) -> InpaintingResult:
        """Search the latents of a whole batch of patches at once.

        The networks must lie on the patches' device. During the search they are in evaluation mode and their parameters
        are frozen; afterwards both is as it was.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            masks: (N, 1, H, W), (1, 1, H, W) or (H, W) bool, true where pixels are to be painted; without it the
                publication's square of 25 x 25 pixels in the middle.
            generator: (N, latent_size) to (N, 1, H, W).
            valid: (N, 1, H, W) bool, true where a patch lies inside the field of view; padding is not searched for.

        Raises:
            ValueError: when the masks do not fit the patches, the patches are not (N, 1, H, W), not finite or beyond -1 to 1,
                a mask hides nothing or everything, or a network gives the wrong shape or NaN for the starts.
        """
        began = time.perf_counter()
        origins = tuple(PatchOrigin.of(patch) for patch in patches)
        patches = checked_patches(patches)
        masks = square_mask(shape=patches.shape[2:]) if masks is None else masks
        # a MetaTensor becomes a plain tensor here
        masks = checked_masks(masks.as_subclass(Tensor).to(patches.device), patches.shape).expand_as(patches)
        valid = self.checked_valid(valid, patches)
        context = ~masks if valid is None else ~masks & valid
        with self.prepared(generator), torch.inference_mode(False):
            latents, initial_images = self.initializer(patches, context, generator, self.starts)
            objective = self.objective(patches, masks, valid, generator, self.starts)
            found = self.optimizer(objective, latents.flatten(0, 1), self.snapshots, self.progress)
            warn_of_lost_searches(found)
            shape = latents.shape[:2]
            losses = found.losses.unflatten(0, shape)
            with torch.no_grad():
                generated = self.images(generator, found.latents).unflatten(0, shape)
                snapshots = self._snapshots(found.path.unflatten(1, shape), losses.argmin(1), generator)
            inpainted = torch.stack([self.blending(images, patches, masks) for images in generated.unbind(1)], 1)
        return InpaintingResult(
            patches=patches.cpu(),
            masks=masks.cpu(),
            valid=torch.ones_like(masks).cpu() if valid is None else valid.cpu(),
            latents=found.latents.unflatten(0, shape).cpu(),
            generated=generated.cpu(),
            inpainted=inpainted.cpu(),
            losses=losses.cpu(),
            traces=_traces(found, shape),
            initial_images=initial_images,
            snapshots=snapshots,
            snapshot_iterations=found.path_iterations,
            evaluations=found.evaluations.unflatten(0, shape).cpu(),
            stops=tuple(found.stops[i : i + self.starts] for i in range(0, len(found.stops), self.starts)),
            origins=origins,
            seed=self.seed,
            seconds=time.perf_counter() - began,
        )

    def objective(
        self, patches: Tensor, masks: Tensor, valid: Tensor | None, generator: nn.Module, starts: int
    ) -> LatentObjective:
        """The loss of some latents for each patch; behind the masks lies the proposal, so that the truth is out of reach."""
        targets = torch.where(masks, self._proposed(patches, masks, generator), patches).repeat_interleave(starts, 0)
        repeated = None if valid is None else valid.repeat_interleave(starts, 0)
        masks = masks.repeat_interleave(starts, 0)
        return LatentObjective(generator, self.loss, targets, masks, self.chunk, self.autocast, repeated)

    def _proposed(self, patches: Tensor, masks: Tensor, generator: nn.Module) -> Tensor:
        """What is searched for behind the masks; zeros without a proposal."""
        if self.proposal is None:
            return torch.zeros_like(patches)
        size = self.chunk or len(patches)
        parts = zip(patches.split(size), masks.split(size), strict=True)
        return torch.cat([self.proposal(*part, generator).to(patches) for part in parts])

    def images(self, generator: nn.Module, latents: Tensor) -> Tensor:
        """(N, 1, H, W) of latents (N, L), a chunk at a time."""
        parts = latents.split(len(latents) if self.chunk is None else self.chunk)
        return torch.cat([generator(part) for part in parts])

    def _snapshots(self, path: Tensor, best: Tensor, generator: nn.Module) -> Tensor:
        """Images (F, N, H, W) uint8 of each patch's best search; made anew from latents, 100 times smaller to keep."""
        frames = []
        for latents in path[:, torch.arange(len(best), device=best.device), best]:
            images = self.images(generator, latents)[:, 0]
            frames.append(((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu())
        return torch.stack(frames)

    @staticmethod
    def checked_valid(valid: Tensor | None, patches: Tensor) -> Tensor | None:
        """The masks on the patches' device; None where nothing is padded, which spares the search the masking."""
        if valid is None:
            return None
        if valid.dtype != torch.bool or valid.shape != patches.shape:
            raise ValueError(
                f"the valid pixels are {valid.dtype} {tuple(valid.shape)}: expected bool {tuple(patches.shape)}, true inside."
            )
        plain = valid.as_subclass(Tensor).to(patches.device)
        return None if bool(plain.all()) else plain

    @contextmanager
    def prepared(self, generator: nn.Module) -> Iterator[None]:
        """Evaluation mode, frozen parameters and the chosen layout inside; modes and flags as before outside."""
        proposed_by = [] if self.proposal is None else self.proposal.networks()
        networks = [generator, *self.initializer.networks(), *self.loss.networks(), *proposed_by]
        with frozen(*networks, evaluate=True):
            if self.channels_last:
                for network in networks:
                    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            yield


def _traces(found: OptimizationResult, shape: torch.Size) -> LossTraces:
    terms = {name: values.unflatten(1, shape).cpu() for name, values in found.parts.items()}
    return LossTraces(terms, found.total.unflatten(1, shape).cpu())


def warn_of_lost_searches(found: OptimizationResult) -> None:
    """A warning to the caller's caller where searches left the finite numbers."""
    lost = found.stops.count(StopReason.NOT_FINITE)
    if lost:
        warnings.warn(
            f"{lost} of {len(found.stops)} searches left the finite numbers; their best iterate before is returned: "
            "make step_size smaller.",
            RuntimeWarning,
            stacklevel=3,
        )
