package landmarks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"locbench/kapture"
)

// truth is a ground truth file as it is written.
type truth struct {
	Imlist  []string
	Qimlist []string
	Gnd     []truthQuery
}

type truthQuery struct {
	Box  []float64 `json:"bbx"`
	OK   *[]int    `json:"ok"`
	Easy *[]int    `json:"easy"`
	Hard *[]int    `json:"hard"`
	Junk *[]int    `json:"junk"`
}

// list is where the images of a grade are.
func (g *truthQuery) list(grade Grade) **[]int {
	switch grade {
	case OK:
		return &g.OK
	case Easy:
		return &g.Easy
	case Hard:
		return &g.Hard
	}
	return &g.Junk
}

// maxTruth bounds a ground truth file: the real ones have 300 kB.
const maxTruth = 1 << 30

// ReadTruth reads the ground truth of a known set from the revisited .pkl (a
// dict of imlist, qimlist and gnd), or from the same as .json. It executes
// nothing. What is wrong with the file is a [kapture.InputError].
func ReadTruth(name, path string) (*Dataset, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxTruth {
		return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want a ground truth file (.pkl or .json), found %s of %d bytes", info.Mode(), info.Size())}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var t *truth
	if strings.EqualFold(filepath.Ext(path), ".json") {
		t, err = readJSON(path, data)
	} else {
		t, err = readPickle(path, data)
	}
	if err != nil {
		return nil, err
	}
	return t.dataset(name, path)
}

func (t *truth) dataset(name, path string) (*Dataset, error) {
	revisitedSet, ok := known()[name]
	if !ok {
		return nil, fmt.Errorf("unknown data set %q: want one of %s", name, strings.Join(Names(), ", "))
	}
	if len(t.Gnd) != len(t.Qimlist) {
		return nil, &kapture.InputError{Path: path, Msg: fmt.Sprintf("want as many entries of gnd as of qimlist, found %d and %d", len(t.Gnd), len(t.Qimlist))}
	}
	d := &Dataset{Name: name, Images: t.Imlist, Setups: plain()}
	if revisitedSet {
		d.Setups = revisited()
	}
	var bad []error
	for i, g := range t.Gnd {
		q, err := g.query(t.Qimlist[i], revisitedSet)
		if err != nil {
			bad = append(bad, &kapture.InputError{Path: path, Msg: fmt.Sprintf("query %d, %s: %v", i, t.Qimlist[i], err)})
			continue
		}
		d.Queries = append(d.Queries, *q)
	}
	if err := kapture.FirstTen(bad); err != nil {
		return nil, err
	}
	return d, d.check(path)
}

func (g *truthQuery) query(name string, revisited bool) (*Query, error) {
	q := &Query{Name: name, Images: map[Grade][]int{}}
	grades := []Grade{OK, Junk}
	if revisited {
		grades = []Grade{Easy, Hard, Junk}
	}
	for _, grade := range grades {
		list := *g.list(grade)
		if list == nil {
			return nil, fmt.Errorf("want the list %q, found none: is it the ground truth of another data set?", grade)
		}
		q.Images[grade] = *list
	}
	if g.Box == nil {
		return q, nil
	}
	if len(g.Box) != 4 || !(g.Box[0] < g.Box[2]) || !(g.Box[1] < g.Box[3]) {
		return nil, fmt.Errorf("want the box as left, top, right, bottom, found %v", g.Box)
	}
	q.Box = (*Box)(g.Box)
	return q, nil
}

func readJSON(path string, data []byte) (*truth, error) {
	t := &truth{}
	in := json.NewDecoder(bytes.NewReader(data))
	err := in.Decode(t)
	if err == nil {
		return t, nil
	}
	at := in.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		at = kind.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at = int64(len(data))
	}
	return nil, &kapture.InputError{Path: path, Byte: at, HasByte: true, Msg: "want imlist, qimlist and gnd as JSON: " + err.Error()}
}
