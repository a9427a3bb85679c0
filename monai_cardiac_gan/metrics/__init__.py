"""How far generated patches are from real ones: two-sample metrics, and what real patches reach among themselves."""

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
from monai_cardiac_gan.metrics.density_coverage import (
    DensityCoverage,
    DensityCoverageMetric,
    density_coverage,
    expected_coverage,
)
from monai_cardiac_gan.metrics.diversity import DiversityMetric, diversity_difference, ms_ssim_diversity
from monai_cardiac_gan.metrics.frechet import FrechetDistanceMetric, frechet_distance, frechet_distance_of_moments
from monai_cardiac_gan.metrics.kernel_distance import KernelDistanceMetric, kernel_distance
from monai_cardiac_gan.metrics.memorisation import Memorisation, MemorisationVerdict, memorisation_test
from monai_cardiac_gan.metrics.power_spectrum import PowerSpectrumMetric, power_spectrum_distance, radial_power_spectrum
from monai_cardiac_gan.metrics.precision_recall import PrecisionRecall, PrecisionRecallMetric, precision_recall
from monai_cardiac_gan.metrics.real_vs_real import real_vs_real
from monai_cardiac_gan.metrics.sliced_wasserstein import (
    SlicedWassersteinMetric,
    laplacian_pyramid,
    sliced_wasserstein,
    sliced_wasserstein_distance,
)
from monai_cardiac_gan.metrics.two_sample import TwoSampleMetric, as_numbers

__all__ = [
    "AortaGeometry",
    "AortaGeometryMetric",
    "ClassifierTwoSample",
    "ClassifierTwoSampleMetric",
    "DensityCoverage",
    "DensityCoverageMetric",
    "DiversityMetric",
    "FrechetDistanceMetric",
    "KernelDistanceMetric",
    "Memorisation",
    "MemorisationVerdict",
    "PowerSpectrumMetric",
    "PrecisionRecall",
    "PrecisionRecallMetric",
    "SlicedWassersteinMetric",
    "TwoSampleMetric",
    "aorta_geometry",
    "aorta_geometry_distance",
    "as_numbers",
    "classifier_two_sample_test",
    "density_coverage",
    "diversity_difference",
    "expected_coverage",
    "frechet_distance",
    "frechet_distance_of_moments",
    "kernel_distance",
    "laplacian_pyramid",
    "memorisation_test",
    "ms_ssim_diversity",
    "power_spectrum_distance",
    "precision_recall",
    "radial_power_spectrum",
    "real_vs_real",
    "sliced_wasserstein",
    "sliced_wasserstein_distance",
]
