"""`docs/promises.md` and the tests name the same promises."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
PROMISES = TESTS.parent / "docs/promises.md"
ID = re.compile(r"[A-Z]{2,5}-\d{2}")
ROW = re.compile(rf"^\| ({ID.pattern}) \| (.+) \|$", re.MULTILINE)


def _promised() -> list[str]:
    return [match[1] for match in ROW.finditer(PROMISES.read_text("utf-8"))]


def _marks(tree: ast.AST) -> set[str]:
    return {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req"
        for argument in node.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    }


def _tested() -> set[str]:
    return {name for path in TESTS.rglob("*.py") for name in _marks(ast.parse(path.read_text("utf-8")))}


def test_every_promise_has_a_test() -> None:
    assert not set(_promised()) - _tested()


def test_every_id_that_a_test_names_is_promised() -> None:
    assert not _tested() - set(_promised())


def test_ids_are_well_formed_and_told_once_in_order() -> None:
    promised = _promised()

    assert len(set(promised)) == len(promised)
    assert all(ID.fullmatch(name) for name in _tested())


def test_every_line_of_the_table_is_read() -> None:
    lines = [line for line in PROMISES.read_text("utf-8").splitlines() if line.startswith("| ") and "-" in line[:9]]

    assert len(lines) == len(_promised())
