"""Which volumes there are, who they belong to, and the patches cut from them."""

from monai_cardiac_gan.data.cached_patches import CachedPatches
from monai_cardiac_gan.data.claimed_folder import claimed_folder
from monai_cardiac_gan.data.content_hash import (
    InputNotes,
    InputState,
    input_state,
    read_input_states,
    told_by_content,
    write_input_states,
)
from monai_cardiac_gan.data.contradictions import (
    refuse_contradictory_facts,
    refuse_contradictory_grades,
    wanted_split,
)
from monai_cardiac_gan.data.corrections import corrected, read_corrections
from monai_cardiac_gan.data.datalist import (
    Record,
    read_datalist,
    records_from_csv,
    records_from_json,
)
from monai_cardiac_gan.data.described_settings import settings_digest, settings_of
from monai_cardiac_gan.data.file_name import file_name_of, subject_name
from monai_cardiac_gan.data.fitting_loader import patch_loader
from monai_cardiac_gan.data.folder_scan import records_from_folder
from monai_cardiac_gan.data.manifest import (
    EXCLUDED,
    KEPT,
    Manifest,
    NearDuplicate,
    PatchRow,
    Provenance,
    VolumeEntry,
    VolumeSource,
    column_table,
    read_manifest,
    read_provenance,
)
from monai_cardiac_gan.data.merged_patches import merge_patch_sets
from monai_cardiac_gan.data.packed_patches import pack_patches, read_packed_manifest, unpack_patches
from monai_cardiac_gan.data.patch_dataset import AortaPatchDataset
from monai_cardiac_gan.data.patch_set import patch_stack
from monai_cardiac_gan.data.patch_store import PatchStore
from monai_cardiac_gan.data.path_tails import shortest_tail
from monai_cardiac_gan.data.person import PERSON_FIELDS, checked_person
from monai_cardiac_gan.data.pseudonyms import Pseudonyms
from monai_cardiac_gan.data.resumable_batches import ResumableBatches
from monai_cardiac_gan.data.splits import TEST, TRAIN, given_split, same_person_groups, split_subjects
from monai_cardiac_gan.data.streamed_patches import StreamedPatches
from monai_cardiac_gan.data.table import write_table
from monai_cardiac_gan.data.valid_region import VALID_COLUMNS, valid_bounds, valid_region
from monai_cardiac_gan.data.volume_identity import near_duplicates, volume_digest, volume_fingerprint
from monai_cardiac_gan.data.volume_task import VolumeTask, input_fields, named_records, unchanged_inputs, volume_key
from monai_cardiac_gan.data.windowed_batches import WindowedBatches

__all__ = [
    "EXCLUDED",
    "KEPT",
    "PERSON_FIELDS",
    "TEST",
    "TRAIN",
    "VALID_COLUMNS",
    "AortaPatchDataset",
    "CachedPatches",
    "InputNotes",
    "InputState",
    "Manifest",
    "NearDuplicate",
    "PatchRow",
    "PatchStore",
    "Provenance",
    "Pseudonyms",
    "Record",
    "ResumableBatches",
    "StreamedPatches",
    "VolumeEntry",
    "VolumeSource",
    "VolumeTask",
    "WindowedBatches",
    "checked_person",
    "claimed_folder",
    "column_table",
    "corrected",
    "file_name_of",
    "given_split",
    "input_fields",
    "input_state",
    "merge_patch_sets",
    "named_records",
    "near_duplicates",
    "pack_patches",
    "patch_loader",
    "patch_stack",
    "read_corrections",
    "read_datalist",
    "read_input_states",
    "read_manifest",
    "read_packed_manifest",
    "read_provenance",
    "records_from_csv",
    "records_from_folder",
    "records_from_json",
    "refuse_contradictory_facts",
    "refuse_contradictory_grades",
    "same_person_groups",
    "settings_digest",
    "settings_of",
    "shortest_tail",
    "split_subjects",
    "subject_name",
    "told_by_content",
    "unchanged_inputs",
    "unpack_patches",
    "valid_bounds",
    "valid_region",
    "volume_digest",
    "volume_fingerprint",
    "volume_key",
    "wanted_split",
    "write_input_states",
    "write_table",
]
