#!/usr/bin/env python3
"""Reports the load of this machine over MQTT, with the certificate in DEVICE_FOLDER; --once sends one report and ends."""
import json
import os
import ssl
import sys
import threading
import time

import paho.mqtt.client as mqtt

ENVIRONMENT = os.environ
FOLDER = ENVIRONMENT["DEVICE_FOLDER"]


def new_client():
    """A client of paho-mqtt, whose second major version asks for the form of its callbacks."""
    arguments = {"client_id": ENVIRONMENT["DEVICE_CLIENT_ID"], "protocol": mqtt.MQTTv311}
    if hasattr(mqtt, "CallbackAPIVersion"):
        return mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, **arguments)
    return mqtt.Client(**arguments)


def report():
    """The machine's load and its uptime in seconds."""
    with open("/proc/uptime", encoding="ascii") as uptime:
        seconds = float(uptime.read().split()[0])
    return json.dumps({"time": int(time.time()), "load": os.getloadavg()[0], "uptime": seconds})


def main():
    client = new_client()
    client.tls_set(
        ca_certs=f"{FOLDER}/root-ca.pem",
        certfile=f"{FOLDER}/device.crt",
        keyfile=f"{FOLDER}/device.key",
        tls_version=ssl.PROTOCOL_TLS_CLIENT,
    )
    connected = threading.Event()
    client.on_connect = lambda _client, _data, _flags, code: connected.set() if code == 0 else print(f"refused: {code}")
    client.reconnect_delay_set(min_delay=1, max_delay=120)
    client.connect_async(ENVIRONMENT["DEVICE_HOST"], int(ENVIRONMENT["DEVICE_PORT"]), keepalive=60)
    client.loop_start()
    is_once = "--once" in sys.argv[1:]
    if not connected.wait(30 if is_once else None):
        sys.exit("not connected within 30 seconds")
    while True:
        sent = client.publish(ENVIRONMENT["DEVICE_TOPIC"], report(), qos=1)
        if is_once:
            sent.wait_for_publish()
            client.disconnect()
            client.loop_stop()
            return
        time.sleep(float(ENVIRONMENT["DEVICE_INTERVAL"]))


if __name__ == "__main__":
    main()
