import json

import pytest

from monai_cardiac_gan.training.budget import REST, SHARES, Budget


@pytest.fixture
def path(tmp_path):
    return tmp_path / "budget.json"


def test_the_shares_of_all_stages_are_the_whole(path):
    budget = Budget(path, 10)
    assert sum(budget.share(stage) for stage in [*SHARES, *REST]) == pytest.approx(600)
    assert sum(REST.values()) == pytest.approx(1)
    assert budget.share("gan_64") / budget.share("amortised") == pytest.approx(REST["gan_64"] / REST["amortised"])


def test_a_gpu_gives_most_of_ten_minutes_to_the_generators(path):
    gpu = Budget(path, 10, on_gpu=True)
    assert sum(gpu.share(stage) for stage in [*SHARES, *REST]) == pytest.approx(600)
    assert sum(gpu.share(stage) for stage in REST) > 300
    assert gpu.share("encoder") == pytest.approx(Budget(path, 10).share("encoder") / 2)
    assert gpu.share("data") == Budget(path, 10).share("data")


def test_other_stages_stop_growing_and_the_generators_get_the_rest(path):
    day = Budget(path, 24 * 60)
    assert day.share("features") == SHARES["features"].most_seconds
    rest = sum(day.share(stage) for stage in REST)
    assert rest == pytest.approx(24 * 3600 - sum(each.most_seconds for each in SHARES.values()))


def test_a_stage_ends_when_those_behind_it_need_their_time(path, monkeypatch):
    budget = Budget(path, 10)
    monkeypatch.setattr(budget, "left", lambda: 300.0)
    order = ["gan_64", "gan_128", "features", "encoder"]
    behind = budget.share("features") + budget.share("encoder") + budget.share("files")
    assert budget.left_for("gan_128", order) == pytest.approx(300 - behind)
    budget.done["encoder"] = 1.0
    assert budget.left_for("gan_128", order) == pytest.approx(300 - behind + budget.share("encoder"))


def test_the_small_size_has_its_fraction_once_over_all_calls(path, monkeypatch):
    order = ["gan_64", "gan_128", "amortised"]
    first = Budget(path, 10)
    monkeypatch.setattr(first, "left", lambda: 300.0)
    planned = REST["gan_64"] * (300 - first.share("files"))
    first.begin("gan_64")
    assert first.left_for("gan_64", order) == pytest.approx(planned, abs=0.2)
    first._begun -= 60
    first.note()
    second = Budget(path, 10)
    monkeypatch.setattr(second, "left", lambda: 240.0)  # the test's process may be older than these ten minutes
    second.begin("gan_64")
    assert second.used("gan_64") == pytest.approx(60, abs=1)
    assert second.left_for("gan_64", order) == pytest.approx(planned - 60, abs=1)


def test_each_of_the_generators_leaves_the_later_ones_their_part(path, monkeypatch):
    order = ["gan_64", "gan_128", "encoder", "amortised"]
    budget = Budget(path, 10)
    monkeypatch.setattr(budget, "left", lambda: 300.0)
    rest = 300 - budget.share("encoder") - budget.share("files")
    part = REST["gan_128"] / (REST["gan_128"] + REST["amortised"])
    assert budget.left_for("gan_128", order) == pytest.approx(part * rest, abs=0.1)
    # between them a stage takes its share, and not theirs
    assert budget.left_for("encoder", order) == budget.share("encoder")
    assert budget.left_for("amortised", order) == 300 - budget.share("files")


def test_with_more_minutes_a_stage_has_its_part_of_those_beside_what_it_had(path, monkeypatch):
    order = ["gan_128", "amortised"]
    first = Budget(path, 10)
    first.done, first._used = {"gan_128": 80.0, "amortised": 70.0}, {"gan_128": 80.0, "amortised": 70.0}
    first.choices["gan_128_seconds"] = 80.0
    first.note()
    second = Budget(path, 30)
    monkeypatch.setattr(second, "left", lambda: 1000.0)
    part = REST["gan_128"] / (REST["gan_128"] + REST["amortised"])
    assert second.left_for("gan_128", order) == pytest.approx(part * (1000 - second.share("files")), abs=0.1)


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


def test_more_minutes_train_the_generators_on_and_make_anew_what_rests_on_it(path):
    first = Budget(path, 10)
    stages = ("data", "gan_64", "gan_128", "features", "encoder", "amortised", "calibration", "evaluation")
    first.done = dict.fromkeys(stages, 1.0)
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
