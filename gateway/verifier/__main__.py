"""``meterproof-verify PATH``: is everything still as it was sealed? Exit 0 only when all holds."""

import argparse
import locale
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.folder import FolderCheck
from gateway.verifier.package import PackageCheck
from gateway.verifier.proof import check_proof
from gateway.verifier.report import Report

EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE = 0, 1, 2
MAX_SMALL_FILE_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, check, print; the exit code."""
    options = _parser().parse_args(arguments)
    report = verify(options)
    language = options.lang or _language()
    text = report.json(language) if options.json else "\n".join(report.lines(language))
    sys.stdout.write(text + "\n")
    return EXIT_OK if report.ok else EXIT_PROBLEMS


def verify(options: argparse.Namespace) -> Report:
    """Everything the options ask for, as one report."""
    report = Report()
    path = Path(options.path)
    report.about["path"] = str(path)
    given = Options(key=_key(report, options.key), against=[])
    for name in options.against or []:
        signed = _outside(report, Path(name))
        if signed is not None:
            given.against.append(signed)
    try:
        _dispatch(report, path, given, options)
    except OSError as error:
        report.broken("input.unreadable", str(path), reason=error.strerror or error)
    return report


def _dispatch(report: Report, path: Path, given: Options, options: argparse.Namespace) -> None:
    if path.is_dir() and ((path / "journal.sqlite").is_file() or (path / "archive").is_dir()):
        FolderCheck(path, report, given).run()
    elif path.suffix == ".zip" or (path / "manifest.json").is_file():
        PackageCheck(path, report, given).run()
    elif path.suffix == ".tlog-proof":
        entry = Path(options.entry).read_bytes() if options.entry else None
        check_proof(report, _small(path), entry, given.key)
    else:
        report.broken("input.unknown", str(path))


def _key(report: Report, text: str | None) -> notes.Key | None:
    """A key given as text or as the name of a file that holds it."""
    if text is None:
        return None
    try:
        path = Path(text)
        return notes.parse_key(_small(path).decode("utf-8", "replace") if path.is_file() else text)
    except (notes.NoteError, OSError) as error:
        report.broken("key.malformed", "--key", reason=error)
        return None


def _outside(report: Report, path: Path) -> Signed | None:
    """A checkpoint that somebody received earlier: a note, or a proof that ends in one."""
    try:
        content = _small(path)
        if content.startswith(notes.PROOF_HEADER.encode()):
            return Signed(str(path), notes.parse_proof(content).checkpoint, outside=True)
        return Signed(str(path), notes.parse_checkpoint(content), outside=True)
    except (notes.NoteError, OSError) as error:
        report.broken("checkpoint.malformed", str(path), reason=error)
        return None


def _small(path: Path) -> bytes:
    if path.stat().st_size > MAX_SMALL_FILE_BYTES:
        raise OSError(f"{path} is too large for what it should be")
    return path.read_bytes()


def _language() -> str:
    wish = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "en" if wish.lower().startswith("en") else "zh"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="meterproof-verify",
        description="Check a data folder, an archive copy, an evidence package or one proof."
        " / 核验数据文件夹、归档副本、证据包或单个证明。",
        epilog="Exit 0: everything holds. 1: a problem was found. 2: wrong usage.",
    )
    parser.add_argument("path", help="data folder, archive copy, package (.zip or unpacked) or .tlog-proof file")
    parser.add_argument("--key", help="the log's public key (text or file), received earlier from the plant")
    parser.add_argument(
        "--against", action="append", metavar="CHECKPOINT", help="a checkpoint received earlier; repeatable"
    )
    parser.add_argument("--entry", help="with a .tlog-proof: the file that holds the entry's bytes")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of the sentences")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
