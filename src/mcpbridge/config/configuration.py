"""`Configuration`: what a file says, read and checked as a whole. Nothing is opened for it but the file and secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast, get_args

from mcpbridge.config.manifest import fields_of, is_manifest
from mcpbridge.config.references import References, Secrets, marked
from mcpbridge.errors import ConfigError, DescriptionError
from mcpbridge.integrations.errors import InvalidRecord
from mcpbridge.integrations.record import Integration
from mcpbridge.net.guard import Guard
from mcpbridge.openapi.closest import closest
from mcpbridge.openapi.jsontext import is_list, is_object
from mcpbridge.openapi.limits import Deadline, ReadLimits
from mcpbridge.openapi.text import load_text
from mcpbridge.secret import Secret
from mcpbridge.tools import Json

PolicyName: TypeAlias = Literal["reads_run_writes_ask", "ask_always", "read_only"]

KEYS = ("vault", "store", "policy", "allowed", "integrations")
_LIMITS = ReadLimits(bytes=16 * 1024 * 1024, seconds=10.0)
_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Configuration:
    """What a file says.

    integrations   the operator's own
    store          the store's URL, None where nothing is kept
    vault          references to the vault's keys, newest first
    policy         the gateway's policy, by its name
    allowed        hosts and networks where records that people made may lead, besides public addresses
    """

    integrations: Sequence[Integration] = ()
    store: Secret | None = None
    vault: Sequence[str] = ()
    policy: PolicyName = "reads_run_writes_ask"
    allowed: Sequence[str] = ()


def read_configuration(
    path: Path, *, environment: Mapping[str, str] | None = None, secrets: Secrets | None = None
) -> Configuration:
    """The configuration of a file in YAML or JSON: one of ours, or `MCPServer` manifests, several in one file.

    `environment` fills in `${NAME}` and `${NAME:-default}`, `secrets` what `secret://…` refers to. A path of a
    description starts at the file's folder.

    Raises: ConfigError with the file, the place in it and what was meant, for all problems at once; it shows no value.
    """
    references = References(os.environ if environment is None else environment, secrets)
    try:
        return _Reading(path, references).read()
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


class _Reading:
    def __init__(self, path: Path, references: References) -> None:
        self._path = path
        self._references = references
        self._problems = references.problems
        self._records: list[Integration] = []

    def read(self) -> Configuration:
        documents = [*_documents(self._path)]
        settings: dict[str, Json] = {}
        for number, document in enumerate(documents):
            where = f"document {number + 1}: " if len(documents) > 1 else ""
            if is_manifest(document):
                self._manifest(document, where)
            elif not is_object(document):
                self._problems.append(f"{where}must be an object with {', '.join(KEYS)}")
            elif settings:
                self._problems.append(f"{where}only one document may be none of kind MCPServer")
            else:
                settings = self._settings(document)
        found = self._configuration(settings)
        if self._problems:
            raise ConfigError("; ".join(self._problems))
        return found

    def _manifest(self, document: Mapping[str, Json], where: str) -> None:
        try:
            fields = fields_of(document)
        except ConfigError as error:
            self._problems.append(f"{where}{error}")
            return
        self._record(fields, [f"{where}{fields['name']}"])

    def _settings(self, document: Mapping[str, Json]) -> dict[str, Json]:
        for key in document:
            if key not in KEYS:
                self._problems.append(f"{key}: is no key of a configuration{_meant(key)}")
        listed: Json = document.get("integrations", [])
        if not is_list(listed):
            self._problems.append("integrations: must be a list of integrations")
            listed = []
        for index, each in enumerate(listed):
            place = f"integrations.{index}"
            if is_object(each):
                self._record(dict(each), [place])
            else:
                self._problems.append(f"{place}: must be an object with the fields of an integration")
        rest = {name: value for name, value in document.items() if name in KEYS and name != "integrations"}
        return {name: self._references.filled(value, [name]) for name, value in rest.items()}

    def _record(self, fields: dict[str, Any], place: Sequence[str]) -> None:
        known = len(self._problems)
        values: dict[str, Any] = self._references.filled(fields, place)
        if len(self._problems) > known:
            return
        description = values.get("openapi")
        if isinstance(description, str) and not description.startswith(("http://", "https://")):
            values["openapi"] = str((self._path.parent / description).resolve())
        try:
            record = Integration(**values)
        except InvalidRecord as error:
            name = f"{place[0]} ({str(values.get('name'))[:64]})" if "name" in values else place[0]
            self._problems += [f"{name}: {problem.line()}" for problem in error.problems]
            return
        if record.name in {each.name for each in self._records}:
            self._problems.append(f"{place[0]}: {record.name!r} is there twice: give each integration its own name")
        self._records.append(record)

    def _configuration(self, settings: Mapping[str, Json]) -> Configuration:
        store, policy = settings.get("store"), settings.get("policy", "reads_run_writes_ask")
        if store is not None and not isinstance(store, str):
            self._problems.append("store: must be a URL, such as sqlite:///gateway.db")
        if policy not in get_args(PolicyName):
            self._problems.append(f"policy: must be one of {', '.join(get_args(PolicyName))}")
        vault: Json = settings.get("vault") or {}
        if not is_object(vault) or [*vault] not in ([], ["keys"]):
            self._problems.append("vault: must be an object with keys, such as {keys: [env:MCPBRIDGE_KEY]}")
            vault = {}
        keys, allowed = self._texts(vault.get("keys"), "vault.keys"), self._texts(settings.get("allowed"), "allowed")
        if keys and store is None:
            self._problems.append("vault: has keys, and there is no store whose secrets they could seal: add store")
        self._check_allowed(allowed)
        return Configuration(
            integrations=tuple(self._records),
            store=Secret(store) if isinstance(store, str) else None,
            vault=keys,
            policy=policy,
            allowed=allowed,
        )

    def _texts(self, value: Json, place: str) -> Sequence[str]:
        if value is None:
            return ()
        if is_list(value) and all(isinstance(each, str) for each in value):
            return tuple(cast("Sequence[str]", value))
        self._problems.append(f"{place}: must be a list of texts")
        return ()

    def _check_allowed(self, allowed: Sequence[str]) -> None:
        try:
            Guard(allowed)
        except ConfigError as error:
            self._problems.append(f"allowed: {error}")


def _documents(path: Path) -> Iterator[Json]:
    """The documents of a file, those that are empty left out."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"can't be read: {why}") from None
    starts = [0, *(found.start() for found in _DOCUMENT.finditer(text)), len(text)]
    if text.lstrip().startswith("{"):
        starts = [0, len(text)]
    parts = [(start, text[start:end]) for start, end in pairwise(starts)]
    filled = [(start, part) for start, part in parts if _says(part)]
    if not filled:
        raise ConfigError(f"is empty: write an object with {', '.join(KEYS)}")
    for start, part in filled:
        padded = "\n" * text.count("\n", 0, start) + marked(part)
        try:
            yield load_text(padded, _LIMITS, Deadline(_LIMITS.seconds), json_only=path.suffix == ".json")
        except DescriptionError as error:
            raise ConfigError(str(error).replace("the description", "the file")) from None


def _says(part: str) -> bool:
    """Whether a part of a file holds more than comments."""
    lines = (line.strip() for line in part.removeprefix("---").splitlines())
    return any(line and not line.startswith("#") and line != "..." for line in lines)


def _meant(key: object) -> str:
    meant = closest(str(key), KEYS)
    return f": did you mean {meant!r}?" if meant else f"; there are: {', '.join(KEYS)}"
