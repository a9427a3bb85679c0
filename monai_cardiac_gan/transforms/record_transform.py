"""The one adapter that makes a dictionary transform of an array transform."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar

from monai.config import KeysCollection
from monai.transforms import MapTransform
from torch.utils.data._utils.collate import default_collate_fn_map

__all__ = ["RecordTransform", "collate_as_list"]


class RecordTransform(MapTransform):
    """Apply an array transform to fields of a record.

    A subclass names its array class and, where the transform takes or makes more than the image, the fields for that.
    All arguments after `keys` go to the array class.

    Args:
        keys: fields that hold the images.
        args: positional arguments of the array class.
        allow_missing_keys: do not raise when a key is absent.
        kwargs: named arguments of the array class.

    Attributes:
        array_class: the transform that does the work.
        argument_fields: argument name of the array class's call -> field of the record; an absent field is passed as None.
        result_field: field that takes the result; None replaces the image itself. With several keys it must be None.

    Raises:
        KeyError: when a key is absent and `allow_missing_keys` is false.
        ValueError: when several keys would write to the same result field.
    """

    array_class: ClassVar[type]
    argument_fields: ClassVar[Mapping[str, str]] = {}
    result_field: ClassVar[str | None] = None

    def __init__(self, keys: KeysCollection, *args: Any, allow_missing_keys: bool = False, **kwargs: Any) -> None:
        super().__init__(keys, allow_missing_keys)
        if self.result_field is not None and len(self.keys) > 1:
            raise ValueError(
                f"{type(self).__name__} got the keys {list(self.keys)}, but all results would go to '{self.result_field}': "
                "give one key."
            )
        self.transform = self.array_class(*args, **kwargs)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return a copy of the record with the results in it."""
        record = dict(data)
        arguments = {name: record.get(field) for name, field in self.argument_fields.items()}
        for key in self.key_iterator(record):
            record[self.result_field or key] = self.transform(record[key], **arguments)
        return record


def collate_as_list(kind: type) -> None:
    """Let PyTorch's and MONAI's data loaders put results of this type into a batch as a list.

    ``default_collate_fn_map`` is PyTorch's documented way to extend its collation; MONAI does so for its ``MetaTensor``.

    Example:
        >>> from torch.utils.data import default_collate
        >>> from monai_cardiac_gan.aorta import AortaTrack
        >>> collate_as_list(AortaTrack)
        >>> batch = default_collate([{"aorta": AortaTrack.empty()}, {"aorta": AortaTrack([3], [[1, 2]], [24], [1], 1)}])
        >>> [len(track) for track in batch["aorta"]]
        [0, 1]
    """
    default_collate_fn_map[kind] = _as_list


def _as_list(batch: Sequence[Any], **_: Any) -> list[Any]:
    return list(batch)
