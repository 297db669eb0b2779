package reports

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/num/quat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/bench/record"
	"locbench/kapture"
	"locbench/kapture/geom"
)

const (
	viewsFolder = "views" // of the report: scripts with what the page shows of single queries
	// viewChunk is how many queries a script holds: it is loaded when one is opened.
	viewChunk = 50
	// viewRetrieved is how many retrieved images of a query have a picture and a place.
	viewRetrieved = 5
	// mostMapping is how many mapping cameras are drawn; of more, evenly as many.
	mostMapping = 3000
)

// viewIndex tells the page's script where the views of queries are.
type viewIndex struct {
	Scripts string   `json:"scripts"` // a number and ".js" follow
	Chunk   int      `json:"chunk"`   // queries in a script
	Mapping []spot   `json:"mapping"` // some mapping cameras, for the map
	Why     []string `json:"why"`     // reasons for having no picture, by number
	Note    string   `json:"note"`    // why there is no map; "": there is one
}

// viewScript is what a script holds.
type viewScript struct {
	Queries []queryView       `json:"queries"`
	Images  map[int]viewImage `json:"images"` // mapping images, by their number in the page
}

// queryView is a query; estimates are by the number of the page's line.
type queryView struct {
	viewImage
	Estimates map[int]spot  `json:"e,omitempty"`
	Matches   []viewMatches `json:"m,omitempty"`
}

// viewImage is an image: its picture, or the reason for having none, its size in
// pixels, and where it was taken, if that is known.
type viewImage struct {
	Picture string `json:"f,omitempty"`
	Why     int    `json:"w,omitempty"`
	Width   int    `json:"x,omitempty"`
	Height  int    `json:"y,omitempty"`
	Place   spot   `json:"c,omitempty"`
}

// viewMatches are matches of a query with an image.
type viewMatches struct {
	Image int      `json:"i"`
	Count int      `json:"n"`
	Lines [][4]int `json:"l"`
}

// views gathers what is shown of a section's queries.
type views struct {
	section  *section
	data     *queryData
	plan     groundPlan
	cameras  map[string]record.Camera
	folders  map[string]string // of an image's file, by image
	mapping  []geom.Pose
	matches  map[string][]record.ViewMatch // by query
	found    [][]float32                   // by line: the estimates' spots, three numbers a query, NaN for none
	pictures map[string]picture            // by image
}

// newViews reads what the runs of a section say of their cameras and matches.
func newViews(s *section, data *queryData) (*views, error) {
	v := &views{section: s, data: data, cameras: map[string]record.Camera{}, folders: map[string]string{}, matches: map[string][]record.ViewMatch{}, pictures: map[string]picture{}}
	seen := map[[2]string]bool{}
	for _, run := range s.runs {
		cameras, err := record.ReadOptional(run.Dir, record.CamerasFile, record.ReadCameras)
		if err != nil {
			return nil, err
		}
		for _, c := range cameras {
			if _, known := v.cameras[c.Image]; known {
				continue
			}
			v.cameras[c.Image], v.folders[c.Image] = c, run.Manifest.Scene.Dir
			if c.Role == record.MappingRole && c.HasPose() {
				v.mapping = append(v.mapping, poseOf(c))
			}
		}
		matches, err := record.ReadOptional(run.Dir, record.ViewMatchesFile, record.ReadViewMatches)
		if err != nil {
			return nil, err
		}
		for _, m := range matches {
			if pair := [2]string{m.Query, m.Image}; !seen[pair] {
				seen[pair] = true
				v.matches[m.Query] = append(v.matches[m.Query], m)
			}
		}
	}
	v.plan = newGroundPlan(v.mapping)
	return v, v.readEstimates()
}

func poseOf(c record.Camera) geom.Pose {
	p := c.Pose
	return geom.Pose{R: quat.Number{Real: p[0], Imag: p[1], Jmag: p[2], Kmag: p[3]}, T: r3.Vec{X: p[4], Y: p[5], Z: p[6]}}
}

