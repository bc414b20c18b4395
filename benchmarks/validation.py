"""P7: argument validation against a cached `jsonschema`, and the official suite of JSON Schema 2020-12."""

from __future__ import annotations

import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs

from mcpbridge.wrap.compiled import UnusableSchema, compile_schema

FLAT = {
    "type": "object",
    "required": ["owner"],
    "properties": {"owner": {"type": "string"}, "page": {"type": "integer"}},
}
TYPED = {
    "type": "object",
    "additionalProperties": False,
    "required": ["state", "labels", "assignee"],
    "properties": {
        "state": {"enum": ["open", "closed", "all"]},
        "labels": {
            "type": "array",
            "maxItems": 20,
            "items": {"type": "string", "minLength": 1, "pattern": "^[a-z-]+$"},
        },
        "assignee": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    },
}
NESTED = {
    "type": "object",
    "properties": {"tree": {"$ref": "#/$defs/node"}},
    "$defs": {
        "node": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
        }
    },
}
CASES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (FLAT, {"owner": "octocat", "page": 2}),
    (TYPED, {"state": "open", "labels": ["bug", "help-wanted"], "assignee": None, "limit": 50}),
    (NESTED, {"tree": {"name": "a", "children": [{"name": "b"}, {"name": "c", "children": [{"name": "d"}]}]}}),
)


def ours() -> float:
    return sum(_each(compile_schema(schema).validator.is_valid, value) for schema, value in CASES)


def theirs() -> float:
    return sum(_each(jsonschema.Draft202012Validator(schema).is_valid, value) for schema, value in CASES)


def _each(check: Callable[[Any], bool], value: Any, times: int = 2000) -> float:
    assert check(value)
    begin = time.perf_counter()
    for _ in range(times):
        check(value)
    return (time.perf_counter() - begin) / times


def official_suite(archive: Path) -> tuple[int, int]:
    """How many required cases come out right, and how many there are, in jsonschema's source package."""
    with tarfile.open(archive) as files:
        texts = {name.partition("/json/")[2]: _read(files, name) for name in files.getnames() if name.endswith(".json")}
    remotes = {
        f"http://localhost:1234/{name.removeprefix('remotes/')}": schema
        for name, schema in texts.items()
        if name.startswith("remotes/")
    }
    right = total = 0
    for name, groups in texts.items():
        if Path(name).parent.as_posix() != "tests/draft2020-12":
            continue
        for group in groups:
            check = _checker(group["schema"], remotes)
            for case in group["tests"]:
                total += 1
                right += check(case["data"]) is case["valid"]
    return right, total


def _checker(schema: Any, remotes: dict[str, Any]) -> Callable[[Any], bool]:
    """Our validator; for a schema that refers elsewhere, which ours refuses, the same engine with that at hand."""
    try:
        return (
            compile_schema(schema).validator.is_valid
            if isinstance(schema, dict)
            else jsonschema_rs.validator_for(schema).is_valid
        )
    except UnusableSchema:
        return jsonschema_rs.validator_for(schema, retriever=remotes.__getitem__).is_valid


def _read(files: tarfile.TarFile, name: str) -> Any:
    member = files.extractfile(name)
    return json.loads(member.read()) if member else None
