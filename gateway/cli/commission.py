"""``meterproof commission SITE METER``: is this profile right for this meter? METER is a device or a metering point."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import click

from gateway.assembly.platform import SystemClock, SystemRandom, SystemStreams
from gateway.assembly.plugins import is_polling
from gateway.assembly.site_loading import AssembledDevice, AssembledEndpoint, load_assembled_site
from gateway.domain.device import Device, RequestGroup
from gateway.domain.errors import MeterproofError, UnknownObjectError
from gateway.domain.ledger import Installation, InstallationRole
from gateway.i18n import text
from gateway.i18n.recorded import recorded
from gateway.journal.folder import DataFolder
from gateway.ports import Clock, Link
from gateway.registry.registry import Registry

EXIT_OTHER_FITS_BETTER = 1
CLEARLY_BETTER = 0.05
SMALL_RESIDUAL = 0.0005
SHOWN = 6


@runtime_checkable
class Commissioning(Protocol):
    """A polling driver that can question a profile."""

    async def commission(
        self,
        link: Link,
        device: Device,
        profile: Mapping[str, Any],
        group: RequestGroup,
        connection: Mapping[str, Any],
        *,
        clock: Clock,
        interval_s: float,
    ) -> list[Any]:
        """Ways to read the meter, best first: ``order``, ``shift``, ``score``, ``residual``, ``laws``, ``differs``."""
        ...


@click.command("commission")
@click.argument("site", type=click.Path(path_type=Path))
@click.argument("meter")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data folder of the ledger; else the site's.",
)
@click.option("--group", help="Which group of the profile; the first one where it is not said.")
@click.option(
    "--interval", "interval_s", type=click.FloatRange(0, 3600), default=10, show_default=True, help="Seconds."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def command(
    language: str,
    *,
    site: Path,
    meter: str,
    data: Path | None,
    group: str | None,
    interval_s: float,
    as_json: bool,
) -> None:
    """Score word orders and addresses of a meter against physics. 按物理规律核对字节序与地址。

    METER is a device of the site file, or a metering point of the ledger: then the meter installed there now is asked.
    Exit code 1 when another reading fits clearly better than the profile as written.
    """
    assembled = load_assembled_site(site, language=language)
    known = {each.device.id for each in assembled.devices}
    device = meter if meter in known else _device_at(meter, data or assembled.data_folder)
    endpoint, found = _find(assembled.endpoints, device)
    if not isinstance(endpoint.driver, Commissioning):
        raise MeterproofError("device '%(device)s' sends by itself; it cannot be asked", device=device)
    groups = {each.id: each for each in found.device.groups}
    if group is not None and group not in groups:
        raise UnknownObjectError("the profile has no group '%(group)s'", group=group)
    chosen = groups[group] if group is not None else found.device.groups[0]
    results = asyncio.run(_commission(endpoint, found, chosen, interval_s))
    written = next((each for each in results if each.order == "as written" and each.shift == 0), None)
    best = results[0]
    fits = written is not None and _as_good(written, best)
    alike = (
        [each for each in results if written is not None and each.differs and _as_good(each, written)] if fits else []
    )
    if as_json:
        report = {
            "meter": meter,
            "device": device,
            "group": chosen.id,
            "fits": fits,
            "alike": [{"order": each.order, "shift": each.shift} for each in alike],
            "readings": [each.document() for each in results],
        }
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        if meter != device:
            click.echo(text(language, "metering point %(point)s: device %(device)s", point=meter, device=device))
        _print(results, fits, language)
        if alike:
            ways = ", ".join(f"{each.order} {each.shift:+d}" for each in alike)
            click.echo(
                text(language, "Physics cannot tell it from %(ways)s here: compare with the display.", ways=ways)
            )
    if not fits:
        click.get_current_context().exit(EXIT_OTHER_FITS_BETTER)


def _as_good(written: Any, best: Any) -> bool:
    """Whether the profile's own reading is not clearly worse than the best: fewer laws kept, or kept far less well."""
    return bool(best.score - written.score <= CLEARLY_BETTER and written.residual <= 3 * best.residual + SMALL_RESIDUAL)


def _device_at(point: str, path: Path) -> str:
    """The device through which the meter installed at a metering point now is read; UnknownObjectError when there is
    none, or more than one."""
    if not (path / "registry.sqlite").exists():
        raise UnknownObjectError(
            "'%(name)s' is no device of the site file, and there is no ledger to look in", name=point
        )
    folder = DataFolder.open(path, read_only=True)
    registry = Registry.open(folder.registry)
    try:
        fitted = registry.installations_of_point(folder.organisation, point, SystemClock().utc_us())
    finally:
        registry.close()
    installations = [record.read_as(Installation) for record in fitted]
    devices = sorted({each.device for each in installations if each.role == InstallationRole.METER and each.device})
    if len(devices) != 1:
        raise UnknownObjectError(
            "'%(name)s' is no device of the site file; read at such a metering point: %(count)s devices (%(devices)s)",
            name=point,
            count=str(len(devices)),
            devices=", ".join(devices) or "-",
        )
    return devices[0]


def _find(endpoints: tuple[AssembledEndpoint, ...], device: str) -> tuple[AssembledEndpoint, AssembledDevice]:
    for endpoint in endpoints:
        for each in endpoint.devices:
            if each.device.id == device:
                return endpoint, each
    raise UnknownObjectError("the site file has no device '%(device)s'", device=device)


async def _commission(
    endpoint: AssembledEndpoint, found: AssembledDevice, group: RequestGroup, interval_s: float
) -> list[Any]:
    driver = endpoint.driver
    assert is_polling(driver)
    assert isinstance(driver, Commissioning)
    clock = SystemClock()
    link = driver.open(endpoint.id, endpoint.connection, clock=clock, streams=SystemStreams(), random=SystemRandom())
    try:
        return await driver.commission(
            link, found.device, found.profile, group, endpoint.connection, clock=clock, interval_s=interval_s
        )
    finally:
        await link.close()


def _print(results: list[Any], fits: bool, language: str) -> None:
    for each in results[:SHOWN]:
        order = text(language, "as written") if each.order == "as written" else each.order
        shift = f"{each.shift:+d}" if each.shift else " 0"
        click.echo(text(language, "%(score)s  order %(order)s, addresses %(shift)s",
                        score=f"{each.score:5.2f}", order=order, shift=shift))  # fmt: skip
        for law in each.laws:
            if not law.holds:
                click.echo(f"         ✗ {recorded(language, law.name)}: {law.detail}")
    if fits:
        click.echo(text(language, "The profile as written fits best."))
    else:
        click.echo(text(language, "Another reading fits better than the profile; see the first line."))
