"""Which volumes there are, who they belong to, and the patches cut from them."""

from monai_cardiac_gan.data.cached_patches import CachedPatches
from monai_cardiac_gan.data.datalist import (
    Record,
    read_datalist,
    records_from_csv,
    records_from_folder,
    records_from_json,
)
from monai_cardiac_gan.data.digest import volume_digest
from monai_cardiac_gan.data.errors import VolumeError
from monai_cardiac_gan.data.fingerprint import near_duplicates, volume_fingerprint
from monai_cardiac_gan.data.patch_dataset import AortaPatchDataset
from monai_cardiac_gan.data.patch_set import PatchSetWriter, read_manifest, write_json
from monai_cardiac_gan.data.phantom import PhantomLabel, PhantomVolume, WholeHeartPhantom
from monai_cardiac_gan.data.resumable_batches import ResumableBatches
from monai_cardiac_gan.data.splits import TEST, TRAIN, given_split, same_person_groups, split_subjects

__all__ = [
    "TEST",
    "TRAIN",
    "AortaPatchDataset",
    "CachedPatches",
    "PatchSetWriter",
    "PhantomLabel",
    "PhantomVolume",
    "Record",
    "ResumableBatches",
    "VolumeError",
    "WholeHeartPhantom",
    "given_split",
    "near_duplicates",
    "read_datalist",
    "read_manifest",
    "records_from_csv",
    "records_from_folder",
    "records_from_json",
    "same_person_groups",
    "split_subjects",
    "volume_digest",
    "volume_fingerprint",
    "write_json",
]
