package kapture

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"
	"slices"
)

const observationsFile = "reconstruction/observations.txt"

// View is a keypoint of an image.
type View struct {
	Image    string
	Keypoint int // row of the image's keypoints
}

// PointRef is a point of [Points3D] as it is seen by one type of keypoints.
type PointRef struct {
	Point         int // row of points3d.txt
	KeypointsType string
}

// Observations says which keypoints see which point. It holds eight bytes a
// view; the names of images are kept once. The zero value is empty and ready
// for [Observations.Add].
type Observations struct {
	images nameTable
	types  nameTable
	chunks []observationChunk
}

// observationChunk holds some consecutive lines of the file.
type observationChunk struct {
	points []int
	types  []uint32
	ends   []int // end of each line's views
	views  []viewRef
}

type viewRef struct{ image, keypoint uint32 }

// Len returns the number of lines: points seen by a type of keypoints.
func (o *Observations) Len() int {
	n := 0
	for i := range o.chunks {
		n += len(o.chunks[i].points)
	}
	return n
}

// Views returns the number of views in all lines.
func (o *Observations) Views() int {
	n := 0
	for i := range o.chunks {
		n += len(o.chunks[i].views)
	}
	return n
}

// Images returns the images that have views, sorted.
func (o *Observations) Images() []string {
	images := slices.Clone(o.images.names)
	slices.Sort(images)
	return images
}

// All returns the lines in their order. The slice of views is used again for
// the next line.
func (o *Observations) All() iter.Seq2[PointRef, []View] {
	return func(yield func(PointRef, []View) bool) {
		var views []View
		for i := range o.chunks {
			c := &o.chunks[i]
			start := 0
			for j, end := range c.ends {
				views = views[:0]
				for _, v := range c.views[start:end] {
					views = append(views, View{Image: o.images.names[v.image], Keypoint: int(v.keypoint)})
				}
				start = end
				if !yield(PointRef{Point: c.points[j], KeypointsType: o.types.names[c.types[j]]}, views) {
					return
				}
			}
		}
	}
}

// Add appends a line: views of a point by keypoints of a type. Keypoints must
// fit in 32 bits and not be negative; Add panics if one does not.
func (o *Observations) Add(point int, keypointsType string, views ...View) {
	if len(o.chunks) == 0 {
		o.chunks = make([]observationChunk, 1)
	}
	c := &o.chunks[len(o.chunks)-1]
	for _, v := range views {
		if v.Keypoint < 0 || v.Keypoint > math.MaxUint32 {
			panic("kapture: keypoint index out of range")
		}
		image, _ := o.images.add([]byte(v.Image))
		c.views = append(c.views, viewRef{image, uint32(v.Keypoint)})
	}
	kind, _ := o.types.add([]byte(keypointsType))
	c.points = append(c.points, point)
	c.types = append(c.types, kind)
	c.ends = append(c.ends, len(c.views))
}

// Observations reads reconstruction/observations.txt. It returns nil, nil if
// there is no such file. In version 1.0, where lines name no type of keypoints,
// it is the only one of the dataset.
func (d *Dataset) Observations() (*Observations, error) {
	if d.fsys == nil {
		return nil, nil
	}
	f, err := d.openText(observationsFile)
	if f == nil {
		return nil, err
	}
	defer f.Close()
	return readObservations(f, f.path, f.size, observationFormat{fallback: d.Version, oldType: d.onlyKeypoints()})
}

// observationFormat says how to read a file that does not say its version, and
// which type of keypoints version 1.0 means.
type observationFormat struct{ fallback, oldType string }

// observationWorker is what the blocks that one worker parses share.
type observationWorker struct {
	images, types nameTable
	refused       map[uint32]bool // images whose path is refused
	ids           []uint32        // of the images on a line
}

// workerChunk is a chunk with the numbers of its worker's tables.
type workerChunk struct {
	observationChunk
	worker int
}

func readObservations(r io.Reader, path string, size int64, format observationFormat) (*Observations, error) {
	br := newBlockReader(r, path)
	pool := make([]observationWorker, workers(size))
	chunks, err := parseBlocks(br, size, func(worker int, s *scanner) workerChunk {
		v := br.version // set: the first block was read
		if v == "" {
			v = format.fallback
		}
		p := observationParser{scanner: s, observationWorker: &pool[worker]}
		if v == "1.0" {
			p.old, p.oldType = true, []byte(format.oldType)
		}
		return workerChunk{p.chunk(), worker}
	})
	if err != nil {
		return nil, err
	}
	return joinObservations(pool, chunks), nil
}

// observationParser parses a block.
type observationParser struct {
	*scanner
	*observationWorker
	old     bool
	oldType []byte
}

