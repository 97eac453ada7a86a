"""Loading a site in a process of its own, for programs that then run for years.

Reading the files of a large plant needs several times the memory of what comes out, and the interpreter keeps what it
once had: 20 MB for 1 000 meters. A child reads, hands over what came out, and takes the rest with it.
"""

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from gateway.domain.errors import ConfigurationError

Wanted = TypeVar("Wanted")


def load_site_apart(path: Path, *, language: str) -> AssembledSite:
    """As ``load_assembled_site``. Where a process cannot be divided (threads run, no ``fork``), it loads here."""
    return _apart(path, language, lambda site: site)


def data_folder_apart(path: Path, *, language: str) -> Path:
    """The folder that a site collects into, for who needs no more of the site than that it can be used."""
    return _apart(path, language, lambda site: site.data_folder)


def _apart(path: Path, language: str, wanted: Callable[[AssembledSite], Wanted]) -> Wanted:
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        return wanted(load_assembled_site(path, language=language))
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _hand_over(path, language, wanted, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        handed_over = stream.read()
    os.waitpid(child, 0)
    if not handed_over:  # the child was killed, for want of memory perhaps: what is wrong shows here
        return wanted(load_assembled_site(path, language=language))
    found: Wanted | None
    found, problems = pickle.loads(handed_over)  # noqa: S301  # written by our own child
    if found is None:
        raise ConfigurationError(problems)
    return found


def _hand_over(path: Path, language: str, wanted: Callable[[AssembledSite], object], sending: int) -> NoReturn:
    """In the child: load, send, and end without running anything that belongs to the parent."""
    status = 1
    try:
        try:
            sent = pickle.dumps((wanted(load_assembled_site(path, language=language)), []))
        except ConfigurationError as error:
            sent = pickle.dumps((None, error.lines))
        with os.fdopen(sending, "wb") as stream:
            stream.write(sent)
        status = 0
    finally:
        os._exit(status)
