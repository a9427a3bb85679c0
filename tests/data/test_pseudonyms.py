import hashlib
import hmac
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data import Pseudonyms


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    return Pseudonyms(tmp_path_factory.mktemp("secret") / "key")


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    one = Pseudonyms(tmp_path / "key")("Ann")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert Pseudonyms(tmp_path / "key")("Ann") == one
    assert Pseudonyms(tmp_path / "other")("Ann") != one


def test_the_names_are_hmacs(tmp_path):
    (tmp_path / "key").write_text("k" * 32)
    expected = hmac.new(b"k" * 32, b"Ann", hashlib.sha256).hexdigest()
    assert Pseudonyms(tmp_path / "key")("Ann") == f"subject_{expected[:16]}"


@given(st.sets(st.text(), min_size=2, max_size=20))
def test_different_names_stay_different(names, given_names):
    assert len({names(name) for name in given_names}) == len(given_names)


def test_short_keys_are_refused(tmp_path):
    (tmp_path / "key").write_text("secret\n")
    with pytest.raises(ValueError, match="holds 6 characters, expected a secret of at least 32"):
        Pseudonyms(tmp_path / "key")
