import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Events
from monai.handlers import MeanAbsoluteError, from_engine
from torch import nn
from torch.utils.data import DataLoader

from monai_cardiac_gan.engines import inpainting_evaluator
from monai_cardiac_gan.engines.inpainting_evaluator import InpaintingEvaluator
from monai_cardiac_gan.inferers import InpaintingResult, gradient_descent_search, square_mask
from monai_cardiac_gan.keys import Field

SIDE = 32
RECORDS = [{Field.IMAGE: torch.full((1, SIDE, SIDE), 0.1 * number)} for number in range(5)]


class Generator(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(3, SIDE * SIDE), nn.Unflatten(1, (1, SIDE, SIDE)))


class Recorder:
    """Stands for an inferer: paints ones, and keeps what it was asked."""

    def __init__(self) -> None:
        self.calls = []

    def search(self, patches, masks, generator, valid=None):
        self.calls.append((patches, masks, generator, generator.training))
        return SimpleNamespace(best_inpainted=lambda: torch.ones_like(patches))


def evaluator(inferer=None, **arguments):
    loader = DataLoader(RECORDS, batch_size=2)
    usual = {"device": "cpu", "val_data_loader": loader, "network": Generator(), "inferer": inferer or Recorder()}
    return InpaintingEvaluator(**(usual | arguments))


def test_every_batch_is_painted_and_left_in_the_output():
    critic = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 1), nn.Flatten(0))
    inferer = gradient_descent_search(critic=critic, latent_size=3, iterations=2, progress=False)
    engine, outputs = evaluator(inferer), []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: outputs.append(engine.state.output))
    engine.run()
    assert [len(output[Field.IMAGE]) for output in outputs] == [2, 2, 1]
    for output in outputs:
        assert isinstance(output["result"], InpaintingResult)
        assert torch.equal(output["pred"], output["result"].best_inpainted())
        outside = ~square_mask(shape=(SIDE, SIDE)).expand_as(output["pred"])
        assert torch.equal(output["pred"][outside], output[Field.IMAGE][outside])


@pytest.mark.parametrize("mask", [None, square_mask(5, shape=(SIDE, SIDE))])
def test_the_mask_is_handed_on(mask):
    inferer = Recorder()
    engine = evaluator(inferer, mask=mask)
    engine.network.train()
    engine.run()
    assert [call[1] is mask for call in inferer.calls] == [True] * 3
    assert [call[3] for call in inferer.calls] == [False] * 3
    assert engine.network.training


def test_a_function_makes_a_mask_for_each_batch():
    inferer = Recorder()
    evaluator(inferer, mask=lambda batch: batch[Field.IMAGE] > 0.05).run()
    assert [call[1].flatten(1).all(1).tolist() for call in inferer.calls] == [[False, True], [True, True], [True]]


def test_metrics_read_the_output():
    metric = MeanAbsoluteError(output_transform=from_engine(["pred", Field.IMAGE]))
    engine = evaluator(key_val_metric={"mae": metric})
    engine.run()
    assert engine.state.metrics["mae"] == pytest.approx(0.8)  # ones beside 0, 0.1 ... 0.4


def test_postprocessing_sees_the_whole_batch():
    engine = evaluator(postprocessing=lambda output: output | {"count": len(output["pred"])}, epoch_length=1)
    engine.run()
    assert engine.state.output["count"] == 2


def test_decollating_is_refused():
    with pytest.raises(ValueError, match="decollate is set: one result holds a whole batch"):
        evaluator(decollate=True)


def test_batches_without_images_are_refused():
    engine = evaluator(val_data_loader=[torch.zeros(2, 1, SIDE, SIDE)])
    with pytest.raises(ValueError, match="the batch is a Tensor without 'image': expected dictionaries"):
        engine.run()


def test_no_concrete_inferer_or_network_is_imported():
    tree = ast.parse(Path(inpainting_evaluator.__file__).read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [
        name for name in modules if name.startswith(("monai_cardiac_gan.inferers", "monai_cardiac_gan.networks"))
    ]
