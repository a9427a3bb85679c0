import pytest
import torch
from training_variants import VARIANTS, build

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ["trainer", "trainer, channels last, fused Adam"])
def test_textbook_and_trainer_learn_the_same(name):
    # what is compared must differ in speed alone; in float64, because Adam magnifies what float32 rounds
    variants = {variant.name: variant for variant in VARIANTS}
    textbook, trainer = (build(variants[each], 4, 4, CPU) for each in ("textbook", name))
    textbook.critic_step()  # the trainer did one when it was built
    for loop in (textbook, trainer):
        loop.critic_step()
        loop.generator_step()
        loop.critic_step()
    for network, expected in zip(trainer.networks, textbook.networks, strict=True):
        begin = build(variants["textbook"], 4, 4, CPU).networks[expected is textbook.networks[1]]
        moved = [
            (own - first).abs().max() for own, first in zip(expected.parameters(), begin.parameters(), strict=True)
        ]
        assert max(moved) >= 9e-5  # a step of Adam is 1e-4
        for own, other in zip(network.parameters(), expected.parameters(), strict=True):
            torch.testing.assert_close(own, other, rtol=0, atol=1e-9)
