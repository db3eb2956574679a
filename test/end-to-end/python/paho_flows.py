"""Eclipse Paho as the flows drive it (flows/remote.ts): a line of JSON for each request, a line for each answer.
Arguments: protocol (4 or 5), transport (tls or wss), port, CA file, certificate, key."""
import json
import os
import queue
import socket
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

protocol, transport, port, ca, cert, key = sys.argv[1:]
FIVE = protocol == "5"
# Seconds for whatever the server owes an answer to.
PATIENCE = 15
# Paho 2 wants to be told that its first form of callbacks is meant.
FIRST = [mqtt.CallbackAPIVersion.VERSION1] if hasattr(mqtt, "CallbackAPIVersion") else []
NAMES = {
    "contentType": "ContentType",
    "responseTopic": "ResponseTopic",
    "payloadFormat": "PayloadFormatIndicator",
    "expiry": "MessageExpiryInterval",
}


def value_of(code):
    return getattr(code, "value", code)


def properties_for(kind, message):
    """Properties of a message as Paho has them; none for MQTT 3.1.1."""
    if not FIVE:
        return None
    made = Properties(kind)
    given = message.get("properties", {})
    for name, paho in NAMES.items():
        if name in given:
            setattr(made, paho, given[name])
    if "correlationData" in given:
        made.CorrelationData = given["correlationData"].encode()
    if "userProperties" in given:
        made.UserProperty = [tuple(pair) for pair in given["userProperties"]]
    if "topicAlias" in message:
        made.TopicAlias = message["topicAlias"]
    return made


def properties_of(made):
    found = {name: getattr(made, paho) for name, paho in NAMES.items() if hasattr(made, paho)}
    if hasattr(made, "CorrelationData"):
        found["correlationData"] = made.CorrelationData.decode()
    if hasattr(made, "UserProperty"):
        found["userProperties"] = [list(pair) for pair in made.UserProperty]
    return found


