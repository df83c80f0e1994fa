"""Every refusal of kpay, one class each, and the exit codes.

    KpayError
    ├── Bug ........................ 1    kpay itself is wrong; everything that no other class explains
    ├── UsageProblem ............... 2    options that do not go together
    │   └── ConfirmationNeeded ..... 2    a question, but nobody there to answer it
    ├── PartialResult .............. 3    some items failed or are uncertain; run again to go on
    ├── Refused .................... 4    not allowed in this state
    │   ├── NotFound ............... 4    no such thing
    │   └── ModelUnusable .......... 4    a trained model that must not score
    │       ├── ModelGone .......... 4    its file is not there
    │       ├── ModelDamaged ....... 4    its file is not what was written
    │       ├── ModelForeign ....... 4    it learned from another business
    │       └── ModelOutdated ...... 4    it looks at columns that this version does not have
    ├── ConditionHolds ............. 10   a condition given with --fail-if holds
    ├── InputInvalid ............... 65   the creator's files are wrong; all problems together
    ├── RemoteProblem .............. 69   a service is unreachable or refuses
    │   ├── ResourceForbidden ...... 69   the key may not read or write this
    │   └── ResourceUnsupported .... 69   the server does not know this
    ├── DiskProblem ................ 74   the disk failed or is full
    │   └── StoreCorrupt ........... 74   the store is not a healthy database
    ├── Busy ....................... 75   another kpay is at work
    ├── SettingsInvalid ............ 78   settings are missing or wrong
    │   ├── BusinessNotFound ....... 78   no kpay.toml here or above
    │   ├── StoreTooNew ............ 78   a newer kpay wrote the store
    │   └── CredentialsMissing ..... 78   a key or password is missing or refused
    └── Interrupted ................ 130  Ctrl-C; safe to run again

Any other exception that reaches the boundary becomes a Bug. A class carries its stable `code` and its
exit status, so the boundary has no switch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar


class ExitCode(IntEnum):
    """What the shell sees; the table of docs/reference/exit-codes.md."""

    DONE = 0
    BUG = 1
    USAGE = 2
    PARTIAL = 3
    REFUSED = 4
    CONDITION = 10
    INPUT = 65
    REMOTE = 69
    DISK = 74
    BUSY = 75
    SETTINGS = 78
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where (file, line, column name) and what."""

    file: str
    line: int | None
    column: str | None
    problem: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.column}:" if self.column else ""
        return f"{where}:{field} {self.problem}"

    def to_json(self) -> dict[str, Any]:
        """Return the keys of cli.md's `bad` list, with the file added."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "problem": self.problem,
        }


class KpayError(Exception):
    """A refusal that kpay can explain: one sentence, and what to type next."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    word: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints on stderr."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "hint": self.hint,
                "details": self.details,
            }
        }


class Bug(KpayError):
    """A mistake in kpay; the constructor says sorry and where the details are."""

    code = "bug"

    def __init__(self, name: str, report: str, hint: str) -> None:
        super().__init__(
            f"a bug in kpay stopped this command ({name}); sorry. The details are in {report}", hint
        )


class UsageProblem(KpayError):
    """Options that do not go together."""

    code = "usage"
    exit_code = ExitCode.USAGE


class ConfirmationNeeded(UsageProblem):
    """A question must be answered, and there is no terminal and no --yes."""

    code = "confirmation_needed"


class PartialResult(KpayError):
    """The run ended, but some items failed or are uncertain."""

    code = "partial"
    exit_code = ExitCode.PARTIAL


class Refused(KpayError):
    """Not allowed in this state."""

    code = "refused"
    exit_code = ExitCode.REFUSED


class NotFound(Refused):
    """No such content, campaign, customer or model."""

    code = "not_found"

    def __init__(self, kind: str, name: str, hint: str | None = None) -> None:
        super().__init__(f"there is no {kind} called {name!r}", hint, kind=kind, name=name)


class ModelUnusable(Refused):
    """A trained model that must not score; a new one is always a command away."""

    code = "model_unusable"

    def __init__(self, run: str, why: str) -> None:
        super().__init__(f"the model {run} {why}", "kpay train", run=run)


class ModelGone(ModelUnusable):
    """The file of a model is not there."""

    code = "model_gone"

    def __init__(self, run: str, path: str) -> None:
        super().__init__(run, f"cannot score: its file {path} is gone")


class ModelDamaged(ModelUnusable):
    """The file of a model is not the one that was written, or cannot be read."""

    code = "model_damaged"

    def __init__(self, run: str, why: str) -> None:
        super().__init__(run, f"cannot be used: its file is damaged or was changed ({why})")


class ModelForeign(ModelUnusable):
    """A model learned from another account, or its file is another model's."""

    code = "model_foreign"


class ModelOutdated(ModelUnusable):
    """A model was written by another version of kpay, which looked at other columns."""

    code = "model_outdated"


class ConditionHolds(KpayError):
    """A condition given with --fail-if holds: nothing is wrong with kpay, but somebody should look."""

    code = "condition_holds"
    exit_code = ExitCode.CONDITION
    word = "alert"


class InputInvalid(KpayError):
    """The creator's files are wrong; every problem is listed, with file and line."""

    code = "input_invalid"
    exit_code = ExitCode.INPUT

    def __init__(self, what: str, problems: Sequence[Problem], hint: str | None = None) -> None:
        count = len(problems)
        super().__init__(
            f"{what} has {count} problem{'' if count == 1 else 's'}; nothing was changed",
            hint,
            problems=[problem.to_json() for problem in problems],
        )
        self.problems = tuple(problems)


class RemoteProblem(KpayError):
    """A service is unreachable or refuses."""

    code = "remote"
    exit_code = ExitCode.REMOTE


class ResourceForbidden(RemoteProblem):
    """The key has no permission for one kind of object."""

    code = "forbidden"


class ResourceUnsupported(RemoteProblem):
    """The server does not know one kind of object, or refuses how it was asked for."""

    code = "unsupported"


class DiskProblem(KpayError):
    """The disk failed or is full; nothing was half written."""

    code = "disk"
    exit_code = ExitCode.DISK


class StoreCorrupt(DiskProblem):
    """The store is not a healthy SQLite database."""

    code = "store_corrupt"


class Busy(KpayError):
    """Another kpay is at work in this business."""

    code = "busy"
    exit_code = ExitCode.BUSY


class SettingsInvalid(KpayError):
    """Settings are missing or wrong."""

    code = "settings"
    exit_code = ExitCode.SETTINGS


class StoreTooNew(SettingsInvalid):
    """A newer kpay has changed the store; this one would not understand it."""

    code = "store_too_new"

    def __init__(self, path: str, found: str, known: str) -> None:
        super().__init__(
            f"{path} was written by a newer kpay (its schema is {found}, this one knows {known})",
            "kpay --version   # then install the newer kpay again",
            path=path,
        )


class BusinessNotFound(SettingsInvalid):
    """No kpay.toml in this folder or above it."""

    code = "business_not_found"

    def __init__(self, start: str) -> None:
        super().__init__(
            f"no kpay.toml in {start} or any folder above it", "kpay init", start=start
        )


class CredentialsMissing(SettingsInvalid):
    """A key or password is missing, malformed or refused."""

    code = "credentials"


class Interrupted(KpayError):
    """Stopped by the person; safe to run again."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED
