"""Asks the server more than a thousand requests made of its own description, right ones and wrong ones, by Schemathesis.

    python crates/server/api-tests/run.py path/to/linjin [options of `st run`]

None may end in a failure of the server, an undescribed status or an answer of another shape than described.
"""

import random
import signal
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# Not whether a request has to be refused: that depends on what the index holds, and has tests of its own.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"


def picture(width, height, numbers):
    """The bytes of a BMP of plain squares."""
    colours = [[numbers.randbytes(3) for _ in range(4)] for _ in range(4)]
    rows = (b"".join(colours[y * 4 // height][x * 4 // width] for x in range(width)) for y in range(height))
    pixels = b"".join(row + bytes(-len(row) % 4) for row in rows)
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(pixels), 2835, 2835, 0, 0)
    return struct.pack("<2sIHHI", b"BM", 54 + len(pixels), 0, 0, 54) + head + pixels


def prepare(linjin, folder):
    """An index of 50 vectors of 3 values, and a folder of five pictures."""
    numbers = random.Random(1)
    vectors = b"".join(struct.pack("<i3f", 3, *(numbers.random() for _ in range(3))) for _ in range(50))
    (folder / "items.fvecs").write_bytes(vectors)
    (folder / "album").mkdir()
    for n in range(5):
        (folder / "album" / f"{n}.bmp").write_bytes(picture(60 + 8 * n, 48, numbers))
    quiet = {"cwd": folder, "check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([linjin, "build", "items.fvecs", "-o", "items.linjin", "--metric", "euclidean"], **quiet)
    subprocess.run([linjin, "images", "index", "album"], **quiet)


def main(linjin, options):
    """Returns the exit code of Schemathesis, or of the server if that did not end well."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(linjin, folder)
        serve = [linjin, "serve", "--images", "album", "--index", "items.linjin", "--port", "0"]
        with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
            try:
                url = server.stdout.readline().strip().rstrip("/")
                st = Path(sys.executable).with_name("st")
                run = [st, "run", f"{url}/openapi.json", "--checks", CHECKS, "--no-color", *options]
                code = subprocess.run(run, cwd=folder).returncode
            finally:
                server.send_signal(signal.SIGINT)
        return code or server.returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(str(Path(sys.argv[1]).resolve()), sys.argv[2:]))
