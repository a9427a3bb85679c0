"""Nothing of a DICOM header that tells who somebody is reaches the patch set or the log."""

import logging

import numpy as np
import pytest

from monai_cardiac_gan.data import read_datalist
from monai_cardiac_gan.preparation import PreparePatchSet

pydicom = pytest.importorskip("pydicom")

IDENTITY = {
    "PatientName": "Geheimrat^Goethe",
    "PatientID": "PID4711X",
    "PatientBirthDate": "17490828",
    "InstitutionName": "CharlottesHospital",
    "ReferringPhysicianName": "Hufeland^C",
    "AccessionNumber": "ACC0815",
}
UID = "1.2.826.0.1.3680043.8.498.777"


def write_series(folder, volume, spacing, number):
    """Slices of a volume (X, Y, Z) in RAS order as one DICOM series."""
    folder.mkdir(parents=True)
    scaled = np.clip(volume, 0, 4000).astype(np.uint16)
    for level in range(volume.shape[2]):
        meta = pydicom.dataset.FileMetaDataset()
        meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = (
            pydicom.uid.MRImageStorage,
            pydicom.uid.ExplicitVRLittleEndian,
        )
        meta.MediaStorageSOPInstanceUID = f"{UID}.{number}.1.{level}"
        data = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
        for name, value in IDENTITY.items():
            setattr(data, name, value)
        data.SOPClassUID, data.SOPInstanceUID = pydicom.uid.MRImageStorage, f"{UID}.{number}.1.{level}"
        data.StudyInstanceUID, data.SeriesInstanceUID = f"{UID}.{number}.2", f"{UID}.{number}.3"
        data.FrameOfReferenceUID, data.Modality, data.SeriesDate = f"{UID}.{number}.4", "MR", "20200101"
        data.ImageOrientationPatient = [-1, 0, 0, 0, -1, 0]  # towards right and front
        data.ImagePositionPatient = [0, 0, float(level * spacing[2])]
        data.PixelSpacing, data.SliceThickness = [float(spacing[1]), float(spacing[0])], float(spacing[2])
        data.Rows, data.Columns, data.InstanceNumber = volume.shape[1], volume.shape[0], level + 1
        data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit = 15
        data.PixelData = np.ascontiguousarray(scaled[:, :, level].T).tobytes()
        pydicom.dcmwrite(folder / f"{level:03d}.dcm", data, enforce_file_format=True)


@pytest.fixture
def series(tmp_path, tube):
    for number in range(2):
        volume = tube((90, 90, 30), (1.5, 1.5, 3.0), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0, seed=number)
        write_series(tmp_path / "dicom" / f"case{number}", volume, (1.5, 1.5, 3.0), number)
    (tmp_path / "dicom" / "case1" / "015.dcm").rename(tmp_path / "dicom" / "case1" / "other.dcm")
    broken = tmp_path / "dicom" / "case2"
    volume = tube((90, 90, 4), (1.5, 1.5, 3.0), lambda z: np.stack([50 + 0 * z, 60 + 0 * z]), 24.0)
    write_series(broken, np.zeros_like(volume), (1.5, 1.5, 3.0), 2)
    return tmp_path / "dicom"


def test_no_identity_of_a_dicom_header_is_written_or_logged(series, tmp_path, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        entries = PreparePatchSet(read_datalist(series), str(tmp_path / "set"), figures=True).run()
    assert [entry.status for entry in entries] == ["kept", "kept", "excluded"]
    assert "every voxel is 0" in entries[2].reason
    streams = capfd.readouterr()
    written = [path.read_bytes() for path in (tmp_path / "set").rglob("*") if path.is_file()]
    everything = b"\n".join([*written, caplog.text.encode(), streams.out.encode(), streams.err.encode()])
    for value in (*IDENTITY.values(), *" ".join(IDENTITY.values()).replace("^", " ").split(), UID):
        if len(value) > 3:
            assert value.encode() not in everything
