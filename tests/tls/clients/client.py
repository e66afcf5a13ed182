"""GET /healthz: client.py PORT CA_FILE VERSION (1.2, 1.3 or any); prints TLS version and status."""

import http.client
import ssl
import sys

port, ca, version = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if version != "any":
    context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
connection = http.client.HTTPSConnection("localhost", int(port), context=context)
connection.request("GET", "/healthz")
print(connection.sock.version(), connection.getresponse().status)
