import pytest
import torch
from machine_limits import MachineLimits
from training import RandomPatches, Seconds, chosen, closed_form, engine_share, feed, format_table, limits_of, speed_of
from training_variants import CRITIC_UPDATES, VARIANTS, build

CPU = torch.device("cpu")


def test_speed_is_the_median_and_ratios_are_taken_within_a_repetition():
    textbook = [Seconds(2.0, 1.0, 11.0, 22.0), Seconds(4.0, 2.0, 22.0, 44.0), Seconds(2.0, 1.0, 11.0, 22.0)]
    own = [Seconds(1.0, 0.5, 5.5, 5.5), Seconds(2.0, 1.0, 11.0, 11.0), Seconds(1.8, 0.9, 9.9, 9.9)]
    speed = speed_of(own, textbook, batch=9)
    assert speed["critic, images/s"] == pytest.approx(9 / 1.8)
    assert speed["generator, images/s"] == pytest.approx(9 / 0.9)
    assert speed["cycle, reals/s"] == pytest.approx(CRITIC_UPDATES * 9 / 9.9)
    assert speed["critic / textbook"] == speed["cycle / textbook"] == pytest.approx(0.5)
    assert speed["processor time / textbook"] == pytest.approx(0.25)


def test_each_variant_is_compared_with_the_textbook_of_its_precision():
    assert list(chosen(["trainer"], CPU)) == ["textbook", "trainer"]
    half = "trainer, bfloat16, channels last, fused Adam"
    assert list(chosen([half], CPU)) == ["textbook, bfloat16", half]


def test_graphs_of_a_gpu_are_not_tried_on_a_cpu():
    assert not any("graphs" in name for name in chosen([variant.name for variant in VARIANTS], CPU))
    assert len(chosen([variant.name for variant in VARIANTS], torch.device("cuda"))) == len(VARIANTS)


def test_a_cycle_at_the_speed_of_the_matrix_product_reaches_all_of_it():
    loop = build(VARIANTS[1], 4, 2, CPU)
    operations = closed_form(4, 2)
    found = limits_of(loop, 2.0, operations / 2.0, MachineLimits({torch.float32: operations / 2.0}, bytes=1e30))
    assert found["of the matrix product"] == pytest.approx(1, rel=0.01)
    assert found["of the roofline"] == pytest.approx(1, rel=0.01)
    assert found["GFLOP of a cycle"] == pytest.approx(operations * 1e-9, rel=0.01)


def test_a_run_for_the_overhead_is_two_cycles_over_patches_in_memory():
    loop = build(VARIANTS[1], 4, 2, CPU)
    before = loop.trainer.critic_updates, loop.trainer.generator_updates
    feed(loop.trainer, 2, CPU)
    assert 0 <= engine_share(loop.trainer, CPU) < 1
    assert loop.trainer.critic_updates - before[0] == 2 * CRITIC_UPDATES
    assert loop.trainer.generator_updates - before[1] == 2


def test_stand_ins_for_patches():
    patches = RandomPatches(3).all_patches()
    assert (len(RandomPatches(3)), *patches.shape) == (3, 3, 1, 128, 128)
    assert patches.dtype == torch.float16
    assert patches.abs().max() <= 1


def test_a_table_has_three_digits_and_a_dash_for_what_was_not_measured():
    text = format_table([{"variant": "textbook", "reals/s": 12.345, "GPU idle": None}])
    assert text == "| variant | reals/s | GPU idle |\n| --- | --- | --- |\n| textbook | 12.3 | - |"


def test_the_relativistic_preset_is_counted_over_a_whole_period_of_its_lazy_penalty():
    (variant,) = (each for each in VARIANTS if each.name == "relativistic preset")
    loop = build(variant, 4, 2, CPU)
    assert loop.period == loop.trainer.penalty_every == 8
    limits = MachineLimits({torch.float32: 1.0}, bytes=1e30)
    found = [limits_of(loop, 1.0, 1.0, limits)["GFLOP of a cycle"] for _ in range(2)]
    assert found[0] == pytest.approx(found[1])  # whichever update it begins with
    loop.critic_step()
    assert limits_of(loop, 1.0, 1.0, limits)["GFLOP of a cycle"] == pytest.approx(found[0])
