"""One message to ourselves with Eclipse Paho. Arguments: port, CA file, certificate, key, client id, topic, protocol (4 or 5)."""
import sys

import paho.mqtt.client as mqtt

port, ca, cert, key, client_id, topic, protocol = sys.argv[1:]
version = int(protocol)
# Paho 2 wants to be told that its first form of callbacks is meant.
first = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*first, client_id=client_id, protocol=version)
client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)


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
client.connect("localhost", int(port), keepalive=30)
client.loop_forever()
