"""Which volumes there are, who they belong to, and the patches cut from them."""

from monai_cardiac_gan.data.cached_patches import CachedPatches
from monai_cardiac_gan.data.content_hash import InputState, input_state, settings_digest, settings_of
from monai_cardiac_gan.data.corrections import corrected, read_corrections
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
from monai_cardiac_gan.data.patch_loader import patch_loader
from monai_cardiac_gan.data.patch_set import column_table, patch_stack, read_manifest, write_json
from monai_cardiac_gan.data.patch_store import PatchStore
from monai_cardiac_gan.data.phantom import PhantomLabel, PhantomVolume, WholeHeartPhantom
from monai_cardiac_gan.data.pseudonyms import Pseudonyms
from monai_cardiac_gan.data.resumable_batches import ResumableBatches
from monai_cardiac_gan.data.splits import TEST, TRAIN, given_split, same_person_groups, split_subjects
from monai_cardiac_gan.data.streamed_patches import StreamedPatches
from monai_cardiac_gan.data.valid_region import VALID_COLUMNS, valid_bounds, valid_region
from monai_cardiac_gan.data.windowed_batches import WindowedBatches

__all__ = [
    "TEST",
    "TRAIN",
    "VALID_COLUMNS",
    "AortaPatchDataset",
    "CachedPatches",
    "InputState",
    "PatchStore",
    "PhantomLabel",
    "PhantomVolume",
    "Pseudonyms",
    "Record",
    "ResumableBatches",
    "StreamedPatches",
    "VolumeError",
    "WholeHeartPhantom",
    "WindowedBatches",
    "column_table",
    "corrected",
    "given_split",
    "input_state",
    "near_duplicates",
    "patch_loader",
    "patch_stack",
    "read_corrections",
    "read_datalist",
    "read_manifest",
    "records_from_csv",
    "records_from_folder",
    "records_from_json",
    "same_person_groups",
    "settings_digest",
    "settings_of",
    "split_subjects",
    "valid_bounds",
    "valid_region",
    "volume_digest",
    "volume_fingerprint",
    "write_json",
]
