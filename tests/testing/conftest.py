"""A description to make tools and fakes of."""

from __future__ import annotations

import pytest

from mcpbridge.demo.local import description


@pytest.fixture
def bookshop() -> str:
    return description()
