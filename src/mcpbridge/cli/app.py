"""The commands and their options. What a command does is loaded when it runs, so each pays for its own imports."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Annotated, Any

import typer

from mcpbridge.cli.outcome import DONE, ended

app = typer.Typer(
    name="mcpbridge",
    help="REST APIs and MCP servers as MCP tools, with approval.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

TARGET = Annotated[
    str,
    typer.Argument(
        help="A description (file or URL), an MCP server (http://…/mcp), 'stdio:COMMAND …', or a configuration file.",
        show_default=False,
    ),
]
BASE_URL = Annotated[
    str | None, typer.Option("--base-url", help="Where the API is, instead of the description's first server.")
]
HEADER = Annotated[
    list[str] | None,
    typer.Option("--header", help="'Name: value' on every request; ${VAR} comes from the environment. Repeatable."),
]
JSON = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def _version(*, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - the import budget: only --version needs it

        typer.echo(f"mcpbridge {version('mcpbridge')}")
        raise typer.Exit


@app.callback()
def _everywhere(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=lambda value: _version(wanted=value), is_eager=True, help="The version."),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    ] = False,
) -> None:
    """REST APIs and MCP servers as MCP tools, with approval."""


@app.command()
def demo(*, once: Annotated[bool, typer.Option("--once", help="End after the show, without serving.")] = False) -> None:
    """A bookshop's REST API becomes tools: the listing, a call, an approval; then served over MCP."""
    _end(lambda: _run("mcpbridge.demo.show", "show", once=once))


@app.command()
def serve(
    target: TARGET,
    *,
    http: Annotated[
        str | None, typer.Option("--http", help="Serve at http://HOST:PORT/mcp.", metavar="HOST:PORT")
    ] = None,
    stdio: Annotated[bool, typer.Option("--stdio", help="Serve on stdin and stdout (the default).")] = False,
    base_url: BASE_URL = None,
    name: Annotated[str | None, typer.Option("--name", help="A slug to put in front of every tool's name.")] = None,
    header: HEADER = None,
) -> None:
    """Serve a target as an MCP server; reads run, writes ask."""
    options = {"http": http, "stdio": stdio, "base_url": base_url, "slug": name, "headers": header or []}
    _end(lambda: _run("mcpbridge.cli.serve", "serve", target, **options))


@app.command()
def tools(
    target: TARGET,
    *,
    as_json: JSON = False,
    select: Annotated[
        list[str] | None,
        typer.Option("--select", help="Only these: a name pattern, or KEY:PATTERN with access, method, path or tag."),
    ] = None,
    explain: Annotated[
        str | None, typer.Option("--explain", help="One tool: where its arguments go, and who sees it.", metavar="NAME")
    ] = None,
    header: HEADER = None,
) -> None:
    """List the tools of a target."""
    options = {"as_json": as_json, "select": select or [], "explain": explain, "headers": header or []}
    _end(lambda: _run("mcpbridge.cli.tools", "tools", target, **options))


@app.command()
def call(
    target: TARGET,
    tool: Annotated[str, typer.Argument(help="The tool's name.", show_default=False)],
    *,
    args: Annotated[str, typer.Option("--args", help="The arguments, as a JSON object.", metavar="JSON")] = "{}",
    base_url: BASE_URL = None,
    header: HEADER = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the masked request as curl; send nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Approve a write.")] = False,
    as_json: JSON = False,
) -> None:
    """Call one tool of a target."""
    options = {
        "arguments": args,
        "base_url": base_url,
        "headers": header or [],
        "dry_run": dry_run,
        "yes": yes,
        "as_json": as_json,
    }
    _end(lambda: _run("mcpbridge.cli.call", "call", target, tool, **options))


@app.command()
def lint(
    target: Annotated[
        str, typer.Argument(help="What 'tools' takes, or a JSON file that lists tools.", show_default=False)
    ],
    *,
    as_json: JSON = False,
    statistics: Annotated[bool, typer.Option("--statistics", help="Count by rule instead of listing.")] = False,
    select: Annotated[
        list[str] | None, typer.Option("--select", help="Only rules whose codes begin so: MB1,MB501. Repeatable.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option("--ignore", help="Not these rules, by the beginnings of codes. Repeatable.")
    ] = None,
    config: Annotated[
        str | None, typer.Option("--config", help="A pyproject.toml, instead of the nearest one.", metavar="FILE")
    ] = None,
    header: HEADER = None,
) -> None:
    """Show what is wrong with tools, and with the description they come from; exit 1 when there is an error."""
    options = {
        "as_json": as_json,
        "statistics": statistics,
        "select": select or [],
        "ignore": ignore or [],
        "config": config,
        "headers": header or [],
    }
    _end(lambda: _run("mcpbridge.cli.lint", "lint", target, **options))


@app.command()
def diff(
    old: Annotated[
        str, typer.Argument(help="What callers know: a target, or a JSON file of tools.", show_default=False)
    ],
    new: Annotated[str, typer.Argument(help="What replaces it: the same.", show_default=False)],
    *,
    as_json: JSON = False,
) -> None:
    """Show what changed tools mean for those who call them; exit 1 when something breaks."""
    _end(lambda: _run("mcpbridge.cli.diff", "diff", old, new, as_json=as_json))


CONFIG = Annotated[str, typer.Argument(help="A configuration file.", show_default=False)]


@app.command()
def status(config: CONFIG, *, as_json: JSON = False) -> None:
    """Connect to each integration of a configuration, and show how it is."""
    _end(lambda: _run("mcpbridge.cli.status", "status", config, as_json=as_json))


@app.command()
def validate(target: TARGET, *, as_json: JSON = False, header: HEADER = None) -> None:
    """Check a target in steps, from its address to a call; exit 1 when a step fails."""
    _end(lambda: _run("mcpbridge.cli.validate", "validate", target, as_json=as_json, headers=header or []))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a configuration file, for editors."""
    _end(lambda: _run("mcpbridge.cli.schema", "schema"))


def _run(module: str, function: str, *arguments: object, **options: object) -> int:
    act: Callable[..., Coroutine[Any, Any, int]] = getattr(import_module(module), function)
    with asyncio.Runner(loop_factory=_fast_loop() if options.get("http") else None) as runner:
        return runner.run(act(*arguments, **options))


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of the extra `fast`, where it is installed; it is worth its import for a server that many call."""
    try:
        loop: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ModuleNotFoundError:
        return None
    return loop


def _end(act: Callable[[], int]) -> None:
    code = ended(act)
    if code != DONE:
        raise typer.Exit(code)


def main() -> None:
    """The entry point of the command `mcpbridge`.

    The collector of cycles rests until a server begins to serve: loading makes many objects, that all stay.
    """
    gc.disable()
    app(prog_name="mcpbridge")
