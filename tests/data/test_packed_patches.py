import zipfile

import numpy as np
import pytest
import torch

from monai_cardiac_gan.data import (
    AortaPatchDataset,
    CachedPatches,
    Manifest,
    NearDuplicate,
    PatchStore,
    ResumableBatches,
    VolumeEntry,
    pack_patches,
    read_manifest,
    read_packed_manifest,
    unpack_patches,
)
from monai_cardiac_gan.engines import GenerativeAdversarialTrainer
from monai_cardiac_gan.keys import Field, PatchColumn
from monai_cardiac_gan.losses import RelativisticLoss, ZeroCentredPenalty
from monai_cardiac_gan.networks.nets import ResidualCritic, ResidualGenerator

SPLITS = ("train", "test")
COLUMNS = {
    PatchColumn.SLICE: 0,
    PatchColumn.CENTRE_X: 4.0,
    PatchColumn.CENTRE_Y: 4.0,
    PatchColumn.DIAMETER: 2.0,
    PatchColumn.CONFIDENCE: 1.0,
    PatchColumn.PADDED: 0.0,
}
HALF_STEP = 1 / 255
"""Of 8 bits in [-1, 1]; float16 adds at most 0.0003."""


@pytest.fixture
def patch_set(tmp_path, patch_set_maker):
    return filled(patch_set_maker(tmp_path / "set"), ("phantom_1", "ann", "bob"))


def filled(maker, subjects, count=6, seed=0):
    for number, subject in enumerate(subjects):
        source = np.random.default_rng([seed, number])
        patches = [source.uniform(-1, 1, (128, 128)) for _ in range(count)]
        meta = {
            PatchColumn.CENTRE_X: 64.0,
            PatchColumn.CENTRE_Y: 63.0,
            PatchColumn.DIAMETER: 24.0 + number,
            PatchColumn.CONFIDENCE: 0.5,
            PatchColumn.PADDED: 0.25,
            PatchColumn.VALID_X_START: 32,
            PatchColumn.VALID_X_STOP: 128,
            PatchColumn.VALID_Y_START: 0,
            PatchColumn.VALID_Y_STOP: 128,
        }
        rows = [{PatchColumn.SLICE: level, **meta} for level in range(count)]
        maker.add(
            subject,
            patches,
            [np.diag([1.0, 1.0, 2.0, 1.0])] * count,
            rows,
            "test" if number == 1 else "train",
            key=f"{seed}_{subject}",
        )
    return maker.finish()


def test_pixels_come_back_to_half_a_grey_level_and_all_else_as_it_was(patch_set, tmp_path):
    pack_patches(patch_set, tmp_path / "packed.zip")
    unpack_patches(tmp_path / "packed.zip", tmp_path / "there", split=None)
    before, after = AortaPatchDataset(patch_set), AortaPatchDataset(tmp_path / "there")
    assert sorted(before.subjects()) == sorted(after.subjects())
    items = {(item[Field.SUBJECT], item[Field.IMAGE].meta[PatchColumn.SLICE]): item for item in before}
    for item in after:
        image = item[Field.IMAGE]
        original = items[item[Field.SUBJECT], image.meta[PatchColumn.SLICE]]
        assert (image - original[Field.IMAGE]).abs().max() <= HALF_STEP + 3e-4
        assert torch.equal(item[Field.VALID], original[Field.VALID])
        assert torch.equal(image.affine, original[Field.IMAGE].affine)
        for column in (PatchColumn.DIAMETER, PatchColumn.CENTRE_Y, PatchColumn.CONFIDENCE, PatchColumn.VOLUME):
            assert image.meta[column] == original[Field.IMAGE].meta[column]
    splits = {entry.subject: entry.split for entry in read_manifest(tmp_path / "there").volumes}
    assert splits == {entry.subject: entry.split for entry in read_manifest(patch_set).volumes}