func (p *observationParser) chunk() observationChunk {
	lines := bytes.Count(p.rest, []byte{'\n'}) + 1
	commas := bytes.Count(p.rest, []byte{','})
	c := observationChunk{
		points: make([]int, 0, lines), types: make([]uint32, 0, lines), ends: make([]int, 0, lines),
		views: make([]viewRef, 0, commas/2+1),
	}
	for p.next() {
		if point, kind, ok := p.head(); ok && p.views(&c) {
			c.points = append(c.points, point)
			c.types = append(c.types, kind)
			c.ends = append(c.ends, len(c.views))
		}
	}
	return c
}

// head reads the point and the type and leaves the views in p.fields.
func (p *observationParser) head() (point int, kind uint32, ok bool) {
	name, fixed, columns := p.oldType, 1, "point3d_id, [image_path, feature_id]*"
	if !p.old {
		fixed, columns = 2, "point3d_id, keypoints_type, [image_path, feature_id]*"
	}
	if n := len(p.fields); n < fixed || (n-fixed)%2 != 0 {
		p.failf("want %d fields and pairs of fields (%s), found %d", fixed, columns, n)
		return 0, 0, false
	}
	id, ok := parseInt(p.fields[0])
	if !ok || id < 0 || id > math.MaxInt {
		p.failf("want the row of a point as point3d_id, found %s", quote(string(p.fields[0])))
		return 0, 0, false
	}
	if !p.old {
		name = p.fields[1]
	}
	kind, _ = p.types.add(name)
	p.fields = p.fields[fixed:]
	return int(id), kind, true
}

// views appends the line's views to c, all or none.
func (p *observationParser) views(c *observationChunk) bool {
	start := len(c.views)
	known := len(p.images.names)
	p.ids = p.images.addAll(p.fields, p.ids[:0])
	for id := known; id < len(p.images.names); id++ {
		p.check(uint32(id))
	}
	for i, image := range p.ids {
		keypoint, ok := parseInt(p.fields[2*i+1])
		switch {
		case len(p.refused) > 0 && p.refused[image]:
			p.failf("%s%s", wantPath, badPath(p.images.names[image]))
		case !ok || keypoint < 0 || keypoint > math.MaxUint32:
			p.failf("want the row of a keypoint as feature_id, found %s", quote(string(p.fields[2*i+1])))
		default:
			c.views = append(c.views, viewRef{image, uint32(keypoint)})
			continue
		}
		c.views = c.views[:start]
		return false
	}
	return true
}

func (w *observationWorker) check(image uint32) {
	if badPath(w.images.names[image]) == "" {
		return
	}
	if w.refused == nil {
		w.refused = map[uint32]bool{}
	}
	w.refused[image] = true
}

// joinObservations gives the names of all workers common numbers, in sorted
// order, so that the result does not depend on which worker met a name first.
func joinObservations(pool []observationWorker, chunks []workerChunk) *Observations {
	o := &Observations{chunks: make([]observationChunk, len(chunks))}
	images := make([][]uint32, len(pool))
	types := make([][]uint32, len(pool))
	o.images.names = commonNames(pool, images, func(w *observationWorker) []string { return w.images.names })
	o.types.names = commonNames(pool, types, func(w *observationWorker) []string { return w.types.names })
	for i, c := range chunks {
		for j := range c.views {
			c.views[j].image = images[c.worker][c.views[j].image]
		}
		for j := range c.types {
			c.types[j] = types[c.worker][c.types[j]]
		}
		o.chunks[i] = c.observationChunk
	}
	return o
}

// commonNames returns the workers' names, sorted, and fills in where each
// worker's names went.
func commonNames(pool []observationWorker, moved [][]uint32, of func(*observationWorker) []string) []string {
	var all []string
	for i := range pool {
		all = append(all, of(&pool[i])...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	position := make(map[string]uint32, len(all))
	for i, name := range all {
		position[name] = uint32(i)
	}
	for i := range pool {
		for _, name := range of(&pool[i]) {
			moved[i] = append(moved[i], position[name])
		}
	}
	return all
}

// Write writes reconstruction/observations.txt under dir, the folder of a
// dataset, whole or not at all.
func (o *Observations) Write(dir string) error {
	name := filepath.Join(dir, filepath.FromSlash(observationsFile))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return writeFile(name, o.write)
}

func (o *Observations) write(out io.Writer) error {
	w := newRowWriter(out, "point3d_id, keypoints_type, [image_path, feature_id]*")
	for _, image := range o.images.names {
		if why := badPath(image); why != "" {
			return fmt.Errorf("%s%s", wantPath, why)
		}
	}
	for ref, views := range o.All() {
		w.int(int64(ref.Point))
		w.text(ref.KeypointsType)
		for _, v := range views {
			w.text(v.Image)
			w.int(int64(v.Keypoint))
		}
		w.end()
	}
	return w.flush()
}
