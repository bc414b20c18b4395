"""What all tests share."""

from __future__ import annotations

import compileall
import os
from pathlib import Path

import pytest

import mcpbridge

pytest_plugins = ["canaries", "databases"]

CORPUS = Path(os.environ.get("MCPBRIDGE_CORPUS", Path(__file__).parents[2] / "shared/corpus/dev"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real API descriptions; they are other people's, so they are no part of the project."""
    if not CORPUS.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"CI must have the corpus of descriptions: {CORPUS} is missing; set MCPBRIDGE_CORPUS")
        pytest.skip("the corpus of real descriptions is not here; set MCPBRIDGE_CORPUS")
    return CORPUS


@pytest.fixture(scope="session")
def compiled() -> None:
    """The package as pip leaves it; a fresh checkout would be compiled anew in every process that is measured."""
    compileall.compile_dir(Path(mcpbridge.__file__).parent, quiet=2)
