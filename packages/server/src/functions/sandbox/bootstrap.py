"""Runs a Python handler for Lambda's runtime API (version 2018-06-01): asks for an event, calls the handler, answers."""

import http.client
import importlib
import importlib.abc
import importlib.util
import json
import logging
import os
import sys
import time
import traceback

ADDRESS, _, PREFIX = os.environ["AWS_LAMBDA_RUNTIME_API"].partition("/")
BASE = f"/{PREFIX}/2018-06-01/runtime" if PREFIX else "/2018-06-01/runtime"


class Runtime:
    """One connection to the runtime API; without it there is nobody to work for."""

    def __init__(self):
        self.connection = http.client.HTTPConnection(ADDRESS)

    def ask(self, method, path, body=None):
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            self.connection.request(method, BASE + path, body, headers)
            response = self.connection.getresponse()
            return response, response.read()
        except OSError:
            os._exit(0)

    def report(self, path, error):
        self.ask("POST", path, json.dumps(error).encode())


class Context:
    """What a handler is told of its invocation."""

    def __init__(self, headers):
        environ = os.environ
        self._deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = client_context(headers.get("Lambda-Runtime-Client-Context"))

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))


class ClientContext:
    def __init__(self, told):
        self.custom = told.get("custom")
        self.env = told.get("env")
        self.client = told.get("client")


def client_context(text):
    return ClientContext(json.loads(text)) if text else None


class Records(logging.Formatter):
    """Records of the logging module as Lambda writes them: level, time, request, message."""

    converter = time.gmtime
    request_id = ""

    def __init__(self):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")

    def format(self, record):
        record.request = Records.request_id
        return super().format(record)


class EndpointFromEnvironment(importlib.abc.MetaPathFinder):
    """Releases of botocore before 1.31 do not know AWS_ENDPOINT_URL: a client then gets it as an argument."""

    NAME = "botocore.session"

    def find_spec(self, name, path, target=None):
        if name != self.NAME:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_patch(module):
                run(module)
                patch_session(module)

            spec.loader.exec_module = run_and_patch
        return spec


def patch_session(module):
    import botocore

    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    release = tuple(int(part) for part in botocore.__version__.split(".")[:2])
    if not endpoint or release >= (1, 31):
        return
    create = module.Session.create_client

    def create_client(self, service_name, *args, **named):
        # The endpoint is the sixth argument that may be given by place; nobody does.
        if len(args) < 5 and named.get("endpoint_url") is None:
            named["endpoint_url"] = endpoint
        return create(self, service_name, *args, **named)

    module.Session.create_client = create_client


def error_of(error_type, message, request_id="", trace=()):
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": list(trace)}


def frames(error):
    """The stack of an exception, without the frames of this file."""
    return [entry for entry in traceback.format_tb(error.__traceback__) if __file__ not in entry]


def show(error):
    sys.stdout.write(f"[ERROR] {error['errorType']}: {error['errorMessage']}\n")
    if error["stackTrace"]:
        sys.stdout.write("Traceback (most recent call last):\n" + "".join(error["stackTrace"]))
    sys.stdout.flush()


def load(handler):
    """The handler that `package.module.function` or `folder/module.function` names; else why there is none."""
    module_name, dot, function_name = handler.rpartition(".")
    if not dot:
        return None, error_of("Runtime.MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        return None, error_of(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}", trace=frames(error)
        )
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        return None, error_of("Runtime.UserCodeSyntaxError", message, trace=[f"  File \"{error.filename}\" Line {error.lineno}\n    {error.text or ''}"])
    except Exception as error:
        return None, error_of(type(error).__name__, str(error), trace=frames(error))
    function = getattr(module, function_name, None)
    if function is None:
        return None, error_of("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return function, None


def run(function, event, context):
    """The answer's bytes, and no error; or the other way."""
    request_id = context.aws_request_id
    try:
        result = function(json.loads(event), context)
    except Exception as error:
        return None, error_of(type(error).__name__, str(error), request_id, frames(error))
    try:
        return json.dumps(result, ensure_ascii=False).encode(), None
    except Exception as error:
        return None, error_of("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)


def await_forwarder():
    """Only then the API can be reached, which the handler's module may ask when it is loaded."""
    ready = os.environ.pop("FORWARDER_READY", None)
    if ready is not None:
        os.read(int(ready), 1)
        os.close(int(ready))


def set_up():
    sys.stdout.reconfigure(line_buffering=True)
    sys.stderr.reconfigure(line_buffering=True)
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    sys.meta_path.insert(0, EndpointFromEnvironment())
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(Records())
    logging.getLogger().addHandler(handler)


def main():
    set_up()
    await_forwarder()
    runtime = Runtime()
    function, fault = load(os.environ["_HANDLER"])
    if fault:
        show(fault)
        runtime.report("/init/error", fault)
        sys.exit(1)
    while True:
        response, event = runtime.ask("GET", "/invocation/next")
        if response.status != 200:
            os._exit(0)
        context = Context(response.headers)
        Records.request_id = context.aws_request_id
        answer, fault = run(function, event, context)
        if fault:
            show(fault)
        sys.stdout.flush()
        sys.stderr.flush()
        path = f"/invocation/{context.aws_request_id}"
        if fault:
            runtime.report(f"{path}/error", fault)
        else:
            runtime.ask("POST", f"{path}/response", answer)


main()
