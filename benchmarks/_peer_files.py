"""Configuration files of the peers: the same meters, the same values, the same period, delivered to the same broker.

Meter k listens on 127.0.0.k and holds 40 float32, most significant register first, in holding registers from 0; its
unit is one of eight whose registers, read as float32, are numbers of the usual size. What a peer cannot say is named in
benchmarks/README.md.
"""

import json
from pathlib import Path
from typing import Any

METERS = 50
FLOATS = 40
PERIOD_MS = 1_000
HOST = "127.0.0.1"


UNITS = (17, 18, 82, 83, 148, 149, 213, 214)


def unit(meter: int) -> int:
    """The unit meter ``meter`` (from 1) answers as."""
    return UNITS[meter % len(UNITS)]


def address(meter: int) -> str:
    """Where meter ``meter`` (from 1) listens."""
    return f"127.0.0.{meter}"


def name(meter: int) -> str:
    """What it is called in topics."""
    return f"m{meter:03d}"


def modpoll(path: Path) -> None:
    """modpoll knows one host: all units on the first address, which answers for any."""
    lines = []
    for meter in range(1, METERS + 1):
        lines += [f"device,{name(meter)},{unit(meter)},,", f"poll,holding_register,0,{2 * FLOATS},BE_BE"]
        lines += [f"ref,p{n},{2 * n},float32,rw" for n in range(FLOATS)]
    path.write_text("\n".join(lines) + "\n")


def collectd(path: Path, port: int, mqtt: int, plugins: Path) -> None:
    """collectd asks once a value; it has no block reads."""
    seconds = PERIOD_MS / 1_000
    lines = [
        f"Interval {seconds}",
        'Hostname "bench"',
        "FQDNLookup false",
        "ReadThreads 5",
        f'PluginDir "{plugins}"',
        f'TypesDB "{plugins.parents[1] / "share" / "collectd" / "types.db"}"',
        f'BaseDir "{path.parent}"',
        "LoadPlugin modbus",
        "LoadPlugin mqtt",
        "<Plugin modbus>",
    ]
    for n in range(FLOATS):
        lines += [f'<Data "p{n}">', f"RegisterBase {2 * n}", "RegisterType Float", "RegisterCmd ReadHolding"]
        lines += ["Type gauge", f'Instance "p{n}"', "</Data>"]
    for meter in range(1, METERS + 1):
        lines += [f'<Host "{name(meter)}">', f'Address "{address(meter)}"', f'Port "{port}"', f"Interval {seconds}"]
        lines += [
            f"<Slave {unit(meter)}>",
            'Instance "x"',
            *(f'Collect "p{n}"' for n in range(FLOATS)),
            "</Slave>",
            "</Host>",
        ]
    lines += ["</Plugin>", "<Plugin mqtt>", '<Publish "b">', f'Host "{HOST}"', f"Port {mqtt}", 'Prefix "collectd"']
    lines += ["QoS 0", "StoreRates false", "</Publish>", "</Plugin>"]
    path.write_text("\n".join(lines) + "\n")


def node_red(folder: Path, port: int, mqtt: int, admin: int) -> None:
    """A flow a meter: modbus-read, a function that takes the floats apart, mqtt out."""
    decode = (
        "const b = msg.responseBuffer.buffer; const o = {};\n"
        f"for (let i = 0; i < {FLOATS}; i++) o['p' + i] = b.readFloatBE(4 * i);\n"
        "return {topic: 'nr/' + msg.topic, payload: JSON.stringify(o)};"
    )
    broker = {"id": "brk", "type": "mqtt-broker", "broker": HOST, "port": str(mqtt), "autoConnect": True}
    flow: list[dict[str, Any]] = [
        {"id": "tab", "type": "tab", "label": "bench"},
        {**broker, "usetls": False, "protocolVersion": "4", "keepalive": "60", "cleansession": True},
        {"id": "out", "type": "mqtt out", "z": "tab", "qos": "0", "retain": "false", "broker": "brk", "wires": []},
        {"id": "fn", "type": "function", "z": "tab", "outputs": 1, "wires": [["out"]], "func": decode},
    ]
    for meter in range(1, METERS + 1):
        client: dict[str, Any] = {"id": f"cl{meter}", "type": "modbus-client", "name": name(meter), "clienttype": "tcp"}
        client |= {"bufferCommands": True, "tcpHost": address(meter), "tcpPort": str(port), "tcpType": "DEFAULT"}
        client |= {
            "unit_id": str(unit(meter)),
            "commandDelay": "1",
            "clientTimeout": "1000",
            "reconnectOnTimeout": True,
        }
        client |= {"reconnectTimeout": "2000", "parallelUnitIdsAllowed": True}
        reader: dict[str, Any] = {
            "id": f"rd{meter}",
            "type": "modbus-read",
            "z": "tab",
            "name": name(meter),
            "topic": name(meter),
        }
        reader |= {"unitid": str(unit(meter)), "dataType": "HoldingRegister", "adr": "0", "quantity": str(2 * FLOATS)}
        reader |= {"rate": str(PERIOD_MS), "rateUnit": "ms", "server": f"cl{meter}", "wires": [["fn"], []]}
        flow += [client, reader]
    (folder / "flows.json").write_text(json.dumps(flow))
    settings: dict[str, Any] = {"uiHost": HOST, "uiPort": admin, "flowFile": "flows.json", "credentialSecret": False}
    settings |= {"logging": {"console": {"level": "warn", "metrics": False, "audit": False}}}
    settings |= {"diagnostics": {"enabled": False}, "telemetry": {"enabled": False}}
    (folder / "settings.js").write_text(f"module.exports = {json.dumps(settings)};\n")


