import json
import os
import urllib.request

request = urllib.request.Request(os.environ["URL"], os.environ["JSON"].encode(), {
    "Content-Type": "application/json", "Authorization": f"Bearer {os.environ['TOKEN']}"})
with urllib.request.urlopen(request, timeout=30) as answer:
    print(json.load(answer)["id"])
