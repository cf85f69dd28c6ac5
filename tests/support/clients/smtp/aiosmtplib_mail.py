import asyncio
import email.message
import os

import aiosmtplib

message = email.message.EmailMessage()
message["From"], message["To"], message["Subject"] = (os.environ[name] for name in ("SENDER", "RECIPIENT", "SUBJECT"))
message.set_content(os.environ["BODY"])
way = os.environ["WAY"]
if way == "socket":
    where = {"hostname": None, "socket_path": os.environ["HOST"]}
else:
    where = {"hostname": os.environ["HOST"], "port": int(os.environ["PORT"]), "username": os.environ["SMTP_USER"],
             "password": os.environ["PASSWORD"], "use_tls": way == "implicit", "start_tls": way == "starttls",
             "cert_bundle": os.environ["CA"] if way in ("implicit", "starttls") else None}
asyncio.run(aiosmtplib.send(message, **where))