def thingsboard(folder: Path, port: int, mqtt: int) -> None:
    """A tag a value, as its documentation shows; the platform it reports to is the broker and ``_peer_platform``."""
    limits = dict.fromkeys(
        ("rateLimits", "dpRateLimits", "messagesRateLimits", "deviceMessagesRateLimits", "deviceRateLimits",
         "deviceDpRateLimits"), "0:0,",
    )  # fmt: skip
    platform = {
        "host": HOST, "port": mqtt, "remoteShell": False, "remoteConfiguration": False, "latencyDebugMode": False,
        "statistics": {"enable": False, "statsSendPeriodInSeconds": 60, "customStatsSendPeriodInSeconds": 3_600},
        "deviceFiltering": {"enable": False, "filterFile": "list.json"}, "maxPayloadSizeBytes": 65_536,
        "minPackSendDelayMS": 10, "minPackSizeToSend": 500, "checkConnectorsConfigurationInSeconds": 60,
        "handleDeviceRenaming": True, "security": {"type": "accessToken", "accessToken": "bench"}, "qos": 1,
        "reportStrategy": {"type": "ON_RECEIVED"},
        "checkingDeviceActivity": {
            "checkDeviceInactivity": False, "inactivityTimeoutSeconds": 300, "inactivityCheckPeriodSeconds": 10,
        },
        **limits,
    }  # fmt: skip
    gateway = {
        "thingsboard": platform,
        "storage": {"type": "memory", "read_records_count": 1_000, "max_records_count": 1_000_000},
        "grpc": {"enabled": False, "serverPort": 9_595},
        "connectors": [{"type": "modbus", "name": "bench", "configuration": "modbus.json"}],
    }
    tags = [
        {"tag": f"p{n}", "type": "32float", "functionCode": 3, "objectsCount": 2, "address": 2 * n}
        for n in range(FLOATS)
    ]
    slave = {
        "port": port, "type": "tcp", "method": "socket", "deviceType": "default", "timeout": 3, "byteOrder": "BIG",
        "wordOrder": "BIG", "retries": 1, "retryOnEmpty": False, "retryOnInvalid": False, "pollPeriod": PERIOD_MS,
        "connectAttemptTimeMs": 1_000, "connectAttemptCount": 5, "waitAfterFailedAttemptsMs": 5_000,
        "attributes": [], "timeseries": tags, "attributeUpdates": [], "rpc": [],
    }  # fmt: skip
    slaves = [
        {**slave, "host": address(meter), "unitId": unit(meter), "deviceName": name(meter)}
        for meter in range(1, METERS + 1)
    ]
    (folder / "tb_gateway.json").write_text(json.dumps(gateway))
    (folder / "modbus.json").write_text(
        json.dumps({"name": "bench", "logLevel": "ERROR", "master": {"slaves": slaves}})
    )
    (folder / "list.json").write_text("[]")
    console = {"class": "logging.StreamHandler", "level": "WARNING", "stream": "ext://sys.stdout"}
    quiet = {"handlers": ["console"], "level": "ERROR", "propagate": False}
    names = ("database", "service", "connector", "converter", "tb_connection", "storage", "extension")
    logs: dict[str, Any] = {"version": 1, "disable_existing_loggers": False, "handlers": {"console": console}}
    logs |= {"loggers": dict.fromkeys(names, quiet), "root": {"level": "ERROR", "handlers": ["console"]}}
    (folder / "logs.json").write_text(json.dumps(logs))
