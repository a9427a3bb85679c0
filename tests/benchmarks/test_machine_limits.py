import pytest
import torch
from machine_limits import (
    MachineLimits,
    Work,
    WorkCounter,
    convolution_operations,
    critic_step_operations,
    generator_step_operations,
    idle_share,
    measure_limits,
)
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from training_variants import LATENT_SIZE, VARIANTS, build

from monai_cardiac_gan.networks.nets import PatchCritic, PatchGenerator

CPU = torch.device("cpu")
WIDTH, BATCH = 4, 4


def test_a_product_of_matrices_counts_two_operations_for_each_pair_and_each_array_once():
    with WorkCounter() as counter:
        torch.ones(3, 5) @ torch.ones(5, 7)
    product = counter.works[-1]
    assert product.operations == 2 * 3 * 5 * 7
    assert product.bytes == 4 * (3 * 5 + 5 * 7 + 3 * 7)


def test_a_view_costs_nothing_and_a_change_in_place_reads_and_writes():
    values = torch.ones(10)
    with WorkCounter() as counter:
        values.view(2, 5)
        values.mul_(torch.ones(10).copy_(values))
    assert [work.bytes for work in counter.works][-1] == 3 * 40  # reads both factors, writes one


def test_the_counted_operations_are_those_of_the_counter_of_torch():
    loop = build(VARIANTS[0], WIDTH, BATCH, CPU)
    with FlopCounterMode(display=False) as torch_counter:
        loop.generator_step()  # the other step differentiates twice, which that counter cannot follow
    with WorkCounter() as counter:
        loop.generator_step()
    assert counter.operations == torch_counter.get_total_flops()


@pytest.fixture
def convolutions():
    generator = convolution_operations(PatchGenerator(LATENT_SIZE, WIDTH), torch.zeros(BATCH, LATENT_SIZE))
    return generator, convolution_operations(PatchCritic(WIDTH), torch.zeros(BATCH, 1, 128, 128))


def test_the_closed_form_of_a_convolution():
    layer = nn.Sequential(nn.Conv2d(3, 5, 4, stride=2, padding=1), nn.ConvTranspose2d(5, 2, 2, stride=2))
    # 4 x 4 pixels come out of the first; the second lays its kernel at each of them
    assert convolution_operations(layer, torch.zeros(1, 3, 8, 8)) == [2 * 3 * 5 * 16 * 16, 2 * 5 * 2 * 4 * 16]


@pytest.mark.parametrize(
    ("step", "closed_form"),
    [("critic_step", critic_step_operations), ("generator_step", generator_step_operations)],
)
def test_the_trainer_computes_the_convolutions_that_the_closed_form_demands_and_no_more(
    step, closed_form, convolutions
):
    (plain,) = (variant for variant in VARIANTS if variant.name == "trainer")
    loop = build(plain, WIDTH, BATCH, CPU)
    with WorkCounter() as counter:
        getattr(loop, step)()
    assert counter.operations == pytest.approx(closed_form(*convolutions), rel=0.01)  # beside them: little products


def test_the_textbook_computes_more(convolutions):
    loop = build(VARIANTS[0], WIDTH, BATCH, CPU)
    with WorkCounter() as counter:
        loop.generator_step()
    generator, critic = convolutions
    assert counter.operations == pytest.approx(3 * (sum(generator) + sum(critic)) - generator[0], rel=0.01)


def test_the_roofline_takes_the_longer_of_arithmetic_and_memory():
    limits = MachineLimits({torch.float32: 100.0}, bytes=10.0)
    assert limits.seconds(Work(operations=200, bytes=5, dtype=torch.float32)) == 2.0
    assert limits.seconds(Work(operations=200, bytes=50, dtype=torch.float32)) == 5.0
    assert limits.seconds(Work(operations=200, bytes=5, dtype=torch.int64)) == 2.0  # as floats


def test_limits_are_rates(monkeypatch):
    monkeypatch.setattr("machine_limits.best_seconds", lambda step, device: 0.5)
    monkeypatch.setattr("machine_limits.SIDE", {"cpu": 10})
    monkeypatch.setattr("machine_limits.COPIED", {"cpu": 100})
    limits = measure_limits(CPU, {torch.float32})
    assert limits == MachineLimits({torch.float32: 2 * 10**3 / 0.5}, bytes=2 * 100 / 0.5)


@pytest.mark.parametrize(
    ("intervals", "share"),
    [
        ([(0.0, 2.0), (1.0, 3.0), (4.0, 5.0)], 0.2),
        ([(4.0, 5.0), (0.0, 3.0), (1.0, 2.0)], 0.2),  # in any order, one inside another
        ([(7.0, 9.0)], 0.0),
        ([(0.0, 1.0), (3.0, 4.0)], 0.5),
    ],
)
def test_idle_share(intervals, share):
    assert idle_share(intervals) == pytest.approx(share)
