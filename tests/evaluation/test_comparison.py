import pytest
import torch

from monai_cardiac_gan.evaluation import compare, format_rows, is_better
from monai_cardiac_gan.evaluation.comparison import FEATURE_METRICS, IMAGE_METRICS, MetricRow


def sample(seed, count=40, shift=0.0):
    return torch.randn(count, 6, generator=torch.Generator().manual_seed(seed)) + shift


def test_each_metric_has_a_row_with_its_value_between_reals_and_a_value_for_each_set():
    rows = compare(FEATURE_METRICS, {"near": sample(1), "far": sample(2, shift=3.0)}, sample(3), ["a", "b"] * 20)
    names = [row.metric for row in rows]
    assert len(names) == len(set(names))
    assert {name.split("/")[0] for name in names} == set(FEATURE_METRICS)
    for row in rows:
        assert set(row.values) == {"near", "far"}
        assert is_better(row.part, row.values["near"], row.values["far"]) in (True, None), row


def test_real_vs_real_is_that_of_halves_without_a_common_person():
    real = torch.tensor([[0.0], [0.0], [8.0], [8.0]])

    def difference(generated, real):
        return (generated.mean() - real.mean()).abs()

    (row,) = compare({"difference": difference}, {"same": real}, real, ["anna", "anna", "ben", "ben"])
    assert row == MetricRow("difference", 8.0, {"same": 0.0})


def test_image_metrics_put_sharp_patches_before_blurred_ones():
    random = torch.Generator().manual_seed(0)
    real, other = (torch.rand(12, 1, 64, 64, generator=random) * 2 - 1 for _ in range(2))
    blurred = torch.nn.functional.avg_pool2d(other, 3, 1, 1)
    metrics = {name: IMAGE_METRICS[name] for name in ("sliced_wasserstein", "power_spectrum")}
    rows = compare(metrics, {"sharp": other, "blurred": blurred}, real)
    assert all(is_better(row.part, row.values["sharp"], row.values["blurred"]) for row in rows)


@pytest.mark.parametrize(
    ("part", "one", "other", "expected"),
    [
        ("frechet_distance", 1.0, 2.0, True),
        ("kernel_distance", -0.001, 0.002, True),
        ("recall", 0.2, 0.1, True),
        ("accuracy", 0.4, 0.65, True),
        ("accuracy", 0.9, 0.65, False),
        ("ms_ssim_generated", 0.1, 0.2, None),
    ],
)
def test_what_is_better_depends_on_the_metric(part, one, other, expected):
    assert is_better(part, one, other) is expected


def test_the_table_has_a_line_a_number_and_a_column_a_set():
    rows = [
        MetricRow("precision_recall/recall", 0.91, {"a": 0.5, "b": 1234.5}),
        MetricRow("x/accuracy", 0.5, {"a": 1, "b": 0}),
    ]
    assert format_rows(rows).splitlines() == [
        "| metric | better | real vs real | a | b |",
        "|---|---|---:|---:|---:|",
        "| precision_recall/recall | higher | 0.91 | 0.5 | 1.23e+03 |",
        "| x/accuracy | near 0.5 | 0.5 | 1 | 0 |",
    ]
