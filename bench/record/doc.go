// Package record holds the results of a run as they lie on disk: the three
// tables under results/ and the manifest.
//
// # Format
//
// queries.csv has one row a query, feature, method and k:
//
//	scene,split,query,feature,method,topk,status,t_err_m,r_err_deg,inliers,correspondences,reason
//
// summary.csv and retrieval.csv are tidy, one row a figure:
//
//	scene,split,feature,method,topk,metric,value
//	scene,split,feature,topk,metric,value
//
// views/cameras.csv and views/matches.csv let a report show single queries, see
// [Camera] and [ViewMatch].
//
// All are RFC 4180 CSV with LF line ends: a value that holds a comma, a
// quote or a line break is quoted. A number is the shortest text that reads
// back as the same float64, +Inf is "inf", and what is not known is empty.
// manifest.json is indented JSON, see [Manifest]. Tables hold no times, so two
// runs compare byte for byte; times are in the manifest.
//
// # Errors
//
// A file that breaks the format is reported by [FormatError], with its path
// and line. Files are written whole or not at all, see [WriteFile].
package record
