"""Read YAML with a position for every value, so that each problem names file, line and column.

Limits: 4 MiB a file, depth 32, 200 000 nodes. Anchors, aliases, tags and duplicate keys are refused: a configuration
entry in the journal must say exactly what the file says.
"""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 200_000

KeyPath = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong in a file; ``message`` is an English text with ``%(name)s`` placeholders (see gateway.i18n)."""

    file: str
    line: int
    column: int
    message: str
    facts: dict[str, str] = field(default_factory=dict)


class UnusableFileError(Exception):
    """The file has problems; all of them are listed."""

    def __init__(self, problems: list[FileProblem]) -> None:
        super().__init__(f"{len(problems)} problem(s)")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """A parsed file: its value, where each part stands, and the SHA-256 of its bytes."""

    path: Path
    value: Any
    positions: dict[KeyPath, tuple[int, int]]
    sha256: str

    def problem(self, path: KeyPath, message: str, **facts: str) -> FileProblem:
        """A problem at a key path; where that very spot does not exist, at the nearest parent that does."""
        while path and path not in self.positions:
            path = path[:-1]
        line, column = self.positions.get(path, (1, 1))
        return FileProblem(str(self.path), line, column, message, facts)


def load_yaml(path: Path) -> LoadedFile:
    """Parse one YAML file; UnusableFileError lists everything wrong with it as text."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnusableFileError(
            [FileProblem(str(path), 1, 1, "cannot read the file: %(reason)s", {"reason": reason})]
        ) from error
    if len(raw) > MAX_FILE_BYTES:
        facts = {"limit": str(MAX_FILE_BYTES)}
        raise UnusableFileError([FileProblem(str(path), 1, 1, "the file is larger than %(limit)s bytes", facts)])
    return _parse(path, raw)


def _parse(path: Path, raw: bytes) -> LoadedFile:
    try:
        source = raw.decode("utf-8-sig")
        node = yaml.compose(source, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise UnusableFileError([FileProblem(str(path), line, 1, "the file is not UTF-8 text")]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        facts = {"reason": str(error.problem or error.context or "syntax")}
        raise UnusableFileError([FileProblem(str(path), line, column, "not valid YAML: %(reason)s", facts)]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        facts = {"reason": type(error).__name__}
        raise UnusableFileError([FileProblem(str(path), 1, 1, "not valid YAML: %(reason)s", facts)]) from error
    reader = _Reader(path)
    value = None if node is None else reader.convert(node, (), 0)
    if reader.problems:
        raise UnusableFileError(reader.problems)
    return LoadedFile(path, value, reader.positions, hashlib.sha256(raw).hexdigest())


class _Reader:
    """Walks the node tree once, collecting values, positions and problems."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._scalars = yaml.SafeLoader("")
        self._seen: set[int] = set()
        self.positions: dict[KeyPath, tuple[int, int]] = {}
        self.problems: list[FileProblem] = []

    def convert(self, node: yaml.Node, path: KeyPath, depth: int) -> Any:  # any YAML value
        self.positions[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if id(node) in self._seen:
            return self._refuse(node, "anchors and aliases are not supported; write the value out")
        self._seen.add(id(node))
        if depth > MAX_DEPTH or len(self._seen) > MAX_NODES:
            return self._refuse(node, "the file is nested too deeply or has too many values")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(child, (*path, index), depth + 1) for index, child in enumerate(node.value)]
        return self._scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: KeyPath, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if isinstance(key, int) and not isinstance(key, bool):
                key = str(key)
            if not isinstance(key, str):
                self._refuse(key_node, "a key must be text")
            elif key in result:
                self._refuse(key_node, "the key '%(key)s' stands twice", key=key)
            else:
                result[key] = self.convert(value_node, (*path, key), depth + 1)
                # an unknown or misspelt key is reported where the key stands, not its value
                self.positions[(*path, key)] = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
        return result

    def _scalar(self, node: yaml.Node) -> Any:  # any YAML scalar
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value  # dates stay text; whoever needs a date parses it with its own rule
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError) as error:
            return self._refuse(node, "not valid YAML: %(reason)s", reason=type(error).__name__)

    def _refuse(self, node: yaml.Node, message: str, **facts: str) -> None:
        mark = node.start_mark
        self.problems.append(FileProblem(str(self._path), mark.line + 1, mark.column + 1, message, facts))


_SENTENCES = {
    "missing": "'%(key)s' is missing",
    "extra_forbidden": "'%(key)s' is not a key that can stand here",
    "int_type": "'%(key)s' must be a whole number",
    "int_parsing": "'%(key)s' must be a whole number",
    "int_from_float": "'%(key)s' must be a whole number",
    "string_type": "'%(key)s' must be text (put it in quotes if it looks like a number)",
    "bool_type": "'%(key)s' must be true or false",
    "bool_parsing": "'%(key)s' must be true or false",
    "list_type": "'%(key)s' must be a list",
    "dict_type": "'%(key)s' must be a block of keys",
    "model_type": "'%(key)s' must be a block of keys",
    "model_attributes_type": "'%(key)s' must be a block of keys",
    "greater_than_equal": "'%(key)s' must be at least %(ge)s",
    "greater_than": "'%(key)s' must be more than %(gt)s",
    "less_than_equal": "'%(key)s' must be at most %(le)s",
    "string_pattern_mismatch": "'%(key)s' has characters that cannot stand here; allowed: %(pattern)s",
    "string_too_long": "'%(key)s' is longer than %(max_length)s characters",
    "string_too_short": "'%(key)s' is empty",
    "too_short": "'%(key)s' needs at least %(min_length)s entry",
    "too_long": "'%(key)s' has more than %(max_length)s entries",
    "unknown_time_zone": "time zone '%(zone)s' is not known (example: Asia/Shanghai)",
    "no_influx_target": "name a 'database' (InfluxDB 1.x) or a 'bucket' (InfluxDB 2.x)",
    "literal_error": "'%(key)s' must be one of %(expected)s",
}


def validated(loaded: LoadedFile, model: type[Model], problems: list[FileProblem]) -> Model | None:
    """The file as a model; None, with every problem appended, when it does not fit."""
    if not isinstance(loaded.value, dict):
        problems.append(loaded.problem((), "the file is empty or not a block of keys"))
        return None
    try:
        return model.model_validate(loaded.value)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            path: KeyPath = tuple(item["loc"])
            key = ".".join(str(part) for part in path) or "file"
            facts = {"key": key} | {name: str(value) for name, value in item.get("ctx", {}).items()}
            sentence = _SENTENCES.get(item["type"])
            if sentence is None:
                sentence = "'%(key)s': %(reason)s"
                facts["reason"] = str(item["msg"])
            problems.append(loaded.problem(path, sentence, **facts))
        return None
