"""The files of a description: the entry, and those beside it that its references name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.limits import ReadLimits


def read_file(path: Path, limits: ReadLimits) -> bytes:
    """A file's bytes. Raises: DescriptionError that says why it cannot be read, or that it is too large."""
    try:
        if path.stat().st_size > limits.bytes:
            raise DescriptionError(f"{path.name!r} is larger than {limits.bytes} bytes; raise the limit or split it")
        return path.read_bytes()
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise DescriptionError(f"the description {str(path)!r} cannot be read: {why}; check the path") from None


class Folder:
    """The folder of an entry file. Addresses are `file:` URLs; what lies outside, also by a link, is refused."""

    def __init__(self, entry: Path, limits: ReadLimits) -> None:
        place = entry.absolute()
        self._root = place.parent.resolve()
        self._limits = limits
        self._bytes = 0
        self._files = 0
        self._prefix = f"{self._root.as_uri()}/"
        self.address = (self._root / place.name).as_uri()

    def shown(self, address: str) -> str:
        """An address as a person writes it: relative to the folder."""
        return unquote(address.removeprefix(self._prefix))

    def read(self, address: str) -> bytes:
        """A file's bytes by its address. Raises: DescriptionError; it never tells anything of what is outside."""
        outside = DescriptionError("it leads out of the description's own folder, and is not read")
        parts = urlsplit(address)
        if parts.netloc not in ("", "localhost") or "\0" in (path := unquote(parts.path)):
            raise outside
        try:
            place = Path(path).resolve()
            inside = place.is_relative_to(self._root)
            found = inside and place.is_file()
        except (OSError, RuntimeError, ValueError):
            raise outside from None
        if not inside:
            raise outside
        if not found:
            raise DescriptionError(f"there is no file {place.relative_to(self._root).as_posix()!r}")
        data = read_file(place, self._limits)
        self._bytes += len(data)
        self._files += 1
        if self._bytes > self._limits.bytes:
            raise DescriptionError(f"its files are larger than {self._limits.bytes} bytes together; raise the limit")
        if self._files > self._limits.files:
            raise DescriptionError(f"it has more than {self._limits.files} files; raise the limit")
        return data
