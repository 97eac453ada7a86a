"""Sign what the journal holds: at least once a minute, and at every clean stop."""

import contextlib
from collections.abc import Sequence

from gateway.domain.errors import JournalError
from gateway.journal.entry import Draft, leaf_hash
from gateway.journal.folder import DataFolder, software_version, sync_folder
from gateway.journal.journal import Journal
from gateway.ports import Clock
from gateway.sealing import keys
from gateway.sealing.growth import Growth
from gateway.sealing.history import History
from gateway.sealing.note import Checkpoint, Note, NoteError, SigningKey
from gateway.sealing.tiles import TILE_WIDTH, TileStore, write_durably

SEAL_INTERVAL_S = 60
PAGE = 5_000


class InconsistentTreeError(JournalError):
    """The journal does not continue what was signed; nothing is signed until somebody has looked."""


class Sealer:
    """Grows the tree and signs its checkpoints. One a data folder: its user holds the ``collect`` lock.

    ``seal`` reads new entries, checks each against its stored leaf hash, writes tiles, then the checkpoint. It never
    signs a tree that is smaller than, or unlike, the one signed last.
    """

    def __init__(self, folder: DataFolder, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._history = History(folder.seal)
        self._history.mend()
        self._store = TileStore(folder.seal / "tile")
        self._key_path = folder.seal / "key"
        self._next_path = folder.seal / "key.next"
        self._announced = False
        self.last = self._load_last()
        self._growth = self._load_growth()
        if not self._key_path.exists():
            if self.last is not None:
                raise JournalError(
                    "the signing key %(path)s is missing: put back the one kept apart ('meterproof backup --with-key');"
                    " a log whose key is lost stays as it is, and collection goes on in a new data folder",
                    path=str(self._key_path),
                )
            keys.create(self._key_path, folder.origin)
        self._key = keys.load(self._key_path)
        self._write_public_key()

    @property
    def vkey(self) -> str:
        """The public key with its name, as a verifier wants it."""
        return str(self._key.verifier)

    @property
    def sealed(self) -> int:
        """How many entries the last checkpoint covers."""
        return self.last.size if self.last else 0

    def seal(self, journal: Journal) -> Checkpoint:
        """Sign everything the journal holds now; the newest checkpoint, which may be the one before.

        Raises:
            InconsistentTreeError: the journal was cut, an entry does not match its leaf hash, or the signed tree does
                not continue; nothing was signed.
        """
        self._announce(journal)
        signers = self._complete_rotation(journal)
        checkpoint = self._grow_and_sign(journal, signers)
        if len(signers) > 1:
            self._adopt(signers[-1])
        return checkpoint

    def rotate(self, journal: Journal, actor: str, reason: str) -> Checkpoint:
        """Begin a new key: the change is an entry, and one checkpoint over it carries both signatures."""
        self.seal(journal)
        successor = keys.create(self._next_path, self.folder.origin)
        journal.append([self._key_draft("rotated", successor, actor, reason)])
        return self.seal(journal)

    def _load_last(self) -> Checkpoint | None:
        note = self._history.latest()
        if note is None:
            return None
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != self.folder.origin:
            raise InconsistentTreeError(
                "the last checkpoint is of %(found)s, this folder is %(expected)s",
                found=checkpoint.origin,
                expected=self.folder.origin,
            )
        return checkpoint

    def _load_growth(self) -> Growth:
        if self.last is None:
            return Growth()
        growth = Growth.load(self._store, self.last.size)
        if growth.root() != self.last.root:
            raise InconsistentTreeError(
                "the tiles do not give the root of the last checkpoint (%(size)s entries)", size=str(self.last.size)
            )
        return growth

    def _announce(self, journal: Journal) -> None:
        """The key's own entry, and once a start the check that the journal still holds what was signed."""
        if self._announced:
            return
        head = journal.head()
        if head < self.sealed:
            raise InconsistentTreeError(
                "the journal ends at entry %(head)s but a checkpoint was signed over %(size)s entries",
                head=str(head),
                size=str(self.sealed),
            )
        begin = max(0, self.sealed // TILE_WIDTH * TILE_WIDTH)
        tail = self._growth.levels[0]
        for seq, leaf, _ in journal.leaves(begin, len(tail)) if tail else []:
            if seq <= self.sealed and leaf != tail[seq - 1 - begin]:
                raise InconsistentTreeError("entry %(seq)s is not the one that was signed", seq=str(seq))
        # once something is signed, the key's entry is in it
        if self.last is None and journal.latest("key", self._key_subject(self._key)) is None:
            journal.append([self._key_draft("created", self._key, "system", "")])
        self._announced = True

    def _key_subject(self, key: SigningKey) -> str:
        return self.folder.subject("key", key.verifier.id.hex())

    def _key_draft(self, action: str, key: SigningKey, actor: str, reason: str) -> Draft:
        return Draft(
            kind="key",
            subject=self._key_subject(key),
            at_us=self._clock.utc_us(),
            body={
                "action": action,
                "vkey": str(key.verifier),
                "previous": self.vkey if action == "rotated" else None,
                "actor": actor,
                "reason": reason,
                "software": software_version(),
            },
        )

    def _complete_rotation(self, journal: Journal) -> Sequence[SigningKey]:
        """The keys to sign with: two while a rotation is under way, also after a crash in its middle."""
        if not self._next_path.exists():
            return [self._key]
        successor = keys.load(self._next_path)
        if journal.latest("key", self._key_subject(successor)) is None:
            self._next_path.unlink()  # crashed before its entry: it never was a key
            return [self._key]
        return [self._key, successor]

    def _adopt(self, successor: SigningKey) -> None:
        self._next_path.replace(self._key_path)
        sync_folder(self.folder.seal)
        self._key = successor
        self._write_public_key()

    def _grow_and_sign(self, journal: Journal, signers: Sequence[SigningKey]) -> Checkpoint:
        growth = self._growth
        try:
            self._grow(journal)
            if self.last is not None and growth.size == self.last.size and self._signed_already(signers):
                return self.last
            for level, number, hashes in [*growth.full, *growth.partial()]:
                self._store.write(level, number, hashes)
            growth.full.clear()
            checkpoint = Checkpoint(self.folder.origin, growth.size, growth.root())
            self._sign(checkpoint, signers)
        except BaseException:
            with contextlib.suppress(JournalError):
                self._growth = self._load_growth()  # what was read but not signed is read again next time
            raise
        self.last = checkpoint
        return checkpoint

    def _signed_already(self, signers: Sequence[SigningKey]) -> bool:
        note = self._history.latest()
        return len(signers) == 1 or (note is not None and all(note.signed_by(key.verifier) for key in signers))

    def _grow(self, journal: Journal) -> None:
        growth = self._growth
        while True:
            page = journal.leaves(growth.size, PAGE)
            for seq, leaf, body in page:
                if seq != growth.size + 1:
                    raise InconsistentTreeError(
                        "entry %(seq)s follows entry %(previous)s: entries are missing between them",
                        seq=str(seq),
                        previous=str(growth.size),
                    )
                if leaf_hash(body) != leaf:
                    raise InconsistentTreeError("entry %(seq)s does not match its stored hash", seq=str(seq))
                growth.append(leaf)
            if len(page) < PAGE:
                return

    def _sign(self, checkpoint: Checkpoint, signers: Sequence[SigningKey]) -> None:
        text = checkpoint.text()
        note = Note(text, tuple(key.sign(text) for key in signers))
        for key in signers:
            if not note.signed_by(key.verifier):
                raise NoteError("the signature just made does not verify")
        self._history.add(note)

    def _write_public_key(self) -> None:
        path = self.folder.seal / "key.pub"
        line = f"{self.vkey}\n"
        if not path.is_file() or path.read_text("utf-8") != line:
            write_durably(path, line.encode())
