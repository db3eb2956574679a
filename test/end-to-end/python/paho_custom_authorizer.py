"""One message to ourselves with Eclipse Paho and a custom authorizer. Arguments: port, CA file, user name, password, client id, topic, protocol (4 or 5)."""
import ssl
import sys

import paho.mqtt.client as mqtt

port, ca, user_name, password, client_id, topic, protocol = sys.argv[1:]
# Paho 2 wants to be told that its first form of callbacks is meant.
first = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
client = mqtt.Client(*first, client_id=client_id, protocol=int(protocol))
context = ssl.create_default_context(cafile=ca)
context.set_alpn_protocols(["mqtt"])
client.tls_set_context(context)
client.username_pw_set(user_name, password)


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
