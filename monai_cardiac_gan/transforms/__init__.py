"""MONAI transforms over the core: each with its array and its dictionary class."""

from monai_cardiac_gan.transforms.crop_aorta_patches import (
    Crop,
    CropAortaPatches,
    CropAortaPatchesD,
    CropAortaPatchesd,
    CropAortaPatchesDict,
)
from monai_cardiac_gan.transforms.cut_along import CoursePatches, cut_along, spread_along
from monai_cardiac_gan.transforms.dicom_person import person_from_dicom
from monai_cardiac_gan.transforms.file_slices import FileSlices
from monai_cardiac_gan.transforms.grade_image_quality import (
    GradeImageQuality,
    GradeImageQualityD,
    GradeImageQualityd,
    GradeImageQualityDict,
)
from monai_cardiac_gan.transforms.identify_volume import (
    DigestVolume,
    DigestVolumeD,
    DigestVolumed,
    DigestVolumeDict,
    FingerprintVolume,
    FingerprintVolumeD,
    FingerprintVolumed,
    FingerprintVolumeDict,
    VolumeGrid,
    VolumeGridD,
    VolumeGridd,
    VolumeGridDict,
)
from monai_cardiac_gan.transforms.load_volume import LoadVolume, LoadVolumeD, LoadVolumed, LoadVolumeDict
from monai_cardiac_gan.transforms.localise_aorta import (
    LocaliseAorta,
    LocaliseAortaD,
    LocaliseAortad,
    LocaliseAortaDict,
)
from monai_cardiac_gan.transforms.paste_patch import VolumePainter, paste_patch
from monai_cardiac_gan.transforms.ras_volume import RasVolume
from monai_cardiac_gan.transforms.record_transform import RecordTransform
from monai_cardiac_gan.transforms.refuse_label_map import (
    RefuseLabelMap,
    RefuseLabelMapD,
    RefuseLabelMapd,
    RefuseLabelMapDict,
)
from monai_cardiac_gan.transforms.scale_by_percentiles import (
    ScaleByPercentiles,
    ScaleByPercentilesD,
    ScaleByPercentilesd,
    ScaleByPercentilesDict,
)
from monai_cardiac_gan.transforms.simulate_lesions import (
    LesionSimulator,
    LesionSimulatorD,
    LesionSimulatord,
    LesionSimulatorDict,
    SimulatedLesion,
)
from monai_cardiac_gan.transforms.volume_error import VolumeError, reason_of
from monai_cardiac_gan.transforms.volume_pipeline import standard_volume

__all__ = [
    "CoursePatches",
    "Crop",
    "CropAortaPatches",
    "CropAortaPatchesD",
    "CropAortaPatchesDict",
    "CropAortaPatchesd",
    "DigestVolume",
    "DigestVolumeD",
    "DigestVolumeDict",
    "DigestVolumed",
    "FileSlices",
    "FingerprintVolume",
    "FingerprintVolumeD",
    "FingerprintVolumeDict",
    "FingerprintVolumed",
    "GradeImageQuality",
    "GradeImageQualityD",
    "GradeImageQualityDict",
    "GradeImageQualityd",
    "LesionSimulator",
    "LesionSimulatorD",
    "LesionSimulatorDict",
    "LesionSimulatord",
    "LoadVolume",
    "LoadVolumeD",
    "LoadVolumeDict",
    "LoadVolumed",
    "LocaliseAorta",
    "LocaliseAortaD",
    "LocaliseAortaDict",
    "LocaliseAortad",
    "RasVolume",
    "RecordTransform",
    "RefuseLabelMap",
    "RefuseLabelMapD",
    "RefuseLabelMapDict",
    "RefuseLabelMapd",
    "ScaleByPercentiles",
    "ScaleByPercentilesD",
    "ScaleByPercentilesDict",
    "ScaleByPercentilesd",
    "SimulatedLesion",
    "VolumeError",
    "VolumeGrid",
    "VolumeGridD",
    "VolumeGridDict",
    "VolumeGridd",
    "VolumePainter",
    "cut_along",
    "paste_patch",
    "person_from_dicom",
    "reason_of",
    "spread_along",
    "standard_volume",
]
