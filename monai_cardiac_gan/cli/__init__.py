"""What a bundle's command line needs before anything else runs."""

from monai_cardiac_gan.cli.explain_errors import explain_errors

__all__ = ["explain_errors"]
