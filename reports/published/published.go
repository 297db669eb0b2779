// Package published holds figures that others have published about the scenes that
// locbench knows: facts, each with its source. Most are the tables of the
// kapture-localization benchmark pages, of Pion et al. (3DV 2020) and its
// follow-up; the others are from the pages of retrieval and localization tools.
package published

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Row is one published figure.
type Row struct {
	Source                      string // page and table
	Dataset, Split              string
	Task                        string // EWB, local_sfm, global_sfm, retrieval_mAP, …
	LocalFeature, GlobalFeature string
	TopK                        int    // 0: does not apply
	Threshold                   string // "0.25m_2deg", or median_m, median_deg, or a protocol of retrieval
	Value                       Value
	Note                        string
}

// Value is a figure as it was printed: percent, metres or degrees.
type Value struct {
	Text     string
	Number   float64 // +Inf for inf
	Decimals int     // digits after the point
}

//go:embed published.csv
var file []byte

// All returns every row. The slice is shared: do not change it.
var All = sync.OnceValue(func() []Row {
	rows, err := read(file)
	if err != nil {
		panic("published: " + err.Error()) // the file is part of the program
	}
	return rows
})

// read parses the table. The first line names the columns.
func read(text []byte) ([]Row, error) {
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	const columns = "source,dataset,split,task,local_feature,global_feature,topk,threshold,value,note"
	if len(lines) == 0 || strings.Join(lines[0], ",") != columns {
		return nil, fmt.Errorf("want the columns %s", columns)
	}
	rows := make([]Row, 0, len(lines)-1)
	for i, l := range lines[1:] {
		r := Row{Source: l[0], Dataset: l[1], Split: l[2], Task: l[3], LocalFeature: l[4], GlobalFeature: l[5], Threshold: l[7], Note: l[9]}
		if l[6] != "" {
			if r.TopK, err = strconv.Atoi(l[6]); err != nil {
				return nil, fmt.Errorf("line %d: %w", i+2, err)
			}
		}
		if r.Value, err = parse(l[8]); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+2, err)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func parse(text string) (Value, error) {
	n, err := strconv.ParseFloat(text, 64)
	_, fraction, _ := strings.Cut(text, ".")
	return Value{Text: text, Number: n, Decimals: len(fraction)}, err
}

// Like rounds a percentage as the table of v was rounded. The evaluation server
// of visuallocalization.net rounds half up to two decimals, and what it prints
// has one: those figures were rounded twice. Others have two decimals.
func (v Value) Like(percent float64) float64 {
	rounded := halfUp(percent, 2)
	if v.Decimals < 2 {
		rounded = halfUp(rounded, v.Decimals)
	}
	return rounded
}

// halfUp rounds to a number of decimals. A percentage of whole queries that lies
// at a half may come a hair below it.
func halfUp(x float64, decimals int) float64 {
	scale := math.Pow(10, float64(decimals))
	return math.Floor(x*scale+0.5+1e-7) / scale
}
