import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest

from monai_cardiac_gan.data import KEPT, Manifest, PatchRow, PatchStore, VolumeEntry, patch_stack
from monai_cardiac_gan.keys import PatchColumn

REAL_DATA_VARIABLE = "MONAI_CARDIAC_GAN_REAL_DATA"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def real_hearts() -> Path:
    """Folder of the real volumes; see docs/how-to/real-data.md."""
    folder = Path(os.environ.get(REAL_DATA_VARIABLE, SHARED / "msd_heart"))
    if not (folder / "images").is_dir():
        pytest.skip(f"no real volumes in {folder}: set {REAL_DATA_VARIABLE}")
    return folder


@pytest.fixture(scope="session")
def dicom_series() -> Path:
    folder = SHARED / "dicom_mr"
    if not folder.is_dir():
        pytest.skip(f"no DICOM series in {folder}")
    return folder


@pytest.fixture(scope="session")
def metadata_schema() -> Path:
    found = sorted((SHARED / "zoo").glob("meta_schema_*.json"))
    if not found:
        pytest.skip(f"no metadata schema of the model zoo in {SHARED / 'zoo'}")
    return found[-1]


def draw_tube(
    shape: tuple[int, int, int],
    spacing: tuple[float, float, float],
    centre_mm: Callable[[np.ndarray], np.ndarray],
    diameter_mm: float,
    *,
    blood: float = 1000.0,
    tissue: float = 100.0,
    noise: float = 15.0,
    seed: int = 0,
) -> np.ndarray:
    """A bright tube with soft rims whose centre (mm) at height z (mm) is `centre_mm(z)`."""
    x, y, z = (np.arange(n) * s for n, s in zip(shape, spacing, strict=True))
    centres = centre_mm(z)
    distance = np.hypot(x[:, None, None] - centres[0], y[None, :, None] - centres[1])
    share = np.clip(0.5 + (diameter_mm / 2 - distance) / 1.5, 0.0, 1.0)
    rng = np.random.default_rng(seed)
    return (tissue + (blood - tissue) * share + rng.normal(0, noise, shape)).astype(np.float32)


@pytest.fixture(scope="session")
def tube() -> Callable[..., np.ndarray]:
    return draw_tube


@pytest.fixture
def write_tube(tmp_path: Path) -> Callable[..., Path]:
    """Write a volume with a straight tube as NIfTI and return its path."""

    def write(name: str, seed: int = 0, folder: Path | None = None, noise: float = 15.0) -> Path:
        volume = draw_tube(
            (90, 90, 30), (1.5, 1.5, 3.0), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0, seed=seed, noise=noise
        )
        path = (folder or tmp_path) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.5, 1.5, 3.0, 1.0])), path)
        return path

    return write


class PatchSetMaker:
    """Writes patch sets by hand."""

    def __init__(self, folder: Path) -> None:
        self.store, self.entries = PatchStore(folder), []

    def add(
        self, subject: str, patches: list, affines: list, columns: list, split: str = "train", **known
    ) -> VolumeEntry:
        """A volume with these patches; `columns` are their `PatchColumn` entries."""
        size = np.shape(patches[0])[0]
        rows = [PatchRow.of(row, affine, size) for row, affine in zip(columns, affines, strict=True)]
        known = {
            "image": f"{subject}.nii.gz",
            "grade": 4.0,
            "status": KEPT,
            "key": f"volume_{len(self.entries):05d}",
            **known,
        }
        entry = self.store.add_patches(VolumeEntry(subject, **known), patch_stack(patches), rows)
        self.entries.append(replace(entry, split=split))
        return self.entries[-1]

    def finish(self, *others: VolumeEntry) -> Path:
        """The finished set; other entries come last."""
        self.store.finish(Manifest([*self.entries, *others]))
        return self.store.folder


@pytest.fixture(scope="session")
def patch_set_maker() -> type[PatchSetMaker]:
    return PatchSetMaker


def draw_discs(maker: PatchSetMaker, subjects: dict[str, str], count: int) -> Path:
    """A finished set with `count` patches of a noisy disc of 24 mm for each subject; `subjects` says the split of each."""
    source = np.random.default_rng(0)
    rows, columns = np.ogrid[:128, :128]
    disc = np.clip(12.5 - np.hypot(rows - 64, columns - 64), 0, 1)
    meta = {
        PatchColumn.CENTRE_X: 64.0,
        PatchColumn.CENTRE_Y: 64.0,
        PatchColumn.DIAMETER: 24.0,
        PatchColumn.CONFIDENCE: 1.0,
        PatchColumn.PADDED: 0.0,
    }
    for subject, split in subjects.items():
        patches = [np.clip(1.6 * disc - 0.8 + source.normal(0, 0.05, (128, 128)), -1, 1) for _ in range(count)]
        table = [{PatchColumn.SLICE: level, **meta} for level in range(count)]
        maker.add(subject, patches, [np.eye(4)] * count, table, split)
    return maker.finish()


@pytest.fixture(scope="session")
def disc_patch_set() -> Callable[..., Path]:
    """`draw_discs` into a folder."""
    return lambda folder, subjects, count: draw_discs(PatchSetMaker(folder), subjects, count)


@pytest.fixture(scope="session")
def write_series() -> Callable[..., Path]:
    """Write a volume as one DICOM series and return its folder.

    `axes` (3, 3) are the directions of a row, a column and the slices' normal in LPS, `change(dataset, level)` sets other tags.
    """
    pydicom = pytest.importorskip("pydicom")
    uid = pydicom.uid

    def write(
        folder: Path,
        volume: np.ndarray,
        spacing: tuple[float, float, float] = (1.5, 1.5, 3.0),
        axes: np.ndarray | None = None,
        series: str = "1.2.3.4",
        first: int = 0,
        change: Callable = lambda dataset, level: None,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        directions = np.diag([-1.0, -1.0, 1.0]) if axes is None else axes
        for level in range(volume.shape[2]):
            meta = pydicom.dataset.FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = uid.MRImageStorage, uid.generate_uid()
            meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
            data = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
            data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
            data.StudyInstanceUID, data.SeriesInstanceUID, data.InstanceNumber = "1.2.3", series, first + level + 1
            data.ImageType, data.Modality = ["ORIGINAL", "PRIMARY", "M"], "MR"
            data.ImageOrientationPatient = [f"{value:.8f}"[:16] for value in directions[:2].ravel()]
            data.ImagePositionPatient = [f"{value:.6f}" for value in directions[2] * spacing[2] * level]
            data.PixelSpacing, data.SliceThickness = [spacing[1], spacing[0]], spacing[2]
            data.Rows, data.Columns = volume.shape[1], volume.shape[0]
            data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
            data.BitsAllocated, data.BitsStored, data.HighBit = 16, 16, 15
            data.PixelData = np.ascontiguousarray(volume[:, :, level].T.astype(np.uint16)).tobytes()
            change(data, level)
            data.save_as(folder / f"{first + level:04d}.dcm", enforce_file_format=True)
        return folder

    return write
