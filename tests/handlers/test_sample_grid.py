import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from monai_cardiac_gan.handlers import SampleGrid


def test_pictures_come_every_few_epochs_and_show_the_same_latents(trainer_of, tmp_path):
    trainer = trainer_of(max_epochs=5)
    network = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Dropout())  # does not learn: all pictures are alike
    SampleGrid(tmp_path / "new", network, count=4, every_epochs=2).attach(trainer)
    trainer.run()
    paths = sorted((tmp_path / "new").iterdir())
    assert [path.name for path in paths] == ["epoch_00002.png", "epoch_00004.png"]
    sheets = [np.asarray(Image.open(path).convert("L"))[40:] for path in paths]  # below the title
    np.testing.assert_array_equal(*sheets)
    assert sheets[0].std() > 0


def test_the_network_paints_the_latents_that_were_given(trainer_of, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "monai_cardiac_gan.handlers.sample_grid.figure_of_sample_grid",
        lambda images, title: shown.append((images, title)),
    )
    monkeypatch.setattr("monai_cardiac_gan.handlers.sample_grid.save_figure", lambda *_: None)
    trainer, latents = trainer_of(), torch.randn(3, 4)
    SampleGrid(tmp_path, latents=latents, every_epochs=1).attach(trainer)
    SampleGrid(tmp_path, count=2, every_epochs=1, seed=7).attach(trainer)
    trainer.run()
    seeded = torch.randn(2, 4, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        expected = [trainer.generator.eval()(given) for given in (latents, seeded)]
    torch.testing.assert_close([images for images, _ in shown], expected)
    assert [title for _, title in shown] == ["epoch 1", "epoch 1"]


def test_other_processes_paint_nothing(trainer_of, tmp_path):
    trainer = trainer_of()
    trainer.processes.rank = 1
    SampleGrid(tmp_path / "new", every_epochs=1).attach(trainer)
    trainer.run()
    assert list(tmp_path.iterdir()) == []


def test_counts_below_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match="count is 0: expected at least 1 image"):
        SampleGrid(tmp_path, count=0)
    with pytest.raises(ValueError, match="every_epochs is 0: expected at least 1"):
        SampleGrid(tmp_path, every_epochs=0)
