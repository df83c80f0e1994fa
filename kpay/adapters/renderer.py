"""Jinja templates: shipped pages and reports, and letters that a creator wrote.

Everything runs in a sandbox on plain values, so a template can show what it is given and nothing
else. A letter is compiled once: its tags become plain tokens, Markdown and the layout make a page
of it, styles are copied onto the elements, and only then do the tags come back, to be filled for
each person with escaping. So no reader's name can become markup, and no quote breaks a tag.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import css_inline
from jinja2 import (
    FileSystemLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    UndefinedError,
    meta,
)
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from kpay.domain import letter_tags
from kpay.domain.plain_words import preheader_of
from kpay.errors import InputInvalid, Problem
from kpay.ports import FilledLetter, LetterSource, MarkdownRenderer

LARGEST_OUTPUT = 2_000_000
BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
"""Control signs, line ends of other machines, and what turns the order of letters around."""
PADDING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs", "format", "format_map"})


class TooLarge(SecurityError):
    """A template made more text than any page or mail needs."""


class Absent(StrictUndefined):
    """A value that is not there: it may be asked for (if, or, default) and never shown."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # the library's own never returns
        return False


class PlainSandbox(ImmutableSandboxedEnvironment):
    """A sandbox in which a template cannot make huge texts out of nothing either."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Allow arithmetic on small numbers only: 'a' * 10**7 is no arithmetic."""
        if not all(isinstance(side, (int, float)) and abs(side) < 1e9 for side in (left, right)):
            raise SecurityError(f"{operator!r} works on small numbers only")
        if operator == "**" and abs(right) > 64:
            raise SecurityError("a power above 64 is not allowed")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Refuse the methods of text that pad it to any length."""
        if isinstance(obj, str) and attr in PADDING:
            return False
        return super().is_safe_attribute(obj, attr, value)


def environment(
    folders: Sequence[Path],
    *,
    autoescape: bool | Callable[[str | None], bool],
    undefined: type[StrictUndefined] = StrictUndefined,
) -> PlainSandbox:
    """Return the one kind of Jinja environment kpay uses."""
    made = PlainSandbox(
        loader=FileSystemLoader([str(folder) for folder in folders]),
        undefined=undefined,
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    for name in ("lipsum", "cycler", "joiner"):
        made.globals.pop(name, None)
    for name in ("center", "format"):
        made.filters.pop(name, None)
    made.filters["safe_url"] = safe_url
    return made


def safe_url(value: Any) -> str:
    """Return an address of a web page or a mailbox; anything else becomes `#`."""
    text = str(value).strip()
    known = text.lower().startswith(("https://", "http://", "mailto:"))
    return text if known and not any(sign in text for sign in '"<>\r\n') else "#"


def harmless(value: Any) -> Any:
    """Return a value without the signs nobody sees: they hide words, turn lines around, end headers."""
    if type(value) is str and UNSEEN.search(value):
        return UNSEEN.sub("", LINE_ENDS.sub("\n", value))
    return value


def _is_markup(name: str | None) -> bool:
    return bool(name) and str(name).endswith((".html", ".xml", ".svg"))


class JinjaRenderer:
    """Fills templates found in `folders`, the first folder winning."""

    def __init__(self, folders: Sequence[Path], markdown: MarkdownRenderer) -> None:
        self._pages = environment(folders, autoescape=_is_markup)
        self._letters_html = environment((), autoescape=True, undefined=Absent)
        self._letters_text = environment((), autoescape=False, undefined=Absent)
        for letters in (self._letters_html, self._letters_text):
            letters.finalize = harmless
        self._markdown = markdown
        self._inliner = css_inline.CSSInliner(
            keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False
        )

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """Fill a template file; see kpay.ports.Renderer."""
        try:
            return bounded(self._pages.get_template(template), values)
        except TemplateNotFound as error:
            raise _invalid(template, None, f"there is no template {error.name}") from error
        except TemplateError as error:
            raise _invalid(template, line_of(error, template), explain(error, values)) from error

    def inline_styles(self, page: str) -> str:
        """Copy a page's styles onto its elements; media queries stay in the head."""
        return self._inliner.inline(page)

    def letter(self, source: LetterSource) -> CompiledLetter:
        """Compile a creator's letter; InputInvalid names the file and the line."""
        names = self._check(source)
        body = letter_tags.protect(source.body)
        around = {
            **source.values,
            "unsubscribe_url": letter_tags.UNSUBSCRIBE,
            "preheader": letter_tags.PREHEADER,
        }
        written = letter_tags.dressed(self._markdown.to_html(body.text))
        page = self.render(f"{source.layout}.html", {**around, "body": written})
        text = self.render(f"{source.layout}.txt", {**around, "body": letter_tags.BODY})
        parts = LetterParts(
            subject=source.subject,
            page=body.restore(self._inliner.inline(page)),
            words=letter_tags.to_plain_text(source.body),
            around=letter_tags.restore_layout(text),
        )
        return CompiledLetter(source, names, parts, self._letters_html, self._letters_text)

    def _check(self, source: LetterSource) -> frozenset[str]:
        names: set[str] = set()
        parts = ((source.subject, None), (source.body, source.first_line))
        for text, first_line in parts:
            try:
                names |= meta.find_undeclared_variables(self._letters_text.parse(text))
            except TemplateSyntaxError as error:
                line = error.lineno + first_line - 1 if first_line else None
                raise _invalid(source.file, line, error.message or str(error)) from error
        return frozenset(names)


