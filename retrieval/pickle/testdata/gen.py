"""Writes values_p0.pkl … values_p5.pkl: the same value in every protocol of CPython (made with 3.11.7).

    python3 gen.py
"""
import collections
import pickle

shared = [1, 2]
value = {
    "none": None,
    "bools": (True, False),
    "ints": [0, 1, 255, 256, 65535, 65536, -1, -5, 2**31 - 1, -2**31, 2**31, 2**62, -2**63, 2**63, 2**70, -2**70, -129],
    "floats": [0.0, -0.5, 1e300, float("inf"), float("-inf")],
    "text": ["", "abc", "caf\u00e9 \u2713", "line\nbreak \\ 'quote' \\u0041", "\U0001f600", "x" * 300],
    "bytes": [b"", b"\x00\xff\n'\\", b"y" * 300],
    "bytearray": bytearray(b"\x01\x02"),
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "set": {7},
    "frozenset": frozenset([8]),
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "default": collections.defaultdict(list, {"k": [1]}),
    "shared": [shared, shared],
    "keys": {1: "int", ("a", 2): "tuple", b"b": "bytes", None: "none", 2.5: "float"},
}
cyclic = []
cyclic.append(cyclic)
value["cyclic"] = cyclic
for protocol in range(6):
    with open(f"values_p{protocol}.pkl", "wb") as f:
        pickle.dump(value, f, protocol)