def test_acquired_volumes_come_first_and_all_are_for_training(patch_set, tmp_path):
    pack_patches(patch_set, tmp_path / "packed.zip")
    unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
    volumes = read_manifest(tmp_path / "there").volumes
    assert [entry.subject for entry in volumes] == ["ann", "bob", "phantom_1"]
    assert {entry.split for entry in volumes} == {"train"}


def test_subjects_that_are_left_out_stay_behind(patch_set, tmp_path):
    pack_patches(patch_set, tmp_path / "packed.zip", leave_out=["a*", "phantom_*"])
    unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
    assert [entry.subject for entry in read_manifest(tmp_path / "there").volumes] == ["bob"]
    with pytest.raises(ValueError, match=r"no volume is left without \['\*'\]; leave fewer subjects out"):
        pack_patches(patch_set, tmp_path / "none.zip", leave_out=["*"])
    assert not (tmp_path / "none.zip").exists()


def test_a_training_from_a_packed_set_has_the_losses_of_the_set_up_to_the_grey_levels(patch_set, tmp_path):
    pack_patches(patch_set, tmp_path / "packed.zip")
    unpack_patches(tmp_path / "packed.zip", tmp_path / "there", split=None)

    def losses(folder):
        torch.manual_seed(0)
        data = AortaPatchDataset(folder)
        order = np.argsort(data.subjects(), kind="stable")  # the packed set has another order of volumes
        patches, _ = data.read(order)
        loader = CachedPatches(data, ResumableBatches(data, 6, seed=0), size=16)
        loader.patches = torch.nn.functional.avg_pool2d(torch.from_numpy(patches).float()[:, None], 8)
        generator, critic = ResidualGenerator(5, 2, 8, size=16), ResidualCritic(2, 8, size=16)
        found = []
        trainer = GenerativeAdversarialTrainer(
            device="cpu",
            max_epochs=2,
            train_data_loader=loader,
            generator=generator,
            critic=critic,
            generator_optimizer=torch.optim.Adam(generator.parameters(), 1e-3),
            critic_optimizer=torch.optim.Adam(critic.parameters(), 1e-3),
            loss=RelativisticLoss(),
            gradient_penalty=ZeroCentredPenalty(),
            latent_size=5,
            n_critic=1,
        )
        trainer.add_event_handler("ITERATION_COMPLETED", lambda e: found.append(e.state.output["loss"].item()))
        trainer.run()
        return found

    packed, original = losses(tmp_path / "there"), losses(patch_set)
    assert packed[0] == pytest.approx(original[0], abs=HALF_STEP / 10)  # means of 64 pixels, the same weights
    np.testing.assert_allclose(packed, original, rtol=1e-2)  # Adam makes whole steps out of small differences


def test_a_missing_or_other_file_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no packed patch set lies here; make one with `training\.pack`"):
        unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
    (tmp_path / "packed.zip").write_text("no archive")
    with pytest.raises(ValueError, match=r"is no packed patch set, expected a ZIP archive"):
        unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("model.pt", "")
    with pytest.raises(ValueError, match=r"is no packed patch set, it holds no manifest\.json; pack the patches again"):
        unpack_patches(tmp_path / "packed.zip", tmp_path / "there")


def twins(maker):
    """`ann` and `eve` are one image, `eve` and `dan` nearly so."""
    for subject, key in (("ann", "k1"), ("eve", "k2"), ("dan", "k3"), ("bob", "k4")):
        digest = "same" if subject in ("ann", "eve") else key
        maker.add(subject, [np.zeros((8, 8))], [np.eye(4)], [COLUMNS], key=key, digest=digest)
    pair = NearDuplicate(["eve", "dan"], ["eve.nii.gz", "dan.nii.gz"], 0.99)
    maker.store.finish(
        Manifest(maker.entries, nearly_identical_images=[pair], identical_subjects=[["ann", "dan", "eve"]])
    )
    return maker.store.folder


