from functools import partial

import pytest
import torch
from ignite.engine import Engine, Events

from monai_cardiac_gan.handlers import LoadWeights
from monai_cardiac_gan.networks import load_network


def test_weights_are_there_for_the_handlers_behind_it_and_not_before_the_run(tmp_path):
    trained, network = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    torch.save(trained.state_dict(), tmp_path / "model.pt")
    built = network.weight.clone()
    seen = []
    engine = Engine(lambda engine, batch: None)
    LoadWeights([partial(load_network, network, str(tmp_path / "model.pt"))]).attach(engine)
    engine.add_event_handler(Events.STARTED, lambda: seen.append(network.weight.clone()))
    torch.testing.assert_close(network.weight, built, rtol=0, atol=0)
    engine.run([0])
    torch.testing.assert_close(seen, [trained.weight], rtol=0, atol=0)


def test_a_run_without_its_weights_does_not_start(tmp_path):
    engine = Engine(lambda engine, batch: None)
    LoadWeights([partial(load_network, torch.nn.Linear(2, 3), str(tmp_path / "none.pt"))]).attach(engine)
    with pytest.raises(FileNotFoundError, match="no weights lie here"):
        engine.run([0])
