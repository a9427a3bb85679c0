from types import SimpleNamespace

import pytest

from monai_cardiac_gan.engines import is_first_process, process_count, processes


@pytest.mark.parametrize(("rank", "first"), [(0, True), (1, False)])
def test_an_engine_that_knows_its_rank_is_believed(rank, first):
    assert is_first_process(SimpleNamespace(rank=rank)) is first


def test_without_a_rank_the_process_group_is_asked(monkeypatch):
    assert is_first_process(None)
    assert process_count(None) == 1
    monkeypatch.setattr(processes, "Processes", lambda: SimpleNamespace(rank=1, count=3))
    assert not is_first_process(SimpleNamespace())
    assert process_count(SimpleNamespace()) == 3


def test_an_engine_that_knows_the_number_of_processes_is_believed():
    assert process_count(SimpleNamespace(world_size=4)) == 4
