"""What stands between a client and its server, or in its place: nginx, certificates by the `openssl` command, and
ports of programs that are something else. Nothing of this shares code with the project."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

TUNED = """proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";"""
UNBUFFERED = "proxy_buffering off;"


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="plex-activities-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name, content):
        path = os.path.join(self.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path


class Nginx:
    """nginx from the distribution, in front of `behind`: as it is by itself, but for these settings and locations."""

    def __init__(self, behind, settings="", certificate=None, locations=None):
        self.behind, self.certificate = behind, certificate
        self.locations = {"/": settings, **(locations or {})}

    def __enter__(self):
        self.folder = Folder().__enter__()
        # It inherits a socket that listens already: no port to race for, nothing to wait for.
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            configuration = self.folder.file("nginx.conf", self._configuration(port))
            program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
            self.process = subprocess.Popen(
                [program, "-p", self.folder.path, "-c", configuration, "-e", "stderr"], stderr=subprocess.DEVNULL,
                pass_fds=[listening.fileno()], env=dict(os.environ, NGINX="%d;" % listening.fileno()))
        self.url = "%s://127.0.0.1:%d" % ("https" if self.certificate else "http", port)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.folder.__exit__()

    def _configuration(self, port):
        temporary = "".join(f"{kind}_temp_path {self.folder.path}/{kind};"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        tls, listen = "", f"127.0.0.1:{port}"
        if self.certificate:
            listen += " ssl"
            tls = f"ssl_certificate {self.certificate.pem}; ssl_certificate_key {self.certificate.key};"
        locations = "".join(
            f"location {path} {{ {'' if 'return' in settings else f'proxy_pass {self.behind};'} {settings} }}\n"
            for path, settings in self.locations.items())
        return f"""daemon off; pid {self.folder.path}/pid; events {{ worker_connections 128; }}
            http {{ access_log off; {temporary} server {{ listen {listen}; {tls}
            {locations} }} }}"""


class Certificate:
    """Signed by itself. It is valid now unless the years (UTC) say otherwise."""

    def __init__(self, names, begin=2020, end=2120):
        self.names, self.begin, self.end = names, begin, end

    def __enter__(self):
        self.folder = Folder().__enter__()
        self.folder.file("index", "")
        self.folder.file("ca.cnf", f"""[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = named
[any]
commonName = optional
[named]
subjectAltName = {self.names}
""")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test",
                      "-keyout", "key.pem", "-out", "request.pem")
        self._openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-selfsign", "-keyfile", "key.pem",
                      "-in", "request.pem", "-out", "certificate.pem",
                      "-startdate", f"{self.begin}0101000000Z", "-enddate", f"{self.end}0102000000Z")
        self.pem = os.path.join(self.folder.path, "certificate.pem")
        self.key = os.path.join(self.folder.path, "key.pem")
        return self

    def __exit__(self, *_):
        self.folder.__exit__()

    def for_server(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem, self.key)
        return context

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder.path, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Port:
    """A program that is no web server: says `banner` to whoever connects, then reads and never answers."""

    def __init__(self, banner=b""):
        self.banner = banner

    def __enter__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.number = self.listening.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.number
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listening.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self.thread.join()
        self.listening.close()

    def _serve(self):
        taken = []
        while True:
            try:
                taken.append(self.listening.accept()[0])
            except OSError:
                break
            taken[-1].sendall(self.banner)
        for connection in taken:
            connection.close()


class ClosedPort:
    """Nobody listens there, and nobody else can get it."""

    def __enter__(self):
        self.bound = socket.socket()
        self.bound.bind(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.bound.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.bound.close()


def piped(text):
    """A pipe to read it from, for a program's standard input; to be closed once that has it."""
    end, begin = os.pipe()
    with open(begin, "w", encoding="utf-8") as pipe:
        pipe.write(text)
    return open(end, "rb")


def readme_configuration(program, url):
    """What README has this service read from its standard input, of the server at `url`."""
    readme = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
    with open(readme, encoding="utf-8") as file:
        shown = re.search(r"^echo '(.*)' \| \S+/%s --config /dev/stdin$" % program, file.read(), re.M)[1]
    configuration = json.loads(shown)
    configuration["servers"][0]["url"] = url
    return configuration
