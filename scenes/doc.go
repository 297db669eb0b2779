// Package scenes turns what a user names (a known scene, a folder, or a scene
// file) into a [Scene]: mapping and query images with their poses and splits,
// the features found, and the thresholds that results are held against.
//
// # Folder
//
// A scene folder holds scene.yaml, or the layout that kapture users have:
//
//	mapping/                                     kapture dataset
//	query/ or query_day/ query_night/ …          kapture datasets; what follows query_ is the split
//	global_features/<type>/global_features/      features beside the datasets, if not in them
//	local_features/<type>/{keypoints,descriptors}/
//	pairsfiles/ (or pairsfile/)                  pairs files, read by Verify only
//
// A query_all/ beside other query_*/ folders is their union and is left out.
//
// # Scene file
//
// YAML. Unknown keys are errors. Folders are relative to the file (for a known
// scene: to its folder under the data root).
//
//	name: gallery                    # default: the folder's or file's name
//	title: A gallery by day and night
//	description: …
//	mapping: [mapping]               # one or several kapture datasets, merged; */mapping: all that match
//	queries:
//	  - {dir: query_day, split: day}
//	  - {dir: query_all, split: night, pattern: "night/*/*.jpg"}
//	thresholds: [[0.25, 2], [0.5, 5], [5, 10]]     # metres, degrees; required
//	recall_thresholds: [[10, 45]]    # beside the default [5, 30] and [25, 180]
//	submission: default              # default, robotcar, full-path or rio10
//	features: [.]                    # folders that hold global_features/, local_features/
//	licence: LICENSE.txt             # a file, or the text itself
//	citation: …
//	sources: [{title: …, url: …, note: …}]
//
// An entry of queries takes the images of its folder whose name matches
// pattern, all without one. Folders may come several times: an image belongs to
// the first entry that takes it, and one that no entry takes is not a query. A
// pattern between slashes, "/night(-rain)?/", is a regular expression (RE2)
// found anywhere in the name; any other is a glob as in [path.Match] that must
// match the whole name, and its * does not cross a slash.
//
// # Known scenes
//
// Known scenes are such files, embedded (cards/*.yaml), with root, their folder
// under the data root, and aliases. A card with generate describes a scene that
// locbench makes; its parts come from the scene.yaml that is written with it.
package scenes
