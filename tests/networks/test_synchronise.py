"""Batch normalisation in two processes; each is this file run as a script, `test_synchronise.py RANK FOLDER`."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import nn

from monai_cardiac_gan.networks import SharedBatchNorm2d, synchronise_batch_norm

COUNT, IMAGES, STEPS = 2, 8, 3
TIME_LIMIT = 120
"""Seconds after which processes that wait for each other are taken for a deadlock; a run takes about 10."""
CASES = {
    "usual": {},
    "without weights": {"affine": False},
    "mean of all batches": {"momentum": None},
    "without running statistics": {"track_running_stats": False},
    "other numbers": {"eps": 0.3, "momentum": 0.25},
}


def build(options):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.BatchNorm2d(4, **options),
        nn.LeakyReLU(0.2),
        nn.Conv2d(4, 3, 1),
        nn.BatchNorm2d(3, **options),
    )
    for parameter in network.parameters():
        nn.init.normal_(parameter)
    return network


def outcomes(network, rank=0, count=1, dtype=torch.float32):
    """What a few steps on a part of each batch give: outputs, gradients, statistics."""
    source = torch.Generator().manual_seed(5)
    parts = slice(rank * IMAGES // count, (rank + 1) * IMAGES // count)
    outputs, gradients = [], []
    for step in range(STEPS):
        images = (3 * torch.randn(IMAGES, 2, 6, 5, generator=source) + step)[parts].to(dtype).requires_grad_()
        weights = torch.randn(IMAGES, 3, 4, 3, generator=source)[parts]
        output = network(images)
        (output * weights).sum().backward()
        outputs.append(output.detach())
        gradients.append(images.grad)
    of_weights = {name: parameter.grad for name, parameter in network.named_parameters()}
    return torch.cat(outputs, 1), torch.cat(gradients, 1), of_weights, dict(network.named_buffers())


def of_sixteen_bits():
    return nn.Sequential(nn.Conv2d(2, 3, 3).to(torch.bfloat16), nn.BatchNorm2d(3))


def run_process(rank, folder):
    address = (Path(folder) / "meeting").as_uri()
    wait = timedelta(seconds=TIME_LIMIT)
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=COUNT, timeout=wait)
    found = {name: outcomes(synchronise_batch_norm(build(CASES[name])), rank, COUNT) for name in CASES}
    torch.manual_seed(0)
    found["bfloat16"] = outcomes(synchronise_batch_norm(of_sixteen_bits()), rank, COUNT, torch.bfloat16)
    found["evaluation"] = outcomes(synchronise_batch_norm(build({})).eval(), rank, COUNT)
    torch.save(found, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    started = [
        subprocess.Popen([sys.executable, __file__, str(rank), folder], stderr=subprocess.PIPE, text=True)
        for rank in range(COUNT)
    ]
    try:
        errors = [process.communicate(timeout=TIME_LIMIT)[1] for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0] * COUNT, "\n".join(errors)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(COUNT)]


def together(found, name):
    """Outputs and gradients of all images, the sum of the weights' gradients, the statistics of each process."""
    outputs, gradients, of_weights, buffers = zip(*(each[name] for each in found), strict=True)
    sums = {key: sum(each[key] for each in of_weights) for key in of_weights[0]}
    return torch.cat(outputs), torch.cat(gradients), sums, buffers


@pytest.mark.parametrize("name", CASES)
def test_two_processes_equal_one_with_the_whole_batch(found, name):
    output, gradient, of_weights, buffers = together(found, name)
    expected_output, expected_gradient, expected_of_weights, expected_buffers = outcomes(build(CASES[name]))
    torch.testing.assert_close(output, expected_output, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(of_weights, expected_of_weights, rtol=1e-4, atol=1e-4)  # sums of up to 96 terms
    for each in buffers:
        torch.testing.assert_close(each, expected_buffers, rtol=1e-5, atol=1e-5)


def test_a_part_alone_would_give_other_results(found):
    alone, _, _, buffers = outcomes(build({}), 0, COUNT)
    assert (found[0]["usual"][0] - alone).abs().max() > 0.1
    assert (found[0]["usual"][3]["1.running_mean"] - buffers["1.running_mean"]).abs().max() > 0.01


def test_features_of_sixteen_bits_have_statistics_of_thirty_two(found):
    output, gradient, _, buffers = together(found, "bfloat16")
    torch.manual_seed(0)
    expected_output, expected_gradient, _, expected_buffers = outcomes(of_sixteen_bits(), dtype=torch.bfloat16)
    assert output.dtype == expected_output.dtype == torch.bfloat16
    torch.testing.assert_close(output, expected_output)
    torch.testing.assert_close(gradient, expected_gradient, rtol=0.05, atol=0.05)
    for each in buffers:
        torch.testing.assert_close(each, expected_buffers, rtol=1e-5, atol=1e-5)


def test_processes_are_independent_in_evaluation(found):
    output, gradient, _, buffers = together(found, "evaluation")
    expected_output, expected_gradient, _, expected_buffers = outcomes(build({}).eval())
    torch.testing.assert_close(output, expected_output)
    torch.testing.assert_close(gradient, expected_gradient)
    assert all(torch.equal(each[key], value) for each in buffers for key, value in expected_buffers.items())


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("training", [True, False])
def test_a_single_process_has_plain_batch_normalisation(name, training):
    shared, plain = synchronise_batch_norm(build(CASES[name])).train(training), build(CASES[name]).train(training)
    for result, expected in zip(outcomes(shared), outcomes(plain), strict=True):
        torch.testing.assert_close(result, expected, rtol=0, atol=0)


def test_parameters_and_buffers_stay_the_same_objects():
    network = nn.ModuleDict({"inner": build({}), "norm": nn.BatchNorm2d(2), "other": nn.BatchNorm1d(2)})
    before = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    assert synchronise_batch_norm(network) is network
    after = {**dict(network.named_parameters()), **dict(network.named_buffers())}
    assert before.keys() == after.keys()
    assert all(after[name] is value for name, value in before.items())
    shared = [name for name, layer in network.named_modules() if isinstance(layer, SharedBatchNorm2d)]
    assert shared == ["inner.1", "inner.4", "norm"]
    assert type(network["other"]) is nn.BatchNorm1d


def test_networks_without_parameters_and_single_layers_are_taken():
    network, layer = nn.Sequential(nn.ReLU()), nn.BatchNorm2d(2)
    assert synchronise_batch_norm(network) is network
    assert synchronise_batch_norm(layer) is layer
    assert type(layer) is SharedBatchNorm2d


if __name__ == "__main__":
    run_process(int(sys.argv[1]), sys.argv[2])
