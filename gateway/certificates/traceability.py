"""溯源: instrument → certificate → standards → their certificates, with every gap said where it is."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.certificates.digests import digest_fits
from gateway.domain.errors import UnknownObjectError
from gateway.registry.importing import LedgerState

MAX_DEPTH = 12
MAX_STEPS = 500

FileOf = Callable[[str], bytes | None]
"""SHA-256 of a stored document → its bytes, None when it is not held."""


@dataclass(frozen=True, slots=True)
class Step:
    """One link of the chain at ``depth`` (0: the instrument's certificate).

    ``kind``: ``certificate`` or ``standard``; ``gaps``: English texts of the catalogue; an empty chain of gaps is a
    chain as far as the papers at hand say.
    """

    depth: int
    kind: str
    id: str
    about: str
    gaps: tuple[str, ...]


def chain(state: LedgerState, number: str, file_of: FileOf) -> list[Step]:
    """Everything above a certificate, depth first. UnknownObjectError when the certificate is not on record."""
    if not state.has("certificate", number):
        raise UnknownObjectError("no certificate '%(number)s' is on record", number=number)
    steps: list[Step] = []
    for step in _certificate(state, number, file_of, 0, frozenset()):
        steps.append(step)
        if len(steps) >= MAX_STEPS:
            break
    return steps


def _object(state: LedgerState, kind: str, id_: str) -> Mapping[str, Any]:
    found = state.versions[kind, id_][-1].object
    assert isinstance(found, Mapping), "an entry's object is a mapping"
    return found


def _certificate(state: LedgerState, number: str, file_of: FileOf, depth: int, above: frozenset[str]) -> Iterator[Step]:
    certificate = _object(state, "certificate", number)
    names = [each for each in str(certificate.get("standards") or "").split(";") if each]
    gaps = []
    if number in above:
        gaps.append("the chain comes back to itself")
    elif depth >= MAX_DEPTH:
        gaps.append("the chain is longer than is followed here")
    elif not names:
        gaps.append("the certificate names no standard")
    if not certificate.get("document"):
        gaps.append("the certificate's file is not held")
    yield Step(depth, "certificate", number, str(certificate.get("laboratory") or ""), tuple(gaps))
    if number in above or depth >= MAX_DEPTH:
        return
    for each in names:
        yield from _standard(state, each, certificate, file_of, depth + 1, above | {number})


def _standard(  # noqa: PLR0917  # one walk down one chain
    state: LedgerState,
    id_: str,
    used_by: Mapping[str, Any],
    file_of: FileOf,
    depth: int,
    above: frozenset[str],
) -> Iterator[Step]:
    if not state.has("standard", id_):
        yield Step(depth, "standard", id_, "", ("the standard is not on record",))
        return
    standard = _object(state, "standard", id_)
    link = standard.get("link") if isinstance(standard.get("link"), Mapping) else {}
    assert isinstance(link, Mapping), "chosen so"
    performed = str(used_by.get("performed_on") or "")
    gaps = []
    until = str(standard.get("valid_until") or "")
    if (until and until < performed) or link.get("in_validity") == 0:
        gaps.append("the standard was not valid on the day of calibration")
    if link.get("traceable") == 0:
        gaps.append("the certificate itself says that the standard is not traceable")
    number = str(standard.get("certificate_number") or "")
    on_record = bool(number) and state.has("certificate", number)
    if not number:
        gaps.append("the standard has no certificate number")
    elif not on_record:
        gaps.append("the standard's certificate is not on record")
    else:
        gaps.extend(_digest_gap(link, _object(state, "certificate", number), file_of))
    yield Step(depth, "standard", id_, str(standard.get("name") or ""), tuple(gaps))
    if on_record:
        yield from _certificate(state, number, file_of, depth + 1, above)


def _digest_gap(link: Mapping[str, Any], certificate: Mapping[str, Any], file_of: FileOf) -> list[str]:
    """Whether the file held is the one the link's digest was taken of."""
    content = file_of(str(certificate.get("document") or ""))
    if content is None or digest_fits(str(link.get("procedure") or ""), str(link.get("digest") or ""), content) in {
        True,
        None,
    }:
        return []
    return ["the file held is not the one the link was made to"]
