#!/usr/bin/env python3
"""Reads URLs by urllib.parse, and what is sent because of them by http.server: url_reader.js says how, and what the
lines are, to which this adds what it reads of the request: null where it is none, else
[method, target, [[header, value], ...], what is left behind its head, in hexadecimal digits].
"""

import http.server
import io
import ipaddress
import json
import sys
import urllib.parse


class Reader(http.server.BaseHTTPRequestHandler):
    def __init__(self, text):
        self.rfile = io.BytesIO(text)
        self.raw_requestline = self.rfile.readline()
        self.is_one = self.parse_request()

    def send_error(self, *_):
        pass

    def seen(self):
        return [self.command, self.path, list(self.headers.items()), self.rfile.read().hex()] if self.is_one else None


def address_kind(host):
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return 0


def taken_apart(text):
    try:
        url = urllib.parse.urlsplit(text)
        host = url.hostname or ""
        port = url.port if url.port is not None else {"http": 80, "https": 443}.get(url.scheme, 0)
    except ValueError:
        return None
    secrets = [urllib.parse.unquote_to_bytes(s or "").hex() for s in (url.username, url.password)]
    return [url.scheme, host, port, url.path, *secrets, address_kind(host)]


for url, request in json.load(open(sys.argv[1])):
    text = bytes.fromhex(url).decode(errors="replace")
    print(json.dumps([taken_apart(text), Reader(bytes.fromhex(request)).seen() if request else None]))
