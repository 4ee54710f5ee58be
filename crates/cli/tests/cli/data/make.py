"""Makes the .hdf5 files beside this one, in the layout of ann-benchmarks. Needs numpy and h5py.

    python crates/cli/tests/cli/data/make.py
"""

from pathlib import Path

import h5py
import numpy as np

HERE = Path(__file__).parent
rng = np.random.default_rng(20)
train = rng.normal(size=(60, 8)).astype(np.float32)
test = rng.normal(size=(5, 8)).astype(np.float32)


def neighbours(distances):
    """Numbers and distances of the ten closest, closest first."""
    order = np.argsort(distances, axis=1, kind="stable")[:, :10]
    return order.astype(np.int32), np.take_along_axis(distances, order, 1).astype(np.float32)


def write(name, distance, train, test, distances, libver=None, **how):
    """One file: four datasets and an attribute."""
    ids, far = neighbours(distances)
    with h5py.File(HERE / name, "w", libver=libver) as file:
        file.attrs["distance"] = distance
        for key, values in dict(train=train, test=test, neighbors=ids, distances=far).items():
            file.create_dataset(key, data=values, **how)


squared = ((test[:, None].astype(float) - train[None]) ** 2).sum(2)
unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (test, train)]
write("plain.hdf5", "euclidean", train, test, np.sqrt(squared))
write("deflated.hdf5", "angular", train, test, 1 - unit[0] @ unit[1].T,
      chunks=True, compression="gzip", shuffle=True, fletcher32=True)
write("newest.hdf5", np.bytes_("euclidean"), train.astype(">f8"), test.astype(np.float64), np.sqrt(squared),
      libver="latest")
write("bits.hdf5", "hamming", train > 0, test > 0, ((test > 0)[:, None] != (train > 0)[None]).mean(2))
write("jaccard.hdf5", "jaccard", train > 0, test > 0, np.zeros((5, 60)))