// readEstimates reads the poses of every line of the page, as far as they are there.
func (v *views) readEstimates() error {
	numbers := map[string]int{}
	for i, q := range v.data.Queries {
		numbers[q.Name] = i
	}
	v.found = make([][]float32, len(v.data.Lines))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, line := range v.data.Lines {
		dir := filepath.Join(v.section.runs[line.Run].Dir, "poses", v.data.Features[line.Feature], v.data.Methods[line.Method]+"_top"+strconv.Itoa(line.TopK))
		if _, err := os.Stat(filepath.Join(dir, "sensors")); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		g.Go(func() error {
			var err error
			v.found[i], err = v.readLine(dir, numbers)
			return err
		})
	}
	return g.Wait()
}

// readLine reads the estimates of a dataset of poses.
func (v *views) readLine(dir string, numbers map[string]int) ([]float32, error) {
	dataset, err := kapture.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("read estimated poses: %w", err)
	}
	poses, err := dataset.ImagePoses()
	if err != nil {
		return nil, fmt.Errorf("read estimated poses: %w", err)
	}
	out := make([]float32, 3*len(v.data.Queries))
	for i := range out {
		out[i] = float32(math.NaN())
	}
	for name, p := range poses {
		if q, ok := numbers[name]; ok && p.Complete() {
			for j, x := range v.plan.at(p.Pose) {
				out[3*q+j] = float32(x)
			}
		}
	}
	return out, nil
}

// index describes the views; id is the section's.
func (v *views) index(id string) *viewIndex {
	x := &viewIndex{Scripts: viewsFolder + "/" + id + "-", Chunk: viewChunk, Mapping: []spot{}, Why: whyNoPicture}
	if len(v.cameras) == 0 {
		x.Note = "The run has no " + record.CamerasFile + ": an earlier version made it. Run it again for maps and pictures."
	}
	n := min(len(v.mapping), mostMapping)
	for i := range n {
		x.Mapping = append(x.Mapping, v.plan.at(v.mapping[i*len(v.mapping)/n]))
	}
	return x
}

// write writes the scripts of a section to the report's folder and returns
// their paths in it.
func (v *views) write(ctx context.Context, dir, id string) ([]string, error) {
	var paths []string
	for first := 0; first < len(v.data.Queries); first += viewChunk {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		name := id + "-" + strconv.Itoa(first/viewChunk)
		script, err := json.Marshal(v.script(first, min(first+viewChunk, len(v.data.Queries))))
		if err != nil {
			return nil, fmt.Errorf("views of queries: %w", err)
		}
		path := filepath.Join(viewsFolder, name+".js")
		err = record.WriteFile(filepath.Join(dir, path), func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "locbenchView(%q, %s);\n", name, script)
			return err
		})
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// script gathers the views of some queries.
func (v *views) script(first, end int) viewScript {
	out := viewScript{Images: map[int]viewImage{}}
	numbers := map[string]int{}
	for i, name := range v.data.Images {
		numbers[name] = i
	}
	for q := first; q < end; q++ {
		name := v.data.Queries[q].Name
		view := queryView{viewImage: v.image(name), Estimates: map[int]spot{}}
		for i, spots := range v.found {
			if spots != nil && !math.IsNaN(float64(spots[3*q])) {
				at := spots[3*q : 3*q+3]
				view.Estimates[i] = spot{float64(at[0]), float64(at[1]), float64(at[2])}
			}
		}
		for _, i := range v.shown(q) {
			out.Images[i] = v.image(v.data.Images[i])
		}
		for _, m := range v.matches[name] {
			if i, listed := numbers[m.Image]; listed {
				out.Images[i] = v.image(m.Image)
				view.Matches = append(view.Matches, viewMatches{i, m.Matches, m.Lines})
			}
		}
		out.Queries = append(out.Queries, view)
	}
	return out
}

// shown lists the retrieved images of a query that are shown, by number: the
// first ones of every run's features.
func (v *views) shown(q int) []int {
	var out []int
	for _, list := range v.data.Retrieved {
		for _, i := range list.Images[q][:min(len(list.Images[q]), viewRetrieved)] {
			if !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

// image is what is known of an image.
func (v *views) image(name string) viewImage {
	c, known := v.cameras[name]
	p := v.pictures[name]
	im := viewImage{Picture: p.file, Why: p.why, Width: c.Width, Height: c.Height}
	if known && c.HasPose() {
		im.Place = v.plan.at(poseOf(c))
	}
	return im
}
