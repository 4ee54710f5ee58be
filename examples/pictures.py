"""Picture search: a folder is indexed, searched on the terminal, then shown by the page of `linjin serve`.

    python examples/pictures.py LINJIN PHOTOGRAPHS [PICTURES]

LINJIN is the command, PHOTOGRAPHS a folder with the pictures of scikit-image (`make demo` keeps both). They are indexed
with variants of them and with drawings, in a temporary folder; PICTURES is a folder of your own to be indexed instead, whose
index is kept in its .linjin. On a terminal the page stays until Ctrl-C; without one, or with DEMO_ONCE=1, it is asked a few
things and stopped. Exits 1 when a check fails.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import drawings

PATIENCE = 60  # seconds for an answer
failures = 0


def check(text, ok):
    """One checked line of the report."""
    global failures
    failures += not ok
    print(f"  {text + ' ':.<70} {'ok' if ok else 'FAILED'}")


def linjin(*typed):
    """What the command prints; it has to succeed."""
    return subprocess.run([LINJIN, *map(str, typed)], check=True, capture_output=True, text=True).stdout


def search(folder, drawn):
    """Indexes the folder and prints the pictures most like one of it; `drawn` has the variants of `drawings.py`."""
    print(linjin("images", "index", folder).split("\n\nrefused")[0].strip())
    listed = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"))
    asked = next((path for path in listed if path.name == "coffee.png"), listed[0] if listed else None)
    if asked is None:
        print("no pictures to search with")
        return
    name = asked.relative_to(folder)
    print(f"\nlinjin images search {name} -k 6")
    print(linjin("images", "search", asked, "-C", folder, "-k", 6).replace(str(folder) + "/", ""))
    found = [json.loads(line) for line in linjin("images", "similar", asked, "-C", folder, "-k", 5, "--json").splitlines()]
    if drawn:
        near = [hit["path"] for hit in found]
        check("variants of a picture are most like it", all("coffee" in path for path in near[:3]))


def ask(address, path, body=None):
    """The JSON that the server answers."""
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(address + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


def serve(folder, stay):
    """Starts the page on a free port; asks it a few things, or stays."""
    typed = [LINJIN, "serve", "--images", str(folder), "--port", "0"]
    with subprocess.Popen(typed, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.match(r"http://\S+", server.stdout.readline())[0].rstrip("/")
            if stay:
                print(f"\nThe page: {address}/   Ctrl-C ends it", flush=True)
                server.wait()
                return
            with urllib.request.urlopen(address + "/", timeout=PATIENCE) as page:
                check("the page is there", page.status == 200 and b"main.js" in page.read())
            state = ask(address, "/api/state")["pictures"]
            listed = ask(address, "/api/pictures?limit=1")
            check(f"it knows {state['pictures']} pictures", listed["total"] == state["pictures"] > 0)
            hits = ask(address, "/api/search", {"terms": [{"picture": listed["ids"][0]}], "k": 5})["hits"]
            check("it finds pictures like one of them", len(hits) == min(5, listed["total"] - 1))
        except KeyboardInterrupt:
            print()
        finally:
            if server.poll() is None:
                server.send_signal(signal.SIGTERM)


def main():
    stay = sys.stdin.isatty() and sys.stdout.isatty() and not os.environ.get("DEMO_ONCE")
    own = Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    print("\nPictures: a folder that can be searched")
    with tempfile.TemporaryDirectory() as made:
        folder = own or Path(made) / "pictures"
        if own is None:
            drawings.make(folder, Path(sys.argv[2]))
        search(folder, own is None)
        serve(folder, stay)
    sys.exit(failures > 0)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    LINJIN = sys.argv[1]
    main()
