"""How far generated patches are from real ones, and several answers from one truth; what real patches reach among themselves."""

from monai_cardiac_gan.metrics.aorta_geometry import (
    AortaGeometry,
    AortaGeometryMetric,
    aorta_geometry,
    aorta_geometry_distance,
)
from monai_cardiac_gan.metrics.classifier_two_sample import (
    ClassifierTwoSample,
    ClassifierTwoSampleMetric,
    classifier_two_sample_test,
)
from monai_cardiac_gan.metrics.copies import Copies, CopyDetector, closeness_to_one, highest_correlations
from monai_cardiac_gan.metrics.density_coverage import (
    DensityCoverage,
    DensityCoverageMetric,
    density_coverage,
    expected_coverage,
)
from monai_cardiac_gan.metrics.discriminative_score import (
    DiscriminativeScore,
    discriminative_floor,
    discriminative_score,
)
from monai_cardiac_gan.metrics.diversity import DiversityMetric, diversity_difference, ms_ssim_diversity
from monai_cardiac_gan.metrics.ensemble_calibration import calibrated_coverage, central_interval, spread_skill_ratio
from monai_cardiac_gan.metrics.ensemble_scores import energy_score, fair_crps
from monai_cardiac_gan.metrics.frechet import FrechetDistanceMetric, frechet_distance, frechet_distance_of_moments
from monai_cardiac_gan.metrics.hole_spectrum import HoleSpectrum, crop_holes, hole_spectrum
from monai_cardiac_gan.metrics.kernel_distance import KernelDistanceMetric, kernel_distance
from monai_cardiac_gan.metrics.linear_svm import fit_linear_svm
from monai_cardiac_gan.metrics.memorisation import Memorisation, MemorisationVerdict, memorisation_test
from monai_cardiac_gan.metrics.planted_copies import planted_copies
from monai_cardiac_gan.metrics.power_spectrum import (
    PowerSpectrumMetric,
    frequency_rings,
    mean_power,
    power_spectrum_distance,
    radial_power_spectrum,
)
from monai_cardiac_gan.metrics.precision_recall import PrecisionRecall, PrecisionRecallMetric, precision_recall
from monai_cardiac_gan.metrics.radiomic_features import RadiomicMetric, radiomic_distance, radiomic_features
from monai_cardiac_gan.metrics.real_vs_real import real_vs_real
from monai_cardiac_gan.metrics.sliced_wasserstein import (
    SlicedWassersteinMetric,
    distance_of_neighbourhoods,
    laplacian_pyramid,
    local_neighbourhoods,
    sliced_wasserstein,
    sliced_wasserstein_distance,
)
from monai_cardiac_gan.metrics.subject_splits import subject_splits
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric, as_numbers

__all__ = [
    "AortaGeometry",
    "AortaGeometryMetric",
    "ClassifierTwoSample",
    "ClassifierTwoSampleMetric",
    "Copies",
    "CopyDetector",
    "DensityCoverage",
    "DensityCoverageMetric",
    "DiscriminativeScore",
    "DiversityMetric",
    "FrechetDistanceMetric",
    "HoleSpectrum",
    "KernelDistanceMetric",
    "Memorisation",
    "MemorisationVerdict",
    "PowerSpectrumMetric",
    "PrecisionRecall",
    "PrecisionRecallMetric",
    "RadiomicMetric",
    "SlicedWassersteinMetric",
    "TwoSampleMetric",
    "aorta_geometry",
    "aorta_geometry_distance",
    "as_numbers",
    "calibrated_coverage",
    "central_interval",
    "classifier_two_sample_test",
    "closeness_to_one",
    "crop_holes",
    "density_coverage",
    "discriminative_floor",
    "discriminative_score",
    "distance_of_neighbourhoods",
    "diversity_difference",
    "energy_score",
    "expected_coverage",
    "fair_crps",
    "fit_linear_svm",
    "frechet_distance",
    "frechet_distance_of_moments",
    "frequency_rings",
    "highest_correlations",
    "hole_spectrum",
    "kernel_distance",
    "laplacian_pyramid",
    "local_neighbourhoods",
    "mean_power",
    "memorisation_test",
    "ms_ssim_diversity",
    "planted_copies",
    "power_spectrum_distance",
    "precision_recall",
    "radial_power_spectrum",
    "radiomic_distance",
    "radiomic_features",
    "real_vs_real",
    "sliced_wasserstein",
    "sliced_wasserstein_distance",
    "spread_skill_ratio",
    "subject_splits",
]
