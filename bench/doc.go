// Package bench runs the benchmark: from a scene to the results files.
//
// A [Plan] is a list of stages. Each stage reads files (of the scene, or of an
// earlier stage) and writes files below the run directory:
//
//	tiny-image F      images of the scene        → global_features/F/
//	retrieve F        global features, images    → pairs/F.txt
//	localize F M      pairs, mapping poses       → poses/F/M_top*/, submission/F/M_top*.txt
//	evaluate          rows of the localize stages → results/*.csv
//
// for every global feature F and method M. A stage has a key, the SHA-256 of
// everything its result depends on: its name and version, its options, and the
// contents of its input files. When it is finished, a record of its key and of
// the hashes of its outputs is written to .locbench/stages. A stage whose
// record holds the same key, and whose outputs still have the recorded hashes,
// is not done again. So an interrupted run goes on where it stopped, and
// nothing depends on times or on the order in which workers finish.
//
// The run directory, its files and their columns are a contract with users'
// scripts; package locbench/bench/record holds the types.
package bench
