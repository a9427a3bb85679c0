"""What stands for the networks where only the way around them is tested: an expected aorta of a known diameter."""

from dataclasses import replace

import nibabel
import numpy as np
import torch
from monai.data import MetaTensor
from nibabel.orientations import axcodes2ornt, ornt_transform
from torch import nn

from monai_cardiac_gan.anomaly import ExpectationModel, VesselPrior
from monai_cardiac_gan.aorta import AortaTrack
from monai_cardiac_gan.evaluation import measure_vessel
from monai_cardiac_gan.evaluation.vessel_calibration import VesselCalibration, write_vessel_calibration
from monai_cardiac_gan.inferers import ExpectVessel, ScanFamiliarity, VesselSearch
from monai_cardiac_gan.inferers.inpainted_vessel import InpaintedVessel
from monai_cardiac_gan.inferers.vessel_networks import LoadedNetworks
from monai_cardiac_gan.keys import Field
from monai_cardiac_gan.networks.nets import PatchFeatures
from monai_cardiac_gan.transforms import ScaleByPercentiles

SIDE, MIDDLE = 128, 64
SEARCH = {"generator": "disc", "search": "fake"}


class DiscGenerator(nn.Module):
    """A bright disc in the middle, as wide as the latent says."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1), requires_grad=False)

    def forward(self, latents):
        rows, columns = torch.meshgrid(*(torch.arange(float(SIDE)),) * 2, indexing="ij")
        distance = torch.hypot(rows - MIDDLE, columns - MIDDLE)
        inside = (latents[:, :, None] / 2 - distance + 0.5).clamp(0, 1)
        return (1.6 * inside - 0.8)[:, None] * self.weight


class FakeSearch(VesselSearch):
    """Finds one diameter everywhere."""

    def __init__(self, diameter):
        self.diameter = diameter

    def __call__(self, patches, masks, generator, positions_mm, valid=None):
        count = len(patches)
        latents = torch.full((1, count, 1), float(self.diameter))
        return InpaintedVessel(
            positions_mm=positions_mm,
            latents=latents,
            generated=generator(latents[0])[None],
            losses=torch.zeros(1, count),
            totals=torch.zeros(1),
            evaluations=torch.ones(1, dtype=torch.long),
            stops=("budget",),
            seconds=0.0,
        )


class AnsweringSearch(FakeSearch):
    """The same with a typical answer to each level, and answers that differ from it by noise of a standard deviation."""

    def __init__(self, diameter, answers=6, noise=0.05):
        super().__init__(diameter)
        self.answers, self.noise = answers, noise

    def __call__(self, patches, masks, generator, positions_mm, valid=None):
        found = super().__call__(patches, masks, generator, positions_mm, valid)
        images = found.generated[0]
        source = torch.Generator().manual_seed(0)
        noise = self.noise * torch.randn(self.answers, *images.shape, generator=source)
        typical = torch.where(masks, images, patches)
        return replace(
            found,
            generated=(images + noise).clamp(-1, 1),
            latents=found.latents.expand(self.answers, -1, -1),
            losses=found.losses.expand(self.answers, -1),
            totals=torch.zeros(self.answers),
            typical=typical,
        )


class FakeNetworks:
    """Paints a disc; `fault` is what is wrong with its weights."""

    def __init__(self, diameter=22.0, fault="", answers=0):
        self.diameter, self.fault, self.answers = diameter, fault, answers

    def load(self):
        if self.fault:
            raise ValueError(self.fault)
        search = AnsweringSearch(self.diameter, self.answers) if self.answers else FakeSearch(self.diameter)
        return LoadedNetworks(search, DiscGenerator().eval(), dict(SEARCH))


class FakeRater:
    """Says how familiar a scan is; `seen` are the shapes of what it was shown."""

    features_path, familiarity_path = "features.pt", "familiarity.pt"

    def __init__(self, score):
        self.score, self.seen = score, []

    def __call__(self, patches, valid):
        self.seen.append((tuple(patches.shape), tuple(valid.shape)))
        return ScanFamiliarity(self.score, 1 / self.score, 2.0, len(patches))


def write_calibration(path, hole=49, search=None, **changes):
    """The model of `model_of` as a file."""
    known = VesselCalibration(model_of(**changes), hole, 10.0, SEARCH if search is None else search, (), {}, {}, "0")
    return str(write_vessel_calibration(path, known))


SHAPE, SPACING, ORIGIN = (60, 60, 30), (2.0, 2.0, 5.0), (-80.0, -70.0, -100.0)
"""Of the volume in RAS+ axes: 120 x 120 x 150 mm."""
AORTA_MM = (60.0, 60.0)
"""Centre of the tube, mm from the first voxel's centre: 20 mm to the left of the scanner's middle and 10 mm behind it."""


class GivenTrack:
    """Stands for the localisation: a straight course on some slices, with the confidence of each slice and of all."""

    def __init__(self, slices=range(SHAPE[2]), confidence=0.9, track_confidence=0.9, diameters_mm=22.0):
        self.slices, self.diameters_mm = list(slices), diameters_mm
        self.confidence, self.track_confidence = confidence, track_confidence

    def __call__(self, record):
        count = len(self.slices)
        confidence, diameters = (np.broadcast_to(each, count) for each in (self.confidence, self.diameters_mm))
        whole = self.track_confidence if count else 0.0
        track = AortaTrack(self.slices, np.tile(AORTA_MM, (count, 1)), diameters, confidence, whole)
        return {**record, Field.AORTA: track}


def widths_of(diameter_mm=22.0, bulge_mm=0.0):
    """(Z,) diameters of the tube, wider by `bulge_mm` half-way down."""
    z = np.arange(SHAPE[2]) * SPACING[2]
    return diameter_mm + bulge_mm * np.exp(-(((z - z.mean()) / 15) ** 2))


def vessel_volume(diameter_mm=22.0, bulge_mm=0.0, marker=None):
    """A straight tube (X, Y, Z), int16, and a bright block of 3 x 3 x 1 voxels around a voxel."""
    x, y = (np.arange(count) * side for count, side in zip(SHAPE[:2], SPACING, strict=False))
    distance = np.hypot(x[:, None] - AORTA_MM[0], y - AORTA_MM[1])[..., None]
    share = np.clip(0.5 + (widths_of(diameter_mm, bulge_mm) / 2 - distance) / 1.5, 0.0, 1.0)
    volume = 100 + 900 * share + np.random.default_rng(0).normal(0, 15, SHAPE)
    if marker is not None:
        i, j, k = marker
        volume[i - 1 : i + 2, j - 1 : j + 2, k] = 1000
    return volume.round().astype(np.int16)


def write_vessel(path, codes="RAS", header=None, **shape):
    """The volume as NIfTI in axes of these names; `header` are fields of its header."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = ORIGIN
    image = nibabel.Nifti1Image(vessel_volume(**shape), affine)
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    image = image.as_reoriented(turn)
    for name, value in (header or {}).items():
        image.header[name] = value
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def write_features(path):
    """Weights of features that nobody trained."""
    torch.manual_seed(0)
    torch.save(PatchFeatures().state_dict(), path)
    return str(path)


