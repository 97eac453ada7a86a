"""Offline proofs: one entry as ``c2sp.org/tlog-proof@v1``, and a request to a witness (c2sp.org/tlog-witness)."""

import base64

from gateway.domain.errors import JournalError
from gateway.journal.folder import DataFolder
from gateway.sealing.history import History
from gateway.sealing.note import Checkpoint, Note
from gateway.sealing.tiles import TileReader, TileStore
from gateway.sealing.tree import consistency_proof, inclusion_proof

PROOF_HEADER = "c2sp.org/tlog-proof@v1"


def format_proof(index: int, hashes: list[bytes], note: Note) -> str:
    """The text of a proof: header, leaf index, hashes from the leaf's sibling upwards, empty line, checkpoint."""
    lines = [PROOF_HEADER, f"index {index}", *(base64.b64encode(each).decode() for each in hashes), ""]
    return "\n".join(lines) + "\n" + str(note)


class Prover:
    """Makes proofs from the tiles of a data folder against its newest checkpoint, or against one given."""

    def __init__(self, folder: DataFolder, note: Note | None = None) -> None:
        note = note or History(folder.seal).latest()
        if note is None:
            raise JournalError("nothing is sealed yet in %(path)s", path=str(folder.path))
        self.note = note
        self.checkpoint = Checkpoint.parse(note.text)
        self.reader = TileReader(TileStore(folder.seal / "tile"), self.checkpoint.size)

    def prove(self, seq: int) -> str:
        """The proof that entry ``seq`` stands in the checkpointed log; JournalError when it is not sealed yet."""
        if not 1 <= seq <= self.checkpoint.size:
            raise JournalError(
                "entry %(seq)s is not sealed yet (the newest checkpoint covers %(size)s)",
                seq=str(seq),
                size=str(self.checkpoint.size),
            )
        return format_proof(seq - 1, inclusion_proof(self.reader, seq - 1, self.checkpoint.size), self.note)

    def witness_request(self, old_size: int) -> str:
        """What a witness that last saw ``old_size`` entries is sent: old size, consistency proof, checkpoint."""
        if not 0 <= old_size <= self.checkpoint.size:
            raise JournalError(
                "the witness saw %(old)s entries, more than the %(size)s of the newest checkpoint",
                old=str(old_size),
                size=str(self.checkpoint.size),
            )
        hashes = consistency_proof(self.reader, old_size, self.checkpoint.size)
        lines = [f"old {old_size}", *(base64.b64encode(each).decode() for each in hashes), ""]
        return "\n".join(lines) + "\n" + str(self.note)
