"""Check one offline proof: an entry's bytes, its ``.tlog-proof``, a public key. Nothing else is needed."""

from gateway.verifier import notes
from gateway.verifier.body import BodyError, parse
from gateway.verifier.merkle import leaf_hash, root_from_inclusion
from gateway.verifier.report import Report


def check_proof(report: Report, content: bytes, body: bytes | None, key: notes.Key | None) -> notes.Proof | None:
    """Report whether the proof ties the entry to a checkpoint signed by the key; the proof when it is well formed.

    Without ``body`` only form and signature are looked at.
    """
    report.about["kind"] = "proof"
    try:
        proof = notes.parse_proof(content)
    except notes.NoteError as error:
        report.broken("proof.malformed", "proof", reason=error)
        return None
    checkpoint = proof.checkpoint
    report.about["origin"] = checkpoint.origin
    report.about["checkpoint"] = checkpoint.size
    if key is None:
        report.broken("proof.key", "proof")
    else:
        report.about["key"] = str(key)
        try:
            if not checkpoint.signed_by(key):
                report.broken("checkpoint.signature", "proof", reason=key.name)
        except notes.NoteError as error:
            report.broken("checkpoint.signature", "proof", reason=error)
    if body is None:
        report.broken("input.unreadable", "entry", reason="--entry")
        return proof
    try:
        parse(body)
    except BodyError as error:
        report.broken("entry.body", f"entry {proof.index + 1}", reason=error)
    root = root_from_inclusion(leaf_hash(body), proof.index, checkpoint.size, proof.hashes)
    if root != checkpoint.root:
        report.broken("proof.root", f"entry {proof.index + 1}")
    report.count("entries")
    return proof