class LetterParts(NamedTuple):
    """The four templates of a letter; `around` is the text layout that takes the filled `words`."""

    subject: str
    page: str
    words: str
    around: str


class CompiledLetter:
    """A letter whose tags wait for one person's values."""

    def __init__(
        self,
        source: LetterSource,
        names: frozenset[str],
        parts: LetterParts,
        html: PlainSandbox,
        text: PlainSandbox,
    ) -> None:
        self._source, self._names, self._parts = source, names, parts
        self._subject = _compiled(text, parts.subject)
        self._page = _compiled(html, parts.page)
        self._words = _compiled(text, parts.words)
        self._around = _compiled(text, parts.around)

    @property
    def names(self) -> frozenset[str]:
        """The values that the subject and the body ask for."""
        return self._names

    @property
    def digest(self) -> str:
        """A hash of the letter with its layout, before anyone's values."""
        return hashlib.sha256("\0".join(self._parts).encode()).hexdigest()

    def fill(self, values: Mapping[str, Any]) -> FilledLetter:
        """Fill in one person's plain values; the words come first, for their line numbers."""
        try:
            words = BLANK_LINES.sub("\n\n", bounded(self._words, values)).strip()
            shown = {**values, letter_tags.PREHEADER_NAME: preheader_of(words)}
            return FilledLetter(
                subject=" ".join(harmless(bounded(self._subject, values)).split()),
                html=bounded(self._page, shown),
                text=bounded(self._around, {**values, letter_tags.BODY_NAME: words}),
            )
        except TemplateError as error:
            raise self._explained(error, values) from error
        except (TypeError, ValueError, ArithmeticError) as error:  # a filter on the wrong value
            raise _invalid(self._source.file, None, str(error)) from error

    def _explained(self, error: TemplateError, values: Mapping[str, Any]) -> InputInvalid:
        line = line_of(error, "<template>")
        at = self._source.first_line + line - 1 if line else None
        return _invalid(self._source.file, at, explain(error, values))


def _compiled(made_for: PlainSandbox, source: str) -> Template:
    """Compile a text; a plain dictionary of globals is copied for each letter ten times as fast."""
    template = made_for.from_string(source)
    template.globals = dict(template.globals)
    return template


def bounded(template: Template, values: Mapping[str, Any]) -> str:
    """Render, but stop when the text grows beyond all reason."""
    parts: list[str] = []
    size = 0
    for part in template.generate(values):
        parts.append(part)
        size += len(part)
        if size > LARGEST_OUTPUT:
            raise TooLarge(f"the text grew beyond {LARGEST_OUTPUT:,} characters")
    return "".join(parts)


def explain(error: TemplateError, values: Mapping[str, Any]) -> str:
    """Say in plain words what a template could not do, with the name that was meant."""
    sentence = error.message or type(error).__name__
    if isinstance(error, UndefinedError) and sentence.startswith("'"):
        missing = sentence.split("'")[1]
        close = get_close_matches(missing, list(values), n=1)
        known = ", ".join(sorted(values))
        return sentence + (f" (did you mean {close[0]!r}?)" if close else f" (known: {known})")
    return sentence


def line_of(error: TemplateError, filename: str) -> int | None:
    """Return the template's line an error came from: Jinja puts its own lines in the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    found = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(filename):
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


def _invalid(file: str, line: int | None, problem: str) -> InputInvalid:
    return InputInvalid(file, [Problem(file, line, None, problem)])
