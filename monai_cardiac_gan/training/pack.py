"""Pack a patch set for `training.run`: ``python -m monai_cardiac_gan.training.pack PATCH_SET FILE --leave_out la_003 la_017``."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence

from monai_cardiac_gan.data import pack_patches

__all__ = ["main"]

logger = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("patch_set", help="folder of a patch set")
    parser.add_argument("file", help="packed file, .zip")
    parser.add_argument("--leave_out", nargs="*", default=[], help="patterns of subjects that stay behind")
    options = parser.parse_args(arguments)
    path = pack_patches(options.patch_set, options.file, options.leave_out)
    logger.info("packed: %s, %.1f MB", path, path.stat().st_size / 1e6)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
