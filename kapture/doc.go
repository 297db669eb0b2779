// Package kapture reads and writes datasets in the kapture format, versions
// 1.0 and 1.1: sensors, rigs, trajectories, records, local and global
// features, matches, points, observations and pairs files.
//
// [Open] reads the tables under sensors/ into a [Dataset]; what lies under
// reconstruction/ is read when asked for: [Dataset.Features], [Dataset.Matches],
// [Dataset.Points3D], [Dataset.Observations]. Features that benchmarks keep
// beside the dataset are opened with [OpenFeatures] and [OpenMatches].
//
// # Coordinates
//
// Poses are as in [locbench/kapture/geom]: a trajectory maps world to device,
// a rig member maps rig to sensor. [Dataset.ImagePoses] composes the two.
// Lengths are in the dataset's unit, metres in every known dataset. Keypoints
// are in pixels, with (0, 0) at the upper left corner of the image.
//
// # Format
//
// Text files are comma-separated; blanks around a value, blank lines and lines
// that begin with # are ignored. Written text starts with "# kapture format:
// 1.1" and a comment that names the columns; numbers are the shortest that
// read back as the same value. Writing what was read, reading that and writing
// it again gives the same bytes. Feature files are little-endian arrays
// without a header, one by one in a folder or together in a tar.
//
// # Errors
//
// Bad data is an [InputError] with file and line or byte. A text file is read
// to its end and its bad lines are joined into one error, ten at most. The
// name of an image is a path inside the dataset: absolute paths, "..", empty
// elements and backslashes are refused wherever a name is read. Symbolic links
// are followed: proxies of datasets are made of them.
package kapture
