"""A ledger row cannot name a file that is not kept: the entry would let no verification pass again."""

import pytest

from gateway.domain.errors import ConfigurationError
from tests.unit.gateway.registry.test_importing import FILES, data, objects, run, write

__all__ = ["data"]
DIGEST = "ab" * 32


def with_document(digest: str) -> dict[str, str]:
    head, row = FILES["certificates.csv"].splitlines()
    return FILES | {"certificates.csv": f"{head},文件哈希\n{row},{digest}\n"}


@pytest.mark.parametrize("digest", [DIGEST, "cert.pdf", "../../etc/passwd", DIGEST.upper()])
def test_a_file_that_is_not_kept_is_refused_before_anything_is_written(data, tmp_path, digest):
    folder = write(tmp_path / "in", with_document(digest))
    with pytest.raises(ConfigurationError) as refused:
        run("import", folder, "--data", data.path)
    assert "names the file" in str(refused.value.lines)
    assert not [each for each in objects(data) if "certificate" in str(each)]


def test_a_kept_file_is_accepted(data, tmp_path):
    (data.blobs / DIGEST).write_bytes(b"x")
    assert "put on record" in run("import", write(tmp_path / "in", with_document(DIGEST)), "--data", data.path)
