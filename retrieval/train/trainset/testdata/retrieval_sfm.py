#!/usr/bin/env python3
"""Writes small pickles in the layout of cnnimageretrieval.

Run with Debian 12's Python 3.11 and python3-numpy 1.24:

    /usr/bin/python3 retrieval_sfm.py
"""
import pickle

import numpy as np

cids = ["%032x" % (i * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128) for i in range(12)]
train = {
    "cids": cids[:9],
    "cluster": [3, 3, 3, 3, 7, 7, 7, 11, 11],
    "qidxs": [0, 0, 4, 5],
    "pidxs": [1, 2, 5, 4],
    "bbxs": [None] * 9,
}
val = {"cids": cids[9:], "cluster": [1, 1, 2], "qidxs": [0], "pidxs": [1]}
with open("lists.pkl", "wb") as f:
    pickle.dump({"train": train, "val": val}, f, protocol=2)
arrays = {k: np.array(v) if k in ("cluster", "qidxs") else v for k, v in train.items()}
arrays["pidxs"] = [np.int64(v) for v in train["pidxs"]]
with open("arrays.pkl", "wb") as f:
    pickle.dump({"train": arrays, "val": val}, f, protocol=4)
