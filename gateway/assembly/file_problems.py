"""What is wrong with a file, as people read it: every problem at its line, in their language."""

from collections.abc import Iterator
from contextlib import contextmanager

from config.loading import FileProblem, UnusableFileError
from gateway.domain.errors import ConfigurationError
from gateway.i18n import text


def problem_line(problem: FileProblem, language: str) -> str:
    """One problem as people read it: ``file:line:column: sentence``."""
    sentence = text(language, problem.message, **problem.facts)
    return f"{problem.file}:{problem.line}:{problem.column}: {sentence}"


@contextmanager
def problems_said(language: str) -> Iterator[None]:
    """Around the reading of files: one that cannot be used is a ConfigurationError with every problem."""
    try:
        yield
    except UnusableFileError as error:
        raise ConfigurationError([problem_line(each, language) for each in error.problems]) from error
