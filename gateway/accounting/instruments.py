"""The errors a point's amount carries: meter, transformers, laboratory standard, each one shared effect.

An instrument's size of error is its permissible error as a rectangle (its papers', else its class's; widened in service
where the site's jurisdiction does so), because energy is not corrected for certificate errors. Without a class, a
calibration certificate gives |error|/√3 for the instrument and U/k for the laboratory standard it names, shared by
every instrument that standard was used on. Without either nothing is assumed and U is not stated. One instrument errs
the same way through the whole period, unless it was adjusted or calibrated anew within it: then what it measured before
and after are two causes. A verification that changed nothing splits nothing: that is the larger, safer figure.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import sqrt

from gateway.accounting.budget import class_u
from gateway.accounting.estimate import Effect, Estimate, measured, total
from gateway.accounting.metered import Amount
from gateway.domain.ledger import Certificate, Installation, InstallationRole, Instrument, Site
from gateway.domain.ratio import class_rank
from gateway.metrology.limits import in_service_factor, limit_of
from gateway.registry.record import Record
from gateway.registry.registry import Registry
from gateway.settlement.row import Method

_ROLES = {InstallationRole.METER: "meter", InstallationRole.CT: "ct", InstallationRole.PT: "pt"}


class Instruments:
    """Which effects act on an amount, from the ledger as recorded up to an entry; ``effects`` collects them."""

    def __init__(
        self,
        registry: Registry,
        organisation: str,
        known_seq: int | None = None,
        substitution_u: float | None = None,
    ) -> None:
        self.effects: dict[str, Effect] = {}
        self._substitution_u = substitution_u
        self._instruments = {
            record.id: record.read_as(Instrument)
            for record in registry.objects(organisation, "instrument", None, known_seq)
        }
        self._by_seq: dict[int, Installation] = {}
        self._transformers: dict[str, list[Installation]] = {}
        for versions in registry.versions(organisation, "installation", known_seq).values():
            self._note(versions)
        self._certificates: dict[str, list[Certificate]] = {}
        for record in registry.objects(organisation, "certificate", None, known_seq):
            certificate = record.read_as(Certificate)
            self._certificates.setdefault(certificate.instrument, []).append(certificate)
        self._causes: dict[tuple[str, str], tuple[str, ...] | None] = {}
        sites = [each.read_as(Site) for each in registry.objects(organisation, "site", None, known_seq)]
        self._jurisdiction = next((each.jurisdiction for each in sites if each.jurisdiction), "")

    def _note(self, versions: Sequence[Record]) -> None:
        newest = versions[-1]
        installation = newest.read_as(Installation)
        if newest.withdrawn:
            return
        for version in versions:
            self._by_seq[version.seq] = installation
        if installation.role in {InstallationRole.CT, InstallationRole.PT}:
            self._transformers.setdefault(installation.point, []).append(installation)

    def estimate(self, amount: Amount) -> Estimate | None:
        """An amount with its effects; None where nothing is known."""
        if amount.value is None:
            return None
        epochs = amount.epochs or (("", amount.installations),)
        parts = [
            self._share(amount, seq, value, day) for day, shares in epochs for seq, value in sorted(shares.items())
        ]
        # a register is read at both ends of a span: √2 · resolution/√12 (JJF 1059.1, 记忆), whatever lies between
        own = Estimate(Fraction(0), variance=amount.resolution**2 / 6)
        return total((*parts, own, *self._substituted(amount)))

    def recalibrations(self, amount: Amount, first: str, last: str) -> list[str]:
        """The civil days after the first and up to the last on which an instrument behind an amount began anew."""
        fitted = [
            *(self._by_seq[seq] for seq in amount.installations if seq in self._by_seq),
            *self._transformers.get(amount.point, ()),
        ]
        days = {
            certificate.performed_on
            for each in fitted
            for certificate in self._certificates.get(each.instrument, ())
            if first < certificate.performed_on <= last and self._begins_anew(each.instrument, certificate)
        }
        return sorted(days)

    def _begins_anew(self, instrument: str, certificate: Certificate) -> bool:
        """Whether what an instrument measures after a certificate errs otherwise than before: calibrated, adjusted."""
        if certificate.as_found_result == "fail":
            return True
        known = self._instruments.get(instrument)
        graded = known is not None and (class_rank(known.accuracy_class) or limit_of(known)) is not None
        return not graded and _is_usable(certificate)

    def _share(self, amount: Amount, seq: int, value: Fraction, day: str) -> Estimate:
        installation = self._by_seq.get(seq)
        if installation is None:
            return measured(value, (), unstated=[f"meter:{amount.point}"])
        fitted = [installation, *self._transformers.get(amount.point, ())]
        causes: list[str] = []
        unstated: list[str] = []
        for each in fitted:
            found = self._effects_of(each, day)
            if found is None:
                unstated.append(f"{_ROLES.get(InstallationRole(each.role), 'meter')}:{each.instrument or amount.point}")
            else:
                causes += found
        return measured(value, dict.fromkeys(causes), unstated=unstated)

    def _substituted(self, amount: Amount) -> list[Estimate]:
        value = amount.by_method.get(Method.SUBSTITUTED)
        if not value:
            return []
        if self._substitution_u is None:
            return [Estimate(Fraction(0), unstated=frozenset({f"substitution:{amount.point}"}))]
        id_ = f"substitution:{amount.point}"
        self.effects[id_] = Effect(id=id_, kind="substitution", label=amount.point, u=self._substitution_u)
        return [Estimate(Fraction(0), {id_: value})]

    def _effects_of(self, installation: Installation, day: str) -> tuple[str, ...] | None:
        """The causes behind an instrument from a civil day on; without a day: by its newest certificate."""
        id_ = installation.instrument
        epoch = max(
            (
                each.performed_on
                for each in self._certificates.get(id_, ())
                if day and each.performed_on <= day and self._begins_anew(id_, each)
            ),
            default="",
        )
        if (id_, epoch) not in self._causes:
            kind = _ROLES.get(InstallationRole(installation.role), "meter")
            self._causes[id_, epoch] = self._new_effects(id_, kind, epoch if day else None)
        return self._causes[id_, epoch]

    def _new_effects(self, id_: str, kind: str, epoch: str | None) -> tuple[str, ...] | None:
        """``epoch``: the day of the certificate with which the instrument began anew; empty: none did, None: newest."""
        instrument = self._instruments.get(id_)
        if instrument is None:
            return None
        rank, limit = class_rank(instrument.accuracy_class), limit_of(instrument)
        name = f"{kind}:{id_}@{epoch}" if epoch else f"{kind}:{id_}"
        percent = limit.percent if limit is not None else None if rank is None else rank[0]
        if percent is not None:
            stated = f"limit {instrument.mpe_percent} % {instrument.mpe_source}".rstrip()
            basis = stated if instrument.mpe_percent else f"class {instrument.accuracy_class}"
            factor = float(in_service_factor(self._jurisdiction, instrument.kind).factor)
            self.effects[name] = Effect(
                id=name, kind=kind, label=id_, u=class_u(float(percent), factor), shape="rectangular", basis=basis
            )
            return (name,)
        return self._calibrated(id_, name, kind, epoch)

    def _calibrated(self, id_: str, name: str, kind: str, epoch: str | None) -> tuple[str, ...] | None:
        dated = sorted(self._certificates.get(id_, ()), key=lambda each: each.performed_on, reverse=True)
        for certificate in dated:
            error, expanded = _percent(certificate.error_percent), _percent(certificate.uncertainty_percent)
            k = _percent(certificate.coverage_factor) or Fraction(2)
            if not _is_usable(certificate) or error is None or expanded is None:
                continue
            if epoch and certificate.performed_on > epoch:
                continue
            basis = f"certificate {certificate.id}"
            u = float(abs(error)) / 100 / sqrt(3)
            self.effects[name] = Effect(id=name, kind=kind, label=id_, u=u, shape="rectangular", basis=basis)
            standard = f"standard:{certificate.standards or certificate.id}"
            of_standard = float(expanded / k) / 100
            known: Mapping[str, Effect] = self.effects
            if standard not in known or known[standard].u < of_standard:
                self.effects[standard] = Effect(
                    id=standard, kind="standard", label=certificate.standards, u=of_standard, basis=basis
                )
            return (name, standard)
        return None


def _is_usable(certificate: Certificate) -> bool:
    """Whether a certificate says an instrument's error with its uncertainty."""
    stated = _percent(certificate.error_percent), _percent(certificate.uncertainty_percent)
    return certificate.kind in {"calibration", "internal"} and None not in stated


def _percent(text: str) -> Fraction | None:
    try:
        return Fraction(Decimal(text)) if text.strip() else None
    except (InvalidOperation, ValueError):
        return None
