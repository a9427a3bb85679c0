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

from monai_cardiac_gan.inferers.blending import Paste
from monai_cardiac_gan.inferers.descent import Descent, DescentOutcome, Stop
from monai_cardiac_gan.inferers.guess import Guess
from monai_cardiac_gan.inferers.masks import checked_holes, checked_patches, square_hole
from monai_cardiac_gan.inferers.objective import LatentObjective
from monai_cardiac_gan.inferers.result import DescentTraces, InpaintingResult
from monai_cardiac_gan.inferers.starts import StartFinder
from monai_cardiac_gan.losses.contextual_terms import GuessedL1
from monai_cardiac_gan.losses.inpainting import InpaintingLoss

__all__ = ["LatentInpaintingInferer"]

HELPERS = ("encoder", "network")
"""Under these names start finders and guesses keep networks, which are frozen during a search, too."""


class LatentInpaintingInferer(Inferer):
    r"""Paint the expected anatomy into the hole of a patch.

    .. math:: z^* = \arg\min_z \sum_i w_i \, \ell_i(G(z), z, y, M)

    with :math:`M` one outside the hole of the patch y. Start latents are chosen for each patch, descended from each, and
    the image of the best latent is put into the hole. The result of a patch does not depend on the other patches of its
    batch: their losses are summed, so that no gradient reaches from one to another.

    `paper_search` and `fast_search` build the two presets.

    Args:
        loss: terms and weights, see `InpaintingLoss`.
        start_finder: `RandomStarts` as published, or `GuessedStarts`.
        descent: `GradientDescent` as published, or `LBFGSDescent`.
        starts: how many starts are descended from, for each patch.
        snapshots: images kept of the best descent, evenly spaced, the first and the last iteration among them.
        guess: what is expected in the hole before the search, for the term `GuessedL1`; None for losses without it.
        blending: how the generated pixels are put into the hole, `Paste` by default.
        chunk: at most this many images go through the networks at once, which bounds memory; None takes all.
        autocast: ``"bfloat16"`` or ``"float16"`` for the forward passes of the descent, None for the type of the weights.
        channels_last: keep features with the channels innermost, as convolutions on a CPU and on tensor cores want them.
        seed: of the starts, noted in the result.
        progress: whether a bar is shown.

    Raises:
        ValueError: when there are fewer candidates than starts, fewer than two snapshots, or no guess for `GuessedL1`.

    Example:
        A generator that adds its four latents to four pixels, one of which is hidden, finds the three others:

        >>> from monai_cardiac_gan.inferers import LBFGSDescent, RandomStarts
        >>> from monai_cardiac_gan.losses import MaskedL2
        >>> inferer = LatentInpaintingInferer(
        ...     loss=InpaintingLoss({"contextual": MaskedL2()}),
        ...     start_finder=RandomStarts(latent_size=4),
        ...     descent=LBFGSDescent(evaluations=20),
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
        start_finder: StartFinder,
        descent: Descent,
        starts: int = 1,
        snapshots: int = 100,
        guess: Guess | None = None,
        blending: Any = None,
        chunk: int | None = None,
        autocast: str | None = None,
        channels_last: bool = False,
        seed: int = 0,
        progress: bool = True,
    ) -> None:
        super().__init__()
        if not 1 <= starts <= start_finder.candidates:
            raise ValueError(f"starts is {starts}: expected 1 to {start_finder.candidates}, as many as are tried.")
        if snapshots < 2:
            raise ValueError(f"snapshots is {snapshots}: expected at least 2, the first and the last iteration.")
        self.loss, self.start_finder, self.descent = loss, start_finder, descent
        if guess is None and loss.has(GuessedL1):
            raise ValueError("the loss has the term GuessedL1 and there is no guess: give one, or leave the term out.")
        self.starts, self.snapshots, self.guess = starts, snapshots, guess
        self.blending = Paste() if blending is None else blending
        self.chunk, self.channels_last = chunk, channels_last
        self.autocast = None if autocast is None else getattr(torch, autocast)
        self.seed, self.progress = seed, progress

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

    def search(
        self, patches: Tensor, holes: Tensor | None, generator: nn.Module, valid: Tensor | None = None
    ) -> InpaintingResult:
        """Search the latents of a whole batch of patches at once.

        The networks must lie on the patches' device. During the search they are in evaluation mode and their parameters
        are frozen; afterwards both is as it was.

        Args:
            patches: (N, 1, H, W), -1 to 1.
            holes: (N, 1, H, W), (1, 1, H, W) or (H, W) bool, true where pixels are to be painted; without it the
                publication's square of 25 x 25 pixels in the middle.
            generator: (N, latent_size) to (N, 1, H, W).
            valid: (N, 1, H, W) bool, true where a patch lies inside the field of view; padding is not searched for.

        Raises:
            ValueError: when the masks do not fit the patches, the patches are not (N, 1, H, W), not finite or beyond -1 to 1,
                a hole hides nothing or everything, or a network gives the wrong shape or NaN for the starts.
        """
        began = time.perf_counter()
        patches = checked_patches(patches)
        holes = square_hole(shape=patches.shape[2:]) if holes is None else holes
        # a MetaTensor becomes a plain tensor here
        holes = checked_holes(holes.as_subclass(Tensor).to(patches.device), patches.shape).expand_as(patches)
        known, valid = ~holes, _checked_valid(valid, patches)
        searched = known if valid is None else known & valid
        with self._prepared(generator), torch.inference_mode(False):
            starts, start_images = self.start_finder(patches, searched, generator, self.starts)
            shown = torch.where(holes, self._guessed(patches, holes, generator), patches)
            targets, seen = (values.repeat_interleave(self.starts, 0) for values in (shown, known))
            inside = None if valid is None else valid.repeat_interleave(self.starts, 0)
            objective = LatentObjective(generator, self.loss, targets, seen, self.chunk, self.autocast, inside)
            outcome = self.descent(objective, starts.flatten(0, 1), self.snapshots, self.progress)
            _warn_of_lost_descents(outcome)
            shape = starts.shape[:2]
            losses = outcome.losses.unflatten(0, shape)
            with torch.no_grad():
                generated = self._images(generator, outcome.latents).unflatten(0, shape)
                path = outcome.path.unflatten(1, shape)
                snapshots = self._snapshots(path, losses.argmin(1), generator)
            inpainted = torch.stack([self.blending(images, patches, holes) for images in generated.unbind(1)], 1)
        return InpaintingResult(
            patches=patches.cpu(),
            holes=holes.cpu(),
            latents=outcome.latents.unflatten(0, shape).cpu(),
            generated=generated.cpu(),
            inpainted=inpainted.cpu(),
            losses=losses.cpu(),
            traces=_traces(outcome, shape),
            start_images=start_images,
            snapshots=snapshots,
            snapshot_iterations=outcome.path_iterations,
            evaluations=outcome.evaluations.unflatten(0, shape).cpu(),
            stops=tuple(outcome.stops[i : i + self.starts] for i in range(0, len(outcome.stops), self.starts)),
            seed=self.seed,
            seconds=time.perf_counter() - began,
        )

    def _guessed(self, patches: Tensor, holes: Tensor, generator: nn.Module) -> Tensor:
        """What is searched for in the holes; zeros without a guess, so that the truth is out of reach for every term."""
        if self.guess is None:
            return torch.zeros_like(patches)
        size = self.chunk or len(patches)
        parts = zip(patches.split(size), holes.split(size), strict=True)
        return torch.cat([self.guess(*part, generator).to(patches) for part in parts])

    def _images(self, generator: nn.Module, latents: Tensor) -> Tensor:
        parts = latents.split(len(latents) if self.chunk is None else self.chunk)
        return torch.cat([generator(part) for part in parts])

    def _snapshots(self, path: Tensor, best: Tensor, generator: nn.Module) -> Tensor:
        """Images (F, N, H, W) uint8 of each patch's best descent; made anew from latents, 100 times smaller to keep."""
        frames = []
        for latents in path[:, torch.arange(len(best), device=best.device), best]:
            images = self._images(generator, latents)[:, 0]
            frames.append(((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu())
        return torch.stack(frames)

    @contextmanager
    def _prepared(self, generator: nn.Module) -> Iterator[None]:
        """Evaluation mode, frozen parameters and the chosen layout inside; modes and flags as before outside."""
        helpers = [getattr(part, name, None) for part in (self.start_finder, self.guess) for name in HELPERS]
        networks = [generator, *self.loss.networks(), *(each for each in helpers if isinstance(each, nn.Module))]
        with _frozen(*networks):
            if self.channels_last:
                for network in networks:
                    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            yield


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


def _checked_valid(valid: Tensor | None, patches: Tensor) -> Tensor | None:
    """The masks on the patches' device; None where nothing is padded, which spares the search the masking."""
    if valid is None:
        return None
    if valid.dtype != torch.bool or valid.shape != patches.shape:
        raise ValueError(
            f"the valid pixels are {valid.dtype} {tuple(valid.shape)}: expected bool {tuple(patches.shape)}, true inside."
        )
    plain = valid.as_subclass(Tensor).to(patches.device)
    return None if bool(plain.all()) else plain


def _traces(outcome: DescentOutcome, shape: torch.Size) -> DescentTraces:
    terms = {name: values.unflatten(1, shape).cpu() for name, values in outcome.parts.items()}
    return DescentTraces(terms, outcome.total.unflatten(1, shape).cpu())


def _warn_of_lost_descents(outcome: DescentOutcome) -> None:
    lost = outcome.stops.count(Stop.NOT_FINITE)
    if lost:
        warnings.warn(
            f"{lost} of {len(outcome.stops)} descents left the finite numbers; their best iterate before is returned: "
            "make step_size smaller.",
            RuntimeWarning,
            stacklevel=3,
        )
