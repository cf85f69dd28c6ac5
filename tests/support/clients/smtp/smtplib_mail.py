import os
import smtplib
import ssl

way, host, port = os.environ["WAY"], os.environ["HOST"], int(os.environ["PORT"])
context = ssl.create_default_context(cafile=os.environ["CA"])
if way == "implicit":
    client = smtplib.SMTP_SSL(host, port, context=context)
elif way == "lmtp":
    client = smtplib.LMTP(host, port)
else:
    client = smtplib.SMTP(host, port)
with client:
    if way == "starttls":
        client.starttls(context=context)
    client.login(os.environ["SMTP_USER"], os.environ["PASSWORD"])
    client.sendmail(os.environ["SENDER"], [os.environ["RECIPIENT"]], os.environ["MESSAGE"].encode())
