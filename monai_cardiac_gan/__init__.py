"""Learn and paint the expected descending aorta of whole-heart MR volumes: an extension of MONAI."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("monai_cardiac_gan")
except PackageNotFoundError:  # used from a source tree that was not installed
    __version__ = "0+unknown"
