"""The gateway as the demo sees it: a program on this machine, run by its command line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_STEP_LIMIT_S = 300
_KEPT = 2_000


class CommandError(Exception):
    """A command of the gateway failed. ``reason`` is the end of what it said."""

    def __init__(self, command: str, code: int, reason: str) -> None:
        super().__init__(f"{command}: {code}: {reason}")
        self.command = command
        self.code = code
        self.reason = reason


def gateway_command(language: str, *arguments: str | Path) -> list[str]:
    """The command line of a gateway command in a language: the program installed beside this Python."""
    beside = Path(sys.executable).with_name("meterproof")
    program = str(beside) if beside.is_file() else shutil.which("meterproof") or "meterproof"
    return [program, "--lang", language, *map(str, arguments)]


def run_step(language: str, *arguments: str | Path, codes: Sequence[int] = (0,)) -> str:
    """Run a short command to its end and give what it printed; CommandError when it fails."""
    command = gateway_command(language, *arguments)
    done = subprocess.run(  # noqa: S603  # our own program
        command, input=b"", capture_output=True, check=False, timeout=_STEP_LIMIT_S
    )
    output = done.stdout.decode("utf-8", "replace")
    if done.returncode not in codes:
        said = (done.stderr.decode("utf-8", "replace") or output).strip()
        raise CommandError(f"meterproof {arguments[0]}", done.returncode, said[-_KEPT:])
    return output


def run_json(language: str, *arguments: str | Path, codes: Sequence[int] = (0,)) -> dict[str, Any]:
    """The JSON object a command prints; ``codes`` are the exit codes with which it may end."""
    output = run_step(language, *arguments, codes=codes)
    try:
        document = json.loads(output)
    except ValueError as error:
        raise CommandError(f"meterproof {arguments[0]}", 0, f"no JSON: {output[:200]}") from error
    if not isinstance(document, dict):
        raise CommandError(f"meterproof {arguments[0]}", 0, "no JSON object")
    return document


class Feeding:
    """A command that reads a long stream from its standard input."""

    def __init__(self, language: str, *arguments: str | Path) -> None:
        self._name = f"meterproof {arguments[0]}"
        self._child = subprocess.Popen(  # noqa: S603  # our own program
            gateway_command(language, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None,
        )

    def feed(self, lines: Sequence[bytes] | bytes) -> None:
        """Send lines; CommandError when the command has ended."""
        assert self._child.stdin is not None
        try:
            self._child.stdin.write(lines if isinstance(lines, bytes) else b"".join(lines))
        except BrokenPipeError as error:
            raise CommandError(self._name, self._child.wait(_STEP_LIMIT_S), "it stopped reading") from error

    def finish(self) -> str:
        """Close the stream, wait for the end, give what was printed; CommandError when it failed."""
        try:
            output, _ = self._child.communicate(timeout=_STEP_LIMIT_S)
        except BrokenPipeError:
            output = b""
        if self._child.wait(_STEP_LIMIT_S):
            raise CommandError(self._name, self._child.returncode, output.decode("utf-8", "replace")[-_KEPT:])
        return output.decode("utf-8", "replace")

    def abort(self) -> None:
        """End the command now; idempotent."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
