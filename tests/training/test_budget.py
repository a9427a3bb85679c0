import json

import pytest

from monai_cardiac_gan.training.budget import SHARES, SMALL_SIZE_FRACTION, Budget


@pytest.fixture
def path(tmp_path):
    return tmp_path / "budget.json"


def test_the_shares_of_all_stages_are_the_whole(path):
    budget = Budget(path, 10)
    stages = [*SHARES, "gan_64", "gan_128"]
    assert sum(budget.share(stage) for stage in stages) == pytest.approx(600)
    assert budget.share("gan_64") == pytest.approx(
        SMALL_SIZE_FRACTION / (1 - SMALL_SIZE_FRACTION) * budget.share("gan_128")
    )


def test_other_stages_stop_growing_and_the_gan_gets_the_rest(path):
    day = Budget(path, 24 * 60)
    assert day.share("features") == SHARES["features"].most_seconds
    gan = day.share("gan_64") + day.share("gan_128")
    assert gan == pytest.approx(24 * 3600 - sum(each.most_seconds for each in SHARES.values()))


def test_a_stage_ends_when_those_behind_it_need_their_time(path, monkeypatch):
    budget = Budget(path, 10)
    monkeypatch.setattr(budget, "left", lambda: 300.0)
    order = ["gan_64", "gan_128", "features", "encoder"]
    behind = budget.share("features") + budget.share("encoder") + budget.share("files")
    assert budget.left_for("gan_128", order) == pytest.approx(300 - behind)
    budget.done["encoder"] = 1.0
    assert budget.left_for("gan_128", order) == pytest.approx(300 - behind + budget.share("encoder"))


def test_the_small_size_has_its_fraction_once_over_all_calls(path, monkeypatch):
    order = ["gan_64", "gan_128"]
    first = Budget(path, 10)
    monkeypatch.setattr(first, "left", lambda: 300.0)
    planned = SMALL_SIZE_FRACTION * (300 - first.share("files"))
    first.begin("gan_64")
    assert first.left_for("gan_64", order) == pytest.approx(planned, abs=0.2)
    first._begun -= 60
    first.note()
    second = Budget(path, 10)
    monkeypatch.setattr(second, "left", lambda: 240.0)  # the test's process may be older than these ten minutes
    second.begin("gan_64")
    assert second.used("gan_64") == pytest.approx(60, abs=1)
    assert second.left_for("gan_64", order) == pytest.approx(planned - 60, abs=1)


def test_a_later_call_goes_on_with_time_stages_and_choices(path):
    first = Budget(path, 10)
    first.choices["phantoms"] = 7
    first.started -= 100  # as if the process had begun earlier
    first.begin("data")
    first._begun -= 12.34
    first.finish("data")
    second = Budget(path, 10)
    assert (second.done, second.choices) == ({"data": 12.3}, {"phantoms": 7})
    assert second.earlier == pytest.approx(json.loads(path.read_text())["spent"])
    assert first.left() - second.left() == pytest.approx(second.earlier - 100, abs=60)
    assert second.spent() > 100


def test_more_minutes_train_the_gan_on_and_make_anew_what_rests_on_it(path):
    first = Budget(path, 10)
    first.done = dict.fromkeys(("data", "gan_64", "gan_128", "features", "encoder", "calibration", "evaluation"), 1.0)
    first.choices = {"encoder_steps": 5, "calibration_patches": 9, "phantoms": 7}
    first.note()
    assert set(Budget(path, 10).done) == set(first.done)
    assert set(Budget(path, 11).done) == {"data", "gan_64", "features"}
    assert Budget(path, 11).choices == {"phantoms": 7}


def test_no_minutes_and_a_damaged_file_are_refused(path):
    with pytest.raises(ValueError, match="minutes is 0: expected more than 0"):
        Budget(path, 0)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"budget\.json: is damaged .*; remove it and begin anew"):
        Budget(path, 1)
