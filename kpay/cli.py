"""The entry point: it answers help, version and completion itself, and imports one command at a time.

`kpay --help` costs about what starting Python costs, because the tree of commands is data
(kpay.registry) and typer is imported only when a command is run. One error boundary is here.
"""

from __future__ import annotations

import gc
import os
import sys

from kpay import __version__
from kpay.registry import BY_NAME, ENTRIES, EVERYWHERE_HELP, PANELS, Entry

INTERRUPTED = 130
HELP_WORDS = ("--help", "-h", "help")
NEW_OBJECTS_A_COLLECTION = 100_000


def main() -> None:
    """Run the command line of this process and exit with its code.

    Python's own pace of looking for garbage in cycles, every 700 new objects, takes a fifth of a
    long sync or import, which make hundreds of thousands of objects and hardly a cycle.
    """
    gc.set_threshold(NEW_OBJECTS_A_COLLECTION, 20, 50)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        from kpay.boundary import forget_stdout

        forget_stdout()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run one command line and return the exit code; nothing is raised."""
    if "_KPAY_COMPLETE" in os.environ:
        from kpay.completion import answer

        return 0 if answer(os.environ) else _complete_options()
    if not arguments or (arguments[0] in HELP_WORDS and len(arguments) == 1):
        return _print(root_help())
    if arguments[0] in ("--version", "-V"):
        return _print(f"kpay {__version__}\n")
    return _run_command(arguments)


def _print(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:  # `kpay --help | head -1` has what it wanted
        from kpay.boundary import forget_stdout

        forget_stdout()
    return 0


def root_help() -> str:
    """Return the help of `kpay` itself."""
    lines = [
        "Usage: kpay COMMAND [OPTIONS]",
        "",
        "Publish, sell, learn, mail, measure and forecast: a paid-content business on your machine.",
        "",
        "Examples:",
        "  kpay demo                    watch a whole business day, offline",
        "  kpay init my-business        start your own",
        "  kpay COMMAND --help          what a command does, with examples",
    ]
    for panel in PANELS:
        entries = [entry for entry in ENTRIES if entry.panel == panel]
        if entries:
            lines += ["", f"{panel}:"]
            lines += [f"  {entry.name:<12} {entry.help}" for entry in entries]
    lines += ["", "Everywhere:"]
    lines += [f"  {flag:<15} {text}" for flag, text in EVERYWHERE_HELP]
    lines += ["  --version, -V   Show the version.", ""]
    return "\n".join(lines) + "\n"


def _run_command(arguments: list[str]) -> int:
    from kpay.boundary import guarded
    from kpay.manners import adopt, split_flags

    try:
        chosen, rest = split_flags(arguments)
    except ValueError as error:
        return _usage(str(error), "kpay --help")
    adopt(chosen)
    if chosen.verbose:
        from kpay.log import speak

        speak()
    return guarded(lambda: _dispatch(rest))


def _dispatch(words: list[str]) -> int:
    if not words or words == ["--help"]:
        return _print(root_help())
    if words[0] == "help":
        words = [*words[1:], "--help"]
    entry = BY_NAME.get(words[0])
    if entry is None:
        from kpay.registry import similar

        meant = similar(words[0])
        guess = f"; did you mean {meant!r}?" if meant else ""
        return _usage(f"there is no command {words[0]!r}{guess}", f"kpay {meant or '--help'}")
    return _invoke(entry, words[1:])


def _invoke(entry: Entry, words: list[str]) -> int:
    """Import one command and run it: the only import by name in kpay."""
    if not sys.stdout.isatty():
        os.environ.setdefault("TYPER_USE_RICH", "0")  # plain help, and rich is not imported for it
    # Small models crawl when the libraries' threads spin against each other on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    import importlib

    import typer.main

    module = importlib.import_module(entry.target)
    command = typer.main.get_command(module.app)
    streams = sys.stdout, sys.stderr
    try:
        answer = command.main(
            args=[("--help" if word == "-h" else word) for word in words],
            prog_name=f"kpay {entry.name}",
            standalone_mode=False,
        )
    except SystemExit as stop:  # how typer leaves when nobody reads what is written
        sys.stdout, sys.stderr = streams
        raise BrokenPipeError from stop
    if answer == INTERRUPTED:  # typer swallows Ctrl-C; the boundary has a sentence for it
        raise KeyboardInterrupt
    return answer if isinstance(answer, int) else 0


def _complete_options() -> int:
    """Let typer offer the options of the one command that is being typed."""
    from kpay.completion import typed_words

    entry = BY_NAME.get(next(iter(typed_words(os.environ)), ""))
    if entry is None:
        return 0
    import importlib

    import typer.main
    from typer._completion_classes import completion_init
    from typer.core import TyperGroup

    completion_init()
    command = typer.main.get_command(importlib.import_module(entry.target).app)
    root = TyperGroup(name="kpay", commands={entry.name: command})
    root.main(args=[], prog_name="kpay", complete_var="_KPAY_COMPLETE")
    return 0


def _usage(message: str, hint: str) -> int:
    from kpay.boundary import guarded
    from kpay.errors import UsageProblem

    def refuse() -> int:
        raise UsageProblem(message, hint)

    return guarded(refuse)


if __name__ == "__main__":
    main()