class FlowClient:
    def __init__(self, options):
        self.messages = queue.Queue()
        self.welcome = queue.Queue()
        self.pings = queue.Queue()
        self.end = queue.Queue()
        # By packet identifier, which Paho tells only after it has sent.
        self.answers = {}
        self.changed = threading.Condition()
        clean = options.get("clean", True)
        session = {} if FIVE else {"clean_session": clean}
        transport_name = "websockets" if transport == "wss" else "tcp"
        self.client = mqtt.Client(
            *FIRST,
            client_id=options["clientId"],
            protocol=int(protocol),
            transport=transport_name,
            reconnect_on_failure=False,
            **session,
        )
        self.client.tls_set(ca_certs=ca, certfile=cert, keyfile=key)
        if transport == "wss":
            self.client.ws_set_options(path="/mqtt")
        if "will" in options:
            will = options["will"]
            given = {"properties": properties_for(PacketTypes.WILLMESSAGE, will)} if FIVE else {}
            self.client.will_set(will["topic"], will["payload"], will.get("qos", 0), **given)
        self.client.on_connect = self.on_connect
        self.client.on_disconnect = lambda _client, _data, code, *_: self.end.put(value_of(code))
        self.client.on_message = self.on_message
        self.client.on_subscribe = lambda _client, _data, mid, codes, *_: self.answered(mid, value_of(list(codes)[0]))
        self.client.on_unsubscribe = lambda _client, _data, mid, *_: self.answered(mid, None)
        self.client.on_publish = lambda _client, _data, mid, *_: self.answered(mid, None)
        self.client.on_log = lambda _client, _data, _level, text: self.on_log(text)
        self.told_to_go = False
        given = {}
        if FIVE:
            made = Properties(PacketTypes.CONNECT)
            if "sessionExpiry" in options:
                made.SessionExpiryInterval = options["sessionExpiry"]
            given = {"clean_start": clean, "properties": made}
        self.client.connect("localhost", int(port), keepalive=options.get("keepAlive", 60), **given)
        # A thread that Paho knows of: without one, publish() writes beside it, and a WebSocket frame may go out twice.
        self.client.loop_start()
        code, flags, made = self.welcome.get(timeout=PATIENCE)
        if code != 0:
            raise RuntimeError(f"not let in: {code}")
        self.told = {"sessionPresent": flags["session present"] == 1}
        for name, paho in (("assignedClientId", "AssignedClientIdentifier"), ("sessionExpiry", "SessionExpiryInterval")):
            if hasattr(made, paho):
                self.told[name] = getattr(made, paho)

    def on_connect(self, _client, _data, flags, code, made=None):
        self.welcome.put((value_of(code), flags, made))

    def on_message(self, _client, _data, message):
        found = {"topic": message.topic, "payload": message.payload.decode(), "qos": message.qos, "retain": bool(message.retain)}
        if FIVE:
            found["properties"] = properties_of(message.properties)
        self.messages.put(found)

    def on_log(self, text):
        if "PINGRESP" in text:
            self.pings.put(text)
        self.told_to_go = self.told_to_go or text.startswith("Received DISCONNECT")

    def answered(self, mid, value):
        with self.changed:
            self.answers[mid] = value
            self.changed.notify_all()

    def answer(self, mid):
        with self.changed:
            if not self.changed.wait_for(lambda: mid in self.answers, PATIENCE):
                raise RuntimeError(f"no answer to packet {mid}")
            return self.answers.pop(mid)

    def subscribe(self, topic_filter, qos):
        return self.answer(self.client.subscribe(topic_filter, qos)[1])

    def unsubscribe(self, topic_filter):
        self.answer(self.client.unsubscribe(topic_filter)[1])

    def publish(self, message):
        given = {"properties": properties_for(PacketTypes.PUBLISH, message)} if FIVE else {}
        qos = message.get("qos", 0)
        sent = self.client.publish(message["topic"], message["payload"], qos, message.get("retain", False), **given)
        self.answer(sent.mid)
        # Of PUBACK, Paho 1 tells that it came, and not what it said.
        return None if FIVE and qos == 1 else 0

    def next(self):
        return self.messages.get(timeout=PATIENCE)

    def ping(self):
        # By itself, once the keep-alive is over. The line that flows wait for:
        print(self.pings.get(timeout=PATIENCE), file=sys.stderr, flush=True)

    def ended(self):
        code = self.end.get(timeout=PATIENCE)
        # Below 0x80 it is an error of Paho's own. Paho 1 reads a reason code only where properties follow it.
        if code >= 0x80:
            return {"reason": code}
        return {"reason": None} if self.told_to_go else {}

    def disconnect(self, options):
        given = {}
        if FIVE:
            made = Properties(PacketTypes.DISCONNECT)
            if "sessionExpiry" in options:
                made.SessionExpiryInterval = options["sessionExpiry"]
            given = {"properties": made}
        self.client.disconnect(**given)
        self.end.get(timeout=PATIENCE)

    def drop(self):
        # Behind Paho's back, by a second handle on its socket.
        with socket.socket(fileno=os.dup(self.client.socket().fileno())) as handle:
            handle.shutdown(socket.SHUT_RDWR)
        self.end.get(timeout=PATIENCE)


clients = {}
writing = threading.Lock()


def handle(request):
    number, verb = request["client"], request["verb"]
    answer = {"id": request["id"]}
    try:
        if verb == "connect":
            clients[number] = FlowClient(request["args"][0])
            answer["ok"] = clients[number].told
        else:
            answer["ok"] = getattr(clients[number], verb)(*request["args"])
    except Exception as error:
        answer["error"] = f"{type(error).__name__}: {error}"
    with writing:
        print(json.dumps(answer), flush=True)


for line in sys.stdin:
    threading.Thread(target=handle, args=(json.loads(line),), daemon=True).start()
