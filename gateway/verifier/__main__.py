"""``meterproof-verify PATH``: is everything still as it was sealed? Exit 0 only when all holds."""

import argparse
import io
import locale
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.verifier import notes
from gateway.verifier.checkpoints import Options, Signed
from gateway.verifier.compare import Comparison
from gateway.verifier.folder import FolderCheck
from gateway.verifier.influx import influx_comparison
from gateway.verifier.package import PackageCheck, container_of
from gateway.verifier.proof import check_proof
from gateway.verifier.report import Report
from gateway.verifier.series import series_comparison

EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE = 0, 1, 2
MAX_SMALL_FILE_BYTES = 1 << 20


def main(arguments: Sequence[str] | None = None, here: str | None = None) -> int:
    """Parse the command line, check, print; the exit code. ``here``: what is checked where no path is given."""
    options = _parser(here).parse_args(arguments)
    report = verify(options)
    language = options.lang or _language()
    text = report.json(language) if options.json else "\n".join(report.lines(language))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a console that lacks a character still shows the result
    sys.stdout.write(text + "\n")
    return EXIT_OK if report.ok else EXIT_PROBLEMS


def verify(options: argparse.Namespace) -> Report:
    """Everything the options ask for, as one report."""
    report = Report()
    path = Path(options.path)
    report.about["path"] = str(path)
    given = Options(key=_key(report, options.key), against=[])
    for name in options.reviewer or []:
        reviewer = _key(report, name)
        if reviewer is not None:
            given.reviewers.append(reviewer)
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
        _folder(report, path, given, options)
    elif path.suffix == ".zip" or (path / "manifest.json").is_file():
        PackageCheck(path, report, given).run()
    elif path.suffix == ".tlog-proof":
        entry = Path(options.entry).read_bytes() if options.entry else None
        check_proof(report, _small(path), entry, given.key)
    else:
        report.broken("input.unknown", str(path))


def _folder(report: Report, path: Path, given: Options, options: argparse.Namespace) -> None:
    """A data folder, and the stores that were filled from it."""
    comparisons: list[Comparison] = []
    if (path / "series").is_dir() and not options.no_series:
        comparisons.append(series_comparison(report, path / "series"))
    elif (path / "journal.sqlite").is_file():
        report.note("note.no_series", "series")
    if options.influx:
        if not options.influx_db or not options.influx_site:
            report.broken("input.unreadable", options.influx, reason="--influx-db, --influx-site")
            return
        comparisons.append(influx_comparison(report, options.influx, options.influx_db, options.influx_site))
    check = FolderCheck(path, report, given, [each.take for each in comparisons])
    check.run()
    for each in comparisons:
        each.finish(check.parsed_again)


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
    """A checkpoint that somebody received earlier: a note, a proof that ends in one, or a package that holds one."""
    try:
        package = path.is_dir() or path.suffix == ".zip"
        # the proof's checkpoint is the one that a package hands out; it continues the package's own
        content = container_of(path).read("manifest.tlog-proof") if package else _small(path)
        if content.startswith(notes.PROOF_HEADER.encode()):
            return Signed(str(path), notes.parse_proof(content).checkpoint, outside=True)
        return Signed(str(path), notes.parse_checkpoint(content), outside=True)
    except Exception as error:  # noqa: BLE001  # zlib and zipfile raise what they like on damaged input
        report.broken("checkpoint.malformed", str(path), reason=error)
        return None


def _small(path: Path) -> bytes:
    if path.stat().st_size > MAX_SMALL_FILE_BYTES:
        raise OSError(f"{path} is too large for what it should be")
    return path.read_bytes()


def _language() -> str:
    wish = os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or ""
    return "en" if wish.lower().startswith("en") else "zh"


def _parser(here: str | None = None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="meterproof-verify",
        description="Check a data folder, an archive copy, an evidence package or one proof."
        " / 核验数据文件夹、归档副本、证据包或单个证明。",
        epilog="Exit 0: everything holds. 1: a problem was found. 2: wrong usage.",
    )
    parser.add_argument(
        "path",
        nargs="?" if here else None,
        default=here,
        help="data folder, archive copy, package (.zip or unpacked) or .tlog-proof file",
    )
    parser.add_argument("--key", help="the log's public key (text or file), received earlier from the plant")
    parser.add_argument(
        "--against",
        action="append",
        metavar="CHECKPOINT",
        help="a checkpoint received earlier, or an earlier package; repeatable",
    )
    parser.add_argument(
        "--reviewer",
        action="append",
        metavar="KEY",
        help="a reviewer's public key, received from the authority; repeatable",
    )
    parser.add_argument("--entry", help="with a .tlog-proof: the file that holds the entry's bytes")
    parser.add_argument("--no-series", action="store_true", help="do not compare the folder's own series store")
    parser.add_argument("--influx", metavar="URL", help="also compare InfluxDB; credentials from METERPROOF_INFLUX_*")
    parser.add_argument("--influx-db", metavar="NAME", help="its database (or bucket, through the 1.x interface)")
    parser.add_argument("--influx-site", metavar="SITE", help="the value of the tag 'site'")
    parser.add_argument("--lang", choices=("zh", "en"), help="language of the sentences")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
