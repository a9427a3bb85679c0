"""Names that do not tell who somebody is."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

__all__ = ["Pseudonyms"]

KEY_BYTES = 32
DIGITS = 16
"""Hexadecimal digits of a name: two of a million people share one with a probability of 3e-8."""
OWNER_ONLY = 0o600


class Pseudonyms:
    """Keyed hashes of names (HMAC-SHA-256), which nobody can find out by trying names without the key.

    Args:
        key_file: holds the key; made, readable by its owner alone, where there is none. Keep it apart from the data: who has
            it can tell whether a name is in the set.

    Raises:
        ValueError: when the file holds no key.

    Example:
        >>> import tempfile
        >>> names = Pseudonyms(Path(tempfile.mkdtemp()) / "key")
        >>> names("Ann") == names("Ann") != names("Bob")
        True
    """

    def __init__(self, key_file: str | os.PathLike[str]) -> None:
        path = Path(key_file)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(KEY_BYTES) + "\n")
        self._key = path.read_bytes().strip()
        if len(self._key) < KEY_BYTES:
            raise ValueError(
                f"{path}: holds {len(self._key)} characters, expected a secret of at least {KEY_BYTES}; name a file that does "
                "not exist to have one made."
            )

    def __call__(self, name: str) -> str:
        """The pseudonym of a name."""
        return f"subject_{hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:DIGITS]}"
