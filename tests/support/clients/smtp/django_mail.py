import os

from django.conf import settings
from django.core.mail import send_mail

settings.configure(EMAIL_HOST=os.environ["HOST"], EMAIL_PORT=int(os.environ["PORT"]), EMAIL_HOST_USER=os.environ["SMTP_USER"],
                   EMAIL_HOST_PASSWORD=os.environ["PASSWORD"], EMAIL_USE_TLS=os.environ["WAY"] == "starttls",
                   EMAIL_USE_SSL=os.environ["WAY"] == "implicit")
send_mail(os.environ["SUBJECT"], os.environ["BODY"], os.environ["SENDER"], [os.environ["RECIPIENT"]])
