"""What a bundle's command line needs before anything else runs; the bundle's configs alone use it."""

from monai_cardiac_gan.cli.command_line import (
    begin,
    check_command_line,
    check_switches,
    refuse_subject_key,
    tell_of_no_effect,
)
from monai_cardiac_gan.cli.explain_errors import explain_errors

__all__ = [
    "begin",
    "check_command_line",
    "check_switches",
    "explain_errors",
    "refuse_subject_key",
    "tell_of_no_effect",
]
