"""A customer's client of the binding API in Python, of the standard library.

Each line on standard input is METHOD TARGET BODY; each answer is a line
STATUS BODY on standard output. One nonce serves for all requests, and Created
is the local time of Beijing marked Z, as clients in the field do.
"""
import base64
import hashlib
import hmac
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid

base, key, secret, scheme = sys.argv[1:5]
nonce = uuid.uuid4().hex


def headers():
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 8 * 3600))
    text = nonce + created
    if scheme == "WSSE":
        digest = hashlib.sha256((text + secret).encode()).digest()
    else:
        digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    token = 'UsernameToken Username="{}",PasswordDigest="{}",Nonce="{}",Created="{}"'.format(
        key, base64.b64encode(digest).decode(), nonce, created)
    return {
        "Content-Type": "application/json;charset=UTF-8",
        "Accept": "application/json",
        "Authorization": scheme + ' realm="SDP",profile="UsernameToken",type="Appkey"',
        "X-" + scheme: token,
    }


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


blind = ssl.create_default_context()
blind.check_hostname = False
blind.verify_mode = ssl.CERT_NONE
opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=blind), Stay)

for line in sys.stdin:
    method, target, body = (line.rstrip("\n").split(" ", 2) + ["", ""])[:3]
    request = urllib.request.Request(base + target, data=body.encode() or None, headers=headers(), method=method)
    try:
        answer = opener.open(request, timeout=15)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    print(answer.status, answer.headers.get("Location") or answer.read().decode(), flush=True)
