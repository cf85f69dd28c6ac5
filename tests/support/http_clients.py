"""HTTP clients of Debian that post a message. `HTTP` has them by name.

`way` of the Server says what they post: "fields" (from, to, subject, text) or "raw" (a message as it goes over the wire).
"""

import base64
import json

from stock_clients import SCRIPTS, Client, run

WAYS = ("fields", "raw")


def _json(server, mail):
    if server.way == "fields":
        return json.dumps({"from": mail.sender, "to": [mail.recipient], "subject": mail.subject(), "text": mail.body()})
    return json.dumps({"mail_from": mail.sender, "rcpt_to": [mail.recipient],
                       "raw_base64": base64.b64encode(mail.text.encode()).decode()})


def curl(server, mail):
    return run(["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "30", "--oauth2-bearer", mail.password,
                "--json", _json(server, mail), server.host])


def script(*command):
    """A client that is a program of clients/http: its interpreter, and its name."""
    return lambda server, mail: run([*command[:-1], str(SCRIPTS / "http" / command[-1])], environment={
        "URL": server.host, "TOKEN": mail.password, "JSON": _json(server, mail)})


HTTP = {
    "curl": Client(curl, ("curl",), WAYS),
    "python3 urllib": Client(script("/usr/bin/python3", "urllib_post.py"), (), WAYS),
    "python3 requests": Client(script("/usr/bin/python3", "requests_post.py"), ("python3:requests",), WAYS),
    "Node.js fetch": Client(script("node", "fetch.mjs"), ("node",), WAYS),
    "PHP streams": Client(script("php", "stream.php"), ("php",), WAYS),
    "ruby Net::HTTP": Client(script("ruby", "net_http.rb"), ("ruby",), WAYS),
    "perl HTTP::Tiny": Client(script("perl", "http_tiny.pl"), ("perl",), WAYS),
}
