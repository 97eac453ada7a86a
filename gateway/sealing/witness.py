"""A witness: somebody else who signs that the log only ever grew (c2sp.org/tlog-witness, /tlog-cosignature).

With it the holder of the log's key can no longer rewrite the past unseen. The exchange is one text file each way, so it
works over a USB stick as well as over HTTP.
"""

from hashlib import sha256
from pathlib import Path

from gateway.domain.errors import JournalError
from gateway.journal.audit_event import audit_event
from gateway.journal.entry import Draft
from gateway.journal.folder import DataFolder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing import keys
from gateway.sealing.kept import require_own
from gateway.sealing.note import COSIGNATURE, Checkpoint, Note, Signature, VerifierKey, strict_base64
from gateway.sealing.tiles import write_durably
from gateway.verifier.merkle import consistent

MAX_PROOF_LINES = 63
COSIGNED_ACTION = "checkpoint.cosigned"


class Witness:
    """Keeps one key and, per log, the last checkpoint it cosigned, in a folder of its own."""

    def __init__(self, folder: Path, name: str, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "key"
        self._key = keys.load(path) if path.is_file() else keys.create(path, name, kind=COSIGNATURE)

    @property
    def vkey(self) -> str:
        """The witness's public key, to be given to those who rely on it."""
        return str(self._key.verifier)

    def last(self, origin: str) -> Checkpoint | None:
        """What it cosigned last of a log."""
        path = self._state(origin)
        return Checkpoint.parse(Note.parse(path.read_text("utf-8")).text) if path.is_file() else None

    def cosign(self, request: str, trusted: VerifierKey) -> str:
        """The signature line for a request; the new checkpoint is kept durably first.

        Raises:
            JournalError: not signed by the trusted key, another old size than last cosigned, or not consistent.
        """
        old_size, proof, note = parse_request(request)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != trusted.name or not note.signed_by(trusted):
            raise JournalError("the checkpoint is not signed by the trusted key %(key)s", key=str(trusted))
        last = self.last(checkpoint.origin)
        size = last.size if last else 0
        if old_size != size:
            raise JournalError("this witness saw %(size)s entries; make the request from there", size=str(size))
        if last is not None and not consistent(last.size, last.root, checkpoint.size, checkpoint.root, proof):
            raise JournalError(
                "the log does not continue what this witness cosigned (%(size)s entries)", size=str(size)
            )
        write_durably(self._state(checkpoint.origin), str(note).encode())
        return self._key.cosign(note.text, self._clock.utc_us() // 1_000_000).line() + "\n"

    def _state(self, origin: str) -> Path:
        return self._folder / f"{sha256(origin.encode()).hexdigest()}.checkpoint"


def parse_request(request: str) -> tuple[int, list[bytes], Note]:
    """Old size, proof and checkpoint of an ``add-checkpoint`` request; JournalError when malformed."""
    head, separator, tail = request.partition("\n\n")
    lines = head.split("\n")
    size = lines[0].removeprefix("old ")
    if not separator or not lines[0].startswith("old ") or not size.isdigit() or len(lines) > MAX_PROOF_LINES + 1:
        raise JournalError("this is no request to a witness")
    return int(size), [strict_base64(line) for line in lines[1:]], Note.parse(tail)


def cosigned_draft(
    folder: DataFolder, journal: Journal, note: Note, lines: str, *, witness: VerifierKey, clock: Clock, actor: str
) -> Draft:
    """The entry that keeps a witness's cosignature; JournalError when it does not verify or is about another log."""
    require_own(folder, note)
    signatures = [Signature.parse(line) for line in lines.strip().split("\n")]
    cosigned = Note(note.text, (*note.signatures, *signatures))
    if witness.kind != COSIGNATURE or not cosigned.signed_by(witness):
        raise JournalError("the answer holds no cosignature of %(key)s", key=str(witness))
    return audit_event(
        folder,
        journal,
        clock,
        actor=actor,
        action=COSIGNED_ACTION,
        about=witness.name,
        new=str(cosigned),
        facts={"witness": str(witness)},
    )
