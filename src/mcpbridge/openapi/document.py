"""A description that was read: `Document.parse` takes text, bytes, a path or parsed JSON.

This is the one place of the converter that opens a file: the entry that a path names, and beside it what its relative
references name, inside the entry's own folder. Any other address goes to the host's `retrieve`, or nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from mcpbridge.errors import DescriptionError
from mcpbridge.openapi.dialects import dialect_of
from mcpbridge.openapi.files import Folder, read_file
from mcpbridge.openapi.jsontext import is_object
from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.lines import lines_of
from mcpbridge.openapi.operations import operations_of
from mcpbridge.openapi.problems import Problem, Problems
from mcpbridge.openapi.reading import Reading, object_in, text_in
from mcpbridge.openapi.references import References
from mcpbridge.openapi.schema import Schemas
from mcpbridge.openapi.text import load_text
from mcpbridge.openapi.wording import line

Retrieve = Callable[[str], "str | bytes | Mapping[str, Any]"]
"""Gives the document at an absolute URL, or raises; the only way that a reference leads outside."""


class Document:
    """A description, read but not yet made into tools. It never changes.

    dialect   `2.0`, `3.0`, `3.1` or `3.2`
    title     of the API, or an empty text
    root      the parsed description
    problems  all that is wrong in it, with what was done about it
    """

    def __init__(self, reading: Reading, text: str | bytes | None) -> None:
        self.reading = reading
        self.root: Mapping[str, Any] = reading.root
        self.dialect = reading.dialect.name
        self.title = line(text_in(object_in(reading.root, "info"), "title"), 200)
        self._text = text
        self._problems: Sequence[Problem] | None = None

    @classmethod
    def parse(
        cls,
        data: str | bytes | Path | Mapping[str, Any],
        *,
        origin: str | None = None,
        retrieve: Retrieve | None = None,
        strict: bool = False,
        limits: ReadLimits | None = None,
    ) -> Document:
        """A description from its text, bytes, file, or parsed JSON; the dialect is found out.

        `origin` is the URL that the description came from: relative references start there and are asked of
        `retrieve`. `strict` reads everything at once and refuses what loses a part; otherwise that part is left out
        and stands in `problems`.

        Raises: DescriptionError, with pointer or line where they are known.
        """
        limits = limits or ReadLimits()
        deadline = Deadline(limits.seconds)
        folder = Folder(data, limits) if isinstance(data, Path) else None
        text = read_file(data, limits) if isinstance(data, Path) else data
        root = (
            text
            if isinstance(text, Mapping)
            else load_text(text, limits, deadline, json_only=isinstance(data, Path) and data.suffix == ".json")
        )
        dialect = dialect_of(root)
        problems = Problems(strict=strict)
        base = folder.address if folder is not None else origin or ""
        if dialect.self_named and isinstance(named := root.get("$self"), str):
            base = urljoin(base, named)
        documents = _Documents(folder, retrieve, limits, deadline)
        references = References(
            root, base, documents.load, problems,
            show=str if folder is None else folder.shown, identifies=dialect.modern,
        )  # fmt: skip
        schemas = Schemas(
            references, problems, components=dialect.components, modern=dialect.modern,
            directed=folder is not None or retrieve is not None or _directed(text),
        )  # fmt: skip
        reading = Reading(
            root={**root}, dialect=dialect, references=references, schemas=schemas,
            problems=problems, limits=limits, deadline=deadline,
        )  # fmt: skip
        _check(reading)
        document = cls(reading, None if isinstance(text, Mapping) else text)
        if strict:
            document.read_all()
        return document

    @property
    def problems(self) -> Sequence[Problem]:
        """Every problem, in the order found, with lines where the text is at hand. Reads what was not read yet."""
        if self._problems is None:
            self.read_all()
            self._problems = self._with_lines(self.reading.problems.found)
        return self._problems

    def read_all(self) -> None:
        """Reads every operation and every schema that it reaches. Raises: DescriptionError, as `parse` does."""
        operations_of(self.reading)
        schemas = self.reading.schemas
        read = 0
        while read < len(schemas):
            names = [*schemas]
            for name in names[read:]:
                _ = schemas[name]
            read = len(names)
            self.reading.deadline.check()

    def _with_lines(self, found: Sequence[Problem]) -> Sequence[Problem]:
        text = self._text.decode("utf-8-sig", "replace") if isinstance(self._text, bytes) else self._text
        inside = [each for each in found if "#" not in each.pointer.partition("/")[0]]
        if text is None or not inside:
            return tuple(found)
        lines = lines_of(text, {each.pointer for each in inside})
        return tuple(replace(each, line=lines.get(each.pointer)) for each in found)


class _Documents:
    """What references may load: files of the entry's folder, and what the host retrieves."""

    def __init__(
        self, folder: Folder | None, retrieve: Retrieve | None, limits: ReadLimits, deadline: Deadline
    ) -> None:
        self._folder = folder
        self._retrieve = retrieve
        self._limits = limits
        self._deadline = deadline

    def load(self, address: str) -> Any:
        """The document at an address. Raises: DescriptionError, also for an address that is not to be loaded."""
        self._deadline.check()
        if self._folder is not None and address.startswith("file:"):
            return load_text(self._folder.read(address), self._limits, self._deadline)
        if not address.startswith(("http:", "https:")):
            raise DescriptionError(
                "only files of its own folder are read; give the description as a path, or its origin"
            )
        if self._retrieve is None:
            raise DescriptionError("nothing is fetched for a reference; pass 'retrieve' to allow it")
        data = self._retrieve(address)
        return data if isinstance(data, Mapping) else load_text(data, self._limits, self._deadline)


def _directed(text: str | bytes | Mapping[str, Any]) -> bool:
    """Whether any member may be for one direction only; parsed JSON is not searched for it."""
    if isinstance(text, bytes):
        return b"readOnly" in text or b"writeOnly" in text or text[:2] in (b"\xff\xfe", b"\xfe\xff")
    return not isinstance(text, str) or "readOnly" in text or "writeOnly" in text


def _check(reading: Reading) -> None:
    """Reports what a description has to have at its root and does not."""
    info = reading.root.get("info")
    if not is_object(info) or not text_in(info, "title"):
        reading.note((None, "info"), "the description has no title", "read without one")
    if "paths" not in reading.root and not reading.root.keys() & {"webhooks", "components"}:
        reading.error((None, "paths"), "the description has no 'paths'", "there is no operation to read")
