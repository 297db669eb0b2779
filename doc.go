// Package locbench is the root of the program locbench, which benchmarks image
// retrieval for visual localization: see README.md for its use and
// ARCHITECTURE.md for the way of the data. The program is cmd/locbench.
package locbench
