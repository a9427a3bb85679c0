"""Training of a generator against a critic, with any adversarial loss and penalty (Gulrajani et al. 2017, algorithm 1)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from ignite.engine import Events
from monai.engines import Trainer
from monai.engines.utils import IterationEvents
from torch import Tensor, nn
from torch.optim import Optimizer

from monai_cardiac_gan.augmentation import Augmentation, PatchVariation
from monai_cardiac_gan.engines.adversarial_state import AdversarialEvents, TrainingOutput
from monai_cardiac_gan.engines.cuda_graphs import CudaRecorder, GraphedUpdates, RandomDraws
from monai_cardiac_gan.engines.execution import Execution
from monai_cardiac_gan.engines.prepare_images import masked, prepare_images, prepare_valid
from monai_cardiac_gan.engines.processes import Processes
from monai_cardiac_gan.engines.random_state import capture_random_state, restore_random_state
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.losses import AdversarialLoss, CriticPenalty, refuse_sample_mixing
from monai_cardiac_gan.networks.frozen import frozen

__all__ = ["GenerativeAdversarialTrainer"]

UPDATES, LATEST, LATENTS, GLOBAL, AUGMENT = (
    "critic_updates",
    "latest_numbers",
    "latent_random_state",
    "global_random_state",
    "augment",
)
CRITIC_EVENTS = (
    IterationEvents.FORWARD_COMPLETED,
    IterationEvents.LOSS_COMPLETED,
    IterationEvents.BACKWARD_COMPLETED,
    AdversarialEvents.CRITIC_UPDATED,
)
SEED = "seed"
"""In states since version 0.2."""


class GenerativeAdversarialTrainer(Trainer):
    r"""Train a generator against a critic; `WganGpTrainer` is the setting of the paper.

    One iteration is one update of the critic, with real images and latents of its own (algorithm 1, lines 3-9), by the sum of
    an adversarial loss and a penalty of the critic's slope. After each ``n_critic``-th update of the critic, counted over the
    whole run, the generator is updated once with latents of its own (lines 11-12). Images may be augmented before the critic
    sees them. All that the trainer draws comes from one generator on the CPU, so that a seed means the same draws on any
    device and with any number of processes. The first iteration refuses critics that mix the samples of a batch.

    ``state.output`` is a dictionary of scalar tensors, see `TrainingOutput`. Fires `AdversarialEvents`, and MONAI's
    ``IterationEvents``: forward, loss and backward of the critic, then ``MODEL_COMPLETED`` when both updates are done.

    To resume exactly, save and load ``{"trainer": trainer, "generator": ..., "critic": ..., "generator_optimizer": ...,
    "critic_optimizer": ...}``, as `AtomicCheckpointSaver` and MONAI's ``CheckpointLoader`` do: the trainer's state holds the
    counters and all random states. Within an epoch this needs a loader whose batch sampler can go on from there
    (`ResumableBatches`); other loaders begin their epoch anew. Where an epoch has another number of batches than before (another
    batch size, more patches), the epochs so far count as they are, those that follow have the new number, and one in which
    the training was stopped begins anew.

    Pixels that a batch marks as outside the field of view (``valid``, see `prepare_valid`) are masked: each fake gets the
    mask of one of the reals, and the critic sees black in both. What the generator paints there is judged by other
    patches only, so that it goes on with anatomy instead of learning the padding.

    In a distributed run (``torchrun``) each process trains on its part of every batch; gradients are averaged, and the
    result is that of one process with the whole batch. Batch normalisation has to be synchronised for that
    (`synchronise_batch_norm`).

    Args:
        device: where the networks are and the batches go.
        max_epochs: passes over the data.
        train_data_loader: gives dictionaries with ``image`` and, optionally, ``valid``, or tensors; (N, C, H, W), scaled as
            the generator's output.
        generator: maps latents (N, latent_size) to images (N, C, H, W).
        critic: maps images to one score each (N,), without mixing samples.
        generator_optimizer: the paper uses Adam, learning rate 1e-4, betas (0.0, 0.9), for both.
        critic_optimizer: see above.
        latent_size: numbers in a latent vector.
        n_critic: updates of the critic for each of the generator; 5 in the paper.
        loss: of critic and generator: `WassersteinLoss`, `HingeLoss` or `RelativisticLoss`.
        gradient_penalty: of the critic's slope: `GradientPenalty` or `ZeroCentredPenalty`.
        penalty_every: updates of the critic from one penalty to the next, which weighs as many times more (Karras et al.
            2020, StyleGAN2, section 2.2, "lazy regularization"). 1 in the paper.
        augment: `DifferentiableAugmentation` or its like, applied to all images before the critic sees them.
        variation: changes the reals (N, 1, H, W) and their valid pixels before anything else, by numbers that the trainer draws,
            such as `PatchVariation`: unlike an augmentation it changes what is learnt. `prepare_batch` then gets a dictionary
            with ``image`` and ``valid``.
        execution: precision, memory layout, compilation, parts of batches, clipping.
        seed: start of latents, interpolation weights and augmentation.
        prepare_batch: takes the images out of a batch, `prepare_images` by default.
        mask_invalid: leave the pixels out that a batch marks as not valid; False shows the padding to the critic.
        train_handlers: MONAI and Ignite handlers.
        key_train_metric: as in ``monai.engines.SupervisedTrainer``.
        arguments: other arguments of ``monai.engines.Trainer``, such as ``epoch_length`` or ``non_blocking``. Nothing is
            decollated unless asked for, because the output has no batch axis.

    Raises:
        ValueError: when a count is below 1, a batch is no image batch, the critic mixes samples, or images are varied and the
            pixels that are then unknown are not masked.
        RuntimeError: when a loss is not finite.

    Example:
        Five iterations update the critic five times and the generator once:

        >>> from monai_cardiac_gan.losses import HingeLoss, ZeroCentredPenalty
        >>> generator = nn.Sequential(nn.Linear(100, 64), nn.Unflatten(1, (1, 8, 8)))
        >>> critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Flatten(0))
        >>> trainer = GenerativeAdversarialTrainer(
        ...     device="cpu",
        ...     max_epochs=1,
        ...     train_data_loader=[torch.rand(4, 1, 8, 8)] * 5,
        ...     generator=generator,
        ...     critic=critic,
        ...     generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-4),
        ...     critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-4),
        ...     loss=HingeLoss(),
        ...     gradient_penalty=ZeroCentredPenalty(),
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
        loss: AdversarialLoss,
        gradient_penalty: CriticPenalty,
        latent_size: int = 100,
        n_critic: int = 5,
        penalty_every: int = 1,
        augment: Augmentation | None = None,
        variation: PatchVariation | None = None,
        execution: Execution | None = None,
        seed: int = 0,
        prepare_batch: Callable[..., Tensor] | None = None,
        mask_invalid: bool = True,
        train_handlers: Sequence | None = None,
        key_train_metric: dict | None = None,
        **arguments: Any,
    ) -> None:
        arguments.setdefault("decollate", False)
        arguments["event_names"] = [*(arguments.get("event_names") or []), AdversarialEvents]
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            data_loader=train_data_loader,
            prepare_batch=prepare_images if prepare_batch is None else prepare_batch,
            key_metric=key_train_metric,
            **arguments,
        )
        if min(latent_size, n_critic, penalty_every) < 1:
            raise ValueError(
                f"latent_size {latent_size}, n_critic {n_critic} and penalty_every {penalty_every} must be at least 1: "
                "give whole numbers."
            )
        if variation is not None and not mask_invalid:
            raise ValueError(
                "there is a variation and mask_invalid is False: the generator would learn the black corners of turned reals; "
                "expected mask_invalid=True with it."
            )
        self.generator, self.critic = generator, critic
        self.generator_optimizer, self.critic_optimizer = generator_optimizer, critic_optimizer
        self.latent_size, self.n_critic, self.penalty_every = latent_size, n_critic, penalty_every
        self.loss, self.gradient_penalty = loss, gradient_penalty
        self.augment, self.variation, self.mask_invalid = augment, variation, mask_invalid
        self.execution = Execution() if execution is None else execution
        self.seed, self.random = seed, torch.Generator().manual_seed(seed)
        self.processes = Processes()
        self.draws = RandomDraws(self.random, self.state.device, self.processes.part)
        self.graphs: GraphedUpdates | None = None
        self._is_recordable = False
        self.critic_updates = 0
        self._latest: dict[str, Tensor] = {}
        self._random_state_within_epoch: Mapping[str, Any] | None = None
        self._is_prepared = False
        self.add_event_handler(Events.EPOCH_STARTED, self._start_epoch)
        self.add_event_handler(Events.GET_BATCH_STARTED, self._go_on_with_random_state)
        if train_handlers is not None:  # last, so that they find the trainer complete
            self._register_handlers(train_handlers)

    @property
    def generator_updates(self) -> int:
        """How often the generator was updated in the whole run."""
        return self.critic_updates // self.n_critic

    @property
    def rank(self) -> int:
        """Number of this process; only the first, 0, writes files."""
        return self.processes.rank

    def draw_latents(self, count: int) -> Tensor:
        """Fresh latents (count, latent_size) from the standard normal distribution, on the trainer's device."""
        return self.draws(torch.randn, count * self.processes.count, self.latent_size)

    def state_dict(self) -> dict[str, Any]:
        """Ignite's counters, the updates so far, the augmentation's state and the states of all random sources."""
        state = super().state_dict()
        state[UPDATES], state[SEED] = self.critic_updates, self.seed
        state[LATEST] = {name: value.cpu() for name, value in self._latest.items()}
        state[LATENTS] = self.random.get_state()
        state[GLOBAL] = capture_random_state(self.state.device)
        state[AUGMENT] = {} if self.augment is None else self.augment.state_dict()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue where `state_dict` was called.

        Raises:
            ValueError: when the state is that of another kind of trainer.
        """
        missing = [name for name in (UPDATES, LATEST, LATENTS, GLOBAL, AUGMENT) if name not in state_dict]
        if missing:
            raise ValueError(
                f"The trainer's state lacks {', '.join(missing)} and holds {', '.join(state_dict)}: "
                "load a checkpoint that a GenerativeAdversarialTrainer wrote."
            )
        if state_dict.get(SEED, self.seed) != self.seed:
            self.logger.warning(
                "The training was begun with the seed %s and goes on with %s: what it draws goes on as it was begun, but a "
                "loader with another seed gives an epoch that was begun in another order, some images twice and some not at all. "
                "Give the same seed.",
                state_dict[SEED],
                self.seed,
            )
        length = self.state.epoch_length
        super().load_state_dict(state_dict)
        self._count_in_epochs_of(length)
        self.critic_updates = state_dict[UPDATES]
        self._latest = {name: value.to(self.state.device) for name, value in state_dict[LATEST].items()}
        self.random.set_state(state_dict[LATENTS].cpu())  # a loader may have moved it to the device
        if state_dict[AUGMENT] and self.augment is not None:
            self.augment.load_state_dict(state_dict[AUGMENT])
        if self._batches_into_epoch():  # making the loader's iterator draws numbers, which had been drawn before
            self._random_state_within_epoch = state_dict[GLOBAL]
        else:
            restore_random_state(state_dict[GLOBAL], self.state.device)

    def _count_in_epochs_of(self, length: int | None) -> None:
        """Keep the whole epochs of a checkpoint, let the next ones have this trainer's own number of batches."""
        before = self.state.epoch_length
        if length is None or before == length:
            return
        within = self._batches_into_epoch()
        self.state.epoch_length, self.state.iteration = length, self.state.epoch * length
        self.logger.warning(
            "An epoch has %s batches, and had %s when the checkpoint was written: the data or their batch size changed. "
            "Training goes on with epoch %d%s.",
            length,
            before,
            self.state.epoch + 1,
            f", which begins anew: {within} of its batches were seen before" if within else "",
        )

    def _batches_into_epoch(self) -> int:
        length = self.state.epoch_length
        return self.state.iteration % length if length else 0

    def _start_epoch(self, _: Any) -> None:
        # before Ignite makes the iterator of a run's first epoch, and after checkpoints are loaded at the run's start
        sampler: Any = getattr(self.data_loader, "batch_sampler", None)
        if hasattr(sampler, "continue_from"):
            sampler.continue_from(self.state.epoch - 1, self._batches_into_epoch())
        elif self._batches_into_epoch():
            self.logger.warning(
                "The data loader cannot go on within epoch %d, and begins it anew with images that were used before: give "
                "it a batch_sampler of the class ResumableBatches.",
                self.state.epoch,
            )
        if not self._is_prepared:
            for network in (self.generator, self.critic):
                self.execution.prepare(network)
            self.processes.copy_from_first(self.generator, self.critic)
            if self.execution.cuda_graphs and self.state.device.type == "cuda" and self.processes.count == 1:
                recorder = CudaRecorder(self.state.device)
                self.graphs = GraphedUpdates(recorder, self.draws, [self.critic_optimizer, self.generator_optimizer])

    def _go_on_with_random_state(self, _: Any) -> None:
        if self._random_state_within_epoch is not None:
            restore_random_state(self._random_state_within_epoch, self.state.device)
            self._random_state_within_epoch = None

    def _iteration(self, engine: Any, batchdata: Any) -> dict[str, Tensor]:
        batchdata = self._varied(batchdata)
        images = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        valid = prepare_valid(batchdata, images, self.non_blocking) if self.mask_invalid else None
        reals = self.execution.lay_out(masked(images, valid))
        self.generator.train()
        self.critic.train()
        if not self._is_prepared:
            with self.execution.eager():
                refuse_sample_mixing(self.critic, reals)
            self._is_prepared = True
        if self.graphs is None:
            self._update(reals, valid)
        else:
            self._update_by_graph(self.graphs, reals, valid)
        self.state.output |= self._latest
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output

    def _varied(self, batchdata: Any) -> Any:
        if self.variation is None:
            return batchdata
        images = prepare_images(batchdata, self.state.device, self.non_blocking)
        valid = prepare_valid(batchdata, images, self.non_blocking)
        inside = torch.ones_like(images, dtype=torch.bool) if valid is None else valid
        images, inside = self.variation(images, inside, self._uniforms(len(images), self.variation.draws))
        return {Field.IMAGE: images, Field.VALID: inside}

    def _update(self, reals: Tensor, valid: Tensor | None = None) -> None:
        self._update_critic(reals, valid)
        self.critic_updates += 1
        self._fire(AdversarialEvents.CRITIC_UPDATED)
        if self.critic_updates % self.n_critic == 0:
            self._update_generator(reals, valid)
            self._fire(AdversarialEvents.GENERATOR_UPDATED)

    def _update_by_graph(self, graphs: GraphedUpdates, reals: Tensor, valid: Tensor | None) -> None:
        """As `_update`; events are fired and losses looked at when all is done."""
        moves = (self.critic_updates + 1) % self.n_critic == 0
        penalised = self.critic_updates % self.penalty_every == 0
        kind = (tuple(reals.shape), valid is None, penalised, moves, *self._host_settings())
        numbers = graphs(kind, self._recordable, [reals] if valid is None else [reals, valid])
        self.critic_updates += 1
        self._latest |= {name.removeprefix(LATEST): value for name, value in numbers.items() if name.startswith(LATEST)}
        self.state.output = {name: value for name, value in numbers.items() if not name.startswith(LATEST)}
        for event in (*CRITIC_EVENTS, *([AdversarialEvents.GENERATOR_UPDATED] if moves else [])):
            self._fire(event)
        for network, name in (("critic", TrainingOutput.LOSS), ("generator", TrainingOutput.GENERATOR_LOSS)):
            if (loss := (self.state.output | self._latest).get(name)) is not None:
                self._refuse_infinite(network, loss)

    def _recordable(self, reals: Tensor, valid: Tensor | None = None) -> dict[str, Tensor]:
        """The update without anything on the host, the counter included; all its scalars, the latest ones by a longer name."""
        before, updates, self._is_recordable = dict(self._latest), self.critic_updates, True
        try:
            self._update(reals, valid)
        finally:
            self.critic_updates, self._is_recordable = updates, False
        return self.state.output | {
            LATEST + name: value for name, value in self._latest.items() if before.get(name) is not value
        }

    def _host_settings(self) -> tuple[Any, ...]:
        """What a graph takes for constant, though handlers may change it."""
        rates = [
            group["lr"] for each in (self.critic_optimizer, self.generator_optimizer) for group in each.param_groups
        ]
        return (*rates, None if self.augment is None else self.augment.probability)

    def _fire(self, event: Any) -> None:
        if not self._is_recordable:
            self.fire_event(event)

    def _update_critic(self, reals: Tensor, valid: Tensor | None = None) -> None:
        count = len(reals)
        with torch.no_grad(), self.execution.precision(reals.device):
            fakes = self._paint(self.draw_latents(count), reals, valid)
        epsilon = self._uniforms(count, 1)[:, 0]
        reals, fakes = self._augmented(reals), self._augmented(self.execution.lay_out(fakes.to(reals.dtype)))
        self.critic_optimizer.zero_grad()
        parts = [self._critic_backward(reals[p], fakes[p], epsilon[p], count) for p in self.execution.chunks(count)]
        numbers = self.processes.mean(torch.stack(parts).sum(0))
        self.state.output = dict(zip(TrainingOutput.ALL, numbers, strict=True))  # the latest ones replace some of them
        if self.critic_updates % self.penalty_every == 0:
            self._latest |= dict(zip(TrainingOutput.ALL[2:4], numbers[2:4], strict=True))
        self._refuse_infinite("critic", numbers[0])
        self._step(self.critic, self.critic_optimizer)

    def _critic_backward(self, reals: Tensor, fakes: Tensor, epsilon: Tensor, count: int) -> Tensor:
        """Add the gradients of some of the images; give their share in the numbers of `TrainingOutput.ALL`."""
        with self.execution.precision(reals.device):
            real_scores, fake_scores = self.critic(torch.cat([reals, fakes])).to(reals.dtype).chunk(2)
        self._fire(IterationEvents.FORWARD_COMPLETED)
        loss = self.loss.critic(real_scores, fake_scores)
        penalty, norms = loss.new_zeros(()), loss.new_zeros(1)
        if self.critic_updates % self.penalty_every == 0:
            with self.execution.eager():
                penalty, norms = self.gradient_penalty(self.critic, reals, fakes, epsilon=epsilon)
            loss = loss + self.penalty_every * penalty
        self._fire(IterationEvents.LOSS_COMPLETED)
        share = len(reals) / count
        (loss * share).backward()
        self._fire(IterationEvents.BACKWARD_COMPLETED)
        with torch.no_grad():
            gap = real_scores.mean() - fake_scores.mean()
            generator_loss = self.loss.generator(fake_scores, real_scores)
            return torch.stack([loss.detach(), gap, penalty.detach(), norms.mean(), generator_loss]) * share

    def _update_generator(self, reals: Tensor, valid: Tensor | None = None) -> None:
        count = len(reals)
        latents, for_fakes = self._generator_latents(count), self._uniforms(count, self._draws)
        seen_reals = self._augmented(reals) if self.loss.needs_reals else None
        self.generator_optimizer.zero_grad()
        with frozen(self.critic):
            parts = [
                self._generator_backward(
                    latents[p], for_fakes[p], reals[p], _part(seen_reals, p), _part(valid, p), count
                )
                for p in self.execution.chunks(count)
            ]
        loss = self.processes.mean(torch.stack(parts).sum())
        self._latest[TrainingOutput.GENERATOR_LOSS] = loss
        self._refuse_infinite("generator", loss)
        self._step(self.generator, self.generator_optimizer)

    def _generator_backward(
        self,
        latents: Tensor,
        uniforms: Tensor,
        reals: Tensor,
        seen_reals: Tensor | None,
        valid: Tensor | None,
        count: int,
    ) -> Tensor:
        """Add the gradients of some of the fakes; give their share in the loss."""
        with self.execution.precision(latents.device):
            fakes = self._paint(latents, reals, valid)
            adversarial = self._adversarial_loss(fakes, uniforms, seen_reals)
        loss = adversarial * (len(latents) / count)
        loss.backward()
        return loss.detach()

    def _adversarial_loss(self, fakes: Tensor, uniforms: Tensor, seen_reals: Tensor | None) -> Tensor:
        """The generator's loss of some fakes, augmented by their numbers."""
        seen = fakes if self.augment is None else self.augment(fakes.float(), uniforms)
        fake_scores = self.critic(self.execution.lay_out(seen))
        with torch.no_grad():
            real_scores = None if seen_reals is None else self.critic(seen_reals)
        return self.loss.generator(fake_scores.to(uniforms.dtype), real_scores)

    def _paint(self, latents: Tensor, _: Tensor, valid: Tensor | None) -> Tensor:
        """What the critic sees of these latents; a conditional trainer looks at the reals of the same rows."""
        return masked(self.generator(latents), valid)

    def _generator_latents(self, count: int) -> Tensor:
        """Latents of one update of the generator, a row for each of the reals."""
        return self.draw_latents(count)

    @property
    def _draws(self) -> int:
        return 0 if self.augment is None else self.augment.draws

    def _uniforms(self, count: int, numbers: int) -> Tensor:
        return self.draws(torch.rand, count * self.processes.count, numbers)

    def _augmented(self, images: Tensor) -> Tensor:
        if self.augment is None:
            return images
        return self.execution.lay_out(self.augment(images, self._uniforms(len(images), self._draws)))

    def _step(self, network: nn.Module, optimizer: Optimizer) -> None:
        self.processes.average_gradients(network.parameters())
        if self.execution.clip_norm is not None:
            nn.utils.clip_grad_norm_(network.parameters(), self.execution.clip_norm)
        optimizer.step()

    def _refuse_infinite(self, network: str, loss: Tensor) -> None:
        ends_epoch = self.state.iteration % (self.state.epoch_length or 1) == 0  # before anything is saved
        if self._is_recordable or (self.state.iteration % self.execution.check_every and not ends_epoch):
            return
        if not math.isfinite(value := loss.item()):
            raise RuntimeError(
                f"The {network}'s loss is {value} at iteration {self.state.iteration} (epoch {self.state.epoch}), "
                "expected a finite number: lower the learning rate, or check the patches for values that are "
                "not finite or not in [-1, 1]."
            )


def _part(values: Tensor | None, part: slice) -> Tensor | None:
    return None if values is None else values[part]
