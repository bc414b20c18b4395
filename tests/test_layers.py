"""Imports go down the layers of the design, without a circle, and stand at the top of their files."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "src/mcpbridge"

LAYERS: Mapping[str, int] = {
    "errors": 0,
    "secret": 0,
    "tools": 0,
    "source": 0,
    "openapi": 1,
    "compare": 1,
    "dialects": 1,
    "linting": 1,
    "net": 2,
    "auth": 2,
    "rest": 2,
    "store": 2,
    "upstream": 2,
    "vault": 2,  # OAuth seals its tokens; the vault itself stands on the store alone
    "wrap": 3,
    "policy": 3,
    "router": 3,
    "discover": 3,
    "approvals": 4,
    "integrations": 4,
    "audit": 4,
    "config": 4,
    "build": 5,
    "gateway": 5,
    "server": 5,
    "adapters": 5,
    "cli": 5,
    "demo": 5,
    "testing": 6,
    "__main__": 6,
}
"""The layer of each top-level module or package; a new one has to be placed here."""

INSIDE_FUNCTIONS: Mapping[tuple[str, str], str] = {
    ("tools", "mcp_types"): "the import budget: the converter's users need no MCP model",
    ("adapters.langchain", "langchain_core.tools"): "an optional extra",
    ("adapters.langchain", "langgraph.config"): "an optional extra",
    ("adapters.langchain", "langgraph.types"): "an optional extra",
    ("adapters.openai_agents", "agents"): "an optional extra",
    ("adapters.pydantic_ai", "pydantic_ai"): "an optional extra",
    ("adapters.pydantic_ai", "pydantic_ai.toolsets"): "an optional extra",
    ("integrations.oauth", "mcpbridge.auth.oauth.code"): "an optional extra: only logins need a store, and SQLAlchemy",
    ("openapi.bodies", "mcpbridge.openapi.xmlhints"): "the import budget: few descriptions have XML bodies",
    (
        "openapi.lines",
        "mcpbridge.openapi.yamllines",
    ): "the import budget: only a YAML description with a problem needs its lines",
    ("openapi.patterns", "jsonschema_rs"): "the import budget: only a pattern that is in doubt is tried on the engine",
    (
        "openapi.references",
        "mcpbridge.openapi.identifiers",
    ): "the import budget: only a reference that is no plain pointer needs it",
    ("openapi.text", "mcpbridge.openapi.yaml12"): "the import budget: a JSON description needs no YAML",
    ("openapi.text", "orjson"): "an optional extra",
    ("store.open", "mcpbridge.store.sqlite"): "an optional extra: SQLAlchemy and aiosqlite",
    ("store.open", "mcpbridge.store.postgres"): "an optional extra: SQLAlchemy and asyncpg",
    ("store.open", "mcpbridge.store.store"): "an optional extra: SQLAlchemy",
    ("cli.app", "importlib.metadata"): "the import budget: only --version needs it",
    ("cli.fetch", "mcpbridge.net.fetch"): "the import budget: listing a file's tools needs no HTTP client",
    ("cli.serve", "mcpbridge.cli.serving"): "memory: a description is read before the server is loaded",
    ("cli.opening", "mcpbridge.gateway.filed"): "the import budget: a description needs no records",
    ("cli.opening", "mcpbridge.wrap.approve"): "the import budget: listing asks nobody",
    ("cli.opening", "mcp"): "the import budget: only a child process needs its parameters",
    ("cli.opening", "mcpbridge.net.guard"): "the import budget: listing needs no HTTP client",
    ("cli.opening", "mcpbridge.rest"): "the import budget: listing needs no HTTP client",
    ("cli.opening", "mcpbridge.upstream.source"): "the import budget: a description needs no MCP client",
    ("cli.opening", "rich.console"): "the import budget: most servers are watched by nobody",
    ("gateway.filed", "mcpbridge.integrations.registry"): "an optional extra: SQLAlchemy",
    ("gateway.filed", "mcpbridge.vault.vault"): "an optional extra: SQLAlchemy",
    ("gateway.judging", "jsonschema_path"): "0.9 seconds, with openapi-core: only test_call judges answers",
    ("gateway.judging", "openapi_core"): "0.9 seconds: only test_call judges answers",
    ("gateway.judging", "openapi_core.datatypes"): "as above",
    ("gateway.sources", "mcpbridge.auth.oauth.code"): "an optional extra: SQLAlchemy",
    ("gateway.sources", "mcpbridge.auth.oauth.links"): "an optional extra: SQLAlchemy",
    ("gateway.gateway", "mcpbridge.gateway.loading"): "an optional extra: a gateway of records alone needs no store",
    ("wrap.retry_attempts", "tenacity"): "a call that goes well needs none of it, and most programs see no failure",
    ("cli.tools", "mcpbridge.cli.explain"): "the import budget: a listing needs no gateway",
    ("cli.tools", "mcpbridge.cli.table"): "the import budget: --json needs no table",
    ("vault.providers", "keyring"): "an optional extra",
    ("vault.providers", "keyring.errors"): "an optional extra",
}
"""Imports inside functions that are allowed, each with its reason."""

MODULE_LINES = 300
LONGER: Mapping[str, int] = {
    "": 500,  # the list of public names
    "openapi.keywords": 350,  # one table of rules, a short function for each keyword
    "openapi.operations": 350,  # all that an operation inherits is settled in one place
}
"""Modules that may be longer, and how long."""

FUNCTION_LINES = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    importer: str
    target: str
    inside: bool

    @property
    def ours(self) -> bool:
        return self.target == "mcpbridge" or self.target.startswith("mcpbridge.")


def _modules() -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = path
    return found


MODULES = _modules()
TREES = {name: ast.parse(path.read_text("utf-8")) for name, path in MODULES.items()}


def _nodes(node: ast.AST, *, inside: bool = False) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, inside
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield from _nodes(other, inside=inside)
        else:
            yield from _nodes(child, inside=inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef))


def _targets(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    assert node.level == 0, f"line {node.lineno}: relative imports hide the layer"
    base = node.module or ""
    for alias in node.names:
        inner = f"{base}.{alias.name}".removeprefix("mcpbridge.")
        yield f"mcpbridge.{inner}" if base.startswith("mcpbridge") and inner in MODULES else base


def _imports() -> list[Import]:
    return [
        Import(importer=name, target=target, inside=inside)
        for name, tree in TREES.items()
        for node, inside in _nodes(tree)
        for target in _targets(node)
    ]


IMPORTS = _imports()


def _module_of(target: str) -> str:
    return target.removeprefix("mcpbridge").removeprefix(".")


def _layer(module: str) -> int:
    return LAYERS[module.partition(".")[0]]


def test_every_module_has_a_layer() -> None:
    unplaced = {name.partition(".")[0] for name in MODULES if name} - LAYERS.keys()

    assert not unplaced


def test_imports_go_down_the_layers() -> None:
    upward = [
        f"{edge.importer} (layer {_layer(edge.importer)}) imports {edge.target}"
        for edge in IMPORTS
        if edge.ours
        and edge.importer
        and (not _module_of(edge.target) or _layer(_module_of(edge.target)) > _layer(edge.importer))
    ]

    assert not upward


def test_imports_have_no_circle() -> None:
    below: dict[str, set[str]] = {name: set() for name in MODULES}
    for edge in IMPORTS:
        if edge.ours:
            below[edge.importer].add(_module_of(edge.target))
    while leaves := {name for name, targets in below.items() if not targets & below.keys() - {name}}:
        for name in leaves:
            del below[name]

    assert not below


def test_imports_inside_functions_are_argued_one_by_one() -> None:
    inside = {(edge.importer, edge.target) for edge in IMPORTS if edge.inside}

    assert inside == INSIDE_FUNCTIONS.keys()


def test_no_module_grows_past_its_limit() -> None:
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in MODULES.items()}

    assert not {name: count for name, count in lines.items() if count > LONGER.get(name, MODULE_LINES)}


def test_no_function_grows_past_its_limit() -> None:
    long = [
        f"{name}.{node.name}: {lines} lines"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES
    ]

    assert not long
