"""Files with front matter (python-frontmatter, PyYAML): the only place that reads YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler
from yaml.nodes import MappingNode, Node, SequenceNode

from kpay.domain.source_file import SourceFile
from kpay.errors import InputInvalid, Problem

LARGEST_BYTES = 20_000_000
HOW = "begin the file with front matter: ---, then lines like `title: ...`, then ---"


class FrontMatterFiles:
    """Reads files with front matter; see kpay.ports.SourceReader."""

    def read(self, path: Path, name: str) -> SourceFile:
        """Return what a file says; InputInvalid names the file and line."""
        return self.read_text(_text(path, name), name)

    def read_text(self, text: str, name: str) -> SourceFile:
        """Return what a text says that was a file; InputInvalid names the line."""
        handler = YAMLHandler()
        boundary = handler.FM_BOUNDARY
        opening = boundary.match(text) if boundary else None
        if opening is None:
            raise _invalid(name, 1, f"has no front matter ({HOW})")
        try:
            front, body = handler.split(text)
        except ValueError:
            raise _invalid(name, 1, "has no second --- line to end its front matter") from None
        first_line = text.count("\n", 0, opening.end()) + 1
        root = _compose(front, name, first_line)
        start = len(text) - len(body.lstrip("\n"))
        return SourceFile(
            name=name,
            written=_written(root) if root else {},
            values=_typed(root, name, first_line) if root else {},
            lines=_lines(root, first_line) if root else {},
            body=body.strip() + "\n" if body.strip() else "",
            first_line=text.count("\n", 0, start) + 1,
        )


def _text(path: Path, name: str) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _invalid(name, None, f"cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_BYTES:
        raise _invalid(name, None, f"is larger than {LARGEST_BYTES:,} bytes")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _invalid(name, line, "is not UTF-8; save it as UTF-8") from error


def _compose(front: str, name: str, first_line: int) -> MappingNode | None:
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + first_line if error.problem_mark else None
        hint = " (put a text with a colon in quotes)" if "mapping values" in str(error) else ""
        raise _invalid(
            name, line, f"the front matter is not YAML: {error.problem}{hint}"
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise _invalid(name, first_line + 1, "the front matter is not YAML") from error
    if root is not None and not isinstance(root, MappingNode):
        raise _invalid(name, first_line + 1, "the front matter must be lines of `key: value`")
    problems = _doubled(root, name, first_line) if root else []
    if problems:
        raise InputInvalid(name, problems)
    return root


def _doubled(root: MappingNode, name: str, first_line: int) -> list[Problem]:
    seen: set[str] = set()
    problems: list[Problem] = []
    for key, _ in root.value:
        word = str(key.value)
        if word in seen:
            line = key.start_mark.line + first_line
            problems.append(Problem(name, line, word, "stands in the front matter twice"))
        seen.add(word)
    return problems


def _lines(root: MappingNode, first_line: int) -> dict[str, int]:
    return {str(key.value): key.start_mark.line + first_line for key, _ in root.value}


def _typed(root: MappingNode, name: str, first_line: int) -> dict[str, Any]:
    loader = yaml.SafeLoader("")
    try:
        made = loader.construct_document(root)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise _invalid(name, first_line + 1, f"the front matter cannot be read: {error}") from error
    finally:
        loader.dispose()
    return {str(key): value for key, value in made.items()}


def _written(node: Node) -> Any:
    if isinstance(node, MappingNode):
        return {str(key.value): _written(value) for key, value in node.value}
    if isinstance(node, SequenceNode):
        return [_written(item) for item in node.value]
    return str(node.value)


def _invalid(name: str, line: int | None, problem: str) -> InputInvalid:
    return InputInvalid(name, [Problem(name, line, None, problem)])
