"""A server that only tells what reached it, as Python's http.server reads it: a parser that takes any method and is
lenient where node's (witness.js, which says what the lines are) is strict.

    witness.py PORT
"""

import http.server
import sys
import threading

seen = []
lock = threading.Lock()


def in_hex(text):
    return text.encode("latin-1").hex() or "-"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = b"no"
        with lock:
            if self.path == "/seen":
                text = "".join(line + "\n" for line in seen).encode()
                seen.clear()
            else:
                headers = ",".join(in_hex(n) + ":" + in_hex(v) for n, v in self.headers.raw_items())
                seen.append(" ".join([in_hex(self.command), in_hex(self.path), headers or "-", body.hex() or "-"]))
        self.send_response(200 if self.path == "/seen" else 400)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def send_error(self, code, message=None, explain=None):
        with lock:
            seen.append("bad")
        self.close_connection = True

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
