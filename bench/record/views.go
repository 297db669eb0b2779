package record

import (
	"io"
	"math"
	"strconv"
	"strings"
)

// Files of a run directory that let a report show single queries: where the
// cameras stand, and what matches between images.
const (
	CamerasFile     = "views/cameras.csv"
	ViewMatchesFile = "views/matches.csv"
)

// The roles of a camera's image.
const (
	MappingRole = "mapping"
	QueryRole   = "query"
)

// Camera is a row of cameras.csv: an image, and where it was taken.
type Camera struct {
	Image string
	Role  string // [MappingRole] or [QueryRole]
	File  string // the image file, relative to the scene's folder if it lies in it
	// Width and Height are of the image in pixels; 0 (an empty cell): not known.
	Width, Height int
	// Pose is world → camera: unit quaternion w, x, y, z, then translation in metres.
	// NaN (empty cells): not known.
	Pose [7]float64
}

// HasPose reports whether the pose is known.
func (c Camera) HasPose() bool { return !math.IsNaN(c.Pose[0]) }

// ViewMatch is a row of matches.csv: verified matches between a query and one of
// the images that were retrieved for it.
type ViewMatch struct {
	Query, Image string
	Matches      int // in all; Lines are some of them
	// Lines are matches in whole pixels, as the keypoints have them: x and y in the
	// query, x and y in the image.
	Lines [][4]int
}

var (
	cameraColumns    = []string{"image", "role", "file", "width", "height", "qw", "qx", "qy", "qz", "tx", "ty", "tz"}
	viewMatchColumns = []string{"query", "image", "matches", "lines"}
)

// WriteCameras writes cameras.csv to path, rows in the order given.
func WriteCameras(path string, rows []Camera) error {
	return writeTable(path, cameraColumns, rows, func(c Camera, out []string) []string {
		out = append(out, c.Image, c.Role, c.File)
		for _, n := range []int{c.Width, c.Height} {
			if n == 0 {
				n = -1
			}
			out = append(out, formatCount(n))
		}
		for _, v := range c.Pose {
			out = append(out, formatFloat(v))
		}
		return out
	})
}

// ReadCameras reads what [WriteCameras] wrote; path is its name in messages.
func ReadCameras(r io.Reader, path string) ([]Camera, error) {
	return readTable(r, path, cameraColumns, func(c *cells) Camera {
		out := Camera{Image: c.text(0), Role: c.text(1), File: c.text(2), Width: max(0, c.count(3)), Height: max(0, c.count(4))}
		if out.Role != MappingRole && out.Role != QueryRole {
			c.problem("want %s or %s for role, found %q", MappingRole, QueryRole, out.Role)
		}
		known := 0
		for i := range out.Pose {
			out.Pose[i] = c.number(5 + i)
			if !math.IsNaN(out.Pose[i]) {
				known++
			}
		}
		if known != 0 && known != len(out.Pose) {
			c.problem("want seven numbers of a pose or none, found %d", known)
		}
		return out
	})
}

// WriteViewMatches writes matches.csv to path, rows in the order given. Lines
// are separated by semicolons, the numbers of one by spaces.
func WriteViewMatches(path string, rows []ViewMatch) error {
	return writeTable(path, viewMatchColumns, rows, func(m ViewMatch, out []string) []string {
		lines := make([]string, len(m.Lines))
		for i, l := range m.Lines {
			numbers := make([]string, len(l))
			for j, v := range l {
				numbers[j] = strconv.Itoa(v)
			}
			lines[i] = strings.Join(numbers, " ")
		}
		return append(out, m.Query, m.Image, strconv.Itoa(m.Matches), strings.Join(lines, ";"))
	})
}

// ReadViewMatches reads what [WriteViewMatches] wrote; path is its name in messages.
func ReadViewMatches(r io.Reader, path string) ([]ViewMatch, error) {
	return readTable(r, path, viewMatchColumns, func(c *cells) ViewMatch {
		return ViewMatch{Query: c.text(0), Image: c.text(1), Matches: max(0, c.count(2)), Lines: c.lines(3)}
	})
}

// lines reads "x y x y;x y x y".
func (c *cells) lines(i int) [][4]int {
	if c.fields[i] == "" {
		return nil
	}
	var out [][4]int
	for text := range strings.SplitSeq(c.fields[i], ";") {
		numbers := strings.Fields(text)
		var line [4]int
		ok := len(numbers) == len(line)
		for j := 0; ok && j < len(line); j++ {
			var err error
			line[j], err = strconv.Atoi(numbers[j])
			ok = err == nil
		}
		if !ok {
			c.problem("want four whole numbers a line for lines, found %q", text)
			return out
		}
		out = append(out, line)
	}
	return out
}
