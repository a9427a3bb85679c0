"""Names of people, and as names of files."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

__all__ = ["file_name_of", "subject_name"]

DEVICE = r"^(?=(?i:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$))."
"""First letter of a name that is a device on Windows, whatever follows its first dot (Microsoft, Naming Files, Paths, and
Namespaces)."""
UNSAFE = re.compile(rf'{DEVICE}|[%/\\:*?"<>|\x00-\x1f\x7f]|^\.|[. ]$')
"""What POSIX or Windows read as part of a path or refuse, dots that begin or end a name, and the mark of this code itself."""


def file_name_of(name: str) -> str:
    """A name such that it can begin a file's name: no part of it is read as a folder, and two names never become one.

    Characters that could lead elsewhere are percent-encoded (RFC 3986, section 2.1, in UTF-8); all others stay. Case stays, too:
    disks of Windows and macOS take ``Ann`` and ``ann`` for one file, so give such people other names there.

    Args:
        name: any text, such as a subject of a data list.

    Raises:
        ValueError: when it is empty.

    Example:
        >>> file_name_of("site1/001"), file_name_of("../x"), file_name_of("Müller 2"), file_name_of("nul")
        ('site1%2F001', '%2E.%2Fx', 'Müller 2', '%6Eul')
    """
    if not name:
        raise ValueError("the name is empty: expected at least one character; give every volume a subject.")
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), name)


def subject_name(value: Any) -> str:
    """A person's name as a data list gives it: one form of each letter (Unicode NFC), no spaces around; empty for None.

    Two programs may write the same letter as one character or as two (Unicode Standard Annex 15); both are one person.

    Example:
        >>> subject_name("Mu\u0308ller "), subject_name(0), subject_name(None)
        ('Müller', '0', '')
    """
    return "" if value is None else unicodedata.normalize("NFC", str(value)).strip()
