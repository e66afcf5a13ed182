"""`sluice doctor`: each thing that serving needs is broken in turn. Doctor must name it, say what to do, and exit with 1
exactly when serving would fail."""

import datetime
import fcntl
import ipaddress
import json
import os
import pathlib
import subprocess

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from http_peer import HttpPeer, HttpPeerHandler
from server import BINARY, ROOT, defaults, environment, merge, put_schema, route, run

STORE = {"store": {"path": "var/sluice.db"}}
OUTSIDE = {"http": {"listen": "0.0.0.0:0"}, "auth": {"open": True}}
KAFKA = {"name": "log", "kind": "kafka", "brokers": ["127.0.0.1:1"], "topic": "t"}
HOOK = {"name": "hook", "kind": "http", "url": "http://127.0.0.1:1/"}


def authority(name, issuer=None, names=()):
    """A certificate and its key; `issuer` is another such pair. Without one it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder(issuer[0].subject if issuer else subject, subject, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + 30 * day)
        .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def put_tls(folder, chain, key):
    """Write the files of http.tls."""
    (folder / "cert.pem").write_bytes(b"".join(one.public_bytes(serialization.Encoding.PEM) for one in chain))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    (folder / "key.pem").chmod(0o600)
    return {"http": {"tls": {"cert_file": "cert.pem", "key_file": "key.pem"}}}


@pytest.fixture(scope="module")
def world():
    """A CA and a certificate that it has issued; another one without a name; a key of neither."""
    ca = authority("ca")
    names = [x509.DNSName("events.example.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    names.append(x509.IPAddress(ipaddress.ip_address("2001:db8::1")))
    return {"ca": ca, "leaf": authority("leaf", ca, names), "nameless": authority("nameless", ca)}


@pytest.fixture
def doctor(folder):
    """`doctor(changes, *args)`: the exit status and the findings."""

    def ask(changes, *args, env=None, prefix=()):
        config = folder / "conf.yaml"
        config.write_text(yaml.safe_dump(merge(merge(defaults(), STORE), changes), sort_keys=False))
        told = subprocess.run(
            [*prefix, BINARY, "doctor", "-c", config, "--json", *args],
            cwd=folder, env=environment(env), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert told.stderr == "", told
        lines = [json.loads(line) for line in told.stdout.splitlines()]
        for one in lines:
            assert ("remedy" in one) == (one["finding"] != "ok"), one
            assert one.get("remedy") != "see docs/operations.md", one
        return told.returncode, lines

    return ask


def found(lines, level, what):
    """The first finding of that level about `what`; there must be one."""
    matches = [one for one in lines if (one["finding"], one["what"]) == (level, what)]
    assert matches, lines
    return matches[0]


def tls_of(*names):
    """Certificates of these names in one file, with the key of the last name."""
    return lambda folder, world: put_tls(folder, [world[name][0] for name in names[:-1]], world[names[-1]][1])


def secret(text, **places):
    def write(folder, world):
        (folder / "secret").write_bytes(text)
        return places or {"auth": {"api_keys": [{"value_file": "secret"}]}}

    return write


def files(changes, **texts):
    """Write these files, NAME_json for NAME.json."""

    def write(folder, world):
        for name, text in texts.items():
            (folder / name.replace("_", ".")).write_text(text)
        return changes

    return write


def held_by_another(folder, world):
    (folder / "var").mkdir()
    lock = open(folder / "var/sluice.db.lock", "w")  # closed with the world
    fcntl.flock(lock, fcntl.LOCK_EX)
    world["lock"] = lock
    return {}


def a_schema(text):
    def put(folder, world):
        put_schema(folder, "Broken", text)
        return {"routes": [route(schema="Broken")]}

    return put


# name: (how it is broken, level, what, the key, words of the text, words of the remedy)
BROKEN = {
    "key of another certificate": (tls_of("leaf", "ca"), "fail", "certificate", "http.tls.key_file",
                                   "not that of the certificate", "name the key"),
    "certificate without a name": (tls_of("nameless", "nameless"), "warn", "names", "http.tls.cert_file",
                                   "no name (subjectAltName)", "subjectAltName"),
    "issuers out of order": (tls_of("leaf", "nameless", "leaf"), "warn", "chain", "http.tls.cert_file",
                             "certificate 1 of 2 is not issued by the one after it", "each issuer after it"),
    "private CA": (lambda folder, world: merge(OUTSIDE, tls_of("leaf", "ca", "leaf")(folder, world)), "warn", "chain",
                   "http.tls.cert_file", "refuses it", "public CA"),
    "empty secret": (secret(b"\n"), "fail", "secret", "auth.api_keys[0].value_file", "first line is empty", "first line"),
    "byte order mark": (secret(b"\xef\xbb\xbfsesame\n"), "warn", "secret", "auth.api_keys[0].value_file",
                        "begins with a byte order mark", "nothing before or after it"),
    "blank before a secret": (secret(b" sesame\n"), "warn", "secret", "auth.api_keys[0].value_file",
                              "begins with a blank", "nothing before or after it"),
    "blank after a secret": (secret(b"sesame \n"), "warn", "secret", "auth.api_keys[0].value_file", "ends with a blank",
                             "nothing before or after it"),
    "empty secret of operators": (secret(b"", admin={"listen": "127.0.0.1:0", "api_keys": [{"value_file": "secret"}]}),
                                  "fail", "secret", "admin.api_keys[0].value_file", "first line is empty", "first line"),
    "empty password of brokers": (
        secret(b"", sinks=[KAFKA | {"sasl": {"mechanism": "PLAIN", "user": "u", "password_file": "secret"}}]),
        "fail", "secret", "sinks[0].sasl.password_file", "first line is empty", "first line"),
    "keys for tokens": (files({"auth": {"bearer": {"issuer": "i", "audience": "a", "jwks_file": "keys.json"}}},
                              keys_json='{"keys":[]}'),
                        "fail", "keys", "auth.bearer.jwks_file", "keys.json", "auth.bearer"),
    "no file of a transform": (lambda *_: {"routes": [route(transform="nowhere.yaml")]}, "fail", "file",
                               "routes[0].transform", "No such file", "create the file"),
    "wrong transform": (files({"routes": [route(transform="wrong.yaml")]}, wrong_yaml="fields:\n  - {name: a, from: x}\n"),
                        "fail", "transform", None, "wrong.yaml:2", "sluice explain"),
    "no schema": (lambda *_: {"routes": [route(schema="Nowhere")]}, "fail", "schema", "routes[0].schema",
                  "there is no file", "registry and schema"),
    "wrong schema": (a_schema({"type": "strin"}), "fail", "schema", "routes[0].schema", "Broken", "registry and schema"),
    "wrong shadow": (files({"routes": [route(shadow={"file": "next.json"})]}, next_json="{"), "warn", "shadow",
                     "routes[0].shadow", "next.json", "without it"),
    "no store": (lambda *_: {"store": {"path": ""}}, "warn", "store", "store.path", "none configured", "set store.path"),
    "store is a folder": (lambda *_: {"store": {"path": "conf"}}, "fail", "store", "store.path", "not a regular file",
                          "set store.path"),
    "store of another process": (held_by_another, "fail", "store", "store.path", "in use by another process",
                                 "only this server uses"),
    "larger than the disk": (lambda *_: {"store": {"max_size": "16384GiB"}}, "warn", "disk", "store.path",
                             "less than store.max_size", "free space"),
    "unreachable sink": (lambda *_: {"sinks": [HOOK]}, "fail", "sink", "sinks[0].url", "Connection refused", "correct url"),
    "no collector": (lambda *_: {"tracing": {"endpoint": "http://127.0.0.1:1/v1/traces"}}, "warn", "collector",
                     "tracing.endpoint", "Connection refused", "tracing.endpoint"),
    "empty secret of a collector": (
        secret(b"", tracing={"endpoint": "http://127.0.0.1:1/v1/traces", "secret_headers": {"x-a": "secret"}}),
        "warn", "secret", "tracing.secret_headers.x-a", "first line is empty", "first line"),
    "no credential": (lambda *_: OUTSIDE, "warn", "auth", None, "every client", "add a credential"),
    "no TLS": (lambda *_: OUTSIDE, "warn", "listen", None, "without TLS", "set http.tls"),
}  # fmt: skip
OFFLINE = {"empty password of brokers"}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_found(doctor, folder, world, name):
    breaks, level, what, key, text, remedy = BROKEN[name]
    status, lines = doctor(breaks(folder, world), *(["--offline"] if name in OFFLINE else []))
    one = found(lines, level, what)
    assert one.get("key") == key and text in one["text"] and remedy in one["remedy"], one
    assert key is None or (one["file"].endswith("conf.yaml") and one.get("line", 1) > 0)
    assert status == (1 if level == "fail" else 0), lines
    if "lock" in world:
        world.pop("lock").close()


def test_a_good_certificate_has_its_names_and_chain(doctor, folder, world):
    status, lines = doctor(tls_of("leaf", "ca", "leaf")(folder, world))
    assert status == 0
    assert found(lines, "ok", "names")["text"] == "the certificate is for events.example.com, 127.0.0.1, 2001:db8::1"
    assert not [one for one in lines if one["what"] == "chain"]  # on loopback it is not asked who trusts it


def test_the_certificates_of_the_machine_are_trusted(doctor, folder, world):
    """In a mount namespace in which the CA of the test is one of the machine's."""
    bundle = pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
    (folder / "ca.pem").write_bytes(world["ca"][0].public_bytes(serialization.Encoding.PEM))
    inside = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    inside += ['mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh", folder / "ca.pem", bundle]
    try:
        able = bundle.exists() and subprocess.run([*inside, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        able = False
    if not able:
        pytest.skip("no mount namespaces here, or no certificates of the machine")
    changes = merge(OUTSIDE, tls_of("leaf", "ca", "leaf")(folder, world))
    status, lines = doctor(changes, prefix=inside)
    assert status == 0 and "a CA that this machine trusts" in found(lines, "ok", "chain")["text"]


class AnyHandler(HttpPeerHandler):
    def do_HEAD(self):
        self.send(200, body=b"hello")

    do_GET = do_HEAD


class Any(HttpPeer):
    """Answers 200 to everything."""

    handler = AnyHandler


@pytest.mark.parametrize("skew, level, text", [(3600, "warn", "behind"), (-3600, "warn", "ahead of"), (0, "ok", "agrees")])
def test_the_clock_is_compared_with_that_of_a_sink(doctor, skew, level, text):
    with Any() as peer:
        peer.skew = skew
        status, lines = doctor({"sinks": [HOOK | {"url": f"{peer.url}/records"}]})
        assert status == 0
        one = found(lines, level, "clock")
        assert text in one["text"] and one["text"].endswith(f"{peer.url}/records")
        assert not [line for line in doctor({"sinks": [HOOK | {"url": peer.url}]}, "--offline")[1] if line["what"] == "clock"]


def test_the_clock_is_compared_with_that_of_the_key_set(doctor):
    with Any() as peer:
        peer.skew = 3600
        bearer = {"issuer": "i", "audience": "a", "jwks_url": f"{peer.url}/jwks"}
        status, lines = doctor({"auth": {"bearer": bearer}})
        assert (status, found(lines, "fail", "keys")["key"]) == (1, "auth.bearer.jwks_url")  # "hello" is no key set
        assert "behind" in found(lines, "warn", "clock")["text"]


def test_a_collector_that_answers(doctor):
    with Any() as peer:
        status, lines = doctor({"tracing": {"endpoint": f"{peer.url}/v1/traces"}})
        assert status == 0 and found(lines, "ok", "collector")["text"] == f"{peer.url}/v1/traces answers"


def test_an_address_of_another_program(doctor):
    with Any() as peer:
        for changes in ({"store": {"path": ""}}, {}):  # it answers /healthz, and is not this server
            status, lines = doctor({"http": {"listen": f"127.0.0.1:{peer.port}"}} | changes)
            one = found(lines, "fail", "address")
            assert status == 1 and "Address already in use" in one["text"] and "stop what listens" in one["remedy"]


def test_an_address_of_another_server(doctor, sluice):
    """It has another store, so it is not the server of this configuration."""
    server = sluice(store={"path": "other.db"})
    status, lines = doctor({"http": {"listen": f"127.0.0.1:{server.address[1]}"}})
    assert status == 1 and found(lines, "fail", "address")["key"] == "http.listen"


def test_its_own_server_has_the_addresses(doctor, sluice, folder):
    """Also with the PROXY protocol, an admin address, and without a store."""
    more = {"http": {"proxy_protocol": True, "trusted_proxies": ["127.0.0.1"]}, "admin": {"listen": "127.0.0.1:0"}}
    (folder / "key").write_text("k\n")
    more["admin"]["api_keys"] = [{"value_file": str(folder / "key")}]
    for store in (STORE, {"store": {"path": ""}}):
        server = sluice(**merge(more, store))
        own = {
            "http": {"listen": f"127.0.0.1:{server.address[1]}"},
            "admin": {"listen": f"127.0.0.1:{server.ready['admin_port']}"},
        }
        status, lines = doctor(merge(merge(more, store), own))
        assert status == 0, lines
        assert [one["text"] for one in lines if one["what"] == "address"] == [
            f"a server answers on 127.0.0.1:{port}" for port in (server.address[1], server.ready["admin_port"])
        ]
        server.stop()


def test_too_few_descriptors(doctor):
    status, lines = doctor({}, prefix=["sh", "-c", 'ulimit -n 500; exec "$@"', "sh"])
    one = found(lines, "warn", "descriptors")
    assert status == 0 and "may have 500 open files" in one["text"] and "LimitNOFILE" in one["remedy"]
    status, lines = doctor({"http": {"max_connections": 100}}, prefix=["sh", "-c", 'ulimit -n 500; exec "$@"', "sh"])
    assert found(lines, "ok", "descriptors")["text"] == "enough for 100 connections"


def test_the_libraries_are_named(doctor):
    text = found(doctor({})[1], "ok", "library")["text"]
    for name in ("libmicrohttpd ", "GnuTLS ", "SQLite ", "libcurl/"):
        assert name in text


def test_a_store_in_memory(doctor):
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True, check=False).stdout
    if kind.strip() != "tmpfs":
        pytest.skip("/dev/shm is no tmpfs")
    status, lines = doctor({"store": {"path": f"/dev/shm/sluice-{os.getpid()}/sluice.db"}})
    assert "is empty after a restart" in found(lines, "warn", "volume")["text"] and status == 0


def test_a_bad_configuration_is_a_list_of_findings(folder):
    (folder / "conf.yaml").write_text("http: {listn: x}\nunknown: 1\n")
    told = run("doctor", "-c", "conf.yaml", "--json", cwd=folder)
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 3
    assert {one["key"] for one in lines} == {"http.listn", "unknown"}
    assert {(one["finding"], one["what"]) for one in lines} == {("fail", "configuration")}


def test_a_line_for_people_says_what_to_do(folder):
    (folder / "conf.yaml").write_text(yaml.safe_dump(merge(defaults(), {"sinks": [HOOK]})))
    told = run("doctor", "-c", "conf.yaml", cwd=folder).stdout.splitlines()
    at = told.index("fail  sink          hook: cannot connect: Connection refused")
    assert told[at + 1].startswith("      do: correct url, TLS files and credentials")


def test_the_manual_lists_the_members_and_the_checks():
    text = (ROOT / "docs/operations.md").read_text()
    for name in ("finding", "what", "file", "line", "key", "text", "remedy"):
        assert f"| `{name}` |" in text, name
    for _, _, what, *_ in BROKEN.values():
        assert f"`{what}`" in text, what
