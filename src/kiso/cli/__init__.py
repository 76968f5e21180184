"""The command line: one file a command, imported when that command runs.

`kiso --help` loads click and nothing else of weight.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from .. import __version__

# command -> (module, one line for --help)
_COMMANDS = {
    "compare": ("_compare", "Which method fits my data, how surely, at what cost, and why."),
    "fit": ("_fit", "Fit one model to a table and write it to a file."),
    "lab": ("_lab", "Open the models in a browser, step by step, on my own data."),
    "export": ("_export", "Write a fitted model as ONNX, for other programs."),
    "predict": ("_predict", "Predict with a fitted model for the rows of a table."),
    "reproduce": ("_reproduce", "Run the experiments: claims of the texts, checked."),
    "warm": ("_warm", "Compile all loops in advance, so that no fit waits for the compiler."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = import_module(f".{module}", __package__).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what goes wrong ends with a sentence and an exit code."""
        from ._console import ending

        with ending(show_traceback=bool(ctx.params.get("traceback"))):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; before the first one that fits, compile what it needs."""
        name, command, rest = super().resolve_command(ctx, args)
        if not ctx.resilient_parsing and not {"-h", "--help", "-q", "--quiet"} & set(rest):
            from ._warm import before

            before(name)
        return name, command, rest

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kiso")
@click.option("--traceback", is_flag=True, help="Show where in the code an error comes from.")
def main(traceback: bool) -> None:
    """kiso: machine learning from first principles at production speed."""
