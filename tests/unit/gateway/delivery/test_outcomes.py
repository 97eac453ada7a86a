"""The outcome table, and how secrets come in."""

import json
from pathlib import Path

import pytest

from gateway.delivery.influx.outcomes import classify
from gateway.delivery.influx.settings import InfluxSettings
from gateway.delivery.port import AnswerKind, Point
from gateway.delivery.state import CourierState
from gateway.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    ("status", "error", "headers", "kind", "retry_after_s"),
    [
        (204, "", {}, AnswerKind.WRITTEN, None),
        (200, "", {}, AnswerKind.WRITTEN, None),
        (400, "partial write: field type conflict: x dropped=3", {}, AnswerKind.PARTIAL, None),
        (400, "partial write of line protocol occurred", {}, AnswerKind.PARTIAL, None),
        (422, "failure writing points", {}, AnswerKind.PARTIAL, None),
        (400, "unable to parse 'x': missing fields", {}, AnswerKind.REFUSED, None),
        (401, "authorization failed", {}, AnswerKind.HOLD, None),
        (403, "forbidden", {}, AnswerKind.HOLD, None),
        (404, 'database not found: "x"', {}, AnswerKind.HOLD, None),
        (405, "", {}, AnswerKind.HOLD, None),
        (307, "", {"Location": "elsewhere"}, AnswerKind.HOLD, None),
        (413, "Request Entity Too Large", {}, AnswerKind.TOO_LARGE, None),
        (408, "", {}, AnswerKind.RETRY, None),
        (429, "", {"retry-after": "7"}, AnswerKind.RETRY, 7.0),
        (500, "timeout", {}, AnswerKind.RETRY, None),
        (500, "retention policy not found: x", {}, AnswerKind.HOLD, None),
        (503, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, AnswerKind.RETRY, None),
    ],
)
def test_the_table(
    status: int, error: str, headers: dict[str, str], kind: AnswerKind, retry_after_s: float | None
) -> None:
    answer = classify(status, json.dumps({"error": error}).encode(), headers)
    assert (answer.kind, answer.retry_after_s) == (kind, retry_after_s)
    assert error in answer.detail or kind is AnswerKind.WRITTEN


def test_how_many_were_dropped_is_read() -> None:
    said = b'{"error":"partial write: points beyond retention policy dropped=12"}'
    assert classify(400, said, {}).refused == 12


@pytest.mark.parametrize("body", [b"", b"<html>proxy</html>", b"\xff\xfe", b"[1]", b"{" * 10_000])
def test_any_body_is_survived(body: bytes) -> None:
    assert classify(502, body, {}).kind is AnswerKind.RETRY
    assert len(classify(400, body, {}).detail) <= 300


def test_secrets_come_from_the_environment_or_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("t0ken\n")
    block = {"url": "http://h:1/", "bucket": "b", "token_file": str(secret), "username": "u", "password_env": "P"}
    settings = InfluxSettings.from_block(block, {"P": "pass"})
    assert (settings.token, settings.password, settings.url) == ("t0ken", "pass", "http://h:1")
    assert "t0ken" not in repr(settings)
    assert "pass" not in repr(settings)


def test_missing_secrets_are_all_named_in_the_readers_language(tmp_path: Path) -> None:
    block = {"url": "http://h", "database": "d", "token_file": str(tmp_path / "none"), "password_env": "NOT_SET"}
    with pytest.raises(ConfigurationError) as raised:
        InfluxSettings.from_block(block, {}, "zh")
    lines = "\n".join(raised.value.lines)
    assert len(raised.value.lines) == 2
    assert "NOT_SET" in lines
    assert "环境变量" in lines


@pytest.mark.parametrize(
    ("block", "database", "policy", "bucket"),
    [
        ({"database": "d"}, "d", None, "d"),
        ({"database": "d", "retention_policy": "r"}, "d", "r", "d/r"),
        ({"bucket": "b"}, "b", None, "b"),
        ({"bucket": "d/r"}, "d", "r", "d/r"),
    ],
)
def test_one_target_in_two_vocabularies(block: dict[str, str], database: str, policy: str | None, bucket: str) -> None:
    settings = InfluxSettings.from_block({"url": "http://h", **block}, {})
    assert (settings.v1_database, settings.v1_retention_policy, settings.v2_bucket) == (database, policy, bucket)


def test_cursor_and_dead_letters_move_together(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    state = CourierState(path)
    point = Point(b"line", "kiln", "main", 5, 9)
    state.settle(9, [(point, "because")], 1_000)
    state.settle(12, [], 2_000)
    state.close()
    again = CourierState(path, read_only=True)
    assert again.seq == 12
    [letter] = again.dead_letters()
    assert (letter.seq, letter.reason, letter.line, letter.since_us) == (9, "because", b"line", 1_000)
    assert again.dead_keys("kiln", "main", 0, 10) == {5: 9}
    again.close()
