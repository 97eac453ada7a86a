"""Ask a witness over HTTP for its cosignature (c2sp.org/tlog-witness, ``add-checkpoint``)."""

import urllib.error
import urllib.request
from http import HTTPStatus

from gateway.domain.errors import JournalError
from gateway.sealing.proof import Prover

TIMEOUT_S = 30
MAX_ANSWER_BYTES = 100_000


def ask_witness(url: str, prover: Prover, old_size: int = 0) -> str:
    """The witness's signature lines for the newest checkpoint; it says itself from where it wants the proof.

    Raises:
        JournalError: it cannot be reached, or refuses.
    """
    status, answer = _post(url, prover.witness_request(old_size))
    if status == HTTPStatus.CONFLICT and answer.strip().isdigit() and int(answer) <= prover.checkpoint.size:
        status, answer = _post(url, prover.witness_request(int(answer)))
    if status != HTTPStatus.OK:
        raise JournalError(
            "the witness at %(url)s answered %(status)s: %(answer)s", url=url, status=str(status), answer=answer[:200]
        )
    return answer


def _post(url: str, body: str) -> tuple[int, str]:
    if not url.startswith(("http://", "https://")):
        raise JournalError("the witness's address %(url)s must begin with http:// or https://", url=url)
    request = urllib.request.Request(f"{url.rstrip('/')}/add-checkpoint", data=body.encode(), method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310  # checked: http or https
            return answer.status, answer.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise JournalError(
            "the witness at %(url)s cannot be reached: %(reason)s", url=url, reason=str(error)
        ) from error
