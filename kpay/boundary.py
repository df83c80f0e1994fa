"""The one error boundary: every exception becomes a sentence, a next step and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable

from kpay.errors import Bug, ExitCode, InputInvalid, Interrupted, KpayError, UsageProblem
from kpay.manners import corrected_command, manners, same_command
from kpay.usage import sentence_of, where_help_is

PROBLEMS_SHOWN = 50


def guarded(action: Callable[[], int]) -> int:
    """Run an action and return its exit code, whatever happens inside it."""
    try:
        return action()
    except KpayError as error:
        report(error)
        return int(error.exit_code)
    except KeyboardInterrupt:
        report(Interrupted("interrupted; it is safe to run this again", same_command()))
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        forget_stdout()
        return int(ExitCode.DONE)
    except Exception as error:  # noqa: BLE001 - the boundary
        return _foreign(error)


def forget_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def report(error: KpayError) -> None:
    """Write an error to stderr: for programs as JSON, for people as a sentence and a next step.

    A hint that is an option ("--horizon 90d") becomes the command that was typed, with it.
    """
    if error.hint and error.hint.startswith("--"):
        error.hint = corrected_command(error.hint)
    if manners().as_json:
        sys.stderr.write(json.dumps(error.to_json(), ensure_ascii=False) + "\n")
        return
    lines = [f"{error.word}: {error.message}"]
    if isinstance(error, InputInvalid):
        lines += [f"  {problem}" for problem in error.problems[:PROBLEMS_SHOWN]]
        hidden = len(error.problems) - PROBLEMS_SHOWN
        lines += [f"  ... and {hidden} more (--json lists all)"] if hidden > 0 else []
    if error.hint:
        lines.append(f"next: {error.hint}")
    sys.stderr.write("\n".join(lines) + "\n")


def _foreign(error: Exception) -> int:
    """Handle typer's own exceptions (usage, exit, abort); anything else is a bug."""
    name = type(error).__name__
    exit_code = getattr(error, "exit_code", None)
    if name == "Exit" and isinstance(exit_code, int):
        return exit_code
    if name == "Abort":
        sys.stderr.write("stopped; nothing was changed\n")
        return int(ExitCode.INTERRUPTED)
    if name == "NoArgsIsHelpError" and not manners().as_json:
        sys.stdout.write(f"{error.format_message()}\n")  # type: ignore[attr-defined]
        return int(ExitCode.DONE)
    if hasattr(error, "format_message"):
        report(UsageProblem(sentence_of(error), where_help_is(error)))
        return int(ExitCode.USAGE)
    return _bug(error)


def _bug(error: Exception) -> int:
    from kpay.log import write_bug_report

    where = write_bug_report(error)
    if manners().debug:
        import traceback

        traceback.print_exception(error)
    report(Bug(type(error).__name__, str(where), same_command("--debug")))
    return int(ExitCode.BUG)
