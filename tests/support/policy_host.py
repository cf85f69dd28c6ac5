"""An HTTPS server that publishes MTA-STS policies, RFC 8461 §3.3, and takes reports, RFC 8460 §3."""

import http.server
import ssl
import threading


class PolicyHost:
    """Serves policies by host name on one address; everything may be changed while it runs.

    @param identity  certificate for the names `mta-sts.<domain>` that it serves
    """

    def __init__(self, folder, address, port, identity):
        self.policies = {}
        self.requests = []
        self.posted = []  # (host, path, content type, content) of each POST, all of which are taken
        chain, key = identity.write(folder, f"policy-host-{address}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain, key)
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                # The handshake belongs to the connection's own thread, so that a slow client blocks nobody.
                self.request = context.wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                super().finish()
                self.request.close()

            def do_GET(self):
                host = (self.headers["Host"] or "").split(":")[0].lower()
                owner.requests.append((host, self.path))
                status, content_type, body = owner.answer(host, self.path)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                host = (self.headers["Host"] or "").split(":")[0].lower()
                content = self.rfile.read(int(self.headers["Content-Length"]))
                owner.posted.append((host, self.path, self.headers["Content-Type"], content))
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass  # a client that does not like our certificate hangs up; tests judge it by what it does then

        self.server = Server((address, port), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def publish(self, domain, mode, mx, max_age_s=86400):
        """Publishes a policy for a domain; `mx` is a list of patterns."""
        lines = ["version: STSv1", f"mode: {mode}", *(f"mx: {pattern}" for pattern in mx), f"max_age: {max_age_s}"]
        self.policies[f"mta-sts.{domain}"] = (200, "text/plain", "\r\n".join(lines + [""]).encode())

    def answer(self, host, path):
        if path != "/.well-known/mta-sts.txt" or host not in self.policies:
            return 404, "text/plain", b"nothing here\r\n"
        return self.policies[host]

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
