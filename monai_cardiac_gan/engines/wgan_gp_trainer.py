"""Training of a Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, algorithm 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from monai.data import MetaTensor
from monai.engines import Trainer
from monai.engines.utils import IterationEvents, default_metric_cmp_fn
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import GradientPenalty, WassersteinLoss, refuse_sample_mixing

__all__ = ["TrainingOutput", "WganGpTrainer", "prepare_images"]


class TrainingOutput:
    """Names of the numbers in ``state.output`` after each iteration."""

    LOSS = "loss"
    """Loss of the critic, penalty included."""
    WASSERSTEIN = "wasserstein"
    """Mean score of the reals less that of the fakes: the estimate of the distance."""
    PENALTY = "penalty"
    """Weighted gradient penalty."""
    GRADIENT_NORM = "gradient_norm"
    """Mean norm of the critic's input gradient; training should bring it near 1."""
    GENERATOR_LOSS = "generator_loss"
    """Loss of the generator's latest update; before the first, the loss it would have on the critic's fakes."""

    ALL = (LOSS, WASSERSTEIN, PENALTY, GRADIENT_NORM, GENERATOR_LOSS)


class WganGpTrainer(Trainer):
    r"""Train a generator against a critic with gradient penalty.

    One iteration is one update of the critic, with real images and latents of its own (algorithm 1, lines 3-9):

    .. math:: L = \frac{1}{N} \sum_n D(\tilde x_n) - D(x_n) +
        \lambda \left(\lVert \nabla_{\hat x_n} D(\hat x_n) \rVert_2 - 1\right)^2

    After each ``n_critic``-th update of the critic, counted over the whole run, the generator is updated once with
    latents of its own (lines 11-12). Latents and interpolation weights come from one generator on the CPU, so that a
    seed means the same draws on any device. The first iteration refuses critics that mix the samples of a batch.

    ``state.output`` is a dictionary of floats, see `TrainingOutput`. Fires MONAI's ``IterationEvents``: forward, loss
    and backward of the critic, then ``MODEL_COMPLETED`` when both updates are done.

    To resume exactly, save and load ``{"trainer": trainer, "generator": ..., "critic": ..., "generator_optimizer": ...,
    "critic_optimizer": ...}`` at the end of an epoch with MONAI's ``CheckpointSaver`` and ``CheckpointLoader``: the
    trainer's state holds the counters and the random states. Within an epoch Ignite starts the data loader anew.

    Args:
        device: where the networks are and the batches go.
        max_epochs: passes over the data.
        train_data_loader: gives dictionaries with ``image``, or tensors; (N, C, H, W), scaled as the generator's output.
        generator: maps latents (N, latent_size) to images (N, C, H, W).
        critic: maps images to one score each (N,), without mixing samples.
        generator_optimizer: the paper uses Adam, learning rate 1e-4, betas (0, 0.9), for both.
        critic_optimizer: see above.
        latent_size: numbers in a latent vector.
        n_critic: updates of the critic for each of the generator; 5 in the paper.
        loss: has ``critic(real_scores, fake_scores)`` and ``generator(fake_scores)``; `WassersteinLoss` by default.
        gradient_penalty: gives the penalty and the norms; `GradientPenalty` with weight 10 by default.
        seed: start of latents and interpolation weights.
        epoch_length, non_blocking, prepare_batch, postprocessing, key_train_metric, additional_metrics, metric_cmp_fn,
            train_handlers, event_names, event_to_attr, decollate, to_kwargs: as in ``monai.engines.SupervisedTrainer``,
            except that nothing is decollated by default, for the output has no batch axis.

    Raises:
        ValueError: when latent_size or n_critic is below 1, a batch is no image batch, or the critic mixes samples.
        RuntimeError: when a loss is not finite.

    Example:
        Five iterations update the critic five times and the generator once:

        >>> generator = nn.Sequential(nn.Linear(100, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0))
        >>> trainer = WganGpTrainer(
        ...     device="cpu",
        ...     max_epochs=1,
        ...     train_data_loader=[torch.rand(4, 1, 8, 8)] * 5,
        ...     generator=generator,
        ...     critic=critic,
        ...     generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-4),
        ...     critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-4),
        ... )
        >>> trainer.run()
        >>> trainer.critic_updates, trainer.generator_updates
        (5, 1)
    """

    def __init__(
        self,
        *,
        device: str | torch.device,
        max_epochs: int,
        train_data_loader: Iterable,
        generator: nn.Module,
        critic: nn.Module,
        generator_optimizer: Optimizer,
        critic_optimizer: Optimizer,
        latent_size: int = 100,
        n_critic: int = 5,
        loss: WassersteinLoss | None = None,
        gradient_penalty: GradientPenalty | None = None,
        seed: int = 0,
        epoch_length: int | None = None,
        non_blocking: bool = False,
        prepare_batch: Callable[..., Tensor] | None = None,
        postprocessing: Callable | None = None,
        key_train_metric: dict | None = None,
        additional_metrics: dict | None = None,
        metric_cmp_fn: Callable = default_metric_cmp_fn,
        train_handlers: Sequence | None = None,
        event_names: list | None = None,
        event_to_attr: dict | None = None,
        decollate: bool = False,
        to_kwargs: dict | None = None,
    ) -> None:
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            epoch_length=epoch_length,
            non_blocking=non_blocking,
            prepare_batch=prepare_images if prepare_batch is None else prepare_batch,
            postprocessing=postprocessing,
            key_metric=key_train_metric,
            additional_metrics=additional_metrics,
            metric_cmp_fn=metric_cmp_fn,
            handlers=train_handlers,
            event_names=event_names,
            event_to_attr=event_to_attr,
            decollate=decollate,
            to_kwargs=to_kwargs,
        )
        if latent_size < 1 or n_critic < 1:
            raise ValueError(
                f"latent_size {latent_size} and n_critic {n_critic} must be at least 1: give whole numbers."
            )
        self.generator, self.critic = generator, critic
        self.generator_optimizer, self.critic_optimizer = generator_optimizer, critic_optimizer
        self.latent_size, self.n_critic = latent_size, n_critic
        self.loss = WassersteinLoss() if loss is None else loss
        self.gradient_penalty = GradientPenalty() if gradient_penalty is None else gradient_penalty
        self.random = torch.Generator().manual_seed(seed)
        self.critic_updates = 0
        self._generator_loss: float | None = None
        self._critic_is_checked = False

    @property
    def generator_updates(self) -> int:
        """How often the generator was updated in the whole run."""
        return self.critic_updates // self.n_critic

    def draw_latents(self, count: int) -> Tensor:
        """Fresh latents (count, latent_size) from the standard normal distribution, on the trainer's device."""
        return torch.randn(count, self.latent_size, generator=self.random).to(self.state.device)

    def state_dict(self) -> dict[str, Any]:
        """Ignite's counters, the updates so far and the states of all random sources."""
        state = super().state_dict()
        state["critic_updates"] = self.critic_updates
        state["generator_loss"] = self._generator_loss
        state["latent_random_state"] = self.random.get_state()
        state["global_random_state"] = torch.get_rng_state()
        if self.state.device.type == "cuda":
            state["device_random_state"] = torch.cuda.get_rng_state(self.state.device)
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was called.

        Raises:
            ValueError: when the state is that of another kind of trainer.
        """
        own = ("critic_updates", "generator_loss", "latent_random_state", "global_random_state")
        missing = [name for name in own if name not in state_dict]
        if missing:
            raise ValueError(
                f"The trainer's state lacks {', '.join(missing)} and holds {', '.join(state_dict)}: "
                "load a checkpoint that a WganGpTrainer wrote."
            )
        super().load_state_dict(state_dict)
        self.critic_updates = state_dict["critic_updates"]
        self._generator_loss = state_dict["generator_loss"]
        self.random.set_state(state_dict["latent_random_state"].cpu())  # a loader may have moved it to the device
        torch.set_rng_state(state_dict["global_random_state"].cpu())
        if self.state.device.type == "cuda" and "device_random_state" in state_dict:
            torch.cuda.set_rng_state(state_dict["device_random_state"].cpu(), self.state.device)

    def _iteration(self, engine: Any, batchdata: Any) -> dict[str, float]:
        reals = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        self.generator.train()
        self.critic.train()
        if not self._critic_is_checked:
            refuse_sample_mixing(self.critic, reals)
            self._critic_is_checked = True
        self._update_critic(reals)
        self.critic_updates += 1
        if self.critic_updates % self.n_critic == 0:
            self._update_generator(len(reals))
        if self._generator_loss is not None:
            self.state.output[TrainingOutput.GENERATOR_LOSS] = self._generator_loss
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output

    def _update_critic(self, reals: Tensor) -> None:
        with torch.no_grad():
            fakes = self.generator(self.draw_latents(len(reals)))
        real_scores, fake_scores = self.critic(reals), self.critic(fakes)
        self.fire_event(IterationEvents.FORWARD_COMPLETED)
        penalty, norms = self.gradient_penalty(self.critic, reals, fakes, self.random)
        loss = self.loss.critic(real_scores, fake_scores) + penalty
        self.state.output = {
            TrainingOutput.LOSS: self._refuse_infinite("critic", loss),
            TrainingOutput.WASSERSTEIN: (real_scores.mean() - fake_scores.mean()).item(),
            TrainingOutput.PENALTY: penalty.item(),
            TrainingOutput.GRADIENT_NORM: norms.mean().item(),
            TrainingOutput.GENERATOR_LOSS: self.loss.generator(fake_scores).item(),
        }
        self.fire_event(IterationEvents.LOSS_COMPLETED)
        self.critic_optimizer.zero_grad()
        loss.backward()
        self.fire_event(IterationEvents.BACKWARD_COMPLETED)
        self.critic_optimizer.step()

    def _update_generator(self, count: int) -> None:
        with _frozen(self.critic):
            loss = self.loss.generator(self.critic(self.generator(self.draw_latents(count))))
            self._generator_loss = self._refuse_infinite("generator", loss)
            self.generator_optimizer.zero_grad()
            loss.backward()
        self.generator_optimizer.step()

    def _refuse_infinite(self, player: str, loss: Tensor) -> float:
        value = loss.item()
        if not math.isfinite(value):
            raise RuntimeError(
                f"The {player}'s loss is {value} at iteration {self.state.iteration} (epoch {self.state.epoch}), "
                "expected a finite number: lower the learning rate, or check the patches for values that are "
                "not finite or not in [-1, 1]."
            )
        return value


def prepare_images(batch: Any, device: torch.device, non_blocking: bool = False, **to_kwargs: Any) -> Tensor:
    """Take the images out of a batch, as a plain tensor on the device.

    Args:
        batch: a dictionary with ``image``, or the images themselves; tensors or ``MetaTensor``s (N, C, H, W) of floats.
        device: where they go.
        non_blocking: whether the copy may be asynchronous.
        to_kwargs: more arguments of ``torch.Tensor.to``.

    Raises:
        ValueError: when there are no such images.
    """
    images = batch.get(Field.IMAGE) if isinstance(batch, Mapping) else batch
    if not isinstance(images, Tensor) or images.ndim != 4 or not images.is_floating_point():
        came = f"{images.dtype} {list(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
        raise ValueError(
            f"The batch holds {came}, expected '{Field.IMAGE}' or a tensor (N, C, H, W) of floats: "
            "name the images so, and scale them to the range of the generator."
        )
    plain = images.as_tensor() if isinstance(images, MetaTensor) else images
    return plain.to(device, non_blocking=non_blocking, **to_kwargs)


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Compute no gradients of the network's parameters meanwhile; those that were frozen before stay so."""
    moving = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in moving:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in moving:
            parameter.requires_grad_(True)
