import ast
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from ignite.engine import Events
from monai.data import DataLoader as MonaiLoader
from monai.data import MetaTensor
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


def mask_above(threshold):
    """Patches of at most the threshold have no mask."""

    def mask(batch):
        if bool((batch[Field.IMAGE] <= threshold).any()):
            raise ValueError("no aorta is found in a patch")
        return batch[Field.IMAGE] > threshold

    return mask


@pytest.mark.parametrize(("threshold", "sizes"), [(0.05, [1, 2, 1]), (0.15, [0, 2, 1]), (0.25, [0, 1, 1])])
def test_patches_without_a_mask_are_left_out_and_the_others_are_painted(threshold, sizes, caplog):
    inferer, seen, outputs = Recorder(), [], []
    engine = evaluator(inferer, mask=mask_above(threshold))
    engine.add_event_handler(
        Events.ITERATION_COMPLETED, lambda engine: seen.append(engine.state.output[Field.IMAGE][:, 0, 0, 0])
    )
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: outputs.append(engine.state.output))
    engine.run()
    assert [len(values) for values in seen] == sizes
    left = [0.1 * number for number in range(5) if 0.1 * number > threshold]
    assert torch.cat(seen).tolist() == pytest.approx(left)
    assert [len(call[1]) for call in inferer.calls] == [size for size in sizes if size]
    assert [output["result"] == [] for output in outputs] == [not size for size in sizes]
    assert f"{5 - len(left)} patches were left out, the first: no aorta is found in a patch" in caplog.text


def test_metrics_count_the_patches_that_were_painted():
    metric = MeanAbsoluteError(output_transform=from_engine(["pred", Field.IMAGE]))
    engine = evaluator(mask=mask_above(0.05), key_val_metric={"mae": metric})
    engine.run()
    assert engine.state.metrics["mae"] == pytest.approx(0.75)  # ones beside 0.1 ... 0.4


def test_what_is_known_of_each_patch_stays_with_it_when_others_are_left_out():
    """Metadata and names, as masks and reports read them."""
    records = [
        {
            Field.IMAGE: MetaTensor(torch.full((1, 4, 4), float(number)), meta={"slice": number}),
            Field.SUBJECT: f"s{number}",
        }
        for number in range(4)
    ]
    inferer = Recorder()
    engine = evaluator(inferer, mask=mask_above(1), val_data_loader=MonaiLoader(records, batch_size=3))
    kept = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: kept.append(engine.state.batch))
    engine.run()
    assert kept[0][Field.SUBJECT] == ["s2"]
    patches = inferer.calls[0][0]
    assert [(float(each.max()), each.meta["slice"]) for each in patches] == [(2.0, 2)]
    assert kept[1][Field.SUBJECT] == ["s3"]


def test_a_run_in_which_no_patch_has_a_mask_is_refused_at_its_end():
    inferer = Recorder()
    engine = evaluator(inferer, mask=mask_above(9))
    with pytest.raises(ValueError, match="not one of 5 patches has a mask; the first: no aorta is found in a patch"):
        engine.run()
    assert not inferer.calls


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
