#!/usr/bin/env python3
"""Times PyTorch on what BenchmarkTopK times: the exact top 20 of 1,000 queries in
100,000 × 2048 float32, as matmul and topk of the whole matrix.

    python3 docs/benchmarks/torch_topk.py [THREADS] [RUNS]
"""
import os
import sys
import time

for name in list(os.environ):  # settings that slow OpenBLAS down
    if name.startswith("OPENBLAS"):
        del os.environ[name]

import torch

threads = int(sys.argv[1]) if len(sys.argv) > 1 else 2
runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
torch.set_num_threads(threads)
torch.manual_seed(1)
queries = torch.nn.functional.normalize(torch.randn(1000, 2048))
database = torch.nn.functional.normalize(torch.randn(100000, 2048))
times = []
for _ in range(runs + 1):
    start = time.perf_counter()
    torch.topk(queries @ database.T, 20)
    times.append(time.perf_counter() - start)
times = sorted(times[1:])
print(f"torch {torch.__version__}, {threads} threads: best {times[0]:.3f} s, median {times[len(times) // 2]:.3f} s")
