"""Rules that the source code keeps, checked on its syntax tree."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src/mcpbridge"
TREES = {path.relative_to(PACKAGE): ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}

SENSITIVE = re.compile(
    r"(?:^|_)(?:secret|digest|hexdigest|signature|hmac|nonce|password|passphrase|token|seal|state_key)s?$",
    re.IGNORECASE,
)
"""Names whose values an attacker must not be able to guess by timing."""

FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "yaml.load",
    "yaml.unsafe_load",
    "yaml.full_load",
    "os.system",
    "os.popen",
    "asyncio.create_subprocess_shell",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
}
FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill"}


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _name(node.func)
    if isinstance(node, ast.Subscript):
        return _literal(node.slice)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _timed(tree: ast.AST) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops)
        and not any(isinstance(side, ast.Constant) for side in (node.left, *node.comparators))
        and any(SENSITIVE.search(_name(side)) for side in (node.left, *node.comparators))
    ]


@pytest.mark.req("ATK-67")
def test_secrets_digests_and_signatures_are_compared_in_constant_time() -> None:
    offending = {str(path): lines for path, tree in TREES.items() if (lines := _timed(tree))}

    assert not offending


@pytest.mark.req("ATK-67")
@pytest.mark.parametrize("text", ["a.digest == b", "state['token'] != given", "hmac.new(k).hexdigest() == signature"])
def test_the_rule_sees_a_comparison_that_leaks_by_timing(text: str) -> None:
    assert _timed(ast.parse(text))


@pytest.mark.req("ATK-69")
def test_nothing_is_evaluated_unpickled_or_run_through_a_shell() -> None:
    offending = [
        f"{path}:{node.lineno} {ast.unparse(node)[:60]}"
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in FORBIDDEN_CALLS
            or any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords)
        )
    ]

    assert not offending


@pytest.mark.req("ATK-69")
def test_no_module_that_runs_what_it_reads_is_imported() -> None:
    imported = {
        (str(path), name.partition(".")[0])
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert not [pair for pair in imported if pair[1] in FORBIDDEN_MODULES]


@pytest.mark.req("ATK-69")
def test_no_rule_of_ruff_about_security_is_ignored_without_a_reason() -> None:
    lines = [
        (path, line)
        for path in PACKAGE.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"noqa:.*\bS\d", line)
    ]
    silent = [f"{path.name}: {line.strip()}" for path, line in lines if not re.search(r"noqa: [A-Z0-9, ]+ -+ \w", line)]
    settings = tomllib.loads((PACKAGE.parents[1] / "pyproject.toml").read_text("utf-8"))["tool"]["ruff"]["lint"]

    assert not silent
    assert "S" in settings["select"]
    assert not [rule for rule in settings["ignore"] if re.match(r"S\d*$", rule)]
    ours = [rules for place, rules in settings["per-file-ignores"].items() if place.startswith("src")]
    assert not [rule for rules in ours for rule in rules if re.match(r"S\d*$", rule)]
