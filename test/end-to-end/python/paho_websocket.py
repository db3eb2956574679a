"""One message to ourselves with Eclipse Paho over WebSocket. Arguments: URL, CA file, client id, topic, protocol (4 or 5), and a certificate and key, if any."""
import sys
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

url, ca, client_id, topic, protocol, *pair = sys.argv[1:]
parts = urlsplit(url)
# Paho 2 wants to be told that its first form of callbacks is meant.
first = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*first, client_id=client_id, protocol=int(protocol), transport="websockets")
client.ws_set_options(path=f"{parts.path}?{parts.query}" if parts.query else parts.path)
if parts.scheme == "wss":
    certificate, key = pair or (None, None)
    client.tls_set(ca_certs=ca, certfile=certificate, keyfile=key)


def on_connect(client, _userdata, _flags, code, *_properties):
    if code != 0:
        sys.exit(f"not let in: {code}")
    client.subscribe(topic, qos=1)


def on_message(client, _userdata, message):
    print(message.topic, message.payload.decode(), message.qos)
    client.disconnect()


client.on_connect = on_connect
client.on_subscribe = lambda client, *_: client.publish(topic, "by Paho", qos=1)
client.on_message = on_message
client.connect(parts.hostname, parts.port, keepalive=30)
client.loop_forever()
