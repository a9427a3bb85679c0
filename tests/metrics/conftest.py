import importlib
import importlib.util
import sys
from types import ModuleType
from unittest.mock import MagicMock

import pytest


@pytest.fixture
def fidelity(monkeypatch):
    """Modules of torch-fidelity by name: its arithmetic alone, as importing the whole of it needs torchvision."""
    found = importlib.util.find_spec("torch_fidelity")
    if found is None:
        pytest.skip("torch-fidelity is not installed")
    package = ModuleType("torch_fidelity")
    package.__path__ = found.submodule_search_locations
    monkeypatch.setitem(sys.modules, "torch_fidelity", package)
    monkeypatch.setitem(sys.modules, "torch_fidelity.utils", MagicMock())

    def module(name):
        monkeypatch.delitem(sys.modules, f"torch_fidelity.{name}", raising=False)
        return importlib.import_module(f"torch_fidelity.{name}")

    return module
