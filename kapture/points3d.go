package kapture

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"gonum.org/v1/gonum/spatial/r3"
)

const points3dFile = "reconstruction/points3d.txt"

// Points3D are the points of a reconstruction, in world coordinates. A point's
// id is its index.
type Points3D struct {
	XYZ    []r3.Vec
	Colors [][3]float32 // red, green, blue in 0…255; nil if the file has none
}

// Points3D reads reconstruction/points3d.txt. It returns nil, nil if there is
// no such file. Lines have three or six fields, all of them the same number.
func (d *Dataset) Points3D() (*Points3D, error) {
	if d.fsys == nil {
		return nil, nil
	}
	f, err := d.openText(points3dFile)
	if f == nil {
		return nil, err
	}
	defer f.Close()
	return readPoints3D(f, f.path, f.size)
}

func readPoints3D(r io.Reader, path string, size int64) (*Points3D, error) {
	blocks, err := parseBlocks(newBlockReader(r, path), size, func(_ int, s *scanner) *Points3D {
		return scanPoints(s)
	})
	if err != nil {
		return nil, err
	}
	return joinPoints(blocks, path)
}

// scanPoints parses the points of a block.
func scanPoints(s *scanner) *Points3D {
	lines := bytes.Count(s.rest, []byte{'\n'}) + 1
	p := &Points3D{XYZ: make([]r3.Vec, 0, lines)}
	var v [6]float64
	for s.next() {
		n := len(s.fields)
		if n != 3 && n != 6 {
			s.failf("want 3 fields (X, Y, Z) or 6 (X, Y, Z, R, G, B), found %d", n)
			continue
		}
		if colored := p.Colors != nil; len(p.XYZ) > 0 && colored != (n == 6) {
			s.failf("want as many fields as the lines before, found %d", n)
			continue
		}
		if !s.finite(v[:n]) || n == 6 && !s.colors(v[3:]) {
			continue
		}
		p.XYZ = append(p.XYZ, r3.Vec{X: v[0], Y: v[1], Z: v[2]})
		if n == 6 {
			if p.Colors == nil {
				p.Colors = make([][3]float32, 0, lines)
			}
			p.Colors = append(p.Colors, [3]float32{float32(v[3]), float32(v[4]), float32(v[5])})
		}
	}
	return p
}

// finite parses the fields of the line into v.
func (s *scanner) finite(v []float64) bool {
	for i, f := range s.fields {
		x, ok := parseFloat(f)
		if !ok || x-x != 0 {
			s.failf("want a finite number in field %d, found %s", i+1, quote(string(f)))
			return false
		}
		v[i] = x
	}
	return true
}

// colors checks that colours, which are kept as float32, do not overflow.
func (s *scanner) colors(v []float64) bool {
	for i, c := range v {
		if math.Abs(c) > math.MaxFloat32 {
			s.failf("want a colour in field %d, found %s", i+4, quote(string(s.fields[i+3])))
			return false
		}
	}
	return true
}

func joinPoints(blocks []*Points3D, path string) (*Points3D, error) {
	total, colors := 0, 0
	for _, b := range blocks {
		total += len(b.XYZ)
		colors += len(b.Colors)
	}
	if colors != 0 && colors != total {
		return nil, &InputError{Path: path, Msg: fmt.Sprintf("want a colour for all points or none, found %d for %d points", colors, total)}
	}
	if len(blocks) == 1 {
		return blocks[0], nil
	}
	all := &Points3D{XYZ: make([]r3.Vec, 0, total)}
	if colors > 0 {
		all.Colors = make([][3]float32, 0, colors)
	}
	for _, b := range blocks {
		all.XYZ = append(all.XYZ, b.XYZ...)
		all.Colors = append(all.Colors, b.Colors...)
	}
	return all, nil
}

// Write writes reconstruction/points3d.txt under dir, the folder of a dataset,
// whole or not at all. Colors must be nil or as long as XYZ.
func (p *Points3D) Write(dir string) error {
	if p.Colors != nil && len(p.Colors) != len(p.XYZ) {
		return fmt.Errorf("write points: want %d colours, found %d", len(p.XYZ), len(p.Colors))
	}
	name := filepath.Join(dir, filepath.FromSlash(points3dFile))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return writeFile(name, p.write)
}

func (p *Points3D) write(out io.Writer) error {
	columns := "X, Y, Z"
	if p.Colors != nil {
		columns += ", R, G, B"
	}
	w := newRowWriter(out, columns)
	for i, x := range p.XYZ {
		w.finite(x.X)
		w.finite(x.Y)
		w.finite(x.Z)
		if p.Colors != nil {
			for _, c := range p.Colors[i] {
				w.finite32(c)
			}
		}
		w.end()
	}
	return w.flush()
}
