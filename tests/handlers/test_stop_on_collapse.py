import pytest
import torch
from torch import nn

from monai_cardiac_gan.handlers import StopOnCollapse
from monai_cardiac_gan.handlers.stop_on_collapse import mean_pixel_std


class Painter(nn.Module):
    """Images of one pixel value each, that differ by `scale`."""

    def __init__(self, scale):
        super().__init__()
        self.scale, self.bias = scale, nn.Parameter(torch.zeros(()))

    def forward(self, latents):
        return (self.scale * latents[:, :1] + self.bias)[:, :, None, None].expand(-1, 1, 4, 4)


def run_with(trainer_of, scales, handler, **options):
    """One epoch for each scale, with two updates of the generator in it; the reals have a standard deviation of about 0.58."""
    painter = Painter(scales[0])
    trainer = trainer_of(generator=painter, max_epochs=len(scales), **options)
    handler.attach(trainer)
    epoch = iter(scales)
    trainer.add_event_handler("EPOCH_STARTED", lambda: setattr(painter, "scale", next(epoch)))
    trainer.run()
    return trainer


def test_a_generator_that_paints_one_image_stops_the_run(trainer_of):
    with pytest.raises(
        RuntimeError,
        match=r"paints nearly the same image for all latents: 3 times in a row they differed by less than 0\.05 of what "
        r"real images do.*\(epoch 3, iteration 12\): go back to an earlier checkpoint",
    ):
        run_with(trainer_of, [0.0] * 5, StopOnCollapse(after_updates=0))


def test_one_look_that_passes_starts_the_count_anew(trainer_of):
    handler = StopOnCollapse(after_updates=0)
    run_with(trainer_of, [0.0, 0.0, 1.0, 0.0, 0.0], handler)
    assert handler.times == 2


@pytest.mark.parametrize(("share", "fails"), [(0.9, True), (1.1, False)])
def test_the_threshold_is_a_share_of_the_standard_deviation_of_real_images(trainer_of, share, fails):
    """The painted images have the standard deviation of their first latents, times the scale."""
    latents = torch.randn(36, 4, generator=torch.Generator().manual_seed(0))[:, 0]
    reals = torch.rand(4, 1, 4, 4)
    scale = share * 0.2 * reals.std(0).mean() / latents.std()
    handler = StopOnCollapse(after_updates=0, least_ratio=0.2)
    run_with(trainer_of, [scale.item()], handler, loader=[reals] * 2)
    assert handler.times == fails


def test_looks_come_after_every_few_updates_of_the_generator(trainer_of):
    handler = StopOnCollapse(every_updates=3, after_updates=0, patience=3)
    with pytest.raises(RuntimeError, match=r"epoch 5, iteration 18"):  # after 9 updates, one every 2 iterations
        run_with(trainer_of, [0.0] * 9, handler)


def test_the_first_updates_may_paint_alike(trainer_of):
    handler = StopOnCollapse(after_updates=6, patience=9)
    run_with(trainer_of, [0.0] * 5, handler)
    assert handler.times == 3  # updates 6, 8 and 10


def test_images_that_are_not_finite_stop_the_run_at_once(trainer_of):
    trainer = trainer_of(generator=Painter(1.0))
    StopOnCollapse().attach(trainer)
    trainer.add_event_handler("EPOCH_COMPLETED", lambda: None)
    trainer.generator_optimizer.register_step_post_hook(lambda *_: trainer.generator.bias.data.fill_(torch.nan))
    trainer.data_loader = trainer.data_loader[:2]
    trainer.state.epoch_length = 2
    with pytest.raises(RuntimeError, match=r"paints images that are not finite \(epoch 1, iteration 2\): go back"):
        trainer.run()


def test_another_network_can_be_looked_at(trainer_of):
    handler = StopOnCollapse(after_updates=0, network=Painter(0.0))
    run_with(trainer_of, [1.0, 1.0], handler)
    assert handler.times == 2


@pytest.mark.parametrize("wrong", [{"count": 1}, {"patience": 0}, {"every_updates": 0}])
def test_counts_that_are_too_low_are_refused(wrong):
    with pytest.raises(ValueError, match="expected at least 2 images, 1 look and 1 update"):
        StopOnCollapse(**wrong)


def test_the_standard_deviation_of_normal_images():
    images = 3 * torch.randn(4000, 1, 4, 4, generator=torch.Generator().manual_seed(0)) + torch.arange(4.0)
    assert mean_pixel_std(images) == pytest.approx(3, rel=0.02)


def test_one_image_has_no_standard_deviation():
    with pytest.raises(ValueError, match="1 image has no standard deviation, expected at least 2: take a larger batch"):
        mean_pixel_std(torch.zeros(1, 1, 4, 4))
