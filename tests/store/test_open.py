"""Which URLs open a store, and what the others are told."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mcpbridge.errors import ConfigError
from mcpbridge.store.open import open_store


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


@pytest.mark.parametrize("url", [":memory:", "sqlite://", "sqlite:///:memory:"])
async def test_three_urls_are_memory(url: str) -> None:
    async with open_store(url) as store:
        assert store.place == "in memory"


async def test_a_file_is_named_from_the_working_folder_or_by_its_whole_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with open_store("sqlite:///one.db"), open_store(f"sqlite:///{tmp_path}/two words.db"):
        assert names(tmp_path) > {"one.db", "two words.db"}


def test_nothing_is_made_before_a_store_is_entered(tmp_path: Path) -> None:
    open_store(f"sqlite:///{tmp_path}/store.db")

    assert not names(tmp_path)


@pytest.mark.parametrize(
    "url",
    ["", "gateway.db", "mysql://ada:hunter2@host/db", "sqlite:gateway.db", "sqlite:///x.db?mode=ro", "sqlite://x"],
)
def test_another_url_is_told_the_three_forms_and_not_its_password(url: str) -> None:
    with pytest.raises(ConfigError, match="write sqlite:///FILE, postgresql://") as raised:
        open_store(url)

    assert "hunter2" not in str(raised.value)


def test_a_wait_or_a_pool_of_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="wait > 0"):
        open_store(":memory:", wait=0)
    with pytest.raises(ConfigError, match="pool >= 1"):
        open_store(":memory:", pool=0)


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from mcpbridge import ConfigError, open_store
try:
    open_store(sys.argv[2])
except ConfigError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "url", "extra"),
    [("sqlalchemy", ":memory:", "store"), ("asyncpg", "postgresql://host/db", "postgres")],
)
def test_a_package_that_is_missing_is_named_with_its_extra(package: str, url: str, extra: str) -> None:
    command = [sys.executable, "-c", WITHOUT, package, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)

    assert done.stdout == f"a store needs the package {package!r}: pip install 'mcpbridge[{extra}]'\n"
