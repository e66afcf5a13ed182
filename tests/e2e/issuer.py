"""An OAuth server for tests: keys, a JWKS at a URL, valid and forged tokens."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from http_peer import HttpPeer, HttpPeerHandler

AUDIENCE = "https://sluice.example"


def encode(data):
    """Base64url without padding; a value that is not bytes is written as JSON first."""
    if not isinstance(data, bytes):
        data = json.dumps(data, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size=None):
    return encode(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A private key for one algorithm."""

    def __init__(self, alg, kid):
        self.alg = alg
        self.kid = kid
        if alg in ("RS256", "PS256"):
            self.private = rsa.generate_private_key(65537, 2048)
        elif alg == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        else:
            self.private = ed25519.Ed25519PrivateKey.generate()

    def jwk(self):
        public = self.private.public_key()
        if self.alg in ("RS256", "PS256"):
            numbers = public.public_numbers()
            members = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif self.alg == "ES256":
            numbers = public.public_numbers()
            members = {"kty": "EC", "crv": "P-256"}
            members |= {"x": number(numbers.x, 32), "y": number(numbers.y, 32)}
        else:
            raw = public.public_bytes(
                serialization.Encoding.Raw, serialization.PublicFormat.Raw
            )
            members = {"kty": "OKP", "crv": "Ed25519", "x": encode(raw)}
        return members | {"kid": self.kid, "alg": self.alg, "use": "sig"}

    def sign(self, message):
        if self.alg == "RS256":
            return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == "PS256":
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            return self.private.sign(message, pss, hashes.SHA256())
        if self.alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(message)

    def pem(self):
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def token(key, issuer, header=None, signature=None, **claims):
    """A token. A claim or header member given as None is omitted."""
    now = int(time.time())
    head = {"alg": key.alg, "typ": "at+jwt", "kid": key.kid} | (header or {})
    body = {"iss": issuer, "aud": AUDIENCE, "iat": now, "exp": now + 300} | claims
    parts = [
        encode({name: value for name, value in part.items() if value is not None})
        for part in (head, body)
    ]
    message = ".".join(parts).encode()
    return f"{'.'.join(parts)}.{encode((signature or key.sign)(message))}"


def hmac_with(secret):
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()


class IssuerHandler(HttpPeerHandler):
    def do_GET(self):
        self.peer.asked += 1
        self.send(500 if self.peer.fails else 200, body=json.dumps(self.peer.jwks()).encode())


class Issuer(HttpPeer):
    """Publishes its current keys and counts the requests for them. `fails`: it answers 500."""

    handler = IssuerHandler

    def __init__(self, *algorithms):
        super().__init__()
        self.keys = [Key(alg, f"{alg}-1") for alg in algorithms]
        self.fails = False
        self.asked = 0
        self.start()

    def jwks(self):
        return {"keys": [key.jwk() for key in self.keys]}

    def config(self, **changes):
        """The section `auth` of a configuration."""
        bearer = {"issuer": self.url, "audience": AUDIENCE, "jwks_url": self.url + "/jwks"}
        return {"bearer": bearer | changes}

    def token(self, key=None, **changes):
        return token(key or self.keys[0], self.url, **changes)
