"""What commands share: options that mean the same everywhere, and examples in help."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from kpay.domain.enums import PageFormat
from kpay.registry import EVERYWHERE_HELP

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer yes to the question.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do everything up to the last step.")]
Since = Annotated[str | None, typer.Option("--since", metavar="DAY", help="From this day on.")]
Until = Annotated[
    str | None, typer.Option("--until", metavar="DAY", help="Up to this day, included.")
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DAY", help="As known at the end of this day.")
]
Out = Annotated[
    str | None, typer.Option("--out", metavar="FILE", help="Write to a file instead of stdout.")
]
Target = Annotated[
    str,
    typer.Option("--target", metavar="WHAT", help="purchase, content:SLUG, renewal or refund."),
]
Learned = Annotated[
    str,
    typer.Option(
        "--target", metavar="WHAT", help="purchase, content:SLUG, renewal, refund or uplift."
    ),
]
Format = Annotated[PageFormat | None, typer.Option("--format", help="How to write the answer.")]


class ExamplesFirst(TyperCommand):
    """A command whose help shows its examples before its options."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the first block of the epilog, then the options."""
        _write_block(formatter, self._blocks()[0])
        super().format_options(ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write what is left of the epilog."""
        _write_block(formatter, self._blocks()[2])

    def _blocks(self) -> tuple[str, str, str]:
        return inspect.cleandoc(self.epilog or "").partition("\n\n")


def _write_block(formatter: Any, text: str) -> None:
    if text:
        formatter.write_paragraph()
        formatter.write_text(text)


class CommandApp(typer.Typer):
    """A typer application whose commands show their examples first."""

    def command(self, name: str | None = None, **options: Any) -> Any:
        """Register a command, as typer does."""
        return super().command(name, **{"cls": ExamplesFirst, **options})


def app(help_text: str = "") -> typer.Typer:
    """Return the typer application of one top-level command."""
    return CommandApp(
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help=help_text or None,
        no_args_is_help=bool(help_text),
    )


def examples(*lines: str) -> str:
    """Return the epilog of a command: its examples, then the flags that work everywhere.

    A form feed keeps typer from wrapping a block of lines into a paragraph.
    """
    shown = "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])
    flags = "\n".join(
        ["\b", "Everywhere:", *(f"  {flag:<15} {text}" for flag, text in EVERYWHERE_HELP)]
    )
    return f"{shown}\n\n{flags}"
