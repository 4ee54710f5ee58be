"""The command `linjin` that the wheel installs: builds, searches, describes."""

import json
import shutil
import subprocess
import sysconfig

import numpy as np
import pytest

pytestmark = pytest.mark.beyond


def linjin(*arguments, folder):
    """What the installed command wrote to its standard output, and its exit code."""
    command = shutil.which("linjin", path=sysconfig.get_path("scripts"))
    assert command, "the command is not beside this Python"
    done = subprocess.run([command, *arguments], cwd=folder, capture_output=True, text=True, timeout=60)
    assert (done.stderr == "") == (done.returncode == 0), done.stderr
    return done.stdout, done.returncode


def test_the_command_builds_searches_and_describes(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((200, 6), np.float32)
    np.save(tmp_path / "x.npy", vectors)
    np.save(tmp_path / "q.npy", vectors[:3])

    out, code = linjin("build", "x.npy", "-o", "x.linjin", "-m", "euclidean", folder=tmp_path)
    assert code == 0
    assert out.startswith("x.linjin: 200 vectors of 6 dimensions, euclidean")

    out, code = linjin("search", "x.linjin", "q.npy", "-k", "4", "--exact", "--json", folder=tmp_path)
    assert code == 0
    distances = np.linalg.norm(vectors[:3, None] - vectors[None], axis=2)
    found = [json.loads(line) for line in out.splitlines()]
    assert [line["ids"] for line in found] == np.argsort(distances, axis=1)[:, :4].tolist()

    out, code = linjin("info", "x.linjin", "--json", folder=tmp_path)
    assert code == 0
    info = json.loads(out)
    assert (info["vectors"], info["dim"], info["metric"]) == (200, 6, "euclidean")

    # A file that is no index has an exit code of its own.
    assert linjin("info", "x.npy", folder=tmp_path) == ("", 3)


@pytest.mark.parametrize("compression", ["zstd", "snappy", "gzip", "lz4", "none"])
def test_the_command_reads_parquet(tmp_path, compression):
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    vectors = np.random.default_rng(2).standard_normal((300, 6), np.float32)
    rows = {
        "sku": [f"sku-{row}" for row in range(300)],
        "price": np.arange(300.0),
        "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 6),
    }
    parquet.write_table(pa.table(rows), tmp_path / "shop.parquet", compression=compression, row_group_size=120)
    np.save(tmp_path / "q.npy", vectors[:3])

    built = ("build", "shop.parquet", "--ids", "sku", "--columns", "price", "-o", "shop.linjin", "-m", "euclidean")
    assert linjin(*built, folder=tmp_path)[1] == 0
    sought = ("search", "shop.linjin", "q.npy", "-k", "4", "--exact", "--json", "--filter", "price >= 100")
    out, code = linjin(*sought, folder=tmp_path)
    assert code == 0
    distances = np.linalg.norm(vectors[:3, None] - vectors[None, 100:], axis=2)
    expected = [[f"sku-{row + 100}" for row in rows] for rows in np.argsort(distances, axis=1)[:, :4]]
    assert [json.loads(line)["ids"] for line in out.splitlines()] == expected
