"""A store of the S3 kind: moto's server with one bucket, behind a check of signatures.

moto takes any keys. This answers requests to S3 as AWS would: those that are not signed (AccessDenied), or with keys that
nobody gave (InvalidAccessKeyId), with the wrong secret (SignatureDoesNotMatch), or with keys that have expired or lack
their session token (ExpiredToken, InvalidToken). Valid are the keys of the command line and those that STS gave.

Usage: s3_store.py FOLDER HOST PORT BUCKET ACCESS_KEY_ID SECRET_ACCESS_KEY
The folder is there to be found in the list of processes.
"""

import hashlib
import hmac
import re
import sys

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends
from werkzeug.serving import make_server

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/((\d+)/([^/]+)/([^/]+)/aws4_request),\s*"
    r"SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})"
)


def header(environ, name):
    """A header as it was sent, with single spaces."""
    key = name.upper().replace("-", "_")
    text = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", "")
    return re.sub(" +", " ", text.strip())


def signature(environ, secret, scope, names):
    """The signature that a request should have (AWS: Signature Version 4)."""
    path, _, query = environ["REQUEST_URI"].partition("?")
    pairs = sorted(each if "=" in each else f"{each}=" for each in query.split("&") if each)
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            path,
            "&".join(pairs),
            *(f"{name}:{header(environ, name)}" for name in names),
            "",
            ";".join(names),
            header(environ, "x-amz-content-sha256"),
        ]
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", header(environ, "x-amz-date"), scope, digest])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def refusal(environ, keys):
    """Why a request is refused: S3's word for it, or None."""
    match = AUTHORIZATION.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
    if match is None:
        return "AccessDenied"
    key, scope, _, _, service, names, given = match.groups()
    if service != "s3":
        # moto goes by the scope as well, and hands it to that service.
        return None
    secret = keys.get(key)
    if secret is None:
        role = sts_backends[DEFAULT_ACCOUNT_ID]["aws"].get_assumed_role_from_access_key(key)
        if role is None:
            return "InvalidAccessKeyId"
        if header(environ, "x-amz-security-token") != role.session_token:
            return "InvalidToken"
        if role.expiration < utcnow():
            return "ExpiredToken"
        secret = role.secret_access_key
    names = names.split(";")
    sent = [each[5:].lower().replace("_", "-") for each in environ if each.startswith("HTTP_X_AMZ_")]
    if "host" not in names or any(name not in names for name in sent):
        return "AccessDenied"
    if not hmac.compare_digest(given, signature(environ, secret, scope, names)):
        return "SignatureDoesNotMatch"
    return None


def checked(app, keys):
    """The application behind the check."""

    def call(environ, start_response):
        code = refusal(environ, keys)
        if code is None:
            return app(environ, start_response)
        body = f"<Error><Code>{code}</Code><Message>refused</Message></Error>".encode()
        start_response(
            "403 Forbidden", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))]
        )
        return [body]

    return call


def main():
    _, _, host, port, bucket, access_key_id, secret_access_key = sys.argv
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket(bucket, "us-east-1")
    app = checked(DomainDispatcherApplication(create_backend_app), {access_key_id: secret_access_key})
    make_server(host, int(port), app, threaded=True, request_handler=MotoRequestHandler).serve_forever()


main()
