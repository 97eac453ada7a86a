"""Loading a site in a process of its own, for programs that then run for years.

Reading the files of a large plant needs several times the memory of what comes out, and the interpreter keeps what it
once had: 20 MB for 1 000 meters. A child reads, hands over what came out, and takes the rest with it.
"""

import os
import pickle
import threading
from pathlib import Path

from gateway.assembly.site_loading import AssembledSite, load_assembled_site
from gateway.domain.errors import ConfigurationError


def load_site_apart(path: Path, *, language: str) -> AssembledSite:
    """As ``load_assembled_site``. Where a process cannot be divided (threads run, no ``fork``), it loads here."""
    if threading.active_count() > 1 or not hasattr(os, "fork"):
        return load_assembled_site(path, language=language)
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _hand_over(path, language, sending)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        handed_over = stream.read()
    os.waitpid(child, 0)
    if not handed_over:  # the child was killed, for want of memory perhaps: what is wrong shows here
        return load_assembled_site(path, language=language)
    site, problems = pickle.loads(handed_over)  # noqa: S301  # written by our own child
    if site is None:
        raise ConfigurationError(problems)
    assert isinstance(site, AssembledSite), "the child hands over a site"
    return site


def _hand_over(path: Path, language: str, sending: int) -> None:
    """In the child: load, send, and end without running anything that belongs to the parent."""
    status = 1
    try:
        try:
            sent = pickle.dumps((load_assembled_site(path, language=language), []))
        except ConfigurationError as error:
            sent = pickle.dumps((None, error.lines))
        with os.fdopen(sending, "wb") as stream:
            stream.write(sent)
        status = 0
    finally:
        os._exit(status)
