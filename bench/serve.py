"""How long a search over HTTP takes, on one connection that is kept open: the index, JSON both ways, the loopback.

    python bench/serve.py LINJIN INDEX.linjin QUERIES.npy [COUNT]

LINJIN is the command, of a release build. Prints milliseconds at the 50th, 95th and 99th percentile of COUNT (5,000) queries
for their 10 nearest neighbours at the default recall, after a tenth as many that are not counted.
"""

import http.client
import json
import re
import signal
import subprocess
import sys
import time

import numpy as np


def main(linjin, index, queries, count):
    typed = [linjin, "serve", "--index", index, "--port", "0"]
    with subprocess.Popen(typed, stdout=subprocess.PIPE, text=True) as server:
        try:
            host = re.match(r"http://([^/]+)/", server.stdout.readline())[1]
            connection = http.client.HTTPConnection(host)

            def ask(path, body=None):
                connection.request("POST" if body else "GET", path, body, {"content-type": "application/json"})
                return json.loads(connection.getresponse().read())

            facts = ask("/api/index")
            rows = np.load(queries, mmap_mode="r")
            bodies = [json.dumps({"vectors": [rows[at % len(rows)].tolist()], "k": 10}) for at in range(count)]
            times = []
            for body in bodies[: count // 10] + bodies:
                start = time.perf_counter()
                connection.request("POST", "/api/index/search", body, {"content-type": "application/json"})
                answer = connection.getresponse().read()
                times.append(time.perf_counter() - start)
                assert answer.startswith(b'{"results":[{"ids":['), answer
            at = np.percentile(np.array(times[count // 10 :]) * 1000, [50, 95, 99])
            print(f"{facts['vectors']:,} x {facts['dim']} {facts['metric']}: p50 {at[0]:.2f}, p95 {at[1]:.2f}, p99 {at[2]:.2f} ms")
        finally:
            server.send_signal(signal.SIGTERM)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(*sys.argv[1:4], int((sys.argv + ["5000"])[4]))
