"""Names of people as names of files."""

from __future__ import annotations

import re

__all__ = ["file_name_of"]

UNSAFE = re.compile(r'[%/\\:*?"<>|\x00-\x1f\x7f]|^\.|[. ]$')
"""What POSIX or Windows read as part of a path or refuse, dots that begin or end a name, and the mark of this code itself."""


def file_name_of(name: str) -> str:
    """A name such that it can begin a file's name: no part of it is read as a folder, and two names never become one.

    Characters that could lead elsewhere are percent-encoded (RFC 3986, section 2.1, in UTF-8); all others stay.

    Args:
        name: any text, such as a subject of a data list.

    Raises:
        ValueError: when it is empty.

    Example:
        >>> file_name_of("site1/001"), file_name_of("../x"), file_name_of("Müller 2")
        ('site1%2F001', '%2E.%2Fx', 'Müller 2')
    """
    if not name:
        raise ValueError("the name is empty: expected at least one character; give every volume a subject.")
    return UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), name)
