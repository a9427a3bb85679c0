"""What stands for the examiner and the pages where only the way around them is tested; processes of a pool import it, too."""

import errno
import json
import os
import signal
import uuid
from dataclasses import replace
from pathlib import Path

from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.quality import PERSON
from monai_cardiac_gan.reporting.subject_results import (
    Answer,
    AnswerKind,
    GrowthResult,
    LevelResult,
    Pictures,
    Scan,
    Subject,
    SubjectResults,
)

ERRORS = {"bug": KeyError("radius"), "disk": OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))}


class FakeExaminer:
    """Reads "volumes" that are JSON: ``diameter``, ``date``, ``raises`` (of `ERRORS`) and ``kill``.

    It leaves a file in `calls`, a folder, each time.
    """

    def __init__(self, calls, weights="", hole=49):
        self.calls, self.weights, self.hole = str(calls), str(weights), hole

    def __call__(self, record, folder):
        assert {Field.SPLIT, Field.LABEL}.isdisjoint(record)
        path = Path(record[Field.IMAGE])
        Path(self.calls, f"{path.name}-{uuid.uuid4().hex}").touch()
        content = json.loads(path.read_text())
        if content.get("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if content.get("raises"):
            raise ERRORS[content["raises"]]
        (folder / "expected.nii.gz").write_bytes(b"voxels")
        return results_of(record, content, self.hole)


def results_of(record, content, hole=49):
    """Three levels, the middle one as wide as the content says."""
    widths = (22.0, content["diameter"], 21.0)
    levels = [
        LevelResult(
            mm_from_top=10.0 * number,
            slice=90 - number,
            name="mid-thoracic",
            centre_mm=(-10.123, 20.0, 90.0 - number),
            inscribed_mm=width,
            area_equivalent_mm=width,
            area_mm2=380.0,
            eccentricity=0.1,
            confidence=0.9,
            is_compared=True,
            expected_mm=22.0,
            z=(width - 22.0) / 1.3,
        )
        for number, width in enumerate(widths)
    ]
    grade = record.get(Field.GRADE)
    return SubjectResults(
        subject=Subject("whoever", record[Field.IMAGE], date=content.get("date")),
        answer=Answer(AnswerKind.EXPECTED, "as expected at all 3 levels", (f"read {record[Field.IMAGE]}",)),
        scan=Scan(grade or 3.5, PERSON if grade else "automatic", {}, 0.8, 20.0, None, (9, 9, 9), (1.0, 1.0, 1.0), 2),
        levels=tuple(levels),
        growth=(),
        left_out=(),
        naming=None,
        interval=None,
        pictures=Pictures(1, 1.0, "data:,", "data:,", ()),
        provenance={"hole": hole, "source": [record[Field.IMAGE]]},
        files={"expected": "expected.nii.gz"},
    )


def write_page(results, folder):
    """A page that says what it was given."""
    (folder / "report.html").write_text(f"{results.subject.name} grew {[each.mm_per_year for each in results.growth]}")


def write_cohort(folder, volumes):
    """A page with the subjects."""
    (folder / "cohort.html").write_text(" ".join(f"{volume.subject}: {volume.folder}" for volume in volumes))


def grow(earlier, later):
    """Growth of the middle level, as if a year lay between."""
    one, other = earlier.levels[1].inscribed_mm, later.levels[1].inscribed_mm
    if other < one:
        raise ValueError(f"shrank from {one:g} to {other:g} mm")
    return replace(later, growth=(GrowthResult(10.0, one, other, other - one, 0.0, 9.0, earlier.subject.date),))
