"""`kpay completion`: the script that makes the shell complete kpay's command lines."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kpay.commands.options import app as new_app
from kpay.commands.options import examples

app = new_app()


class Shell(StrEnum):
    """The shells that can complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command(
    epilog=examples(
        'eval "$(kpay completion bash)"          # in ~/.bashrc',
        'eval "$(kpay completion zsh)"           # in ~/.zshrc, after compinit',
        "kpay completion fish > ~/.config/fish/completions/kpay.fish",
    )
)
def completion(shell: Annotated[Shell, typer.Argument(help="Which shell.")]) -> None:
    """Print the completion script of a shell."""
    from typer._completion_shared import get_completion_script

    from kpay.domain.document import done
    from kpay.manners import manners
    from kpay.presentation import show, write_text

    script = get_completion_script(
        prog_name="kpay", complete_var="_KPAY_COMPLETE", shell=shell.value
    )
    if manners().as_json:
        show(done("kpay.completion/1", shell.value, {"shell": shell.value, "script": script}))
        return
    write_text(script + "\n")
