// Package reports turns the results of one or several runs into tables, plots
// and a page that holds them all.
//
// # What stands in one table
//
// Runs are compared only where they measure the same thing: one scene, held
// against the same thresholds. Anything else gets a section of its own, and
// [Report.Warnings] says so. Columns are matched by the threshold itself, never
// by their position. Thresholds come from the manifests and stand beside every
// figure.
//
// # Numbers
//
// The figures of the tables are those of summary.csv and retrieval.csv, which
// bench/metrics computed; nothing is averaged again here. Percentages are
// rounded half up to one decimal, from the shortest decimal text of the value,
// so that 7 of 2000 prints 0.4.
//
// # Single queries
//
// The page has the rows of all queries in it. Pictures, matches and maps are in
// scripts and images beside it, loaded when a query is opened; see
// [Report.WriteDir].
//
// # Determinism
//
// The same runs give the same bytes in every file. Times, which differ from
// run to run, are in the manifests and not repeated here.
package reports
