from hypothesis import given
from hypothesis import strategies as st

from monai_cardiac_gan.data.path_tails import ends_with, shortest_tail


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=1, max_size=4).map(lambda p: "/" + "/".join(p)), unique=True))
def test_the_shortest_tail_of_a_path_fits_it_alone(paths):
    for path in paths:
        tail = shortest_tail(path, paths)
        assert [other for other in paths if ends_with(other, tail)] == [path]
        shorter = "/".join(tail.strip("/").split("/")[1:])
        assert not shorter or len([other for other in paths if ends_with(other, shorter)]) > 1
