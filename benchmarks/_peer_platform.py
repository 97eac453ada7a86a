"""Answers what thingsboard-gateway asks the platform it reports to: ``python -m benchmarks._peer_platform PORT``."""

import json
import sys
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

LIMITS = {"messages": "0:0,", "telemetryMessages": "0:0,", "telemetryDataPoints": "0:0,"}
SESSION = {"maxPayloadSize": 65_536, "maxInflightMessages": 1_000, "rateLimits": LIMITS, "gatewayRateLimits": LIMITS}


def main(port: int) -> None:
    """Serve until ended."""
    client = paho.Client(CallbackAPIVersion.VERSION2)

    def asked(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        number = message.topic.rpartition("/")[2]
        if "rpc/request" in message.topic:
            if b"getSessionLimits" in message.payload:
                client.publish(f"v1/devices/me/rpc/response/{number}", json.dumps(SESSION), 1)
        else:
            client.publish(f"v1/devices/me/attributes/response/{number}", "{}", 1)

    client.on_message = asked
    client.connect("127.0.0.1", port)
    client.subscribe([("v1/devices/me/rpc/request/+", 1), ("v1/devices/me/attributes/request/+", 1)])
    client.loop_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]))
