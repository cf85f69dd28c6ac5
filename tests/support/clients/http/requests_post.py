import json
import os

import requests

answer = requests.post(os.environ["URL"], json=json.loads(os.environ["JSON"]),
                       headers={"Authorization": f"Bearer {os.environ['TOKEN']}"}, timeout=30)
answer.raise_for_status()
print(answer.json()["id"])
