from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.reporting.histogram import FOOT, HEIGHT, MOST_BARS, WIDTH, histogram


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=50))
def test_every_value_is_counted_once_in_the_bar_that_holds_it(values):
    bars = histogram(values, 0.5).bars
    assert len(bars) <= MOST_BARS
    assert sum(bar.count for bar in bars) == len(values)
    for bar in bars:
        assert bar.count == sum(bar.low <= value < bar.high for value in values)
        assert bar.y + bar.height == HEIGHT - FOOT or abs(bar.y + bar.height - HEIGHT + FOOT) < 0.02
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
    assert max(bar.height for bar in bars) == HEIGHT - FOOT


def test_nothing_has_no_histogram():
    assert histogram([], 1.0) is None
