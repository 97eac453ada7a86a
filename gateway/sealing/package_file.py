"""The package as a file: the verifier's copy inside it, the ZIP, the folder it is put together in."""

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from gateway.domain.errors import DataFolderError

ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def copy_verifier(work: Path) -> list[str]:
    """The verifier's sources and the page that needs no Python, as they are in this program."""
    names = ["verify.html", "verify.py", "gateway/__init__.py"]
    package = files("gateway.verifier")
    (work / "gateway" / "verifier").mkdir(parents=True)
    (work / "verify.html").write_bytes((package / "verify.html").read_bytes())
    (work / "verify.py").write_text(LAUNCHER, "utf-8")
    (work / "gateway" / "__init__.py").write_text('"""Holds the verifier only."""\n', "utf-8")
    for source in sorted(package.iterdir(), key=lambda each: each.name):
        if source.name.endswith(".py"):
            name = f"gateway/verifier/{source.name}"
            (work / name).write_bytes(source.read_bytes())
            names.append(name)
    return names


LAUNCHER = '''"""Check this package: unpack it and run ``python verify.py``; or ``python verify.py PACKAGE.zip``.

Needs Python 3.11 or newer and the package ``cryptography``. Without Python open verify.html in a browser.
"""

import sys
from pathlib import Path

from gateway.verifier.__main__ import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], str(Path(__file__).resolve().parent)))
'''


def write_zip(target: Path, head: dict[str, bytes], members: Sequence[tuple[str, Path]]) -> None:
    """Head members first, then the others from their files; DataFolderError when it cannot be written."""
    temporary = target.with_name(target.name + ".tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
            for name, content in head.items():
                package.writestr(_info(name), content)
            for name, path in members:
                with path.open("rb") as source, package.open(_info(name), "w", force_zip64=True) as into:
                    shutil.copyfileobj(source, into)
        temporary.replace(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, ZIP_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


@contextmanager
def work_folder(target: Path) -> Iterator[Path]:
    """A folder beside the target that is gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix=".package-", dir=target.absolute().parent) as name:
            yield Path(name)
    except OSError as error:
        raise _unwritable(target, error) from error


def _unwritable(target: Path, error: OSError) -> DataFolderError:
    return DataFolderError(
        "%(path)s cannot be written: %(reason)s", path=str(target), reason=error.strerror or str(error)
    )
