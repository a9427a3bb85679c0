import enum
import functools
import importlib
import linecache
import math
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.transforms import Compose, Lambda, RandFlip, ScaleIntensityRange

from monai_cardiac_gan.data import InputState, settings_digest, settings_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def scaled(image, factor=1.0, *, shift=0.0):
    return factor * image + shift


def scaling(factor):
    @functools.wraps(scaled)
    def by_factor(image):
        return scaled(image, factor)

    return by_factor


class Colour(enum.Enum):
    RED = "red"


class Scale:
    def __init__(self, factor):
        self.factor = factor

    def apply(self, image):
        return self.factor * image

    @classmethod
    def identity(cls, image):
        return image


class Slotted:
    __slots__ = ("factor", "unset")

    def __init__(self, factor):
        self.factor = factor


class HalfSlotted(Slotted):
    def __init__(self, factor, name):
        super().__init__(factor)
        self.name = name


class Partial(functools.partial):
    """A partial that may do something else."""


def test_settings_tell_classes_attributes_and_arrays_but_no_random_state():
    steps = Compose([ScaleIntensityRange(0, 5, -1, 1), RandFlip(prob=0.3)])
    told = settings_of(steps)
    assert settings_of(steps) == told
    assert settings_digest(told) == settings_digest(
        settings_of(Compose([ScaleIntensityRange(0, 5, -1, 1), RandFlip(prob=0.3)]))
    )
    assert settings_digest(told) != settings_digest(
        settings_of(Compose([ScaleIntensityRange(0, 6, -1, 1), RandFlip(prob=0.3)]))
    )
    steps.set_random_state(3)
    assert settings_of(steps) == told


def test_values_of_all_kinds_become_json():
    value = {
        "path": Path("a/b"), "type": torch.float32, "number": np.float32(0.5), "set": {2, 1}, "enum": Colour.RED,
        "function": settings_digest, "random": np.random.default_rng(0), "other": random.Random(0), "array": np.arange(3),
        "class": InputState, "universal": np.exp, "module": math, "builtin": math.sqrt,
    }  # fmt: skip
    told = settings_of(value)
    assert told["path"] == "a/b"
    assert (told["type"], told["number"], told["set"], told["enum"]) == ("torch.float32", 0.5, [1, 2], "red")
    assert told["function"] == "monai_cardiac_gan.data.described_settings.settings_digest"
    assert told["class"] == "monai_cardiac_gan.data.content_hash.InputState"
    assert (told["universal"], told["module"], told["builtin"]) == ("exp", "math", "math.sqrt")
    assert told["random"] is told["other"] is None
    assert told["array"][:2] == ["int64", [3]]
    assert settings_of(np.arange(3)) != settings_of(np.arange(1, 4))


def test_a_partial_is_told_with_its_function_and_arguments():
    told = settings_of(functools.partial(scaled, 2, shift=np.float32(0.5)))
    assert told == {"partial": settings_of(scaled), "args": [2], "keywords": {"shift": 0.5}}
    partials = [
        functools.partial(scaled),
        functools.partial(scaled, 2),
        functools.partial(scaled, factor=2),
        functools.partial(scaled, factor=3),
        functools.partial(settings_of, factor=3),
        functools.partial(functools.partial(scaled, factor=3), shift=1),
        functools.partial(Scale(2).apply),
        functools.partial(Scale(3).apply),
        Partial(scaled),
        scaled,
    ]
    assert len({settings_digest(settings_of(Lambda(each))) for each in partials}) == len(partials)


def test_a_bound_method_is_told_with_its_object():
    assert settings_of(Scale(2).apply) == {"method": "apply", "of": settings_of(Scale(2))}
    assert settings_of(Scale(2).apply) != settings_of(Scale(3).apply)
    assert settings_of(Scale.identity) == {"method": "identity", "of": settings_of(Scale)}
    assert settings_of([3].count) == {"method": "count", "of": [3]}


def test_attributes_in_slots_are_told():
    assert settings_of(Slotted(2)) == {"class": settings_of(Slotted), "factor": 2}
    assert settings_of(HalfSlotted(2, "a")) == {"class": settings_of(HalfSlotted), "factor": 2, "name": "a"}


MADE_HERE = [(lambda image: image), (lambda image: 2 * image)]


@pytest.mark.parametrize(
    "value", [*MADE_HERE, scaling(2), functools.partial(MADE_HERE[0]), Lambda(MADE_HERE[1]), {"deep": [MADE_HERE[0]]}]
)
def test_what_has_no_name_of_its_own_is_refused(value):
    with pytest.raises(
        TypeError, match=r"has no name that tells what it does \(a lambda.*give a function or class that"
    ):
        settings_of(value)


def test_functions_and_classes_made_in_a_function_are_refused():
    class Local:
        pass

    for value in (Local, Local(), (lambda factor: lambda image: factor * image)(3)):
        with pytest.raises(TypeError, match=r"<locals>.* has no name that tells what it does"):
            settings_of(value)


def test_what_a_script_defines_is_told_by_its_source_too(tmp_path):
    def digest(body):
        (tmp_path / "script.py").write_text(
            "from monai_cardiac_gan.data import settings_digest, settings_of\n"
            f"def step(image):\n    return {body}\n"
            "class Step:\n    def __call__(self, image):\n        return " + body + "\n"
            "print(settings_digest(settings_of(step)), settings_digest(settings_of(Step())))\n"
        )
        done = subprocess.run([sys.executable, tmp_path / "script.py"], capture_output=True, text=True, check=True)
        return done.stdout.split()

    first, again, other = digest("image"), digest("image"), digest("2 * image")
    assert first == again
    assert not set(first) & set(other)


def test_what_was_typed_in_is_refused():
    code = (
        "from monai_cardiac_gan.data import settings_of\ndef step(image): pass\n"
        "try: settings_of(step)\nexcept TypeError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(
        "step was typed in, and its source is not known: write it into a module and import it."
    )


def test_what_cannot_be_told_is_refused():
    with pytest.raises(TypeError, match="slice has no attributes that tell what it was made with"):
        settings_of({"a": slice(3)})


@given(JSON)
def test_json_values_stay_what_they_are(value):
    assert settings_of(value) == value


def test_a_function_of_a_module_of_ones_own_is_told_by_what_it_does(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for body in ("return x + 1", "return x + 2", "return x + 1"):
        (tmp_path / "own_steps.py").write_text(f"def step(x):\n    {body}\n")
        sys.modules.pop("own_steps", None)
        importlib.invalidate_caches()
        linecache.clearcache()
        found.append(settings_digest(settings_of(importlib.import_module("own_steps").step)))
    sys.modules.pop("own_steps")
    assert found[0] == found[2] != found[1]


def test_what_is_installed_is_told_by_its_name():
    assert settings_of(np.median) == "numpy.median"
    assert settings_of(settings_of) == "monai_cardiac_gan.data.described_settings.settings_of"
