"""One law for every transform: its dictionary class does what its array class does, and nothing else to the record."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

import monai_cardiac_gan.transforms as room
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.transforms import LocaliseAorta, RecordTransform

for module in pkgutil.iter_modules(room.__path__):
    importlib.import_module(f"{room.__name__}.{module.name}")

CLASSES = sorted(RecordTransform.__subclasses__(), key=lambda kind: kind.__name__)


@pytest.fixture(scope="module")
def record(tube, tmp_path_factory):
    import nibabel

    volume = tube((90, 90, 30), (1.5, 1.5, 3.0), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0)
    affine = np.diag([1.5, 1.5, 3.0, 1.0])
    path = tmp_path_factory.mktemp("volume") / "tube.nii"
    nibabel.save(nibabel.Nifti1Image(volume, affine), path)
    image = MetaTensor(torch.as_tensor(volume)[None], affine=torch.as_tensor(affine))
    return {
        Field.IMAGE: image,
        Field.AORTA: LocaliseAorta()(image),
        Field.SEED: (50, 60, 45),
        "path": str(path),
        "other": 7,
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(torch.as_tensor(a), torch.as_tensor(b)) and np.array_equal(a.affine, b.affine)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dataclass_fields__"):
        return all(same(getattr(a, name), getattr(b, name)) for name in a.__dataclass_fields__)
    return a == b


def test_all_classes_were_found():
    assert len(CLASSES) >= 5


@pytest.mark.parametrize("kind", CLASSES)
def test_pairs_agree_and_leave_the_rest_of_the_record_alone(kind, record):
    key = "path" if kind.array_class.__name__ == "LoadVolume" else Field.IMAGE
    before = dict(record)
    after = kind(key)(record)
    arguments = {name: record.get(field) for name, field in kind.argument_fields.items()}
    assert same(after[kind.result_field or key], kind.array_class()(record[key], **arguments))
    written = {kind.result_field or key}
    assert {name: value for name, value in after.items() if name not in written} == {
        name: value for name, value in before.items() if name not in written
    }
    assert record == before


@pytest.mark.parametrize("kind", CLASSES)
def test_names_follow_monai_and_do_not_clash_with_it(kind):
    import monai.transforms

    base = kind.array_class.__name__
    assert kind.__name__ == f"{base}d"
    assert all(getattr(room, f"{base}{ending}") is kind for ending in ("d", "D", "Dict"))
    assert not hasattr(monai.transforms, base)


@pytest.mark.parametrize("kind", CLASSES)
def test_a_missing_key_is_an_error_unless_allowed(kind):
    with pytest.raises(KeyError, match="nowhere"):
        kind("nowhere")({"other": 1})
    assert kind("nowhere", allow_missing_keys=True)({"other": 1}) == {"other": 1}


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind.result_field])
def test_two_keys_cannot_share_one_result(kind):
    with pytest.raises(ValueError, match=r"but all results would go to .* give one key"):
        kind(["a", "b"])
