"""The files for proxies: each proxy starts with its file, and events pass through it to a server."""

import os
import ssl
import subprocess

import pytest
from certificates import make_pair
from client import Connection, encode, request
from tools import find_tool
from server import PATIENCE, ROOT, wait_for

PLACE = ROOT / "conf/deploy/proxies"

# The command of each proxy, for its file.
COMMANDS = {
    "nginx.conf": ["nginx", "-g", "daemon off; error_log stderr;", "-c"],
    "haproxy.cfg": ["haproxy", "-db", "-f"],
    "haproxy-tcp.cfg": ["haproxy", "-db", "-f"],
    "Caddyfile": ["caddy", "run", "--adapter", "caddyfile", "--config"],
}


def fill_in(name, folder, pair, port, server):
    """The file of a proxy with the addresses and places of this test."""
    text = (PLACE / name).read_text()
    places = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "bind :443": f"bind 127.0.0.1:{port}",
        "https://events.example.com {": f"https://localhost:{port} {{\n\tbind 127.0.0.1",
        "events.example.com": "localhost",
        "127.0.0.1:8080": f"127.0.0.1:{server.address[1]}",
        "127.0.0.1:8443": f"127.0.0.1:{server.address[1]}",
        "/etc/ssl/sluice/cert.pem": pair["cert_file"],
        "/etc/ssl/sluice/key.pem": pair["key_file"],
        "/etc/ssl/sluice/haproxy.pem": f"{folder}/haproxy.pem",
        "\tadmin off\n": "\tadmin off\n\tauto_https disable_redirects\n",
    }
    for place, here in places.items():
        text = text.replace(place, here)
    if name == "nginx.conf":
        user = "user root;\n" if os.geteuid() == 0 else ""  # the folder belongs to this user alone
        head = f"{user}pid {folder}/nginx.pid;\nevents {{}}\nhttp {{\naccess_log off;\n"
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = f"{head}{temporary}{text}}}\n"
    (folder / name).write_text(text)
    return folder / name


@pytest.fixture(params=list(COMMANDS))
def proxied(request, sluice, folder, free_port, background):
    """A server behind a proxy; `server.proxy()` connects to the proxy."""
    find_tool(COMMANDS[request.param][0])
    pair = make_pair(folder)
    (folder / "haproxy.pem").write_text("".join(open(file).read() for file in pair.values()))
    (folder / "key").write_text("alpha-alpha-alpha\n")
    http = {"trusted_proxies": ["127.0.0.1"], "idle_timeout": "75s"}
    if request.param == "haproxy-tcp.cfg":
        http |= {"proxy_protocol": True, "tls": pair}
    api_keys = [{"header": "x-api-key", "value_file": f"{folder}/key"}]
    server = sluice(http=http, auth={"api_keys": api_keys}, log={"client_address": True})
    port = free_port()
    file = fill_in(request.param, folder, pair, port, server)
    command = COMMANDS[request.param]
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    background([find_tool(command[0]), *command[1:], file], port, env=home, cwd=folder)
    context = ssl.create_default_context(cafile=pair["cert_file"])
    server.proxy = lambda **more: Connection(("127.0.0.1", port), PATIENCE, context, **more)
    wait_for(lambda: ask(server, "GET", "/healthz").status == 200, "the proxy's first health check")
    return server


def ask(server, method, path, body=None, headers=None, **more):
    """One request on a connection of its own, as EventBridge sends it."""
    with server.proxy(**more) as connection:
        headers = {"Connection": "close", "Host": "localhost", **(headers or {})}
        connection.send(request(method, path, body, headers))
        return connection.answer(method)


KEY = {"x-api-key": "alpha-alpha-alpha", "Content-Type": "application/json; charset=utf-8"}


def test_an_event_passes(proxied, event):
    answer = ask(proxied, "POST", "/events", encode(event), KEY)
    assert (answer.status, answer.json["interaction_id"]) == (200, event["detail"]["interaction"]["id"])
    assert ask(proxied, "POST", "/events", encode(event), {"x-api-key": "wrong"}).status == 401
    refused = ask(proxied, "POST", "/events", encode({**event, "detail": {}}), KEY)
    assert (refused.status, refused.json["error"]) == (400, "Schema validation failed")


def test_a_large_event_passes(proxied, event):
    event["detail"]["interaction"]["attributes"] = {"text": "x" * 1_000_000}
    assert ask(proxied, "POST", "/events", encode(event), KEY).status == 200


def test_the_log_has_the_address_of_the_client(proxied, event):
    answer = ask(proxied, "POST", "/events", encode(event), {**KEY, "X-Request-Id": "client"}, source="127.0.0.3")
    assert answer.status == 200
    assert proxied.wait_log(event="request", request_id="client")["client"] == "127.0.0.3"


def test_the_file_is_valid_as_it_is_shipped(folder):
    """As far as the programs can tell without the certificates."""
    caddy = find_tool("caddy")
    done = subprocess.run([caddy, "adapt", "--config", PLACE / "Caddyfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "warn" not in done.stderr.lower(), done.stderr
