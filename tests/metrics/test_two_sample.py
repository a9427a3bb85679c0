import multiprocessing
import os
from dataclasses import dataclass

import pytest
import torch
from ignite.engine import Engine
from monai.data import MetaTensor
from monai.handlers import IgniteMetricHandler

from monai_cardiac_gan.metrics import TwoSampleMetric, as_numbers


class MeanDifference(TwoSampleMetric):
    function = staticmethod(lambda generated, real, scale=1.0: scale * (generated.mean() - real.mean()))


class Means(TwoSampleMetric):
    function = staticmethod(lambda generated, real: {"of_generated": generated.mean(), "of_real": real.mean()})


def constant(size, value):
    return torch.full((size, 1, 4, 4), float(value))


def test_all_samples_weigh_the_same_whatever_the_batches():
    metric = MeanDifference()
    metric(y_pred=constant(1, 8), y=constant(3, 1))
    metric(y_pred=constant(3, 0), y=constant(1, 9))
    assert metric.aggregate() == 2.0 - 3.0
    metric(y_pred=constant(4, 6), y=constant(4, 2))
    assert metric.aggregate() == 4.0 - 2.5


def test_decollated_lists_of_unequal_length_are_taken_whole():
    metric = Means()
    generated = [torch.full((1, 4, 4), float(value)) for value in (1, 2, 6)]
    metric(y_pred=generated, y=[MetaTensor(torch.ones(1, 4, 4)), MetaTensor(torch.zeros(1, 4, 4))])
    metric(y_pred=generated[:1], y=constant(2, 2))
    assert metric.aggregate() == {"of_generated": 2.5, "of_real": 1.25}
    assert all(type(sample) is torch.Tensor for buffer in metric.get_buffer() for sample in buffer)


def test_features_are_taken_per_batch_and_only_they_are_kept():
    sizes = []

    def features(batch):
        sizes.append(len(batch))
        return torch.nn.functional.avg_pool2d(batch, 4).flatten(1).requires_grad_()

    metric = Means(features)
    metric(y_pred=constant(3, 7), y=constant(2, 5))
    assert sizes == [3, 2]
    assert [tuple(buffer.shape) for buffer in metric.get_buffer()] == [(3, 1), (2, 1)]
    assert not any(buffer.requires_grad for buffer in metric.get_buffer())
    assert metric.aggregate() == {"of_generated": 7.0, "of_real": 5.0}


def test_no_gradients_are_kept_of_a_feature_network():
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 2))
    assert not any(kept.requires_grad for kept in MeanDifference(network)(y_pred=constant(3, 7), y=constant(2, 5)))


def test_settings_reach_the_function():
    metric = MeanDifference(scale=10.0)
    metric(y_pred=constant(1, 3), y=constant(1, 1))
    assert metric.aggregate() == 20.0


def test_reset_forgets_samples_and_their_shape():
    metric = Means()
    metric(y_pred=constant(1, 3), y=constant(1, 1))
    metric.reset()
    metric(y_pred=torch.zeros(1, 1, 8, 8), y=torch.ones(1, 1, 8, 8))
    assert metric.aggregate() == {"of_generated": 0.0, "of_real": 1.0}


@pytest.mark.parametrize(
    ("part", "expected"), [("of_real", {"means": 4.0}), (None, {"means": None, "of_generated": 2.5, "of_real": 4.0})]
)
def test_an_engine_reports_one_part_or_all(part, expected):
    engine = Engine(lambda engine, batch: batch)
    IgniteMetricHandler(Means(part=part), save_details=False).attach(engine, "means")
    state = engine.run([(constant(2, 1), constant(2, 3)), (constant(2, 4), constant(2, 5))])
    if part is None:
        expected["means"] = {"of_generated": 2.5, "of_real": 4.0}
    assert state.metrics == expected


def process(rank, port, results):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", rank=rank, world_size=2)
    metric = Means()
    metric(y_pred=constant(3 - rank, rank), y=constant(1 + 4 * rank, rank))
    results.put(metric.aggregate())
    torch.distributed.destroy_process_group()


def test_two_processes_compare_the_samples_of_both():
    context = multiprocessing.get_context("fork")  # the modules are loaded already
    results, port = context.SimpleQueue(), 29500 + os.getpid() % 1000
    processes = [context.Process(target=process, args=(rank, port, results), daemon=True) for rank in (0, 1)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(60)
        assert each.exitcode == 0
    for _ in processes:
        assert results.get() == pytest.approx({"of_generated": 2 / 5, "of_real": 5 / 6})


@dataclass
class Pair:
    first: float
    second: float


@pytest.mark.parametrize(
    ("result", "numbers"),
    [
        (torch.tensor(0.5), 0.5),
        (Pair(1, 2), {"first": 1.0, "second": 2.0}),
        ({"a": torch.tensor([3.0])}, {"a": 3.0}),
    ],
)
def test_numbers_of_every_kind_of_result(result, numbers):
    assert as_numbers(result) == numbers


@pytest.mark.parametrize(
    ("generated", "real", "message"),
    [
        (constant(2, 0), None, "there is no batch of real samples: give generated ones as y_pred and real ones as y"),
        (
            constant(2, 0),
            torch.zeros(2, 1, 8, 8),
            r"one generated or real sample is \[1, 4, 4\] and another \[1, 8, 8\]",
        ),
        (torch.zeros(4), torch.zeros(4), r"the batch of generated samples is \[4\], expected \(N, ...\).*add the axis"),
        (constant(2, 0), constant(0, 0), r"the batch of real samples is \[0, 1, 4, 4\].*at least one sample"),
        ([torch.zeros(1, 4, 4), torch.zeros(1, 4, 5)], constant(2, 0), r"y_pred is a list of 2 samples.*\[1, 4, 5\]"),
        (constant(2, 0), [], r"y is a list of 0 samples"),
    ],
)
def test_batches_that_cannot_be_compared_are_refused(generated, real, message):
    with pytest.raises(ValueError, match=message):
        MeanDifference()(y_pred=generated, y=real)


def test_a_later_batch_of_another_shape_is_refused():
    metric = MeanDifference()
    metric(y_pred=constant(2, 0), y=constant(2, 0))
    with pytest.raises(ValueError, match=r"\[1, 4, 4\] and another \[1, 8, 8\], expected one shape for all: crop"):
        metric(y_pred=torch.zeros(2, 1, 8, 8), y=torch.zeros(2, 1, 8, 8))


@pytest.mark.parametrize("features", [lambda batch: batch.mean(0), lambda batch: batch.flatten(1).mean(1)])
def test_features_without_the_axis_of_the_batch_are_refused(features):
    with pytest.raises(ValueError, match=r"the features of 2 generated samples are .* let the feature network keep"):
        MeanDifference(features)(y_pred=constant(2, 0), y=constant(2, 0))


def test_nothing_collected_is_refused():
    with pytest.raises(ValueError, match="MeanDifference has collected nothing: call it with y_pred and y"):
        MeanDifference().aggregate()


def test_unknown_settings_are_refused():
    with pytest.raises(TypeError, match=r"MeanDifference has no setting \['scala'\]: expected some of \['scale'\]"):
        MeanDifference(scala=2.0)


@pytest.mark.parametrize(
    ("kind", "message"),
    [(Means, r"no part 'mean': it gives \['of_generated', 'of_real'\]"), (MeanDifference, "one number without a name")],
)
def test_unknown_parts_are_refused(kind, message):
    metric = kind(part="mean")
    metric(y_pred=constant(1, 0), y=constant(1, 0))
    with pytest.raises(ValueError, match=message):
        metric.aggregate()
