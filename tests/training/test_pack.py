import logging

from monai_cardiac_gan.data import read_packed_manifest
from monai_cardiac_gan.training.pack import main


def test_the_command_packs_all_but_what_stays_behind(disc_patch_set, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    folder = disc_patch_set(tmp_path / "set", {"la_003": "train", "la_004": "train", "phantom_7": "test"}, 2)
    main([str(folder), str(tmp_path / "packed.zip"), "--leave_out", "la_003", "phantom_*"])
    assert [entry.subject for entry in read_packed_manifest(tmp_path / "packed.zip").volumes] == ["la_004"]
    assert f"{(tmp_path / 'packed.zip').stat().st_size / 1e6:.1f} MB" in caplog.text
