import hashlib
from importlib.metadata import version

import monai_cardiac_gan
from monai_cardiac_gan.reporting.provenance import digests_of_files, versions


def test_files_are_told_by_their_content(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"content")
    found = digests_of_files([str(path), str(tmp_path / "missing.pt")])
    assert found == {"a.json": hashlib.sha256(b"content").hexdigest()}


def test_versions_are_those_installed():
    found = versions()
    assert found["monai_cardiac_gan"] == monai_cardiac_gan.__version__
    assert found["torch"] == version("torch")
    assert set(found) == {"monai_cardiac_gan", "monai", "torch", "numpy", "scipy", "scikit-image"}