def measured_vessel(slices=range(SHAPE[2]), search=False, answers=0, **shape):
    """The volume as it is in memory, its vessel, and what is expected of it."""
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = ORIGIN
    image = MetaTensor(
        torch.from_numpy(vessel_volume(**shape)[None].astype(np.float32)), affine=torch.from_numpy(affine)
    )
    diameters = widths_of(**shape)[list(slices)]
    track = GivenTrack(slices, diameters_mm=diameters)({})[Field.AORTA]
    loaded = FakeNetworks(answers=answers).load() if search else None
    parts = (loaded.search, loaded.generator) if search else (None, None)
    expected = ExpectVessel(*parts, straight_prior())(ScaleByPercentiles()(image), track)
    return image, measure_vessel(image, track), expected


def straight_prior():
    """People whose aorta is a straight tube of 22 mm."""
    heights = np.arange(0.0, 251.0, 5.0)
    return VesselPrior(heights, np.full(len(heights), 22.0), np.zeros((len(heights), 2)), 9)


def model_of(**changes):
    """What is expected of the next one."""
    usual = {
        "gap_mm": 30.0, "painted_weight": 0.0, "painted_bias_mm": 0.0, "scale": 1.0, "diameter_limit": 3.0,
        "course_scale": 1.0, "course_limit": 4.0, "level": 0.9, "subjects": 9,
    }  # fmt: skip
    return ExpectationModel(prior=straight_prior(), **(usual | changes))
