"""Why a certificate file is not taken."""

from gateway.domain.errors import MeterproofError


class CertificateRefusedError(MeterproofError):
    """The file cannot be put on record: an attack, damage, an unknown structure, or something missing."""

    exit_code = 2


class MissingContentError(CertificateRefusedError):
    """What a record of a calibration needs and the file does not say; ``missing`` are the places looked at."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__("the certificate lacks: %(missing)s", missing="; ".join(missing))
        self.missing = missing
