"""Taking back what should never have been on record: a new entry says so, the old ones stay and are still answered."""

from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.journal.entry import Draft
from gateway.registry.importing import LINKS, LedgerState
from gateway.registry.recording import object_draft

MAX_NAMED = 5


class StillNamedError(MeterproofError):
    """Something else on record names the object."""

    exit_code = 2


def withdrawal_draft(
    state: LedgerState, organisation: str, kind: str, id_: str, *, at_us: int, actor: str, reason: str
) -> Draft:
    """The entry that takes an object back.

    Raises:
        UnknownObjectError: nothing of that id is on record, or it was taken back already.
        StillNamedError: other objects name it; these go first.
    """
    if not state.has(kind, id_):
        raise UnknownObjectError("'%(id)s' is not on record as a %(kind)s", id=id_, kind=kind)
    named_by = [
        f"{of} {other}"
        for (of, other), versions in state.versions.items()
        if not versions[-1].withdrawn and (of, other) != (kind, id_)
        for link_of, field, target in LINKS
        if link_of == of and target == kind and id_ in str(versions[-1].object.get(field) or "").split(";")
    ]
    if named_by:
        more = "" if len(named_by) <= MAX_NAMED else " …"
        raise StillNamedError(
            "'%(id)s' is named by %(others)s; take these back first",
            id=id_,
            others=", ".join(named_by[:MAX_NAMED]) + more,
        )
    return object_draft(
        kind,
        organisation,
        id_,
        state.versions[kind, id_][-1].object,
        at_us=at_us,
        from_us=None,
        to_us=None,
        actor=actor,
        reason=reason,
        source="withdrawal",
        withdrawn=True,
    )