@pytest.mark.parametrize("named", ["ann", "eve", "dan"])
def test_all_names_of_a_person_who_is_left_out_stay_behind(patch_set_maker, tmp_path, caplog, named):
    pack_patches(twins(patch_set_maker(tmp_path / "set")), tmp_path / "packed.zip", leave_out=[named])
    manifest = read_packed_manifest(tmp_path / "packed.zip")
    assert [entry.subject for entry in manifest.volumes] == ["bob"]
    assert (list(manifest.identical_subjects), list(manifest.nearly_identical_images)) == ([], [])
    others = sorted({"ann", "eve", "dan"} - {named})
    assert f"{others} stay behind, too: they share an image with ['{named}']" in caplog.text


def test_the_twin_of_an_excluded_volume_stays_behind(patch_set_maker, tmp_path):
    maker = patch_set_maker(tmp_path / "set")
    for subject, digest in (("eve", "same"), ("bob", "other")):
        maker.add(subject, [np.zeros((8, 8))], [np.eye(4)], [COLUMNS], digest=digest)
    folder = maker.finish(VolumeEntry("ann", "a.nii", reason="grade 1", key="k", digest="same"))
    pack_patches(folder, tmp_path / "packed.zip", leave_out=["ann"])
    assert [entry.subject for entry in read_packed_manifest(tmp_path / "packed.zip").volumes] == ["bob"]


def test_who_is_whom_is_packed(patch_set_maker, tmp_path):
    folder = twins(patch_set_maker(tmp_path / "set"))
    fingerprint = np.random.default_rng(0).random((2, 1728)).astype(np.float32)
    np.save(folder / "volumes" / "k1" / "fingerprint.npy", fingerprint)
    pack_patches(folder, tmp_path / "packed.zip", leave_out=["bob"])
    unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
    manifest = read_manifest(tmp_path / "there")
    assert manifest.identical_subjects == [["ann", "dan", "eve"]]
    assert [pair.subjects for pair in manifest.nearly_identical_images] == [["eve", "dan"]]
    np.testing.assert_array_equal(PatchStore(tmp_path / "there").array("k1", "fingerprint.npy"), fingerprint)
    assert PatchStore(tmp_path / "there").array("k2", "fingerprint.npy") is None


def test_unpacking_does_not_replace_another_set_unasked(patch_set, patch_set_maker, tmp_path):
    other = filled(patch_set_maker(tmp_path / "other"), ("zoe", "max"), count=1, seed=1)
    pack_patches(patch_set, tmp_path / "packed.zip")
    before = (other / "manifest.json").read_bytes()
    with pytest.raises(FileExistsError, match=r"holds a patch set of other volumes or with another split \(max, zoe\)"):
        unpack_patches(tmp_path / "packed.zip", other)
    with pytest.raises(FileExistsError, match=r"\(ann, bob, phantom_1\); choose another folder, or overwrite it"):
        unpack_patches(tmp_path / "packed.zip", patch_set)  # would move everybody to the training
    assert (other / "manifest.json").read_bytes() == before
    assert sorted(path.name for path in (other / "volumes").iterdir()) == ["1_max", "1_zoe"]
    unpack_patches(tmp_path / "packed.zip", other, overwrite=True)
    assert {entry.subject for entry in read_manifest(other).volumes} == {"ann", "bob", "phantom_1"}
    assert sorted(path.name for path in (other / "volumes").iterdir()) == ["0_ann", "0_bob", "0_phantom_1"]


def test_unpacking_again_changes_nothing(patch_set, tmp_path):
    pack_patches(patch_set, tmp_path / "packed.zip")
    for _ in range(2):
        unpack_patches(tmp_path / "packed.zip", tmp_path / "there")
        assert len(AortaPatchDataset(tmp_path / "there")) == 18
    before = (patch_set / "manifest.json").read_bytes()
    unpack_patches(tmp_path / "packed.zip", patch_set, split=None)
    assert (patch_set / "manifest.json").read_bytes() == before
