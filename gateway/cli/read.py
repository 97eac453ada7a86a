"""``meterproof read SITE DEVICE``: one meter, once; nothing is journaled."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from gateway.acquisition.timeouts import CAP_S
from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.assembly.plugins import is_polling
from gateway.assembly.site_loading import AssembledDevice, AssembledEndpoint, load_assembled_site
from gateway.domain.device import Channel, ChannelKind, RequestGroup
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.quality import flags_of, status_of
from gateway.domain.reading import Outcome
from gateway.i18n import text
from gateway.i18n.recorded import detail
from gateway.i18n.terms import quality_terms, term
from gateway.ports import Answer

EXIT_NOTHING_READ = 1
ATTEMPTS = 2


@click.command("read")
@click.argument("site", type=click.Path(path_type=Path))
@click.argument("device")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(language: str, *, site: Path, device: str, as_json: bool) -> None:
    """Read one meter once: raw words, values, quality. 读取一台表计一次：原始报文字、数值、质量。"""
    assembled = load_assembled_site(site, language=language)
    endpoint, found = _find(assembled.endpoints, device)
    if not is_polling(endpoint.driver):
        raise MeterproofError("device '%(device)s' sends by itself; it cannot be asked", device=device)
    report = asyncio.run(_read(endpoint, found))
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _sentences(report, language))
    if not any(reading["value"] is not None for group in report["groups"] for reading in group["readings"]):
        click.get_current_context().exit(EXIT_NOTHING_READ)


def _find(endpoints: tuple[AssembledEndpoint, ...], device: str) -> tuple[AssembledEndpoint, AssembledDevice]:
    for endpoint in endpoints:
        for each in endpoint.devices:
            if each.device.id == device:
                return endpoint, each
    raise UnknownObjectError("the site file has no device '%(device)s'", device=device)


async def _read(endpoint: AssembledEndpoint, found: AssembledDevice) -> dict[str, Any]:
    driver = endpoint.driver
    assert is_polling(driver)
    link = driver.open(
        endpoint.id, endpoint.connection, clock=SystemClock(), streams=SystemStreams(), random=SystemRandom()
    )
    groups = []
    try:
        for group in found.device.groups:
            plan = found.plans[group.id]
            answers = []
            for request in plan.requests:
                answer = Answer(outcome=Outcome.UNREACHABLE.value)
                for _ in range(ATTEMPTS):
                    answer = await link.exchange(found.device, request, CAP_S)
                    if answer.outcome in {Outcome.OK, Outcome.EXCEPTION}:
                        break
                answers.append(answer)
            values, quality, findings = plan.decode([answer.data for answer in answers])
            groups.append(
                {
                    "group": group.id,
                    "requests": [_answer(answer) for answer in answers],
                    "readings": _readings(group, values, quality),
                    "findings": [each.document() for each in findings],
                }
            )
    finally:
        await link.close()
    return {"device": found.device.id, "endpoint": endpoint.id, "profile": found.device.profile, "groups": groups}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "outcome": answer.outcome,
        "code": answer.code,
        "detail": answer.detail,
        "raw": None if answer.data is None else answer.data.hex(),
        "elapsed_ms": max(answer.received_us - answer.sent_us, 0) / 1_000,
    }


def _readings(
    group: RequestGroup, values: tuple[int | str | None, ...], quality: tuple[int, ...]
) -> list[dict[str, Any]]:
    return [
        {
            "channel": channel.id,
            "value": _shown(channel, value),
            "unit": channel.unit,
            "quality": status_of(word).name.lower(),
            "flags": [flag.name.lower() for flag in flags_of(word) if flag.name],
            "word": word,
        }
        for channel, value, word in zip(group.channels, values, quality, strict=True)
        if value is not None or flags_of(word)
    ]


def _shown(channel: Channel, value: int | str | None) -> str | None:
    """The value in the channel's unit, to its resolution."""
    if value is None or channel.kind is ChannelKind.TEXT or isinstance(value, str):
        return None if value is None else str(value)
    return str(Decimal(value).scaleb(-channel.decimals))


def _sentences(report: dict[str, Any], language: str) -> str:
    lines = [f"{report['device']} ({report['profile']}, {report['endpoint']})"]
    for group in report["groups"]:
        lines.append(f"[{group['group']}]")
        for answer in group["requests"]:
            raw = answer["raw"]
            if raw is None:
                why = [str(answer["code"] or ""), detail(language, answer["detail"])]
                lines.append(" ".join(["  " + term(language, "outcome", answer["outcome"]), *filter(None, why)]))
            else:
                words = " ".join(raw[place : place + 4] for place in range(0, len(raw), 4))
                lines.append(f"  {words}")
        unread = [each for each in group["readings"] if each["value"] is None and each["flags"] == ["not_read"]]
        if unread:
            lines.append("  " + text(language, "%(count)s channels without a value: not read", count=len(unread)))
        for reading in group["readings"]:
            if reading in unread:
                continue
            value = text(language, "no value") if reading["value"] is None else reading["value"]
            status, said = quality_terms(language, reading["word"])
            flags = f": {('、' if language == 'zh' else ', ').join(said)}" if said else ""
            unit = "" if reading["unit"] == "1" or reading["value"] is None else f" {reading['unit']}"
            lines.append(f"  {reading['channel']}: {value}{unit} ({status}{flags})")
    return "\n".join(lines)
